"""com/ptz.cgi to the letter, and what the head really does (row D1)."""
import math
import os
import subprocess
import tempfile

import pictures
import vedette
import web

SHARED = {"clock": "sim"}
Z = "/axis-cgi/com/ptz.cgi"
# The virtual place: the lens, and the sign that only the longest lens reads.
EYE = (0, 0, 6.0)
SIGN = ((8.65, 36.557, 1.95), ("VISITORS", "REPORT"))


def ask(c, client=None, **args):
    return (client or c.admin).get(Z + "?" + web.q(**args))


def home(c):
    c.ptz_command("pan=0&tilt=0&zoom=1&speed=100")
    c.ptz_command("continuouspantiltmove=0,0&continuouszoommove=0")
    c.ptz_command("pan=0&tilt=0&zoom=1&speed=100")
    return c.rest()


def test_J1_ptz_queries(t):
    c = t.shared()
    home(c)
    r = ask(c, query="position")
    t.equal(r.status, 200)
    t.equal(r.get("content-type").split(";")[0], "text/plain")
    t.check(r.body.endswith(b"\r\n"))
    lines = r.text.split("\r\n")[:-1]
    names = [l.split("=")[0] for l in lines]
    t.equal(names[:3], ["pan", "tilt", "zoom"])
    t.match(r"^pan=-?\d+\.\d{4}$", lines[0])
    t.match(r"^tilt=-?\d+\.\d{4}$", lines[1])
    t.match(r"^zoom=\d+$", lines[2])
    limits = dict(l.split("=") for l in ask(c, query="limits").text.split("\r\n")[:-1])
    for k, v in (("MinPan", "-180"), ("MaxPan", "180"), ("MinTilt", "-90"), ("MaxTilt", "20"),
                 ("MinZoom", "1"), ("MaxZoom", "9999")):
        t.equal(limits.get(k), v, k)
    for k in ("MinFieldAngle", "MaxFieldAngle"):
        t.check(int(limits[k]) > 0, k)
    t.equal(ask(c, query="speed").text, "speed=100\r\n")
    t.equal(ask(c, query="mode").text, "mode=normal\r\n")
    presets = ask(c, query="presetposall").text.split("\r\n")
    t.equal(presets[0], "Preset Positions for camera 1")
    attributes = ask(c, query="attributes").text
    t.match(r"(?m)^Attributes for camera 1\r$", attributes)
    t.match(r"(?m)^maxOpticalZoomMag=30\r$", attributes)
    r = ask(c, info="1")
    t.match(r"^Available commands\r?\n:\r?\n", r.text)
    for word in ("whoami", "center", "pan=", "continuouspantiltmove", "query"):
        t.check(word in r.text, word)
    t.check(ask(c, whoami="1").text.strip())
    r = ask(c, query="position,speed")
    t.match(r"^pan=", r.text)
    t.match(r"speed=100\r\n$", r.text)


def test_J1_ptz_answers(t):
    c = t.shared()
    home(c)
    for args in ("pan=1", "move=stop", "continuouspantiltmove=0,0", "speed=100", "rpan=0",
                 "pan=0&tilt=0&zoom=1&speed=50&autofocus=on", "camera=1&move=stop", "camera=&move=stop",
                 "move=stop&timestamp=17&html=no", "&move=stop&"):
        r = c.ptz.get(Z + "?" + args)
        t.equal((r.status, r.body), (204, b""), args)
    r = c.admin.post(Z, "move=stop", type="text/plain")
    t.equal((r.status, r.body), (204, b""), "POST")
    for args in ("pan=abc", "pan=", "pan=181", "tilt=-181", "tilt=181", "zoom=0", "zoom=10000", "rpan=361",
                 "move=sideways", "speed=0", "speed=101", "query=moon", "center=1", "center=1,2,3",
                 "continuouspantiltmove=1", "continuouspantiltmove=a,b", "areazoom=1,2",
                 "camera=9&move=stop", "gotoserverpresetname=Nowhere", "gotoserverpresetno=200"):
        r = c.admin.get(Z + "?" + args)
        t.equal(r.status, 200, args)
        t.equal(r.get("content-type").split(";")[0], "text/plain", args)
        t.match("^Error:", r.text, args)
    t.equal(c.position(), c.rest(), "an error moved the head")
    for client, status in ((c.anon, 401), (c.viewer, 403), (c.operator, 403), (c.ptz, 204)):
        t.equal(client.get(Z + "?move=stop").status, status)
    home(c)


def test_D1_absolute(t):
    c = t.shared()
    for pan, tilt, zoom in ((35.5, -10.25, 5000), (-170, -89, 1), (170, 20, 9999), (0, 0, 1)):
        c.ptz_command(f"pan={pan}&tilt={tilt}&zoom={zoom}")
        p = c.rest()
        t.near(p["pan"], pan, 0.01)
        t.near(p["tilt"], tilt, 0.01)
        t.near(p["zoom"], zoom, 1)


def test_D1_relative(t):
    c = t.shared()
    home(c)
    c.ptz_command("rpan=20&rtilt=-15")
    p = c.rest()
    t.near(p["pan"], 20, 0.01)
    t.near(p["tilt"], -15, 0.01)
    c.ptz_command("rpan=-30.5&rtilt=5")
    p = c.rest()
    t.near(p["pan"], -10.5, 0.01)
    t.near(p["tilt"], -10, 0.01)
    c.ptz_command("rzoom=1000")
    t.near(c.rest()["zoom"], 1001, 2)
    c.ptz_command("rzoom=-9999")
    t.near(c.rest()["zoom"], 1, 0.5)
    # Beyond the limits of the mechanics: as far as it goes.
    c.ptz_command("rtilt=90")
    t.near(c.rest()["tilt"], 20, 0.01)
    # Round and round: pan has no stop.
    c.ptz_command("pan=170&tilt=0")
    c.rest()
    c.ptz_command("rpan=20")
    t.near(c.rest()["pan"], -170, 0.01)
    home(c)


def test_D1_continuous(t):
    c = t.shared()
    home(c)
    c.ptz_command("continuouspantiltmove=10,-5&continuouszoommove=20")
    c.advance(1)
    a = c.position()
    c.advance(1)
    b = c.position()
    t.check(0 < a["pan"] < b["pan"], a, b)
    t.check(0 > a["tilt"] > b["tilt"], a, b)
    t.check(1 < a["zoom"] < b["zoom"], a, b)
    c.ptz_command("continuouspantiltmove=0,0&continuouszoommove=0")
    p = c.rest()
    t.near(p["pan"], b["pan"], 5)
    c.advance(2)
    t.equal(c.position(), p, "stands")
    c.ptz_command("continuouspantiltmove=300,0")  # clamped, as clients expect
    c.advance(0.5)
    c.ptz_command("move=stop")
    c.rest()
    # Tilt ends at its stop and stays there.
    c.ptz_command("continuouspantiltmove=0,100")
    c.advance(3)
    t.near(c.position()["tilt"], 20, 0.01)
    c.ptz_command("continuouspantiltmove=0,0")
    home(c)


def test_D1_speed(t):
    c = t.shared()
    took = {}
    for speed in (100, 10):
        home(c)
        c.ptz_command(f"pan=90&speed={speed}")
        n = 0
        while abs(c.position()["pan"] - 90) > 0.01:
            c.advance(0.05)
            n += 1
            t.check(n < 600, speed)
        took[speed] = n * 0.05
    t.check(took[100] < 1.5, f"90° at full speed took {took[100]} s")
    t.check(took[10] > 3 * took[100], took)
    home(c)


def test_D1_move_words(t):
    c = t.shared()
    signs = {"up": (0, 1), "down": (0, -1), "left": (-1, 0), "right": (1, 0), "upleft": (-1, 1),
             "upright": (1, 1), "downleft": (-1, -1), "downright": (1, -1)}
    for word, (pan, tilt) in signs.items():
        c.ptz_command("pan=0&tilt=-30&zoom=1")
        c.rest()
        c.ptz_command("move=" + word)
        p = c.rest()
        for got, want in ((p["pan"], pan), (p["tilt"] + 30, tilt)):
            t.check(abs(got) < 0.01 if not want else got * want > 1, word, p)
    c.ptz_command("move=home")
    first = c.rest()
    c.ptz_command("pan=50&tilt=-30&zoom=400")
    c.rest()
    c.ptz_command("move=home")
    p = c.rest()
    t.equal(p, first)
    fresh = t.camera(clock="sim")
    fresh.setup(users=False)
    t.equal(p, fresh.position(), "home is where it looks when it starts")


def project(pose, hfov, pan, tilt, aspect=16 / 9):
    """Picture coordinates 0…1 of a direction, independently of the camera's code."""
    def vec(p, q):
        p, q = math.radians(p), math.radians(q)
        return (math.sin(p) * math.cos(q), math.cos(p) * math.cos(q), math.sin(q))
    d = vec(pan, tilt)
    f = vec(pose["pan"], pose["tilt"])
    r = (math.cos(math.radians(pose["pan"])), -math.sin(math.radians(pose["pan"])), 0)
    u = (r[1] * f[2] - r[2] * f[1], r[2] * f[0] - r[0] * f[2], r[0] * f[1] - r[1] * f[0])
    z = sum(a * b for a, b in zip(d, f))
    x = sum(a * b for a, b in zip(d, r)) / z
    y = sum(a * b for a, b in zip(d, u)) / z
    k = math.tan(math.radians(hfov) / 2)
    return 0.5 + x / k / 2, 0.5 - y / k * aspect / 2


def hfov(zoom_factor):
    """Of the lens: about 60° at 1x; focal length grows with the magnification."""
    return 2 * math.degrees(math.atan(math.tan(math.radians(60) / 2) / zoom_factor))


def test_D1_center_on_point(t):
    c = t.shared()
    c.ptz_command("pan=10&tilt=-20&zoom=1")
    c.rest()
    for x, y in ((0.5, 0.5), (0.9, 0.2), (0.1, 0.85)):
        c.ptz_command("pan=10&tilt=-20&zoom=1")
        c.rest()
        was = {"pan": 10, "tilt": -20}
        c.ptz_command(f"center={round(x * 1280)},{round(y * 720)}&imagewidth=1280&imageheight=720")
        p = c.rest()
        gx, gy = project(was, hfov(1), p["pan"], p["tilt"])
        t.near(gx, x, 0.02, "x")
        t.near(gy, y, 0.03, "y")
    home(c)


def test_D1_area_zoom(t):
    c = t.shared()
    home(c)
    c.ptz_command("areazoom=640,360,200&imagewidth=1280&imageheight=720")
    p = c.rest()
    t.near(p["pan"], 0, 0.05)
    # Twice as large: linear in focal length between 1x and 30x.
    t.near(p["zoom"], 1 + 1 / 29 * 9998, 30)
    c.ptz_command("areazoom=320,360,100&imagewidth=1280&imageheight=720")
    q = c.rest()
    t.near(q["zoom"], p["zoom"], 30)
    t.check(q["pan"] < -3, q)
    c.ptz_command("areazoom=640,360,50&imagewidth=1280&imageheight=720")
    t.near(c.rest()["zoom"], 1, 30)
    home(c)


def test_D1_picture_agrees_at_rest(t):
    """At rest query=position and the picture's own pose agree within 0.01°."""
    c = t.camera(clock="sim")  # nobody watches yet: the long way costs nothing
    c.setup(users=False)
    for pan, tilt, zoom in ((12.34, -5.67, 3000), (-40.5, -60, 2800), (180, 20, 2700)):
        c.ptz_command(f"pan={pan}&tilt={tilt}&zoom={zoom}")
        p = c.rest()
        c.advance(2 * vedette.TICK)
        s = vedette.stamp(c.snapshot("resolution=640x360"))["pose"]
        t.near((s["pan"] - p["pan"] + 180) % 360 - 180, 0, 0.01, "pan")
        t.near(s["tilt"], p["tilt"], 0.01, "tilt")
        t.near(1 + (s["zoom"] - 1) / 29 * 9998, p["zoom"], 2, "zoom")


def test_D1_picture_follows_within_two_frames(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360")
    with c.ticking():
        s.start()
        s.unit()
    # What is still on the wire belongs to the time before the command.
    before = drain(s)
    c.advance(vedette.TICK)
    before += drain(s)
    t.near(before[-1]["pose"]["pan"], 0, 1e-6)
    c.ptz_command("pan=90&speed=100")
    after = []
    for _ in range(2):
        c.advance(vedette.TICK)
        after += drain(s)
    t.check(len(after) == 2, after)
    t.check(abs(after[-1]["pose"]["pan"]) > 0.01, "the second frame still looks where it was", after)
    # While moving, the truth at the frame's serial is the frame's pose.
    n = 0
    for _ in range(8):
        c.advance(vedette.TICK)
        for x in drain(s):
            truth = c.truth(serial=x["serial"])
            t.equal(truth["serial"], x["serial"])
            for axis in ("pan", "tilt", "zoom"):
                t.near(truth["pose"][axis], x["pose"][axis], 0.01, axis)
            n += 1
    t.check(n >= 7, f"{n} frames in 8 ticks")


def drain(s):
    """Stamps of all pictures that are on the wire now."""
    found = []
    while True:
        if not s.conn.buf and not s.queue and not s.conn.readable(0.3):
            return found
        ch, data = s.data()
        if ch != 0:
            continue
        import rtsp
        p = rtsp.Packet(data)
        unit = s.units[0].push(p.payload, p.marker)
        if unit:
            found.append(pictures.sei_stamp(unit))


def read_text(jpeg):
    """What tesseract reads in the middle of the picture."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "p.png")
        subprocess.run(["ffmpeg", "-v", "error", "-i", "-", "-vf",
                        "crop=iw*0.4:ih*0.4,format=gray", path], input=jpeg, check=True, timeout=60)
        p = subprocess.run(["tesseract", path, "-", "--psm", "3"], capture_output=True, text=True,
                           timeout=60, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
        return p.stdout.upper()


def test_D1_sign_readable_only_when_zoomed(t):
    """A sign that tesseract reads at 30x and not at 1x. On the release build: its subject is the picture, at full size."""
    t.need("tesseract", "ffmpeg")
    # Where it stands in the world (metres east, north, up), and the lens.
    (x, y, z), words = SIGN
    pan = math.degrees(math.atan2(x - EYE[0], y - EYE[1]))
    tilt = math.degrees(math.atan2(z - EYE[2], math.hypot(x - EYE[0], y - EYE[1])))
    texts = {}
    for zoom in (1, 9999):
        c = t.camera(build="release", clock="sim", source="virtual")
        c.setup(users=False)
        c.ptz_command(f"pan={pan:.3f}&tilt={tilt:.3f}&zoom={zoom}")
        c.rest()
        c.snapshot("resolution=320x180")
        c.advance(0.7)  # exposure settles
        texts[zoom] = read_text(c.snapshot("resolution=1920x1080&compression=5"))
    t.check(not any(w in texts[1] for w in words), "readable at 1x", texts[1])
    t.check(all(w in texts[9999] for w in words), f"not readable at 30x: {words}", texts[9999])
