"""The truth about what pictures show, lines, areas, exports (row J4)."""
import json
import subprocess

import vedette
import web

SOURCE = "virtual:320x180@10"
TRUTH = "/vedette/stage/truth"
EVENTS = "/vedette/stage/events"

# Everybody's whereabouts can be worked out by hand: m metres a second from second s on.
WALKERS = """scenario walkers
place nowhere
length 60 loop
actor there man walk (-10 30 10 30) speed 2 from 2 spread 0 look 1
actor back woman walk (10 31 -10 31) speed 1 from 5 spread 0 look 1
actor stands dog at 8 30
line middle 0 25  0 35 for person
line far 30 25  30 35
area right 0 25  20 25  20 35  0 35
"""


def camera(t, scenario=WALKERS):
    c = t.camera(clock="sim", source=SOURCE)
    c.setup()
    r = c.admin.post("/vedette/stage/scenario",
                     json.dumps({"text": scenario} if "\n" in scenario else {"name": scenario}),
                     type="application/json")
    t.equal(r.status, 200, r.text)
    return c


def get(c, path, status=200, **args):
    r = c.admin.get(path + ("?" + web.q(**args) if args else ""))
    assert r.status == status, f"{path} {args}: {r}"
    return r.json


def utc(seconds):
    return f"2026-06-21T12:{int(seconds) // 60:02}:{seconds % 60:06.3f}Z"


def test_J4_truth_of_people(t):
    c = camera(t)
    c.advance(5)
    j = get(c, TRUTH)
    t.equal((j["scenario"], j["utc"]), ("walkers", utc(5)))
    o = {x["id"]: x for x in j["objects"]}
    m = o["person-1"]
    t.near(m["world"][0], -10 + 2 * 3, 1e-6)
    t.near(m["world"][1], 30, 1e-6)
    t.equal((m["class"], m["model"]), ("person", "man"))
    t.near(m["speed"], 2, 1e-6)
    t.near(m["heading"], 90, 1e-6)
    t.check(m["visible"] > 0.5 and m["box"][2] > 0 and m["box"][3] > 0, m)
    # Nearer means lower and larger than the same further off.
    box = m["box"]
    t.check(0 < box[0] < 0.5 < box[1] + box[3], box)


def test_J4_lines_and_areas(t):
    c = camera(t)
    c.advance(30)
    j = get(c, TRUTH)
    # The man crosses at 7 s from west to east, the woman at 15 s the other way. Going from
    # south to north along the line the west is to the left.
    lines = {x["name"]: x for x in j["lines"]}
    t.equal(lines["middle"], {"name": "middle", "in": 1, "out": 1})
    t.equal(lines["far"], {"name": "far", "in": 0, "out": 0})
    (area,) = j["areas"]
    t.equal(area["entered"], 3)
    t.equal([(x["id"], x["class"]) for x in area["inside"]], [("dog-1", "dog")])
    t.near(area["inside"][0]["seconds"], 30, 1e-6)
    e = get(c, EVENTS, since=utc(0.5))["events"]
    told = [(x["type"], x["id"], round(x["time_ns"] / 1e9, 1)) for x in e]
    # At 5 s the woman appears in the area; at 12 s the man vanishes from it.
    t.equal(sorted(told), sorted([("enter", "person-2", 5.0), ("line", "person-1", 7.0),
                                  ("enter", "person-1", 7.0), ("leave", "person-1", 12.0),
                                  ("line", "person-2", 15.0), ("leave", "person-2", 15.0)]))
    t.equal([x["time_ns"] for x in e], sorted(x["time_ns"] for x in e))
    by = {(x["type"], x["id"]): x for x in e}
    t.equal((by["line", "person-1"]["direction"], by["line", "person-2"]["direction"]), ("in", "out"))
    t.near(by["line", "person-1"]["world"][0], 0, 0.01)
    t.near(by["leave", "person-2"]["seconds"], 10, 0.1)
    # The second round has others, and counts go on.
    c.advance(60)
    j = get(c, TRUTH)
    t.equal({x["name"]: (x["in"], x["out"]) for x in j["lines"]}["middle"], (2, 2))
    ids = {x["id"] for x in get(c, EVENTS, since=utc(60), to=utc(90))["events"]}
    t.equal(ids, {"person-3", "person-4"})


def test_J4_events_in_parts(t):
    c = camera(t)
    c.advance(20)
    whole = get(c, EVENTS, since=utc(0.5))
    parts, since = [], 500000000
    for _ in range(10):
        j = get(c, EVENTS, since_ns=since, limit=2)
        parts += j["events"]
        since = j["next_ns"]
        if not j["more"]:
            break
    t.equal(parts, whole["events"])
    t.equal(whole["more"], False)
    t.equal(get(c, EVENTS, since=utc(0.5), to=utc(6))["events"], whole["events"][:1])


def test_J4_instants(t):
    """What is told ahead is what comes, unless somebody does something."""
    c = camera(t)
    c.advance(1)
    j = get(c, TRUTH, **{"from": utc(4), "to": utc(6), "fps": 2})
    t.equal((j["width"], j["height"], len(j["frames"])), (320, 180, 5))
    t.equal([f["utc"] for f in j["frames"]], [utc(4 + k / 2) for k in range(5)])
    xs = [next(o for o in f["objects"] if o["id"] == "person-1")["world"][0] for f in j["frames"]]
    for k, x in enumerate(xs):
        t.near(x, -10 + 2 * (2 + k / 2), 1e-6)
    c.advance(3)
    now = get(c, TRUTH)
    t.equal(now["objects"], j["frames"][0]["objects"])
    r = c.admin.post("/vedette/stage/spawn", json.dumps({"who": "man at 2 29"}),
                     type="application/json")
    t.equal(r.status, 200, r.text)
    ids = [o["id"] for o in get(c, TRUTH, **{"from": utc(5), "to": utc(5)})["frames"][0]["objects"]]
    t.check(r.json["id"] in ids, ids)
    # A picture that was taken is told with its number and the pose it was taken from.
    with c.ticking():
        stamp = vedette.stamp(c.snapshot())
    shot = get(c, TRUTH, serial=stamp["serial"])
    (f,) = get(c, TRUTH, **{"from": shot["utc"], "to": shot["utc"]})["frames"]
    t.equal((f["serial"], f["pose"]), (shot["serial"], shot["pose"]))
    t.check(f["serial"] > 0)


def test_J4_truth_refusals(t):
    c = t.shared()
    late = "2026-06-21T20:00:00Z"
    for path, args in ((TRUTH, {"from": "yesterday"}), (TRUTH, {"to": "x"}),
                       (TRUTH, {"from": "2026-06-21T12:00:01Z", "to": "2026-06-21T12:00:00Z"}),
                       (TRUTH, {"from": "2020-01-01T00:00:00Z"}), (TRUTH, {"to": late}),
                       (TRUTH, {"from": utc(0), "to": utc(61), "fps": 10}),
                       (TRUTH, {"from": utc(0), "fps": 0}), (TRUTH, {"from": utc(0), "fps": "nan"}),
                       (EVENTS, {"since": "x"}), (EVENTS, {"to": late}), (EVENTS, {"limit": 0}),
                       (EVENTS, {"limit": 2001}), (EVENTS, {"since_ns": -1}),
                       (EVENTS, {"since": utc(20), "to": utc(10)}), (TRUTH, {"time": "1e11"}),
                       (TRUTH, {"from": "1e11"}), (TRUTH, {"to": "9.3e9"}), (EVENTS, {"to": "1e10"})):
        t.check(len(get(c, path, 400, **args)["error"]) > 10, args)
    for client, status in ((c.anon, 401), (c.viewer, 403), (c.operator, 403)):
        for path in (TRUTH + "?" + web.q(**{"from": utc(0)}), EVENTS):
            t.equal(client.get(path).status, status)


def test_J4_questions_in_a_row(t):
    """Many at once, some sent before the answer to the one before, some left alone."""
    c = camera(t)
    c.advance(3)
    clients = [c.client(*vedette.ADMIN) for _ in range(4)]
    for client in clients:
        t.equal(client.get(TRUTH).status, 200)
    for client in clients:
        client.conn.send(b"".join(
            web.request_bytes("GET", TRUTH, headers=client.authorization("GET", TRUTH))
            for _ in range(15)))
    clients[3].close()
    for client in clients[:3]:
        for _ in range(15):
            r = client.conn.reply()
            t.equal((r.status, r.json["utc"]), (200, utc(3)))
    t.equal(get(c, TRUTH)["utc"], utc(3))


def test_J4_feed(t):
    """Over the WebSocket: each new picture's truth, for administrators."""
    c = camera(t)
    ws, other = c.websocket("/vedette/ws"), c.websocket("/vedette/ws", client=c.operator)

    def answer(ws, request):
        ws.send(json.dumps(request))
        while True:
            j = json.loads(ws.receive())
            if j.get("id") == request["id"]:
                return j

    no = answer(other, {"id": 1, "do": "watch", "truth": True})
    t.equal((no["ok"], no["error"]["kind"]), (False, "denied"))
    t.equal(answer(ws, {"id": 1, "do": "watch", "truth": 1})["ok"], False)
    t.equal(answer(ws, {"id": 2, "do": "watch", "truth": True})["ok"], True)
    seen = []
    with c.ticking(0.1):
        while len(seen) < 3:
            j = json.loads(ws.receive())
            if j["type"] == "truth":
                seen.append(j)
    t.check(seen[0]["time_ns"] < seen[1]["time_ns"] < seen[2]["time_ns"])
    t.equal([x["name"] for x in seen[0]["lines"]], ["middle", "far"])
    t.check("objects" in seen[0])
    t.equal(answer(ws, {"id": 3, "do": "watch", "truth": False})["ok"], True)


def test_J4_shipped_scenarios(t):
    """Each can be played, and what its lines are for happens."""
    c = t.camera(clock="sim", source=SOURCE)
    c.setup(users=False)
    names = [s["name"] for s in get(c, "/vedette/stage/scenarios")["scenarios"]]
    t.check({"default", "quiet-night", "crowd", "hall-rush", "tracking-walk"} <= set(names), names)
    t.check(len(names) >= 15, names)
    for name in ("line-crossers", "parcel-left", "loiterer"):
        r = c.admin.post("/vedette/stage/scenario", json.dumps({"name": name}),
                         type="application/json")
        t.equal(r.status, 200, r.text)
        c.advance(170)
        j = get(c, TRUTH)
        if name == "line-crossers":
            for line in j["lines"]:
                t.check(line["in"] + line["out"] > 0, line)
        elif name == "parcel-left":
            inside = {x["class"]: x for x in j["areas"][0]["inside"]}
            t.near(inside["parcel"]["seconds"], 170 - 51.5, 0.01)
        else:
            t.check(any(x["seconds"] > 150 for x in j["areas"][0]["inside"]), j["areas"])


def tool(c, *args):
    return subprocess.run([vedette.ROOT / vedette.BUILDS[c.build] / "cli/vedettectl",
                           "-H", f"127.0.0.1:{c.http}", "-u", ":".join(vedette.ADMIN), *args],
                          capture_output=True, text=True, env=vedette.environment(), timeout=120)


def test_J4_exports(t):
    c = camera(t)
    d = t.dir()
    p = tool(c, "truth", "--format", "mot", "--seconds", "3", "--fps", "2", "--from", utc(5))
    t.equal(p.returncode, 0, p.stderr)
    rows = [line.split(",") for line in p.stdout.splitlines()]
    t.equal({r[0] for r in rows}, {str(k) for k in range(1, 7)})
    truth = get(c, TRUTH, **{"from": utc(5), "to": utc(5), "fps": 2})["frames"][0]["objects"]
    first = [[float(x) for x in r] for r in rows if r[0] == "1"]
    t.equal(len(first), len([o for o in truth if o["viewBox"]]))
    for row, o in zip(first, truth):
        x, y, w, h = o["viewBox"]
        for got, want in zip(row[2:6], (x * 320 + 1, y * 180 + 1, w * 320, h * 180)):
            t.near(got, want, 0.006)
        t.equal(row[6:8], [1, {"person": 1, "dog": 8}[o["class"]]])
        t.near(row[8], o["visible"], 0.001)
    p = tool(c, "truth", "--format", "coco", "--seconds", "2", "--fps", "2", "--from", utc(5),
             "--resolution", "160x90", "--out", str(d / "coco.json"))
    t.equal(p.returncode, 0, p.stderr)
    j = json.loads((d / "coco.json").read_text())
    t.equal([(i["id"], i["width"], i["height"]) for i in j["images"]],
            [(k, 160, 90) for k in range(1, 5)])
    known = {x["id"] for x in j["categories"]}
    t.check(j["annotations"])
    t.equal(len({a["id"] for a in j["annotations"]}), len(j["annotations"]))
    for a in j["annotations"]:
        t.check(a["category_id"] in known and 1 <= a["image_id"] <= 4, a)
        x, y, w, h = a["bbox"]
        t.check(0 <= x and x + w <= 160.01 and 0 <= y and y + h <= 90.01, a)
        t.near(a["area"], w * h, 1e-6)
    tracks = {a["track_name"]: a["track_id"] for a in j["annotations"]}
    t.check("person-1" in tracks and len(set(tracks.values())) == len(tracks), tracks)
    p = tool(c, "truth", "--seconds", "0.3", "--fps", "20")  # time stands still: one picture
    t.equal(len([json.loads(line) for line in p.stdout.splitlines()]), 1)
    for words, code in ((["--format", "xml"], 2), (["--format", "mot"], 2), (["--fps", "0"], 2),
                        (["--seconds"], 2), (["--from", "noon", "--seconds", "1"], 2),
                        (["--format", "mot", "--seconds", "1", "--out", "/nonexistent/x"], 4),
                        (["--format", "mot", "--seconds", "1", "--from", "2020-01-01T00:00:00Z"], 1)):
        t.equal(tool(c, "truth", *words).returncode, code, words)
