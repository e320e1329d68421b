"""Bad RTSP, RTP and arguments of streams, each case under its id (see test_attacks.py)."""
import os
import re
import socket
import struct
import time

import rtsp
import vedette
import web
from test_attacks import SMALL, first_status, healthy, raw


def test_ATK_A34_bad_rtsp(t):
    c = t.shared()
    u = f"rtsp://127.0.0.1:{c.rtsp}/axis-media/media.amp"
    for head, want in ((f"OPTIONS {u} RTSP/1.0\r\n\r\n", {400}),
                       (f"OPTIONS {u} RTSP/1.0\r\nCSeq: -1\r\n\r\n", {400}),
                       (f"OPTIONS {u} RTSP/1.0\r\nCSeq: 99999999999999999999\r\n\r\n", {400, 200}),
                       (f"OPTIONS {u} RTSP/1.0\r\nCSeq: a\r\n\r\n", {400}),
                       (f"OPTIONS {u} RTSP/1.0\r\nCSeq: 1\0\r\n\r\n", {400}),
                       (f"OPTIONS {u} RTSP/9.9\r\nCSeq: 1\r\n\r\n", {400, 505}),
                       (f"OPTIONS {u} RTSP/2.0\r\nCSeq: 1\r\n\r\n", {505}),
                       (f"DANCE {u} RTSP/1.0\r\nCSeq: 1\r\n\r\n", {405, 501}),
                       (f"DESCRIBE rtsp:// RTSP/1.0\r\nCSeq: 1\r\n\r\n", {400, 401, 404}),
                       (f"DESCRIBE {u}/../x RTSP/1.0\r\nCSeq: 1\r\n\r\n", {400, 401, 404}),
                       ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404, 405, 501, 505, None, 200, 401}),
                       (f"OPTIONS {u}\r\nCSeq: 1\r\n\r\n", {400}),
                       ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", {400, None}),
                       ("OPTIONS " + "a" * 100000 + " RTSP/1.0\r\n\r\n", {400, 414, 431, None}),
                       (f"OPTIONS {u} RTSP/1.0\r\n" + "X: y\r\n" * 5000 + "\r\n", {400, 431, None})):
        answer = raw(c, head.encode("latin-1"), c.rtsp, timeout=2)
        t.check(first_status(answer) in want, head[:80], answer[:200])
    raw(c, os.urandom(20000), c.rtsp, timeout=2)
    raw(c, b"$" * 20000, c.rtsp, timeout=2)
    # Noise does not keep a connection for ever.
    conn = web.Conn("127.0.0.1", c.rtsp)
    try:
        for _ in range(400):
            conn.send(b"\r\n" * 500)
    except OSError:
        pass
    conn.close()
    healthy(t, c)


def test_ATK_A35_bad_transports(t):
    c = t.shared()
    victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    victim.bind(("127.0.0.9", 0))
    victim.settimeout(1)
    port = victim.getsockname()[1] & ~1
    for form in ("RTP/AVP;unicast;client_port=70000-70001", "RTP/AVP;unicast;client_port=5001-5000",
                 "RTP/AVP;unicast;client_port=0-0", "RTP/AVP;unicast;client_port=0-1",
                 "RTP/AVP;unicast;client_port=-1-2", "RTP/AVP;unicast;client_port=",
                 "RTP/AVP;unicast;client_port=a-b", "RTP/AVP;unicast;client_port=99999999999-1",
                 f"RTP/AVP;unicast;destination=127.0.0.9;client_port={port}-{port + 1}",
                 f"RTP/AVP;unicast;destination=8.8.8.8;client_port={port}-{port + 1}",
                 f"RTP/AVP;unicast;source=127.0.0.9;destination=127.0.0.9;client_port={port}-{port + 1}",
                 f"RTP/AVP;multicast;destination=239.1.2.3;port={port}-{port + 1};ttl=1",
                 "RTP/AVP/TCP;unicast;interleaved=300-301", "RTP/AVP/TCP;unicast;interleaved=-1-0",
                 "RTP/AVP/TCP;unicast;interleaved=a", ";" * 3000, "RTP/AVP," * 500):
        s = c.rtsp_client(SMALL)
        s.describe()
        r = s.setup(form)
        t.check(r.status in (400, 461) or
                (r.status == 200 and "interleaved" in form and "destination" not in form), form[:80], r)
        s.close()
    try:
        victim.recv(2000)
        raise AssertionError("a third party got media")
    except TimeoutError:
        pass
    victim.close()
    healthy(t, c)


def test_ATK_A36_bad_rtsp_bodies(t):
    c = t.shared()
    u = f"rtsp://127.0.0.1:{c.rtsp}/axis-media/media.amp"
    for method in ("SET_PARAMETER", "ANNOUNCE", "GET_PARAMETER", "OPTIONS"):
        for n in ("4294967295", "2147483648", "-1", "99999999999999999999", "x", "1, 2"):
            answer = raw(c, f"{method} {u} RTSP/1.0\r\nCSeq: 1\r\nContent-Length: {n}\r\n\r\nabc".encode(),
                         c.rtsp, timeout=2)
            t.check(first_status(answer) in (400, 401, 405, 413, 501), method, n, answer[:100])
    s = c.rtsp_client(SMALL)
    s.start()
    for body in (b"x" * 5000, b"\0\xff" * 100, b"a: b\r\n" * 500):
        r = s.call("SET_PARAMETER", body=body)
        t.check(r.status in (200, 400, 413, 451), body[:20], r)
    s.unit()
    healthy(t, c)


def test_ATK_A37_bad_interleaved(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    s.start()
    for channel in (0, 1, 2, 77, 255):
        for data in (b"", b"\0", b"\x80\xc9\0\x01abcd", os.urandom(300), b"\x81\xc9\xff\xff" + b"x" * 28):
            s.send_raw(struct.pack(">cBH", b"$", channel, len(data)) + data)
    t.equal(s.call("OPTIONS").status, 200, "in the middle of rubbish")
    s.unit()
    s.send_raw(struct.pack(">cBH", b"$", 1, 60000) + b"x" * 60000)
    try:
        t.equal(s.call("OPTIONS").status, 200)
    except (web.Closed, ConnectionError):
        pass  # too long a frame may end the connection
    half = c.rtsp_client(SMALL)
    half.start()
    half.send_raw(b"$\x01\x04\x00abc")
    half.unit()
    half.close()
    healthy(t, c)


def test_ATK_A38_setups_without_play(t):
    """Many sessions that never play; those who watch see no gap."""
    c = t.camera()
    c.setup(users=False)
    viewer = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
    viewer.start()
    viewer.unit()
    handles = None
    held, statuses = [], {}
    for i in range(1100):
        s = rtsp.Rtsp(c.rtsp, "/axis-media/media.amp?resolution=320x180", *vedette.ADMIN)
        held.append(s)
        if held[0].challenge and s is not held[0]:
            s.challenge, s.nc = held[0].challenge, 1000 + i
        if i % 50 == 0 or i >= 990:
            viewer.unit()
        try:
            s.controls = getattr(held[0], "controls", None)
            if not s.controls:
                s.describe()
            r = s.setup()
        except (web.Closed, ConnectionError):
            statuses["closed"] = statuses.get("closed", 0) + 1
            continue
        statuses[r.status] = statuses.get(r.status, 0) + 1
    t.check(set(statuses) <= {200, 453, 503, "closed"}, statuses)
    t.check(statuses.get(200, 0) < 1010, "no limit on viewers", statuses)
    viewer.unit()
    for s in held:
        s.close()
    end = time.monotonic() + 20
    while c.handles() > 120 and time.monotonic() < end:
        time.sleep(0.1)
    t.check(c.handles() <= 120, f"{c.handles()} handles are left")
    fresh = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
    for _ in range(5):  # a busy machine needs more than one try to start an encoder
        if fresh.describe().status == 200:
            break
    fresh.start()
    fresh.unit()


test_ATK_A38_setups_without_play.seconds = 180


def test_ATK_A39_tunnel_is_closed(t):
    """RTSP over HTTP comes with a later issue; until then it opens nothing."""
    c = t.shared()
    answer = raw(c, b"GET /axis-media/media.amp HTTP/1.0\r\nx-sessioncookie: abc\r\n"
                    b"Accept: application/x-rtsp-tunnelled\r\n\r\n", timeout=2)
    t.check(first_status(answer) in (400, 401, 404, 405), answer[:200])


def test_ATK_A40_rtcp_from_strangers(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    s.describe()
    t.equal(s.setup_udp().status, 200)
    t.equal(s.play().status, 200)
    port = int(re.search(r"server_port=(\d+)", s.transport).group(1))
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.7", 0))
    bye = struct.pack(">BBHI", 0x81, 203, 1, 1)
    for data in (bye, os.urandom(500), b"", b"\x80", rtsp.receiver_report(1, 2, 255) * 40,
                 struct.pack(">BBH", 0x81, 201, 0xffff)):
        for p in (port, port + 1):
            stranger.sendto(data, ("127.0.0.1", p))
            s.rtcp_sock.sendto(data if data != bye else b"\x80", ("127.0.0.1", p))
    for _ in range(20):
        s.unit_udp()
    stranger.close()
    s.rtp.close(), s.rtcp_sock.close()
    healthy(t, c)


def test_ATK_A41_stream_arguments(t):
    c = t.shared()
    for query in ("resolution=99999x99999", "resolution=0x0", "resolution=-1x-1", "resolution=640x",
                  "resolution=x", "resolution=640x360x2", "fps=-1", "fps=nan", "fps=1e9", "camera=999",
                  "camera=0", "camera=x", "videocodec=h264%00", "videocodec=..%2Fx", "compression=1e3",
                  "videokeyframeinterval=-5", "videokeyframeinterval=99999999999", "videomaxbitrate=-1"):
        r = c.rtsp_client("/axis-media/media.amp?" + query).describe()
        t.check(r.status in (400, 404, 415), query, r)
        r = c.admin.get("/axis-cgi/mjpg/video.cgi?" + query + "&nbrofframes=1")
        t.check(r.status in (400, 404) or query.startswith("video"), query, r)
        if query.startswith("video"):
            c.admin.close()
    for query in ("streamprofile=../x", "streamprofile=%00", "streamprofile=" + "a" * 3000):
        r = c.rtsp_client("/axis-media/media.amp?resolution=320x180&" + query).describe()
        t.check(r.status in (200, 400, 404, 414), query, r)
    healthy(t, c)
