"""Faults on purpose (issue 3): each is switched on, seen by a client, and over by itself or
by word. In simulated time: what is late is late to the tick."""
import json
import re

import pictures
import rtsp
import vedette
import web

SHARED = {"clock": "sim", "source": "virtual:320x180@30"}
PATH = "/vedette/stage/faults"
STEP = 1 / 30
SMALL = "/axis-media/media.amp?resolution=320x180"
GROUP = "/axis-cgi/usergroup.cgi"


def fault(c, kind, **args):
    r = c.admin.post(PATH, json.dumps({"kind": kind, **args}), type="application/json")
    assert r.status == 200, r
    return r.json["id"]


def off(c, number=None):
    r = c.admin.call("DELETE", PATH + (f"?id={number}" if number else ""))
    assert r.status == 200, r
    return r.json["ended"]


def state(c):
    r = c.admin.get(PATH)
    assert r.status == 200, r
    return r.json


def over(t, c):
    t.equal(state(c)["faults"], [], "it ends by itself")


def asked(c, target, user=vedette.ADMIN):
    """A client who has logged in and just sent this; what comes is for the test to see."""
    client = c.client(*user)
    r = client.get(GROUP)
    assert r.status == 200, r
    client.send("GET", target, headers=client.authorization("GET", target))
    # Who is answered at once is answered by now: the camera hears in the order of asking.
    state(c)
    return client


def came(client):
    """Bytes that have come so far."""
    client.conn.sock.setblocking(False)
    try:
        while True:
            client.conn.fill()
    except (BlockingIOError, web.Closed):
        pass
    client.conn.sock.settimeout(30)
    return len(client.conn.buf)


def shot(c, args="resolution=320x180&compression=0"):
    """(stamp, grey pixels) of a new picture."""
    c.advance(STEP)
    jpeg = c.snapshot(args)
    return vedette.stamp(jpeg), pictures.gray(jpeg)[2]


def tick(c):
    return int(state(c)["now"] * 30 + 0.01)


# The list

def test_I8_faults_are_told(t):
    c = t.shared()
    kinds = state(c)["kinds"]
    t.check(len(kinds) >= 15, len(kinds))
    text = (vedette.ROOT / "docs/faults.md").read_text()
    for k in kinds:
        t.check(f"`{k['name']}`" in text, f"docs/faults.md does not speak of {k['name']}")
        for a in k["arguments"]:
            t.check(a["doc"] and f"`{a['name']}`" in text, k["name"], a)
    a = fault(c, "net-slow", bytesPerSecond=1e6, path="/nothing/*")
    b = fault(c, "source-freeze", seconds=2, **{"in": 3})
    first, second = state(c)["faults"]
    t.equal((first["id"], first["on"], first["until"], first["bytesPerSecond"], first["path"]),
            (a, True, None, 1e6, "/nothing/*"))
    t.equal((second["id"], second["on"]), (b, False))
    t.near(second["until"] - second["from"], 2, 1e-6)
    c.advance(3.5)
    t.equal([f["on"] for f in state(c)["faults"]], [True, True])
    c.advance(2)
    t.equal([f["id"] for f in state(c)["faults"]], [a])
    t.equal(c.admin.call("DELETE", f"{PATH}?id={b}").status, 404)
    t.equal(off(c, a), 1)
    t.equal(off(c), 0)


def test_I8_faults_are_refused(t):
    c = t.shared()
    for bad in ("", "[]", "{}", '{"kind":5}', '{"kind":"source-eaten"}',
                '{"kind":"source-freeze","percent":5}', '{"kind":"source-drop","percent":0}',
                '{"kind":"source-drop","percent":101}', '{"kind":"source-late","ms":6000}',
                '{"kind":"net-delay","ms":-1}', '{"kind":"net-delay","ms":"5"}',
                '{"kind":"net-delay","seconds":0}', '{"kind":"net-delay","seconds":1e99}',
                '{"kind":"net-delay","in":-1}', '{"kind":"net-cut","reset":1}',
                '{"kind":"net-cut","path":"axis-cgi"}', '{"kind":"net-cut","path":"/\\u0007"}',
                json.dumps({"kind": "net-cut", "path": "/" + "a" * 95})):
        r = c.admin.post(PATH, bad, type="application/json")
        t.equal(r.status, 400, bad)
        t.check(r.json["error"], bad)
    r = c.admin.post(PATH, '{"kind":"source-freeze","seconds":1e9}', type="application/json")
    t.equal(r.json["error"], "seconds is 0.001 to 31622400.")
    for bad in ("0", "x", "-1", "1e3"):
        t.equal(c.admin.call("DELETE", f"{PATH}?id={bad}").status, 400, bad)
    for who in (c.operator, c.viewer):
        t.equal(who.get(PATH).status, 403)
        t.equal(who.post(PATH, '{"kind":"source-freeze"}', type="application/json").status, 403)
        t.equal(who.call("DELETE", PATH).status, 403)
    numbers = [fault(c, "net-length", path="/nothing") for _ in range(32)]
    t.equal(len(set(numbers)), 32)
    t.equal(c.admin.post(PATH, '{"kind":"net-length"}', type="application/json").status, 409)
    t.equal(off(c), 32)
    over(t, c)


# The source

def test_I8_source_freeze(t):
    c = t.shared()
    _, before = shot(c)
    fault(c, "source-freeze", seconds=1)
    stamps, frozen = zip(*[shot(c) for _ in range(3)])
    t.check(frozen[0] != before and frozen[0] == frozen[1] == frozen[2], "the picture stands still")
    serials = [s["serial"] for s in stamps]
    t.check(serials[0] < serials[1] < serials[2] and len({s["utc"] for s in stamps}) == 3, stamps)
    # the truth is that of the frozen picture
    was = [c.truth(serial=s) for s in serials]
    t.equal(was[0]["objects"], was[2]["objects"])
    t.equal(was[2]["serial"], serials[2])
    c.advance(1)
    over(t, c)
    t.check(shot(c)[1] != shot(c)[1], "it moves again")


def test_I8_source_lost(t):
    c = t.shared()
    _, before = shot(c)
    fault(c, "source-lost", seconds=1)
    c.advance(STEP)
    lost = pictures.gray(c.snapshot("resolution=320x180"))[2]
    differs = sum(abs(a - b) for a, b in zip(before, lost)) / len(lost)
    t.check(differs > 15, f"no placeholder: {differs:.1f}")
    c.advance(1)
    over(t, c)
    differs = sum(abs(a - b) for a, b in zip(before, shot(c)[1])) / len(lost)
    t.check(differs < 15, f"still the placeholder: {differs:.1f}")


def test_I8_source_drop(t):
    c = t.shared()
    s = c.rtsp_client(SMALL)
    with c.ticking():
        s.start()
        s.unit()
        number = fault(c, "source-drop", percent=50)
        s.unit()
        serials = [pictures.sei_stamp(s.unit()[1])["serial"] for _ in range(40)]
        off(c, number)
        for _ in range(3):
            s.unit()
        after = [pictures.sei_stamp(s.unit()[1])["serial"] for _ in range(10)]
    share = 39 / (serials[-1] - serials[0])
    t.check(0.3 < share < 0.7, f"{share:.2f} of the pictures came", serials)
    t.equal({b - a for a, b in zip(after, after[1:])}, {1})
    s.close()


def test_I8_source_late(t):
    c = t.shared()

    def age():
        stamp, _ = shot(c)
        return tick(c) - stamp["serial"]
    t.check(age() <= 1)
    fault(c, "source-late", ms=1000, seconds=4)
    ages = [age() for _ in range(31)]  # what was taken already does not come again
    t.check(ages == sorted(ages) and ages[-1] >= 29, ages)
    t.check(30 <= age() <= 31 and 30 <= age() <= 31)
    c.advance(4)
    over(t, c)
    t.check(age() <= 1)


def test_I8_source_torn(t):
    """The torn picture's upper part is of its own time, the lower part of the one before:
    beside the same camera, unbroken."""
    def series(broken):
        c = t.camera(**SHARED)
        c.setup(users=False)
        if broken:
            fault(c, "source-torn", percent=100, seconds=100)
        found = {}
        client = c.client(*vedette.ADMIN)
        target = "/axis-cgi/mjpg/video.cgi?resolution=320x180&compression=0"
        client.get(GROUP)
        client.send("GET", target, headers=client.authorization("GET", target))
        client.conn.until(b"\r\n\r\n")
        for _ in range(8):  # step by step: whoever reads slowly loses pictures
            c.advance(STEP)
            head = client.conn.until(b"\r\n\r\n")
            n = int(re.search(rb"Content-Length: (\d+)", head, re.I).group(1))
            jpeg = client.conn.exactly(n)
            found[vedette.stamp(jpeg)["serial"]] = pictures.gray(jpeg)
        c.stop()
        return found

    whole, torn = series(False), series(True)
    both = [s for s in torn if s in whole and s - 1 in whole]
    t.check(len(both) >= 4, sorted(whole), sorted(torn))
    seams = []
    for s in both[1:]:  # the first has nothing before it
        w, h, pixels = torn[s]
        own, before = whole[s][2], whole[s - 1][2]
        rows = range(0, h, 1)
        top = [pixels[y * w:(y + 1) * w] == own[y * w:(y + 1) * w] for y in rows]
        low = [pixels[y * w:(y + 1) * w] == before[y * w:(y + 1) * w] for y in rows]
        seam = top.index(False)
        seams.append(seam)
        t.check(h * 0.1 < seam < h * 0.9, seam)
        t.check(all(low[seam + 17:]), f"{s}: not the picture before, below {seam}")
    t.check(len(set(seams)) > 1, seams)


# The head

def moved(c, seconds=0.6):
    a = c.position()["pan"]
    c.ptz_command("continuouspantiltmove=30,0")
    c.advance(seconds)
    b = c.position()["pan"]
    c.ptz_command("move=stop")
    c.rest()
    return (b - a + 540) % 360 - 180


def test_I8_head_slow(t):
    c = t.shared()
    usual = moved(c)
    fault(c, "head-slow", percent=20, seconds=20)
    slow = moved(c)
    t.check(usual > 5, usual)
    t.near(slow / usual, 0.2, 0.03)
    c.advance(21)
    over(t, c)
    t.near(moved(c), usual, 0.3)


def test_I8_head_stuck_and_failing(t):
    c = t.shared()
    for kind in ("head-stuck", "head-fails"):
        c.ptz_command("pan=0")
        c.rest()
        c.ptz_command("continuouspantiltmove=20,0")
        c.advance(0.5)
        fault(c, kind, seconds=10)
        was = c.rest()
        t.check(was["pan"] > 1, was)
        r = c.admin.get("/axis-cgi/com/ptz.cgi?pan=90")
        if kind == "head-stuck":
            t.equal(r.status, 204)
        else:
            t.match("^Error", r.text)
        c.advance(2)
        t.equal(c.position(), was, kind)
        c.advance(9)
        over(t, c)
        c.ptz_command("pan=90")
        t.near(c.rest()["pan"], 90, 0.01)
    c.ptz_command("pan=0&tilt=0&zoom=1")
    c.rest()


# The clock

def test_I8_clock_wrong(t):
    c = t.shared()

    def hour():
        return c.admin.json("/axis-cgi/time.cgi", "getDateTimeInfo")["data"]["dateTime"][:13]
    right = hour()
    was = shot(c)[0]["utc"]
    fault(c, "clock-wrong", offset=-86400 * 365, seconds=5)
    t.check(hour() != right and hour()[:4] == str(int(right[:4]) - 1), hour())
    t.equal(shot(c)[0]["utc"][:4], str(int(was[:4]) - 1))
    c.advance(6)
    over(t, c)
    t.equal(hour()[:10], right[:10])
    # set right by hand in the meantime, it stays right
    fault(c, "clock-wrong", offset=7200, seconds=5)
    r = c.admin.json("/axis-cgi/time.cgi", "setDateTime", {"dateTime": "2026-07-01T00:00:00Z"})
    t.check("error" not in r, r)
    c.advance(6)
    t.equal(hour(), "2026-07-01T00")
    # two at a time add up, and leave nothing behind, in whichever order they end
    for first, second in ((5, 10), (10, 5)):
        fault(c, "clock-wrong", offset=86400, seconds=first)
        fault(c, "clock-wrong", offset=86400 * 10, seconds=second)
        t.equal(hour(), "2026-07-12T00")
        c.advance(7)
        t.equal(hour(), "2026-07-11T00" if second == 10 else "2026-07-02T00")
        c.advance(5)
        over(t, c)
        t.equal(hour(), "2026-07-01T00")
    # together not farther than one alone
    fault(c, "clock-wrong", offset=2e9, seconds=5)
    r = c.admin.post(PATH, '{"kind":"clock-wrong","offset":1}', type="application/json")
    t.equal(r.status, 409)
    c.advance(6)
    over(t, c)
    t.equal(hour(), "2026-07-01T00")


# The network

def test_I8_net_delay(t):
    c = t.shared()
    fault(c, "net-delay", ms=700, path="/axis-cgi/*", seconds=60)
    with c.ticking():
        client = c.client(*vedette.ADMIN)
        t.equal(client.get(GROUP).status, 200)
    client.send("GET", GROUP, headers=client.authorization("GET", GROUP))
    state(c)
    c.advance(0.69)
    t.equal(came(client), 0, "too early")
    c.advance(0.02)
    t.check(came(client) > 0, "too late")
    t.equal(client.conn.reply().status, 200)
    # who says goodbye at once gets the answer nevertheless
    client.send("GET", GROUP, headers=[*client.authorization("GET", GROUP), ("Connection", "close")])
    state(c)
    c.advance(0.69)
    t.equal(came(client), 0)
    c.advance(0.5)
    t.equal(client.conn.reply().status, 200)
    t.check(client.conn.closed_within(10), "the connection stays open")
    off(c)
    t.check(came(asked(c, GROUP)) > 0, "still delayed")
    # an answer on its way when the camera ends is nobody's any more
    fault(c, "net-delay", ms=9000, path=GROUP)
    client = c.client(*vedette.ADMIN)
    client.send("GET", GROUP, headers=[("Connection", "close")])
    state(c)
    off(c)


def test_I8_net_delay_of_a_stream(t):
    """All pictures come, later."""
    c = t.shared()
    s = c.rtsp_client(SMALL)
    with c.ticking():
        s.start()
        s.unit()
        number = fault(c, "net-delay", ms=1000)
        for _ in range(40):  # those that were on their way, and those behind them
            s.unit()
        stamps = [pictures.sei_stamp(s.unit()[1])["serial"] for _ in range(20)]
        age = tick(c) - stamps[-1]
        off(c, number)
    t.equal({b - a for a, b in zip(stamps, stamps[1:])}, {1}, "none is lost")
    t.check(age >= 29, f"{age} ticks old")
    t.equal(s.holes, 0)
    s.close()


def test_I8_net_slow(t):
    c = t.shared()
    target = "/axis-cgi/param.cgi?action=list"
    whole = len(c.admin.get(target).body)
    t.check(whole > 4000, whole)
    number = fault(c, "net-slow", bytesPerSecond=1000, path="/axis-cgi/param.cgi")
    client = asked(c, target)
    had = came(client)
    c.advance(1)
    t.near(came(client) - had, 1000, 100)
    c.advance(2)
    t.near(came(client) - had, 3000, 200)
    t.check(came(asked(c, GROUP)) > 0, "of another path")
    off(c, number)
    c.advance(0.2)
    t.equal(client.conn.reply().status, 200)


def test_I8_net_stall(t):
    c = t.shared()
    number = fault(c, "net-stall", path="/axis-cgi/usergroup.cgi", seconds=30)
    client = c.client(*vedette.ADMIN)
    client.send("GET", GROUP)
    state(c)
    c.advance(29)
    t.equal(came(client), 0)
    c.advance(1.2)
    over(t, c)
    t.equal(client.conn.reply().status, 401)
    # a stream goes on where it was
    s = c.rtsp_client(SMALL)
    with c.ticking():
        s.start()
        for _ in range(3):
            s.unit()
        number = fault(c, "net-stall")
    c.advance(0.5)
    s.conn.sock.settimeout(0.3)
    try:
        while True:
            s.unit()
    except TimeoutError:
        pass
    s.conn.sock.settimeout(30)
    t.equal(off(c, number), 1)
    with c.ticking():
        for _ in range(10):
            s.unit()
    t.equal(s.holes, 0)
    s.close()


def test_I8_net_cut(t):
    c = t.shared()
    target = "/axis-cgi/param.cgi?action=list"
    for reset in (False, True):
        number = fault(c, "net-cut", after=2000, path="/axis-cgi/param.cgi", reset=reset)
        client = asked(c, target)
        n = None
        try:
            while True:
                client.conn.fill()
        except web.Closed:
            t.check(not reset, "an orderly end")
        except ConnectionResetError:
            t.check(reset, "a reset")
            n = "unknown: a reset may overtake what was sent"
        n = n or len(client.conn.buf)
        t.check(reset or n == 2000, f"{n} bytes came")
        t.equal(c.client(*vedette.ADMIN).get(GROUP).status, 200, "another path")
        off(c, number)
    t.equal(c.client(*vedette.ADMIN).get(target).status, 200)
    # a stream in the middle of it, and TLS
    for tls in (False, True):
        s = c.rtsp_client(SMALL, tls=tls)
        with c.ticking():
            s.start()
            s.unit()
            number = fault(c, "net-cut", path="/axis-media/*")
            try:
                while True:
                    s.unit()
            except (web.Closed, OSError):
                pass
            off(c, number)
            s = c.rtsp_client(SMALL, tls=tls)
            s.start()
            s.unit()
            s.close()


def test_I8_net_length(t):
    c = t.shared()
    right = c.admin.get(GROUP)
    t.equal(int(right.get("content-length")), len(right.body))
    for by in (7, -5, -1000):
        fault(c, "net-length", by=by, path=GROUP)
        client = asked_anyway(c, GROUP)
        head = client.conn.until(b"\r\n\r\n").decode()
        told = int(re.search(r"(?i)content-length: (\d+)", head).group(1))
        t.equal(told, max(0, len(right.body) + by))
        t.equal(client.conn.rest(10), right.body, "the body itself is whole")
        off(c)
    t.equal(c.client(*vedette.ADMIN).get(GROUP).body, right.body)


def asked_anyway(c, target):
    """As asked(), where the login itself is at the broken path."""
    client = c.client(*vedette.ADMIN)
    client.challenge = client.pick(client.once("GET", target))
    client.send("GET", target, headers=client.authorization("GET", target))
    return client


def test_I8_net_loss(t):
    c = t.shared()
    s = c.rtsp_client(SMALL + "&compression=0")
    with c.ticking():
        s.describe()
        t.equal(s.setup_udp().status, 200)
        t.equal(s.play().status, 200)

    def lost(seconds):
        """Share of the packets that did not come, of so many seconds."""
        c.advance(seconds)
        seq = []
        s.rtp.setblocking(False)
        try:
            while True:
                seq.append(rtsp.Packet(s.rtp.recv(65536)).seq)
        except BlockingIOError:
            pass
        sent = ((seq[-1] - seq[0]) & 0xffff) + 1
        return 1 - len(seq) / sent, sent
    lost(0.5)
    t.equal(lost(2)[0], 0)
    number = fault(c, "net-loss", percent=20)
    share, sent = lost(8)
    t.check(sent > 400, sent)
    t.near(share, 0.2, 0.08)
    off(c, number)
    t.equal(lost(2)[0], 0)
    s.rtp.close(), s.rtcp_sock.close()
    s.close()


def test_I8_faults_spare_the_stage(t):
    """Whatever is on, it can be switched off."""
    c = t.shared()
    for kind in ("net-stall", "net-cut", "net-delay", "net-length"):
        number = fault(c, kind)
        t.equal(off(c, number), 1, kind)
    t.equal(c.client(*vedette.ADMIN).get(GROUP).status, 200)


def test_I8_fault_by_command_line(t):
    import os
    import subprocess
    c = t.shared()

    def run(*argv):
        return subprocess.run([c.program.parent / "cli/vedettectl", "-H", f"127.0.0.1:{c.http}",
                               "-u", ":".join(vedette.ADMIN), *argv], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL,
                              env={**os.environ, **vedette.environment()})
    run("fault", "off")  # what an earlier test may have left
    r = run("fault", "net-slow", "bytesPerSecond=5000", "path=/axis-cgi/*", "seconds=9")
    t.equal((r.returncode, r.stderr), (0, ""))
    number = re.search(r"\d+", r.stdout).group()
    r = run("fault")
    t.match(rf"(?m)^{number}\s+net-slow\s.*5000.*/axis-cgi/\*", r.stdout)
    t.equal(json.loads(run("--json", "fault").stdout)["faults"][0]["kind"], "net-slow")
    t.match("net-slow", run("fault", "kinds").stdout)
    r = run("fault", "net-cut", "reset=true", "after=10", "path=/nothing")
    t.equal(r.returncode, 0, r.stderr)
    t.equal(run("fault", "off", number).returncode, 0)
    t.equal(run("fault", "off", number).returncode, 1)
    t.equal(run("fault", "off").returncode, 0)
    over(t, c)
    for argv, code in ((("fault", "nonsense"), 1), (("fault", "net-slow", "x"), 2),
                       (("fault", "off", "x"), 2), (("fault", "net-slow", "bytesPerSecond=x"), 1)):
        r = run(*argv)
        t.equal((r.returncode, r.stdout), (code, ""), " ".join(argv))
        t.check(r.stderr.startswith("vedettectl: "), r.stderr)
