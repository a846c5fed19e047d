# SD005 RecursionError line 5: RecursionError


def deeper(n):
    return deeper(n + 1)


deeper(0)
