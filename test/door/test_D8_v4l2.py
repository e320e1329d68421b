"""A V4L2 device as the sensor, and its pan, tilt and zoom as the head (row D8, issue 4), with a
device that is not there (test/fake/video.c)."""
import time

import pictures
import vedette

NODE = "/dev/video-fake0"


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


class Fake:
    def __init__(self, t):
        self.dir = t.dir()
        self.dir.chmod(0o777)
        (self.dir / "log").touch()
        (self.dir / "log").chmod(0o666)

    def set(self, name, on=True):
        if on:
            (self.dir / name).touch()
        else:
            (self.dir / name).unlink()

    @property
    def log(self):
        return (self.dir / "log").read_text()


def camera(t, spec="", formats=None, args=(), fake=None):
    fake = fake or Fake(t)
    c = t.camera(source=f"v4l2:{NODE}{spec}", env=preload(t, fake, formats), args=list(args))
    return fake, c.setup(users=False)


def preload(t, fake, formats=None):
    library = vedette.ROOT / vedette.BUILDS["asan"] / "test/fake/libfake_video.so"
    t.check(library.exists(), f"{library} is not built")
    env = {"LD_PRELOAD": str(library), "VEDETTE_FAKE_VIDEO": str(fake.dir),
           "ASAN_OPTIONS": vedette.environment()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}
    return {**env, "VEDETTE_FAKE_FORMATS": formats} if formats else env


def colours(jpeg):
    """(r, g, b) left and right, in the middle row."""
    w, h, rgb = pictures.rgb(jpeg)
    at = [(h // 2 * w + w * x // 64) * 3 for x in (8, 56)]
    return [tuple(rgb[i:i + 3]) for i in at]


def is_bluish(c):
    r, _, b = colours(c.snapshot())[0]
    return b > r + 40


def test_D8_v4l2_formats_all_show_the_same(t):
    """The best of each offer is chosen, and its colours are the same."""
    seen = {}
    for formats, size, chosen in (("MJPG,YUYV,NV12,YU12", (1280, 720), "MJPG 1280x720 30"),
                                  ("YUYV", (640, 360), "YUYV 640x360 30"),
                                  ("NV12", (640, 360), "NV12 640x360 30"),
                                  ("YU12", (640, 360), "YU12 640x360 30")):
        fake, c = camera(t, "#controls=no", formats=formats)
        j = c.snapshot()
        t.equal(pictures.jpeg_size(j), size, formats)
        t.check("set exposure" not in fake.log, "what was to be left alone was set")
        t.match("format " + chosen, fake.log, formats)
        seen[formats] = colours(j)
        c.stop()
        t.cameras.remove(c)
    first = next(iter(seen.values()))
    for formats, now in seen.items():
        for a, b in zip(first, now):
            t.check(all(abs(x - y) < 12 for x, y in zip(a, b)), "colours of", formats, a, b)
    left, right = first
    t.check(left[2] > left[0] + 40 and right[0] > right[2] + 40, "blue left, red right", first)


def test_D8_v4l2_what_is_asked_for(t):
    fake, c = camera(t, "#size=1280x720&fps=10&format=YUYV")
    t.equal(pictures.jpeg_size(c.snapshot()), (1280, 720))
    t.match("format YUYV 1280x720 10", fake.log)
    for spec, what in (("#size=800x600", "no format that fits"), ("#format=H264", "format is MJPG"),
                       ("#colour=red", "after #"), ("#size=1x1", "WIDTHxHEIGHT")):
        bad = vedette.Camera(build="asan", source=f"v4l2:{NODE}{spec}", env=preload(t, fake))
        try:
            bad.start(wait=False)
            t.equal(bad.process.wait(30), 1, spec)
            t.match(what, bad.log, spec)
        finally:
            bad.__exit__(AssertionError)


def test_D8_v4l2_unplugged_and_back(t):
    fake, c = camera(t, "#controls=no")
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360")
    s.start()
    s.unit()
    good = c.snapshot("resolution=640x360")
    fake.set("unplugged")
    wait_for("it is told", lambda: "was unplugged" in c.log)
    wait_for("a placeholder", lambda: not is_bluish(c))
    fake.set("unplugged", False)
    wait_for("pictures again", lambda: "gives pictures again" in c.log)
    wait_for("the same picture", lambda: all(
        abs(x - y) < 12 for a, b in zip(colours(good), colours(c.snapshot("resolution=640x360")))
        for x, y in zip(a, b)))
    fake.set("frozen")
    wait_for("no pictures are told", lambda: "gives no pictures" in c.log)
    fake.set("frozen", False)
    wait_for("pictures again", lambda: c.log.count("gives pictures again") > 1)
    s.close()


def test_D8_v4l2_damaged_pictures(t):
    """JPEG that is cut short does no harm, and the next whole one is shown."""
    fake, c = camera(t, formats="MJPG")
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360")
    s.start()
    s.unit()
    fake.set("damaged")
    time.sleep(1)
    fake.set("damaged", False)
    wait_for("the picture", lambda: is_bluish(c))
    s.close()


def test_D8_v4l2_not_there_at_start(t):
    fake = Fake(t)
    fake.set("unplugged")
    fake, c = camera(t, "#size=640x360&fps=30", fake=fake)
    t.check("looking for it" in c.log)
    t.equal(pictures.jpeg_size(c.snapshot()), (640, 360))
    fake.set("unplugged", False)
    wait_for("it is found", lambda: is_bluish(c))


def test_D8_v4l2_controls(t):
    """Exposure, gain and white balance are ours, by the device's controls, and do not swing."""
    fake, c = camera(t, formats="YUYV")
    s = c.rtsp_client("/axis-media/media.amp?resolution=640x360")
    s.start()
    for _ in range(120):
        s.unit()
    t.match("set exposure_auto 1\n", fake.log)
    t.match("set balance_auto 0\n", fake.log)
    exposures = [int(line.split()[2]) for line in fake.log.splitlines()
                 if line.startswith("set exposure ")]
    t.check(exposures, "no exposure was set")
    last = exposures[-6:] if len(exposures) > 12 else exposures[-1:]
    t.check(max(last) <= 1.2 * min(last) + 2, "it swings", exposures)
    luma = pictures.gray(c.snapshot(), 64, 36)[2]
    t.check(70 < sum(luma) / len(luma) < 170, "too dark or too bright", sum(luma) / len(luma),
            exposures)
    s.close()


def test_D8_v4l2_only_streams_when_watched(t):
    fake, c = camera(t)
    before = fake.log.count("format")
    c.snapshot()
    t.check(fake.log.count("format") > before, "nothing was streamed")


def test_D8_uvc_head(t):
    fake, c = camera(t, args=["--head", f"uvc:{NODE}"])
    limits = c.admin.get("/axis-cgi/com/ptz.cgi?query=limits").text
    t.match("MinPan=-40\r\nMaxPan=40\r\nMinTilt=-20\r\nMaxTilt=20", limits)
    t.match("maxOpticalZoomMag=5", c.admin.get("/axis-cgi/com/ptz.cgi?query=attributes").text)

    def bar():
        w, h, g = pictures.gray(c.snapshot(), 64, 36)
        row = g[h // 2 * w:(h // 2 + 1) * w]
        return row.index(max(row))

    wait_for("the bar in the middle", lambda: abs(bar() - 32) <= 1)
    c.ptz_command("pan=15&tilt=-10&zoom=5000")
    wait_for("there", lambda: abs(c.position()["pan"] - 15) < 0.1 and
             abs(c.position()["tilt"] + 10) < 0.1)
    t.match("set pan 54000\n", fake.log)
    t.match("set zoom 300\n", fake.log)
    wait_for("zoom read back", lambda: abs(c.position()["zoom"] - 5000) < 30)
    wait_for("seen in the picture", lambda: abs(bar() - 16) <= 1)
    wait_for("sure of where it is", lambda: 0 < vedette.stamp(c.snapshot())["pose"]["error"] < 1)
    # without speeds of its own: to the end of the way, and stopped where it is
    c.ptz_command("zoom=1")
    c.rest()
    c.ptz_command("continuouspantiltmove=-100,0")
    wait_for("it drives", lambda: c.position()["pan"] < 5)
    c.ptz_command("continuouspantiltmove=0,0")
    at = c.rest()
    t.check(-40 < at["pan"] < 6, at)
    fake.set("unplugged")
    wait_for("it is told", lambda: "the head uvc:" in c.log)
    fake.set("unplugged", False)
    wait_for("it answers again", lambda: "answers again" in c.log)
