"""VISCA heads (row D8) on a serial line, TCP and UDP, well and badly behaved."""
import subprocess
import time

import vedette
import visca


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def camera(t, spec):
    d = t.dir()
    d.chmod(0o755)
    c = t.camera(source=f"file:{d}/none.mp4", args=["--head", spec]).setup(users=False)
    return c


def served(t, kind, options=""):
    """(head, its responder, a camera that uses it)"""
    head = visca.Head()
    way = {"pty": visca.Pty, "tcp": visca.Tcp, "udp": visca.Udp}[kind](head)
    t.cleanup(way.close)
    spec = f"visca:{way.path}#" if kind == "pty" else \
        f"visca://127.0.0.1:{way.port}#transport={kind}&"
    return head, way, camera(t, spec + "hfov=60" + options)


def there(head, pan, tilt, tolerance=0.2):
    at = head.degrees()
    return abs(at[0] - pan) < tolerance and abs(at[1] - tilt) < tolerance


def says(c, pan, tilt, tolerance=0.2):
    p = c.position()
    return abs(p["pan"] - pan) < tolerance and abs(p["tilt"] - tilt) < tolerance


def all_moves(t, head, c):
    limits = c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text
    t.match("MinPan=-170\r\nMaxPan=170\r\nMinTilt=-30\r\nMaxTilt=90", limits)
    # absolute, both axes and one, and the zoom
    c.ptz_command("pan=60&tilt=30&zoom=5000&speed=100")
    wait_for("it goes there", lambda: there(head, 60, 30))
    wait_for("the camera says so", lambda: says(c, 60, 30))
    wait_for("zoom read back", lambda: abs(c.position()["zoom"] - 5000) < 60)
    # 9.5-fold of 18: between the steps 9 and 10 of the scale
    t.check(0x3727 < head.degrees()[2] < 0x38a9, hex(head.degrees()[2]))
    c.ptz_command("tilt=-10")
    wait_for("one axis alone", lambda: there(head, 60, -10))
    c.rest()
    c.ptz_command("rpan=-20")
    wait_for("relative", lambda: there(head, 40, -10))
    c.rest()
    # drive and stop, up and left
    c.ptz_command("zoom=1")
    wait_for("wide", lambda: head.degrees()[2] == 0)
    c.ptz_command("continuouspantiltmove=-80,60")
    wait_for("it drives", lambda: head.degrees()[0] < 30 and head.degrees()[1] > 0)
    before = c.position()["pan"]
    t.check(abs(before - head.degrees()[0]) < 15, before, head.degrees())
    c.ptz_command("continuouspantiltmove=0,0")
    at = c.rest()
    wait_for("where it stopped", lambda: there(head, c.position()["pan"], c.position()["tilt"]))
    t.check(at["pan"] < before + 1, at, before)
    c.ptz_command("continuouszoommove=20")
    wait_for("it zooms", lambda: head.degrees()[2] > 0x400)
    c.ptz_command("continuouszoommove=0")
    def stands():
        before = head.degrees()[2]
        time.sleep(0.3)
        return head.degrees()[2] == before
    wait_for("the zoom stops", stands)
    t.check(head.degrees()[2] < 0x4000, "before its end")
    # somebody turns it by hand, or with its own remote control
    head.pan.go(0, 1)
    wait_for("it is noticed", lambda: abs(c.position()["pan"]) < 0.2)


def test_D8_visca_serial(t):
    all_moves(t, *served(t, "pty")[::2])


def test_D8_visca_tcp(t):
    all_moves(t, *served(t, "tcp")[::2])


def test_D8_visca_udp(t):
    all_moves(t, *served(t, "udp")[::2])


def test_D2_limits_hold_a_head_of_metal(t):
    """It knows no limits but those of its mechanics: the camera sends it to those that are set."""
    head, _, c = served(t, "tcp")
    for name, value in (("MinPan", -40), ("MaxPan", 30), ("MinTilt", -5), ("MaxTilt", 20)):
        t.equal(c.update("PTZ.Limit.L1." + name, str(value)).text.strip(), "OK")
    t.match("MinPan=-40\r\nMaxPan=30\r\nMinTilt=-5", c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text)
    c.ptz_command("pan=120&tilt=-29&speed=100")
    wait_for("as far as is allowed", lambda: there(head, 30, -5))
    c.ptz_command("continuouspantiltmove=-60,60")
    wait_for("both limits while it is driven", lambda: there(head, -40, 20, 0.5))
    c.rest()
    t.check(there(head, -40, 20, 0.5), "it stays there", head.degrees())
    c.ptz_command("rpan=-90")
    c.rest()
    t.check(there(head, -40, 20, 0.5), "nor by a relative move", head.degrees())
    # a limit that is set where it stands brings it in
    t.equal(c.update("PTZ.Limit.L1.MinPan", "-10").text.strip(), "OK")
    wait_for("brought in", lambda: there(head, -10, 20, 0.5))


def test_D8_visca_stops_when_the_camera_ends(t):
    head, _, c = served(t, "pty")
    c.ptz_command("continuouspantiltmove=30,0")
    wait_for("it drives", lambda: head.degrees()[0] > 1)
    c.stop()
    t.cameras.remove(c)
    at = head.degrees()[0]
    time.sleep(0.5)
    t.near(head.degrees()[0], at, 0.01, "it turns on without anybody")


def test_D8_visca_late_completions_and_noise(t):
    head, _, c = served(t, "pty")
    head.late, head.garbage = 0.7, True
    c.ptz_command("pan=30&tilt=10&zoom=3000")
    c.ptz_command("pan=35")
    wait_for("it goes there", lambda: there(head, 35, 10))
    wait_for("the camera says so", lambda: says(c, 35, 10))
    t.check("the head" not in c.log, "it complains")


def test_D8_visca_udp_loses_packets(t):
    head, _, c = served(t, "udp")
    head.lossy = 3
    c.ptz_command("pan=-30&tilt=20")
    wait_for("it goes there", lambda: there(head, -30, 20))
    wait_for("the camera says so", lambda: says(c, -30, 20))


def test_D8_visca_refuses(t):
    head, _, c = served(t, "tcp")
    head.refuses = 0x41
    c.ptz_command("pan=90")
    wait_for("it is told", lambda: "refuses a command: not possible now" in c.log)
    wait_for("and the camera says where it is", lambda: says(c, 0, 0))
    head.refuses = None
    c.ptz_command("pan=15")
    wait_for("it goes there", lambda: there(head, 15, 0))


def test_D8_visca_silent_and_back(t):
    for kind in ("pty", "udp"):
        head, _, c = served(t, kind)
        c.ptz_command("pan=10")
        wait_for("there", lambda: says(c, 10, 0))
        head.silent = True
        wait_for("it is told", lambda: "trying on" in c.log)
        t.match("does not obey", c.admin.get("/axis-cgi/com/ptz.cgi?pan=1").text)
        head.silent = False
        wait_for("it is back", lambda: "answers again" in c.log)
        c.ptz_command("pan=5")
        wait_for("there", lambda: there(head, 5, 0))


def test_D8_visca_pictures_say_how_sure_the_pose_is(t):
    d = t.dir()
    d.chmod(0o755)
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc2=size=320x180:rate=10:duration=2", "-pix_fmt", "yuv420p",
                    f"{d}/clip.mp4"], check=True, timeout=120)
    (d / "clip.mp4").chmod(0o644)
    head = visca.Head()
    way = visca.Pty(head)
    t.cleanup(way.close)
    c = t.camera(source=f"file:{d}/clip.mp4", args=["--head", f"visca:{way.path}"])
    c.setup(users=False)

    def pose():
        return vedette.stamp(c.snapshot())["pose"]

    wait_for("it is known", lambda: "error" in pose())
    rest = pose()["error"]
    t.check(0 < rest < 0.5, rest)
    c.ptz_command("continuouspantiltmove=100,0")
    wait_for("less sure while it moves", lambda: pose().get("error", 0) > 3 * rest)
    c.ptz_command("continuouspantiltmove=0,0")
    wait_for("sure again", lambda: pose()["error"] < 2 * rest)
    head.silent = True
    wait_for("unknown when nobody answers", lambda: pose().get("known") is False)
    head.silent = False
    wait_for("known again", lambda: "error" in pose())


def test_D8_visca_cut_connection(t):
    head, way, c = served(t, "tcp")
    c.ptz_command("pan=10")
    wait_for("there", lambda: says(c, 10, 0))
    way.lost()
    wait_for("it is told", lambda: "trying on" in c.log)
    wait_for("it is back", lambda: "answers again" in c.log)
    c.ptz_command("pan=-10")
    wait_for("there", lambda: there(head, -10, 0))


def test_D8_visca_nobody_there(t):
    """Started before its head: it is found when it comes."""
    head = visca.Head()
    way = visca.Pty(head)
    t.cleanup(way.close)
    head.silent = True
    c = camera(t, f"visca:{way.path}")
    t.match("does not obey", c.admin.get("/axis-cgi/com/ptz.cgi?pan=1").text)
    began = time.monotonic()
    head.silent = False
    wait_for("it is found", lambda: "answers again" in c.log)
    t.check(time.monotonic() - began < 10)
    c.ptz_command("pan=5")
    wait_for("there", lambda: there(head, 5, 0))


def test_D8_visca_ceiling(t):
    head, _, c = served(t, "pty", "&reverse=yes&upsidedown=yes")
    t.match("MinTilt=-90\r\nMaxTilt=30", c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text)
    c.ptz_command("pan=20&tilt=-40")
    wait_for("mirrored", lambda: there(head, -20, 40))
    wait_for("and back", lambda: says(c, 20, -40))
