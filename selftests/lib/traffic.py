#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Closes connections over loopback at a steady rate, or leaves them open.

traffic.py DELAYS RATE SECONDS   the server closes DELAYS ms (a list, in turn) after end of file
traffic.py stuck FAMILY [PORT]   it never does; says "stuck" when one such connection is there
"""
import itertools
import socket
import sys
import threading
import time


FIN_WAIT2 = 5  # its FIN is ACKed (net/tcp_states.h)


def listener(family=socket.AF_INET, port=0):
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    sock.listen(500)
    return sock


def connection(server):
    client = socket.socket(server.family)
    client.connect(server.getsockname())
    return client, server.accept()[0]


def serve(sock, delay):
    while sock.recv(100):
        pass
    if delay:
        time.sleep(delay / 1000)
    sock.close()


def finish(client):
    client.recv(1)
    client.close()


def steady(delays, rate, seconds):
    server = listener()
    start = time.monotonic()
    for i in itertools.count():
        due = start + i / rate
        if due > start + seconds:
            break
        time.sleep(max(0, due - time.monotonic()))
        client, sock = connection(server)
        delay = delays[i % len(delays)]
        threading.Thread(target=serve, args=(sock, delay)).start()
        client.sendall(b"x")
        client.shutdown(socket.SHUT_WR)
        threading.Thread(target=finish, args=(client,)).start()


def stuck(family, port):
    client, sock = connection(listener(family, port))
    client.sendall(b"hello")
    client.shutdown(socket.SHUT_WR)
    while client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != FIN_WAIT2:
        time.sleep(0.01)
    client.close()
    print("stuck", flush=True)
    threading.Event().wait()
    sock.close()


if sys.argv[1] == "stuck":
    stuck(socket.AF_INET6 if sys.argv[2] == "6" else socket.AF_INET, int((sys.argv + ["0"])[3]))
else:
    steady([int(d) for d in sys.argv[1].split(",")], float(sys.argv[2]), float(sys.argv[3]))
