"""The control queue: groups, priorities, time-outs, who holds it (row D7)."""
import json
import re

SHARED = {"clock": "sim"}
Z = "/axis-cgi/com/ptz.cgi"
QUEUE = "/axis-cgi/com/ptzqueue.cgi"
U = "PTZ.UserCtlQueue.U"
BOTH = ("ann", "annPass.55", "viewer:ptz")


def queue(c, client, control="query"):
    """(place, seconds, poll)"""
    r = client.get(f"{QUEUE}?control={control}")
    assert r.status == 200 and r.get("content-type").split(";")[0] == "text/html", r
    return tuple(int(v) for v in re.findall(r'<a name="(-?\d+)"></a>', r.text))


def moves(client, args="rpan=1"):
    """True, or the error's text."""
    r = client.get(f"{Z}?{args}")
    return True if r.status == 204 else r.text


def begin(t, on=True):
    c = t.shared()
    if "ann" not in c.admin.get("/axis-cgi/pwdgrp.cgi?action=get").text:
        c.admin.get(f"/axis-cgi/pwdgrp.cgi?action=add&user={BOTH[0]}&pwd={BOTH[1]}&grp=users&sgrp={BOTH[2]}")
    c.update("PTZ.Various.V1.CtlQueueing", "false")
    for client in (c.admin, c.ptz):
        queue(c, client, "drop")
    c.advance(61)  # whoever had control before, by whatever cookie
    if on:
        c.update("PTZ.Various.V1.CtlQueueing", "true")
    return c, c.client(*BOTH[:2])


def test_D7_off_by_default(t):
    c, ann = begin(t, on=False)
    t.equal(c.param("PTZ.Various.V1.CtlQueueing"), "false")
    t.check(moves(c.ptz) is True)
    t.check(moves(ann) is True)
    t.check(moves(c.admin) is True)
    t.check(moves(ann) is True, "the last who moves, moves")
    for name, value in (("U0.UserGroup", "Administrator"), ("U0.Priority", "10"), ("U2.TimeoutType", "timespan"),
                        ("U4.UserGroup", "Guardtour"), ("U4.TimeoutType", "infinity"), ("U6.Priority", "1")):
        t.equal(c.param("PTZ.UserCtlQueue." + name), value, name)
    t.equal(queue(c, ann, "drop")[0], 0)


def test_D7_equals_wait_their_turn(t):
    c, ann = begin(t)
    t.check(moves(c.ptz) is True)
    t.equal(queue(c, c.ptz)[0], 1)
    t.match("^Error:.*paul, Viewer", moves(ann))
    place = c.rest()
    t.equal(queue(c, ann), (0, -1, 20))
    first = queue(c, ann, "request")
    t.equal(first[0], 2)
    t.check(50 <= first[1] <= 60, first)
    t.match("^Error:", moves(ann, "move=home"))
    t.equal(c.position(), place, "who waits does not move")
    # A viewer's timespan of 60 s is over, whatever it did meanwhile; who waits asks now and then.
    for _ in range(4):
        c.advance(15)
        queue(c, ann)
    t.equal(queue(c, ann)[0], 1)
    t.check(moves(ann) is True)
    t.match("^Error:.*ann", moves(c.ptz))
    t.equal(queue(c, ann, "drop")[0], 0)
    t.check(moves(c.ptz) is True)


def test_D7_the_stronger_takes_over(t):
    c, ann = begin(t)
    t.check(moves(ann) is True)
    t.check(moves(c.admin) is True, "administrator 10 before viewer 50")
    t.equal(queue(c, c.admin)[0], 1)
    t.equal(queue(c, ann)[0], 2)
    t.match("^Error:.*root, Administrator", moves(ann))
    # Activity: 60 s after its last move, not after its first.
    c.advance(15)
    queue(c, ann)
    t.check(moves(c.admin) is True)
    for _ in range(3):
        c.advance(19)
        queue(c, ann)
    t.equal(queue(c, ann)[0], 2)
    c.advance(5)
    t.equal(queue(c, ann)[0], 1)
    t.check(moves(ann) is True)
    # Priorities are parameters.
    t.equal(c.update(U + "0.Priority", "90").text, "OK\n")
    t.match("^Error:.*ann, Viewer", moves(c.admin))
    t.equal(c.update(U + "0.Priority", "10").text, "OK\n")
    for name, value in (("0.Priority", "0"), ("0.Priority", "101"), ("0.TimeoutTime", "0"), ("0.TimeoutTime", "3601"),
                        ("0.TimeoutType", "maybe")):
        t.check("Error" in c.update(U + name, value).text, name, value)


def test_D7_who_does_not_ask_loses_its_place(t):
    c, ann = begin(t)
    t.check(moves(c.admin) is True)
    t.equal(queue(c, ann, "request")[0], 2)
    c.advance(30)
    t.equal(queue(c, ann)[0], 2)
    t.check(moves(c.admin) is True)
    c.advance(45)  # 2 × 20 s of poll time and one more are over
    t.equal(queue(c, ann)[0], 0)


def test_D7_limit_and_nonsense(t):
    c, ann = begin(t)
    t.equal(c.update("PTZ.Various.V1.CtlQueueLimit", "1").text, "OK\n")
    t.check(moves(c.ptz) is True)
    r = ann.get(QUEUE + "?control=request")
    t.match("^Error:.*full", r.text)
    c.update("PTZ.Various.V1.CtlQueueLimit", "20")
    for args in ("", "?control=grab", "?control=", "?control=query&camera=7"):
        t.match("^Error:", ann.get(QUEUE + args).text, args)
    for client, status in ((c.anon, 401), (c.viewer, 403), (c.operator, 403)):
        t.equal(client.get(QUEUE + "?control=query").status, status)


def test_D7_every_door_passes(t):
    c, ann = begin(t)
    ws = c.websocket("/vedette/ws", ann)
    hello = json.loads(ws.receive())
    t.equal(hello["type"], "hello")

    def ask(**q):
        ws.send(json.dumps({"id": 1, **q}))
        while True:
            m = json.loads(ws.receive())
            if m.get("id") == 1:
                return m

    t.check(ask(do="watch", ptz=True)["ok"])
    t.check(moves(c.admin) is True)
    place = c.rest()
    ann2 = c.client(*BOTH[:2])
    for q in ({"do": "move", "pan": 1}, {"do": "stop"}, {"do": "goto", "pan": 50}, {"do": "relative", "pan": 5},
              {"do": "center", "x": 0.2, "y": 0.2}, {"do": "home"}, {"do": "preset", "go": 1},
              {"do": "eye", "focus": 0.5}):
        r = ask(**q)
        t.check(not r["ok"] and r["error"]["kind"] == "busy" and "root" in r["error"]["text"], q, r)
    t.match("^Error:", moves(ann2, "focus=5000"))
    t.match("^Error:", moves(ann2, "gotoserverpresetno=1"))
    t.equal(c.position(), place)
    # The socket tells who controls, and gets its turn when asked for.
    t.check(ask(do="control", request=True)["ok"])
    c.advance(0.3)
    for _ in range(100):
        m = json.loads(ws.receive())
        if m["type"] == "ptz" and m["control"]["position"] == 2:
            break
    t.equal((m["control"]["on"], m["control"]["user"], m["control"]["group"]), (True, "root", "Administrator"))
    queue(c, c.admin, "drop")
    t.check(ask(do="goto", pan=12)["ok"])
    t.near(c.rest()["pan"], 12, 0.01)
    t.check(ask(do="control", drop=True)["ok"])
    t.equal(ask(do="control", request="yes")["ok"], False)
    c.update("PTZ.Various.V1.CtlQueueing", "false")


def test_D7_people_of_one_account_are_told_apart(t):
    c, _ = begin(t)
    t.equal([c.param(f"PTZ.UserCtlQueue.U{n}.UseCookie") for n in (0, 2, 4)], ["yes", "yes", "no"])
    one, two = c.client(*BOTH[:2]), c.client(*BOTH[:2])

    def ask(client, target, cookie=None):
        return client.get(target, headers=[("Cookie", "other=1; " + cookie)] if cookie else [])

    r = ask(one, Z + "?rpan=1")
    t.equal(r.status, 204)
    t.match(r"^ptz_queue=[0-9a-f]{32}; Path=/axis-cgi/; HttpOnly; SameSite=Strict$", r.get("set-cookie"))
    mine = r.get("set-cookie").split(";")[0]
    r = ask(one, Z + "?rpan=1", mine)  # known by its cookie from now on, and still in control
    t.equal((r.status, r.get("set-cookie")), (204, None))
    r = ask(two, Z + "?rpan=1")  # the same account and address, without it
    t.match("^Error: ?ann, Viewer, at another place, controls", r.text)
    theirs = ask(two, QUEUE + "?control=request").get("set-cookie").split(";")[0]
    t.check('<a name="2">' in ask(two, QUEUE + "?control=query", theirs).text)
    t.check('<a name="1">' in ask(one, QUEUE + "?control=query", mine).text)
    t.equal(ask(one, QUEUE + "?control=drop", mine).status, 200)
    t.check('<a name="1">' in ask(two, QUEUE + "?control=query", theirs).text)
    t.equal(ask(two, Z + "?rpan=1", theirs).status, 204)
    for bad in ("ptz_queue=", "ptz_queue=xyz", "ptz_queue=" + "0" * 31, "ptz_queue=" + "0" * 90):
        r = ask(one, QUEUE + "?control=query", bad)  # as good as none
        t.check('<a name="0">' in r.text and r.get("set-cookie"), bad)
    # whoever keeps no cookies is known by the address, and goes on
    ask(two, QUEUE + "?control=drop", theirs)
    for _ in range(3):
        t.equal(ask(one, Z + "?rpan=1").status, 204)
    ask(one, QUEUE + "?control=drop")
    c.update("PTZ.Various.V1.CtlQueueing", "false")
    t.equal(ask(one, Z + "?rpan=1").get("set-cookie"), None, "none where nobody queues")


def test_D7_owner_is_an_event(t):
    c, ann = begin(t)
    ws = c.websocket("/vedette/ws")
    t.check(moves(ann) is True)
    t.check(moves(c.admin) is True)
    queue(c, c.admin, "drop")
    queue(c, ann, "drop")
    owners = []
    while owners[-4:] != ["ann", "root", "ann", ""]:
        m = json.loads(ws.receive())
        if m.get("topic") == "PTZController/ControlQueue":
            t.equal(m["source"], {"PTZConfigurationToken": "1"})
            owners.append(m["data"]["queue_owner"])
    c.update("PTZ.Various.V1.CtlQueueing", "false")
