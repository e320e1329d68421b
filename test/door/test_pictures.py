"""Snapshots and streams of pictures: E1, E3, E7, E9's snapshot, J1, and the truth."""
import re
import threading
import time

import pictures
import vedette
import web

SHARED = {"clock": "sim"}
IMAGE = "/axis-cgi/jpg/image.cgi"


def status_of(c, target, client=None):
    """Status of a request that may have to wait for a picture."""
    client = client or c.admin
    client.get("/axis-cgi/usergroup.cgi")
    client.send("GET", target, headers=client.authorization("GET", target))
    return c.answer(client)


def test_J1_snapshot(t):
    c = t.camera(clock="sim", source="virtual").setup(users=False)
    jpeg = c.snapshot()
    t.equal(pictures.jpeg_size(jpeg), (1920, 1080))
    for args, size in (("resolution=640x360", (640, 360)), ("resolution=1280x720&camera=1", (1280, 720)),
                       ("resolution=320x180&compression=90", (320, 180)),
                       ("streamprofile=Mobile&resolution=640x360", (640, 360)),
                       ("resolution=640x360&timestamp=1&html=no", (640, 360)),
                       ("&&resolution=640x360", (640, 360))):
        t.equal(pictures.jpeg_size(c.snapshot(args)), size, args)
    r = status_of(c, "/jpg/image.jpg?resolution=320x180")
    t.equal(pictures.jpeg_size(r.body), (320, 180), "alias")
    t.equal(r.get("content-type"), "image/jpeg")
    t.equal(int(r.get("content-length")), len(r.body))
    fine, coarse = c.snapshot("resolution=640x360&compression=0"), \
        c.snapshot("resolution=640x360&compression=95")
    t.check(len(fine) > 2 * len(coarse), len(fine), len(coarse))
    w, h, y = pictures.gray(c.snapshot("resolution=640x360"))
    t.check(max(y) - min(y) > 60, "no contrast")
    t.check(60 < sum(y) / len(y) < 200, "exposure", sum(y) / len(y))


def test_J1_snapshot_refusals(t):
    c = t.shared()
    for args, word in (("resolution=7x7", "resolution"), ("resolution=99999x99999", "resolution"),
                       ("compression=101", "compression"), ("compression=-1", "compression"),
                       ("compression=x", "compression"), ("camera=two", "camera"),
                       ("rotation=45", "rotation"), ("mirror=2", "mirror")):
        r = status_of(c, IMAGE + "?" + args)
        t.equal(r.status, 400, args)
        t.match(word, r.text, "names what is wrong")
    t.equal(c.anon.get(IMAGE).status, 401)


def test_J4_stamp_is_the_truth(t):
    c = t.camera(clock="sim")
    c.setup()
    c.ptz_command("pan=25&tilt=-12&zoom=800")
    c.rest()
    for _ in range(3):
        c.advance(0.1)
        s = vedette.stamp(c.snapshot("resolution=640x360"))
        t.equal(sorted(s), ["pose", "serial", "utc"])
        truth = c.truth(serial=s["serial"])
        t.equal(truth["serial"], s["serial"])
        t.equal(truth["utc"], s["utc"])
        for axis in ("pan", "tilt", "zoom"):
            t.near(truth["pose"][axis], s["pose"][axis], 0.001, axis)
        t.equal(c.truth(time=s["utc"])["serial"], s["serial"], "by time")
    t.check(c.truth()["serial"] >= s["serial"], "the newest")
    for bad in ({"serial": "x"}, {"serial": "-1"}, {"serial": 10**9}, {"time": "never"}):
        r = c.admin.get("/vedette/stage/truth?" + web.q(**bad))
        t.check(r.status in (400, 404), bad, r)
    for client, status in ((c.anon, 401), (c.viewer, 403), (c.operator, 403)):
        t.equal(client.get("/vedette/stage/truth").status, status)


VEHICLES = ("car", "van", "bus", "truck", "motorcycle", "bicycle")


def test_J4_truth_objects(t):
    """People and vehicles come by; their boxes lie in the picture."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    seen = {}
    classes = []
    for pan in (0, 40, -40, 180) * 4:
        c.ptz_command(f"pan={pan}&tilt=-8&zoom=1&speed=100")
        c.rest()
        c.advance(3)
        c.snapshot("resolution=320x180")
        for o in c.truth()["objects"]:
            x, y, w, h = o["box"]
            t.check(0 <= x <= 1 and 0 <= y <= 1 and w >= 0 and h >= 0 and x + w <= 1.001
                    and y + h <= 1.001, o)
            t.check(0 <= o["visible"] <= 1, o)
            seen[o["id"]] = o["class"]
        classes = list(seen.values())
        if classes.count("person") >= 2 and sum(k in VEHICLES for k in classes) >= 2:
            break
    t.check(classes.count("person") >= 2 and sum(k in VEHICLES for k in classes) >= 2, classes)


def test_mjpeg_framing(t):
    c = t.shared()
    client = c.client(*vedette.ADMIN)
    client.get("/axis-cgi/usergroup.cgi")
    target = "/axis-cgi/mjpg/video.cgi?resolution=320x180&nbrofframes=5"
    with c.ticking():
        client.send("GET", target, headers=client.authorization("GET", target))
        r = client.conn.head()
        t.equal(r.status, 200)
        t.match(r'^multipart/x-mixed-replace; ?boundary=("?)myboundary\1$', r.get("content-type"))
        t.match("no-", r.get("cache-control"))
        serials = []
        for _ in range(5):
            line = client.conn.until(b"\r\n")
            if not line:
                line = client.conn.until(b"\r\n")
            t.equal(line, b"--myboundary")
            t.equal(client.conn.until(b"\r\n"), b"Content-Type: image/jpeg")
            length = client.conn.until(b"\r\n")
            t.check(length.startswith(b"Content-Length: "), length)
            t.equal(client.conn.until(b"\r\n"), b"")
            jpeg = client.conn.exactly(int(length[16:]))
            t.equal(pictures.jpeg_size(jpeg), (320, 180))
            t.equal(client.conn.exactly(2), b"\r\n", "after the picture")
            serials.append(vedette.stamp(jpeg)["serial"])
        t.equal(len(set(serials)), 5, serials)
        t.equal(serials, sorted(serials))
        t.check(client.conn.closed_within(10), "nbrofframes does not end it")
    r = status_of(c, "/mjpg/video.mjpg?resolution=320x180&nbrofframes=1")
    t.equal(r.status, 200, "alias")
    c.admin.close()


def mjpeg(c, args, n):
    """n JPEGs of one viewer. Simulated time must be running."""
    client = c.client(*vedette.ADMIN)
    client.get("/axis-cgi/usergroup.cgi")
    target = f"/axis-cgi/mjpg/video.cgi?{args}"
    client.send("GET", target, headers=client.authorization("GET", target))
    r = client.conn.head()
    assert r.status == 200, r
    found = []
    while len(found) < n:
        head = client.conn.until(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        found.append(client.conn.exactly(length))
    client.close()
    return found


def test_mjpeg_fps_and_duration(t):
    c = t.shared()
    with c.ticking():
        stamps = [vedette.stamp(j) for j in mjpeg(c, "resolution=320x180&fps=5", 6)]
    steps = [b["serial"] - a["serial"] for a, b in zip(stamps, stamps[1:])]
    t.near(sum(steps) / len(steps), 6, 1.01, f"at 5 of 30 fps {steps}")
    for bad in ("fps=-1", "fps=x", "nbrofframes=-1", "duration=x"):
        t.equal(c.admin.get("/axis-cgi/mjpg/video.cgi?" + bad).status, 400, bad)


def viewers(c):
    """(encoders, viewers) that run now, as the camera tells."""
    r = c.admin.post("/axis-cgi/streamstatus.cgi",
                     '{"apiVersion":"1.0","context":"","method":"getAllStreams"}')
    assert r.status == 200, r
    return r.json["data"]


def first_sps(s):
    while True:
        _, unit = s.unit()
        for nal in unit:
            if nal[0] & 0x1f == 7:
                return nal


def test_E3_change_affects_only_later_streams(t):
    c = t.camera(clock="sim", source="virtual:1920x1080@5")
    c.setup(users=False)
    with c.ticking():
        old = c.rtsp_client("/axis-media/media.amp")
        old.start()
        t.equal(pictures.sps_size(first_sps(old)), (1920, 1080))
        t.equal(c.update("Image.I0.Appearance.Resolution", "640x360").text.strip(), "OK")
        new = c.rtsp_client("/axis-media/media.amp")
        new.start()
        t.equal(pictures.sps_size(first_sps(new)), (640, 360))
        # The old one goes on as it was, past a key picture.
        sizes = set()
        for _ in range(70):
            _, unit = old.unit()
            sizes |= {pictures.sps_size(n) for n in unit if n[0] & 0x1f == 7}
        t.equal(sizes, {(1920, 1080)})
        # Explicit arguments override the settings; a profile lies between.
        c.close_clients()


def test_E4_profile_overrides_settings(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    r = c.admin.post("/axis-cgi/param.cgi", web.q(
        action="add", template="streamprofile", group="StreamProfile",
        **{"StreamProfile.S.Name": "tiny", "StreamProfile.S.Parameters":
           "videocodec=h264&resolution=320x180"}))
    t.match("^S\\d+ OK", r.text)
    t.equal(pictures.jpeg_size(c.snapshot("streamprofile=tiny")), (320, 180))
    t.equal(pictures.jpeg_size(c.snapshot("streamprofile=tiny&resolution=640x360")), (640, 360))


def test_E7_shared_encoders(t):
    """Equal requests get the same packets: same SSRC, same bytes."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    with c.ticking():
        a = c.rtsp_client("/axis-media/media.amp?resolution=640x360")
        b = c.rtsp_client("/axis-media/media.amp?resolution=640x360&camera=1")
        other = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
        for s in (a, b, other):
            s.start()
        units = {}
        for s in (a, b, other):
            units[s] = {}
            for _ in range(20):
                when, unit = s.unit()
                units[s][pictures.sei_stamp(unit)["serial"]] = (when, unit)
            units[s]["ssrc"] = s.packet().ssrc
        common = [k for k in units[a] if k in units[b] and k != "ssrc"]
        t.check(len(common) >= 5, "no common pictures", list(units[a]), list(units[b]))
        for k in common:
            t.equal(units[a][k], units[b][k], f"picture {k}")
        t.equal(units[a]["ssrc"], units[b]["ssrc"])
        t.check(units[other]["ssrc"] != units[a]["ssrc"])
    # Stills too: two who ask for the same during the same picture get the same bytes.


def test_E7_same_jpeg_for_all(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    with c.ticking():
        results = {}

        def watch(i):
            results[i] = {vedette.stamp(j)["serial"]: j for j in mjpeg(c, "resolution=320x180", 20)}
        threads = [threading.Thread(target=watch, args=(i,)) for i in range(3)]
        [x.start() for x in threads]
        [x.join(60) for x in threads]
    common = set(results[0]) & set(results[1]) & set(results[2])
    t.check(common, "no common picture")
    for serial in common:
        t.check(results[0][serial] == results[1][serial] == results[2][serial], serial)


def test_E7_encoder_limit(t):
    """Too many different streams: a clear refusal; the running ones go on."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    open_streams, refused = [], None
    with c.ticking():
        for i in range(12):
            s = c.rtsp_client(f"/axis-media/media.amp?resolution=320x180&compression={10 + i}")
            r = s.describe()
            if r.status != 200:
                refused = r
                break
            t.equal(s.setup().status, 200)
            t.equal(s.play().status, 200)
            open_streams.append(s)
        t.check(refused is not None, "no limit")
        t.check(refused.status in (453, 503), refused)
        t.check(len(open_streams) >= 4, len(open_streams))
        for s in open_streams:
            s.unit()
        # An equal request still gets in.
        s = c.rtsp_client("/axis-media/media.amp?resolution=320x180&compression=10")
        s.start()
        s.unit()


def whole_parts(conn):
    """The JPEGs of a multipart answer that are there in full by now."""
    import select
    while select.select([conn.sock], [], [], 0.05)[0]:
        conn.fill()
    while m := re.search(rb"Content-Length: (\d+)\r\n\r\n", conn.buf):
        end = m.end() + int(m.group(1))
        if end > len(conn.buf):
            return
        yield conn.buf[m.end():end]
        conn.buf = conn.buf[end:]


def test_determinism(t):
    """Two runs with the same seed in simulated time: the same bytes."""
    runs = []
    for _ in range(2):
        c = t.camera(clock="sim", seed=5)
        c.setup(users=False)
        c.ptz_command("continuouspantiltmove=20,-3")
        client = c.client(*vedette.ADMIN)
        client.get("/axis-cgi/usergroup.cgi")
        target = "/axis-cgi/mjpg/video.cgi?resolution=640x360"
        client.send("GET", target, headers=client.authorization("GET", target))
        t.equal(c.answer(client).status, 200)
        found = {}
        for _ in range(20):
            c.advance(vedette.TICK)
            for jpeg in whole_parts(client.conn):
                found[vedette.stamp(jpeg)["serial"]] = jpeg
        runs.append(found)
        c.stop()
    common = sorted(set(runs[0]) & set(runs[1]))
    t.check(len(common) >= 10, sorted(runs[0]), sorted(runs[1]))
    for serial in common:
        t.check(runs[0][serial] == runs[1][serial], f"picture {serial} differs",
                vedette.stamp(runs[0][serial]), vedette.stamp(runs[1][serial]))


def test_seeds_differ(t):
    found = []
    for seed in (1, 2):
        c = t.camera(clock="sim", seed=seed)
        c.setup(users=False)
        found.append(c.snapshot("resolution=320x180"))
    t.check(found[0] != found[1], "two seeds, one world")


def test_C2_overlay_text(t):
    """A text overlay changes its band of the picture, and nothing else."""
    c = t.camera(clock="sim")
    c.setup(users=False)

    def shot():
        return pictures.gray(c.snapshot("resolution=640x360&compression=0"))

    def set_all(**kw):
        for k, v in kw.items():
            t.equal(c.update("Image.I0.Text." + k, v).text.strip(), "OK", k)
    set_all(TextEnabled="no")
    w, h, plain = shot()
    set_all(TextEnabled="yes", String="Fps #r Kbps #b %F", Position="top")
    c.advance(0.2)
    _, _, with_text = shot()
    rows = [sum(abs(a - b) for a, b in zip(plain[y * w:(y + 1) * w], with_text[y * w:(y + 1) * w])) / w
            for y in range(h)]
    top, bottom = sum(rows[:h // 24]) / (h // 24), sum(rows[h // 2:]) / (h // 2)
    t.check(top > 4 * bottom and top > 3, f"top changes by {top:.1f}, bottom by {bottom:.1f}")


def test_idle_costs_nothing(t):
    """Nobody watches: the source stops, and starts again for the next who asks."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    a = vedette.stamp(c.snapshot("resolution=320x180"))["serial"]
    c.advance(20)  # the encoder lingers five seconds
    b = c.truth()["serial"]
    c.ptz_command("pan=30&speed=100")
    c.advance(20)
    x = c.truth()  # of the picture that one would get now
    t.equal(x["serial"], b + 600)
    t.near(x["pose"]["pan"], 30, 0.001)
    t.equal(c.admin.get(f"/vedette/stage/truth?serial={b + 300}").status, 404,
            "a picture was taken though nobody watches")
    s = vedette.stamp(c.snapshot("resolution=320x180"))
    t.check(s["serial"] >= x["serial"] > a, s)
    t.near(s["pose"]["pan"], 30, 0.001)


def test_file_source(t):
    """A video file as the sensor, with a digital head; broken and gone, it recovers."""
    import subprocess
    d = t.dir()
    d.chmod(0o755)
    clip = d / "clip.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc2=size=640x360:rate=25:duration=2", "-pix_fmt", "yuv420p", str(clip)],
                   check=True, timeout=120)
    clip.chmod(0o644)
    c = t.camera(source=f"file:{clip}", clock="real")
    c.setup(users=False)
    wide = c.snapshot()
    t.equal(pictures.jpeg_size(wide), (640, 360))
    t.equal(c.admin.get("/vedette/stage/truth").status, 404, "the truth is the virtual camera's")
    before = pictures.gray(c.snapshot("resolution=640x360"))[2]
    c.ptz_command("zoom=9999")
    c.rest()
    pos = c.position()
    t.check(pos["zoom"] > 1, pos)
    end = time.monotonic() + 20
    while True:
        after = pictures.gray(c.snapshot("resolution=640x360"))[2]
        diff = sum(abs(a - b) for a, b in zip(before, after)) / len(before)
        if diff > 5:
            break
        t.check(time.monotonic() < end, f"the digital head changes nothing: {diff}")
        time.sleep(0.1)
    # Streams over the end of the clip with continuous time.
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360")
    s.start()
    last, gaps = None, []
    for _ in range(90):
        when, _ = s.unit()
        if last is not None:
            gaps.append((when - last) & 0xffffffff)
        last = when
    # A busy machine loses pictures; time does not jump by the clip's two seconds, and keeps its beat.
    t.check(0 < min(gaps) and max(gaps) < 1.9 * 90000, f"gap of {max(gaps) / 90} ms", gaps)
    t.check(all(g % 3600 == 0 for g in gaps), gaps)
    s.close()


def test_file_source_missing(t):
    """No file at start: a placeholder is shown, and the picture when it comes."""
    import subprocess
    d = t.dir()
    d.chmod(0o755)
    clip = d / "late.mp4"
    c = t.camera(source=f"file:{clip}", clock="real")
    c.setup(users=False)
    first = c.snapshot("resolution=640x360") if c.admin.get(IMAGE).status == 200 else None
    t.check(first, "no placeholder picture")
    made = d / "made.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc2=size=1280x720:rate=25:duration=2", "-pix_fmt", "yuv420p", str(made)],
                   check=True, timeout=120)
    made.chmod(0o644)
    made.rename(clip)
    was = pictures.gray(first, 64, 36)[2]
    end = time.monotonic() + 15
    while time.monotonic() < end:
        now = pictures.gray(c.snapshot("resolution=640x360"), 64, 36)[2]
        if sum(abs(a - b) for a, b in zip(was, now)) / len(was) > 10:
            return
        time.sleep(0.2)
    raise AssertionError("the file came, its picture did not")
