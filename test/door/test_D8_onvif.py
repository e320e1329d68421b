"""A camera with ONVIF as the head (row D8), against a responder of our own until a camera with
that door stands beside it."""
import time

import onvif_head

PASSWORD = "s3cret<&>pass"


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def pair(t, password="s3cret%3c%26%3epass", skew=0):
    head = onvif_head.Camera("us<er", PASSWORD)
    head.skew = skew
    t.cleanup(head.close)
    d = t.dir()
    d.chmod(0o755)
    c = t.camera(source=f"file:{d}/none.mp4",
                 args=["--head", f"onvif://us%3cer:{password}@127.0.0.1:{head.port}#zoom=20"])
    return head, c.setup(users=False)


def there(head, pan, tilt, tolerance=0.2):
    at = head.degrees()
    return abs(at[0] - pan) < tolerance and abs(at[1] - tilt) < tolerance


def says(c, pan, tilt, tolerance=0.2):
    p = c.position()
    return abs(p["pan"] - pan) < tolerance and abs(p["tilt"] - tilt) < tolerance


def test_D8_onvif_head(t):
    head, c = pair(t, skew=-86400)  # its clock is a day behind
    limits = c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text
    t.match("MinPan=-175\r\nMaxPan=175\r\nMinTilt=-45\r\nMaxTilt=90", limits)
    t.match("maxOpticalZoomMag=20", c.admin.get("/axis-cgi/com/ptz.cgi?query=attributes").text)
    c.ptz_command("pan=70&tilt=20&zoom=5000&speed=100")
    wait_for("it goes there", lambda: there(head, 70, 20))
    wait_for("the camera says so", lambda: says(c, 70, 20))
    wait_for("zoom", lambda: abs(head.degrees()[2] - 0.5) < 0.001)
    wait_for("zoom read back", lambda: abs(c.position()["zoom"] - 5000) < 30)
    c.rest()
    c.ptz_command("pan=60")
    wait_for("one axis alone", lambda: there(head, 60, 20))
    c.ptz_command("zoom=1")
    c.rest()
    c.ptz_command("continuouspantiltmove=-70,0")
    wait_for("it drives", lambda: head.degrees()[0] < 40)
    t.near(c.position()["pan"], head.degrees()[0], 15, "read back while it moves")
    calls = head.seen.count("ContinuousMove")
    t.check(calls <= 4, f"{calls} orders for one")
    c.ptz_command("continuouspantiltmove=0,0")
    c.rest()
    t.check("Stop" in head.seen)
    wait_for("where it stopped", lambda: there(head, c.position()["pan"], c.position()["tilt"]))
    head.pan.go(-0.5)
    wait_for("somebody else moves it", lambda: says(c, -87.5, head.degrees()[1]))
    t.check("s3cret" not in c.log, "the password is in the log")


def test_D8_onvif_head_refuses_login(t):
    head, c = pair(t, password="wrong")
    wait_for("it is told", lambda: "does not accept user and password" in c.log)
    t.match("does not obey", c.admin.get("/axis-cgi/com/ptz.cgi?pan=1").text)


def test_D8_onvif_head_faults(t):
    head, c = pair(t)
    head.fault = "out of reach &lt;there&gt;"
    wait_for("it is told", lambda: "out of reach <there>" in c.log)
    head.fault = None
    wait_for("it answers again", lambda: "answers again" in c.log)
    c.ptz_command("pan=-20&tilt=0")
    wait_for("it goes there", lambda: there(head, -20, 0))


def test_D8_onvif_head_nonsense(t):
    head, c = pair(t)
    c.ptz_command("pan=10&tilt=0")
    wait_for("there", lambda: says(c, 10, 0))
    bomb = "<!DOCTYPE a [<!ENTITY b \"" + "x" * 1000 + "\">" + \
        "".join(f"<!ENTITY c{i} \"{'&b;' * 50}\">" for i in range(20)) + "]><a>&c9;</a>"
    for nonsense in (bomb, "", "<a>" * 100000, "\xff\xfe", "{}", "<a/>" + "y" * 1000000,
                     head.envelope("<GetStatusResponse><PTZStatus><Position><PanTilt x=\"1e99\" "
                                   "y=\"nan\"/></Position></PTZStatus></GetStatusResponse>")):
        head.garbage = nonsense.encode("latin-1")
        before = c.log.count("trying on")
        wait_for("it is told", lambda: c.log.count("trying on") > before)
        head.garbage = None
        again = c.log.count("answers again")
        wait_for("it answers again", lambda: c.log.count("answers again") > again)
    t.check(c.alive())


def test_D8_onvif_head_slow(t):
    """It takes its time; stopping does not wait for it."""
    head, c = pair(t)
    head.wait = 1.0
    c.ptz_command("pan=30&tilt=0")
    wait_for("it goes there", lambda: there(head, 30, 0), 30)
    head.wait = 2.4
    time.sleep(0.5)
    began = time.monotonic()
    c.stop()
    t.cameras.remove(c)
    t.check(time.monotonic() - began < 5)
    head.wait = 0
