open("output/a.csv", "w").close()
