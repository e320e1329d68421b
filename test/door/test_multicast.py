"""RTP by multicast over RTSP (row E2), on the loopback interface, which needs no route: sender
and receivers name it. Skipped aloud where the machine does not carry multicast there."""
import re
import socket
import struct
import time

import pictures
import rtsp

SMALL = "/axis-media/media.amp?resolution=640x360&videokeyframeinterval=10"
SSM = "/axis-media/ssm/media.amp?resolution=640x360&videokeyframeinterval=10"
ADD_SOURCE_MEMBERSHIP = 39  # Python 3.11 has no name for it
LO = socket.inet_aton("127.0.0.1")


def join(group, port, source=None):
    """A socket that gets what is sent to this group and port."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((group, port))
    if source:
        s.setsockopt(socket.IPPROTO_IP, ADD_SOURCE_MEMBERSHIP,
                     socket.inet_aton(group) + LO + socket.inet_aton(source))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + LO)
    s.settimeout(10)
    return s


def need_multicast(t):
    """Whether this machine carries it over loopback at all."""
    try:
        to = join("239.192.254.1", 54321)
        with to, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind(("127.0.0.1", 0))
            out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LO)
            out.sendto(b"?", ("239.192.254.1", 54321))
            to.settimeout(2)
            to.recv(10)
    except OSError as e:
        t.skip(f"no multicast over loopback: {e}")


class Receiver:
    """One session and what it hears, as the SETUP reply says."""

    def __init__(self, t, c, path=SMALL, source=False):
        self.rtsp = c.rtsp_client(path)
        r = self.rtsp.describe()
        t.equal(r.status, 200, r)
        r = self.rtsp.setup("RTP/AVP;multicast")
        t.equal(r.status, 200, r)
        m = re.match(r'^RTP/AVP;multicast;destination=([\d.]+);source=127\.0\.0\.1;port=(\d+)-(\d+);'
                     r'ttl=(\d+);ssrc=([0-9A-F]{8});mode="PLAY"$', r.get("transport"))
        t.check(m, r.get("transport"))
        self.group, self.port, self.ttl = m.group(1), int(m.group(2)), int(m.group(4))
        self.ssrc = int(m.group(5), 16)
        t.check(self.port % 2 == 0 and int(m.group(3)) == self.port + 1, r.get("transport"))
        self.rtp = join(self.group, self.port, "127.0.0.1" if source else None)
        self.rtcp = join(self.group, self.port + 1, "127.0.0.1" if source else None)
        self.depay = pictures.H264()
        t.cleanup(self.leave)

    def play(self, t):
        r = self.rtsp.play()
        t.equal(r.status, 200, r)
        return self

    def packet(self):
        return rtsp.Packet(self.rtp.recv(65536))

    def unit(self):
        while True:
            p = self.packet()
            u = self.depay.push(p.payload, p.marker)
            if u:
                return u

    def is_silent(self, seconds=1.0):
        """Nothing comes any more, once what is under way has come."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.rtp.settimeout(seconds)
            try:
                self.rtp.recv(65536)
            except TimeoutError:
                return True
            finally:
                self.rtp.settimeout(10)
        return False

    def leave(self):
        self.rtp.close(), self.rtcp.close()


def viewers(c):
    r = c.admin.post("/axis-cgi/streamstatus.cgi", '{"apiVersion":"1.0","method":"getAllStreams"}',
                     type="application/json")
    return r.json["data"]["streams"]


def test_E2_multicast(t):
    """Two receivers hear the same packets, of one sender; who leaves ends nothing for the other;
    the last one ends it, with a BYE."""
    need_multicast(t)
    c = t.shared()
    a, b = Receiver(t, c), Receiver(t, c)
    t.equal((a.group, a.port, a.ssrc), (b.group, b.port, b.ssrc))
    t.match(r"^239\.19[2-5]\.", a.group)
    t.equal(a.ttl, 5)
    a.rtp.settimeout(0.5)
    try:
        a.rtp.recv(65536)
        t.check(False, "media before PLAY")
    except TimeoutError:
        a.rtp.settimeout(10)
    a.play(t), b.play(t)
    got = [[x.rtp.recv(65536) for _ in range(150)] for x in (a, b)]
    t.equal(got[0], got[1])
    seqs = [struct.unpack(">H", p[2:4])[0] for p in got[0]]
    t.equal({(y - x) & 0xffff for x, y in zip(seqs, seqs[1:])}, {1}, "sent twice, or holes")
    t.equal(len([v for v in viewers(c) if v["destination_address"] == a.group]), 1, "one sender")
    kinds = rtsp.rtcp(a.rtcp.recv(4096))
    t.equal([k for k, _, _ in kinds][:2], [200, 202])
    t.equal(struct.unpack(">I", kinds[0][2][:4])[0], a.ssrc)
    t.equal(a.rtsp.call("TEARDOWN").status, 200)
    for _ in range(60):
        b.packet()
    t.equal(b.rtsp.call("TEARDOWN").status, 200)
    bye = set()
    while 203 not in bye:
        bye |= {k for k, _, _ in rtsp.rtcp(b.rtcp.recv(4096))}
    t.check(b.is_silent(), "media after the last TEARDOWN")
    t.equal([v for v in viewers(c) if v["destination_address"] == a.group], [])


def test_E2_multicast_newcomer(t):
    """Who comes later sees pictures soon, though a group of pictures is long; PAUSE of one is
    no pause of the other; a client that is gone without a word ends nothing."""
    need_multicast(t)
    c = t.shared()
    path = "/axis-media/media.amp?resolution=640x360&videokeyframeinterval=300"
    a = Receiver(t, c, path).play(t)
    for _ in range(12):
        unit = a.unit()
    b = Receiver(t, c, path)
    b.play(t)
    began = time.monotonic()
    while 5 not in pictures.kinds(b.unit()):
        t.check(time.monotonic() - began < 6, "no key picture for who came later")
    t.check(pictures.sei_stamp(unit), "the camera's own pictures")
    t.equal(b.rtsp.call("PAUSE").status, 200)
    for _ in range(10):
        a.unit()
    t.equal(a.rtsp.call("PAUSE").status, 200)
    t.check(a.is_silent(), "media though all paused")
    b.play(t)
    b.unit()
    a.rtsp.close()  # without a word
    for _ in range(10):
        b.packet()
    t.equal(b.rtsp.call("TEARDOWN").status, 200)
    # a's session stands until its timeout, but it has paused
    t.check(b.is_silent(), "media though nobody plays")


def test_E2_multicast_streams_do_not_mix(t):
    """Another stream to the same group has its own port; a fixed port takes one stream."""
    need_multicast(t)
    c = t.shared()
    a = Receiver(t, c)
    b = Receiver(t, c, SMALL + "&compression=60")
    t.equal(a.group, b.group)
    t.check(a.port != b.port, "two streams on one port")
    a.play(t), b.play(t)
    for x in (a, b):
        t.equal({x.packet().ssrc for _ in range(80)}, {x.ssrc})
    for x in (a, b):
        t.equal(x.rtsp.call("TEARDOWN").status, 200)
    was = a.group
    # unicast beside multicast: one encoder, the same packets
    t.equal(c.set_param(Network__RTP__R0__VideoPort="5600", Network__RTP__R0__TTL="2",
                        Network__RTP__R0__VideoAddress="239.193.7.7").text.strip(), "OK")
    try:
        a = Receiver(t, c).play(t)
        t.equal((a.group, a.port, a.ttl), ("239.193.7.7", 5600, 2))
        u = c.rtsp_client(SMALL)
        u.start()
        p = u.packet()
        while (q := a.packet()).seq != p.seq:
            t.check((q.seq - p.seq) & 0xffff > 0x8000 or (q.seq - p.seq) & 0xffff < 2000, "other numbers")
            if (q.seq - p.seq) & 0xffff < 0x8000:
                p = u.packet()
        t.equal(p.payload, q.payload)
        s = c.rtsp_client(SMALL + "&compression=60")
        s.describe()
        r = s.setup("RTP/AVP;multicast")
        t.equal(r.status, 503)
        t.match(r"another stream goes to 239\.193\.7\.7 port 5600", r.text)
        # ... and one that can be had is taken
        t.equal(s.setup("RTP/AVP;multicast;destination=239.1.1.1,RTP/AVP/TCP;unicast").status, 200)
        t.equal(a.rtsp.call("TEARDOWN").status, 200)
    finally:
        c.set_param(Network__RTP__R0__VideoPort="0", Network__RTP__R0__TTL="5",
                    Network__RTP__R0__VideoAddress=was)


def test_E2_multicast_one_source(t):
    """Source-specific: the description tells group, port and the only source (RFC 4570)."""
    need_multicast(t)
    c = t.shared()
    was = c.param("Network.RTP.R0.VideoAddress")
    t.equal(c.update("Network.RTP.R0.VideoAddress", "232.1.2.3").text.strip(), "OK")
    try:
        a = Receiver(t, c, SSM, source=True)
        t.equal(a.group, "232.1.2.3")
        t.match(rf"m=video {a.port} RTP/AVP 96\r\nc=IN IP4 232\.1\.2\.3/5\r\n"
                r"a=source-filter: incl IN IP4 232\.1\.2\.3 127\.0\.0\.1\r\n", a.rtsp.sdp)
        a.play(t)
        for _ in range(20):
            a.unit()
        # here is no other way, and elsewhere no such group
        s = c.rtsp_client(SSM)
        s.describe()
        t.equal(s.setup().status, 461)
        s = c.rtsp_client(SMALL)
        s.describe()
        t.match(r"c=IN IP4 0\.0\.0\.0\r\n", s.sdp)
        t.check("source-filter" not in s.sdp)
        t.equal(s.setup("RTP/AVP;multicast").status, 461)
        t.equal(a.rtsp.call("TEARDOWN").status, 200)
    finally:
        c.update("Network.RTP.R0.VideoAddress", was)
    # an any-source group may be heard from one source too
    a = Receiver(t, c, SSM, source=True).play(t)
    t.equal(a.group, was)
    a.unit()
    t.equal(a.rtsp.call("TEARDOWN").status, 200)


def test_E2_multicast_parameters(t):
    c = t.shared()
    was = c.param("Network.RTP.R0.VideoAddress")
    serial = c.param("Properties.System.SerialNumber")
    low = [int(serial[i:i + 2], 16) for i in (6, 8, 10)]
    t.equal(was, f"239.{192 + low[0] % 4}.{low[1]}.{low[2]}")
    t.equal(c.param("Network.RTP.R0.VideoPort"), "0")
    t.equal(c.param("Network.RTP.R0.TTL"), "5")
    for name, value in (("VideoAddress", "192.0.2.1"), ("VideoAddress", "224.0.0.1"), ("VideoAddress", "224.0.1.129"),
                        ("VideoAddress", "239.255.255.250"), ("VideoAddress", "232.0.0.9"), ("VideoAddress", "ff02::1"),
                        ("VideoAddress", ""), ("VideoAddress", "x"), ("VideoPort", "5001"), ("VideoPort", "80"),
                        ("VideoPort", "65536"), ("TTL", "0"), ("TTL", "256")):
        r = c.update("Network.RTP.R0." + name, value)
        t.check(r.text.startswith("# Error"), name, value, r.text)
        t.match(name, r.text)
    t.equal(c.param("Network.RTP.R0.VideoAddress"), was)
    t.check("OK" not in c.update("Network.RTP.R0.TTL", "9", client=c.operator).text, "an operator moves no packets")


def test_E2_multicast_refused(t):
    """Where datagrams have no place: TLS, WebSocket; and to nobody else's group."""
    c = t.shared()
    s = c.rtsp_client(SMALL, tls=True)
    s.describe()
    t.equal(s.setup("RTP/AVP;multicast").status, 461)
    s = c.rtsp_client(SMALL)
    s.describe()
    for bad in ("RTP/AVP;multicast;destination=239.9.9.9", "RTP/AVP/TCP;multicast",
                "RTP/AVP;multicast;destination=127.0.0.1"):
        t.equal(s.setup(bad).status, 461, bad)


def test_E2_multicast_timeout(t):
    """A session that falls silent ends, its group with it; RTSP alone is a sign of life."""
    need_multicast(t)
    c = t.camera(clock="sim", source="virtual:320x180@30")
    c.setup(users=False)
    path = "/axis-media/media.amp?resolution=160x90&sessiontimeout=1"
    with c.ticking():
        a, b = Receiver(t, c, path), Receiver(t, c, path)
        a.play(t), b.play(t)
        a.unit(), b.unit()
    for _ in range(2):  # each has 1 s and 10 more
        c.advance(7)
        t.equal(b.rtsp.call("GET_PARAMETER").status, 200)
    t.equal(a.rtsp.call("GET_PARAMETER").status, 454, "14 s of silence")
    with c.ticking():
        b.unit()
    t.check("multicast to" in c.log and " ends" not in re.findall(r"multicast to.*", c.log)[-1], c.log)
    c.advance(14)
    t.equal(b.rtsp.call("GET_PARAMETER").status, 454)
    t.match(r" ends$", re.findall(r"multicast to.*", c.log)[-1])


test_E2_multicast_timeout.seconds = 180
