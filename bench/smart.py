#!/usr/bin/env python3
"""make bench-codecs: what codecs and the smart codec save, and what they cost in quality.

Writes docs/codecs.md and prints it. Two parts: the smart codec on the camera's own pictures (build/bench/smart),
and an offline ranking of codecs by ffmpeg at named presets, at equal likeness (SSIM, PSNR), with what the
camera's own live presets give beside it. usage: smart.py [--quick] [smart|ranking]"""
import json
import math
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "build/bench/smart"
CLIP = pathlib.Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
QUICK = "--quick" in sys.argv
PARTS = [p for p in ("smart", "ranking") if p in sys.argv] or ["smart", "ranking"]
CALM = """scenario calm
length 600 loop
actor home person walk west-to-door from 16 every 40
actor late person walk north-pavement turned from 20 every 60
actor car-e car drive eastbound from 24 every 45
"""
SCENES = [("busy", "busy-noon", "", 20, 2), ("sparse", CALM, "hour 12", 40, 6), ("empty", "", "hour 12", 40, 25),
          ("night", CALM, "hour 23;weather clear 0s", 12, 12), ("clip of opencv-doc", str(CLIP), "", 60, 2)]
BASE = "h264,30,0,32,-1,-1,0"
SMART = [("strength 30", "h264,30,30,32,600,0,0"), ("30, for storage", "h264,30,30,32,600,0,1"),
         ("strength 10", "h264,30,10,32,600,0,0")]


def run(argv, **kw):
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **kw)
    if p.returncode:
        sys.exit(f"{argv[0]}: {p.stderr[-2000:]}")
    return p


def smart_rows():
    """| scene | setting | times smaller | moving parts | first picture | pictures |"""
    out = ["| scene | setting | whole stream divided by | goal | moving parts, dB | first moving picture, dB | pictures sent "
           "| blocks spared |", "|---|---|---|---|---|---|---|---|"]
    for name, scenario, commands, seconds, goal in SCENES:
        if name.startswith("clip") and not CLIP.exists():
            continue
        if QUICK:
            seconds = min(seconds, 4)
        with tempfile.NamedTemporaryFile("w", suffix=".scenario") as f:
            path = (f.name if "\n" in scenario else scenario if "/" in scenario or not scenario
                    else ROOT / f"assets/scenarios/{scenario}.scenario")
            f.write(scenario)
            f.flush()
            text = run([BENCH, path, commands, seconds, BASE, *(e for _, e in SMART)]).stdout
        base, *others = [json.loads(x) for x in text.splitlines() if x.startswith("{")]
        for (title, _), s in zip(SMART, others):
            ratio = base["bytes"] / s["bytes"]
            moving = f"{s['psnr_moving'] - base['psnr_moving']:+.2f} (of {base['psnr_moving']:.1f})" if base["moving"] else "–"
            first = f"{s['psnr_first'] - base['psnr_first']:+.2f}" if base["psnr_first"] else "–"
            ok = ratio >= goal and (not base["moving"] or s["psnr_moving"] >= base["psnr_moving"] - 0.5)
            verdict = "held" if ok else "**not held**"
            out.append(f"| {name} | {title} | {ratio:.1f} | ≥ {goal}, −0.5 dB: {verdict} | {moving} | {first} | "
                       f"{s['pictures']} of {base['pictures']} | {100 * s['still']:.0f} % |")
            print(out[-1], flush=True)
    return out


# ---- offline ranking ----

PICTURES = 30 if QUICK else 150  # of each clip


def source(d):
    """Clips as raw pictures: the street as the camera sees it, and the real one."""
    street = d / "street.y4m"
    run([BENCH, ROOT / "assets/scenarios/busy-noon.scenario", "", PICTURES / 30, BASE, f"y4m={street}"])
    clips = [("virtual street, 1080p", street)]
    if CLIP.exists():
        real = d / "real.y4m"
        run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", CLIP, "-frames:v", PICTURES, "-pix_fmt", "yuv420p", real])
        clips.append(("street clip of opencv-doc, 768×576", real))
    return clips


def x264(preset, *more, key=250):
    return lambda q: ["-c:v", "libx264", "-preset", preset, *more, "-crf", q, "-g", key]


def x265(preset, *more, key=250, params=""):
    return lambda q: ["-c:v", "libx265", "-preset", preset, *more, "-crf", q, "-x265-params",
                      f"keyint={key}:log-level=none{params}"]


# What is compared: name, arguments by quality number, quality numbers from best to worst. What is set against each other
# by PSNR is tuned for PSNR: the psychovisual tools of both encoders trade it away on purpose, x265 more of it.
OFFLINE = {
    "MJPEG": ("ffmpeg, optimal Huffman tables", lambda q: ["-c:v", "mjpeg", "-huffman", "optimal", "-q:v", q,
                                                           "-pix_fmt", "yuvj420p"], (3, 6, 10, 16)),
    "MPEG-4 part 2": ("ffmpeg", lambda q: ["-c:v", "mpeg4", "-q:v", q, "-g", 32, "-bf", 0, "-mbd", "rd"], (3, 5, 8, 12)),
    "H.264": ("x264 slow", x264("slow"), (20, 24, 28, 32)),
    "H.265": ("x265 slow", x265("slow"), (20, 24, 28, 32)),
    "H.264, for PSNR": ("x264 slow, tune psnr", x264("slow", "-tune", "psnr"), (20, 24, 28, 32)),
    "H.265, for PSNR": ("x265 slow, tune psnr", x265("slow", "-tune", "psnr"), (20, 24, 28, 32)),
    "AV1": ("SVT-AV1 preset 6", lambda q: ["-c:v", "libsvtav1", "-preset", 6, "-crf", q, "-g", 250], (28, 36, 44, 52)),
}
LIVE = {
    "MJPEG": OFFLINE["MJPEG"],
    "MPEG-4 part 2": OFFLINE["MPEG-4 part 2"],
    "H.264": ("x264 veryfast, zerolatency", x264("veryfast", "-tune", "zerolatency", key=32), (20, 24, 28, 32)),
    "H.265": ("x265 ultrafast, zerolatency", x265("ultrafast", "-tune", "zerolatency", key=32), (20, 24, 28, 32)),
    "AV1": ("SVT-AV1 preset 12, low delay", lambda q: ["-c:v", "libsvtav1", "-preset", 12, "-crf", q, "-g", 32,
                                                      "-svtav1-params", "pred-struct=1"], (28, 36, 44, 52)),
}
# (what, below what, measure, word, goal): at named presets; live by what stands before the comma
GOALS = [("H.264", "MJPEG", 1, "SSIM", 0.90), ("H.264", "MPEG-4 part 2", 1, "SSIM", 0.45),
         ("H.265, for PSNR", "H.264, for PSNR", 2, "PSNR", 0.25), ("H.265", "H.264", 2, "PSNR", None),
         ("H.265", "H.264", 1, "SSIM", None), ("AV1", "H.265, for PSNR", 2, "PSNR", 0.0)]


def likeness(clip, path):
    p = run(["ffmpeg", "-nostdin", "-v", "info", "-i", path, "-i", clip, "-lavfi",
             "[0:v]scale=out_range=tv,format=yuv420p,split[a][b];[1:v]split[c][e];[a][c]ssim;[b][e]psnr", "-f", "null", "-"])
    ssim = float(re.search(r"SSIM Y:([\d.]+)", p.stderr).group(1))
    psnr = float(re.search(r"PSNR y:([\d.]+)", p.stderr).group(1))
    return -10 * math.log10(1 - ssim), psnr


def cpu_of(argv):
    """Seconds of a core."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(argv)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def curve(clip, entry, d):
    """(bytes, SSIM in dB, PSNR, CPU) at each quality."""
    points = []
    for q in entry[2]:
        out = d / "coded.mkv"
        cpu = cpu_of(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, *entry[1](q), out])
        points.append((out.stat().st_size, *likeness(clip, out), cpu))
    return points


def saving(reference, other, measure):
    """By how much `other` is smaller at equal likeness: Bjøntegaard's mean over the common range, piecewise linear
    in the logarithm of the rate."""
    def at(points, level):
        pts = sorted((p[measure], math.log(p[0])) for p in points)
        for (x0, y0), (x1, y1) in zip(pts, pts[1:]):
            if x0 <= level <= x1:
                return y0 + (y1 - y0) * (level - x0) / (x1 - x0)
        return None
    lows = [min(p[measure] for p in points) for points in (reference, other)]
    highs = [max(p[measure] for p in points) for points in (reference, other)]
    low, high = max(lows), min(highs)
    if high <= low:
        return None
    steps = [low + (high - low) * i / 20 for i in range(21)]
    mean = sum(at(other, x) - at(reference, x) for x in steps) / len(steps)
    return 1 - math.exp(mean)


def ranking_rows():
    out = ["| clip | smaller at equal likeness | at named presets | goal | at the camera's live presets |", "|---|---|---|---|---|"]
    costs = ["", "CPU of the live presets, H.264 being 1 (all threads; the middle two qualities, reading the clip taken off):", "",
             "| clip | " + " | ".join(LIVE) + " |", "|---" * (1 + len(LIVE)) + "|"]
    with tempfile.TemporaryDirectory(prefix="vedette-codecs-") as name:
        d = pathlib.Path(name)
        for title, clip in source(d):
            named, live = ({k: curve(clip, e, d) for k, e in table.items()} for table in (OFFLINE, LIVE))
            for a, b, measure, word, goal in GOALS:
                got = [saving(named[b], named[a], measure)]
                alone = a.split(",")[0] if a in LIVE or goal is not None else None
                got.append(saving(live[b.split(",")[0]], live[alone], measure) if alone else None)
                text = ["–" if g is None else f"{100 * g:.0f} %" for g in got]
                verdict = "–" if goal is None else f"> {100 * goal:.0f} %: " + (
                    "held" if got[0] is not None and got[0] >= goal else "**not held**")
                out.append(f"| {title} | {a} below {b} ({word}) | {text[0]} | {verdict} | {text[1]} |")
                print(out[-1], flush=True)
            idle = cpu_of(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, "-f", "null", "-"])
            cost = {k: sum(p[3] for p in live[k][1:3]) / 2 - idle for k in LIVE}
            costs.append(f"| {title} | " + " | ".join(f"{cost[k] / cost['H.264']:.2f}" for k in LIVE) + " |")
            print(costs[-1], flush=True)
    return out + costs


def main():
    parts = []
    if "smart" in PARTS:
        parts += ["## Smart codec", "",
                  f"H.264 of the camera's own 1080p pictures ({', '.join(f'{s[0]}: {s[3]} s' for s in SCENES)}) at compression 30, whole streams",
                  "against the same encoder, preset and",
                  "compression at an interval of 32 and the full frame rate. Keys up to 600 pictures apart, frame rate dynamic. The moving",
                  "parts are the boxes of the world's truth; pictures that were left out count as what the viewer sees then.", "",
                  *smart_rows(), ""]
    if "ranking" in PARTS:
        named = "; ".join(f"{k}: {t[0]}" for k, t in OFFLINE.items())
        live = "; ".join(f"{k}: {LIVE[k][0]}" for k in ("H.264", "H.265", "AV1"))
        parts += ["## Codecs", "", f"By ffmpeg, {PICTURES} pictures of each clip, four qualities each, mean over the range they share "
                  "(Bjøntegaard's measure).", f"Named presets: {named}.", f"Live presets: {live}.",
                  "What is compared by PSNR is tuned for it: the psychovisual tools of x264 and x265 trade PSNR for looks, and not to "
                  "the same degree; the rows without a goal are with them.", "", *ranking_rows(), ""]
    path = ROOT / "docs/codecs.md"
    if len(PARTS) == 2 and not QUICK:
        path.write_text("# What codecs save\n\nMade by `make bench-codecs`.\n\n" + "\n".join(parts))
    print("\n".join(parts))


if __name__ == "__main__":
    main()
