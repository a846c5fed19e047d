import os

from attempts import attempt
from things import FIND, LEAVE, cover

cover()
if os.geteuid() == 0:
    for act in LEAVE.values():
        act()
for name, act in FIND.items():
    attempt(name, act)
attempt("table of jobs for later", os.listdir, "/var/spool/cron/crontabs/none")
