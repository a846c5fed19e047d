import socket
import threading

from attempts import attempt, targets


def reach(address):
    socket.create_connection(address, 3).close()
    return "reached"


def own():
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: server.accept()[0].sendall(b"hello")).start()
    return socket.create_connection(server.getsockname(), 3).recv(5).decode()


for name in ["loopback", "loopback six", "own address"]:
    attempt(name, reach, tuple(targets[name]))
attempt("own loopback", own)
