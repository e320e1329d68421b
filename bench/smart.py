#!/usr/bin/env python3
"""make bench-codecs: what codecs and the smart codec save, and what they cost in quality.

Writes docs/codecs.md: the smart codec on the camera's own pictures and a real clip (build/bench/smart); an offline
ranking of codecs by ffmpeg at named presets, at equal likeness (SSIM, PSNR), with what the camera's own live presets
give beside it; H.265 below H.264 at each preset; what a live picture costs (build/bench/cost). What was measured is kept in build/bench/codecs.json, so
that a part may be measured anew alone; the page is made of the newest of each.
usage: smart.py [--quick] [PART …]   (parts: busy sparse empty night clip {ranking,presets,cost}-{street,walkers}; all when none
is named)"""
import concurrent.futures
import json
import math
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH, COST = ROOT / "build/bench/smart", ROOT / "build/bench/cost"
CLIP = pathlib.Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
QUICK = "--quick" in sys.argv  # short, and nothing is kept
KEPT = ROOT / "build/bench/codecs.json"
CALM = """scenario calm
length 600 loop
actor home person walk west-to-door from 16 every 40
actor late person walk north-pavement turned from 20 every 60
actor car-e car drive eastbound from 24 every 45
"""
SCENES = {  # name: what it is, scenario, commands for the stage, seconds, goal
    "busy": ("busy: `busy-noon`", "busy-noon", "", 20, 2),
    "sparse": ("sparse: two walkers and a car now and then, noon", CALM, "hour 12", 40, 6),
    "empty": ("empty street, noon, leaves in the wind", "", "hour 12", 40, 25),
    "night": ("night, 23 h, the camera's own noise", CALM, "hour 23;weather clear 0s", 12, 12),
    "clip": ("`vtest.avi`", str(CLIP), "", 60, 2)}
CLIPS = {"street": "virtual street, 1080p", "walkers": "`vtest.avi` of opencv-doc, 768×576"}  # for codecs
ALL = [*SCENES, *(f"{what}-{clip}" for clip in CLIPS for what in ("ranking", "presets", "cost"))]
PARTS = [a for a in sys.argv[1:] if a in ALL] or ALL
BASE = "h264,30,0,32,-1,-1,0"
SMART = {"strength 30": "h264,30,30,32,600,0,0", "30, for storage": "h264,30,30,32,600,0,1",
         "strength 10": "h264,30,10,32,600,0,0"}
FEWER_KEYS = "h264,30,0,600,-1,-1,0"  # of the clip only: what fewer keys alone save


def run(argv, **kw):
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **kw)
    if p.returncode:
        sys.exit(f"{argv[0]}: {p.stderr[-2000:]}")
    return p


# ---- the smart codec ----

def measure_scene(name):
    """What the bench prints of each encoding: the classic one first, then those of SMART."""
    _, scenario, commands, seconds, _ = SCENES[name]
    with tempfile.NamedTemporaryFile("w", suffix=".scenario") as f:
        path = (f.name if "\n" in scenario else scenario if "/" in scenario or not scenario
                else ROOT / f"assets/scenarios/{scenario}.scenario")
        f.write(scenario)
        f.flush()
        text = run([BENCH, path, commands, min(seconds, 4) if QUICK else seconds, BASE, *SMART.values(),
                    *([FEWER_KEYS] if name == "clip" else [])]).stdout
    return [json.loads(x) for x in text.splitlines() if x.startswith("{")]


def times(base, other):
    return base["bytes"] / other["bytes"]


def smart_rows(kept):
    out = ["| scene | setting | whole stream divided by | goal | moving parts, dB | first moving picture, dB | whole picture, dB "
           "| pictures sent | blocks spared |", "|---|---|---|---|---|---|---|---|---|"]
    for name, (title, _, _, _, goal) in SCENES.items():
        if name not in kept:
            continue
        base, *others = kept[name]
        for setting, s in zip(SMART, others):
            ratio, moves = times(base, s), base["moving"] > 0
            off = s["psnr_moving"] - base["psnr_moving"] if moves else 0
            cells = [title, setting, f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}",
                     f"≥ {goal}: " + ("held" if ratio >= goal and off >= -0.5 else "**not held**"),
                     f"{off:+.2f} (of {base['psnr_moving']:.1f})" if moves else "–",
                     f"{s['psnr_first'] - base['psnr_first']:+.2f} (of {base['psnr_first']:.1f})" if base["psnr_first"] else "–",
                     f"{s['psnr'] - base['psnr']:+.2f} (of {base['psnr']:.1f})" if s["psnr"] else "–", f"{s['pictures']} of {base['pictures']}",
                     f"{100 * s['still']:.0f} %"]
            out.append("| " + " | ".join(cells) + " |")
    return out


def clip_words(kept):
    """What there is to say about the clip, by what was measured."""
    base, strong, storage, weak, fewer = kept["clip"]
    keys = times(base, fewer)
    return [
        f"The clip is `vtest.avi` of opencv-doc: people who walk all the time, {100 * base['moving']:.1f} % of the picture at a time, and its",
        f"own coding noise (σ {strong['noise']:.1f}). Its last {base['pictures']} pictures count, with {strong['keys']} key instead of {base['keys']}; the 450 before are for settling. Where",
        f"pictures differ by more than six grey levels counts as moving. Fewer keys alone make it {keys:.2f} times smaller; what blocks",
        f"are worth makes {times(fewer, strong):.2f} of the rest at strength 30 and {times(fewer, weak):.2f} at strength 10, B pictures and the look ahead",
        f"(storage) {times(strong, storage):.2f} more. Three things took it from 1.72 times at −0.66 dB to what stands above: what only lies around a walker, or was left by",
        "one a moment ago, is coded nine tenths as coarse as what is still; x264's own",
        "adaptive quantizer is off, since what blocks are worth is said by what happens in them and not by how rough they are; and what moves is coded four",
        "steps coarser instead, which is about what that quantizer had made of people's clothes."]


# ---- offline ranking ----

PICTURES = (16, 16) if QUICK else (96, 128)  # of the street, of the clip


def cut(clip, pictures, to):
    run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, "-frames:v", pictures, "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", to])


def source(clip, d):
    """Raw pictures: of the street as the camera sees it, or of the real clip."""
    to = d / "clip.y4m"
    if clip == "street":
        run([BENCH, ROOT / "assets/scenarios/busy-noon.scenario", "", PICTURES[0] / 30, BASE, f"y4m={d}/all.y4m"])
        cut(d / "all.y4m", PICTURES[0], to)
        (d / "all.y4m").unlink()
    else:
        cut(CLIP, PICTURES[1], to)
    return to


def x264(preset, *more, key=250):
    return lambda q: ["-c:v", "libx264", "-preset", preset, *more, "-crf", q, "-g", key]


def x265(preset, *more, key=250, params=""):
    return lambda q: ["-c:v", "libx265", "-preset", preset, *more, "-crf", q, "-x265-params",
                      f"keyint={key}:log-level=none{params}"]


# What is compared: name, arguments by quality number, quality numbers from best to worst.
OFFLINE = {
    "MJPEG": ("ffmpeg, optimal Huffman tables", lambda q: ["-c:v", "mjpeg", "-huffman", "optimal", "-q:v", q,
                                                           "-pix_fmt", "yuvj420p"], (3, 6, 10, 16)),
    "MPEG-4 part 2": ("ffmpeg", lambda q: ["-c:v", "mpeg4", "-q:v", q, "-g", 32, "-bf", 0, "-mbd", "rd"], (3, 5, 8, 12)),
    "H.264": ("x264 slow", x264("slow"), (20, 24, 28, 32)),
    "AV1": ("SVT-AV1 preset 6", lambda q: ["-c:v", "libsvtav1", "-preset", 6, "-crf", q, "-g", 250], (28, 36, 44, 52)),
}
LIVE = {
    "MJPEG": OFFLINE["MJPEG"],
    "MPEG-4 part 2": OFFLINE["MPEG-4 part 2"],
    "H.264": ("x264 veryfast, zerolatency", x264("veryfast", "-tune", "zerolatency", key=32), (20, 24, 28, 32)),
    "H.265": ("x265 superfast, zerolatency, aq-strength 0.5", x265("superfast", "-tune", "zerolatency", key=32,
              params=":aq-mode=1:aq-strength=0.5"), (20, 24, 28, 32)),
    "H.265, low effort": ("x265 ultrafast, zerolatency", x265("ultrafast", "-tune", "zerolatency", key=32), (20, 24, 28, 32)),
    "AV1": ("SVT-AV1 preset 12, low delay", lambda q: ["-c:v", "libsvtav1", "-preset", 12, "-crf", q, "-g", 32,
                                                      "-svtav1-params", "pred-struct=1"], (28, 36, 44, 52)),
}
# H.265 and H.264 at the same preset of both libraries, as it is and tuned for PSNR: the psychovisual tools of both trade
# PSNR for looks, and not to the same degree. One quality number in five, as the standard's own common test conditions do.
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
TUNES = {"as it is": (), "tune psnr": ("-tune", "psnr")}
QUALITIES = (22, 27, 32, 37)
NAMED, SLOW = "superfast, tune psnr", "slow, tune psnr"  # of the ranking
# (what, below what, measure, word, goal): at named presets; and live. None: there is no such preset
GOALS = [("H.264", "MJPEG", 1, "SSIM", 0.90), ("H.264", "MPEG-4 part 2", 1, "SSIM", 0.45),
         (f"H.265, {NAMED}", f"H.264, {NAMED}", 2, "PSNR", 0.25), ("H.265, low effort", "H.264", 2, "PSNR", None),
         ("AV1", f"H.265, {SLOW}", 2, "PSNR", 0.0)]


def likeness(clip, path):
    p = run(["ffmpeg", "-nostdin", "-v", "info", "-i", path, "-i", clip, "-lavfi",
             # by number: rounded times would set some pictures against the one before
             "[0:v]settb=1/25,setpts=N,scale=out_range=tv,format=yuv420p,split[a][b];[1:v]settb=1/25,setpts=N,split[c][e];"
             "[a][c]ssim;[b][e]psnr", "-f", "null", "-"])
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


def measure_ranking(clip, d):
    """The curves of all entries."""
    return {table: {k: curve(clip, e, d) for k, e in entries.items()} for table, entries in (("named", OFFLINE), ("live", LIVE))}


def measure_presets(clip, d):
    """The curves of both libraries at all presets."""
    def point(job):
        library, key, preset, tune, q = job
        out = d / "-".join([*job[:3], tune.replace(" ", ""), f"{q}.mkv"])
        run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, *library_of[library](preset, *TUNES[tune])(q), out])
        got = (out.stat().st_size, *likeness(clip, out), 0)
        out.unlink()
        return f"{key}, {preset}, {tune}", got
    library_of = {"x264": x264, "x265": x265}
    jobs = [(library, key, preset, tune, q) for preset in PRESETS for tune in TUNES for q in QUALITIES
            for library, key in (("x264", "H.264"), ("x265", "H.265"))]
    curves = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, got in pool.map(point, jobs):
            curves.setdefault(name.replace(", as it is", ""), []).append(got)
    return curves


def preset_rows(kept):
    out = ["| preset of both | " + " | ".join(f"{title}: {tune}" for title in CLIPS.values() for tune in TUNES) + " |",
           "|---" * (1 + len(CLIPS) * len(TUNES)) + "|"]
    for preset in PRESETS:
        cells = []
        for clip in CLIPS:
            curves = kept.get(f"presets-{clip}", {})
            for tune in TUNES:
                name = preset if tune == "as it is" else f"{preset}, {tune}"
                got = f"H.264, {name}" in curves and saving(curves[f"H.264, {name}"], curves[f"H.265, {name}"], 2)
                cells.append(f"{100 * got:.0f} %" if got else "–")
        out.append(f"| {preset} | " + " | ".join(cells) + " |")
    return out


def ranking_rows(kept):
    out = ["| clip | smaller at equal likeness | at named presets | goal | at the camera's live presets |", "|---|---|---|---|---|"]
    for name, title in CLIPS.items():
        if f"ranking-{name}" not in kept:
            continue
        tables = kept[f"ranking-{name}"]
        named, live = {**tables["named"], **kept.get(f"presets-{name}", {})}, tables["live"]
        for a, b, measure, word, goal in GOALS:
            got = [saving(named[b], named[a], measure) if a in named and b in named else None]
            la, lb = a if goal is None else a.split(",")[0], b.split(",")[0]
            got.append(saving(live[lb], live[la], measure))
            text = ["–" if g is None else f"{100 * g:.0f} %" for g in got]
            verdict = "–" if goal is None else f"> {100 * goal:.0f} %: " + (
                "held" if got[0] is not None and got[0] >= goal else "**not held**")
            out.append(f"| {title} | {a} below {b} ({word}) | {text[0]} | {verdict} | {text[1]} |")
    return out if len(out) > 2 else []


# ---- what a live picture costs ----

def measure_cost(clip, _):
    return [json.loads(x) for x in run([COST, clip]).stdout.splitlines()]


def cost_rows(kept):
    out = []
    for name, title in CLIPS.items():
        found = kept.get(f"cost-{name}")
        if found and not out:
            out = ["| clip | " + " | ".join(c["codec"] for c in found) + " |", "|---" * (1 + len(found)) + "|"]
        if found:
            out.append(f"| {title} | " + " | ".join(f"{c['times']:.1f}" for c in found) + " |")
    return out


# ---- the page ----

def page(kept):
    named = "; ".join(f"{k}: {t[0]}" for k, t in OFFLINE.items())
    live = "; ".join(f"{k}: {LIVE[k][0]}" for k in ("H.264", "H.265", "H.265, low effort", "AV1"))
    lengths = ", ".join(f"{n} {s[3]} s" for n, s in SCENES.items() if n != "clip")
    lines = [
        "# What codecs save", "",
        "Made by `make bench-codecs` (`bench/smart.py`), words and all. Sizes and likeness do not depend on what else the machine does.", "",
        "## Smart codec", "",
        f"H.264 of the camera's own 1080p pictures ({lengths}) at compression 30, whole streams (key included) against the same encoder,",
        "preset and compression at an interval of 32 and the full frame rate. Keys up to 600 pictures apart, frame rate dynamic down to one a second.",
        "The moving parts are the boxes of the world's truth; pictures that were left out count as what the viewer sees then. Fifteen seconds pass",
        "before anything counts. A goal is held when moving parts are within 0.5 dB, too.", "", *smart_rows(kept), "",
        "For storage B pictures are coded as coarse as the others; at 1.1 times what moves in the clip had been 0.7 dB worse. What has just begun to",
        "move is coded well with all of its box, once: before, the first moving picture had been 0.56 dB worse (for storage 1.15), by the background in it.", ""]
    if "clip" in kept:
        lines += clip_words(kept) + [""]
    lines += ["## Codecs", "",
              f"By ffmpeg, {PICTURES[0]} pictures of the street and {PICTURES[1]} of the clip, four qualities each, mean over the range they share",
              f"(Bjøntegaard's measure). Named presets: {named}.", f"Live presets: {live}. H.265 is live with low effort where the machine would not keep up with more",
              "(`Image.H265.Effort`, [streams.md](streams.md)).", "", *ranking_rows(kept), "",
              "H.265 below H.264 at equal PSNR (luma, whole sequence) by the preset of both libraries, as ffmpeg gives it; keys are 250 pictures apart at most, that is",
              "one. A preset does not mean the same in both. x265 always spends more on what is referred to for long (`cu-tree`), x264 (`mbtree`) only from veryfast on,",
              "and with a camera that stands that is worth much. With a constant quantizer, where neither does, the clip was 29, 21, 20 and 17 % smaller at ultrafast, superfast,",
              "veryfast and medium (measured once). So that H.265 is a quarter smaller is true of the presets up to superfast, which the ranking above names, and about a third",
              "of that is that tool; from veryfast on it is not true of these clips.", "",
              *preset_rows(kept), "",
              "## What a live picture costs", "",
              "By the camera's own encoders at compression 30 and an interval of 32: processor time of all their threads, a pixel for a pixel, as a multiple of",
              "the small JPEG picture by which the camera judges its machine. `src/media/capacity.c` goes by the street's.", "",
              *cost_rows(kept), ""]
    missing = [p for p in ALL if p not in kept]
    if missing:
        lines += [f"Not measured: {', '.join(missing)}.", ""]
    return "\n".join(lines)


def read_kept():
    try:
        return json.loads(KEPT.read_text())
    except (OSError, ValueError):
        return {}


def main():
    kept = read_kept()
    for part in PARTS:
        what, _, clip = part.partition("-")
        if (part == "clip" or clip == "walkers") and not CLIP.exists():
            continue
        print(f"{part} …", flush=True)
        if clip:
            with tempfile.TemporaryDirectory(prefix="vedette-codecs-") as d:
                d = pathlib.Path(d)
                kept[part] = {"ranking": measure_ranking, "presets": measure_presets, "cost": measure_cost}[what](source(clip, d), d)
        else:
            kept[part] = measure_scene(part)
        if not QUICK:
            kept = {**read_kept(), part: kept[part]}  # another run may measure other parts
            KEPT.write_text(json.dumps(kept))
    text = page(kept)
    if not QUICK:
        (ROOT / "docs/codecs.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
