"""Overlays (rows C2 to C6): what was asked for stands where it was asked for, in its colour, and
can be read. Judged on decoded pictures; text by tesseract."""
import json
import pathlib
import struct
import subprocess
import tempfile
import zlib

import pictures
import vedette
import web

SHARED = {"clock": "sim"}
CGI = "/axis-cgi/"
DYNAMIC = CGI + "dynamicoverlay/dynamicoverlay.cgi"
W, H = 1920, 1080


def eq(t, got, want, *what):
    t.check(got == want, f"{got!r} instead of {want!r}", *what)


def call(t, c, method, cgi=DYNAMIC, client=None, **params):
    r = (client or c.admin).post(cgi, json.dumps(
        {"apiVersion": "1.0", "context": 7, "method": method, "params": params}))
    eq(t, r.status, 200, method, params)
    eq(t, (r.json["context"], r.json["method"]), (7, method))
    t.check("data" in r.json, method, params, r.json)
    return r.json["data"]


def code(c, method, cgi=DYNAMIC, client=None, **params):
    r = (client or c.admin).post(cgi, json.dumps({"apiVersion": "1.0", "method": method,
                                                  "params": params}))
    return r.json["error"]["code"] if r.status == 200 and "error" in r.json else \
        None if r.status == 200 else f"HTTP {r.status}"


def camera(t, **more):
    c = t.camera(clock="sim", **{"source": "virtual:street,1920x1080@5", **more})
    c.setup(users=False)
    for k in ("ClockEnabled", "DateEnabled"):
        eq(t, c.update("Image.I0.Text." + k, "no").text.strip(), "OK")
    look(c, 0, 20, 9000)  # the sky: nothing there looks like an overlay
    return c


def look(c, pan, tilt, zoom=1):
    c.ptz_command(f"pan={pan}&tilt={tilt}&zoom={zoom}&speed=100")
    return c.rest()


class Shot:
    """A decoded picture."""

    def __init__(self, c, size=(W, H), args="", later=0.1):
        if later:
            c.advance(later)
        jpeg = c.snapshot(f"resolution={size[0]}x{size[1]}&compression=0" + args)
        self.serial = vedette.stamp(jpeg)["serial"]
        self.w, self.h, self.data = pictures.rgb(jpeg)

    def at(self, x, y):
        i = 3 * (int(y) * self.w + int(x))
        return tuple(self.data[i:i + 3])

    def is_colour(self, x, y, colour, by=28):
        return all(abs(a - b) <= by for a, b in zip(self.at(x, y), colour))

    def box(self, colour, by=28, below=0):
        """(left, top, right, bottom) of the pixels that have a colour, or None; from a row on."""
        n, both = self.w * self.h, None
        for i, want in enumerate(colour):
            like = bytes(int(abs(v - want) <= by) for v in range(256))
            mask = int.from_bytes(self.data[i::3].translate(like), "big")
            both = mask if both is None else both & mask
        flat = both.to_bytes(n, "big")
        rows = [flat[y * self.w:(y + 1) * self.w] for y in range(self.h)]
        have = [y for y, r in enumerate(rows) if 1 in r and y >= below]
        if not have:
            return None
        return (min(rows[y].find(1) for y in have), have[0],
                max(rows[y].rfind(1) for y in have) + 1, have[-1] + 1)

    def ppm(self, box, bright=False):
        x, y, x2, y2 = box
        rows = b"".join(self.data[3 * (r * self.w + x):3 * (r * self.w + x2)]
                        for r in range(y, y2))
        if bright:  # letters as black upon white
            rows = bytes(v for i in range(0, len(rows), 3)
                         for v in (b"\0\0\0" if rows[i] + rows[i + 1] > 300 else b"\xff" * 3))
        return b"P6\n%d %d\n255\n" % (x2 - x, y2 - y) + rows

    def read(self, box, language="eng", bright=False):
        """What tesseract reads there."""
        x, y, x2, y2 = (int(v) for v in box)
        box = max(0, x), max(0, y), min(self.w, x2), min(self.h, y2)
        with tempfile.NamedTemporaryFile(suffix=".ppm") as f:
            f.write(self.ppm(box, bright))
            f.flush()
            p = subprocess.run(["tesseract", f.name, "-", "-l", language, "--psm", "6"],
                               capture_output=True, timeout=60)
        assert p.returncode == 0, p.stderr.decode()
        return p.stdout.decode().strip()


def box_of(c, t, identity):
    """In pixels of 1920 × 1080, as list tells it."""
    data = call(t, c, "list", identity=identity)
    row = (data["textOverlays"] + data["imageOverlays"])[0]
    x, y, w, h = row["box"]
    return x * W, y * H, (x + w) * W, (y + h) * H


def test_C2_text_where_and_as_asked(t):
    c = camera(t)
    magenta, yellow = (255, 0, 255), (255, 255, 0)
    one = call(t, c, "addText", camera=1, text="HELLO 123\nSecond", position="topRight",
               fontSize=60, textColor="#ffff00", textBGColor="#ff00ff", textOLColor="transparent")
    eq(t, one, {"camera": 1, "identity": 1})
    s = Shot(c)
    x, y, x2, y2 = s.box(magenta)
    t.near(x2, W, 3)
    t.near(y, 0, 3)
    told = box_of(c, t, 1)
    for a, b in zip((x, y, x2, y2), told):
        t.near(a, b, 6, "the box that list tells")
    text = s.read((x, y, x2, y2))
    t.check("HELLO 123" in text and "Second" in text, text)
    t.check(s.box(yellow, by=60), "no yellow letters")
    # dragged: its middle; turned; see-through
    call(t, c, "setText", identity=1, text="HELLO 123", position=[-0.5, 0.5])
    x, y, x2, y2 = Shot(c).box(magenta)
    t.near((x + x2) / 2, W * 0.25, 4)
    t.near((y + y2) / 2, H * 0.75, 4)
    upright = x2 - x, y2 - y
    call(t, c, "setText", identity=1, rotation=90)
    x, y, x2, y2 = Shot(c).box(magenta)
    t.near(x2 - x, upright[1], 6)
    t.near(y2 - y, upright[0], 6)
    call(t, c, "setText", identity=1, rotation=0, opacity=50, textBGColor="#000000")
    dark = Shot(c).at(W * 0.25, H * 0.75 - upright[1] / 2 + 4)
    call(t, c, "setText", identity=1, visible=False)
    bare = Shot(c).at(W * 0.25, H * 0.75 - upright[1] / 2 + 4)
    t.check(all(abs(a - b / 2) < 14 for a, b in zip(dark, bare)), dark, bare)
    # a higher one covers a lower one
    call(t, c, "setText", identity=1, visible=True, opacity=100, textBGColor="#ff00ff", zIndex=5)
    call(t, c, "addText", text="B", position=[-0.5, 0.5], fontSize=200, textBGColor="#00ffff",
         textColor="#00ffff", textOLColor="transparent")
    t.check(Shot(c).box(magenta), "covered by a lower one")
    call(t, c, "setText", identity=2, zIndex=6)
    x, y, x2, y2 = Shot(c).box((0, 255, 255))
    mine = Shot(c).box(magenta)
    t.check(mine is None or mine[0] < x or mine[2] > x2, mine)
    call(t, c, "remove", identity=2)
    # survives a restart
    c.restart()
    x, y, x2, y2 = Shot(c).box(magenta)
    t.near((x + x2) / 2, W * 0.25, 4)
    # half the size in half the picture; and the old settings' line stands beside it
    c.update("Image.I0.Text.TextEnabled", "yes")
    c.update("Image.I0.Text.String", "Old 42%%")
    half = Shot(c, (640, 360))
    small = half.box(magenta)
    t.near(small[2] - small[0], (x2 - x) / 3, 6)
    t.check("Old 42%" in half.read((0, 0, 200, 14)), half.read((0, 0, 200, 14)))


def test_C2_text_wraps_stands_and_runs(t):
    """Wrap, alignment, outline and scrolling, as seen."""
    c = camera(t)
    magenta, yellow, cyan = (255, 0, 255), (255, 255, 0), (0, 255, 255)
    words = "alpha bravo charlie delta echo foxtrot"
    call(t, c, "addText", text=words, position="topLeft", fontSize=60, textColor="#ffff00",
         textBGColor="#ff00ff", textOLColor="transparent")
    one = Shot(c).box(magenta)
    call(t, c, "setText", identity=1, wrapWidth=20)
    s = Shot(c)
    wrapped = s.box(magenta)
    t.check(wrapped[2] - wrapped[0] <= 0.2 * W + 24, "wider than asked for", wrapped)
    t.check(wrapped[3] - wrapped[1] >= 2.5 * (one[3] - one[1]), "not in lines", one, wrapped)
    eq(t, s.read(wrapped).split(), words.split())
    # a short line below a long one
    for align, share in (("left", 0), ("center", 0.5), ("right", 1)):
        call(t, c, "setText", identity=1, wrapWidth=0, text="MMMMMMMMMM\nI", align=align)
        s = Shot(c)
        x, y, x2, y2 = s.box(yellow, by=60)
        low = s.box(yellow, by=60, below=(y + y2) // 2 + 4)
        t.near((low[0] + low[2]) / 2, x + share * (x2 - x), 30, align)
    # a line around the letters, on all sides
    call(t, c, "setText", identity=1, text="O", fontSize=200, position="center", textColor="#ffff00",
         textBGColor="transparent", textOLColor="#00ffff", align="left")
    s = Shot(c)
    letter, line = s.box(yellow, by=60), s.box(cyan, by=60)
    for i, sign in enumerate((-1, -1, 1, 1)):
        t.check(0 < sign * (line[i] - letter[i]) < 40, letter, line)
    # it runs to the left, a twelfth of the picture's width a second, and to the right; on a busy
    # machine more of the five pictures a second lie between two looks
    for speed in (5, -5):
        call(t, c, "setText", identity=1, text="RUN", fontSize=60, position="top",
             textBGColor="#ff00ff", textOLColor="transparent", scrollSpeed=speed)
        seen = [(s.serial, s.box(magenta)) for s in (Shot(c, (640, 360), later=0.4) for _ in range(10))]
        steps = [(b[0] - a[0], n - m) for (m, a), (n, b) in zip(seen, seen[1:])
                 if a and b and all(0 < q[0] and q[2] < 640 for q in (a, b))]
        t.check(len(steps) >= 4, seen)
        for step, taken in steps:
            t.near(step, -speed * 640 / 60 * taken / 5, 4)


def test_C2_modifiers_and_scripts(t):
    c = camera(t)
    look(c, 37.5, -4.25)
    call(t, c, "addText", text="Pan #x tilt #y mag #Z\n%F 100%%", fontSize=48, position="topLeft",
         textBGColor="black", textColor="white")
    s = Shot(c)
    text = s.read(box_of(c, t, 1))
    t.check("+37.50" in text and "-4.25" in text and "1.0" in text, text)
    t.check("2026-06-21" in text and "100%" in text, text)
    eq(t, c.update("System.Language", "de").text, "OK\n")
    call(t, c, "setText", identity=1, text="%A %d %B")
    text = Shot(c).read(box_of(c, t, 1))
    t.check("Sonntag" in text and "Juni" in text, text)
    for language, words in (("ara", "مرحبا بالعالم"), ("chi_sim", "你好世界")):
        call(t, c, "setText", identity=1, text=words, fontSize=90)
        read = Shot(c).read(box_of(c, t, 1), language).replace(" ", "")
        t.check(words.replace(" ", "") in read, words, read)
    # each stream's own figures, and all others stay shared
    groups = call(t, c, "getOverlayModifiers", cgi=CGI + "overlaymodifiers.cgi")["groups"]
    names = {m["mod"] for g in groups.values() for m in g}
    for m in ("%c", "%f", "#x", "#z", "#p", "#P", "#L", "#b", "#D", "#TC", "#XMP", "#gv", "##"):
        t.check(m in names, m)
    t.check({"mod": "#TC", "index": True} in groups["sensor"], groups["sensor"])
    eq(t, c.admin.get(CGI + "overlaymodifiers.cgi").json["data"]["groups"], groups)


def test_C2_calls(t):
    c = t.camera(clock="sim")
    c.setup()
    caps = call(t, c, "getOverlayCapabilities")
    eq(t, (caps["minFontSize"], caps["maxFontSize"], caps["maxTextLength"]), (8, 200, 512))
    eq(t, (caps["numAvailableSlots"], caps["numberAvailbleSlots"]), (32, 32))
    eq(t, call(t, c, "getSupportedVersions"), {"apiVersions": ["1.0"]})
    backslash = "a\\n b \\ c\nd"
    eq(t, call(t, c, "addText", text=backslash), {"camera": 1, "identity": 1})
    row = call(t, c, "list")["textOverlays"][0]
    eq(t, row["text"], backslash)
    for k, v in {"fontSize": 32, "position": "topLeft", "textColor": "white", "visible": True,
                 "textBGColor": "transparent", "textOLColor": "black", "reference": "channel",
                 "rotation": 0, "scrollSpeed": 0, "zIndex": 0, "indicator": ""}.items():
        eq(t, row[k], v, k)
    t.check(len(row["size"]) == 2 and row["size"][0] > 20, row["size"])
    c.update("DynamicOverlay.O0.Text", "by parameter")
    eq(t, call(t, c, "list", identity=1)["textOverlays"][0]["text"], "by parameter")
    for params, number in (
            ({"text": "x" * 513}, 304), ({"text": 5}, 304), ({"text": "a", "camera": 99}, 301),
            ({"text": "a", "position": "middle"}, 303), ({"text": "a", "position": [1]}, 303),
            ({"text": "a", "position": [0, 1.5]}, 303), ({"text": "a", "textColor": "pink"}, 306),
            ({"text": "a", "textBGColor": "pink"}, 307), ({"text": "a", "textOLColor": 1}, 308),
            ({"text": "a", "fontSize": 201}, 309), ({"text": "a", "fontSize": "x"}, 309),
            ({"text": "a", "scrollSpeed": 21}, 310), ({"text": "a", "visible": "yes"}, 311),
            ({"text": "a", "zIndex": 1e9}, 312), ({"text": "a", "reference": "sky"}, 313),
            ({"text": "a", "ptPosition": [1]}, 314), ({"text": "a", "zoomInterval": [9, 1]}, 315),
            ({"text": "a", "indicator": "star"}, 316), ({"text": "a", "indicatorSize": -1}, 317),
            ({"text": "a", "indicatorColor": "p"}, 318), ({"text": "a", "indicatorBG": "p"}, 319),
            ({"text": "a", "indicatorOL": "p"}, 320), ({"text": "a", "rotation": 181}, 321),
            ({}, 102)):
        eq(t, code(c, "addText", **params), number, params)
    eq(t, code(c, "addImage", overlayPath="none.ovl"), 305)
    eq(t, code(c, "addImage"), 102)
    eq(t, code(c, "setText", identity=9), 302)
    eq(t, code(c, "setImage", identity=1), 302)
    eq(t, code(c, "remove"), 102)
    eq(t, code(c, "list", identity=7), 302)
    eq(t, code(c, "nothing"), 203)
    r = c.admin.post(DYNAMIC, json.dumps({"apiVersion": "9.0", "method": "list"}))
    eq(t, r.json["error"]["code"], 100)
    # what never ends: long, and full of signs that are none
    for text in ("#" * 512, "%" * 512, "#D" * 256, "%" * 511 + "\n", "##%%" * 128):
        call(t, c, "setText", identity=1, text=text)
        c.advance(0.1)
        t.check(len(c.snapshot("resolution=320x180")) > 1000, text[:8])
    bad = c.admin.post(DYNAMIC, b'{"method":"addText","params":{"text":"\xff\xfe"}}')
    t.check("error" in bad.json, bad.json)
    eq(t, len(call(t, c, "list")["textOverlays"]), 1, "nothing lost, nothing added")
    for i in range(31):
        call(t, c, "addText", text=str(i))
    eq(t, code(c, "addText", text="one more"), 300)
    # roles
    for who, status in (("viewer", 403), ("ptz", 403), ("anon", 401)):
        r = getattr(c, who).post(DYNAMIC, json.dumps({"method": "list"}))
        eq(t, r.status, status, who)
        eq(t, getattr(c, who).get(CGI + "dynamicoverlay.cgi?action=gettext").status, status, who)
    call(t, c, "remove", client=c.operator, identity=5)


def test_C2_overlays_argument(t):
    """overlays=all|text|image|application|off; what would look alike is one rendition."""
    c = camera(t)
    upload(t, c, "red.png", png(64, 64, (255, 0, 0)))
    call(t, c, "addText", text="T", fontSize=100, textColor="#ff00ff", textBGColor="#ff00ff",
         position="topLeft", textOLColor="transparent")
    call(t, c, "addImage", overlayPath="red.ovl", position="topRight")
    c.update("Image.I0.StreamingIndicator.Enabled", "yes")
    c.update("Image.I0.StreamingIndicator.BGColor", "#00ffff")
    spots = {"text": (255, 0, 255), "image": (255, 0, 0), "application": (0, 255, 255)}
    for asked in ("all", "text", "image", "application", "off"):
        s = Shot(c, args="&overlays=" + asked)
        for kind, colour in spots.items():
            eq(t, s.box(colour, by=50) is not None, asked in ("all", kind), asked, kind)


def test_C2_scene_annotation(t):
    """A text tied to a point of the scene stays on it while the camera turns."""
    c = camera(t)
    call(t, c, "addText", text="X", fontSize=30, textColor="#ff00ff", textBGColor="#ff00ff",
         textOLColor="transparent", reference="scene", ptPosition=[10, -2])
    import math
    for pan in (0, 6, 17):
        look(c, pan, -2)
        s = Shot(c)
        x, y, x2, y2 = s.box((255, 0, 255))
        hfov = c.truth()["pose"].get("hfov", 0) or 59.5
        want = W / 2 * (1 + math.tan(math.radians(10 - pan)) / math.tan(math.radians(hfov / 2)))
        t.near((x + x2) / 2, want, 14, f"pan {pan}")
        t.near((y + y2) / 2, H / 2, 6)
    look(c, 120, -2)
    eq(t, Shot(c).box((255, 0, 255)), None, "it does not lie there")


# ---- pictures ----

def png(w, h, colour, alpha=None, claim=None):
    """claim: the size that the header tells instead."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))
    pixel = bytes(colour) + (bytes([alpha]) if alpha is not None else b"")
    rows = (b"\0" + pixel * w) * h
    cw, ch = claim or (w, h)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
        ">IIBBBBB", cw, ch, 8, 6 if alpha is not None else 2, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def bmp(w, h, colour):
    stride = (3 * w + 3) // 4 * 4
    row = (bytes(reversed(colour)) * w).ljust(stride, b"\0")
    return struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + stride * h, 0, 0, 54, 40, w, h, 1, 24, 0,
                       stride * h, 0, 0, 0, 0) + row * h


def send(c, name, data, client=None, params=None, body=None):
    mark = "xx7boundary"
    part = json.dumps({"apiVersion": "1.0", "context": 7, "method": "uploadOverlayImage",
                       "params": params or {}})
    if body is None:
        body = (f"--{mark}\r\nContent-Disposition: form-data; name=\"json\"\r\n"
                f"Content-Type: application/json\r\n\r\n{part}\r\n--{mark}\r\n"
                f"Content-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n"
                "Content-Type: application/octet-stream\r\n\r\n").encode() + data + \
            f"\r\n--{mark}--\r\n".encode()
    return (client or c.admin).post(CGI + "uploadoverlayimage.cgi", body,
                                    type=f"multipart/form-data; boundary={mark}")


def upload(t, c, name, data, **params):
    r = send(c, name, data, params=params)
    eq(t, r.status, 200, r)
    t.check("data" in r.json, name, r.json)
    return r.json["data"]["path"]


def refused(t, c, name, data, number, word="", **kw):
    r = send(c, name, data, **kw)
    eq(t, r.status, 200, r)
    t.check("error" in r.json, name, r.json)
    eq(t, r.json["error"]["code"], number, name, r.json)
    t.check(word in r.json["error"]["message"], name, r.json)


MANAGE = CGI + "manageoverlayimages.cgi"
SVG = ('<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100">'
       '<rect width="200" height="100" fill="#00f"/>{}</svg>')


def test_C3_pictures_of_all_kinds(t):
    c = camera(t)
    jpeg = subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                           "color=c=0x00ff00:s=120x80:d=1", "-frames:v", "1", "-f", "mjpeg", "-"],
                          capture_output=True, check=True, timeout=60).stdout
    all_ = {"a b.png": (png(120, 80, (255, 0, 0)), (255, 0, 0), (120, 80)),
            "clear.png": (png(100, 100, (255, 0, 255), alpha=128), None, (100, 100)),
            "g.jpeg": (jpeg, (0, 255, 0), (120, 80)),
            "w.bmp": (bmp(33, 21, (255, 255, 0)), (255, 255, 0), (33, 21)),
            "s.svg": (SVG.format('<circle cx="100" cy="50" r="20" fill="url(#g)"/>').encode(),
                      (0, 0, 255), (200, 100))}
    for name, (data, colour, size) in all_.items():
        path = upload(t, c, name, data)
        eq(t, path, "/etc/overlays/" + name.split(".")[0].replace(" ", "_") + ".ovl")
        i = call(t, c, "addImage", camera=1, overlayPath=path, position=[0, 0])["identity"]
        if colour:
            x, y, x2, y2 = Shot(c).box(colour, by=40)
            t.near(x2 - x, size[0], 6, name)
            t.near(y2 - y, size[1], 6, name)
            t.near((x + x2) / 2, W / 2, 4, name)
            x, y, x2, y2 = Shot(c, (640, 360)).box(colour, by=60)
            t.near(x2 - x, size[0] / 3, 6, "scaled " + name)
            call(t, c, "setImage", identity=i, scalable=False)
            x, y, x2, y2 = Shot(c, (640, 360)).box(colour, by=60)
            t.near(x2 - x, size[0], 6, "not scaled " + name)
        else:
            over = Shot(c).at(W / 2, H / 2)
            call(t, c, "setImage", identity=i, visible=False)
            bare = Shot(c).at(W / 2, H / 2)
            want = [(a + b) / 2 for a, b in zip(bare, (255, 0, 255))]
            t.check(all(abs(a - b) < 14 for a, b in zip(over, want)), over, want)
        call(t, c, "remove", identity=i)
    files = call(t, c, "listImages", cgi=MANAGE)["files"]
    eq(t, [f["path"] for f in files], sorted(f["path"] for f in files))
    eq(t, len(files), 5)
    t.check(all(f["scaleWithResolution"] for f in files), files)
    # one colour of it becomes transparent
    upload(t, c, "key.png", png(50, 50, (0, 255, 255)), alpha="00ffff", scaleToResolution=False)
    i = call(t, c, "addImage", overlayPath="key.ovl", position=[0, 0])["identity"]
    eq(t, Shot(c).box((0, 255, 255)), None)
    eq(t, code(c, "deleteImage", cgi=MANAGE, path="/etc/overlays/key.ovl"), 1011)
    call(t, c, "remove", identity=i)
    view = c.admin.get("/vedette/overlays/picture?" + web.q(path="/etc/overlays/s.ovl"))
    eq(t, (view.status, view.body[:4]), (200, b"\x89PNG"))
    call(t, c, "deleteImage", cgi=MANAGE, path="/etc/overlays/key.ovl")
    # kept
    c.restart()
    eq(t, len(call(t, c, "listImages", cgi=MANAGE)["files"]), 5)
    call(t, c, "setDefaultImage", cgi=MANAGE, path="/etc/overlays/g.ovl")
    eq(t, call(t, c, "getDefaultImage", cgi=MANAGE), {"path": "/etc/overlays/g.ovl"})
    c.update("Image.I0.Overlay.XPos", "100")
    c.update("Image.I0.Overlay.YPos", "200")
    c.update("Image.I0.Overlay.Enabled", "yes")
    x, y, x2, y2 = Shot(c).box((0, 255, 0), by=40)
    t.near(x, 100, 4)
    t.near(y, 200, 4)
    eq(t, code(c, "deleteImage", cgi=MANAGE, path="/etc/overlays/g.ovl"), 1012)
    c.update("Image.I0.Overlay.Enabled", "no")
    eq(t, code(c, "deleteImage", cgi=MANAGE, path="/etc/overlays/g.ovl"), 1013)


def test_C3_hostile_pictures(t):
    c = t.camera(clock="sim")
    c.setup()
    good = png(16, 16, (1, 2, 3))
    upload(t, c, "good.png", good)
    refused(t, c, "good.png", good, 1010, "already")
    refused(t, c, "bomb.png", png(4, 4, (0, 0, 0), claim=(65535, 65535)), 1005, "65535 x 65535")
    refused(t, c, "bomb.bmp", bmp(8, 8, (0, 0, 0))[:18] + struct.pack("<ii", 65535, 65535)
            + bmp(8, 8, (0, 0, 0))[26:], 1005, "at most 1920 x 1080")
    refused(t, c, "bomb.svg", SVG.format("").replace('width="200"', 'width="65535"').encode(),
            1005, "at most")
    refused(t, c, "cut.png", good[:60], 1006, "damaged")
    refused(t, c, "not.png", b"hello, I am no picture", 1006, "no PNG")
    refused(t, c, "empty.png", b"", 1003)
    refused(t, c, "big.png", b"\x89PNG\r\n\x1a\n" + bytes(4 << 20), 1005, "bytes")
    for name, inside in (
            ("script", "<script>alert(1)</script>"), ("event", '<g onload="alert(1)"/>'),
            ("href", '<a href="http://192.0.2.1/x">x</a>'),
            ("image", '<image href="data:image/png;base64,AAAA"/>'),
            ("use", '<use xlink:href="other.svg#a"/>'),
            ("css", '<style>@import url(http://192.0.2.1/a.css);</style>'),
            ("url", '<rect style="fill:url(http://192.0.2.1/p.svg#a)"/>'),
            ("foreign", "<foreignObject/>"), ("js", '<a xlink:href="javascript:x"/>')):
        refused(t, c, name + ".svg", SVG.format(inside).encode(), 1006, "not allowed")
    refused(t, c, "entity.svg", b'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + SVG.format("<text>&e;</text>").encode(), 1006, "DOCTYPE")
    refused(t, c, "broken.svg", b"<svg><g></svg>", 1006)
    # bodies that are none
    for body in (b"", b"--xx7boundary", b"--xx7boundary\r\n\r\n", b"--xx7boundary\r\n" * 50,
                 b"--xx7boundary\r\nX: " + b"a" * 70000 + b"\r\n\r\n--xx7boundary--"):
        r = send(c, "", b"", body=body)
        t.check(r.status == 200 and "error" in r.json or r.status == 401, r)
    eq(t, code(c, "validateImageHeader", cgi=MANAGE, type="gif", width=1, height=1), 1006)
    eq(t, code(c, "validateImageHeader", cgi=MANAGE, type="png", width=9999, height=1), 1005)
    eq(t, code(c, "deleteImage", cgi=MANAGE, path="../params.json"), 1003)
    for who, status in (("viewer", 403), ("anon", 401)):
        eq(t, send(c, "v.png", good, client=getattr(c, who)).status, status)
    eq(t, [f["path"] for f in call(t, c, "listImages", cgi=MANAGE)["files"]],
            ["/etc/overlays/good.ovl"], "nothing lost, nothing added")
    t.check(not [p for p in pathlib.Path(c.state, "overlays").iterdir() if p.name[:4] != "good"])


def test_C3_worker_that_dies_or_hangs(t):
    """What reads pictures is killed, or never ends: an error, and the camera goes on."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    own = vedette.ROOT / vedette.BUILDS["asan"]
    for script, end in (("kill -SEGV $$", 1000), ("exec sleep 1000", 1006),
                        ("printf VDP1; exit 0", 1000), ("exit 3", 1000)):
        d = t.dir()
        d.chmod(0o755)
        # the program in a tree of its own, with another worker beside it
        for sub in ("agent", "workers"):
            (d / sub).mkdir()
        for name in ("vedetted", "agent/vedette-agent"):
            (d / name).write_bytes((own / name).read_bytes())
            (d / name).chmod(0o755)
        (d / "places").symlink_to(vedette.ROOT / "build/places")
        (d / "web").symlink_to((own / "web").resolve())
        worker = d / "workers/vedette-picture"
        worker.write_text("#!/bin/sh\n" + script + "\n")
        worker.chmod(0o755)
        c2 = vedette.Camera(clock="sim", source=vedette.SMALL, state=d / "state")
        type(c2).program.fget  # the property stays; this one has a program of its own
        c2.__class__ = type("Other", (vedette.Camera,), {"program": property(lambda _: d / "vedetted")})
        with c2:
            c2.setup(users=False)
            client = c2.client(*vedette.ADMIN)
            client.get(CGI + "usergroup.cgi")
            import threading
            got = []
            th = threading.Thread(target=lambda: got.append(
                send(c2, "x.png", png(4, 4, (0, 0, 0)), client=client)))
            th.start()
            for _ in range(60):
                th.join(0.2)
                if not th.is_alive():
                    break
                c2.advance(1)
            th.join(30)
            t.check(got, "no answer", script)
            eq(t, got[0].json["error"]["code"], end, script, got[0].json)
            eq(t, call(t, c2, "listImages", cgi=MANAGE)["files"], [])
            t.check(len(c2.snapshot("resolution=320x180")) > 1000)


def test_C4_streaming_indicator(t):
    c = camera(t, source="virtual:640x360@10")  # seconds of small pictures pass quickly
    cgi = CGI + "videostreamingindicator.cgi"
    got = call(t, c, "get", cgi=cgi)
    eq(t, (got["status"], got["isActive"]), ("off", False))
    new = call(t, c, "set", cgi=cgi, indicatorSize="H3", position="topLeft", color="#ff00ff",
               bgColor="#000000")
    call(t, c, "on", cgi=cgi)
    got = call(t, c, "get", cgi=cgi)
    eq(t, (got["status"], got["isActive"], got["indicatorSize"], got["position"]),
       ("on", True, "H3", "topLeft"))
    eq(t, {k: v for k, v in new.items() if k not in ("status", "isActive")},
       {k: v for k, v in got.items() if k not in ("status", "isActive")}, "set tells what holds")
    side = got["size"][0]
    looks = set()
    for _ in range(4):
        s = Shot(c, (640, 360))
        box = s.box((255, 0, 255), by=110)
        t.check(box and box[2] <= side + 8 and box[3] <= side + 8, box, side)
        looks.add(bytes(s.data[3 * (y * s.w + x)] // 86 for y in range(26) for x in range(26)))
        eq(t, s.at(12, 200), s.at(12, 200))
    eq(t, len(looks), 4, "it does not move")
    call(t, c, "off", cgi=cgi)
    eq(t, Shot(c, (640, 360)).box((255, 0, 255), by=90), None)
    # shown for five seconds, whether it is on or not
    eq(t, call(t, c, "show", cgi=cgi), {})
    eq(t, call(t, c, "get", cgi=cgi)["isActive"], True)
    c.advance(4.5)
    t.check(Shot(c, (640, 360)).box((255, 0, 255), by=110), "it does not show")
    c.advance(1)
    eq(t, Shot(c, (640, 360)).box((255, 0, 255), by=90), None)
    got = call(t, c, "get", cgi=cgi)
    eq(t, (got["isActive"], got["status"]), (False, "off"))
    sides = []
    for size in ("H1", "H2", "H3", "H4", "H5"):
        sides.append(call(t, c, "set", cgi=cgi, indicatorSize=size)["size"][0])
    eq(t, sides, sorted(set(sides)), "each larger than the one before")
    eq(t, [call(t, c, "set", cgi=cgi, indicatorSize=s)["size"][0] for s in ("small", "medium", "large")],
       sides[:3])
    eq(t, code(c, "set", cgi=cgi, indicatorSize="H9"), 1003)
    eq(t, code(c, "set", cgi=cgi, position=[7, 7]), 1003)


def test_C5_compass(t):
    """North was set where the camera looked: from there on bearings count, and names stand at
    theirs."""
    c = camera(t)
    for k, v in {"Enabled": "yes", "Position": "top", "Color": "#ffffff", "North": "40",
                 "Opacity": "100", "Size": "200"}.items():
        eq(t, c.update("Image.I0.OrientationAid." + k, v).text.strip(), "OK", k)
    r = c.admin.post(CGI + "param.cgi", web.q(
        action="add", group="Image.I0.OrientationAid", template="street",
        **{"Image.I0.OrientationAid.S.Name": "HARBOUR", "Image.I0.OrientationAid.S.Bearing": "30"}))
    eq(t, r.text.strip(), "S0 OK")
    strip = (0, 0, W, 128)
    for pan, word, x in ((40, "HARBOUR", W / 2 + 30 / 120 * W), (70, "HARBOUR", W / 2)):
        look(c, pan, 20, 9000)
        s = Shot(c)
        read = s.read((x - 150, 0, x + 150, 44), bright=True)
        t.check(word in read.upper(), pan, read)
        pointer = s.box((242, 51, 38), by=60)
        t.check(pointer and abs((pointer[0] + pointer[2]) / 2 - W / 2) < 4, pointer)
    # looking to bearing 30: north's letter stands 30 degrees to the left
    read = s.read((W / 4 - 60, 78, W / 4 + 60, 126), bright=True)
    t.check("N" in read, read)
    t.equal(Shot(c, args="&overlays=off").box((242, 51, 38), by=60), None)
    c.update("Image.I0.OrientationAid.Style", "rose")
    t.check(len(c.snapshot("resolution=640x360")) > 1000)
    bad = c.update("Image.I0.OrientationAid.North", "181")
    t.check("Error" in bad.text, bad)


def test_C6_event_text_on_all_streams_at_once(t):
    """The text of a rule stands in all streams from the same picture on, and to the same."""
    c = camera(t, source="virtual:street,640x360@30")
    call(t, c, "addText", text="#D", fontSize=100, position="topLeft", textColor="#ff00ff",
         textBGColor="#ff00ff", textOLColor="transparent")
    sizes = ((640, 360), (320, 180))

    def shown():
        c.advance(0.07)
        return [Shot(c, size, later=0).is_colour(4, 3, (255, 0, 255), 60) for size in sizes]
    eq(t, shown(), [False, False])
    text = c.admin.get(CGI + "dynamicoverlay.cgi?" + web.q(
        action="settext", text="Door ürgent", duration=1.5))
    eq(t, (text.status, text.text), (200, "OK"))
    eq(t, c.admin.get(CGI + "dynamicoverlay.cgi?action=gettext").text, "Door ürgent")
    eq(t, shown(), [True, True])
    c.advance(0.7)
    eq(t, shown(), [True, True])
    c.advance(0.7)
    eq(t, shown(), [False, False])
    eq(t, c.admin.get(CGI + "dynamicoverlay.cgi?action=gettext").text, "")
    # a slot of its own, until it is set anew
    call(t, c, "setText", identity=1, text="#D16")
    c.admin.post(CGI + "dynamicoverlay.cgi", web.q(action="settext", text_index=16, text="x"))
    c.advance(1)
    eq(t, shown(), [True, True])
    c.admin.post(CGI + "dynamicoverlay.cgi", web.q(action="settext", text_index=16, text=""))
    eq(t, shown(), [False, False])
    for args in ("action=settext&text_index=17&text=x", "action=settext", "action=x",
                 "action=settext&text=x&duration=-1", "action=settext&text=x&camera=0",
                 "action=settext&text=x&text_index=0"):
        eq(t, c.admin.get(CGI + "dynamicoverlay.cgi?" + args).status, 400, args)


def test_C2_command_line(t):
    """vedettectl adds, lists and removes overlays, and says event text."""
    c = t.shared()
    program = vedette.ROOT / vedette.BUILDS[c.build] / "cli" / "vedettectl"

    def ctl(*words, code=0):
        p = subprocess.run([str(program), "-H", f"127.0.0.1:{c.http}", "-u",
                            ":".join(vedette.ADMIN), "overlay", *words], capture_output=True,
                           text=True, timeout=60)
        eq(t, p.returncode, code, words, p.stdout, p.stderr)
        return p.stdout + p.stderr

    one = ctl("text", "Gate #x", "-0.5,0.25").strip()
    listed = ctl()
    t.check("Gate #x" in listed and "-0.5,0.25" in listed, listed)
    ctl("say", "Door open", "30", "3")
    eq(t, c.admin.get(CGI + "dynamicoverlay.cgi?action=gettext&text_index=3").text, "Door open")
    t.check("upload it first" in ctl("image", "none.ovl", code=1))
    ctl("remove", one)
    eq(t, ctl(), "")
    t.check("overlay" in ctl("nonsense", code=2))
