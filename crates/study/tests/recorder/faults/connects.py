# SD009 RefusedError line 4: tried to reach a network
import socket

socket.create_connection(("127.0.0.1", 9))
