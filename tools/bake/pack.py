#!/usr/bin/env python3
"""Makes a place of the baked pieces: joins them, takes the noise out of the soft layers, and
writes one Matroska file per layer and place.json.

    WORK=folder python3 tools/bake/pack.py SCENE OUT [--scale F] [--only PATCH,…]
        [--jobs N]

SCENE as in bake.py, and besides:
    PLACE     what place.json shall hold besides the lamps, signs and plates noted by build()
Patches which are not baked completely are left out of place.json (said aloud); 'base' must be
there. A patch whose files exist in OUT and are younger than its pieces is not encoded again.
"""
import importlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import layout
from layout import BOUNCE, SOFT, SUN_LAYERS, piece_path, pieces, snap, within

TILE = 512
FLOOR = .02  # of the albedo, as in bake.py
# x265's quality of albedo, suns, soft layers: the whole shall stay below 45 MB
CRF = {'base': (28, 30, 22), 'band': (25, 30, 21), '': (22, 26, 18)}


# ---- coding ----

def cut(a, y, x):
    t = a[y:y + TILE, x:x + TILE]
    py, px = TILE - t.shape[0], TILE - t.shape[1]
    if py or px:
        t = np.pad(t, ((0, py), (0, px)) + ((0, 0),) * (a.ndim - 2), mode='edge')
    return t


def encode(path, fmt, codec, frames):
    cmd = ['ffmpeg', '-y', '-v', 'error', '-f', 'rawvideo', '-pix_fmt', fmt, '-s', '%dx%d' % (TILE, TILE),
           '-r', '1', '-color_range', 'pc', '-i', '-', '-threads', '1'] + codec + \
          ['-pix_fmt', fmt, '-color_range', 'pc', '-colorspace', 'bt709', '-fflags', '+bitexact',
           '-flags:v', '+bitexact', path + '.part.mkv']
    # a session of its own: where the kernel shares the processor by sessions, it gets its share
    p = subprocess.Popen(cmd, stdin=subprocess.PIPE, start_new_session=True)
    for f in frames:
        p.stdin.write(f)
    p.stdin.close()
    if p.wait():
        sys.exit('ffmpeg failed on ' + path)
    os.rename(path + '.part.mkv', path)


def hevc(crf):
    return ['-c:v', 'libx265', '-preset', 'medium', '-x265-params',
            'log-level=error:keyint=1:min-keyint=1:scenecut=0:range=full:colormatrix=bt709:'
            'pools=none:frame-threads=1:info=0:sao=0:deblock=-1,-1:aq-mode=1:crf=%g' % crf]


BITS = {'yuv420p10le': 10, 'yuv420p12le': 12}
FFV1 = ['-c:v', 'ffv1', '-level', '3', '-coder', '1', '-context', '1', '-g', '1', '-slices', '4']


def planes(fmt, a):
    """The samples of each plane: gray as it is; rgb (float 0…1 as it shall be coded, the curve
    applied) → 4:2:0, BT.709, full range."""
    if fmt not in BITS:
        return [a]
    top, mid = (1 << BITS[fmt]) - 1, 1 << (BITS[fmt] - 1)
    a = a.astype(np.float32)
    y = a @ np.float32([.2126, .7152, .0722])
    cb = (a[..., 2] - y) / 1.8556
    cr = (a[..., 0] - y) / 1.5748
    q = [np.rint(y * top)] + [np.rint(shrink(c, 2) * top + mid) for c in (cb, cr)]
    return [v.clip(0, top).astype('<u2') for v in q]


def data(samples):
    return b''.join(np.ascontiguousarray(v).tobytes() for v in samples)


def frames(fmt, a):
    """Pictures of TILE×TILE in row order; the last of a row or column repeats its edge."""
    for y in range(0, a.shape[0], TILE):
        for x in range(0, a.shape[1], TILE):
            yield data(planes(fmt, cut(a, y, x)))


def srgb(v):
    return np.where(v <= .0031308, 12.92 * v, 1.055 * np.maximum(v, 1e-9) ** (1 / 2.4) - .055)


def code_log(v):
    return np.where(v > 2. ** -16, (np.log2(np.maximum(v, 2. ** -16)) + 16) / 20, 0).clip(0, 1)


# ---- joining and mending ----

def halve(k, v):
    """What a picture of twice the size says of a pixel"""
    w = v.reshape((v.shape[0] // 2, 2, v.shape[1] // 2, 2) + v.shape[2:])
    if k == 'z':
        return w.min((1, 3))
    m = w.mean((1, 3), dtype=np.float32)
    return (m + .5).astype(v.dtype) if v.dtype == np.uint8 else m.astype(v.dtype)


def join(scene, scale, patch, layer):
    """The layer of a patch, of its pieces; rows of the base which the band shows come from it."""
    p, parts = pieces(scene, scale, patch)
    bands = {}
    for x0, _, y0, y1 in parts:
        with np.load(piece_path(scene, scale, p['name'], layer, x0, y0) + '.npz') as z:
            for k in z.files:
                bands.setdefault(y0, {}).setdefault(k, []).append(z[k])
    rows = {y0: {k: np.concatenate(v, 1) for k, v in b.items()} for y0, b in bands.items()}
    if sum(y1 - y0 for x0, _, y0, y1 in parts if x0 == 0) < p['h']:
        q = [r for r in scene.PATCHES if r[0] == 'band'][0]
        y0, _ = within(p, snap(q, scale))
        rows[y0] = {k: halve(k, v) for k, v in join(scene, scale, q, layer).items()}
    return {k: np.concatenate([rows[y][k] for y in sorted(rows)], 0) for k in rows[min(rows)]}


def stamp(scene, scale, patch):
    """Age of the newest piece, or None where one is missing."""
    t = 0
    names = [patch]
    p, parts = pieces(scene, scale, patch)
    if sum(y1 - y0 for x0, _, y0, y1 in parts if x0 == 0) < p['h']:
        names += [r for r in scene.PATCHES if r[0] == 'band']
    for one in names:
        q, parts = pieces(scene, scale, one)
        for layer in layout.ORDER:
            for x0, _, y0, _ in parts:
                f = piece_path(scene, scale, q['name'], layer, x0, y0) + '.npz'
                if not os.path.exists(f):
                    return None
                t = max(t, os.path.getmtime(f))
    return t


def fill(v, weight):
    """Where weight is 0 the colours of the neighbourhood spread (for the codec and for filters
    that read across the edge of the sky)."""
    w = weight.astype(np.float32)
    lead = [(v * (w[..., None] if v.ndim == 3 else w), w)]
    while min(lead[-1][1].shape) > 2:
        a, b = lead[-1]
        size = ((a.shape[1] + 1) // 2, (a.shape[0] + 1) // 2)
        lead.append((cv2.resize(a, size, interpolation=cv2.INTER_AREA),
                     cv2.resize(b, size, interpolation=cv2.INTER_AREA)))
    a, b = lead[-1]
    low = a / np.maximum(b[..., None] if a.ndim == 3 else b, 1e-6)
    for a, b in lead[-2::-1]:
        up = cv2.resize(low, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_LINEAR)
        k = np.minimum(b, 1)
        kk = k[..., None] if a.ndim == 3 else k
        own = a / np.maximum(b[..., None] if a.ndim == 3 else b, 1e-6)
        low = own * kk + up * (1 - kk)
    return low


def shrink(a, n):
    h, w = a.shape[0] // n, a.shape[1] // n
    return a.reshape((h, n, w, n) + a.shape[2:]).mean((1, 3), dtype=np.float32)


def padded(a, n, wrap):
    """a with n more pixels all round: its edge repeated, or the other end of the circle"""
    more = ((0, 0),) * (a.ndim - 2)
    a = np.pad(a, ((n, n), (0, 0)) + more, mode='edge')
    return np.pad(a, ((0, 0), (n, n)) + more, mode='wrap' if wrap else 'edge')


def finer(v, z, normal):
    """v at half the size of z: every pixel takes of its four neighbours those that lie on its
    own surface."""
    zl = 1 / shrink(1 / z, 2)
    nl = shrink(normal, 2)
    h, w = z.shape
    ys, xs = np.arange(h), np.arange(w)
    total, weight = 0, 0
    for dy in (0, 1):
        for dx in (0, 1):
            y = np.clip(ys // 2 + dy * np.where(ys & 1, 1, -1), 0, v.shape[0] - 1)
            x = np.clip(xs // 2 + dx * np.where(xs & 1, 1, -1), 0, v.shape[1] - 1)
            k = (.25 if dy else .75) * (.25 if dx else .75)
            dz = (z / zl[y][:, x] - 1) / .03
            dn = (nl[y][:, x] * normal).sum(-1).clip(0, 1) ** 8
            g = k * (np.exp(-dz * dz) * dn + 1e-4)
            total = total + v[y][:, x] * g[..., None]
            weight = weight + g
    return total / weight[..., None]


SIGMA = {'sky': .35, 'overcast': .35, 'lamps': .9, 'windows': .9}  # of log2; bounces: .7


ROUGH = {'lamps': 4, 'windows': 4}  # levels of the rough smoothing; 3 for the others


def smooth(soft, z, normal, wrap):
    """The à-trous filter: a 3×3 kernel with its holes widened, which stops at edges of distance
    and of direction of the surface. A first, rough one says where the light itself has edges, so
    that noise does not pass for them; a second takes what was rendered and stops there too."""
    z = np.maximum(z, .1).astype(np.float32)
    for v in soft.values():
        for c in range(3):  # single bright specks: never more than 4 times the middle of 5×5
            v[..., c] = np.minimum(v[..., c], 4 * cv2.medianBlur(np.ascontiguousarray(v[..., c], np.float32), 5) +
                                   v[..., c].mean() * .5)
    h, w = z.shape

    def level(s, of, lum):
        P = {n: padded(v.astype(np.float32), s, wrap) for n, v in of.items()}
        G = {n: padded(lum[n] / np.float32(SIGMA.get(n, .7)), s, wrap) for n in of} if lum else {}
        I, N = padded(1 / z, s, wrap), padded(normal.astype(np.float32), s, wrap)
        out = {n: np.empty_like(v, np.float32) for n, v in of.items()}
        for y0 in range(0, h, 48):  # in strips, which stay in the cache
            y1 = min(h, y0 + 48)

            def at(a, dy, dx):
                return a[y0 + s + dy:y1 + s + dy, s + dx:s + dx + w]
            total, weight = dict.fromkeys(of, 0), dict.fromkeys(of, 0)
            zz = z[y0:y1] / np.float32(.03 * s)
            nn = at(N, 0, 0)
            for dy in (-s, 0, s):
                for dx in (-s, 0, s):
                    k = np.float32((2 - (dy != 0)) * (2 - (dx != 0)) / 16.)
                    g = k
                    if dy or dx:
                        dz = (at(I, dy, dx) - at(I, 0, 0)) * zz
                        dn = np.einsum('ijk,ijk->ij', at(N, dy, dx), nn).clip(0, 1)
                        for _ in range(4):
                            dn *= dn
                        g = k * np.exp(-dz * dz) * dn
                    for n in of:
                        wt = g
                        if lum and (dy or dx):
                            dl = at(G[n], dy, dx) - at(G[n], 0, 0)
                            wt = g * np.exp(-dl * dl)
                        v = at(P[n], dy, dx)
                        total[n] = total[n] + (v * wt[..., None] if dy or dx else v * k)
                        weight[n] = weight[n] + wt
            for n in of:
                out[n][y0:y1] = total[n] / weight[n][..., None]
        return out

    rough = dict(soft)
    for i, step in enumerate((1, 2, 4, 8)):
        some = {n: v for n, v in rough.items() if i < ROUGH.get(n, 3)}
        rough.update(level(step, some, None))
    lum = {n: np.log2(v.mean(-1) + 3e-3) for n, v in rough.items()}
    for step in (1, 2, 4, 8):
        soft = level(step, soft, lum)
    return soft


def layers(p, baked, crf):
    """[(layer, pixel format, codec, array)] of a patch; baked(layer): what was rendered of it."""
    geo = baked('geo')
    alpha = geo['alpha'].astype(np.float32) / 255
    h, w = alpha.shape
    assert (h, w) == (p['h'], p['w']), (h, w, p)
    solid = alpha > .02
    albedo = geo['albedo'].astype(np.float32) / np.maximum(alpha, .05)[..., None]
    albedo = fill(np.maximum(albedo, FLOOR).clip(0, 1), np.where(solid, alpha, 0))
    z = geo['z']
    sky = (z > 1e6) | (z <= 0)
    z = np.where(sky, 1e6, z)
    zh = z.reshape(h // 2, 2, w // 2, 2).min((1, 3))
    near = cv2.erode(zh, np.ones((3, 3), np.uint8))
    shown = alpha.reshape(h // 2, 2, w // 2, 2).max((1, 3)) > .02
    zh = np.where((zh > 9e5) & shown, near, zh)
    depth = np.where(zh > 9e5, 65535, np.rint(4096 * np.log2(np.maximum(zh, 1))).clip(0, 65534)).astype('<u2')

    wrap = p['pan1'] - p['pan0'] > 359.9
    # normal and distance at a quarter: of what the camera mostly sees there
    n = geo['normal'].astype(np.float32)
    pan = np.radians(p['pan0'] + (np.arange(w) + .5) / p['px_per_deg'])[None]
    tilt = np.radians(p['tilt1'] - (np.arange(h) + .5) / p['px_per_deg'])[:, None]
    view = np.stack([np.sin(pan) * np.cos(tilt), np.cos(pan) * np.cos(tilt),
                     np.sin(tilt) + 0 * pan], -1).astype(np.float32)
    nn = np.maximum(np.linalg.norm(n, axis=-1), 1e-6)
    facing = np.abs((n * view).sum(-1)) / nn
    ir = np.where(sky, 0, facing / np.maximum(z, .3) ** 2).astype(np.float32)
    del view
    cover = shrink((~sky).astype(np.float32), 4)
    ir4 = shrink(ir, 4) / np.maximum(cover, 1e-3)
    n4 = shrink(n, 4)
    n4 /= np.maximum(np.linalg.norm(n4, axis=-1, keepdims=True), 1e-6)
    z4 = 1 / shrink(1 / z, 4)
    sway = np.rint(cv2.GaussianBlur(shrink(geo['sway'].astype(np.float32), 8), (0, 0), .7) * 255).astype(np.uint8)
    del geo, n, nn, facing, ir

    soft = {}
    for name in SOFT:
        if name not in ('ir', 'emit'):
            soft[name] = np.maximum(np.nan_to_num(baked(name)['v']), 0)
    for name, v in soft.items():
        if v.shape[0] * 2 == h // 4:
            soft[name] = finer(v, z4, n4)
    soft = smooth(soft, z4, n4, wrap)
    soft['emit'] = np.nan_to_num(baked('emit')['v'])
    soft['ir'] = np.repeat(ir4[..., None], 3, -1)
    a4 = shrink(alpha, 4)

    crf_albedo, crf_sun, crf_soft = crf
    ret = [('albedo', 'yuv420p10le', hevc(crf_albedo), srgb(albedo)),
           ('mask', 'gray', FFV1, np.rint(alpha * 255).astype(np.uint8)),
           ('sway', 'gray', FFV1, sway),
           ('depth', 'gray16le', FFV1, depth)]
    a2 = shrink(alpha, 2)
    for name in SUN_LAYERS:
        v = np.nan_to_num(baked(name)['v'].astype(np.float32)).clip(0, 1)
        for _ in range(2):  # lone black pixels among lit ones: rays lost on the way through a pane
            m = cv2.medianBlur(v, 3)
            v = np.where((v < .02) & (m > .06), m, v)
        v = fill(v, np.where(a2 > .05, a2, 0))
        ret.append((name, 'gray10le', hevc(crf_sun), np.rint(v * 1023).clip(0, 1023).astype('<u2')))
    for name in SOFT:
        v = fill(soft[name].astype(np.float32), np.where(a4 > .05, a4, 0))
        ret.append(('soft_' + name, 'yuv420p12le', hevc(crf_soft), code_log(v)))
    return ret


def pack_patch(scene, scale, patch, out, o):
    t = time.time()
    p = snap(patch, scale)
    crf = CRF.get(p['name'], CRF[''])
    jobs = [(os.path.join(out, '%s-%s.mkv' % (p['name'], layer)), fmt, codec, frames(fmt, a))
            for layer, fmt, codec, a in layers(p, lambda layer: join(scene, scale, patch, layer), crf)]
    with ThreadPoolExecutor(o['jobs']) as pool:
        list(pool.map(lambda j: encode(*j), jobs))
    size = sum(os.path.getsize(j[0]) for j in jobs)
    print('%s: %d×%d, %.2f MB, %.0f s' % (p['name'], p['w'], p['h'], size / 1e6, time.time() - t), flush=True)


def main():
    a = sys.argv[1:]
    o = {'scale': 1., 'only': None, 'jobs': 2}
    for k, v in zip(a[2::2], a[3::2]):
        k = k[2:].replace('-', '_')
        o[k] = v.split(',') if k == 'only' else type(o[k])(float(v))
    scene = importlib.import_module(a[0])
    out = a[1]
    os.makedirs(out, exist_ok=True)
    done = []
    for patch in scene.PATCHES:
        p = snap(patch, o['scale'])
        age = stamp(scene, o['scale'], patch)
        if age is None:
            print(p['name'], 'is not baked completely: left out', flush=True)
            continue
        first = os.path.join(out, p['name'] + '-soft_emit.mkv')
        if not (o['only'] and p['name'] not in o['only']) and \
           not (os.path.exists(first) and os.path.getmtime(first) > age):
            pack_patch(scene, o['scale'], patch, out, o)
        if os.path.exists(first):
            done.append({k: p[k] for k in ('name', 'pan0', 'pan1', 'tilt0', 'tilt1', 'px_per_deg')} |
                        {'width': p['w'], 'height': p['h']})
    assert done and done[0]['name'] == 'base', 'no base patch'
    place = {'name': scene.NAME, 'eye': list(scene.EYE), 'tile': TILE, 'patches': done,
             'suns': [{'pan': s[0], 'elevation': s[1]} for s in scene.SUNS],
             'soft': SOFT}
    with open(os.path.join(os.environ['WORK'], scene.NAME + '.place.json')) as f:
        place.update(json.load(f))  # noted by bake.py as it built the scene
    place.update(scene.PLACE)
    with open(os.path.join(out, 'place.json'), 'w') as f:
        json.dump(place, f, indent=1, ensure_ascii=False)
        f.write('\n')
    total = sum(os.path.getsize(os.path.join(out, f)) for f in os.listdir(out))
    print('%d patches, %.1f MB' % (len(done), total / 1e6))


if __name__ == '__main__':
    main()
