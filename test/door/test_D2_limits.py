"""Limits of pan, tilt, zoom and near focus hold at every door (row D2); home timeout (D6)."""
import json

import vedette
import web

SHARED = {"clock": "sim"}
L = "PTZ.Limit.L1."
FREE = (("MinPan", -180), ("MaxPan", 180), ("MinTilt", -90), ("MaxTilt", 20), ("MinZoom", 1), ("MaxZoom", 9999))


def free(c):
    for name, value in FREE:
        r = c.update(L + name, str(value))
        assert r.text == "OK\n", r.text


def go(c, args):
    c.ptz_command(args)
    return c.rest()


def begin(t):
    c = t.shared()
    free(c)
    go(c, "continuouspantiltmove=0,0&continuouszoommove=0")
    go(c, "pan=0&tilt=0&zoom=1&speed=100")
    return c


def ask(ws, **q):
    """The answer to a request on the WebSocket."""
    ws.send(json.dumps({"id": 7, **q}))
    for _ in range(400):
        m = json.loads(ws.receive())
        if m.get("id") == 7:
            return m
    raise AssertionError("no answer")


def inside(t, c, pan=(-30, 40), tilt=(-20, 5), zoom=(1000, 5000)):
    p = c.position()
    t.check(pan[0] - 0.01 <= p["pan"] <= pan[1] + 0.01, p)
    t.check(tilt[0] - 0.01 <= p["tilt"] <= tilt[1] + 0.01, p)
    t.check(zoom[0] - 1 <= p["zoom"] <= zoom[1] + 1, p)


def test_D2_limits_hold_at_every_door(t):
    c = begin(t)
    c.admin.get("/axis-cgi/com/ptzconfig.cgi?setserverpresetno=9")  # outside of what comes
    for name, value in (("MaxPan", 40), ("MinPan", -30), ("MinTilt", -20), ("MaxTilt", 5), ("MinZoom", 1000),
                        ("MaxZoom", 5000)):
        t.equal(c.update(L + name, str(value)).text, "OK\n", name)
    inside(t, c, zoom=(1, 5000))
    c.rest()
    inside(t, c)  # what stood outside has come in
    ws = c.websocket("/vedette/ws")
    hello = json.loads(ws.receive())
    t.equal((hello["head"]["panLimits"], hello["head"]["tiltLimits"]), ([-30, 40], [-20, 5]))
    for args in ("pan=100&tilt=20&zoom=9999", "pan=-180&tilt=-90&zoom=1", "rpan=200&rtilt=60&rzoom=9999",
                 "rpan=-300&rtilt=-100&rzoom=-9999", "areazoom=0,0,10000&imagewidth=1920&imageheight=1080",
                 "center=1919,0&imagewidth=1920&imageheight=1080", "move=home", "gotoserverpresetno=9"):
        c.ptz_command(args)
        for _ in range(8):
            c.advance(0.15)
            inside(t, c)
        c.rest()
        inside(t, c)
    # At full speed, into every corner, also turning back in between.
    for x, y, z in ((100, 100, 100), (-100, -100, -100), (100, -100, 100)):
        c.ptz_command(f"continuouspantiltmove={x},{y}&continuouszoommove={z}&proportionalspeed=disabled")
        for _ in range(30):
            c.advance(0.1)
            inside(t, c)
        p = c.position()
        t.near(p["pan"], 40 if x > 0 else -30, 0.01)
        t.near(p["tilt"], 5 if y > 0 else -20, 0.01)
        t.near(p["zoom"], 5000 if z > 0 else 1000, 1)
    c.ptz_command("continuouspantiltmove=0,0&continuouszoommove=0")
    for q in ({"do": "goto", "pan": 90, "tilt": 15, "zoom": 30}, {"do": "relative", "pan": -150, "zoomBy": 0.01},
              {"do": "center", "x": 0, "y": 0, "zoomBy": 100}, {"do": "home"}, {"do": "preset", "go": 9},
              {"do": "move", "pan": 1, "tilt": 1, "zoom": 1}):
        t.check(ask(ws, **q)["ok"], q)
        for _ in range(10):
            c.advance(0.1)
            inside(t, c)
    limits = dict(l.split("=") for l in c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text.split("\r\n") if l)
    t.equal([limits[k] for k in ("MinPan", "MaxPan", "MinTilt", "MaxTilt", "MinZoom", "MaxZoom")],
            ["-30", "40", "-20", "5", "1000", "5000"])
    free(c)
    c.advance(0.3)
    while True:
        m = json.loads(ws.receive())
        if m["type"] == "head" and m["head"]["zoomLimits"] == [1, 30]:
            break  # pages draw their walls anew
    c.ptz_command("removeserverpresetno=9")
    t.near(go(c, "pan=100&tilt=10")["pan"], 100, 0.01)


def test_D2_a_way_round_what_is_forbidden(t):
    c = begin(t)
    go(c, "pan=100")
    c.update(L + "MinPan", "-120")
    c.update(L + "MaxPan", "120")
    c.ptz_command("pan=-110&speed=30")  # the shorter way leads through 180
    seen = []
    for _ in range(60):
        c.advance(0.1)
        seen.append(c.position()["pan"])
    t.check(all(-120.01 <= p <= 120.01 for p in seen), seen)
    t.near(seen[-1], -110, 0.01)
    # Behind: from 150 through 180 to -150.
    c.update(L + "MinPan", "150")
    c.update(L + "MaxPan", "-150")
    t.near(abs(c.rest()["pan"]), 150, 0.01)
    t.near(go(c, "pan=170&speed=100")["pan"], 170, 0.01)
    t.near(go(c, "pan=0")["pan"], 150, 30.01)
    t.near(abs(go(c, "pan=180")["pan"]), 180, 0.01)
    c.ptz_command("continuouspantiltmove=100,0")
    c.advance(3)
    t.near(c.position()["pan"], -150, 0.01)
    c.ptz_command("continuouspantiltmove=-100,0")
    c.advance(3)
    t.near(c.position()["pan"], 150, 0.01)
    c.ptz_command("continuouspantiltmove=0,0")
    free(c)


def test_D2_a_limit_set_on_the_way(t):
    c = begin(t)
    c.ptz_command("continuouspantiltmove=100,0")
    c.advance(0.2)
    c.update(L + "MaxPan", "20")
    c.update(L + "MinPan", "-90")
    t.near(c.rest()["pan"], 20, 0.01)
    c.advance(5)
    t.near(c.position()["pan"], 20, 0.01)
    c.ptz_command("continuouspantiltmove=0,0")
    free(c)


def test_D2_bad_limits(t):
    c = begin(t)
    for name, value in (("MinPan", "-181"), ("MaxPan", "nan"), ("MaxTilt", "21"), ("MinTilt", "-91"), ("MinZoom", "0"),
                        ("MaxZoom", "10000"), ("MinPan", ""), ("MinPan", "1e400"), ("MinFocus", "0")):
        t.check("Error" in c.update(L + name, value).text, name, value)
    c.update(L + "MaxTilt", "-40")
    t.check("Error" in c.update(L + "MinTilt", "-30").text, "the lower above the upper")
    for client in (c.operator, c.ptz, c.viewer):
        t.check("Error" in c.update(L + "MaxPan", "10", client).text)
    free(c)


def test_D2_near_focus(t):
    c = begin(t)
    t.equal(c.update(L + "MinFocus", "6000").text, "OK\n")
    t.equal(c.param("ImageSource.I0.Focus.NearLimit"), "60")
    c.ptz_command("focus=100")
    c.advance(5)
    focus = dict(l.split("=") for l in c.admin.get("/axis-cgi/com/ptz.cgi?query=position").text.split("\r\n") if l)
    t.near(float(focus["focus"]), 6000, 2)
    c.ptz_command("continuousfocusmove=-100")
    c.advance(5)
    focus = dict(l.split("=") for l in c.admin.get("/axis-cgi/com/ptz.cgi?query=position").text.split("\r\n") if l)
    t.near(float(focus["focus"]), 6000, 2)
    t.check("MinFocus=6000" in c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text)
    t.equal(c.update("ImageSource.I0.Focus.NearLimit", "0").text, "OK\n")
    t.equal(c.param(L + "MinFocus"), "1")
    c.update("ImageSource.I0.Focus.Mode", "auto")


def test_D6_home_timeout(t):
    c = begin(t)
    t.equal(c.update("PTZ.Various.V1.ReturnToOverview", "30").text, "OK\n")
    go(c, "pan=50&tilt=-5&zoom=300")
    c.advance(20)
    go(c, "rpan=1")  # a move begins the time anew
    c.advance(20)
    t.near(c.position()["pan"], 51, 0.01)
    c.advance(11)
    t.equal(c.rest(), {"pan": 0.0, "tilt": 0.0, "zoom": 1.0})
    # While it moves, however long, nobody takes the stick away.
    c.ptz_command("continuouspantiltmove=1,0")
    c.advance(100)
    at = c.position()["pan"]
    c.advance(1)
    t.check(c.position()["pan"] != at, "it moves on")
    c.ptz_command("continuouspantiltmove=0,0")
    t.equal(c.update("PTZ.Various.V1.ReturnToOverview", "0").text, "OK\n")
    go(c, "pan=50&tilt=-5&zoom=300")
    c.advance(400)
    t.near(c.position()["pan"], 50, 0.01)
    # Gatekeeper: a trigger sends it to a preset and asks for it to be back.
    ws = c.websocket("/vedette/ws")  # the other has been silent for too long
    number = ask(ws, do="preset", store=0, name="Gate")["number"]
    go(c, "pan=-90")
    t.check(ask(ws, do="preset", go=number, homeTimeoutS=15)["ok"])
    t.near(c.rest()["pan"], 50, 0.01)
    c.advance(10)
    t.near(c.position()["pan"], 50, 0.01)
    c.advance(6)
    t.near(c.rest()["pan"], 0, 0.01)
    c.advance(100)
    t.check("Error" in c.update("PTZ.Various.V1.ReturnToOverview", "301").text)
    ws = c.websocket("/vedette/ws")
    t.equal(ask(ws, do="preset", go=number, homeTimeoutS=1e99)["error"]["name"], "homeTimeoutS")
    c.ptz_command(f"removeserverpresetno={number}")
