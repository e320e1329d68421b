"""Presets, home, limits and the home timeout, through every door (rows D2, D3, D6, B4)."""
import json

import vedette
import web

SOURCE = "virtual:street,320x180@10"  # a small sensor shows the same sooner
SHARED = {"clock": "sim"}
Z = "/axis-cgi/com/ptz.cgi"
CONFIG = "/axis-cgi/com/ptzconfig.cgi"
ON = "PTZController/PTZPresets/Channel_1"
P = "PTZ.Preset.P0.Position.P"


def config(c, client=None, **args):
    r = (client or c.admin).get(CONFIG + "?" + web.q(**args))
    assert r.status == 204, f"{args}: {r.status} {r.text}"


def presets(c, query="presetposall"):
    lines = c.admin.get(Z + "?query=" + query).text.split("\r\n")
    assert lines[0] == "Preset Positions for camera 1", lines
    return dict(l.split("=", 1) for l in lines[1:] if l)


def go(c, args):
    c.ptz_command(args)
    return c.rest()


def begin(t):
    """A camera without presets of other tests, at home."""
    c = t.shared()
    config(c, removeallserverpresets="yes")
    for name, value in (("MinPan", -180), ("MaxPan", 180), ("MinTilt", -90), ("MaxTilt", 20), ("MinZoom", 1),
                        ("MaxZoom", 9999)):
        c.update("PTZ.Limit.L1." + name, str(value))
    go(c, "continuouspantiltmove=0,0&continuouszoommove=0")
    go(c, "pan=0&tilt=0&zoom=1&speed=100")
    return c


def told(ws, topic, value):
    """The next event of this topic with this value: its source."""
    for _ in range(400):
        m = json.loads(ws.receive())
        if m.get("topic") == topic and value in m["data"].values():
            return m["source"]
    raise AssertionError(f"{topic} was not told")


def test_D3_add_go_rename_remove(t):
    c = begin(t)
    t.equal(presets(c), {"presetposno1": "Home"})
    go(c, "pan=40&tilt=-10&zoom=2500")
    config(c, setserverpresetname="Gate")
    go(c, "pan=-60&tilt=5&zoom=1")
    config(c, setserverpresetno="200")
    t.equal(presets(c), {"presetposno1": "Home", "presetposno2": "Gate", "presetposno200": "Preset 200"})
    t.match(r"^Gate:pan=40\.0000:tilt=-10\.0000:zoom=2500", presets(c, "presetposcamdata")["presetposno2"])
    j = c.admin.get(Z + "?query=presetposcamdata&format=json").json["Camera 1"]["presets"]
    t.match(r"^presetposno2=Gate:pan=40\.0000:tilt=-10\.0000:zoom=2500", j[1])
    p = go(c, "gotoserverpresetname=Gate")
    t.near(p["pan"], 40, 0.01)
    t.near(p["tilt"], -10, 0.01)
    t.near(p["zoom"], 2500, 1)
    t.near(go(c, "gotoserverpresetno=200&speed=50")["pan"], -60, 0.01)
    t.equal(go(c, "move=home&speed=100"), {"pan": 0.0, "tilt": 0.0, "zoom": 1.0})
    # Renamed, overwritten where it stands, home moved.
    config(c, renameserverpresetno="2", newname="Tor zur Straße")
    t.equal(presets(c)["presetposno2"], "Tor zur Straße")
    go(c, "pan=41&tilt=-11&zoom=100")
    config(c, setserverpresetname="Tor zur Straße", home="yes")
    t.equal(c.param("PTZ.Preset.P0.HomePosition"), "2")
    go(c, "pan=0&tilt=0")
    t.near(go(c, "move=home")["pan"], 41, 0.01)
    # Home that goes leaves a new home.
    config(c, removeserverpresetno="2")
    t.equal(presets(c)["presetposno2"], "Home 2")
    t.equal(go(c, "move=home"), {"pan": 0.0, "tilt": 0.0, "zoom": 1.0})
    config(c, removeserverpresetname="Preset 200")
    t.equal(set(presets(c)), {"presetposno1", "presetposno2"})


def test_D3_bad_input(t):
    c = begin(t)
    at = c.rest()
    for args, word in (({"setserverpresetname": 'a"b'}, "name"), ({"setserverpresetname": "x" * 96}, "bytes"),
                       ({"setserverpresetname": ""}, "name"), ({"setserverpresetno": "0"}, "1 to 256"),
                       ({"setserverpresetno": "257"}, "1 to 256"), ({"setserverpresetno": "NaN"}, "1 to 256"),
                       ({"removeserverpresetno": "77"}, "no preset 77"),
                       ({"removeserverpresetname": "Nobody"}, "Nobody"),
                       ({"renameserverpresetno": "1"}, "newname"),
                       ({"renameserverpresetno": "1", "newname": "a:b"}, "name"), ({}, "no command"),
                       ({"gotoserverpresetno": "1"}, "no command")):
        r = c.admin.get(CONFIG + "?" + web.q(**args))
        t.equal(r.status, 200, args)
        t.match("^Error:", r.text, args)
        t.check(word in r.text, args, r.text)
    for args in ("gotoserverpresetname=Nobody", "gotoserverpresetno=9", "gotoserverpresetno=1e3"):
        t.match("^Error:", c.admin.get(Z + "?" + args).text, args)
    for name, value in ((P + "1.Data", "pan=0"), (P + "1.Data", "pan=0:tilt=0:zoom=nan"), (P + "1.Data", "rm=1"),
                        (P + "1.Data", "pan=0:pan=1:tilt=0"), (P + "1.Data", "pan=0:tilt=0:"), (P + "1.Name", ""),
                        (P + "1.Image", "Root=1"), ("PTZ.Preset.P0.HomePosition", "0"),
                        ("PTZ.Preset.P0.HomePosition", "300")):
        t.check("Error" in c.update(name, value).text, name, value)
    config(c, setserverpresetname="Gate")
    t.check("Error" in c.update(P + "1.Name", "Gate").text, "two of one name")
    for client, status in ((c.anon, 401), (c.viewer, 403), (c.operator, 403), (c.ptz, 403)):
        t.equal(client.get(CONFIG + "?setserverpresetname=Mine").status, status)
    t.match("^Error: ?only administrators", c.ptz.get(Z + "?setserverpresetname=Mine").text)
    t.equal(set(presets(c).values()), {"Home", "Gate"})
    t.equal(c.position(), at, "nothing moved")


def test_D3_256(t):
    c = begin(t)
    for n in range(2, 257):
        config(c, setserverpresetno=str(n))
    t.equal(len(presets(c)), 256)
    r = c.admin.get(CONFIG + "?setserverpresetname=OneMore")
    t.match("^Error:.*256", r.text)
    t.near(go(c, "gotoserverpresetno=256")["pan"], 0, 0.01)
    config(c, removeallserverpresets="yes")
    t.equal(len(presets(c)), 1)


def test_D3_survives_a_restart_and_tells(t):
    with vedette.Camera(clock="sim", source=SOURCE) as c:
        c.setup()
        go(c, "pan=25&tilt=-20&zoom=600")
        config(c, setserverpresetname="Gate")
        c.restart()
        t.equal(presets(c), {"presetposno1": "Home", "presetposno2": "Gate"})
        ws = c.websocket("/vedette/ws")
        t.near(go(c, "gotoserverpresetname=Gate")["pan"], 25, 0.01)
        t.equal(told(ws, ON, "1"), {"PresetToken": "2"})
        go(c, "rpan=5")
        t.equal(told(ws, ON, "0"), {"PresetToken": "2"})
        # A stop on the way is no arrival.
        c.ptz_command("gotoserverpresetno=1")
        c.ptz_command("move=stop")
        c.rest()
        t.equal(c.admin.get("/vedette/ptz").json["on"], 0)


# What a preset keeps of the picture

def focus(c):
    lines = c.admin.get(Z + "?query=position").text.split("\r\n")
    return float(dict(l.split("=") for l in lines if l)["focus"])


def watch(c, pictures=4):
    """Lets the eye see so many pictures."""
    for _ in range(pictures):
        c.snapshot("resolution=320x180")
        c.advance(0.1)


def test_B4_preset_overrides_recall(t):
    c = begin(t)
    go(c, "pan=20&tilt=-5&zoom=2000")
    c.ptz_command("focus=2500")
    c.advance(3)
    r = c.admin.get("/axis-cgi/memoryzones/add.cgi?focus=current")
    t.check("index" in r.json, r.text)
    c.ptz_command("focus=7000")
    c.advance(3)
    config(c, setserverpresetname="Gate")
    t.match(r":focus=7000$", presets(c, "presetposcamdata")["presetposno2"])
    c.ptz_command("autofocus=on")
    go(c, "pan=-100&tilt=0&zoom=1")
    watch(c, 2)
    go(c, "pan=20&tilt=-5&zoom=2000")
    watch(c)
    t.near(focus(c), 2500, 3, "recalled there")
    go(c, "gotoserverpresetname=Gate")
    watch(c, 6)
    t.near(focus(c), 7000, 3, "the preset's focus, whatever recall and autofocus want")
    go(c, "rpan=0.2")  # the next move
    watch(c)
    t.near(focus(c), 2500, 3, "as recalled again")
    c.admin.get("/axis-cgi/memoryzones/remove.cgi?removeall=1")


def test_D3_own_image_settings(t):
    c = begin(t)
    s = "ImageSource.I0.Sensor."
    for name, value in (("Brightness", "70"), ("WDR", "off"), ("Exposure", "aperture"), ("Aperture", "30")):
        t.equal(c.update(s + name, value).text, "OK\n", name)
    go(c, "pan=20")
    config(c, setserverpresetname="Dark door", imagesettings="yes")
    t.check("Brightness=70" in c.param(P + "2.Image"), c.param(P + "2.Image"))
    for name, value in (("Brightness", "50"), ("WDR", "on"), ("Exposure", "auto")):
        c.update(s + name, value)
    go(c, "pan=60")
    config(c, setserverpresetname="Plain")
    t.equal(c.param(P + "3.Image"), "")

    def now():
        return [c.param(s + n) for n in ("Brightness", "WDR", "Exposure")]

    go(c, "gotoserverpresetname=Dark+door")
    t.equal(now(), ["70", "off", "aperture"])
    c.update(s + "WDR", "on")  # a user's own change stays
    go(c, "gotoserverpresetname=Plain")
    t.equal(now(), ["50", "on", "auto"])
    go(c, "gotoserverpresetname=Dark+door")
    go(c, "rpan=5")
    t.equal(now(), ["50", "on", "auto"])


def test_D3_image_settings_come_back_after_a_restart(t):
    with vedette.Camera(clock="sim", source=SOURCE) as c:
        c.setup(users=False)
        b = "ImageSource.I0.Sensor.Brightness"
        c.update(b, "70")
        config(c, setserverpresetname="Dark door", imagesettings="yes")
        c.update(b, "45")
        go(c, "gotoserverpresetname=Dark+door")
        t.equal(c.param(b), "70")
        c.kill()
        c.start()
        c.advance(0.1)
        t.equal(c.param(b), "45")
