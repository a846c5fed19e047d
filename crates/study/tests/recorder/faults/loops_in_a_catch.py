# SD006 RuntimeError no line: used more processor time than it may
# limits cpu=1
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
