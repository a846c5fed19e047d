import os
import socket
import subprocess
import time

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
        # The kernel makes the way to an address a moment after the address.
        until = time.monotonic() + 3
        while socket.socket(family).connect_ex((address, 80)) != 0 and time.monotonic() < until:
            time.sleep(0.01)


def reach(address):
    socket.create_connection((address, 80), 3).close()
    return "reached"


for name, address in ADDRESSES.items():
    attempt(name, reach, address)
