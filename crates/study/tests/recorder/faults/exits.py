# SD005 SystemExit line 4: take the call of exit() away
import sys

sys.exit("enough")
