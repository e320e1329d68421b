#!/usr/bin/python3
"""How much of what is in our pictures a public detector finds.

Starts the camera in simulated time, plays scenarios by day, takes pictures at several
poses and compares what NanoDet-g finds in them with the truth. Prints the recall of each
class, of boxes at least 60 pixels tall that are at least half visible.

usage: tools/detect/measure.py [--model FOLDER] [--pictures N] [--out FOLDER] [--goal SHARE]
       tools/detect/measure.py --clip FILE --out FOLDER   (only to see the detector at work)

The weights are fetched by npm into a temporary folder, or kept in FOLDER. Needs Debian's
python3-opencv, python3-onnx and npm, and a built camera. --out: keeps pictures with both
sets of boxes. Exit status 1 if less than SHARE (0.8) is found."""
import argparse
import collections
import pathlib
import sys
import tempfile

import cv2
import numpy

import nanodet

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/lib"))

TALL, VISIBLE, MATCH = 60, 0.5, 0.5
WIDTH, HEIGHT, TILE = 1920, 1080, 640
SCENARIOS = ("default", "busy-noon")
# Pan, tilt, magnification: the street as one would watch it.
POSES = ((0, -8, 1), (-20, -7, 2), (22, -7, 2), (-4, -11, 3), (45, -9, 1.5), (-50, -9, 1.5),
         (8, -9, 5))


def pictures(count):
    """(picture, objects of the truth, what it is) of the running camera."""
    import json

    import vedette
    with vedette.Camera("release", clock="sim") as c:
        c.setup(users=False)
        each = -(-count // (len(SCENARIOS) * len(POSES)))
        for scenario in SCENARIOS:
            r = c.admin.post("/vedette/stage/scenario", json.dumps({"name": scenario}),
                             type="application/json")
            assert r.status == 200, r
            for i in range(30):  # until people and vehicles are on their ways
                c.advance(1)
            for pan, tilt, zoom in POSES:
                c.ptz_command(f"pan={pan}&tilt={tilt}&zoom={round(1 + (zoom - 1) / 29 * 9998)}"
                              "&speed=100")
                c.rest()
                for i in range(each):
                    for _ in range(5):
                        c.advance(1)
                    c.position()  # wakes a connection that was idle, in simulated time
                    jpeg = c.snapshot(f"resolution={WIDTH}x{HEIGHT}&compression=20")
                    shot = vedette.stamp(jpeg)
                    truth = c.truth(serial=shot["serial"])
                    yield (cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR),
                           truth["objects"], f"{scenario}-{pan}-{i}")


def wanted(objects):
    """Those that must be found: (x, y, w, h, class) in pixels."""
    for o in objects:
        x, y, w, h = o["box"]
        if h * HEIGHT >= TALL and o["visible"] >= VISIBLE and \
                nanodet.group(o["class"]) in ("person", "vehicle", "cycle"):
            yield x * WIDTH, y * HEIGHT, w * WIDTH, h * HEIGHT, o["class"]


def measure(detector, count, out):
    asked, found, frames = collections.Counter(), collections.Counter(), 0
    overlap = collections.defaultdict(list)
    for picture, objects, name in pictures(count):
        frames += 1
        boxes, truth = detector(picture, TILE), list(wanted(objects))
        free = list(boxes)
        for t in truth:
            asked[t[4]] += 1
            near = [(nanodet.iou(t, b), b) for b in free
                    if nanodet.group(b[5]) == nanodet.group(t[4])]
            best, box = max(near, key=lambda n: n[0], default=(0, None))
            if best >= MATCH:
                found[t[4]] += 1
                overlap[t[4]].append(best)
                free.remove(box)
        if out:
            cv2.imwrite(str(out / f"{name}.jpg"), nanodet.drawn(picture, boxes, truth))
        print(f"\r{frames} pictures, {sum(found.values())} of {sum(asked.values())} found",
              end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{frames} pictures of {WIDTH}x{HEIGHT}, boxes of {TALL} pixels and more that are at "
          f"least half visible, found with an overlap (IoU) of {MATCH} or more:")
    print(f"{'class':12} {'asked':>6} {'found':>6} {'recall':>7} {'overlap':>8}")
    for name in sorted(asked):
        mean = numpy.mean(overlap[name]) if overlap[name] else float("nan")
        print(f"{name:12} {asked[name]:6} {found[name]:6} {found[name] / asked[name]:7.2f} "
              f"{mean:8.2f}")
    people_and_vehicles = [n for n in asked if nanodet.group(n) in ("person", "vehicle")]
    all_asked = sum(asked[n] for n in people_and_vehicles)
    all_found = sum(found[n] for n in people_and_vehicles)
    recall = all_found / all_asked if all_asked else 0.0
    print(f"{'people and vehicles':12} {all_asked} asked, {all_found} found: {recall:.2f}")
    return recall


def clip(detector, path, out):
    video = cv2.VideoCapture(path)
    for n in range(10**9):
        there, picture = video.read()
        if not there:
            return
        if n % 50 == 0:
            cv2.imwrite(str(out / f"clip-{n:05}.jpg"), nanodet.drawn(picture, detector(picture)))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", type=pathlib.Path)
    p.add_argument("--pictures", type=int, default=112)
    p.add_argument("--out", type=pathlib.Path)
    p.add_argument("--goal", type=float, default=0.8)
    p.add_argument("--clip")
    a = p.parse_args()
    if a.out:
        a.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        detector = nanodet.Detector(nanodet.fetch(a.model or tmp))
        if a.clip:
            return clip(detector, a.clip, a.out)
        return 0 if measure(detector, a.pictures, a.out) >= a.goal else 1


if __name__ == "__main__":
    sys.exit(main())
