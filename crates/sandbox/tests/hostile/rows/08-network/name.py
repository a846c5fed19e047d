import os
import socket
import subprocess
import threading

from attempts import attempt

# The control brings its own resolver and the settings that lead to it.
if os.geteuid() == 0:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for path, text in [("resolv.conf", "nameserver 127.0.0.1\n"), ("nsswitch.conf", "hosts: dns\n")]:
        with open(path, "w") as file:
            file.write(text)
        subprocess.run(["mount", "--bind", path, "/etc/" + path], check=True)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def serve():
        while True:
            question, asker = server.recvfrom(512)
            end = question.index(b"\0", 12) + 5
            kind = question[end - 4 : end - 2]
            count = b"\0\1" if kind == b"\0\1" else b"\0\0"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("198.51.100.7") if kind == b"\0\1" else b""
            server.sendto(question[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0" + question[12:end] + answer, asker)

    threading.Thread(target=serve, daemon=True).start()

attempt("resolve", socket.gethostbyname, "study.example.org")
