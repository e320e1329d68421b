"""Video over HTTP: media.cgi and HTTP Live Streaming (rows E2, L2)."""
import re
import struct

import sound
import vedette

SOURCE = "virtual:street,320x180@30"  # a small sensor shows the same sooner
SHARED = {"clock": "sim"}
ARGS = "resolution=320x180&stamp=1"


def ask(c, target, client=None):
    """A request that may have to wait for pictures."""
    client = client or c.admin
    if not client.challenge:
        client.get("/axis-cgi/usergroup.cgi")
    client.send("GET", target, headers=client.authorization("GET", target))
    return c.answer(client)


def media_of(t, c, args=ARGS):
    """The address of the media playlist."""
    r = ask(c, "/hls/live.m3u8?" + args)
    t.equal((r.status, r.get("content-type")), (200, "application/vnd.apple.mpegurl"), r.text)
    t.match(r'CODECS="avc1\.[0-9A-F]{6}",RESOLUTION=320x180,FRAME-RATE=30\.000', r.text)
    return "/hls/" + r.text.split()[-1]


def boxes(data):
    """[(type, body)] of an ISO file."""
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert 8 <= size <= len(data) - at, (size, kind)
        found.append((kind.decode(), data[at + 8:at + size]))
        at += size
    return found


def start_of(data):
    """Decode time of the first fragment, in 1/90000 s."""
    traf = dict(boxes(dict(boxes(data))["moof"]))["traf"]
    return struct.unpack_from(">Q", dict(boxes(traf))["tfdt"], 4)[0]


def test_L2_hls_pieces(t):
    """Parts make up their segment, segments follow each other without a gap, each begins with
    a key picture; what was told once never changes."""
    c = t.shared()
    media = media_of(t, c)
    base = media.rpartition("/")[0] + "/"
    r = ask(c, media + "?_HLS_msn=2")
    t.equal(r.get("cache-control"), "private, max-age=12")
    listed = re.findall(r"#EXTINF:([\d.]+),\ns(\d+)\.m4s", r.text)
    t.equal([n for _, n in listed[:3]], ["0", "1", "2"])
    init = ask(c, base + "init.mp4")
    t.equal([k for k, _ in boxes(init.body)], ["ftyp", "moov"])
    t.equal(init.get("cache-control"), "private, max-age=60, immutable")
    at = None
    for duration, number in listed[:3]:
        whole = ask(c, f"{base}s{number}.m4s")
        t.equal((whole.status, whole.get("content-type")), (200, "video/mp4"))
        parts = re.findall(rf'URI="(s{number}\.\d+\.m4s)"', r.text)
        t.equal(b"".join(ask(c, base + p).body for p in parts), whole.body, number)
        kinds = [k for k, _ in boxes(whole.body)]
        t.equal(kinds, ["prft", "moof", "mdat"] * (len(kinds) // 3))
        begins = start_of(whole.body)
        t.check(at is None or abs(begins - at) <= 3, begins, at)
        at = begins + round(float(duration) * 90000)
        t.check(b"\x65" in dict(boxes(whole.body))["mdat"][:4096] and
                b'{"serial":' in whole.body, "a key picture with its stamp")
    t.equal(re.search(r"INDEPENDENT=YES", r.text.split("s0.1.m4s")[0]) is not None, True)


def test_L2_hls_blocking(t):
    """A request for what is to come waits for it, and no longer; one for what is long there
    is answered at once."""
    c = t.shared()
    media = media_of(t, c)
    ask(c, media + "?_HLS_msn=1")
    text = c.admin.get(media).text
    hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="s(\d+)\.(\d+)\.m4s"', text)
    number, part = int(hint.group(1)), int(hint.group(2))
    early = c.client(*vedette.ADMIN)
    early.get("/axis-cgi/usergroup.cgi")
    waits = c.client(*vedette.ADMIN)
    waits.get("/axis-cgi/usergroup.cgi")
    for client, target in ((waits, f"{media}?_HLS_msn={number}&_HLS_part={part}"),
                           (early, media.replace("media.m3u8", f"s{number}.{part}.m4s"))):
        client.send("GET", target, headers=client.authorization("GET", target))
    t.check(not waits.conn.readable(0.2) and not early.conn.readable(0.05), "answered too soon")
    playlist, piece = c.answer(waits), c.answer(early)
    t.match(rf'URI="s{number}\.{part}\.m4s"', playlist.text)
    t.equal([k for k, _ in boxes(piece.body)][:3], ["prft", "moof", "mdat"])
    # a part behind the last of a segment is the first of the next
    t.match(rf's{number + 1}\.0\.m4s"', ask(c, f"{media}?_HLS_msn={number}&_HLS_part=40").text)
    t.equal(c.admin.get(media + "?_HLS_msn=0&_HLS_part=1").status, 200)
    for bad in ("_HLS_msn=999", "_HLS_part=1", "_HLS_msn=x", "_HLS_msn=-1", "_HLS_msn=1&_HLS_part=x"):
        t.equal(c.admin.get(media + "?" + bad).status, 400, bad)


def test_L2_hls_delta(t):
    c = t.shared()
    media = media_of(t, c)
    for n in range(1, 14):
        ask(c, f"{media}?_HLS_msn={n}")
    r = ask(c, media + "?_HLS_msn=14&_HLS_skip=YES")
    t.match(r"#EXT-X-SKIP:SKIPPED-SEGMENTS=\d+\n", r.text)
    full = c.admin.get(media + "?_HLS_msn=14")
    skipped = int(re.search(r"SKIPPED-SEGMENTS=(\d+)", r.text).group(1))
    t.equal(full.text.count("#EXTINF"), skipped + r.text.count("#EXTINF"))
    t.check(len(r.text) < len(full.text))
    t.check(skipped > 0)


def test_L2_hls_refusals(t):
    c = t.shared()
    media = media_of(t, c)
    base = media.rpartition("/")[0] + "/"
    for target, status in ((base + "s99.m4s", 400), (base + "x.m4s", 404), (base + "s01.m4s", 404),
                           (base + "../live.m3u8", 400), ("/hls/" + "0" * 32 + "/media.m3u8", 404),
                           ("/hls/live.m3u8?videocodec=jpeg", 400), ("/hls/live.m3u8?resolution=7x7", 400),
                           ("/hls/live.m3u8?video=0", 400), ("/hls/", 404)):
        t.equal(c.admin.get(target).status, status, target)
    for target in ("/hls/live.m3u8", media, base + "init.mp4"):
        t.equal(c.anon.get(target).status, 401, target)
        t.equal(ask(c, target, c.viewer).status, 200, target)


def test_L2_hls_shared_cache(t):
    """Caches that serve others may keep video only where an administrator allows it."""
    c = t.shared()
    media = media_of(t, c)
    t.equal(c.param("Network.HLS.SharedCache"), "no")
    t.check("OK" not in c.update("Network.HLS.SharedCache", "yes", client=c.operator).text)
    t.equal(c.update("Network.HLS.SharedCache", "yes").text.strip(), "OK")
    try:
        for target, age in ((media + "?_HLS_msn=0", "12"), (media, "1"),
                            (media.replace("media.m3u8", "init.mp4"), "60, immutable")):
            t.equal(ask(c, target).get("cache-control"), f"public, max-age={age}")
    finally:
        c.update("Network.HLS.SharedCache", "no")
    t.equal(ask(c, media).get("cache-control"), "private, max-age=1")


def watchers(c):
    r = c.admin.json("/axis-cgi/streamstatus.cgi", "getAllStreams")
    return [s for s in r["data"]["streams"] if s["path"] == "/hls/live.m3u8"]


def test_L2_hls_viewers_count(t):
    """Who asks for pieces is a viewer as others: listed, within the limit of viewers, gone when it
    has asked for nothing for a while."""
    c = t.camera(clock="sim")
    c.setup()
    media = media_of(t, c)
    ask(c, media)
    one, = watchers(c)
    t.equal([one[k] for k in ("media", "mime", "user", "destination_address", "stream_protocol", "encrypted")],
            ["video", "video/x-h264", "root", "127.0.0.1", "HTTP", False])
    t.check(one["bytes"] > 200 and one["actual"]["width"] == 320, one)
    ask(c, media, c.viewer)
    t.equal(sorted(s["user"] for s in watchers(c)), ["root", "vera"])
    t.equal(c.update("Image.MaxViewers", "2").text.strip(), "OK")
    for target in (media, "/hls/live.m3u8?" + ARGS, "/hls/live.m3u8?resolution=160x90"):
        r = ask(c, target, c.operator)
        t.equal((r.status, r.get("cache-control")), (503, "no-store"), target)
        t.match("viewers", r.text)
    t.equal(ask(c, media, c.viewer).status, 200)
    t.equal(c.admin.get("/axis-cgi/mjpg/video.cgi").status, 503, "a limit for all")
    c.admin.close()
    for _ in range(16):
        c.advance(1)
        ask(c, media, c.viewer)
    t.equal([s["user"] for s in watchers(c)], ["vera"])
    t.equal(ask(c, media, c.operator).status, 200, "there is room again")


def test_L2_hls_sound(t):
    """Sound by the stream's setting: AAC among the pictures, told of in the codecs; its time goes on
    without a gap, as the pictures' does."""
    c = t.shared()
    plain = media_of(t, c)
    r = ask(c, f"/hls/live.m3u8?{ARGS}&audio=1&audiocodec=opus")
    t.match(r'CODECS="avc1\.[0-9A-F]{6},mp4a\.40\.2"', r.text)
    media = "/hls/" + r.text.split()[-1]
    t.check(media != plain, "with sound it is another one")
    base = media.rpartition("/")[0] + "/"
    text = ask(c, media + "?_HLS_msn=2").text
    t.equal(ask(c, base + "init.mp4").body.count(b"mp4a"), 1)
    whole = b"".join(ask(c, f"{base}s{n}.m4s").body for n in range(3))
    times = {1: [], 2: []}
    for kind, body in boxes(whole):
        if kind == "moof":
            traf = dict(boxes(dict(boxes(body))["traf"]))
            track, = struct.unpack_from(">I", traf["tfhd"], 4)
            times[track].append(struct.unpack_from(">Q", traf["tfdt"], 4)[0] / (90000 if track == 1 else 16000))
    for track, step in ((1, 1 / 30), (2, 1024 / 16000)):
        steps = [b - a for a, b in zip(times[track], times[track][1:])]
        t.check(len(steps) > 20 and all(abs(s - step) < 0.001 for s in steps), track, steps)
    t.check(all(a < 0.35 for a in [times[1][-1] - times[2][-1]]), times[1][-1], times[2][-1])
    parts = re.findall(r'URI="(s1\.\d+\.m4s)"', text)
    t.equal(b"".join(ask(c, base + p).body for p in parts), ask(c, base + "s1.m4s").body)
    both = [s for s in watchers(c) if s["media"] == "audio"]
    t.equal([(s["mime"], s["actual"]["codec"]) for s in both], [("audio/mpeg4-generic", "aac")])
    t.equal(c.update("Audio.A0.Enabled", "yes").text.strip(), "OK")
    try:
        t.match("mp4a", ask(c, "/hls/live.m3u8?" + ARGS).text)
        t.check("mp4a" not in ask(c, f"/hls/live.m3u8?{ARGS}&audio=0").text)
    finally:
        c.update("Audio.A0.Enabled", "no")


def clap_file(t, c, name, data):
    path = t.dir() / name
    path.write_bytes(data)
    seen, heard = sound.clap_in(path)
    t.check(abs(heard - seen) < 0.04, f"{name}: heard {1000 * (heard - seen):.1f} ms after it was seen")


def clap(t, c):
    t.equal(c.admin.post("/vedette/stage", '{"clap": true}', type="application/json").status, 200)


def test_E8_lip_sync_over_http(t):
    """A clap is seen and heard at the same time in each container, and in HLS."""
    t.need("ffmpeg", "ffprobe")
    c = t.camera(clock="sim", source="virtual:street,320x180@30").setup(users=False)
    c.admin.post("/vedette/stage/scenario", '{"name": "quiet-night"}', type="application/json")
    for args in ("container=mp4&audiocodec=aac", "container=matroska&audiocodec=aac",
                 "container=matroska&audiocodec=opus", "container=matroska&audiocodec=g711"):
        ears = c.client(*vedette.ADMIN)
        ears.get("/axis-cgi/usergroup.cgi")
        target = f"/axis-cgi/media.cgi?resolution=320x180&audio=1&nbrofframes=36&{args}"
        ears.send("GET", target, headers=ears.authorization("GET", target))
        for i in range(18):
            c.advance(vedette.TICK)
            if i == 9:
                clap(t, c)
        clap_file(t, c, re.sub(r"\W", "-", args), c.answer(ears).body)
    r = ask(c, "/hls/live.m3u8?resolution=320x180&audio=1")
    media = "/hls/" + r.text.split()[-1]
    ask(c, media + "?_HLS_msn=0")
    clap(t, c)
    text = ask(c, media + "?_HLS_msn=2").text
    base = media.rpartition("/")[0] + "/"
    names = ["init.mp4"] + re.findall(r"^s\d+\.m4s", text, re.M)
    clap_file(t, c, "hls", b"".join(ask(c, base + n).body for n in names))


def test_L2_hls_ends(t):
    """Nobody asks any more: it ends."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    media = media_of(t, c)
    ask(c, media)
    for _ in range(16):  # a second at a time: they are all painted
        c.advance(1)
    t.equal(c.admin.get(media).status, 404)
    t.check(media_of(t, c) != media, "a new one has a new name: no cache gives old bytes for it")


def test_E2_media_cgi(t):
    """MP4 and Matroska without end, from a key picture on, stamped."""
    c = t.shared()
    for args, kind, magic in (("", "video/mp4; codecs=\"avc1.", b"ftyp"),
                              ("&container=mp4&audio=1", "video/mp4; codecs=\"avc1.", b"ftyp"),
                              ("&container=matroska", "video/x-matroska", b"matroska")):
        with c.ticking():
            r = ask(c, f"/axis-cgi/media.cgi?{ARGS}&nbrofframes=20{args}")
        t.equal(r.status, 200)
        t.check(r.get("content-type").startswith(kind), r.get("content-type"))
        t.equal("mp4a.40.2" in r.get("content-type"), "audio=1" in args)
        t.check(magic in r.body[:100], r.body[:100])
        serials = [int(s) for s in re.findall(rb'{"serial":(\d+)', r.body)]
        t.equal(len(serials), 20, args)
        t.equal(serials, list(range(serials[0], serials[0] + 20)))
        c.admin.close()
    with c.ticking():
        mp4 = ask(c, f"/axis-cgi/media.cgi?{ARGS}&nbrofframes=3&videocodec=h265").body
    t.equal([k for k, _ in boxes(mp4)], ["ftyp", "moov"] + 3 * ["prft", "moof", "mdat"])
    c.admin.close()
    for args, word in (("videocodec=jpeg", "matroska"), ("container=avi", "container"),
                       ("video=0", "video"), ("resolution=7x7", "resolution")):
        r = c.admin.get("/axis-cgi/media.cgi?" + args)
        t.equal(r.status, 400, args)
        t.match(word, r.text)
    t.equal(c.anon.get("/axis-cgi/media.cgi").status, 401)
