from attempts import attempt
from things import LEAVE, cover

cover()
for name, act in LEAVE.items():
    attempt(name, act)
