"""Guard tours and recorded tours (rows D4, D5)."""
import json
import pathlib
import re
import time

import vedette
import web

SHARED = {"clock": "sim"}
Z = "/axis-cgi/com/ptz.cgi"
PANS = {2: 10.0, 3: 50.0, 4: -40.0, 5: 120.0}
ON = "PTZController/PTZPresets/Channel_1"


def go(c, args):
    c.ptz_command(args)
    return c.rest()


def add(c, template, group, client=None, **values):
    values = {k.replace("__", "."): v for k, v in values.items()}
    r = (client or c.admin).post("/axis-cgi/param.cgi", web.q(action="add", template=template, group=group, **values))
    return r.text.strip()


def with_presets(c):
    for number, pan in PANS.items():
        if c.admin.get(Z + f"?query=presetposall").text.count(f"presetposno{number}="):
            continue
        go(c, f"pan={pan}&tilt=0&zoom=1&speed=100")
        r = c.admin.get(f"/axis-cgi/com/ptzconfig.cgi?setserverpresetno={number}")
        assert r.status == 204, r.text


def begin(t):
    c = t.shared()
    with_presets(c)
    for i in range(20):
        c.admin.get(f"/axis-cgi/param.cgi?action=remove&group=GuardTour.G{i}")
    c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
    go(c, "pan=0&tilt=0&zoom=1&speed=100")
    c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
    return c


def tour(c, presets, wait=20, speed=100, **more):
    """A guard tour by VAPIX's own calls; its number."""
    name = add(c, "guardtour", "GuardTour", GuardTour__G__Name="Round",
               **{f"GuardTour__G__{k}": v for k, v in more.items()})
    index = int(re.fullmatch(r"G(\d+) OK", name).group(1))
    group = f"GuardTour.G{index}.Tour"
    for position, preset in enumerate(presets, 1):
        r = add(c, "tour", group, **{f"{group}.T.PresetNbr": preset, f"{group}.T.Position": position,
                                     f"{group}.T.WaitTime": wait, f"{group}.T.MoveSpeed": speed})
        assert re.fullmatch(r"T\d+ OK", r), r
    return index


def run(c, index, on="yes"):
    r = c.update(f"GuardTour.G{index}.Running", on)
    assert r.text == "OK\n", r.text


def state(c, index):
    return next(x for x in c.admin.get("/vedette/ptz").json["tours"] if x["id"] == index)


def visits(c, seconds, step=2):
    """The presets the camera stands at, one after the other, as it goes through simulated time."""
    seen = []
    for _ in range(int(seconds / step)):
        c.advance(step)
        on = c.admin.get("/vedette/ptz").json["on"]
        if on and (not seen or seen[-1] != on):
            seen.append(on)
    return seen


def test_D4_in_order(t):
    c = begin(t)
    g = tour(c, [3, 2, 4], wait=20)
    t.equal([c.param(f"GuardTour.G{g}.{k}") for k in ("CamNbr", "Running", "RandomEnabled", "TimeBetweenSequences")],
            ["1", "no", "no", "0"])
    run(c, g)
    seen = visits(c, 150)
    t.equal(seen[:7], [3, 2, 4, 3, 2, 4, 3])
    t.equal(state(c, g)["state"], "looks")
    run(c, g, "no")
    at = c.rest()
    c.advance(100)
    t.equal(c.position(), at, "stopped is stopped")


def test_D4_speed_and_pause(t):
    c = begin(t)
    g = tour(c, [2, 3], wait=5, speed=5, TimeBetweenSequences=1)
    run(c, g)
    c.advance(0.5)
    a = c.position()["pan"]
    t.check(0 < a < 9, a)  # 5 % of 300 degrees a second
    c.advance(12)
    t.near(c.rest()["pan"], 50, 0.01)
    c.advance(5)
    t.equal(state(c, g)["state"], "pauses")
    c.advance(50)
    t.near(c.position()["pan"], 50, 0.01)
    c.advance(10)
    t.near(c.rest()["pan"], 10, 0.01)
    run(c, g, "no")


def test_D4_random_is_repeatable(t):
    def rounds():
        with vedette.Camera(clock="sim", source=vedette.SMALL, seed=5) as c:
            c.setup(users=False)
            with_presets(c)
            g = tour(c, [2, 3, 4, 5], wait=5, RandomEnabled="yes")
            c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
            run(c, g)
            return visits(c, 300, 1)

    a, b = rounds(), rounds()
    t.equal(a, b, "the same seed, the same order")
    t.check(len(a) > 20, a)
    for i in range(0, len(a) - 4, 4):
        t.equal(sorted(a[i:i + 4]), [2, 3, 4, 5], "each once a round")
    t.check(len({tuple(a[i:i + 4]) for i in range(0, 20, 4)}) > 1, "rounds differ")


def test_D4_interrupted_and_resumed(t):
    c = begin(t)
    g = tour(c, [3, 4], wait=300)
    run(c, g)
    t.near(c.rest()["pan"], 50, 0.01)
    c.advance(305)
    t.near(c.rest()["pan"], -40, 0.01)
    go(c, "pan=90")  # a user
    t.equal(state(c, g)["state"], "waits")
    c.advance(40)
    go(c, "rpan=1")
    c.advance(50)
    t.near(c.position()["pan"], 91, 0.01, "60 s after the last move, not the first")
    c.advance(15)
    t.near(c.rest()["pan"], -40, 0.01, "the step it was at")
    t.equal(c.param(f"GuardTour.G{g}.Running"), "yes")
    # With the queue on, a viewer is weaker than a guard tour, an administrator stronger.
    c.update("PTZ.Various.V1.CtlQueueing", "true")
    t.match("^Error:.*Guardtour", c.ptz.get(Z + "?pan=0").text)
    go(c, "pan=80")
    t.equal(state(c, g)["state"], "waits")
    c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
    t.near(c.rest()["pan"], -40, 0.01)
    c.update("PTZ.Various.V1.CtlQueueing", "false")
    run(c, g, "no")


def test_D4_one_at_a_time(t):
    c = begin(t)
    a, b = tour(c, [2, 3], wait=30), tour(c, [4, 5], wait=30)
    t.check(a != b)
    run(c, a)
    t.near(c.rest()["pan"], 10, 0.01)
    run(c, b)
    t.near(c.rest()["pan"], -40, 0.01)
    t.equal((c.param(f"GuardTour.G{a}.Running"), c.param(f"GuardTour.G{b}.Running")), ("no", "yes"))
    # A tour that goes takes its steps along and stops.
    t.equal(c.admin.get(f"/axis-cgi/param.cgi?action=remove&group=GuardTour.G{b}").text, "OK\n")
    t.equal(c.param(f"GuardTour.G{b}.Tour.T0.PresetNbr"), None)
    at = c.rest()
    c.advance(100)
    t.equal(c.position(), at)


def test_D4_survives_a_restart(t):
    with vedette.Camera(clock="sim", source=vedette.SMALL) as c:
        c.setup(users=False)
        with_presets(c)
        g = tour(c, [3, 4, 5], wait=30)
        c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
        run(c, g)
        c.advance(45)
        t.equal(state(c, g)["step"], 1)
        c.kill()
        c.start()
        c.advance(3)
        t.equal(c.param(f"GuardTour.G{g}.Running"), "yes")
        t.equal(visits(c, 110), [4, 5, 3, 4], "it goes on with the step it was at")
        # started anew it begins at its beginning; what is damaged is as if nothing had been kept
        run(c, g, "no")
        run(c, g)
        c.advance(45)
        c.kill()
        pathlib.Path(c.state, "tours", "guard").write_bytes(b"vedette guard tour place 1 0 0 -1 99\n")
        c.start()
        t.equal(visits(c, 20), [3])


def test_D4_random_goes_on_after_a_restart(t):
    """The same order as without it."""
    def rounds(restart):
        with vedette.Camera(clock="sim", source=vedette.SMALL, seed=5) as c:
            c.setup(users=False)
            with_presets(c)
            g = tour(c, [2, 3, 4, 5], wait=10, RandomEnabled="yes")
            c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
            run(c, g)
            seen = visits(c, 75, 1)
            if restart:
                c.kill()
                c.start()
            more = visits(c, 60, 1)
            return seen + (more[1:] if more[0] == seen[-1] else more)

    a, b = rounds(False), rounds(True)
    t.equal(a[:8], b[:8])


def test_D4_a_hundred_steps(t):
    c = begin(t)
    g = tour(c, [2, 3] * 50, wait=1)
    t.equal(c.param(f"GuardTour.G{g}.Tour.T99.PresetNbr"), "3")
    group = f"GuardTour.G{g}.Tour"
    t.match("^# Request failed", add(c, "tour", group, **{f"{group}.T.PresetNbr": 2}))
    run(c, g)
    c.advance(20)
    t.equal(len(state(c, g)["steps"]), 100)
    t.check(state(c, g)["step"] > 3)
    run(c, g, "no")


def test_D4_a_day_within_seconds(t):
    c = begin(t)
    g = tour(c, [2, 3, 4, 5], wait=10)
    run(c, g)
    before, started = c.cpu(), time.monotonic()
    c.advance(86400)
    cpu = c.cpu() - before
    print(f"    a day of guard tours: {time.monotonic() - started:.1f} s, {cpu:.1f} s of a core", flush=True)
    t.check(cpu < 45, cpu)
    s = state(c, g)
    t.check(s["running"] and s["state"] in ("goes", "looks"), s)
    t.equal(visits(c, 60)[-4:] in ([2, 3, 4, 5], [3, 4, 5, 2], [4, 5, 2, 3], [5, 2, 3, 4]), True)
    run(c, g, "no")


def test_D4_presets_that_go(t):
    c = begin(t)
    g = tour(c, [3, 2, 77], wait=10)
    run(c, g)
    t.equal(visits(c, 40, 1)[:3], [3, 2, 3], "what does not exist is left out")
    run(c, g, "no")
    h = tour(c, [77], wait=10)
    run(c, h)
    c.advance(1)
    t.equal(c.param(f"GuardTour.G{h}.Running"), "no")
    t.check("guard tour" in c.log)


def test_D4_bad_input(t):
    c = begin(t)
    g = tour(c, [2])
    empty = int(add(c, "guardtour", "GuardTour")[1])
    t.check("Error" in c.update(f"GuardTour.G{empty}.Running", "yes").text, "no step")
    for name, value in (("Tour.T0.WaitTime", "0"), ("Tour.T0.WaitTime", "86401"), ("Tour.T0.MoveSpeed", "101"),
                        ("Tour.T0.PresetNbr", "257"), ("Tour.T0.PresetNbr", "x"), ("TimeBetweenSequences", "-1"),
                        ("Tour.T5.WaitTime", "5"), ("RandomEnabled", "perhaps"), ("CamNbr", "2")):
        t.check("Error" in c.update(f"GuardTour.G{g}.{name}", value).text, name, value)
    for template, group in (("tour", "GuardTour.G19.Tour"), ("tour", "GuardTour"), ("tour", "GuardTour.G99.Tour"),
                            ("tour", "GuardTour.Gx.Tour"), ("guardtour", "Tour")):
        r = add(c, template, group, **({f"{group}.T.PresetNbr": 2} if template == "tour" else {}))
        t.match("^# Request failed", r, f"{template} {group}")
    t.match("^# Request failed", add(c, "guardtour", "GuardTour", c.viewer))
    for _ in range(18):
        t.match(r"^G\d+ OK", add(c, "guardtour", "GuardTour"))
    t.match("^# Request failed", add(c, "guardtour", "GuardTour"))


# Recorded tours

R = "/axis-cgi/recordedtour/"


def call(c, verb, client=None, **args):
    r = (client or c.admin).get(f"{R}{verb}.cgi?" + web.q(schemaversion=1, **args))
    assert r.status == 200 and r.get("content-type").split(";")[0] == "text/xml", r
    assert 'xmlns="http://www.axis.com/vapix/http_cgi/recordedtour1"' in r.text, r.text
    return r.text


def recorded(c):
    """{id: (name, status, delay)}"""
    found = re.findall(r"<RecordingId>(\d+)</RecordingId><NiceName>(.*?)</NiceName><Status>(\w+)</Status>"
                       r"<Camera>1</Camera><DefaultLoopDelay>(\d+)<", call(c, "list"))
    return {int(i): (n, s, int(d)) for i, n, s, d in found}


def track(c, seconds, step=0.05):
    way = []
    for _ in range(int(seconds / step)):
        p = c.position()
        way.append((p["pan"], p["tilt"], p["zoom"]))
        c.advance(step)
    return way


def turn(a, b):
    return abs((a - b + 180) % 360 - 180)


def record_a_way(c):
    """Steers, in every manner, and keeps where the camera was each 50 ms."""
    way = []
    for args, seconds in (("continuouspantiltmove=80,-20&proportionalspeed=disabled", 1.2),
                          ("continuouspantiltmove=-100,10&proportionalspeed=disabled", 1.5),
                          ("continuouspantiltmove=0,0&continuouszoommove=40", 1.0), ("continuouszoommove=0", 1.5),
                          ("pan=170&tilt=-30&zoom=1&speed=60", 3.0), ("rpan=25", 1.0), ("move=stop", 4.0),
                          ("continuouspantiltmove=15,15", 1.0), ("continuouspantiltmove=0,0", 0.5)):
        c.ptz_command(args)
        way += track(c, seconds)
    return way


def test_D5_recorded_and_played(t):
    c = begin(t)
    t.check("<VersionNumber>1.0<" in c.admin.get(R + "getschemaversions.cgi").text)
    go(c, "pan=-20&tilt=0&zoom=1&speed=100")
    answer = call(c, "record", nicename="Ride & look", defaultloopdelay=7)
    number = int(re.search(r"<RecordSuccess><RecordingId>(\d+)<", answer).group(1))
    t.equal(recorded(c)[number], ("Ride &amp; look", "recording", 60))
    way = record_a_way(c)
    t.check("<GeneralSuccess/>" in call(c, "stoprecording", recordedtourid=number))
    t.equal(recorded(c)[number], ("Ride &amp; look", "stopped", 7))
    go(c, "pan=100&tilt=0&zoom=1&speed=100")
    c.admin.get("/axis-cgi/com/ptzqueue.cgi?control=drop")
    t.check("<GeneralSuccess/>" in call(c, "play", recordedtourid=number, loop="yes"))
    t.equal(recorded(c)[number][1], "playing")
    for _ in range(400):
        s = c.admin.get("/vedette/ptz").json["recordings"][0]["state"]
        if s == "plays":
            break
        c.advance(0.01)
    t.equal(s, "plays")
    again = track(c, len(way) * 0.05 - 0.001)
    worst = 0
    for i, (pan, tilt, zoom) in enumerate(way):
        near = [max(turn(pan, p), abs(tilt - q), abs(zoom - z) / 9999 * 60)
                for p, q, z in again[max(0, i - 2):i + 3]]
        worst = max(worst, min(near, default=0))
    print(f"    farthest from what was recorded, within 100 ms: {worst:.2f} degrees", flush=True)
    t.check(worst < 1, worst)
    # It begins again after its delay, waits for a user and goes on afterwards.
    for _ in range(60):
        c.advance(0.25)
        if c.admin.get("/vedette/ptz").json["recordings"][0]["state"] == "pauses":
            break
    c.advance(7.2)
    t.equal(c.admin.get("/vedette/ptz").json["recordings"][0]["state"] in ("goes", "plays"), True)
    c.advance(3)
    go(c, "pan=0&tilt=0")
    t.equal(c.admin.get("/vedette/ptz").json["recordings"][0]["state"], "waits")
    at = c.position()
    c.advance(30)
    t.equal(c.position(), at)
    c.advance(35)
    t.check(c.position() != at, "it goes on")
    t.check("<GeneralSuccess/>" in call(c, "pause", recordedtourid=number))
    at = c.rest()
    c.advance(30)
    t.equal(c.position(), at, "paused")
    t.check("<GeneralSuccess/>" in call(c, "resume", recordedtourid=number))
    went = [c.advance(1) and c.position() for _ in range(16)]
    t.check(any(p != at for p in went), "it goes on")
    t.check("<GeneralSuccess/>" in call(c, "stopplayback", recordedtourid=number))
    at = c.rest()
    c.advance(60)
    t.equal(c.position(), at)
    t.check("<GeneralSuccess/>" in call(c, "modify", recordedtourid=number, nicename="Other"))
    t.equal(recorded(c)[number], ("Other", "stopped", 7))
    # A guard tour that is started ends it, and the other way round.
    g = tour(c, [2, 3], wait=30)
    call(c, "play", recordedtourid=number)
    run(c, g)
    c.advance(1)
    t.equal((recorded(c)[number][1], state(c, g)["running"]), ("stopped", True))
    call(c, "play", recordedtourid=number)
    c.advance(1)
    t.equal((recorded(c)[number][1], state(c, g)["running"]), ("playing", False))
    t.check("<GeneralSuccess/>" in call(c, "remove", recordedtourid=number))
    t.equal(recorded(c), {})


def test_D5_plays_on_after_a_restart(t):
    with vedette.Camera(clock="sim", source=vedette.SMALL) as c:
        c.setup(users=False)
        number = int(re.search(r"<RecordingId>(\d+)<", call(c, "record")).group(1))
        go(c, "pan=70&speed=20")
        go(c, "pan=0&speed=20")
        call(c, "stoprecording")
        call(c, "play", recordedtourid=number, loop="yes", loopdelay=1)
        c.advance(3)
        c.kill()
        c.start()
        c.advance(0.5)
        t.equal(recorded(c)[number][1], "playing")
        pans = [p for p, _, _ in track(c, 6, 0.2)]
        t.check(max(pans) > 60, pans)
        # A damaged file is told, and the camera is well.
        c.kill()
        for f in pathlib.Path(c.state, "tours").iterdir():
            f.write_bytes(b"vedette recorded tour 1\n0 0 0 nan\n")
        c.start()
        c.advance(1)
        t.equal(recorded(c)[number][1], "stopped")
        t.check("recorded tour 0 ends" in c.log)


def test_D5_bad_input(t):
    c = begin(t)
    for verb, args, code in (("play", {"recordedtourid": 3}, 50), ("play", {}, 30), ("play", {"recordedtourid": "x"}, 20),
                             ("record", {"nicename": "x" * 32}, 20), ("record", {"camera": 2}, 20),
                             ("record", {"recordedtourid": 10}, 50), ("stoprecording", {}, 70),
                             ("stopplayback", {}, 70), ("pause", {}, 70), ("modify", {"recordedtourid": 1}, 50),
                             ("remove", {}, 30), ("play", {"recordedtourid": 0, "loopdelay": -1}, 20)):
        text = call(c, verb, **args)
        t.match(f"<Error><GeneralError><ErrorCode>{code}</ErrorCode>", text, f"{verb} {args}")
    t.check("<ErrorCode>20<" in c.admin.get(R + "list.cgi?schemaversion=9").text)
    for _ in range(10):
        call(c, "record")
        call(c, "stoprecording")
    t.check("<ErrorCode>60<" in call(c, "record"), "ten are enough")
    t.equal(len(recorded(c)), 10)
    call(c, "record", recordedtourid=4, nicename="Anew")
    t.check("<ErrorCode>70<" in call(c, "record", recordedtourid=5), "one at a time")
    call(c, "stoprecording", recordedtourid=4)
    t.equal(recorded(c)[4][0], "Anew")
    for i in range(10):
        call(c, "remove", recordedtourid=i)
    for verb, client, status in (("list", c.viewer, 200), ("play", c.viewer, 403), ("play", c.ptz, 200),
                                 ("record", c.ptz, 403), ("record", c.anon, 401)):
        t.equal(client.get(f"{R}{verb}.cgi?schemaversion=1&recordedtourid=9").status, status, verb)
