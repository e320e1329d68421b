"""The stage (row J4): what can be done to the virtual place and device, told by HTTP."""
import contextlib
import json
import os
import pathlib
import socket
import threading
import time

import vedette
import web

STAGE = "/vedette/stage"
JSON = [("Content-Type", "application/json")]


def do(c, status=200, client=None, **values):
    if "for_" in values:
        values["for"] = values.pop("for_")
    r = (client or c.admin).post(STAGE, json.dumps(values), type="application/json")
    assert r.status == status, f"{values}: {r}"
    return r.json


def stage(c):
    r = c.admin.get(STAGE)
    assert r.status == 200, r
    return r.json


class Events:
    """What /vedette/ws tells, from the start."""

    def __init__(self, c):
        self.ws = c.websocket("/vedette/ws")

    def until(self, topic, **items):
        """The next event of that topic with these items in source and data."""
        for _ in range(500):
            j = json.loads(self.ws.receive())
            if j.get("topic") == topic:
                both = {**j["source"], **j["data"]}
                if all(both.get(k) == v for k, v in items.items()):
                    return j
        raise AssertionError(f"no {topic} {items}")


def test_J4_state_and_what_can_be_done(t):
    c = t.shared()
    j = stage(c)
    t.equal((j["values"]["hour"], j["values"]["speed"], j["values"]["weather"]), (12.0, 0.0, "clear"))
    t.equal((j["values"]["wind"], j["values"]["lamps"], j["values"]["visibility"]),
            ("auto", "auto", "unlimited"))
    t.equal(j["set"]["visibility"], None)
    t.equal(j["body"]["acceleration"], [0, 0, 1])
    t.equal(j["body"]["inputs"], [False] * 4)
    t.equal((j["values"]["ir"], j["values"]["mains"], j["set"]["ir"]), ("auto", "off", 0))
    t.equal(j["body"]["led"], {"colour": "green", "blink": 0})
    can = {row["name"]: row for row in j["can"]}
    for name in ("hour", "speed", "weather", "cloud", "visibility", "rain", "snow", "wet", "wind",
                 "windTo", "lamps", "lampLight", "mains", "ir", "spray", "cover", "blur", "clean", "turnPan", "turnTilt",
                 "shake", "knock", "housing", "card", "input1", "input4", "button", "power",
                 "temperature"):
        t.check(name in can, name)
        for key in ("words", "group", "doc", "lasting"):
            t.check(can[name][key], name, key)
    t.equal(can["weather"]["choices"],
            ["clear", "cloudy", "overcast", "fog", "rain", "storm", "snow"])
    t.equal((can["hour"]["min"], can["hour"]["max"], can["hour"]["unit"]), (0, 24, "h"))
    doc = (vedette.ROOT / "docs/stage.md").read_text()
    for row in j["can"]:
        line = next((x for x in doc.splitlines() if x.startswith(f"| `{row['name']}` | `{row['words']}` |")),
                    None)
        t.check(line and row["doc"] in line, "docs/stage.md has no such row", row)
        for word in row.get("choices", []):
            t.check(f"`{word}`" in line, "docs/stage.md", row["name"], word)


def test_J4_rights(t):
    """Administrators only, and no stranger's page."""
    c = t.shared()
    body = json.dumps({"hour": 3})
    for client, status in ((c.anon, 401), (c.viewer, 403), (c.operator, 403), (c.ptz, 403)):
        t.equal(client.get(STAGE).status, status)
        t.equal(client.post(STAGE, body, type="application/json").status, status)
    r = c.admin.call("POST", STAGE, body, headers=[("Origin", "http://evil.example")])
    t.equal(r.status, 403)
    t.equal(stage(c)["values"]["hour"], 12.0)


def test_J4_all_or_nothing(t):
    c = t.shared()
    before = stage(c)["values"]
    for bad, name in (({"hour": 25}, "hour"), ({"hour": "noon"}, "hour"), ({"hour": None}, "hour"),
                      ({"hour": True}, "hour"), ({"hour": [1]}, "hour"), ({"shoe": 1}, "shoe"),
                      ({"weather": "sunny"}, "weather"), ({"weather": 4}, "weather"),
                      ({"wind": -1}, "wind"), ({"lamps": -1}, "lamps"), ({"lamps": 2}, "lamps"),
                      ({"spray": 1.5}, "spray"), ({"clean": False}, "clean"), ({"clean": 1}, "clean"),
                      ({"knock": 0}, "knock"), ({"knock": False}, "knock"), ({"power": "off"}, "power"),
                      ({"power": True}, "power"), ({"housing": True}, "housing"),
                      ({"input1": 1}, "input1"), ({"input5": "on"}, "input5"),
                      ({"hour": 3, "over": 5}, "over"), ({"weather": "rain", "for": 5}, "for"),
                      ({"weather": "rain", "over": -1}, "over"), ({"weather": "rain", "over": "1"}, "over"),
                      ({"over": 5}, "over"), ({}, ""), ({"do": "hour 3", "hour": 3}, "do"),
                      ({"do": []}, "do"), ({"do": [1]}, "do"), ({"do": {"a": 1}}, "do"),
                      ({"do": "hour 25"}, "hour"), ({"do": "fly"}, "fly"),
                      ({"do": ["hour 3", "hour 99"]}, "hour"), ({"do": ["hour 3"] * 65}, "do"),
                      ({"cloud": 0.5, "rain": 99}, "rain")):
        j = do(c, 400, **bad)
        t.equal(j["name"], name, str(bad))
        t.check(len(j["error"]) > 5, bad)
    for raw in ("", "[]", "5", "{", '{"do":"hour\\u00003"}', '{"hour":1,"hour":2}', '{"hour":NaN}', "null"):
        t.equal(c.admin.post(STAGE, raw, type="application/json").status, 400, raw)
    t.equal(stage(c)["values"], before)


def test_J4_the_place_stays(t):
    c = t.shared()
    for bad in ({"place": "hall"}, {"do": "place hall"}, {"hour": 3, "place": "street"}):
        t.match("--source virtual:street or virtual:hall", do(c, 409, **bad)["error"], bad)
    t.equal(stage(c)["place"], "street")


def test_J4_light_and_weather(t):
    """Exact in simulated time: gradual changes are where they should be."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    c.advance(1)
    do(c, hour=18.5, speed=60, lamps="on", ir="on", irBeam=30)
    do(c, weather="rain", over=4)
    c.advance(2)
    j = stage(c)
    t.near(j["set"]["hour"], 18.5 + 2 / 60, 1e-9)
    t.near(j["set"]["rain"], 2.5, 1e-9)
    t.equal((j["values"]["lamps"], j["values"]["ir"], j["set"]["irBeam"]), ("on", "on", 30))
    c.advance(2)
    do(c, speed=0)
    t.near(stage(c)["set"]["rain"], 5, 1e-9)
    for weather, check in (("clear", lambda s: s["visibility"] is None and s["rain"] == 0),
                           ("cloudy", lambda s: 0.3 < s["cloud"] < 0.7),
                           ("overcast", lambda s: s["cloud"] == 1),
                           ("fog", lambda s: s["visibility"] < 200),
                           ("storm", lambda s: s["rain"] > 20 and s["wind"] > 14),
                           ("snow", lambda s: s["snow"] > 0 and s["rain"] == 0)):
        j = do(c, weather=weather, over=0)
        t.equal(j["values"]["weather"], weather)
        t.check(check(j["set"]), weather, j["set"])
    j = do(c, wind=11, windTo=-45, cloud=0.25, wet=0.5, visibility=500, rain=1, snow=0, over=0)
    s = j["set"]
    t.equal((s["wind"], s["windTo"], s["cloud"], s["wet"], s["visibility"], s["rain"]),
            (11, -45, 0.25, 0.5, 500, 1))
    t.near(do(c, hour=24)["set"]["hour"], 0, 0)


def test_J4_texts(t):
    """The words of the command line and of scenarios."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    do(c, do="lens spray 0.5 0s")
    j = do(c, do=["hour 6", "lamps off", "wind to 90", "wind 9 0s"])
    t.equal((j["set"]["hour"], j["values"]["lamps"], j["set"]["windTo"], j["set"]["wind"]),
            (6, "off", 90, 9))
    t.equal(j["values"]["spray"], 0.5)
    t.equal(do(c, do="lens clean")["values"]["spray"], 0)


def test_J4_lens_and_mount(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    do(c, spray=0.5, cover=0.2, blur=1, over=2)
    c.advance(1)
    v = stage(c)["values"]
    t.near(v["spray"], 0.25, 1e-9)
    t.near(v["cover"], 0.1, 1e-9)
    c.advance(1)
    t.equal(stage(c)["values"]["blur"], 1)
    v = do(c, clean=True)["values"]
    t.equal((v["spray"], v["cover"], v["blur"]), (0, 0, 0))
    t.equal(do(c, turnPan=20, turnTilt=-3, over=0)["mount"], {"pan": 20, "tilt": -3, "roll": 0})
    do(c, shake=0.5, for_=2)
    c.advance(0.53)
    t.check(stage(c)["mount"]["pan"] != 20)
    c.advance(1.5)
    t.equal(stage(c)["mount"], {"pan": 20, "tilt": -3, "roll": 0})
    g = do(c, knock=5)["body"]["acceleration"]
    t.check(sum(x * x for x in g) > 16, g)
    c.advance(0.05)
    t.check(stage(c)["mount"]["pan"] != 20)
    c.advance(2)
    t.equal(stage(c)["mount"]["pan"], 20)
    t.near(stage(c)["body"]["acceleration"][2], 1, 0.01)
    t.equal(do(c, knock=True)["values"]["shake"], 0)
    # The head knows nothing of it.
    p = c.position()
    t.equal((p["pan"], p["tilt"]), (0, 0))


def test_J4_inputs(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    heard = Events(c)
    topic = "Device/tnsaxis:IO/Port"
    for port in range(4):
        t.equal(heard.until(topic, port=str(port))["data"], {"state": "0"})
    do(c, input2="on", for_=3)
    j = heard.until(topic, port="1")
    t.equal((j["data"], j["state"]), ({"state": "1"}, True))
    do(c, input4=True)
    t.equal(heard.until(topic, port="3")["data"]["state"], "1")
    t.equal(stage(c)["body"]["inputs"], [False, True, False, True])
    c.advance(2.9)
    t.equal(stage(c)["body"]["inputs"], [False, True, False, True])
    c.advance(0.1)
    j = heard.until(topic, port="1")
    t.equal(j["data"]["state"], "0")
    t.match("^2026-06-21T12:00:03", j["utc"], "told when it happened")
    do(c, input4="off")
    t.equal(heard.until(topic, port="3")["data"]["state"], "0")


def test_J4_card_and_temperature(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    heard = Events(c)
    card, heat = "Device/tnsaxis:HardwareFailure/StorageFailure", "Device/tnsaxis:Status/Temperature/"
    t.equal(heard.until(card)["data"], {"disruption": "0"})
    t.equal(heard.until(heat + "Inside")["data"], {"sensor_level": "1"})
    t.equal(do(c, card="out")["body"]["card"], False)
    j = heard.until(card)
    t.equal((j["source"], j["data"]), ({"disk_id": "SD_DISK"}, {"disruption": "1"}))
    t.equal(do(c, card="in")["body"]["card"], True)
    t.equal(heard.until(card)["data"]["disruption"], "0")
    do(c, temperature=85, over=10)
    c.advance(3)
    t.check(35 < stage(c)["body"]["temperature"] < 60)
    c.advance(7)
    t.equal(heard.until(heat + "Above")["data"]["sensor_level"], "1")
    t.equal(heard.until(heat + "Inside")["data"]["sensor_level"], "0")
    t.equal(do(c, temperature=-30)["body"]["temperature"], -30)
    t.equal(heard.until(heat + "Above")["data"]["sensor_level"], "0")
    t.equal(heard.until(heat + "Below")["data"]["sensor_level"], "1")


def test_J4_button(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    t.equal(do(c, button=10)["body"]["button"], True)
    c.advance(9.9)
    t.equal(stage(c)["body"]["button"], True)
    c.advance(0.1)
    t.equal(stage(c)["body"]["button"], False)
    do(c, button=60)
    t.equal(do(c, button=0)["body"]["button"], False)


def post(c, path, status=200, **values):
    r = c.admin.post(STAGE + path, json.dumps(values), type="application/json")
    assert r.status == status, f"{path} {values}: {r}"
    return r.json


def cast(c):
    return {m["id"]: m for m in stage(c)["cast"]}


def test_J4_people_and_vehicles(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    c.advance(1)
    before = set(cast(c))
    man = post(c, "/spawn", who="man at 3 30 facing 180")["id"]
    m = cast(c)[man]
    t.equal((m["class"], m["at"], m["heading"]), ("person", [3, 30, 0], 180))
    car = post(c, "/spawn", who="car-suv drive eastbound")["id"]
    c.advance(1)
    at = cast(c)[car]["at"]
    c.advance(1)
    now = cast(c)
    t.check(now[car]["at"][0] > at[0] + 1, "it drives")
    t.equal(now[man]["at"], [3, 30, 0])
    t.check(man not in before and car not in before and man != car)
    post(c, "/remove", id=man)
    t.check(man not in cast(c) and car in cast(c))
    t.check(post(c, "/remove", 400, id=man)["error"])
    hand = post(c, "/spawn", who="worker walk (0 30  10 30)")["id"]
    c.advance(0.25)
    t.equal((cast(c)[hand]["class"], cast(c)[hand]["model"]), ("person", "worker"))
    post(c, "/remove", id="all")
    c.advance(0.25)  # the traffic goes in steps
    t.check(car not in cast(c))
    for bad in ({}, {"who": 5}, {"who": "nobody at 1 1"}, {"who": ""}, {"who": "man"}, {"call": "nobody"},
                {"who": "man at 3 30", "x": 1}, {"who": "man at 3 30\u0000"}):
        t.check(post(c, "/spawn", 400, **bad)["error"], bad)


def test_J4_gate(t):
    c = t.camera(clock="sim")
    c.setup(users=False)

    def arm():
        return next(m for m in stage(c)["cast"] if m["model"] == "barrier")["phase"]
    c.advance(1)
    post(c, "/gate", gate="close")
    c.advance(20)
    t.equal(arm(), 0)
    post(c, "/gate", gate="open")
    c.advance(20)
    t.equal(arm(), 1)
    post(c, "/gate", gate="auto")
    c.advance(30)
    t.equal(arm(), 0)
    # Somebody is sent through it.
    post(c, "/gate", gate="car")
    open_for = 0
    for _ in range(90):
        c.advance(1)
        open_for += arm() == 1
    t.check(open_for > 0, "the arm went up for the car")
    for bad in ({"gate": "blow"}, {"gate": ""}, {"gate": 1}, {}):
        t.check(post(c, "/gate", 400, **bad)["error"], bad)


def test_J4_scenarios(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    r = c.admin.get(STAGE + "/scenarios")
    names = [s["name"] for s in r.json["scenarios"]]
    files = (vedette.ROOT / "assets/scenarios").glob("*.scenario")
    t.equal(names, sorted(f.stem for f in files), "each file is one")
    t.equal(r.json["playing"]["name"], "default")
    c.advance(5)
    text = ("scenario mine\ntitle Mine\nabout One man.\nplace street\nhour 20\nweather fog\n"
            "length 60 s loop\nactor me man at 3 30\nat 10 lens spray 0.5 0s\nat 20 input 1 on\n")
    j = post(c, "/scenario", text=text)
    t.equal(j["scenario"]["name"], "mine")
    t.near(j["scenario"]["start"], 5, 1e-6)
    j = stage(c)
    t.equal((j["values"]["hour"], j["values"]["weather"]), (20, "fog"))
    t.equal([m["model"] for m in j["cast"] if m["class"]], ["man"])
    c.advance(9.9)
    t.equal(stage(c)["values"]["spray"], 0)
    c.advance(0.1)
    t.equal(stage(c)["values"]["spray"], 0.5)
    t.equal(stage(c)["body"]["inputs"][0], False)
    heard = Events(c)
    t.equal(heard.until("Device/tnsaxis:IO/Port", port="0")["data"]["state"], "0")
    c.advance(10)
    t.match("^2026-06-21T12:00:25", heard.until("Device/tnsaxis:IO/Port", port="0")["utc"])
    # Another one takes its place, and what the first had still to say is forgotten.
    do(c, clean=True)
    post(c, "/scenario", name="default")
    c.advance(120)
    j = stage(c)
    t.equal((j["scenario"]["name"], j["values"]["spray"], j["values"]["weather"]),
            ("default", 0, "clear"))
    for bad in ({"name": "nothing"}, {"name": "../default"}, {"text": "nonsense"}, {"text": ""}, {},
                {"name": "default", "text": text}, {"text": text + "at 5 fly away\n"}):
        j = post(c, "/scenario", 400, **bad)
        t.check(j["error"], bad)
    t.equal(stage(c)["scenario"]["name"], "default")


def test_J4_refusals_are_json_whatever_they_quote(t):
    """A quotation that is cut in the middle of a character must not empty the answer."""
    c = t.shared()
    for n in range(26, 46):
        word = "a" * n + "\u00e9\u20ac\U0001f600" * 60
        for path, body in (("/faults", {"kind": word}), ("/faults", {"kind": "net-cut", word: 1}),
                           ("/scenario", {"name": word}), ("/scenario", {"text": word}),
                           ("/spawn", {"who": word}), ("/spawn", {"call": word}), ("/remove", {"id": word}),
                           ("/decal", {word: 1}), ("", {word: 1})):
            r = c.admin.post(STAGE + path, json.dumps(body), type="application/json")
            t.equal(r.status, 400, path)
            t.check(r.json["error"], path, n)


def test_J4_decals_are_refused(t):
    c = t.shared()
    three = [[0, 0], [1, 1], [2, 0]]
    for bad in ({"pints": []}, {"points": three[:2]}, {"points": 5}, {"points": [[0, 0, 0], *three[:2]]},
                {"points": [["0", 0], *three[:2]]}, {"points": [[0, 91], *three[:2]]},
                {"points": three, "colour": [5, 0, 0]}, {"points": three, "colour": [0, 0, 0, 0]},
                {"points": three, "colour": [0, 0]}, {"points": three, "color": [0, 0, 0]}, []):
        t.check(post(c, "/decal", 400, **bad)["error"] if isinstance(bad, dict) else
                c.admin.post(STAGE + "/decal", "[]", type="application/json").status == 400, bad)


def test_J4_no_text_keeps_the_camera_busy(t):
    """Two thousand who are all to find room on one way: told within seconds, as the loop waits."""
    c = t.shared()
    text = "scenario many\nplace street\nlength 3600 loop\n" + "".join(
        f"actor a{i} man walk north-pavement every 30\n" for i in range(16))
    before = c.cpu()
    t.equal(post(c, "/scenario", text=text)["scenario"]["name"], "many")
    t.check(c.cpu() - before < 20, c.cpu() - before)
    t.check(len(stage(c)["cast"]) > 30, "they are there")
    post(c, "/scenario", name="default")


def test_J4_scenarios_of_ones_own(t):
    c = t.camera(clock="sim")
    c.setup()
    path = STAGE + "/scenarios/"
    text = "scenario mine\ntitle Mine\nplace street\nlength 60 s loop\nhour 5\nactor me man at 3 30\n"

    def put(name, text, status=200, method="PUT"):
        r = c.admin.call(method, path + name, body=json.dumps({"text": text}).encode(), headers=JSON)
        assert r.status == status, f"{name} {text[:60]!r}: {r}"
        return r.json

    def names():
        return {s["name"]: s["own"] for s in c.admin.get(STAGE + "/scenarios").json["scenarios"]}
    shipped = names()
    t.check(not any(shipped.values()))
    t.equal({s["name"]: s["own"] for s in put("mine", text)["scenarios"]}, {**shipped, "mine": True})
    j = c.admin.get(path + "mine").json
    t.equal((j["text"], j["title"], j["own"]), (text, "Mine", True))
    t.check("actor" in c.admin.get(path + "default").json["text"], "shipped ones can be read, too")
    post(c, "/scenario", name="mine")
    t.equal(stage(c)["values"]["hour"], 5)
    # Another text by the same name takes its place; POST does the same.
    put("mine", text.replace("hour 5", "hour 6"), method="POST")
    post(c, "/scenario", name="mine")
    t.equal(stage(c)["values"]["hour"], 6)
    # It is there after a new start, the first version is not.
    c.restart()
    t.equal(names(), {**shipped, "mine": True})
    post(c, "/scenario", name="mine")
    t.equal(stage(c)["values"]["hour"], 6)
    # What is refused, and leaves everything as it is.
    for name, bad, status in (
            ("other", text, 400), ("mine", text + "at 5 fly away\n", 400), ("mine", "", 400),
            ("default", text.replace("mine", "default"), 409), ("..%2fmine", text, 400),
            ("a%00b", text, 400), ("Mine", text.replace("mine", "Mine"), 400),
            ("mine", text + "#" * 65536, 400), ("mine", text + "#" * 200000, 413),
            ("x" * 40, text.replace("mine", "x" * 40), 400), ("", text, 400)):
        r = c.admin.call("PUT", path + name, body=json.dumps({"text": bad}).encode(), headers=JSON)
        t.check(400 <= r.status < 500, name, bad[:60], r)
        if status == 409:
            t.equal(r.status, 409, r)
    t.match("^line ", put("mine", text + "at 5 fly away\n", 400)["name"])
    for body in (b"", b"{}", b"[]", b'{"text": 5}', b'{"text": "x", "y": 1}', text.encode()):
        r = c.admin.call("PUT", path + "mine", body=body, headers=JSON)
        t.equal(r.status, 400, body)
    for client in (c.operator, c.viewer, c.ptz):
        t.equal(client.call("DELETE", path + "mine").status, 403)
    t.equal((names(), c.admin.get(path + "nothing").status), ({**shipped, "mine": True}, 404))
    for i in range(31):
        put(f"mine-{i}", text.replace("mine", f"mine-{i}"))
    t.match("remove one", put("mine-31", text.replace("mine", "mine-31"), 409)["error"])
    put("mine-30", text.replace("mine", "mine-30"))
    # Removed: also on the disk, with the copy of before.
    t.equal(c.admin.call("DELETE", path + "default").status, 409)
    for name in ["mine"] + [f"mine-{i}" for i in range(31)]:
        t.equal(c.admin.call("DELETE", path + name).status, 200)
    t.equal(c.admin.call("DELETE", path + "mine").status, 404)
    t.equal((names(), list(pathlib.Path(c.state, "scenarios").iterdir())), (shipped, []))
    c.restart()
    t.equal(names(), shipped)


def test_J4_scenario_survives_power(t):
    c = t.camera()
    c.setup(users=False)
    post(c, "/scenario", text="scenario mine\ntitle Mine\nplace street\nlength 60 s loop\n"
                              "hour 20\nactor me man at 3 30\n")
    do(c, hour=3)
    was = boot(c)
    do(c, power="cycle")
    reborn(c, was)
    j = stage(c)
    t.equal((j["scenario"]["name"], j["values"]["hour"]), ("mine", 3))


def boot(c):
    return c.anon.json("/axis-cgi/systemready.cgi", "systemready", {"timeout": 20},
                       version="1.1")["data"]["bootid"]


def reborn(c, was):
    """Waits until the camera has started itself anew, in the same process."""
    ready, end = pathlib.Path(c.state, "run/ready.json"), time.monotonic() + 60
    while time.monotonic() < end:
        assert c.alive(), c.log_tail()
        try:
            j = json.loads(ready.read_text())
        except (OSError, ValueError):
            j = None
        if j:
            c.close_clients()
            c.http, c.https, c.rtsp, c.rtsps = j["http"], j["https"], j["rtsp"], j["rtsps"]
            try:
                if boot(c) != was:
                    assert j["pid"] == c.process.pid
                    return
            except (OSError, web.Closed):
                pass
        time.sleep(0.02)
    raise AssertionError("it did not come again\n" + c.log_tail())


def helpers(c):
    pid = c.process.pid
    return len(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_J4_power(t):
    """Off and on again: a new start in the same process; settings and place stay."""
    c = t.camera()
    c.setup(users=False)
    c.update("Image.I0.Text.String", "before the power went")
    was = boot(c)
    do(c, hour=20, weather="storm", over=0)
    do(c, card="out", temperature=50)
    j = do(c, power="cycle")
    t.equal(j["body"]["powerCycles"], 1, "the answer comes before the end")
    ports = c.http, c.https, c.rtsp, c.rtsps
    reborn(c, was)
    t.equal((c.http, c.https, c.rtsp, c.rtsps), ports, "the ports stay")
    t.equal(c.param("Image.I0.Text.String"), "before the power went")
    j = stage(c)
    t.equal((j["values"]["hour"], j["values"]["weather"], j["values"]["wind"]), (20, "storm", "auto"))
    t.equal((j["body"]["card"], j["body"]["temperature"], j["body"]["powerCycles"]), (False, 50, 0))
    was, handles, children = boot(c), c.handles(), helpers(c)
    do(c, power="cycle")
    reborn(c, was)
    t.equal(stage(c)["values"]["hour"], 20)
    t.check(c.handles() <= handles, "open files are left over", c.handles(), handles)
    t.equal(helpers(c), children, "processes are left over")


def test_J4_power_on_ports_of_root(t):
    """What only root may open the camera has no more right to; it keeps what it had."""
    if os.geteuid() != 0:
        t.skip("started by an ordinary user")
    free = []
    for port in range(1023, 511, -1):
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            free.append(port)
    c = t.camera(ports=free[:4])
    c.setup(users=False)
    for _ in range(2):
        was = boot(c)
        do(c, power="cycle")
        reborn(c, was)
        t.equal([c.http, c.https, c.rtsp, c.rtsps], free[:4])
    t.equal(c.client(*vedette.ADMIN, tls=True).get(STAGE).status, 200)


def test_J4_I8_housing(t):
    """The cover of the housing: taken off and put on, each restarts the camera."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    topic = "Device/tnsaxis:Casing/Open"
    t.equal(Events(c).until(topic)["data"], {"Open": "0"})
    was = boot(c)
    do(c, housing="removed")
    reborn(c, was)
    t.equal(stage(c)["body"]["housing"], False)
    t.equal(Events(c).until(topic)["data"], {"Open": "1"})
    was = boot(c)
    do(c, housing="removed")  # nothing new: no restart
    do(c, housing="attached")
    reborn(c, was)
    t.equal(stage(c)["body"]["housing"], True)
    t.equal(boot(c) != was, True)


def test_J4_power_while_time_goes_on(t):
    """The end comes in the middle of an advance of the clock."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    was = boot(c)
    lost = []

    def go():
        try:
            c.advance(100000)
        except (OSError, web.Closed, AssertionError) as e:
            lost.append(e)
    thread = threading.Thread(target=go)
    thread.start()
    for _ in range(20):  # hours pass between the challenge and its answer
        r = c.client(*vedette.ADMIN).post(STAGE, json.dumps({"power": "cycle"}), type="application/json")
        if r.status != 401:
            break
    t.equal(r.status, 200, r)
    thread.join(60)
    t.check(not thread.is_alive())
    reborn(c, was)
