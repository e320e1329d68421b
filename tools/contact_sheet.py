#!/usr/bin/env python3
"""The contact sheet: what the virtual camera shows of its places by day, dusk and night, in
all weathers, near and far. From the running camera in simulated time, so that the same
pictures come again.

usage: tools/contact_sheet.py FOLDER [PATTERN]   (make pictures does it for docs/pictures/place)"""
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import vedette  # noqa: E402

SIZE = "1280x720"
COLUMNS, THUMB = 4, (480, 270)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
EYE_M = 6  # the lens above the ground, in the street
TELE = 30  # the lens's longest, which VAPIX calls 9999

# Name, caption, scenario (None: as before), stage, pan, tilt, magnification, seconds to wait,
# and what is set of the camera meanwhile (ImageSource.I0.…).
# Pan may be "gate" or distances: then somebody is looked for.
STREET = [
    ("day-clear", "noon, clear", "busy-noon", {"hour": 12, "weather": "clear"}, 0, -8, 1, 41),
    ("day-cloudy", "afternoon, cloudy", None, {"hour": 16, "weather": "cloudy"}, 0, -8, 1, 8),
    ("day-overcast", "overcast", None, {"hour": 13, "weather": "overcast"}, 0, -8, 1, 8),
    ("day-fog", "fog", None, {"hour": 9, "weather": "fog"}, 0, -8, 1, 8),
    ("day-rain", "rain", None, {"hour": 14, "weather": "rain"}, 0, -8, 1, 8),
    ("day-snow", "snow", None, {"hour": 14, "weather": "snow"}, 0, -8, 1, 8),
    ("morning", "early morning", None, {"hour": 6.6, "weather": "clear"}, 0, -8, 1, 8),
    ("dusk-clear", "dusk, lamps burn", None, {"hour": 20.7, "weather": "clear"}, 0, -8, 1, 8),
    ("dusk-rain", "dusk, rain", None, {"hour": 20.4, "weather": "rain"}, -25, -7, 2, 8),
    ("night-clear", "night", "default", {"hour": 23.5, "weather": "clear"}, 0, -8, 1, 35),
    ("night-rain", "night, rain, headlights", "rain-headlights", {}, 0, -7, 1, 40),
    ("night-fog", "night, fog", None, {"hour": 23, "weather": "fog"}, 0, -7, 1.5, 8),
    ("night-snow", "night, snow", None, {"hour": 23, "weather": "snow"}, 10, -7, 1.5, 8),
    ("night-ir", "night, infrared lamp", "default",
     {"hour": 1, "weather": "clear", "lamps": "off"}, -4, -13, 2, 20,
     {"DayNight.IrCutFilter": ("no", "auto"), "Infrared.Mode": ("on", "auto")}),
    ("doorway", "5x: sun and a dark doorway", "busy-noon",
     {"hour": 11, "weather": "clear", "lamps": "auto"},
     -26, -6, 5, 45),
    ("gate", "5x: the gate", "gatekeeper", {"hour": 11, "weather": "clear"}, 8, -7, 5, 30),
    ("sign", "12x: a sign, and the car park", None, {"hour": 15}, 18.06, -4.67, 12, 4),
    ("small-sign", "30x: a sign of half a metre", None, {}, 13.31, -6.15, TELE, 2),
    ("plate", "20x: who waits at the gate", None, {}, "gate", None, 20, 2),
    ("road", "8x: far along the road", "busy-noon", {"hour": 17, "weather": "clear"},
     -70.5, -4.2, 8, 40),
    ("crossing", "3x: the crossing", None, {"hour": 17}, -8, -11, 3, 15),
    ("near", "3x: somebody near", None, {"hour": 15.5}, (7, 17), None, 3, 2),
    ("far", "12x: somebody far", None, {"hour": 10}, (30, 45), None, 12, 2),
    ("park", "the park behind", None, {"hour": 18.5}, 180, -10, 1, 6),
]
# What must be seen whole before a picture is taken, and how tall at least (in 1000 of the picture);
# None: nobody so tall may hide its middle.
SHOWS = {"night-rain": ("car", 45), "night-snow": ("car", 45), "night-ir": ("person", 100),
         "morning": ("person", 50), "doorway": (None, 400)}
HALL = [
    ("hall-day", "hall, day", "hall-rush", {"hour": 11, "weather": "clear"}, 0, -8, 1, 40),
    ("hall-overcast", "hall, overcast", None, {"hour": 13, "weather": "overcast"}, 0, -8, 1, 8),
    ("hall-zoom", "5x: turnstiles", None, {"hour": 11, "weather": "clear"}, 0, -11, 5, 6),
    ("hall-night", "hall, night", "hall-day", {"hour": 23, "weather": "clear"}, 0, -8, 1, 20),
]


def wait(c, seconds):
    """In small steps: with somebody watching, each takes a while on a slow machine."""
    while seconds > 0:
        c.advance(min(seconds, 1))
        seconds -= 1


def plate_at_gate(c):
    """Where to look for the rear plate of a car that waits at the closed gate."""
    post(c, "/vedette/stage/gate", {"gate": "close"})
    post(c, "/vedette/stage/gate", {"gate": "car"})
    for _ in range(90):
        c.advance(1)
        for m in c.admin.get("/vedette/stage").json["cast"]:
            x, y, z = m["at"]
            if m.get("plate") and m["speed"] < 0.05 and abs(x - 6.5) < 1.5 and 33 < y < 41:
                y -= 2.2  # behind the middle of the car
                return (math.degrees(math.atan2(x, y)),
                        math.degrees(math.atan2(0.7 - EYE_M, math.hypot(x, y))))
    raise AssertionError("no car comes to the gate")


def somebody(c, least_m, most_m, later):
    """A walker at that distance, and where he will be that much later."""
    for _ in range(120):
        c.advance(1)
        for m in c.admin.get("/vedette/stage").json["cast"]:
            x, y, _ = m["at"]
            way = math.radians(m["heading"])
            x, y = (x + later * m["speed"] * math.sin(way), y + later * m["speed"] * math.cos(way))
            far, pan = math.hypot(x, y), math.degrees(math.atan2(x, y))
            if m["class"] == "person" and m["speed"] > 0.5 and least_m < far < most_m and \
                    abs(pan) < 40:
                return m["id"], pan, math.degrees(math.atan2(1 - EYE_M, far))
    raise AssertionError("nobody comes")


def look(c, pan, tilt, zoom):
    c.ptz_command(f"pan={pan}&tilt={tilt}&zoom={round(1 + (zoom - 1) / 29 * 9998)}&speed=100")
    c.rest()


def look_at_somebody(c, least_m, most_m, zoom, seconds):
    """Until there is somebody whom nothing hides."""
    for _ in range(20):
        who, pan, tilt = somebody(c, least_m, most_m, seconds + 3)
        look(c, pan, tilt, zoom)
        wait(c, seconds)
        settle(c)
        if any(o["id"] == who and o["visible"] > 0.9 for o in c.truth()["objects"]):
            return
    raise AssertionError("everybody hides")


def shows(c, kind, tall):
    for o in c.truth()["objects"]:
        x, _, w, h = o["box"]
        if h * 1000 <= tall:
            continue
        if kind is None and x < 0.65 and x + w > 0.35:
            return False
        if o["class"] == kind and o["visible"] > 0.9 and 0.25 < x + w / 2 < 0.75:
            return True
    return kind is None


def await_show(c, kind, tall):
    """Until one of that class is in the middle of the picture, unhidden and tall enough; or nobody."""
    for _ in range(240):
        if shows(c, kind, tall):
            return
        c.advance(0.5)
        c.snapshot("resolution=160x90")
    raise AssertionError(f"no {kind or 'free sight'} comes into the picture")


def settle(c):
    """Two seconds in which somebody watches, so that exposure and focus have followed."""
    for _ in range(4):
        c.snapshot("resolution=160x90")
        c.advance(0.5)


def take(place, shots, folder, pattern):
    done = []
    with vedette.Camera("release", clock="sim", source=f"virtual:{place}") as c:
        c.setup(users=False)
        for name, caption, scenario, stage, pan, tilt, zoom, seconds, *rest in shots:
            settings = rest[0] if rest else {}
            for key, (value, _) in settings.items():
                c.update("ImageSource.I0." + key, value)
            if scenario:
                post(c, "/vedette/stage/scenario", {"name": scenario})
            if stage:
                post(c, "/vedette/stage", {**stage, **({"over": 0} if "weather" in stage else {})})
            stood = pan
            if isinstance(pan, tuple):
                look_at_somebody(c, *pan, zoom, seconds)
            else:
                if pan == "gate":
                    pan, tilt = plate_at_gate(c)
                look(c, pan, tilt, zoom)
                wait(c, seconds)
            if re.search(pattern, name):
                path = folder / f"{name}.jpg"
                c.position()  # its connection may have been idle too long, in simulated time
                if not isinstance(stood, tuple):
                    settle(c)
                if name in SHOWS:
                    await_show(c, *SHOWS[name])
                path.write_bytes(c.snapshot(f"resolution={SIZE}&compression=25"))
                done.append((path, caption))
            for key, (_, value) in settings.items():
                c.update("ImageSource.I0." + key, value)
    return done


def post(c, path, what):
    r = c.admin.post(path, json.dumps(what), type="application/json")
    assert r.status == 200, f"{path} {what}: {r.status} {r.text}"


def ffmpeg(*args):
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", *map(str, args)], check=True)


def sheet(pictures, to):
    """All of them on one page, with their captions."""
    w, h = THUMB
    with tempfile.TemporaryDirectory() as tmp:
        for i, (path, caption) in enumerate(pictures):
            text = pathlib.Path(tmp) / "caption"
            text.write_text(caption)
            ffmpeg("-i", path, "-vf",
                   f"scale={w}:{h}:flags=area,pad={w}:{h + 24}:0:0:0x181b1e,drawtext=fontfile={FONT}:"
                   f"textfile={text}:x=8:y={h + 5}:fontsize=14:fontcolor=0xeceff1",
                   "-frames:v", 1, f"{tmp}/{i:03}.png")
        rows = -(-len(pictures) // COLUMNS)
        ffmpeg("-framerate", 1, "-i", f"{tmp}/%03d.png", "-vf",
               f"tile={COLUMNS}x{rows}:padding=6:margin=6:color=0x101214", "-frames:v", 1,
               "-q:v", 4, to)


def make(folder, pattern=""):
    folder.mkdir(parents=True, exist_ok=True)
    pictures = take("street", STREET, folder, pattern) + take("hall", HALL, folder, pattern)
    sheet(pictures, folder / "sheet.jpg")


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]), *sys.argv[2:3])
