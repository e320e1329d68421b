"""RTSP as clients force it on a server (rows E1, E2's TCP, UDP, TLS; reference rtsp.md)."""
import base64
import re
import socket
import struct
import time

import pictures
import rtsp
import vedette
import web

SMALL = "/axis-media/media.amp?resolution=640x360"


def test_E2_options(t):
    c = t.shared()
    s = c.rtsp_client(user=None)
    r = s.call("OPTIONS")
    t.equal(r.status, 200)
    for m in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER",
              "SET_PARAMETER"):
        t.check(m in r.get("public"), m)
    s.send_raw(b"OPTIONS * RTSP/1.0\r\nCSeq: 0\r\n\r\n")
    r = s.reply()
    t.equal((r.status, r.get("cseq")), (200, "0"))
    s.send_raw(b"OPTIONS * RTSP/1.0\r\nCSeq: 4294967295\r\n\r\n")
    t.equal(s.reply().get("cseq"), "4294967295")


def test_E2_login(t):
    c = t.shared()
    serial = c.param("Properties.System.SerialNumber")
    r = c.rtsp_client(SMALL, user=None).describe()
    t.equal(r.status, 401)
    lines = r.all("www-authenticate")
    t.equal(len(lines), 1, "MD5 alone by default")
    t.match(rf'^Digest realm="AXIS_{serial}", nonce="[0-9a-f]+", stale=FALSE', lines[0])
    t.check("SHA" not in lines[0])
    t.equal(c.rtsp_client(SMALL, "root", "wrong").describe().status, 401)
    t.equal(c.rtsp_client(SMALL, "vera", vedette.USERS["viewer"][1]).describe().status, 200)
    # A 401 leaves the connection open, and a repeated CSeq is fine.
    s = c.rtsp_client(SMALL)
    for _ in range(3):
        s.send_raw(f"DESCRIBE {s.url} RTSP/1.0\r\nCSeq: 2\r\n\r\n".encode())
        r = s.reply()
        t.equal((r.status, r.get("cseq")), (401, "2"))


def test_E2_describe(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    r = s.describe()
    t.equal(r.status, 200)
    t.equal(r.get("content-type"), "application/sdp")
    t.match("/axis-media/media.amp", r.get("content-base"))
    t.check(r.get("content-base").endswith("/"), r.get("content-base"))
    sdp = s.sdp
    t.check("\r\n" in sdp and "\n" not in sdp.replace("\r\n", ""), "CRLF")
    lines = sdp.split("\r\n")
    t.equal(lines[0], "v=0")
    order = [l[0] for l in lines if l]
    t.equal(order[:4], ["v", "o", "s", "t"])
    for want in (r"(?m)^m=video 0 RTP/AVP 96\r$", r"(?m)^a=rtpmap:96 H264/90000\r$",
                 r"(?m)^a=range:npt=now-", r"(?m)^a=framerate:30", r"(?m)^c=IN IP4 0\.0\.0\.0\r$"):
        t.match(want, sdp)
    t.equal(len(s.controls), 1)
    t.match(rf"^rtsp://127\.0\.0\.1:{c.rtsp}/axis-media/media\.amp", s.controls[0])
    m = re.search(r"a=fmtp:96 (.*)\r", sdp)
    args = dict(x.strip().split("=", 1) for x in m.group(1).split(";"))
    t.equal(args["packetization-mode"], "1")
    sps, pps = (base64.b64decode(x) for x in args["sprop-parameter-sets"].split(","))
    t.equal((sps[0] & 31, pps[0] & 31), (7, 8))
    t.equal(args["profile-level-id"].lower(), sps[1:4].hex())
    t.equal(pictures.sps_size(sps), (640, 360))


def test_E1_h264_tcp(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    t.equal(s.describe().status, 200)
    r = s.setup()
    t.match(r"^[A-Za-z0-9_-]{8,64};timeout=60$", r.get("session"))
    t.match(r"^RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=[0-9A-F]{8};mode=\"PLAY\"$", r.get("transport"))
    ssrc = int(re.search("ssrc=([0-9A-F]+)", r.get("transport")).group(1), 16)
    r = s.play()
    t.equal(r.status, 200)
    t.match(r"^npt=", r.get("range"))
    info = re.match(r"url=([^;]+);seq=(\d+);rtptime=(\d+)$", r.get("rtp-info"))
    t.check(info, r.get("rtp-info"))
    t.equal(info.group(1), s.controls[0])
    t.check(not s.queue, "media before the reply to PLAY")
    s.last_rtcp = None
    first = s.packet()
    t.equal((first.seq, first.time, first.ssrc), (int(info.group(2)), int(info.group(3)), ssrc))
    s.queue.insert(0, (0, struct.pack(">BBHII", 0x80, first.marker << 7 | first.type, first.seq,
                                      first.time, first.ssrc) + first.payload))
    when, unit = s.unit()
    kinds = pictures.kinds(unit)
    t.check(5 in kinds and 7 in kinds and 8 in kinds, "starts with a key picture", kinds)
    t.check(kinds[-1] in (1, 5), "the last NAL unit is a slice", kinds)
    stamps, times, bad = [], [when], []
    began = time.monotonic()
    for _ in range(60):
        when, unit = s.unit()
        times.append(when)
        k = pictures.kinds(unit)
        if k[-1] not in (1, 5) or 9 in k or 12 in k:
            bad.append(k)
        stamps.append(pictures.sei_stamp(unit))
    t.check(not bad, bad)
    t.check(all(stamps), "a picture without its stamp")
    serials = [x["serial"] for x in stamps]
    t.equal(serials, sorted(set(serials)))
    # Timestamps come from the pictures' own clock.
    utc = [float(x["utc"][-7:-1]) for x in stamps]
    for (a, b), (ua, ub) in zip(zip(times[1:], times[2:]), zip(utc, utc[1:])):
        t.near(((b - a) & 0xffffffff) / 90000, (ub - ua) % 60, 0.0021)
    t.check(s.last_rtcp, "no sender report")
    kinds = [k for k, _, _ in s.last_rtcp]
    t.equal(kinds[:2], [200, 202], "SR and SDES")
    r = s.call("TEARDOWN")
    t.equal(r.status, 200)
    t.equal(s.call("OPTIONS").status, 200, "the connection stays")


def test_E1_mjpeg_rtsp(t):
    c = t.shared()
    s = c.rtsp_client("/axis-media/media.amp?videocodec=jpeg&resolution=640x360")
    s.start()
    t.match(r"m=video 0 RTP/AVP 26\r\n", s.sdp)
    t.match(r"a=rtpmap:26 JPEG/90000", s.sdp)
    p = s.packet()
    # RFC 2435: type 1 (4:2:0), Q 255 with two 8-bit tables in the first packet.
    off, kind, q, w, h = int.from_bytes(p.payload[1:4], "big"), *p.payload[4:8]
    t.equal((off, w * 8, h * 8), (0, 640, 360))
    t.check(kind in (0, 1), kind)
    if q >= 128:
        mbz, precision, length = struct.unpack(">BBH", p.payload[8:12])
        t.equal((precision, length), (0, 128))
    n = len(p.payload)
    while not p.marker:
        p = s.packet()
        n += len(p.payload)
    t.check(n > 3000, n)


def test_E2_udp(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    t.equal(s.describe().status, 200)
    r = s.setup_udp()
    t.equal(r.status, 200)
    m = re.match(r'^RTP/AVP;unicast;client_port=(\d+)-(\d+);server_port=(\d+)-(\d+);'
                 r'ssrc=[0-9A-F]{8};mode="PLAY"$', r.get("transport"))
    t.check(m, r.get("transport"))
    t.check(int(m.group(3)) % 2 == 0 and int(m.group(4)) == int(m.group(3)) + 1)
    t.equal(s.play().status, 200)
    for _ in range(30):
        when, unit = s.unit_udp()
    t.check(pictures.sei_stamp(unit))
    report = rtsp.rtcp(s.rtcp_sock.recv(4096))
    t.equal(report[0][0], 200)
    t.equal(s.call("TEARDOWN").status, 200)
    # BYE ends it, then silence.
    s.rtcp_sock.settimeout(5)
    kinds = set()
    while 203 not in kinds:
        kinds |= {k for k, _, _ in rtsp.rtcp(s.rtcp_sock.recv(4096))}
    s.rtp.close()
    s.rtcp_sock.close()


def test_E2_udp_two_viewers_and_punching(t):
    c = t.shared()
    a, b = c.rtsp_client(SMALL), c.rtsp_client(SMALL)
    for s in (a, b):
        s.describe()
        t.equal(s.setup_udp().status, 200)
        port = int(re.search(r"server_port=(\d+)", s.transport).group(1))
        s.rtp.sendto(b"\0" * 8, ("127.0.0.1", port))
        s.rtcp_sock.sendto(b"hello", ("127.0.0.1", port + 1))
        t.equal(s.play().status, 200)
    for _ in range(20):
        a.unit_udp(), b.unit_udp()
    a.close()  # gone without a word; the other goes on
    for _ in range(20):
        b.unit_udp()
    for s in (a, b):
        s.rtp.close(), s.rtcp_sock.close()


def test_E2_rtsps(t):
    c = t.shared()
    s = c.rtsp_client(SMALL, tls=True)
    s.start()
    for _ in range(10):
        s.unit()
    # UDP inside TLS would be in clear.
    s2 = c.rtsp_client(SMALL, tls=True)
    s2.describe()
    t.equal(s2.setup("RTP/AVP;unicast;client_port=40000-40001").status, 461)


def test_rtsp_transport_forms(t):
    c = t.shared()
    for form, want in (
            ("RTP/AVP/TCP;unicast;interleaved=0-1", 200), ("RTP/AVP/TCP", 200),
            ("RTP/AVP/TCP;unicast", 200), ("RTP/AVP/TCP;interleaved=4-5;unicast", 200),
            ("RTP/AVP/TCP;unicast;interleaved=1-0", 200), ("RTP/AVP/TCP;unicast;interleaved=3", 200),
            ("RTP/AVP/TCP;unicast;mode=play;interleaved=0-1", 200),
            ("RTP/SAVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1", 200),
            ("RAW/RAW/UDP;unicast;client_port=5000-5001", 461), ("RTP/AVP/TCP;multicast", 461),
            ("", 461), ("banana", 461)):
        s = c.rtsp_client(SMALL)
        s.describe()
        r = s.setup(form)
        t.check(r.status == want or (want == 461 and not form and r.status == 400), form, r)
        s.close()


def test_rtsp_urls(t):
    """Requests name the stream in many ways; each finds it."""
    c = t.shared()
    s = c.rtsp_client(SMALL)
    s.describe()
    base = s.base
    t.equal(s.setup(url=s.controls[0]).status, 200)
    t.equal(s.call("PLAY", base).status, 200, "Content-Base")
    t.equal(s.call("PAUSE", s.url).status, 200)
    t.equal(s.call("PLAY", s.url + "/").status, 200, "slash behind the query")
    t.equal(s.call("GET_PARAMETER", "/axis-media/media.amp").status, 200, "relative")
    t.equal(s.call("TEARDOWN", s.url.replace("127.0.0.1", "root:x@localhost")).status, 200, "user info")
    for path in ("/axis-media/nosuch.amp", "/", "/axis-cgi/param.cgi"):
        r = c.rtsp_client(path).describe()
        t.check(r.status in (404, 405), path, r)


def test_rtsp_states(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    t.equal(s.describe().status, 200)
    r = s.call("PLAY")
    t.check(r.status in (454, 455), r)
    t.equal(s.call("PLAY", headers=[("Session", "nosuchsession")]).status, 454)
    t.equal(s.setup().status, 200)
    r = s.setup()  # the same again
    t.check(r.status in (200, 455, 459), r)
    r = s.call("SETUP", s.controls[0], [("Transport", "RTP/AVP;unicast;client_port=40010-40011")])
    t.check(r.status in (455, 459, 461), r)
    t.equal(s.play().status, 200)
    r = s.call("SETUP", s.controls[0], [("Transport", "RTP/AVP/TCP;unicast;interleaved=2-3")])
    t.check(r.status in (455, 459), r)
    t.equal(s.play().status, 200, "PLAY while playing")
    s.unit()
    t.equal(s.call("PAUSE").status, 200)
    s.queue.clear()
    s.conn.buf = b""
    t.check(s.drain(0.7) < 2000, "media after PAUSE")
    t.equal(s.play().status, 200)
    s.units.clear()
    s.queue.clear()
    _, unit = s.unit()
    t.check(5 in pictures.kinds(unit), "starts again with a key picture")
    t.equal(s.call("TEARDOWN").status, 200)
    t.equal(s.call("PLAY").status, 454)


def test_rtsp_keepalive_forms(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    s.start()
    for method in ("GET_PARAMETER", "SET_PARAMETER", "OPTIONS"):
        r = s.call(method)
        t.equal(r.status, 200, method)
        t.match(s.session, r.get("session") or "", method)
    t.equal(s.call("OPTIONS", login=False).status, 200, "OPTIONS without login")
    r = s.call("GET_PARAMETER", headers=[("Content-Type", "text/parameters")], body=b"banana\r\n")
    t.equal(r.status, 451)
    r = s.call("OPTIONS", headers=[("Require", "com.example.teapot")])
    t.equal(r.status, 551)
    t.equal(r.get("unsupported"), "com.example.teapot")
    t.equal(s.call("OPTIONS", headers=[("Blocksize", "64000"), ("Speed", "1"), ("X-Odd", "y")]).status, 200)
    t.equal(s.call("ANNOUNCE").status in (405, 501), True)


def test_rtsp_session_belongs_to_its_connection(t):
    """live555 CVE-2026-41470: a session id used from another connection."""
    c = t.shared()
    a, b, nobody = c.rtsp_client(SMALL), c.rtsp_client(SMALL), c.rtsp_client(SMALL, user=None)
    a.start()
    b.describe()
    for method in ("PAUSE", "TEARDOWN", "PLAY"):
        t.equal(b.call(method, headers=[("Session", a.session)]).status, 454, method)
        r = nobody.call(method, headers=[("Session", a.session)])
        t.check(r.status in (401, 454), method, r)
    a.unit()


def test_rtsp_udp_session_timeout(t):
    """A viewer over UDP that falls silent is gone after its time-out."""
    c = t.camera(clock="sim", source="virtual:320x180@5")
    c.setup(users=False)
    s = c.rtsp_client("/axis-media/media.amp?resolution=160x90&sessiontimeout=1")
    with c.ticking():
        s.describe()
        r = s.setup_udp()
        t.equal(r.status, 200)
        t.match(";timeout=1$", r.get("session"))
        t.equal(s.play().status, 200)
        s.unit_udp()
    c.advance(7)
    t.equal(s.call("GET_PARAMETER").status, 200)
    c.advance(7)
    t.equal(s.call("OPTIONS", login=False).status, 200, "14 s, asked at 7 s")
    c.advance(14)
    t.equal(s.call("GET_PARAMETER").status, 454, "14 s of silence")
    s.rtp.close(), s.rtcp_sock.close()


test_rtsp_udp_session_timeout.seconds = 180


def test_rtsp_arguments(t):
    c = t.shared()
    s = c.rtsp_client("/axis-media/media.amp?videocodec=h264&resolution=320x180&fps=10&compression=50"
                      "&videokeyframeinterval=10&overview=0&Axis-Orig-Sw=true&audio=0&camera=1")
    s.start()
    t.match("a=framerate:10", s.sdp)
    keys = []
    for i in range(32):
        _, unit = s.unit()
        if 5 in pictures.kinds(unit):
            keys.append(i)
    t.equal({b - a for a, b in zip(keys, keys[1:])}, {10}, "videokeyframeinterval")
    for query, status in (("videocodec=h266", 400), ("resolution=5x5", 400), ("fps=-1", 400),
                          ("camera=9", 404), ("videokeyframeinterval=0", 400),
                          ("compression=101", 400)):
        r = c.rtsp_client("/axis-media/media.amp?" + query).describe()
        t.check(r.status in (status, 404, 415), query, r)


def test_rtsp_fps(t):
    """A lower rate: the first picture at once, then each step exactly, whenever the viewer
    comes; in simulated time, where no picture is lost to a busy machine."""
    c = t.camera(clock="sim", source="virtual:320x180@30")
    c.setup(users=False)
    other = c.rtsp_client("/axis-media/media.amp")
    with c.ticking():
        other.start()
    for late in range(3):
        c.advance((1 + late) * vedette.TICK)
        other.drain(0.05)
        # a stream of its own each time
        s = c.rtsp_client(f"/axis-media/media.amp?fps=10&compression={30 + late}")
        with c.ticking():
            s.start()
        t.match("a=framerate:10", s.sdp)
        c.advance(1.5)
        units = [s.unit() for _ in range(12)]
        serials = [pictures.sei_stamp(u)["serial"] for _, u in units]
        t.equal({b - a for a, b in zip(serials, serials[1:])}, {3}, f"{serials}")
        for (a, _), (b, _) in zip(units, units[1:]):
            t.near((b - a) & 0xffffffff, 9000, 1)
        s.close()


def test_E5_maximum_bitrate(t):
    c = t.shared()
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360&videobitratemode=mbr"
                      "&videomaxbitrate=500&compression=10")
    s.start()
    total, n = 0, 0
    c.ptz_command("continuouspantiltmove=8,0")
    when0 = None
    while n < 120:
        when, unit = s.unit()
        n += 1
        if n > 60:
            when0 = when0 or when
            total += sum(map(len, unit))
    c.ptz_command("move=stop")
    kbps = total * 8 / 1000 / (((when - when0) & 0xffffffff) / 90000)
    t.check(kbps < 700, f"{kbps:.0f} kbit/s with a maximum of 500")


def test_slow_viewer_harms_nobody(t):
    """A viewer that does not read loses whole pictures; the other loses none. On the release build: it takes some
    megabytes of pictures until all buffers are full."""
    c = t.camera(build="release", clock="sim", source="virtual:1280x720@30").setup(users=False)
    path = "/axis-media/media.amp?resolution=1280x720&compression=0"
    slow, good = c.rtsp_client(path), c.rtsp_client(path)
    with c.ticking():
        slow.start(), good.start()
    slow.conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    # Until more has come than all buffers between the camera and a viewer hold.
    seen, size = 0, 0
    while size < 6 << 20:
        c.advance(vedette.TICK)
        size += sum(map(len, good.unit()[1]))
        seen += 1
    t.equal(good.holes, 0, "packets that the good viewer lost")
    # It reads on: what lay in the sockets, then a gap, then whole pictures from a key picture.
    after = None
    try:
        with c.ticking():
            while after is None:
                before = slow.holes
                _, unit = slow.unit()
                if slow.holes > before:
                    after = pictures.kinds(unit)
    except (web.Closed, ConnectionError):
        after = "closed"  # it did not read for too long
    t.check(after == "closed" or 5 in after, f"after the gap comes no key picture: {after}")
    t.check(seen > 20, seen)


def test_E7_joining_a_long_group(t):
    """Who joins in the middle of a group of 300 pictures has his first picture as soon as who joins at its start, with the
    next picture at the latest: the newest key while it is young, else a new one. How old it was is told."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    path = "/axis-media/media.amp?resolution=320x180&videokeyframeinterval=300"
    first, bystander = c.rtsp_client(path), c.rtsp_client(path)
    keys, last = [], 0
    with c.ticking():
        first.start()
        keys.append(first.unit()[0])

    def since_key():
        nonlocal last
        while first.conn.buf or first.queue or first.conn.readable(0.5):
            last, nals = first.unit()
            if 5 in pictures.kinds(nals):
                keys.append(last)
        return ((last - keys[-1]) & 0xffffffff) / 90000

    def join():
        """(pictures until the first one came, its age by streamstatus in ms)"""
        late, steps = c.rtsp_client(path), 0
        t.equal((late.describe().status, late.setup().status), (200, 200))
        late.send("PLAY")
        for _ in range(2):  # once others are answered the camera has heard it
            bystander.call("OPTIONS")
        while not late.conn.readable(1) and steps < 100:
            c.advance(1 / 30)
            steps += 1
        t.equal(late.reply().status, 200)
        _, nals = late.unit()
        t.equal(nals[0][0] & 31, 7, "it begins with parameter sets and a key picture")
        port = late.conn.sock.getsockname()[1]
        r = c.admin.json("/axis-cgi/streamstatus.cgi", "getAllStreams")["data"]["streams"]
        age, = [x["first_picture_age_ms"] for x in r if x["destination_port"] == port]
        late.close()
        return steps, age

    c.advance(10.1 - since_key() % 10)
    t.check(since_key() < 0.5, "a group has begun", keys)
    start = join()
    t.check(start[0] <= 1 and start[1] < 500, start)
    c.advance(1)
    young = join()
    t.check(young[0] <= 1 and 900 < young[1] < 1600, young)
    c.advance(4)
    t.check(4 < since_key() < 7, "in the middle of a group", keys)
    middle = join()
    t.check(middle[0] <= 2 and middle[1] < 100, middle)
    bystander.close(), first.close()
