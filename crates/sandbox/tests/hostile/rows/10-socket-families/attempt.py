import socket

from attempts import attempt

STREAM, DATAGRAM, RAW, PACKETS = 1, 2, 3, 5
UNIX, INET, INET6, NETLINK, PACKET, BLUETOOTH, ALG, VSOCK = 1, 2, 10, 16, 17, 31, 38, 40

for name, family, kind, protocol in [
    ("vsock", VSOCK, STREAM, 0),
    ("packet", PACKET, RAW, 0),
    ("packet datagram", PACKET, DATAGRAM, 0),
    ("alg", ALG, PACKETS, 0),
    ("raw", INET, RAW, 1),
    ("raw six", INET6, RAW, 58),
    ("ping", INET, DATAGRAM, 1),
    ("sctp", INET, STREAM, 132),
    ("bluetooth", BLUETOOTH, RAW, 1),
    ("netlink audit", NETLINK, RAW, 9),
    ("netlink events", NETLINK, RAW, 15),
    ("netlink generic", NETLINK, RAW, 16),
    ("netlink filter", NETLINK, RAW, 12),
    ("tcp", INET, STREAM, 0),
    ("udp", INET, DATAGRAM, 0),
    ("tcp six", INET6, STREAM, 0),
    ("unix", UNIX, STREAM, 0),
    ("netlink route", NETLINK, RAW, 0),
]:
    attempt(name, lambda: socket.socket(family, kind, protocol).close())


def pair():
    for end in socket.socketpair(INET, STREAM):
        end.close()


attempt("pair of packets", pair)
