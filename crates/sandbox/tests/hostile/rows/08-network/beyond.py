import os
import socket
import subprocess

from attempts import attempt

ADDRESSES = {"metadata": "169.254.169.254", "neighbour": "192.168.1.1", "six": "2001:db8::7"}
servers = []
# As root of namespaces of its own, which only the control is, the addresses can be had.
if os.geteuid() == 0:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES.values():
        subprocess.run(["ip", "address", "add", address, "dev", "lo"] + ["nodad"] * (":" in address), check=True)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        servers.append(socket.create_server((address, 80), family=family))


def reach(address):
    socket.create_connection((address, 80), 3).close()
    return "reached"


for name, address in ADDRESSES.items():
    attempt(name, reach, address)
