"""Rows of `make bench` about crowds of viewers, and peers beside us in the same run."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import vedette  # noqa: E402

SMALL = "/axis-cgi/mjpg/video.cgi?resolution=640x360&compression=20"


def started(argv, **kw):
    return subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **kw)


@contextlib.contextmanager
def watched(b, c, path):
    """One viewer is there already, so that the encoder runs."""
    argv = b.sink(c.rtsp, 1, 600)
    argv[argv.index(b.STREAM)] = path
    p = started(argv)
    time.sleep(3)
    try:
        yield
    finally:
        p.kill()
        p.wait()


def crowds(b, c):
    """b: run.py; c: a camera."""
    clip_gaps(b, c)
    with watched(b, c, b.STREAM):
        come_and_stay(b, c)
    coding_row(b, c)


def coding_row(b, c):
    """Each time with many beside the mean of those with one before and behind it: what happens in
    the street changes what coding costs."""
    ratios, one = [], b.camera_cpu(c, 1, False)[1]
    for _ in range(3 * b.RUNS):
        many, then = b.camera_cpu(c, 100, False)[1], b.camera_cpu(c, 1, False)[1]
        ratios.append(2 * many / (one + then))
        one = then
    r = b.median(ratios)
    ratios.sort()
    off = len(ratios) // 4
    b.row("source and encoder at 100 viewers of one setting against 1, for each picture",
          f"{r:.3f} × (half of {len(ratios)} turns within {ratios[off]:.2f} … {ratios[-1 - off]:.2f}, all within "
          f"{ratios[0]:.2f} … {ratios[-1]:.2f})", "within 5 %", r <= 1.05)


def settled(c):
    """Anonymous memory once it no longer grows: the stream's window is full, the coder warm."""
    was = c.memory_kb()
    for _ in range(20):
        time.sleep(1)
        now = c.memory_kb()
        if now - was < 64:
            break
        was = now
    return now


def floor_gap(b, c, udp, n):
    """The longest gap of n viewers of the floor, for pictures of the same sizes, while the camera
    codes on the same core for the one who watches: what the machine itself does to a gap."""
    with tempfile.NamedTemporaryFile(suffix=".sizes") as sizes:
        b.run(b.sink(c.rtsp, 1, b.SECONDS, udp, sizes=sizes.name))
        return b.floor_run("floor_udp" if udp else "floor_tcp", n, sizes.name, udp)[1]["longest_gap_ms"]


def clip_gaps(b, c):
    """The longest gap of those who watch a clip that is coded already, nothing else on the servers'
    core: what sending alone makes of it (fanout.c: the camera's own, without the camera)."""
    n = 100 if b.QUICK else 500
    for udp in (False, True):
        with tempfile.NamedTemporaryFile(suffix=".sizes") as sizes:
            b.run(b.sink(c.rtsp, 1, b.SECONDS, udp, sizes=sizes.name))
            gaps = {p: b.median(b.floor_run(p, n, sizes.name, udp)[1]["longest_gap_ms"] for _ in range(b.RUNS))
                    for p in ("fanout", "floor_udp" if udp else "floor_tcp")}
        gap, floor = gaps.values()
        b.row(f"{n} viewers over {'UDP' if udp else 'TCP'} of a coded clip, nothing else on the servers' core",
              f"longest gap {gap:.0f} ms (floor {floor:.0f} ms)", "gap ≤ 100 ms, or the floor's if that is longer",
              gap <= max(100, floor))


def gap_row(b, who, name, out, floor):
    n, gap = out["viewers"], out["longest_gap_ms"]
    coding = "" if floor is None else ", the camera codes on the servers' core"
    beside = "" if floor is None else f" (floor {floor:.0f} ms)"
    b.row(f"{who}{n} viewers over {name}{coding or ' of a coded clip, nothing else on the servers’ core'}",
          f"{out['playing']} up, {out['lost_packets']} packets lost, longest gap {gap:.0f} ms{beside}",
          *(("–",) if who else ("all up, 0 lost", out["playing"] == n and not out["lost_packets"])))
    b.row(f"{who}connect → first RTP packet over {name}, {n} viewers at {n}/s",
          f"median {out['first_ms_median']:.0f} ms, p99 {out['first_ms_p99']:.0f} ms",
          *(("–",) if who else ("p99 ≤ 30 ms", out["first_ms_p99"] <= 30)))


def come_and_stay(b, c):
    n = 100 if b.QUICK else 500
    for udp in (False, True):
        floor = floor_gap(b, c, udp, n)
        one = settled(c)
        p = subprocess.Popen([str(a) for a in b.sink(c.rtsp, n, 4 + n / 500 + b.SECONDS, udp, rate=n)],
                             stdout=subprocess.PIPE, text=True)
        time.sleep(3 + n / 500)
        each = (c.memory_kb() - one) / n
        out = json.loads(p.communicate()[0])
        name = "UDP" if udp else "TCP"
        gap_row(b, "", name, out, floor)
        b.row(f"process memory a viewer over {name}", f"{each:.1f} KiB", "≤ 16 KiB", each <= 16)
    n = 200 if b.QUICK else 1000
    # One is there already, and those who were there a moment ago may not be gone yet.
    c.admin.get(f"/axis-cgi/param.cgi?action=update&Image.MaxViewers={2 * n}")
    out = json.loads(b.run(b.sink(c.rtsp, n, 4, rate=0)))
    b.row(f"{n} viewers connecting at once (Image.MaxViewers {2 * n})", f"{out['playing']} up, the last after {out['first_ms_max'] / 1000:.2f} s",
          "< 2 s", out["playing"] == n and out["first_ms_max"] < 2000)
    before = c.memory_kb()
    p = subprocess.Popen([str(a) for a in b.sink(c.rtsp, 100, 8)] + ["--stall", "50"], stdout=subprocess.PIPE, text=True)
    time.sleep(7)
    grown = (c.memory_kb() - before) / 1024
    out = json.loads(p.communicate()[0])
    b.row("50 of 100 viewers stop reading", f"{grown:.1f} MB more in all; the others lost {out['lost_packets']} packets",
          "bounded; others lose nothing", grown < 32 and not out["lost_packets"])


def middle_of_gop(b, c):
    """Time to the first packet for who comes somewhere in a group of 300 pictures."""
    path = b.STREAM + "&videokeyframeinterval=300"
    argv = b.sink(c.rtsp, 60, 12, rate=5)
    argv[argv.index(b.STREAM)] = path
    with watched(b, c, path):
        out = json.loads(b.run(argv))
    b.row("joining anywhere in a group of 300 pictures, 60 viewers in 12 s (connect → first RTP packet)",
          f"median {out['first_ms_median']:.0f} ms, the slowest {out['first_ms_max']:.0f} ms", "as at its start",
          out["first_ms_max"] < 1200)


# ---- MJPEG over HTTP ----

def http_cpu(b, pid, argv, viewers, seconds, names=None):
    """Percent of a core less what sees and codes, and bytes a second."""
    p = subprocess.Popen(["taskset", "-c", b.CLIENT, sys.executable, ROOT / "bench/http_sink.py", *map(str, argv[:2]),
                          str(viewers), str(seconds + 1), *map(str, argv[2:])], stdout=subprocess.PIPE, text=True)
    assert p.stdout.readline().strip() == "playing"
    def used():
        return b.cpu_ns(pid) - (b.cpu_ns(pid, names) if names else 0)
    a, t = used(), time.monotonic()
    time.sleep(seconds)
    percent = (used() - a) / (time.monotonic() - t) / 1e7
    out = json.loads(p.stdout.readline())
    p.wait()
    return percent, out["bytes"] / out["seconds"]


def aes_percent(b, rate):
    """What AES-GCM alone takes of a core for so many bytes a second."""
    text = b.run(["taskset", "-c", b.SERVER, "openssl", "speed", "-evp", "aes-128-gcm", "-bytes", "16384", "-seconds", "1"])
    kilo = float(re.findall(r"([\d.]+)k", text)[-1])
    return 100 * rate / (kilo * 1000)


def floor_percent(b, rate, viewers, fps=30, seconds=None):
    """The floor for pictures of this size: marginal, at so many viewers."""
    size = int(rate / viewers / fps)
    with tempfile.NamedTemporaryFile("w", suffix=".sizes") as f:
        f.write(f"{size}\n" * 64)
        f.flush()
        many, one = (b.floor_cpu("floor_tcp", n, f.name, False, fps, seconds or b.SECONDS) for n in (viewers, 1))
        return many - one


def mjpeg(b, c):
    """Ours and the floor in many short turns, one behind the other: what else the machine does takes
    part of a turn or two, and medians do without them."""
    n, seconds = (20, 1) if b.QUICK else (100, 2)
    user = [*vedette.ADMIN]
    for tls in (False, True):
        ours, floors, turns = [], [], 2 if b.QUICK else 11 if tls else 7
        argv = [c.https if tls else c.http, SMALL, *(["tls"] if tls else []), *user]
        for _ in range(turns):
            one, _ = http_cpu(b, c.process.pid, argv, 1, seconds, b.CODING + ("jpeg",))
            many, rate = http_cpu(b, c.process.pid, argv, n, seconds, b.CODING + ("jpeg",))
            ours.append(many - one)
            floors.append(floor_percent(b, rate, n, seconds=seconds) + (aes_percent(b, rate) if tls else 0))
        r = b.median(ours) / b.median(floors)
        pairs = sorted(x / y for x, y in zip(ours, floors))
        off = turns // 4
        b.row(f"MJPEG over {'HTTPS' if tls else 'HTTP'}, 640x360 at {rate / n / 1e6:.1f} MB/s, marginal CPU at {n} viewers",
              f"{r:.2f} × floor{' and AES' if tls else ''} ({b.median(ours):.1f} % of a core, floor {b.median(floors):.1f} %; "
              f"half of {turns} turns within {pairs[off]:.2f} … {pairs[-1 - off]:.2f})", "≤ 1.3 ×", r <= 1.3)


# ---- peers ----

def peer_gst(b, c, sizes):
    """gst-rtsp-server with a clip of our own stream: the same bytes for the same viewers."""
    clip = tempfile.mkdtemp() + "/clip.mkv"
    seconds = 30 if b.QUICK else 60
    where = f"rtsp://{vedette.ADMIN[0]}:{vedette.ADMIN[1]}@127.0.0.1:{c.rtsp}{b.STREAM}"
    b.run(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", where, "-t", seconds, "-c", "copy", clip])
    p = started(["taskset", "-c", b.SERVER, "/usr/bin/python3", ROOT / "bench/peer_gst.py", clip])
    try:
        port, n = int(p.stdout.readline().split()[1]), 50 if b.QUICK else 200
        used = {}
        for viewers in (1, n):
            s = started([b.BENCH / "sink", "--port", port, "--viewers", viewers, "--seconds",
                         b.SECONDS + 4 + viewers / 100, "--cpu", b.CLIENT, "--path", "/clip", "--rate", 100])
            time.sleep(2 + viewers / 100)
            a, t = b.cpu_ns(p.pid), time.monotonic()
            time.sleep(b.SECONDS)
            used[viewers] = (b.cpu_ns(p.pid) - a) / (time.monotonic() - t) / 1e7
            out = json.loads(s.communicate()[0])
        floor = b.floor_cpu("floor_tcp", n, sizes, False) - b.floor_cpu("floor_tcp", 1, sizes, False)
        b.row(f"peer: gst-rtsp-server over TCP, the same stream, marginal CPU at {n} viewers",
              f"{(used[n] - used[1]) / floor:.2f} × floor ({used[n] - used[1]:.1f} % of a core; {out['playing']} up)", "–")
        n = 100 if b.QUICK else 500
        for udp, coding in ((False, False), (True, False), (False, True), (True, True)):
            with watched(b, c, b.STREAM) if coding else contextlib.nullcontext():
                floor = floor_gap(b, c, udp, n) if coding else None
                s = started([b.BENCH / "sink", "--port", port, "--viewers", n, "--seconds", 4 + b.SECONDS, "--cpu", b.CLIENT,
                             "--path", "/clip", "--rate", n, "--transport", "udp" if udp else "tcp"])
                said = s.communicate()[0]
            way = "UDP" if udp else "TCP"
            if s.returncode:  # at times it refuses some of so many
                b.row(f"peer: gst-rtsp-server, {n} viewers over {way}", "not all came in", "–")
            else:
                gap_row(b, "peer: gst-rtsp-server, ", way, json.loads(said), floor)
    finally:
        p.kill()
        p.wait()
        shutil.rmtree(os.path.dirname(clip))


def peer_ustreamer(b):
    """uStreamer with a camera that is not there, its MJPEG passed on."""
    if not shutil.which("ustreamer"):
        return
    fake, port = ROOT / "build/test/fake/libfake_video.so", 18080
    with tempfile.TemporaryDirectory() as d:
        env = {**os.environ, "LD_PRELOAD": str(fake), "VEDETTE_FAKE_VIDEO": d, "VEDETTE_FAKE_FORMATS": "MJPG"}
        p = started(["taskset", "-c", b.SERVER, "ustreamer", "--device", "/dev/video-fake0", "--format", "MJPEG", "--encoder", "HW",
                     "--resolution", "640x360", "--host", "127.0.0.1", "--port", port, "--workers", 1], env=env)
        try:
            time.sleep(2)
            n = 20 if b.QUICK else 100
            one, _ = http_cpu(b, p.pid, [port, "/stream"], 1, b.SECONDS)
            many, rate = http_cpu(b, p.pid, [port, "/stream"], n, b.SECONDS)
            floor = floor_percent(b, rate, n)
            b.row(f"peer: uStreamer, MJPEG over HTTP, {rate / n / 1e6:.1f} MB/s, marginal CPU at {n} viewers",
                  f"{(many - one) / floor:.2f} × floor ({many - one:.1f} % of a core, floor {floor:.1f} %)", "–")
        finally:
            p.kill()
            p.wait()


def wait_for_pictures(where):
    """Who asks motion too early is left waiting for good."""
    for _ in range(20):
        with contextlib.suppress(OSError), urllib.request.urlopen(where, timeout=3) as r:
            if len(r.read(50000)) == 50000:
                return
        time.sleep(0.5)
    raise AssertionError(f"no pictures from {where}")


def peer_motion(b, c):
    """motion, which takes our stream and sends pictures of its own: what each more of its viewers costs."""
    if not shutil.which("motion"):
        return
    port, fps = 18081, 10
    where = (f"rtsp://{vedette.ADMIN[0]}:{vedette.ADMIN[1]}@127.0.0.1:{c.rtsp}/axis-media/media.amp"
             f"?videocodec=h264&resolution=640x360&fps={fps}")
    with tempfile.TemporaryDirectory() as d:
        conf = pathlib.Path(d, "motion.conf")
        conf.write_text(f"daemon off\nsetup_mode off\nnetcam_url {where}\nwidth 640\nheight 360\nframerate {fps}\n"
                        f"stream_port {port}\nstream_localhost on\nstream_maxrate {fps}\nstream_quality 80\n"
                        f"webcontrol_port 0\npicture_output off\nmovie_output off\ntarget_dir {d}\nlog_file {d}/log\n")
        p = started(["taskset", "-c", b.SERVER, "motion", "-n", "-c", conf])
        try:
            wait_for_pictures(f"http://127.0.0.1:{port}/")
            n = 20 if b.QUICK else 100
            one, _ = http_cpu(b, p.pid, [port, "/"], 1, b.SECONDS)
            many, rate = http_cpu(b, p.pid, [port, "/"], n, b.SECONDS)
            floor = floor_percent(b, rate, n, fps)
            b.row(f"peer: motion, MJPEG over HTTP, 640x360 at {fps}/s, {rate / n / 1e6:.2f} MB/s, marginal CPU at {n} viewers",
                  f"{(many - one) / floor:.2f} × floor ({many - one:.1f} % of a core, floor {floor:.1f} %)", "–")
        finally:
            p.kill()
            p.wait()
