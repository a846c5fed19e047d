# SD006 RuntimeError no line: was not read within its time
# limits time=3
import time

time.sleep(600)
