#!/usr/bin/env python3
"""Viewers of pictures over HTTP that only read. usage: http_sink.py PORT TARGET VIEWERS SECONDS
[tls] [USER PASSWORD]. Says "playing" when all have got bytes, then one line of JSON."""
import json
import os
import pathlib
import selectors
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/lib"))
import web  # noqa: E402


def main():
    port, target, viewers, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    rest = sys.argv[5:]
    tls = rest[:1] == ["tls"]
    user = rest[tls:] or (None, None)
    selector, clients = selectors.DefaultSelector(), []
    for _ in range(viewers):
        c = web.Client(port, *user, tls)
        if user[0]:
            c.get("/axis-cgi/usergroup.cgi")
        c.send("GET", target, headers=c.authorization("GET", target) if user[0] else ())
        c.conn.sock.setblocking(False)
        clients.append(c)
        selector.register(c.conn.sock, selectors.EVENT_READ)
    buffer, began, total, heads = bytearray(1 << 20), None, 0, set()
    while began is None or time.monotonic() < began + seconds:
        for key, _ in selector.select(0.5):
            try:
                while n := key.fileobj.recv_into(buffer):
                    total += n
                    heads.add(key.fd)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
        if began is None and len(heads) == viewers:
            began, total = time.monotonic(), 0
            print("playing", flush=True)
    print(json.dumps({"bytes": total, "seconds": time.monotonic() - began}), flush=True)
    os._exit(0)


main()
