"""Heads of metal (row D8): what moves, what is told of where they are, and what happens when
they do not answer. They live in real time."""
import time

import vedette

PASSWORD = vedette.ADMIN[1]
SMALL = "virtual:320x180@10"


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def near(c, pan, tilt, zoom=None, tolerance=0.2):
    p = c.position()
    return abs(p["pan"] - pan) < tolerance and abs(p["tilt"] - tilt) < tolerance and \
        (zoom is None or abs(p["zoom"] - zoom) < 30)


def pose(c):
    return vedette.stamp(c.snapshot())["pose"]


def chain(t, head="vapix"):
    a = t.camera(source=SMALL).setup(users=False)
    b = t.camera(source=f"rtsp://root:{PASSWORD}@127.0.0.1:{a.rtsp}"
                        "/axis-media/media.amp?resolution=320x180",
                 args=["--head", f"{head}://root:{PASSWORD}@127.0.0.1:"
                                 f"{a.https if head == 'vapixs' else a.http}"])
    return a, b.setup(users=False)


def test_D8_chain_of_two(t):
    """The second camera's picture and head are the first camera."""
    a, b = chain(t)
    limits = b.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text
    t.match("MinTilt=-90\r\nMaxTilt=20", limits)
    t.match("maxOpticalZoomMag=30", b.admin.get("/axis-cgi/com/ptz.cgi?query=attributes").text)
    b.ptz_command("pan=100&tilt=-20&zoom=2000&speed=100")
    wait_for("the first is there", lambda: near(a, 100, -20, 2000))
    wait_for("the second says so", lambda: near(b, 100, -20, 2000))
    # the picture's own pose, with how far it may be wrong
    wait_for("its picture is of there", lambda: abs(pose(b)["pan"] - 100) < 0.2)
    at = pose(b)
    t.near(at["zoom"], 1 + 1999 / 9998 * 29, 0.1)
    t.check(0 < at["error"] < 1, at)
    # moves on until told otherwise, and says meanwhile where it is; the uncertainty is larger
    b.ptz_command("zoom=1")
    b.rest()
    b.ptz_command("continuouspantiltmove=60,0")
    errors = []
    for _ in range(10):
        errors.append(pose(b)["error"])
        before, here, after = a.position()["pan"], b.position()["pan"], a.position()["pan"]
        slack = max(errors[-1], 3)
        t.check(min(abs(here - before), abs(here - after)) < slack + abs(after - before) % 360,
                "read back", here, "while it was", before, after)
    t.check(max(errors) > 2 * at["error"], "no more uncertain while it moves", errors, at)
    b.ptz_command("continuouspantiltmove=0,0")
    # Not b.rest(): on a busy machine it may read twice what it was told once.
    a.rest()
    wait_for("the second says where it stopped", lambda: near(b, a.position()["pan"], -20))
    # somebody else moves the first
    a.ptz_command("pan=-50&tilt=0")
    wait_for("it is noticed", lambda: near(b, -50, 0))
    t.check(PASSWORD not in b.log, "the password is in the log")


def test_D8_chain_over_tls(t):
    a, b = chain(t, "vapixs")
    b.ptz_command("pan=-30&tilt=-10")
    wait_for("the first is there", lambda: near(a, -30, -10))


def test_D8_vapix_head_lost_and_found(t):
    a, b = chain(t)
    b.ptz_command("pan=20&tilt=-5")
    wait_for("there", lambda: near(b, 20, -5))
    ports = (a.http, a.https, a.rtsp, a.rtsps)
    a.kill()
    wait_for("it is told", lambda: "the head" in b.log)
    r = b.admin.get("/axis-cgi/com/ptz.cgi?pan=0")
    t.equal(r.status, 200)
    t.match("does not obey", r.text)
    a.ports = ports
    a.start()
    wait_for("it answers again", lambda: "answers again" in b.log, 30)
    b.ptz_command("pan=-10&tilt=-5")
    wait_for("there", lambda: near(a, -10, -5))


def test_D8_vapix_head_refused(t):
    a = t.camera(source=SMALL).setup(users=False)
    clip = t.dir()
    clip.chmod(0o755)
    b = t.camera(source=f"file:{clip}/none.mp4",
                 args=["--head", f"vapix://root:Wrong-secret@127.0.0.1:{a.http}"])
    b.setup(users=False)
    wait_for("it is told", lambda: "does not accept user and password" in b.log)
    t.check("Wrong-secret" not in b.log, "the password is in the log")
    t.match("does not obey", b.admin.get("/axis-cgi/com/ptz.cgi?pan=1").text)


def test_D8_specs_out_of_files(t):
    """So that no list of processes shows a password."""
    a = t.camera(source=SMALL).setup(users=False)
    d = t.dir()
    (d / "source").write_text(f"file:{d}/none.mp4\n")
    (d / "head").write_text(f"vapix://root:{PASSWORD}@127.0.0.1:{a.http}\nmore\n")
    b = t.camera(source=f"@{d}/source", args=["--head", f"@{d}/head"]).setup(users=False)
    b.ptz_command("pan=33&tilt=-3")
    wait_for("the first is there", lambda: near(a, 33, -3))
    with open(f"/proc/{b.process.pid}/cmdline") as f:
        t.check(PASSWORD not in f.read())


def test_D8_digital_head_or_none(t):
    clip = t.dir()
    clip.chmod(0o755)
    b = t.camera(source=f"file:{clip}/none.mp4", args=["--head", "none"]).setup(users=False)
    r = b.admin.get("/axis-cgi/com/ptz.cgi?pan=1")
    t.check(r.status != 204, "moves, without a head")
    b = t.camera(source=f"file:{clip}/none.mp4", args=["--head", "digital"]).setup(users=False)
    b.ptz_command("zoom=9999")


def test_D8_heads_that_are_none(t):
    for source, head, what in (
            ("virtual", "digital", "head of its own"),
            ("file:/tmp/none.mp4", "crane:/dev/x", "there is no head \"crane\""),
            ("file:/tmp/none.mp4", "vapix:/dev/x", "this head is written vapix://"),
            ("file:/tmp/none.mp4", "vapix://h#lift=3", "\"lift\" is no option"),
            ("file:/tmp/none.mp4", "@/tmp/no/such/file", "cannot be read"),
            ("file:/tmp/none.mp4", "vapix://h#pan=3", "range of degrees")):
        c = vedette.Camera(build="asan", source=source, args=["--head", head])
        try:
            c.start(wait=False)
            t.equal(c.process.wait(30), 1, head)
            t.match(what, c.log, head)
        finally:
            c.__exit__(AssertionError)
