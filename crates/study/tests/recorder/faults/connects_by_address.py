# SD009 RefusedError line 5: tried to reach a network
import socket

one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
one.connect(("127.0.0.1", 9))
