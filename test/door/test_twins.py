"""One seed, two kinds of machine: with the inner loops for AVX2 and with those in plain C (and a
mathematical library that knows no FMA either, whose last bits differ) the camera takes the same
pictures, bit for bit, and tells the same truth (issue 3, "must show" 2)."""
import json
import re

import vedette

STAGE = "/vedette/stage"
STREAM = "/axis-cgi/mjpg/video.cgi?resolution=480x270&compression=0"  # as good as JPEG can be
STEPS = 3  # pictures after each thing that is done

# What is done, one after the other: people, moves, weather, night, paint, a blow.
DAY = [{"ptz": "pan=10&tilt=-9"}, {"ptz": "continuouspantiltmove=40,-5"},
       {"ptz": "continuouspantiltmove=0,0&rzoom=800"}, {"do": ["weather storm 0s", "wind 9 0s"]},
       {"do": ["lens spray 0.3 0s", "hour 19.8"]}, {"ptz": "pan=-30&tilt=-5&zoom=1"},
       {"do": ["weather snow 0s", "visibility 150 0s"]}]
NIGHT = [{"do": ["hour 23", "weather rain 0s", "rain 12 0s"]}, {"ptz": "pan=35&tilt=-8&zoom=900"},
         {"do": ["ir on", "lens blur 0.2 0s"]}, {"ptz": "continuouspantiltmove=-25,4"},
         {"do": ["lens clean", "knock 8"]}, {"ptz": "continuouspantiltmove=0,0"},
         {"do": ["shake 0.2 2s", "speed 3600"]}]


NEW = {"VEDETTE_KERNELS": "best"}
OLD = {"VEDETTE_KERNELS": "plain", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"}


def run(t, machine, scenario, deeds):
    c = t.camera(clock="sim", seed=7, source="virtual:480x270@10", env=machine)
    c.setup(users=False)
    name = re.search(r"inner loops: (\w+)", c.log).group(1)
    r = c.admin.post(STAGE + "/scenario", json.dumps({"name": scenario}), type="application/json")
    t.equal(r.status, 200, r)
    c.advance(40)
    client = c.client(*vedette.ADMIN)
    client.get("/axis-cgi/usergroup.cgi")
    client.send("GET", STREAM, headers=client.authorization("GET", STREAM))
    client.conn.until(b"\r\n\r\n")
    found = {}

    def picture():
        c.advance(0.1)
        head = client.conn.until(b"\r\n\r\n")
        jpeg = client.conn.exactly(int(re.search(rb"Content-Length: (\d+)", head).group(1)))
        serial = vedette.stamp(jpeg)["serial"]
        found[serial] = jpeg, c.admin.get(f"{STAGE}/truth?serial={serial}").text

    picture()  # the stream runs
    for deed in deeds:
        if "ptz" in deed:
            c.ptz_command(deed["ptz"])
        else:
            r = c.admin.post(STAGE, json.dumps(deed), type="application/json")
            t.equal(r.status, 200, r)
        for _ in range(STEPS):
            picture()
    c.stop()
    return name, found


def alike(t, scenario, deeds):
    names, runs = zip(*(run(t, m, scenario, deeds) for m in (NEW, OLD)))
    t.equal(names[1], "plain")
    if names[0] == "plain":
        t.skip("this machine has no AVX2")
    t.equal(sorted(runs[0]), sorted(runs[1]))
    t.equal(len(runs[0]), 1 + STEPS * len(deeds))
    t.check(len({jpeg for jpeg, _ in runs[0].values()}) == len(runs[0]), "pictures differ in time")
    told = 0
    for serial, (jpeg, truth) in runs[0].items():
        t.check(jpeg == runs[1][serial][0], f"{scenario}: picture {serial} differs")
        t.equal(truth, runs[1][serial][1], serial)
        told += len(json.loads(truth)["objects"])
    t.check(told > STEPS * len(deeds), told, "objects")


def test_J4_twins_by_day(t):
    alike(t, "busy-noon", DAY)


test_J4_twins_by_day.seconds = 240


def test_J4_twins_at_night(t):
    alike(t, "rain-headlights", NIGHT)


test_J4_twins_at_night.seconds = 240
