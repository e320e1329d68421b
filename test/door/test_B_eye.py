"""What the eye does to pictures of the virtual camera (rows B1, B5 to B8, B10, B11): exposure,
flicker, day and night, range, white balance, measured in streams and snapshots."""
import json
import re

import pictures
import vedette

SIZE = "resolution=320x180&compression=0"
SENSOR = "ImageSource.I0.Sensor."
NIGHT = "ImageSource.I0.DayNight.IrCutFilter"


def camera(t, source="virtual:street,640x360@10", stage=(), **rows):
    c = t.camera(clock="sim", source=source)
    c.setup(users=False)
    for name in ("Image.I0.Text.ClockEnabled", "Image.I0.Text.DateEnabled"):
        c.update(name, "no")
    for name, value in rows.items():
        c.update(SENSOR + name, value)
    do(c, *stage)
    c.rest()
    return c


def do(c, *commands):
    if commands:
        r = c.admin.post("/vedette/stage", json.dumps({"do": list(commands)}),
                         type="application/json")
        assert r.status == 200, r


class Film:
    """A viewer that gets every picture."""

    def __init__(self, c, args=SIZE):
        self.c, self.client = c, c.client(*vedette.ADMIN)
        self.client.get("/axis-cgi/usergroup.cgi")
        target = "/axis-cgi/mjpg/video.cgi?" + args
        self.client.send("GET", target, headers=self.client.authorization("GET", target))
        assert self.client.conn.head().status == 200
        self.part()

    def part(self):
        head = self.client.conn.until(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        return self.client.conn.exactly(length)

    def run(self, pictures_, fps=10):
        """So many pictures, a tenth of a second's worth at a time."""
        found = []
        while len(found) < pictures_:
            self.c.advance(0.1)
            found += [self.part() for _ in range(fps // 10)]
        return found


def luma(jpeg):
    y = pictures.gray(jpeg)[2]
    return sum(y) / len(y)


def light(jpeg):
    """Mean linear light, roughly."""
    y = pictures.gray(jpeg)[2]
    return sum((v / 255) ** 2.2 for v in y) / len(y)


def channels(jpeg):
    rgb = pictures.rgb(jpeg)[2]
    return [sum(rgb[i::3]) / (len(rgb) // 3) for i in range(3)]


def colour(jpeg):
    rgb = pictures.rgb(jpeg)[2]
    return sum(max(v) - min(v) for v in zip(rgb[0::3], rgb[1::3], rgb[2::3])) / (len(rgb) // 3)


def snapshot(c, seconds=0.1):
    c.advance(seconds)
    return c.snapshot(SIZE)


def test_B6_exposure_settles_within_15_pictures(t):
    c = camera(t, stage=["hour 23", "lamps off"])
    c.set_param(**{NIGHT: "yes", "ImageSource.I0.Focus.Mode": "manual"})
    film = Film(c)
    film.run(25)
    dark = luma(film.run(1)[0])
    for command in ("lamps on", "hour 12"):
        do(c, command)
        seen = [luma(j) for j in film.run(45)]
        last = sum(seen[-10:]) / 10
        wrong = [i for i, v in enumerate(seen) if abs(v - last) > 6]
        t.check(not wrong or wrong[-1] < 15, f"{command}: {seen}")
        t.check(max(seen[-20:]) - min(seen[-20:]) < 3, f"{command} swings: {seen[-20:]}")
        t.check(last > dark + 10, (command, dark, last))


def test_B6_first_picture_is_exposed(t):
    """Nobody has watched for hours: whoever comes first sees a good picture."""
    c = camera(t)
    noon = luma(snapshot(c))
    do(c, "hour 20.3")
    evening = luma(snapshot(c, 1))
    do(c, "hour 12")
    t.near(luma(snapshot(c, 1)), noon, 12)
    t.check(evening > 0.5 * noon, (evening, noon))


def test_B6_level_hold_and_manual(t):
    c = camera(t)
    plain = light(snapshot(c))
    c.update(SENSOR + "ExposureValue", "25")
    t.near(light(snapshot(c)) / plain, 0.5, 0.15, "a stop less")
    c.update(SENSOR + "ExposureValue", "50")
    t.near(light(snapshot(c)) / plain, 1, 0.05)
    c.update(SENSOR + "Exposure", "hold")
    do(c, "hour 20.5")
    t.check(light(snapshot(c, 1)) < 0.3 * plain, "held: it gets dark with the scene")
    do(c, "hour 12")
    t.near(light(snapshot(c, 1)) / plain, 1, 0.05, "held: as bright as before")
    c.set_param(**{SENSOR + "Exposure": "manual", SENSOR + "ManualShutter": "250"})
    short = light(snapshot(c))
    c.update(SENSOR + "ManualShutter", "1000")
    t.check(light(snapshot(c)) > 1.8 * short)


def test_B6_a_slow_shutter_lowers_the_frame_rate(t):
    c = camera(t, source="virtual:street,320x180@30", stage=["hour 23"])
    t.equal(c.param(SENSOR + "MaxExposureTime"), "0", "as long as the frame rate allows")
    manual = {"Exposure": "manual", "ManualGain": "25", "Aperture": "100", "WDR": "off"}
    shown, film = {}, None
    for us, every in ((33333, 1), (100000, 3)):
        c.set_param(**{SENSOR + k: v for k, v in {**manual, "ManualShutter": str(us)}.items()})
        film = film or Film(c)
        seen = film.run(18, 30 // every)[9:]
        serials = [pictures.jpeg_stamp(j)["serial"] for j in seen]
        t.equal({b - a for a, b in zip(serials, serials[1:])}, {every}, us)
        shown[us] = light(seen[-1])
    t.check(shown[100000] > 1.8 * shown[33333], shown)
    # By itself it takes longer only when it may.
    c.set_param(**{SENSOR + "Exposure": "auto", SENSOR + "ExposurePriority": "0",
                   "ImageSource.I0.DayNight.IrCutFilter": "yes"})
    for us, least, most in (("0", 30, 34), ("500000", 100, 500)):
        c.update(SENSOR + "MaxExposureTime", us)
        for _ in range(5):
            c.advance(1)
        t.check(least <= eye(c)["exposureMs"] <= most, eye(c))


def test_B6_a_slow_shutter_smears_who_moves(t):
    """A van drives by: its ends are as soft as it goes while the shutter is open."""
    c = camera(t, source="virtual:street,1280x720@10", Exposure="manual", ManualGain="0", WDR="off")
    for path, body in (("scenario", {"text": "scenario nobody\nplace street\nhour 12\nweather overcast\n"}),
                       ("spawn", {"who": "van drive (-40 28.6  60 28.6) speed 5"})):
        r = c.admin.post("/vedette/stage/" + path, json.dumps(body), type="application/json")
        assert r.status == 200, r
    c.ptz_command("pan=0&tilt=-8")
    steepest, vans = {}, {}
    for us, aperture in (("2000", "100"), ("90000", "17")):  # the same light
        c.set_param(**{SENSOR + "ManualShutter": us, SENSOR + "Aperture": aperture})
        for _ in range(12 if us == "2000" else 5):  # the iris takes a while
            c.snapshot(SIZE)
            c.advance(0.5)
        jpeg = c.snapshot("resolution=1280x720&compression=0")
        van = c.truth(serial=pictures.jpeg_stamp(jpeg)["serial"])["objects"][0]
        w, h, y = pictures.gray(jpeg)
        x, top, wide, high = (v * n for v, n in zip(van["viewBox"], (w, h, w, h)))
        t.check(x > 20 and x + wide < w - 20, "in the picture", van)
        rows = range(int(top + 0.3 * high), int(top + 0.5 * high))
        mean = [sum(y[r * w + i] for r in rows) / len(rows) for i in range(w)]
        rear = int(x)
        steepest[us] = max(abs(b - a) for a, b in zip(mean[rear - 20:rear + 20], mean[rear - 19:rear + 21]))
        vans[us] = van["speed"] * wide / 5.9
    t.check(vans["90000"] * 0.09 > 8, vans)
    t.check(steepest["90000"] < 0.5 * steepest["2000"], steepest)


def test_B6_flicker_free(t):
    c = camera(t, source="virtual:hall,640x360@30", stage=["hour 23", "lamps on", "mains 50"],
               ExposurePriority="100")
    c.update(NIGHT, "yes")
    film = Film(c)
    ripple = {}
    for mode in ("shutter", "flickerfree50"):
        c.set_param(**{SENSOR + "Exposure": mode, SENSOR + "ManualShutter": "4000"})
        film.run(45, 30)
        seen = [light(j) for j in film.run(18, 30)]
        ripple[mode] = (max(seen) - min(seen)) / (max(seen) + min(seen))
    t.check(ripple["shutter"] > 0.05, ripple)
    t.check(ripple["flickerfree50"] < 0.02, ripple)


def test_B7_night_and_day(t):
    c = camera(t)
    c.update("ImageSource.I0.DayNight.ShiftLevel", "80")
    do(c, "hour 1", "lamps off")
    film = Film(c)
    film.run(80)
    night = film.run(1)[0]
    t.check(colour(night) < 2, "black and white at night")
    c.update(NIGHT, "yes")
    film.run(10)
    t.check(colour(film.run(1)[0]) >= colour(night), "by day")
    c.update(NIGHT, "auto")
    do(c, "hour 11")
    film.run(80)
    day = film.run(1)[0]
    t.check(colour(day) > 8, "colour by day")
    c.update(NIGHT, "no")
    film.run(15)
    t.check(colour(film.run(1)[0]) < 2, "the filter taken out by hand")


def test_B7_infrared_lamp(t):
    c = camera(t, stage=["hour 1", "lamps off"])
    c.update(NIGHT, "no")
    film = Film(c)
    c.update("ImageSource.I0.Infrared.Mode", "off")
    film.run(30)
    dark = light(film.run(1)[0])
    c.update("ImageSource.I0.Infrared.Mode", "auto")
    film.run(30)
    t.check(light(film.run(1)[0]) > 1.3 * dark, dark)


def contrast_to_noise(film, box):
    """Of somebody against what is beside him, in the noise of a pixel."""
    seen = [pictures.gray(j) for j in film.run(8)]
    w, h = seen[0][:2]
    x, y, bw, bh = box
    rows = range(int((y + bh * 0.25) * h), int((y + bh * 0.8) * h))

    def pixels(picture, left, right):
        columns = range(int((x + bw * left) * w), int((x + bw * right) * w))
        return [picture[2][r * w + k] for r in rows for k in columns]

    def mean(left, right):
        each = [sum(v) / len(v) for v in (pixels(p, left, right) for p in seen)]
        return sum(each) / len(each)
    pairs = [(a - b) ** 2 for one, next_ in zip(seen, seen[1:])
             for a, b in zip(pixels(one, 0.35, 0.65), pixels(next_, 0.35, 0.65))]
    noise = (sum(pairs) / len(pairs) / 2) ** 0.5
    return abs(mean(0.35, 0.65) - (mean(-0.7, -0.2) + mean(1.2, 1.7)) / 2) / noise


def test_B7_infrared_shows_who_stands_at_50_m(t):
    c = camera(t)
    r = c.admin.post("/vedette/stage/scenario", json.dumps({"text": "scenario post\nplace street\n"
                     "length 600 loop\nactor post man at 3.2 50 facing 180\n"}),
                     type="application/json")
    t.equal(r.status, 200, r.text)
    do(c, "hour 1", "lamps off", "cloud 1")
    c.set_param(**{NIGHT: "no", "ImageSource.I0.Infrared.Mode": "off"})
    c.ptz_command("pan=3.66&tilt=-6&zoom=2414&speed=100")
    c.rest()
    found = {}
    for mode in ("off", "auto"):
        c.update("ImageSource.I0.Infrared.Mode", mode)
        with c.ticking():
            film = Film(c, "resolution=640x360&compression=0")
        film.run(40)
        box = c.admin.get("/vedette/stage/truth").json["objects"][0]["box"]
        found[mode] = contrast_to_noise(film, box)
        film.client.close()
    print(f"contrast to noise {found['off']:.2f} -> {found['auto']:.2f}")
    t.check(found["off"] < 1 and found["auto"] >= 6, found)


def test_B7_leaves_are_bright_without_the_filter(t):
    """By day: what is green throws infrared back, walls and streets do not more than light."""
    c = camera(t, source="virtual:street,640x360@10", WDR="off")
    c.ptz_command("pan=180&tilt=-10")  # the park
    c.rest()
    look = {}
    for filter_ in ("yes", "no"):
        c.update(NIGHT, filter_)
        film = Film(c, "resolution=640x360&compression=0")
        film.run(25)
        look[filter_] = film.run(1)[0]
        film.client.close()
    w, h, rgb = pictures.rgb(look["yes"])
    gray = pictures.gray(look["no"])[2]
    green, other = [], []
    for i in range(0, w * h, 7):
        r, g, b = rgb[3 * i:3 * i + 3]
        if 20 < g < 150:
            (green if g > r + 12 and g > b + 20 else other).append((g / 255, gray[i] / 255))
    t.check(len(green) > 300 and len(other) > 300, len(green), len(other))
    more = [sum((b ** 2.2) for _, b in p) / sum((a ** 2.2) for a, _ in p) for p in (green, other)]
    t.check(more[0] > 1.3 * more[1], more)


def detail(jpeg):
    w, h, y = pictures.gray(jpeg)
    return sum((y[i] - y[i + 1]) ** 2 for i in range(len(y) - 1)) / len(y)


def test_B3_autofocus_within_a_second(t):
    c = camera(t, source="virtual:street,640x360@30", WhiteBalance="fixed_outdoor2")
    c.ptz_command("pan=10&tilt=-3&zoom=4000")
    film = Film(c, "resolution=640x360&compression=0")
    film.run(90, 30)
    sharp = detail(film.run(1, 30)[-1])
    for out in (5000, 9999):
        c.ptz_command(f"focus={out}")
        film.run(30, 30)
        blurred = detail(film.run(1, 30)[-1])
        t.equal(c.param("ImageSource.I0.Focus.Mode"), "manual")
        c.ptz_command("autofocus=on")
        film.run(33, 30)
        again = detail(film.run(1, 30)[-1])
        t.check(again > 0.95 * sharp, out, again, sharp)
        if out == 5000:
            t.check(blurred < 0.7 * sharp, blurred, sharp)
    still = [detail(j) for j in film.run(60, 30)]
    t.check(min(still) > 0.95 * max(still), "it does not hunt", min(still), max(still))


def test_B3_snapshots_alone_are_in_focus(t):
    """Who takes one picture now and then: the camera focuses after a move although nobody watches."""
    c = camera(t, source="virtual:street,640x360@30", WhiteBalance="fixed_outdoor2")
    size = "resolution=640x360&compression=0"
    r = c.admin.post("/vedette/stage/scenario", json.dumps({"text": "scenario nobody\nplace street\nhour 12\n"}),
                     type="application/json")
    assert r.status == 200, r

    def shots():
        for shot in (1, 2):
            c.ptz_command(f"pan={10 if shot == 1 else -30}&tilt=-3&zoom=4000")
            c.advance(4)
            yield detail(c.snapshot(size))
            c.advance(8)

    focused = list(shots())
    film = Film(c, "resolution=160x90")
    watched = []
    for pan in (10, -30):
        c.ptz_command(f"pan={pan}")
        film.run(90, 30)
        watched.append(detail(c.snapshot(size)))
    for alone, seen in zip(focused, watched):
        t.check(alone > 0.9 * seen, "as sharp as for who watches on", alone, seen)
    film.client.close()
    c.advance(70)  # nobody has wanted pictures for a minute: nothing runs
    was = eye(c)["focus"]
    c.ptz_command("pan=60&zoom=9999")
    c.advance(4)
    t.equal(eye(c)["focus"], was)


def order(c, **what):
    r = c.admin.post("/vedette/eye/order", json.dumps(what), type="application/json")
    assert r.status == 200, r
    return r.json


def eye(c):
    r = c.admin.get("/vedette/eye")
    assert r.status == 200, r
    return r.json


def test_B12_assistant_tells_by_the_led(t):
    c = camera(t, source="virtual:street,640x360@30")
    c.ptz_command("pan=10&tilt=-3&zoom=4000")
    film = Film(c)
    film.run(90, 30)
    normal, sharp = eye(c)["led"], eye(c)["focus"]
    order(c, assist=True)
    film.run(6, 30)
    t.equal(eye(c)["led"], "green", "in focus")
    t.check(eye(c)["ledBlinkHz"] > 0, "it flashes while it assists")
    order(c, focus=0.2)
    film.run(30, 30)
    t.equal(eye(c)["led"], "red", "far out of focus")
    seen = set()
    for i in range(21):
        order(c, focus=sharp - 0.2 + 0.01 * i)
        film.run(3, 30)
        seen.add(eye(c)["led"])
    t.equal(eye(c)["led"], "green", "found")
    t.check("amber" in seen, seen)
    order(c, assist=False)
    t.equal(eye(c)["led"], normal)
    t.equal(eye(c)["ledBlinkHz"], 0)


def test_B3_spot_is_the_middle(t):
    """Somebody stands in the middle."""
    c = camera(t, source="virtual:street,640x360@30")
    for path, body in (("scenario", {"text": "scenario nobody\nplace street\nhour 12\n"}),
                       ("spawn", {"who": "man at 2 22 facing 180"})):
        r = c.admin.post("/vedette/stage/" + path, json.dumps(body), type="application/json")
        assert r.status == 200, r
    film = Film(c)
    c.ptz_command("pan=5.15&tilt=-12.3&zoom=3000")
    film.run(150, 30)
    found = []
    for rows in ({"Mode": "spot"}, {"Mode": "area", "Area.Left": 4300, "Area.Right": 5700,
                                    "Area.Top": 4300, "Area.Bottom": 5700}):
        order(c, focus=0.3)
        film.run(30, 30)
        c.set_param(**{"ImageSource.I0.Focus." + k: str(v) for k, v in rows.items()})
        film.run(90, 30)
        found.append(eye(c)["focus"])
    t.near(found[0], 0.80, 0.02, "on him")
    t.near(found[0], found[1], 0.03, "as with a box there")
    t.equal(c.param("PTZ.Various.V1.AutoFocus"), "true")


def test_B4_recall_overrides_autofocus(t):
    c = camera(t, source="virtual:street,640x360@30")
    c.ptz_command("pan=10&tilt=-3&zoom=4000")
    film = Film(c)
    film.run(60, 30)
    order(c, focus=0.6)
    film.run(15, 30)
    order(c, recall="add")
    c.update("ImageSource.I0.Focus.Mode", "auto")
    film.run(9, 30)
    t.check(eye(c)["recall"] is not None)
    c.ptz_command("pan=-40")
    film.run(120, 30)
    away = eye(c)
    t.check(away["recall"] is None and abs(away["focus"] - 0.6) > 0.05, away)
    c.ptz_command("pan=10")
    film.run(120, 30)
    back = eye(c)
    t.check(back["recall"] is not None, back)
    t.near(back["focus"], 0.6, 0.001, "what was saved, not what the autofocus would choose")
    order(c, recall="remove")
    film.run(90, 30)
    t.check(abs(eye(c)["focus"] - 0.6) > 0.05, "the autofocus is back")


def ends(jpeg):
    """(share that is white, luma below which a third of the picture is)"""
    y = sorted(pictures.gray(jpeg)[2])
    return sum(v >= 253 for v in y) / len(y), y[len(y) // 3]


def test_B8_range(t):
    c = camera(t, source="virtual:hall,640x360@10", stage=["hour 12", "lamps off"])
    shown = {}
    for name, rows in (("off", {"WDR": "off"}), ("low", {"WDR": "on", "WDRLevel": "20"}),
                       ("high", {"WDR": "on", "WDRLevel": "100"})):
        c.set_param(**{SENSOR + k: v for k, v in rows.items()})
        film = Film(c)
        film.run(60)
        shown[name] = ends(film.run(1)[0])
        film.client.close()
    (white, dark), (low_white, low_dark) = shown["off"], shown["low"]
    high_white, high_dark = shown["high"]
    t.check(white > 0.01 and low_white < 0.6 * white and high_white < 0.3 * white, shown)
    t.check(high_dark >= low_dark > dark + 5, shown)


def test_B10_white_balance(t):
    c = camera(t)
    warmth = {}
    for mode in ("auto", "fixed_outdoor2", "fixed_indoor", "street_sodium"):
        c.update(SENSOR + "WhiteBalance", mode)
        r, _, b = channels(snapshot(c))
        warmth[mode] = r - b
    t.check(warmth["fixed_indoor"] < warmth["fixed_outdoor2"] - 20, warmth)
    t.check(warmth["street_sodium"] < warmth["fixed_indoor"], warmth)
    t.check(abs(warmth["auto"] - warmth["fixed_outdoor2"]) < 25, warmth)
    c.set_param(**{SENSOR + "WhiteBalance": "manual", SENSOR + "RedBalance": "50",
                   SENSOR + "BlueBalance": "50"})
    plain = channels(snapshot(c))
    c.update(SENSOR + "RedBalance", "70")
    t.check(channels(snapshot(c))[0] > plain[0] + 10)


def test_B5_scene_profile(t):
    c = camera(t)
    plain = colour(snapshot(c))
    c.update("ImageSource.I0.SceneProfile", "vivid")
    t.equal(c.param(SENSOR + "ColorLevel"), "70")
    t.check(colour(snapshot(c)) > 1.1 * plain)
    c.set_param(**{"ImageSource.I0.SceneProfile": "license_plate", SENSOR + "ColorLevel": "0"})
    t.equal(c.param(SENSOR + "ColorLevel"), "0", "what is set together with it")
    t.equal(c.param(SENSOR + "Contrast"), "65")
    c.update("ImageSource.I0.SceneProfile", "forensic")
    for name in ("ColorLevel", "Contrast", "Brightness", "Sharpness", "LocalContrast"):
        t.equal(c.param(SENSOR + name), "50", name)


def test_B1_B11_mode_and_mains_hold_from_the_next_start(t):
    c = t.camera(clock="sim", source="virtual")
    c.setup(users=False)
    c.set_param(**{"ImageSource.I0.CaptureFrequency": "60Hz", SENSOR + "CaptureMode": "6"})
    t.equal(pictures.jpeg_size(c.snapshot("resolution=1920x1080")), (1920, 1080))
    c.restart()
    sizes = c.param("Properties.Image.Resolution").split(",")
    t.equal(sizes[0], "1280x720", "the largest")
    t.equal(pictures.jpeg_size(c.snapshot("resolution=1280x720")), (1280, 720))
    c.update(SENSOR + "CaptureMode", "15")
    c.restart()
    t.equal(c.param("Properties.Image.Resolution").split(",")[0], "1920x1080", "no such mode")
