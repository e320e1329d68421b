"""AV1 over RTP, which few players read: taken apart by a depacketizer that was written from the
specification alone, decoded by libdav1d (row E1)."""
import re
import subprocess

import av1_rtp
import rtsp

QUERY = "/axis-media/media.amp?videocodec=av1&resolution=640x360"


def refuses(t, *packets):
    depay = av1_rtp.Av1()
    try:
        for payload, marker, time in packets:
            depay.push(bytes(payload), marker, time)
    except AssertionError:
        return
    t.check(False, "taken, though the format forbids it", packets)


def test_E1_av1_depacketizer(t):
    """Ours reads the specification's own example, and is strict."""
    frame, delta = 0x30, 0x30  # OBU_FRAME, no size
    sequence = bytes([0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    key, inter = bytes([frame, 0x10]), bytes([delta, 0x30])
    # two elements, the last without length: 303 = 1 + (2 + 200) + 100
    payload = bytes([0x20]) + b"\xc8\x01" + inter + bytes(198) + bytes([0x28]) + bytes(99)
    t.equal(len(payload), 303)
    unit = av1_rtp.Av1().push(payload, 1, 7)
    t.equal([(o.type, len(o.payload)) for o in unit.obus], [(6, 199), (5, 99)])
    # the same with a length each
    payload = bytes([0x00]) + b"\xc8\x01" + inter + bytes(198) + b"\x64" + bytes([0x28]) + bytes(99)
    t.equal([len(o.payload) for o in av1_rtp.Av1().push(payload, 1, 7).obus], [199, 99])
    # a key unit in fragments
    depay = av1_rtp.Av1()
    t.equal(depay.push(bytes([0x68, len(sequence)]) + sequence + key, 0, 9), None)
    t.equal(depay.push(bytes([0xd0]) + bytes(50), 0, 9), None)
    unit = depay.push(bytes([0x90]) + bytes(50), 1, 9)
    t.equal((unit.key, unit.begins, unit.shown), (True, True, 1))
    t.equal([len(o.payload) for o in unit.obus], [10, 101])
    t.equal(unit.stored()[:4], b"\x12\x00\x0a\x0a")
    refuses(t, (bytes([0x90]) + inter, 1, 1))  # goes on with nothing
    refuses(t, (bytes([0x50]) + inter, 0, 1), (bytes([0x10]) + inter, 1, 1))  # not gone on with
    refuses(t, (bytes([0x50]) + inter, 1, 1))  # marker inside a fragment
    refuses(t, (bytes([0x50]) + inter, 0, 1), (bytes([0x90]) + inter, 1, 2))  # two times
    refuses(t, (bytes([0x18]) + inter, 1, 1))  # N without a key
    refuses(t, (bytes([0x20, len(sequence)]) + sequence + key, 1, 1))  # a key without N
    refuses(t, (bytes([0x30]) + inter, 1, 1))  # W says three
    refuses(t, (bytes([0x20, 100]) + inter, 1, 1))  # beyond the end
    refuses(t, (bytes([0x10]), 1, 1))  # nothing
    refuses(t, (bytes([0x10, 0xb0]), 1, 1))  # forbidden bit
    refuses(t, (bytes([0x10, 0x32, 9, 0x30]), 1, 1))  # obu_size that is not so


def receive(t, c, query, n):
    """The client, the depacketizer and n temporal units from the first on."""
    s = c.rtsp_client(query)
    s.start()
    depay, units = av1_rtp.Av1(), []
    while len(units) < n:
        p = s.packet()
        t.check(12 + len(p.payload) <= 1400, len(p.payload))
        t.equal(p.type, 96)
        unit = depay.push(p.payload, p.marker, p.time)
        if unit:
            units.append(unit)
    t.equal(s.holes, 0)
    return s, depay, units


def decode(t, units):
    """Size and number of the pictures that dav1d makes of them, without a word of complaint."""
    path = t.dir() / "stream.obu"
    path.write_bytes(b"".join(u.stored() for u in units))
    p = subprocess.run(["ffmpeg", "-nostdin", "-v", "warning", "-c:v", "libdav1d", "-f", "obu", "-i", path,
                        "-fps_mode", "passthrough", "-f", "framecrc", "-"], capture_output=True, text=True, timeout=60)
    t.equal((p.returncode, p.stderr), (0, ""))
    size = re.search(r"(?m)^#dimensions 0: (\d+)x(\d+)$", p.stdout)
    pictures = [line.split(",") for line in p.stdout.splitlines() if line[0] != "#"]
    t.check(len({x[-1] for x in pictures}) > len(pictures) / 2, "the pictures are all the same", p.stdout)
    return int(size.group(1)), int(size.group(2)), len(pictures)


def test_E1_av1_over_rtp(t):
    t.need("ffmpeg")
    c = t.shared()
    s, depay, units = receive(t, c, QUERY + "&videokeyframeinterval=10", 35)
    t.equal(depay.advice, [])
    first = units[0]
    t.check(first.key and first.sequence, "the first unit is no start")
    t.equal(first.sequence.size, (640, 360))
    t.equal({u.shown for u in units}, {1}, "a temporal unit shows one picture")
    keys = [i for i, u in enumerate(units) if u.begins]
    t.equal({b - a for a, b in zip(keys, keys[1:])}, {10}, f"keys at {keys}")
    t.check(depay.packets > len(units), "no unit was large enough to be cut: nothing is shown")
    steps = [(b.time - a.time) & 0xffffffff for a, b in zip(units, units[1:])]
    t.check(all(d > 0 and abs(d / 3000 - round(d / 3000)) < 0.03 for d in steps), steps)
    t.match(r"(?m)^m=video 0 RTP/AVP 96\r$", s.sdp)
    t.match(r"(?m)^a=rtpmap:96 AV1/90000\r$", s.sdp)
    fmtp = dict(x.strip().split("=") for x in re.search(r"a=fmtp:96 (.*)\r", s.sdp).group(1).split(";"))
    q = first.sequence
    t.equal({k: int(v) for k, v in fmtp.items()}, {"profile": q.profile, "level-idx": q.level, "tier": q.tier})
    t.equal(decode(t, units), (640, 360, 35))


def test_E1_av1_join_in_the_middle(t):
    """Who comes later begins with a key and a sequence header as well."""
    t.need("ffmpeg")
    c = t.shared()
    a, _, _ = receive(t, c, QUERY + "&videokeyframeinterval=60", 7)
    b, depay, units = receive(t, c, QUERY + "&videokeyframeinterval=60", 12)
    t.check(units[0].key and units[0].sequence)
    t.equal(depay.advice, [])
    t.equal(decode(t, units), (640, 360, 12))
    a.close()


def test_E1_av1_udp(t):
    """The same packets as datagrams."""
    t.need("ffmpeg")
    c = t.shared()
    s = c.rtsp_client(QUERY)
    t.equal(s.describe().status, 200)
    t.equal(s.setup_udp().status, 200)
    t.equal(s.play().status, 200)
    depay, units = av1_rtp.Av1(), []
    while len(units) < 10:
        p = rtsp.Packet(s.rtp.recv(65536))
        unit = depay.push(p.payload, p.marker, p.time)
        if unit:
            units.append(unit)
    t.equal(decode(t, units), (640, 360, 10))
    s.rtp.close(), s.rtcp_sock.close()
