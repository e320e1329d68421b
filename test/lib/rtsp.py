"""An RTSP client for tests: TCP interleaved and UDP, Digest, RTCP, no mercy."""
import re
import socket
import struct
import time

import pictures
import web


class Packet:
    """One RTP packet. Refuses what the simplest receivers cannot read."""

    def __init__(self, data):
        assert len(data) >= 12, "short RTP packet"
        a, b, self.seq, self.time, self.ssrc = struct.unpack(">BBHII", data[:12])
        assert a == 0x80, f"RTP header {a:#x}: version 2, no padding, extension or CSRC expected"
        self.marker, self.type, self.payload = b >> 7, b & 0x7f, data[12:]


def rtcp(data):
    """[(type, count, body)] of a compound packet."""
    found, i = [], 0
    while i < len(data):
        a, kind, words = struct.unpack(">BBH", data[i:i + 4])
        assert a >> 6 == 2, "RTCP version"
        n = 4 * (words + 1)
        assert i + n <= len(data), "RTCP length"
        found.append((kind, a & 0x1f, data[i + 4:i + n]))
        i += n
    return found


def receiver_report(ssrc, about, lost=0):
    return struct.pack(">BBHIIIIIII", 0x81, 201, 7, ssrc, about, lost << 24, 0, 0, 0, 0)


class Rtsp:
    def __init__(self, port, path="/axis-media/media.amp", user=None, password=None, tls=False,
                 host="127.0.0.1", timeout=30, conn=None):
        self.url = f"rtsp{'s' if tls else ''}://{host}:{port}{path}"
        self.user, self.password = user, password
        self.conn = conn or web.Conn(host, port, tls, timeout)
        self.cseq, self.session, self.challenge, self.nc = 0, None, None, 0
        self.queue = []  # (channel, bytes) that came between replies
        self.units = {}  # channel: depacketizer
        self.expected, self.holes = {}, 0  # sequence numbers: next by channel, missing in all
        self.sent = b""

    def close(self):
        self.conn.close()

    def send_raw(self, data):
        self.conn.send(data)

    def send(self, method, url=None, headers=(), body=b"", login=True):
        self.cseq += 1
        url = url or self.url
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.cseq}"]
        if self.session and not any(k.lower() == "session" for k, _ in headers):
            lines.append(f"Session: {self.session}")
        if login and self.challenge and self.user:
            self.nc += 1
            lines.append("Authorization: " + web.digest_header(
                method, url, self.user, self.password, self.challenge, self.nc))
        lines += [f"{k}: {v}" for k, v in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send_raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def item(self):
        """('reply', Reply) or ('data', channel, bytes): the next thing on the wire."""
        while not self.conn.buf:
            self.conn.fill()
        if self.conn.buf[:1] == b"$":
            head = self.conn.exactly(4)
            return "data", head[1], self.conn.exactly(struct.unpack(">H", head[2:])[0])
        return "reply", self.conn.reply()

    def reply(self):
        while True:
            it = self.item()
            if it[0] == "reply":
                assert it[1].version == "RTSP/1.0", it[1].version
                return it[1]
            self.queue.append(it[1:])

    def call(self, method, url=None, headers=(), body=b"", login=True):
        self.send(method, url, headers, body, login)
        r = self.reply()
        if r.status == 401 and self.user and login:
            wish = [c for s, c in web.challenges(r)
                    if s == "Digest" and c.get("algorithm", "MD5") == "MD5"]
            if wish:
                self.challenge, self.nc = wish[-1], 0
                self.send(method, url, headers, body)
                r = self.reply()
        assert r.get("cseq") == str(self.cseq), (self.cseq, r.headers)
        return r

    def describe(self):
        for _ in range(10):
            r = self.call("DESCRIBE", headers=[("Accept", "application/sdp")])
            # On a busy machine and with sanitizers an encoder may start too late.
            if r.status != 503 or b"not started" not in r.body:
                break
        if r.status == 200:
            self.sdp = r.text
            self.controls = re.findall(r"m=.*?a=control:(\S+)", self.sdp, re.S)
            self.base = r.get("content-base")
        return r

    def setup(self, transport="RTP/AVP/TCP;unicast;interleaved=0-1", url=None, headers=()):
        r = self.call("SETUP", url or self.controls[0], [("Transport", transport), *headers])
        if r.status == 200:
            self.session = r.get("session").split(";")[0]
            self.transport = r.get("transport")
        return r

    def setup_udp(self):
        """Binds an even/odd pair and sets up the first track over UDP."""
        for _ in range(50):
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.bind(("127.0.0.1", 0))
            port = self.rtp.getsockname()[1]
            if port % 2 == 0:
                self.rtcp_sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    self.rtcp_sock.bind(("127.0.0.1", port + 1))
                    break
                except OSError:
                    self.rtcp_sock.close()
            self.rtp.close()
        for s in (self.rtp, self.rtcp_sock):
            s.settimeout(10)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        return self.setup(f"RTP/AVP;unicast;client_port={port}-{port + 1}")

    def play(self, headers=()):
        return self.call("PLAY", headers=headers)

    def start(self, transport="RTP/AVP/TCP;unicast;interleaved=0-1"):
        """DESCRIBE, SETUP and PLAY, all of which must succeed."""
        for step in (self.describe, lambda: self.setup(transport), self.play):
            r = step()
            assert r.status == 200, r
        return r

    def data(self):
        """(channel, bytes): the next interleaved frame."""
        if self.queue:
            return self.queue.pop(0)
        while True:
            it = self.item()
            if it[0] == "data":
                return it[1:]

    def packet(self, channel=0):
        while True:
            ch, data = self.data()
            if ch == channel:
                p = Packet(data)
                self.holes += (p.seq - self.expected.get(ch, p.seq)) & 0xffff
                self.expected[ch] = p.seq + 1
                return p
            if ch == channel + 1:
                self.last_rtcp = rtcp(data)

    def unit(self, channel=0):
        """The next access unit of H.264 as (rtp time, NAL units)."""
        depay = self.units.setdefault(channel, pictures.H264())
        while True:
            p = self.packet(channel)
            u = depay.push(p.payload, p.marker)
            if u:
                return p.time, u

    def unit_udp(self):
        depay = self.units.setdefault("udp", pictures.H264())
        while True:
            p = Packet(self.rtp.recv(65536))
            u = depay.push(p.payload, p.marker)
            if u:
                return p.time, u

    def drain(self, seconds):
        """Reads for so long (real time) and forgets; bytes read."""
        n, end = 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.conn.readable(left):
                self.conn.fill()
                n += len(self.conn.buf)
                self.conn.buf = b""
        return n
