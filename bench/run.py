#!/usr/bin/env python3
"""make bench: what the camera costs, as ratios against floors in the same run.

Writes docs/performance.md and prints it. Server and clients sit on different cores; each
figure is the median of alternated runs. usage: run.py [--quick]"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import crowd  # noqa: E402
import fleet  # noqa: E402
import vedette  # noqa: E402

QUICK = "--quick" in sys.argv
RUNS, SECONDS = (1, 3) if QUICK else (3, 6)
BENCH = ROOT / "build/bench"
SERVER, CLIENT = "0", "1" if os.cpu_count() > 1 else "0"
STREAM = "/axis-media/media.amp?videocodec=h264&compression=14&videobitratemode=mbr&videomaxbitrate=4000"
median = statistics.median
rows, notes = [], []


def row(what, measured, goal, ok=None):
    verdict = "" if ok is None else ("held" if ok else "**not held**")
    rows.append((what, measured, goal, verdict))
    print(f"{what}: {measured} (goal {goal}) {verdict}", flush=True)


def run(argv, **kw):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=True, **kw).stdout


def camera():
    """On the servers' core from its start, with its key agent."""
    return vedette.Camera("release", wrap=("taskset", "-c", SERVER))


CODING = ("source", "h264", "rendition", "still")  # threads whose work does not depend on viewers


def cpu_ns(pid, names=None):
    """CPU of a process, or of its threads whose names begin so. Nanoseconds."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if names is None or (task / "comm").read_text().startswith(names):
                total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total


SOURCE = [(scene + "_" + move, f"virtual source, 1080p, {what}, {how}", goal)
          for scene, what in (("noon", "noon, the default scenario"), ("night", "night in rain, 20 actors"))
          for move, how, goal in (("still", "still", 0.5), ("slow", "panning at 3°/s", 2), ("pan", "at 60°/s", 2),
                                  ("fastest", "as fast as the head can", 2))]
SOURCE += [(scene + "_still", f"virtual source, 1080p, {what}, still", goal)
           for scene, what, goal in (("ir", "night, its own infrared lamp, 20 actors", 0.5),
                                     ("spray", "noon, paint on the dome", 1), ("cover", "noon, a cloth over it", 1),
                                     ("blur", "noon, a little out of focus", 1),
                                     ("blurred", "noon, far out of focus", 1))]


def kernels():
    text = run(["taskset", "-c", SERVER, BENCH / "kernels", 40 if QUICK else 150, ROOT / "assets/scenarios"])
    k = {name: float(v) for name, v in (line.split() for line in text.splitlines())}
    notes.append(f"kernels on this machine: C {k['C']:.3f} ms, R {k['R']:.2f} ms, J {k['J_still']:.2f} ms, "
                 f"X {k['X_still']:.2f} ms (veryfast, CRF 25)")
    for name, what, goal in SOURCE:
        ms = k[f"source_{name}_mean"]
        row(what, f"{ms / k['R']:.2f} R ({ms:.1f} ms)", f"≤ {goal} R", ms <= goal * k["R"])
    r = k["jpeg_still"] / k["J_still"]
    row("1080p JPEG, colour conversion included", f"{r:.2f} J", "≤ 1.1 J", r <= 1.1)
    return k


def sink(port, viewers, seconds, udp=False, raw=False, sizes=None, rate=100):
    argv = [BENCH / "sink", "--port", port, "--viewers", viewers, "--seconds", seconds, "--cpu", CLIENT,
            "--transport", "udp" if udp else "tcp"]
    if raw:
        argv += ["--raw"]
    else:
        argv += ["--path", STREAM, "--user", vedette.ADMIN[0], "--password", vedette.ADMIN[1], "--rate", rate]
    if sizes:
        argv += ["--sizes", sizes]
    return argv


def camera_cpu(c, viewers, udp):
    """While so many watch: percent of a core of all threads but those that see and code (they do
    the same for one as for many; their noise would drown the difference), and those threads' time
    for each picture coded (on a full core there are fewer), in milliseconds."""
    wait = 2 + viewers / 100
    p = subprocess.Popen([str(a) for a in sink(c.rtsp, viewers, wait + SECONDS + 1, udp)],
                         stdout=subprocess.PIPE, text=True)
    def coded():
        return c.admin.json("/axis-cgi/streamstatus.cgi", "getWork")["data"]["pictures_coded"]
    time.sleep(wait)
    pictures = coded()
    t, all_a, code_a = time.monotonic(), cpu_ns(c.process.pid), cpu_ns(c.process.pid, CODING)
    time.sleep(SECONDS)
    all_b, code_b, t = cpu_ns(c.process.pid), cpu_ns(c.process.pid, CODING), time.monotonic() - t
    pictures = coded() - pictures
    out = json.loads(p.communicate()[0])
    assert out["playing"] == viewers and not out["failed"], out
    return (all_b - all_a - code_b + code_a) / t / 1e7, (code_b - code_a) / pictures / 1e6, out


def floor_run(program, viewers, sizes, udp, fps=30, seconds=SECONDS):
    """Percent of a core, and what the viewers saw."""
    argv = [BENCH / program, "--fps", fps, "--viewers", viewers, "--seconds", seconds, "--cpu", SERVER, "--sizes", sizes]
    p = subprocess.Popen([str(a) for a in argv] + (["--udp"] if udp and program == "fanout" else []),
                         stdout=subprocess.PIPE, text=True)
    port = int(p.stdout.readline().split()[1])
    client = subprocess.Popen([str(a) for a in sink(port, viewers, seconds + 2, udp, raw=True)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    out = json.loads(p.stdout.readline())
    p.wait()
    return out["cpu_percent"], json.loads(client.communicate()[0])


def floor_cpu(*args):
    return floor_run(*args)[0]


def fan_out(c, udp):
    """Marginal CPU: at N viewers less at one, the same stream for all."""
    name = "UDP" if udp else "TCP"
    floor = "floor_udp" if udp else "floor_tcp"
    with tempfile.NamedTemporaryFile(suffix=".sizes") as sizes:
        run(sink(c.rtsp, 1, 8, udp, sizes=sizes.name))
        samples = [int(x) for x in open(sizes.name)]
        kbps = sum(samples) / len(samples) * 30 * 8 / 1000
        for n in (50, 200):
            ours, coding, floors = [], [], []
            for _ in range(RUNS):
                one, code_one, _ = camera_cpu(c, 1, udp)
                many, code_many, out = camera_cpu(c, n, udp)
                ours.append(many - one)
                coding.append(code_many / code_one)
                floors.append(floor_cpu(floor, n, sizes.name, udp) - floor_cpu(floor, 1, sizes.name, udp))
            r = median(ours) / median(floors)
            row(f"RTSP over {name}, 1080p30 at {kbps / 1000:.1f} Mbit/s, marginal CPU at {n} viewers",
                f"{r:.2f} × floor ({median(ours):.1f} % of a core, floor {median(floors):.1f} %; source and "
                f"encoder {median(coding):.2f} × those of one viewer for each picture; {out['lost_packets']} packets lost)",
                "≤ 1.5 × floor", r <= 1.5)
        if not udp:
            crowd.peer_gst(sys.modules[__name__], c, sizes.name)


def overhead(k):
    """The camera's own share of a picture: all threads but source and encoder, plus develop and
    the wrapper round x264."""
    with camera() as c:
        c.setup(users=False)
        p = subprocess.Popen([str(a) for a in sink(c.rtsp, 1, 4 + 2 * SECONDS)], stdout=subprocess.DEVNULL)
        time.sleep(3)
        def rest():
            return cpu_ns(c.process.pid) - cpu_ns(c.process.pid, ("source", "h264"))
        a = rest()
        time.sleep(2 * SECONDS)
        ms = (rest() - a) / 1e6 / (2 * SECONDS * 30)
        memory = c.memory_kb() / 1024
        p.wait()
    own = ms + k["develop_still"] + max(0, k["h264_less_X_still"])
    row("camera process less X, one viewer, a 1080p picture, time overlay painted",
        f"{own:.2f} ms = {own / k['C']:.0f} C (develop {k['develop_still']:.2f}, everything beside source and "
        f"encoder {ms:.2f}, wrapper {k['h264_less_X_still']:+.2f})", "≤ 0.6 ms (≈ 6 C)", own <= limit(k, 0.6))
    row("anonymous memory with one 1080p H.264 stream", f"{memory:.0f} MB", "≤ 150 MB", memory <= 150)


def idle():
    with vedette.Camera("release") as c:
        c.setup(users=False)
        time.sleep(1)
        a, t = cpu_ns(c.process.pid), time.monotonic()
        time.sleep(2 * SECONDS)
        percent = (cpu_ns(c.process.pid) - a) / (time.monotonic() - t) / 1e7
        row("nobody watches", f"{percent:.3f} % of a core", "≤ 1 %", percent <= 1)


def many():
    r = fleet.measure(20, 2 * SECONDS)
    for when, what in (("fresh", "before anybody watched"), ("after", "after each was watched")):
        percent, mb = 100 * r[when]["cpu"], r[when]["bytes"] / 1e6
        row(f"{r['cameras']} cameras at once, {what}: the dearest one, with its key agent",
            f"{percent:.3f} % of a core, {mb:.1f} MB anonymous", "≤ 1 %, ≤ 60 MB", percent <= 1 and mb <= 60)
    row(f"{r['cameras']} cameras at once, all ready", f"{r['start_s']:.1f} s", "–")


def start():
    ready, first, still = [], [], []
    for _ in range(5):
        with vedette.Camera("release") as c:
            ready.append(c.ready_after)
            c.setup(users=False)
            out = json.loads(run(sink(c.rtsp, 1, 1)))
            first.append(out["first_ms_median"])
            t = time.monotonic()
            c.snapshot("compression=41")
            still.append((time.monotonic() - t) * 1000)
    row("ready after start", f"{median(ready):.2f} s ({min(ready):.2f} … {max(ready):.2f})", "≤ 1.0 s",
        median(ready) <= 1)
    row("time to first picture, one viewer, nothing running before (connect → first RTP packet)",
        f"{median(first):.0f} ms", "–")
    row("snapshot while a stream runs", f"{median(still):.0f} ms", "–")


def glass():
    text = run(["node", ROOT / "bench/glass.mjs", 4 if QUICK else 12])
    delays = [float(x) for x in re.findall(r"^delay (\S+)", text, re.M)]
    ms = median(delays)
    row("glass to browser on loopback at 30 fps, Chromium without GPU",
        f"{ms:.0f} ms ({min(delays):.0f} … {max(delays):.0f})", "≤ 120 ms", ms <= 120)


def machine():
    model = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return f"{model}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"


def limit(k, ms):
    """Goals in milliseconds are those of a machine that copies a picture in 0.1 ms (C); where that takes
    longer, what moves pictures may, too."""
    return ms * max(1, k["C"] / 0.1)


def main():
    k = kernels()
    for look in ("colour", "mosaic"):
        own = [k[f"masks8_{look}_{how}"] for how in ("still", "moving")]
        row(f"8 masks ({look}) over a quarter of a 1080p picture, beyond the copy without",
            f"{own[0]:.2f} / {own[1]:.2f} ms still / moving = {own[0] / k['C']:.0f} / "
            f"{own[1] / k['C']:.0f} C", "≤ 1 ms (≈ 10 C)", max(own) <= limit(k, 1))
    own = [k[f"masks8_overlays4_compass_{how}"] for how in ("still", "moving")]
    row("8 masks + 4 overlays + compass together, a 1080p picture, beyond the copy without; none in use: "
        f"{k['overlay_none']:.3f} ms", f"{own[0]:.2f} / {own[1]:.2f} ms still / moving = {own[0] / k['C']:.0f} / "
        f"{own[1] / k['C']:.0f} C", "≤ 1.5 ms (≈ 15 C)", max(own) <= limit(k, 1.5))
    still, moving = k["overlays_4_compass_still"], k["overlays_4_compass_moving"]
    row("4 overlays + compass, a 1080p picture, coat or copy included",
        f"{still:.2f} ms = {still / k['C']:.0f} C still, {moving:.2f} ms while the head turns; a clock alone "
        f"{k['overlay_clock']:.2f}; none {k['overlay_none']:.3f}", "≤ 0.6 ms (≈ 6 C)", moving <= limit(k, 0.6))
    overhead(k)
    idle()
    many()
    start()
    with camera() as c:
        c.setup(users=False)
        fan_out(c, udp=False)
        fan_out(c, udp=True)
        me = sys.modules[__name__]
        crowd.crowds(me, c)
        crowd.middle_of_gop(me, c)
        crowd.mjpeg(me, c)
        crowd.peer_ustreamer(me)
        crowd.peer_motion(me, c)
    glass()
    lines = ["# Performance", "",
             "Made by `make bench`; do not edit. All are medians of one run, server and clients on different cores. "
             "A *floor* is the least that the kernel and the bare library need for the same bytes (`bench/`); *peers* "
             "are those that Debian has.", "",
             f"Machine: {machine()}. " + " ".join(n[0].upper() + n[1:] + "." for n in notes), "",
             "| what | measured | goal | |", "|---|---|---|---|"]
    lines += [f"| {a} | {b} | {c} | {d} |" for a, b, c, d in rows]
    text = "\n".join(lines) + "\n"
    if not QUICK:
        (ROOT / "docs/performance.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
