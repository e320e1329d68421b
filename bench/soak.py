#!/usr/bin/env python3
"""Churn for MINUTES: viewers that join, leave, lag, stall and vanish, over RTSP and HTTP, of every
codec; moves, settings; then the slope of memory and of descriptors. usage: soak.py [MINUTES]

Passes when anonymous memory grows less than 1 MB an hour after the first quarter (what is
shorter than 20 minutes only warms up) and descriptors return to where they were."""
import pathlib
import random
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import vedette  # noqa: E402

JUDGED_MINUTES = 20
PATHS = ["/axis-media/media.amp", "/axis-media/media.amp?resolution=640x360",
         "/axis-media/media.amp?videocodec=jpeg&resolution=640x360&fps=5",
         "/axis-media/media.amp?videocodec=av1&resolution=320x180&fps=5",
         "/axis-media/media.amp?resolution=640x360&videokeyframeinterval=300"]
# x265 loses some kilobytes each time it is opened (test/lib/lsan.supp): its stream stays.
STEADY = "/axis-media/media.amp?videocodec=h265&resolution=320x180&fps=5"
HTTP = ["/axis-cgi/media.cgi?resolution=640x360", "/axis-cgi/media.cgi?resolution=640x360&container=matroska",
        "/axis-cgi/mjpg/video.cgi?resolution=640x360&fps=5", "/hls/live.m3u8?resolution=640x360"]


class HttpViewer:
    """Watches over HTTP; as much of a viewer as churn() needs."""

    def __init__(self, c, target):
        self.client = c.client(*vedette.ADMIN)
        self.client.get("/axis-cgi/usergroup.cgi")
        self.client.send("GET", target, headers=self.client.authorization("GET", target))
        self.conn = self.client.conn

    def send(self, _):
        pass

    def close(self):
        self.client.close()


def churn(c, dice, viewers):
    """One step: somebody comes, goes, stalls, moves the camera or changes a setting."""
    act = dice.random()
    if act < 0.45 and len(viewers) < 12:
        if dice.random() < 0.3:
            viewers.append(HttpViewer(c, dice.choice(HTTP)))
            c.clients.pop()  # it is ours to close
            return
        v = vedette.Rtsp(c.rtsp, dice.choice(PATHS), *vedette.ADMIN)
        if v.describe().status == 200 and v.setup().status == 200:
            v.call("PLAY")
        viewers.append(v)
    elif act < 0.75 and viewers:
        v = viewers.pop(dice.randrange(len(viewers)))
        if dice.random() < 0.5:
            v.close()  # vanishes without a word
        else:
            v.send("TEARDOWN")
            v.close()
    elif act < 0.85:
        c.ptz_command(f"pan={dice.uniform(-180, 180):.2f}&tilt={dice.uniform(-30, 10):.2f}"
                      f"&zoom={dice.randint(1, 9999)}")
    elif act < 0.95:
        c.snapshot("resolution=" + dice.choice(["1920x1080", "640x360"]))
    else:
        c.update("Image.I0.Appearance.Compression", str(dice.choice([20, 30, 40])))
    # Every other one reads, every fourth a little; the rest stall, until the camera ends them.
    for i, v in enumerate(list(viewers)):
        if i % 4 == 1:
            continue
        try:
            for _ in range(1 if i % 4 == 3 else 1000):
                if not v.conn.readable(0):
                    break
                v.conn.fill()
                v.conn.buf = b""
        except (OSError, vedette.web.Closed):
            v.close()
            viewers.remove(v)


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    dice, samples, viewers = random.Random(1), [], []
    with vedette.Camera("release") as c:
        c.setup(users=False)
        handles = c.handles()
        steady_viewer = vedette.Rtsp(c.rtsp, STEADY, *vedette.ADMIN)
        steady_viewer.start()
        began = last = time.monotonic()
        while (now := time.monotonic()) < began + minutes * 60:
            try:
                churn(c, dice, viewers)
            except (OSError, vedette.web.Closed):
                viewers = [v for v in viewers if v.conn.sock.fileno() >= 0]
            while steady_viewer.conn.readable(0):
                steady_viewer.conn.fill()
                steady_viewer.conn.buf = b""
            time.sleep(0.1)  # the pace of the churn, not a wait
            if now - last >= minutes * 60 / 120:
                last = now
                samples.append((now - began, c.memory_kb()))
                print(f"{now - began:7.0f} s  {samples[-1][1]:8d} kB  {c.handles():4d} descriptors  "
                      f"{len(viewers):2d} viewers", flush=True)
        for v in [*viewers, steady_viewer]:
            v.close()
        end = time.monotonic() + 90  # sessions and lingering encoders end
        while c.handles() > handles + 4 and time.monotonic() < end:
            time.sleep(0.5)
        left = c.handles() - handles
    # What is held by streams comes and goes with the churn; what does not come back shows
    # in the least of each stretch of time.
    steady = samples[len(samples) // 4:]
    stretch = max(1, len(steady) // 9)
    steady = [min(steady[i:i + stretch], key=lambda s: s[1]) for i in range(0, len(steady), stretch)]
    n = len(steady)
    mt, mm = sum(t for t, _ in steady) / n, sum(m for _, m in steady) / n
    slope = (sum((t - mt) * (m - mm) for t, m in steady) /
             max(1e-9, sum((t - mt) ** 2 for t, _ in steady))) * 3600 / 1024
    judged = minutes >= JUDGED_MINUTES
    print(f"memory {slope:+.2f} MB/h after the first quarter{'' if judged else ' (too short to judge)'}; "
          f"{left:+d} descriptors at the end")
    return 0 if (slope < 1 or not judged) and left <= 4 else 1


if __name__ == "__main__":
    sys.exit(main())
