#!/usr/bin/env python3
"""Puts rectangles that were baked anew (bake.py --mend) into a packed place, into every patch that
shows them. Tiles which they do not touch keep their bytes.

    WORK=folder python3 tools/bake/mend.py SCENE PLACE PAN0,PAN1,TILT0,TILT1 …

Give the same rectangles as to bake.py. Their edges should lie where nothing has changed: the old
and the new are blended there over FEATHER pixels.
"""
import importlib
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import pack
from layout import mended, snap, within
from pack import TILE

FEATHER = 8
# of the size, in each layer
DIVISOR = {'albedo': 1, 'mask': 1, 'depth': 2, 'sun': 2, 'soft': 4, 'sway': 8}


def copy(args):
    subprocess.run(['ffmpeg', '-y', '-v', 'error'] + args, check=True)


def picture(path, fmt):
    """The planes of a tile"""
    raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', fmt, '-'],
                         check=True, capture_output=True).stdout
    a, out = np.frombuffer(raw, np.uint8 if fmt == 'gray' else '<u2'), []
    for n in (TILE, TILE // 2, TILE // 2) if fmt in pack.BITS else (TILE,):
        out.append(a[:n * n].reshape(n, n).copy())
        a = a[n * n:]
    return out


def lay(tile, planes, shares, x, y):
    """Planes over those of a tile whose corner is at x, y of them"""
    for o, v, s in zip(tile, planes, shares):
        k, n = TILE // o.shape[0], o.shape[0]
        r0, r1 = max(y // k, 0), min(y // k + n, v.shape[0])
        c0, c1 = max(x // k, 0), min(x // k + n, v.shape[1])
        at = o[r0 - y // k:r1 - y // k, c0 - x // k:c1 - x // k]
        at[:] = np.rint(at + (v[r0:r1, c0:c1].astype(np.float32) - at) * s[r0:r1, c0:c1])


def put(path, fmt, codec, width, height, news):
    """Lays news [(array, share, x, y)] over the tiles of a layer."""
    across, down = -(-width // TILE), -(-height // TILE)
    with tempfile.TemporaryDirectory() as d:
        copy(['-i', path, '-c', 'copy', '-f', 'segment', '-segment_time', '0.5', '-reset_timestamps', '1',
              d + '/%04d.mkv'])
        names = ['%s/%04d.mkv' % (d, i) for i in range(across * down)]
        assert len(os.listdir(d)) == len(names), path
        tiles = {}
        for a, share, x, y in news:
            planes = pack.planes(fmt, a)
            shares = [pack.shrink(share, share.shape[0] // v.shape[0]) for v in planes]
            for ty in range(y // TILE, min((y + a.shape[0] - 1) // TILE + 1, down)):
                for tx in range(x // TILE, min((x + a.shape[1] - 1) // TILE + 1, across)):
                    name = names[ty * across + tx]
                    if name not in tiles:
                        tiles[name] = picture(name, fmt), pack.data(picture(name, fmt))
                    lay(tiles[name][0], planes, shares, tx * TILE - x, ty * TILE - y)
        for name, (tile, was) in tiles.items():
            if pack.data(tile) != was:
                pack.encode(name, fmt, codec, [pack.data(tile)])
        with open(d + '/list', 'w') as f:
            f.writelines("file '%s'\nduration 1\n" % n for n in names)
        copy(['-f', 'concat', '-safe', '0', '-auto_convert', '0', '-i', d + '/list', '-c', 'copy',
              '-fflags', '+bitexact', '-flags:v', '+bitexact', path + '.part.mkv'])
    os.rename(path + '.part.mkv', path)


def ramp(n, a, b, length):
    """0 outside of a…b, 1 within; a patch's own border is no edge."""
    i = np.arange(n) + .5
    up, down = (i - a if a > 0 else n + i), (b - i if b < length else n + i)
    return (np.minimum(up, down) / FEATHER).clip(0, 1).astype(np.float32)


def baked(scene, rect, whole):
    """(patch, layer, pixel format, codec, (array, share, x, y)) of what a rectangle changes"""
    for name, (x0, x1, y0, y1), patch in mended(scene, rect):
        of, p = whole[name], snap(patch, 1)
        left, top = (round(v * p['px_per_deg']) for v in (p['pan0'] - of['pan0'], of['tilt1'] - p['tilt1']))
        share = np.minimum(ramp(p['h'], y0 - top, y1 - top, of['h'] - top)[:, None],
                           ramp(p['w'], x0 - left, x1 - left, of['w'] - left)[None])

        def own(layer):
            return pack.join(scene, 1, patch, layer)

        def halved(layer):
            return {k: pack.halve(k, v) for k, v in own(layer).items()}
        into = [(of, p, left, top, share, own)]
        if name == 'band' and within(whole['base'], of):
            half = dict(p, px_per_deg=p['px_per_deg'] / 2, w=p['w'] // 2, h=p['h'] // 2)
            into.append((whole['base'], half, left // 2, within(whole['base'], of)[0] + top // 2,
                         pack.shrink(share, 2), halved))
        for of, q, x, y, s, get in into:
            for layer, fmt, codec, a in pack.layers(q, get, pack.CRF.get(of['name'], pack.CRF[''])):
                n = q['h'] // a.shape[0]
                t = pack.shrink(s, n)
                if layer == 'depth':  # between two distances there is nothing
                    t = np.rint(t)
                yield of, layer, fmt, codec, (a, t, x // n, y // n)


def main():
    scene, out = importlib.import_module(sys.argv[1]), sys.argv[2]
    whole = {q[0]: snap(q, 1) for q in scene.PATCHES}
    files = {}
    for rect in sys.argv[3:]:
        for of, layer, fmt, codec, new in baked(scene, rect, whole):
            n = DIVISOR[layer.split('_')[0].rstrip('0123')]
            files.setdefault((of['name'], layer), (fmt, codec, of['w'] // n, of['h'] // n, []))[-1].append(new)
    for (name, layer), what in files.items():
        put(os.path.join(out, '%s-%s.mkv' % (name, layer)), *what)
        print(name, layer, flush=True)


if __name__ == '__main__':
    main()
