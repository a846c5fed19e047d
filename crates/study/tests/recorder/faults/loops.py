# SD006 RuntimeError no line: used more processor time than it may
# limits cpu=1
while True:
    pass
