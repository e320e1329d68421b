"""Sizes of patches and pieces, shared by bake.py (inside Blender) and pack.py (outside)."""
import math
import os

SUN_LAYERS = ['sun0', 'sun1', 'sun2', 'sun3']
BOUNCE = ['bounce0', 'bounce1', 'bounce2', 'bounce3']
SOFT = ['sky', 'overcast'] + BOUNCE + ['lamps', 'windows', 'ir', 'emit']
ORDER = ['geo'] + SUN_LAYERS + ['sky', 'emit', 'lamps', 'overcast', 'windows'] + BOUNCE
PIECE = 3 << 20  # pixels
MARGIN = 128

# layer: (samples, divisor of the size, bounces); what is rendered at an eighth is packed at a
# quarter, guided by the distances and normals there
SAMPLES = {'geo': (2, 1, 0), 'emit': (4, 4, 0), 'sky': (10, 4, 2), 'overcast': (10, 8, 2),
           'lamps': (10, 4, 1), 'windows': (10, 8, 1)}
for n in SUN_LAYERS:
    SAMPLES[n] = (2, 2, 0)
for n in BOUNCE:
    SAMPLES[n] = (6, 8, 2)


def snap(patch, scale):
    """The patch in whole pixels, a multiple of 8 both ways; grows at pan1 and tilt1."""
    name, pan0, pan1, tilt0, tilt1, ppd = patch
    ppd *= scale
    w = int(math.ceil((pan1 - pan0) * ppd / 8 - .01)) * 8
    h = int(math.ceil((tilt1 - tilt0) * ppd / 8 - .01)) * 8
    return {'name': name, 'pan0': pan0, 'pan1': pan0 + w / ppd, 'tilt0': tilt0,
            'tilt1': tilt0 + h / ppd, 'px_per_deg': ppd, 'w': w, 'h': h}


def within(p, q):
    """Rows y0, y1 of p which follow from q (the whole circle too, at exactly twice the pixels);
    None where they do not fit."""
    if not q or q['w'] != 2 * p['w'] or p['pan0'] != q['pan0']:
        return None
    y0 = (p['tilt1'] - q['tilt1']) * p['px_per_deg']
    y1 = y0 + q['h'] / 2
    if abs(y0 - round(y0)) > .01 or round(y0) % 8 or round(y1) % 8 or y0 < 0 or y1 > p['h'] + .01:
        return None
    return round(y0), round(y1)


def pieces(scene, scale, patch):
    """The patch, and its pieces to render: [(x0, x1, y0, y1)] on multiples of 8. Where the band
    gives rows of the base, these are not rendered again."""
    p = snap(patch, scale)
    rows = [(0, p['h'])]
    if p['name'] == 'base':
        q = [r for r in scene.PATCHES if r[0] == 'band']
        mid = within(p, snap(q[0], scale)) if q else None
        if mid:
            rows = [r for r in ((0, mid[0]), (mid[1], p['h'])) if r[0] < r[1]]
    out = []
    for y0, y1 in rows:
        n = max(1, math.ceil(p['w'] * (y1 - y0) / PIECE))
        edges = [p['w'] * i // n // 8 * 8 for i in range(n)] + [p['w']]
        out += [(x0, x1, y0, y1) for x0, x1 in zip(edges[:-1], edges[1:])]
    return p, out


def folder(scene, scale):
    return os.path.join(os.environ['WORK'], scene.NAME + ('' if scale == 1 else '-%g' % scale))


def piece_path(scene, scale, patch, layer, x0, y0):
    return os.path.join(folder(scene, scale), '%s-%s-%d-%d' % (patch, layer, x0, y0))


def mended(scene, rect):
    """What a rectangle 'pan0,pan1,tilt0,tilt1' is of each patch: [(patch, pixels x0, x1, y0, y1, the
    patch that is baked for them)]. That one has the margin which the filters of the light look at,
    on even pixels of the base, whose rows below the band are the band's, halved."""
    whole = {q[0]: snap(q, 1) for q in scene.PATCHES}
    pan0, pan1, tilt0, tilt1 = map(float, rect.split(','))
    out = []
    for name, p in whole.items():
        if name == 'base' and within(p, whole.get('band')):
            continue
        ppd = p['px_per_deg']
        x0, x1 = (min(max(round((v - p['pan0']) * ppd), 0), p['w']) for v in (pan0, pan1))
        y0, y1 = (min(max(round((p['tilt1'] - v) * ppd), 0), p['h']) for v in (tilt1, tilt0))
        if x0 >= x1 or y0 >= y1:
            continue
        l, t = (max(v - MARGIN, 0) // 16 * 16 for v in (x0, y0))
        r, b = (min((v + MARGIN) // 16 * 16, m) for v, m in ((x1, p['w']), (y1, p['h'])))
        out.append((name, (x0, x1, y0, y1),
                    ('mend-%s-%s' % (name, rect), p['pan0'] + l / ppd, p['pan0'] + r / ppd,
                     p['tilt1'] - b / ppd, p['tilt1'] - t / ppd, ppd)))
    return out
