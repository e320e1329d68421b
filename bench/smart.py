#!/usr/bin/env python3
"""make bench-codecs: what codecs and the smart codec save, and what they cost in quality.

Writes docs/codecs.md and prints it. Two parts: the smart codec on the camera's own pictures (build/bench/smart),
and an offline ranking of codecs by ffmpeg at named presets, at equal likeness (SSIM, PSNR), with what the
camera's own live presets give beside it. usage: smart.py [--quick] [smart|ranking]"""
import json
import math
import pathlib
import re
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

def source(d):
    """A clip as raw pictures: the street as the camera sees it, and the real one."""
    street = d / "street.y4m"
    run([BENCH, ROOT / "assets/scenarios/busy-noon.scenario", "", 1 if QUICK else 3, BASE, f"y4m={street}"])
    clips = [("virtual street, 1080p", street)]
    if CLIP.exists():
        real = d / "real.y4m"
        run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", CLIP, "-frames:v", 30 if QUICK else 150, "-pix_fmt", "yuv420p",
             real])
        clips.append(("street clip of opencv-doc, 768×576", real))
    return clips


# What is compared: name, arguments by quality number, quality numbers from best to worst.
OFFLINE = {
    "mjpeg": ("MJPEG (ffmpeg, optimal Huffman)", lambda q: ["-c:v", "mjpeg", "-huffman", "optimal", "-q:v", q,
                                                            "-pix_fmt", "yuvj420p"], (3, 6, 10, 16)),
    "mpeg4": ("MPEG-4 part 2 (ffmpeg)", lambda q: ["-c:v", "mpeg4", "-q:v", q, "-g", 32, "-bf", 0, "-mbd", "rd"],
              (3, 5, 8, 12)),
    "h264": ("H.264 (x264 slow)", lambda q: ["-c:v", "libx264", "-preset", "slow", "-crf", q, "-g", 250], (20, 24, 28, 32)),
    "h265": ("H.265 (x265 slow)", lambda q: ["-c:v", "libx265", "-preset", "slow", "-crf", q, "-x265-params",
                                             "keyint=250:log-level=none"], (20, 24, 28, 32)),
    "av1": ("AV1 (SVT-AV1 preset 6)", lambda q: ["-c:v", "libsvtav1", "-preset", 6, "-crf", q, "-g", 250], (28, 36, 44, 52)),
}
LIVE = {
    "mjpeg": OFFLINE["mjpeg"],
    "mpeg4": OFFLINE["mpeg4"],
    "h264": ("H.264 (x264 veryfast, zerolatency)", lambda q: ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency",
                                                             "-crf", q, "-g", 32], (20, 24, 28, 32)),
    "h265": ("H.265 (x265 ultrafast, zerolatency)", lambda q: ["-c:v", "libx265", "-preset", "ultrafast", "-tune",
                                                              "zerolatency", "-crf", q, "-x265-params",
                                                              "keyint=32:log-level=none"], (20, 24, 28, 32)),
    "av1": ("AV1 (SVT-AV1 preset 12, low delay)", lambda q: ["-c:v", "libsvtav1", "-preset", 12, "-crf", q, "-g", 32,
                                                            "-svtav1-params", "pred-struct=1"], (28, 36, 44, 52)),
}


def likeness(clip, path):
    p = run(["ffmpeg", "-nostdin", "-v", "info", "-i", path, "-i", clip, "-lavfi",
             "[0:v]scale=out_range=tv,format=yuv420p,split[a][b];[1:v]split[c][e];[a][c]ssim;[b][e]psnr", "-f", "null", "-"])
    ssim = float(re.search(r"SSIM Y:([\d.]+)", p.stderr).group(1))
    psnr = float(re.search(r"PSNR y:([\d.]+)", p.stderr).group(1))
    return -10 * math.log10(1 - ssim), psnr


def curve(clip, codec, table, d):
    """(bytes, SSIM in dB, PSNR) at each quality."""
    points = []
    for q in table[codec][2]:
        out = d / "coded.mkv"
        run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, *table[codec][1](q), out])
        points.append((out.stat().st_size, *likeness(clip, out)))
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


GOALS = [("h264", "mjpeg", 1, "SSIM", 0.90), ("h264", "mpeg4", 1, "SSIM", 0.45), ("h265", "h264", 2, "PSNR", 0.25),
         ("av1", "h265", 2, "PSNR", 0.0)]


def ranking_rows():
    out = ["| clip | smaller at equal likeness | at named presets | goal | at the camera's live presets |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="vedette-codecs-") as name:
        d = pathlib.Path(name)
        for title, clip in source(d):
            curves = [{k: curve(clip, k, table, d) for k in table} for table in (OFFLINE, LIVE)]
            for a, b, measure, word, goal in GOALS:
                got = [saving(c[b], c[a], measure) for c in curves]
                text = ["–" if g is None else f"{100 * g:.0f} %" for g in got]
                ok = got[0] is not None and got[0] >= goal
                out.append(f"| {title} | {a} below {b} ({word}) | {text[0]} | > {100 * goal:.0f} %: "
                           f"{'held' if ok else '**not held**'} | {text[1]} |")
                print(out[-1], flush=True)
    return out


def main():
    parts = []
    if "smart" in PARTS:
        parts += ["## Smart codec", "",
                  "H.264 of the camera's own 1080p pictures at compression 30, whole streams against the same encoder, preset and",
                  "compression at an interval of 32 and the full frame rate. Keys up to 600 pictures apart, frame rate dynamic. The moving",
                  "parts are the boxes of the world's truth; pictures that were left out count as what the viewer sees then.", "",
                  *smart_rows(), ""]
    if "ranking" in PARTS:
        named = ", ".join(t[0] for t in OFFLINE.values())
        live = ", ".join(LIVE[k][0] for k in ("h264", "h265", "av1"))
        parts += ["## Codecs", "", f"By ffmpeg, four qualities each, mean over the range they share. Named presets: {named}.",
                  f"Live presets: {live}.", "", *ranking_rows(), ""]
    path = ROOT / "docs/codecs.md"
    if len(PARTS) == 2 and not QUICK:
        path.write_text("# What codecs save\n\nMade by `make bench-codecs`.\n\n" + "\n".join(parts))
    print("\n".join(parts))


if __name__ == "__main__":
    main()
