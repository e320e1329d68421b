#!/usr/bin/env python3
"""A VISCA head that is not there: answers on a pseudo terminal, TCP or UDP (with Sony's
header), turns as a real one would, and can be told to misbehave.

usage: visca.py --pty | --tcp PORT | --udp PORT
Prints where it can be spoken to, then every message."""
import os
import pty
import select
import socket
import struct
import sys
import threading
import time
import tty

UNITS = 13.333  # of a degree
PAN, TILT, ZOOM = (-2267, 2267), (-400, 1200), (0, 0x4000)
TOP = (80 * UNITS, 50 * UNITS, 0x4000 / 3)  # a second


def nibbles(v, n=4):
    return bytes((v >> (4 * i)) & 15 for i in reversed(range(n)))


def number(b, signed=True):
    v = 0
    for x in b:
        v = v << 4 | x & 15
    return v - 0x10000 if signed and v >= 0x8000 else v


class Axis:
    def __init__(self, limits, top):
        self.low, self.high = limits
        self.top, self.at, self.to, self.speed, self.when = top, 0.0, 0.0, 0.0, time.monotonic()

    def now(self):
        t = time.monotonic()
        step = self.speed * (t - self.when)
        self.when = t
        if abs(self.to - self.at) <= step:
            self.at = self.to
        else:
            self.at += step if self.to > self.at else -step
        return round(self.at)

    def go(self, to, share):
        self.now()
        self.to, self.speed = min(max(to, self.low), self.high), self.top * share

    def drive(self, way, share):
        self.now()
        self.go(self.at if not way else self.high if way > 0 else self.low, share)


class Head:
    """The head itself: bytes of one message in, messages out. Fields that a test may set:

    silent, refuses (an error code), garbage (noise around each reply), late (seconds until a
    completion), lossy (every so many messages is lost)."""

    def __init__(self):
        self.pan, self.tilt, self.zoom = Axis(PAN, TOP[0]), Axis(TILT, TOP[1]), Axis(ZOOM, TOP[2])
        self.silent = self.garbage = False
        self.refuses = None
        self.late = self.lossy = 0
        self.seen, self.completions = [], []
        self.lock = threading.Lock()
        self.count = 0

    def degrees(self):
        with self.lock:
            return self.pan.now() / UNITS, self.tilt.now() / UNITS, self.zoom.now()

    def message(self, m):
        """Replies to one message, at once; completions come later by due()."""
        with self.lock:
            self.count += 1
            self.seen.append(m)
            if self.silent or (self.lossy and self.count % self.lossy == 0):
                return []
            return [self.dirty(r) for r in self.replies(m)]

    def dirty(self, r):
        return b"\x00\x13\x90" + os.urandom(5).replace(b"\xff", b"\x01") + b"\xff" + r \
            if self.garbage else r

    def replies(self, m):
        if m[:2] in (b"\x88\x01", b"\x88\x30"):
            return [m[:1] + b"\x30\x02\xff" if m[1] == 0x30 else m]
        body = m[1:-1]
        if body == b"\x09\x06\x12":
            return [b"\x90\x50" + nibbles(self.pan.now()) + nibbles(self.tilt.now()) + b"\xff"]
        if body == b"\x09\x04\x47":
            return [b"\x90\x50" + nibbles(self.zoom.now()) + b"\xff"]
        if self.refuses is not None:
            return [bytes((0x90, 0x60, self.refuses, 0xff))]
        share = (body[3] / 24, body[4] / 20) if len(body) >= 5 else (1, 1)
        if body[:3] == b"\x01\x06\x01" and len(body) == 7:
            self.pan.drive({1: -1, 2: 1, 3: 0}[body[5]], share[0])
            self.tilt.drive({1: 1, 2: -1, 3: 0}[body[6]], share[1])
        elif body[:3] == b"\x01\x06\x02" and len(body) == 13:
            self.pan.go(number(body[5:9]), share[0])
            self.tilt.go(number(body[9:13]), share[1])
        elif body[:3] == b"\x01\x04\x07" and len(body) == 4:
            way = {0: 0, 2: 1, 3: -1}[body[3] >> 4]
            self.zoom.drive(way, ((body[3] & 15) + 1) / 8)
        elif body[:3] == b"\x01\x04\x47" and len(body) == 7:
            self.zoom.go(number(body[3:], False), 1)
        else:
            return [b"\x90\x60\x02\xff"]
        done = b"\x90\x51\xff"
        if self.late:
            self.completions.append((time.monotonic() + self.late, done))
            return [b"\x90\x41\xff"]
        return [b"\x90\x41\xff", done]

    def due(self):
        now = time.monotonic()
        with self.lock:
            out = [m for t, m in self.completions if t <= now]
            self.completions = [c for c in self.completions if c[0] > now]
        return out


class Responder:
    """Serves a head in a thread of its own."""

    def __init__(self, head, log=None):
        self.head, self.log, self.ended = head, log or (lambda m: None), False
        self.out = None  # where completions go
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ended:
            try:
                ready = select.select(self.handles(), [], [], 0.01)[0]
                for h in ready:
                    self.read(h)
                for m in self.head.due():
                    self.send(m)
            except (OSError, ValueError):
                if self.ended:
                    return
                self.lost()

    def cut(self, text):
        """Messages of a stream of bytes."""
        self.buffer = getattr(self, "buffer", b"") + text
        while b"\xff" in self.buffer:
            m, _, self.buffer = self.buffer.partition(b"\xff")
            self.log(m + b"\xff")
            for r in self.head.message(m + b"\xff"):
                self.send(r)

    def lost(self):
        time.sleep(0.01)

    def close(self):
        self.ended = True
        self.thread.join(5)


class Pty(Responder):
    def __init__(self, head, log=None):
        super().__init__(head, log)
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        os.chmod(self.path, 0o666)
        self.thread.start()

    def handles(self):
        return [self.master]

    def read(self, h):
        self.cut(os.read(h, 256))

    def send(self, m):
        os.write(self.master, m)

    def close(self):
        super().close()
        os.close(self.master)
        os.close(self.slave)


class Tcp(Responder):
    def __init__(self, head, port=0, log=None):
        super().__init__(head, log)
        self.server = socket.create_server(("127.0.0.1", port))
        self.port = self.server.getsockname()[1]
        self.client = None
        self.thread.start()

    def handles(self):
        return [self.server] + ([self.client] if self.client else [])

    def read(self, h):
        if h is self.server:
            self.lost()
            self.client = self.server.accept()[0]
            return
        text = h.recv(256)
        if not text:
            self.lost()
        else:
            self.cut(text)

    def lost(self):
        """Also for tests: cuts the connection."""
        client, self.client, self.buffer = self.client, None, b""
        if client:
            client.close()

    def send(self, m):
        if self.client:
            self.client.sendall(m)

    def close(self):
        super().close()
        self.lost()
        self.server.close()


class Udp(Responder):
    def __init__(self, head, port=0, log=None):
        super().__init__(head, log)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.peer, self.sequence = None, 0
        self.thread.start()

    def handles(self):
        return [self.socket]

    def read(self, h):
        packet, self.peer = self.socket.recvfrom(256)
        kind, length, self.sequence = struct.unpack(">HHI", packet[:8])
        m = packet[8:]
        if len(m) != length or kind not in (0x100, 0x110) or m[-1] != 0xff:
            return
        self.log(m)
        for r in self.head.message(m):
            self.send(r)

    def send(self, m):
        if self.peer:
            self.socket.sendto(struct.pack(">HHI", 0x111, len(m), self.sequence) + m, self.peer)

    def close(self):
        super().close()
        self.socket.close()


def main():
    head, args = Head(), sys.argv[1:]

    def log(m):
        print(m.hex(" "), "| pan %.1f tilt %.1f zoom %d" % head.degrees(), flush=True)

    if args == ["--pty"]:
        print("visca:" + Pty(head, log).path, flush=True)
    elif len(args) == 2 and args[0] in ("--tcp", "--udp") and args[1].isdigit():
        kind = Tcp if args[0] == "--tcp" else Udp
        print(f"visca://127.0.0.1:{kind(head, int(args[1]), log).port}#transport={args[0][2:]}",
              flush=True)
    else:
        sys.exit(__doc__)
    threading.Event().wait()


if __name__ == "__main__":
    main()
