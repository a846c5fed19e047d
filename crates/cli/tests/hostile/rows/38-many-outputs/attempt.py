for number in range(100_001):
    open(f"output/{number}.csv", "w").close()
