import os
import socket
import sys

kind = sys.argv[1]
path = f"output/{kind}.csv"
if kind == "pipe":
    os.mkfifo(path)
elif kind == "socket":
    socket.socket(socket.AF_UNIX).bind(path)
else:
    os.mkdir(path)
