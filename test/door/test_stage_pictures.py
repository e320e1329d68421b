"""What the stage does is seen (row J4): judged by the camera's own pictures and the truth."""
import json
import math

import pictures

STAGE = "/vedette/stage"
SIZE = "resolution=640x360"


def camera(t, place="street"):
    """One that looks at the place, with nobody in it but a man who stands there."""
    c = t.camera(clock="sim", source=f"virtual:{place},640x360@10")
    c.setup(users=False)
    for name in ("Image.I0.Text.ClockEnabled", "Image.I0.Text.DateEnabled"):
        c.update(name, "no")
    # The stage is to be seen, not how the eye gets used to it.
    c.set_param(**{"ImageSource.I0.Sensor.WDR": "off", "ImageSource.I0.Focus.Mode": "manual",
                   "ImageSource.I0.Sensor.WhiteBalance": "fixed_outdoor2"})
    r = c.admin.post(STAGE + "/scenario", json.dumps(
        {"text": "scenario still\ntitle Nobody moves\nplace street\nlength 600 s loop\nhour 12\n"
                 "weather clear 0s\nactor me man at 0 30 facing 180\nat 1 wind 0 0s\n"}),
        type="application/json")
    assert r.status == 200, r
    c.ptz_command("pan=0&tilt=-6")
    c.rest()
    c.advance(1)  # the wind has dropped
    return c


def do(c, *texts):
    r = c.admin.post(STAGE, json.dumps({"do": texts}), type="application/json")
    assert r.status == 200, r


def look(c):
    """Luma of a new picture, once the exposure has followed."""
    for _ in range(4):
        c.advance(0.5)
        c.snapshot(SIZE)
    return pictures.gray(c.snapshot(SIZE))[2]


def mean(y, rows=(0, 360)):
    part = y[rows[0] * 640:rows[1] * 640]
    return sum(part) / len(part)


def unlike(a, b):
    return sum(abs(p - q) > 25 for p, q in zip(a, b)) / len(a)


def edges(y):
    return sum(abs(y[i] - y[i + 1]) for i in range(0, len(y) - 1)) / len(y)


def man(c):
    """His box in the newest picture."""
    c.advance(0.2)
    found = [o for o in c.truth()["objects"] if o["class"] == "person"]
    assert len(found) == 1, found
    return found[0]["box"]


def test_J4_lens_is_seen(t):
    c = camera(t)
    clear = look(c)
    t.check(unlike(clear, look(c)) < 0.03, "it stands still by itself")
    for share in (0.2, 0.6):
        do(c, f"lens spray {share} 0s")
        seen = unlike(clear, look(c))  # more than that: the rest is exposed for longer
        t.check(share - 0.12 < seen < share + 0.3, "spray", share, seen)
    do(c, "lens clean", "lens cover 0.5 0s")
    y = look(c)
    t.check(mean(y, (0, 120)) < 40 < mean(y, (240, 360)), mean(y, (0, 120)), mean(y, (240, 360)))
    do(c, "lens cover 1 0s")
    y = look(c)
    t.check(edges(y) < edges(clear) / 5, "covered", edges(y), edges(clear))
    do(c, "lens clean", "lens blur 0.2 0s")
    y = look(c)
    t.check(edges(y) < edges(clear) / 3, "blurred", edges(y), edges(clear))
    t.near(mean(y), mean(clear), 15)
    do(c, "lens clean")
    t.check(unlike(clear, look(c)) < 0.03, "as it was")


def test_J4_light_and_weather_are_seen(t):
    c = camera(t)
    noon = look(c)
    do(c, "weather fog 0s")
    fog = look(c)
    t.check(edges(fog) < edges(noon) / 2, "fog", edges(fog), edges(noon))
    do(c, "weather clear 0s", "hour 0", "lamps off")
    c.advance(1)
    dark = look(c)
    do(c, "lamps on")
    c.advance(1)
    lit = look(c)
    t.check(mean(dark) < mean(noon) / 2, "night", mean(dark), mean(noon))
    bright = [sum(p > 60 for p in y) for y in (dark, lit)]
    t.check(bright[1] > bright[0] + 1000, "lamps", bright)
    do(c, "hour 12", "lamps auto")
    c.advance(1)
    t.check(unlike(noon, look(c)) < 0.05, "as it was")


def test_J4_the_hall_stays_dry(t):
    """Weather is outside: it neither falls, hangs nor lies under a roof. The stage still tells of it."""
    c = camera(t, "hall")
    do(c, "weather overcast 0s", "lamps on")
    before = look(c)
    for weather, what in (("rain", "rain"), ("snow", "snow"), ("fog", "visibility")):
        do(c, f"weather {weather} 0s")
        first = look(c)
        second = look(c)
        for rows in ((0, 120), (262, 360)):  # the street is outside, in those between
            a, b, was = (y[rows[0] * 640:rows[1] * 640] for y in (first, second, before))
            dimmer = mean(a) / mean(was)  # white streets let the exposure follow
            t.check(unlike(a, b) < 0.001, weather, "falls", rows, unlike(a, b))
            t.check(edges(a) > edges(was) * 0.8 * dimmer, weather, "veils", rows, edges(a), edges(was), dimmer)
            white = sum(x > y * dimmer + 60 for x, y in zip(a, was))
            t.check(not rows[0] or white < 20, weather, "lies inside", white)
        t.check(c.admin.get(STAGE).json["set"][what], weather)


def test_J4_mount_is_seen(t):
    """The head does not know that the camera was turned; the picture and the boxes do."""
    c = camera(t)
    before, box = look(c), man(c)
    pose = c.truth()["pose"]
    t.near(box[0] + box[2] / 2, 0.5, 0.01)
    do(c, "turn pan 10 0s")
    turned = man(c)
    shift = math.tan(math.radians(10)) / (2 * math.tan(math.radians(pose["hfov"] / 2)))
    t.near(turned[0] + turned[2] / 2, 0.5 - shift, 0.01)
    t.equal({k: c.truth()["pose"][k] for k in ("pan", "tilt", "zoom")},
            {k: pose[k] for k in ("pan", "tilt", "zoom")})
    t.check(unlike(before, look(c)) > 0.2)
    do(c, "turn pan 0 0s", "shake 2 5s")
    places = {round(man(c)[0], 3) for _ in range(6)}
    t.check(len(places) > 3 and max(places) - min(places) > 0.01, places)
    c.advance(5)
    t.near(man(c)[0], box[0], 0.001)
    do(c, "knock 8")
    c.advance(0.05)
    hit = man(c)
    c.advance(2)
    t.near(man(c)[0], box[0], 0.001)
    t.check(abs(hit[0] - box[0]) + abs(hit[1] - box[1]) > 0.0005, hit, box)
    t.check(unlike(before, look(c)) < 0.03, "as it was")
