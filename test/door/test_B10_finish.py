"""What finishing does to the picture (rows B5, B10), by the camera's own snapshots."""
import json

import pictures
from test_B_eye import Film

SIZE = "resolution=640x360"
SENSOR = "ImageSource.I0.Sensor."


def camera(t, **more):
    c = t.camera(clock="sim", source="virtual:640x360@10", **more)
    c.setup(users=False)
    for name in ("Image.I0.Text.ClockEnabled", "Image.I0.Text.DateEnabled"):
        c.update(name, "no")
    c.rest()
    return c


def look(c):
    c.advance(1)
    w, h, rgb = pictures.rgb(c.snapshot(SIZE + "&compression=0"))
    return list(zip(rgb[0::3], rgb[1::3], rgb[2::3]))


def gray(c):
    c.advance(1)
    return pictures.gray(c.snapshot(SIZE + "&compression=0"))[2]


def colour(p):
    return sum(max(v) - min(v) for v in p) / len(p)


def mean(y):
    return sum(y) / len(y)


def spread(y):
    m = mean(y)
    return (sum((v - m) ** 2 for v in y) / len(y)) ** 0.5


def detail(y):
    return sum((y[i] - y[i + 1]) ** 2 for i in range(len(y) - 1))


def test_B10_colour_level(t):
    c = camera(t)
    plain = colour(look(c))
    c.update(SENSOR + "ColorLevel", "0")
    assert colour(look(c)) < 4, "no saturation is grey"
    c.update(SENSOR + "ColorLevel", "100")
    assert colour(look(c)) > 1.4 * plain
    c.update(SENSOR + "ColorLevel", "50")
    assert abs(colour(look(c)) - plain) < 1, "back to where it was"


def test_B10_sharpness_and_local_contrast(t):
    c = camera(t)
    plain = gray(c)
    c.update(SENSOR + "Sharpness", "90")
    assert detail(gray(c)) > 1.3 * detail(plain)
    c.update(SENSOR + "Sharpness", "5")
    assert detail(gray(c)) < 0.8 * detail(plain)
    c.update(SENSOR + "Sharpness", "50")
    c.update(SENSOR + "LocalContrast", "100")
    more = gray(c)
    assert spread(more) > 1.05 * spread(plain), (spread(more), spread(plain))
    assert abs(mean(more) - mean(plain)) < 20


def test_B10_brightness_and_contrast(t):
    c = camera(t)
    plain = gray(c)
    c.update(SENSOR + "Brightness", "80")
    assert mean(gray(c)) > mean(plain) + 8
    c.update(SENSOR + "Brightness", "20")
    assert mean(gray(c)) < mean(plain) - 8
    c.update(SENSOR + "Brightness", "50")
    c.update(SENSOR + "Contrast", "10")
    assert spread(gray(c)) < 0.85 * spread(plain)
    c.update(SENSOR + "Contrast", "90")
    assert spread(gray(c)) > 1.1 * spread(plain)


def test_B10_defog(t):
    c = camera(t)
    r = c.admin.post("/vedette/stage", '{"do":["weather fog 0s"]}', type="application/json")
    assert r.status == 200, r
    hazy = gray(c)
    c.update(SENSOR + "DefogEffect", "100")
    c.update(SENSOR + "Defog", "on")
    assert spread(gray(c)) > 1.3 * spread(hazy)
    c.update(SENSOR + "Defog", "auto")
    assert spread(gray(c)) > 1.15 * spread(hazy)


def test_B10_wrong_values(t):
    c = camera(t)
    for name, value in (("ColorLevel", "101"), ("ColorLevel", "-1"), ("ColorLevel", "nan"),
                        ("Defog", "perhaps"), ("Sharpness", "")):
        r = c.admin.get(f"/axis-cgi/param.cgi?action=update&{SENSOR}{name}={value}")
        assert b"Error" in r.body, (name, value, r.body)


def test_B10_source_rotation(t):
    c = camera(t)
    c.ptz_command("pan=20&tilt=-8")
    c.rest()
    upright = gray(c)
    c.update("ImageSource.I0.SourceRotation", "180")
    turned = gray(c)[::-1]
    unlike = sum(abs(a - b) > 30 for a, b in zip(upright, turned)) / len(turned)
    assert unlike < 0.05, unlike
    # What is clicked comes to the middle, and left in the picture is left.
    c.ptz_command("center=480,180&imagewidth=640&imageheight=360")
    c.rest()
    assert c.position()["pan"] < 15, c.position()
    before = c.position()["pan"]
    c.ptz_command("rpan=-5")
    c.rest()
    assert abs(c.position()["pan"] - before - 5) < 0.05, c.position()


def test_B10_source_rotation_turns_running_streams(t):
    c = camera(t)
    c.ptz_command("pan=20&tilt=-8")
    c.rest()
    film = Film(c, SIZE + "&compression=0")
    film.run(3)
    upright = pictures.gray(film.run(1)[0])[2]
    c.update("ImageSource.I0.SourceRotation", "180")
    turned = pictures.gray(film.run(1)[0])[2][::-1]
    unlike = sum(abs(a - b) > 30 for a, b in zip(upright, turned)) / len(turned)
    t.check(unlike < 0.05, "the very next picture is turned", unlike)
    still = gray(c)[::-1]
    unlike = sum(abs(a - b) > 30 for a, b in zip(upright, still)) / len(still)
    t.check(unlike < 0.05, "and a snapshot", unlike)


def test_B10_a_turned_stream_goes_on_with_a_key_picture(t):
    c = camera(t)
    h264 = c.rtsp_client("/axis-media/media.amp?videocodec=h264&videokeyframeinterval=500")

    def keys():
        return sum(any(n[0] & 31 == 5 for n in h264.unit()[1]) for _ in range(10))

    with c.ticking():
        h264.start()
        t.equal(keys(), 1)
        t.equal(keys(), 0)
        c.update("ImageSource.I0.SourceRotation", "180")
        t.equal(keys() + keys(), 1)


def test_B10_noise_reduction_of_the_sensor(t):
    """Noise at night: what the sensor smooths itself can be taken away."""
    c = camera(t)
    c.set_param(**{SENSOR + "Exposure": "manual", SENSOR + "ManualShutter": "20000",
                   SENSOR + "ManualGain": "60", SENSOR + "WDR": "off"})
    c.update("ImageSource.I0.DayNight.IrCutFilter", "yes")
    for path, body in (("scenario", {"text": "scenario nobody\nplace street\nhour 23\n"}), ("", {"do": ["hour 23"]})):
        r = c.admin.post("/vedette/stage" + ("/" + path if path else ""), json.dumps(body),
                         type="application/json")
        assert r.status == 200, r

    def noise():
        gray(c)  # the settings hold
        first, second = gray(c), gray(c)
        return sum(abs(a - b) for a, b in zip(first, second)) / len(first)

    usual = noise()
    c.set_param(**{SENSOR + "TNF": "0", SENSOR + "SNF": "0"})
    bare = noise()
    t.check(bare > 1.6 * usual, "bare", bare, usual)
    c.update(SENSOR + "TNF", "50")
    t.check(usual < noise() < bare, "one of both")
    c.set_param(**{SENSOR + "SNF": "50", SENSOR + "NoiseReduction": "no"})
    t.near(noise() / bare, 1, 0.1, "off is none at all")


def test_B9_steadied_picture_tells_its_part(t):
    c = camera(t)
    c.ptz_command("pan=20&tilt=-8")
    c.rest()
    c.advance(0.3)
    c.snapshot(SIZE)
    plain = {o["id"]: o for o in c.truth()["objects"]}
    assert plain and all(o["viewBox"] for o in plain.values())
    c.update("ImageSource.I0.Sensor.StabilizerMargin", "50")
    c.update("ImageSource.I0.Sensor.Stabilizer", "on")
    c.advance(0.3)
    c.snapshot(SIZE)
    # The picture shows 84 % of what the sensor sees: what is left of that stands larger.
    for o in c.truth()["objects"]:
        if o["viewBox"] and 0.15 < o["box"][0] and o["box"][0] + o["box"][2] < 0.85:
            assert abs(o["viewBox"][2] - o["box"][2] / 0.84) < 0.01, o
