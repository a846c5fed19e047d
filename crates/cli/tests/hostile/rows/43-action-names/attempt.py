import sys; open(f"output/{sys.argv[1]}.csv", "w").close()
