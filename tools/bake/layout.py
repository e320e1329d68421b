"""Sizes of patches and pieces, shared by bake.py (inside Blender) and pack.py (outside)."""
import math
import os

SUN_LAYERS = ['sun0', 'sun1', 'sun2', 'sun3']
BOUNCE = ['bounce0', 'bounce1', 'bounce2', 'bounce3']
SOFT = ['sky', 'overcast'] + BOUNCE + ['lamps', 'windows', 'ir', 'emit']
ORDER = ['geo'] + SUN_LAYERS + ['sky', 'emit', 'lamps', 'overcast', 'windows'] + BOUNCE
PIECE = 3 << 20  # pixels

# layer: (samples, divisor of the size, bounces)
SAMPLES = {'geo': (3, 1, 0), 'emit': (4, 4, 0), 'sky': (24, 4, 2), 'overcast': (24, 4, 2),
           'lamps': (32, 4, 1), 'windows': (24, 4, 1)}
for n in SUN_LAYERS:
    SAMPLES[n] = (4, 2, 0)
for n in BOUNCE:
    SAMPLES[n] = (10, 4, 2)


def snap(patch, scale):
    """The patch in whole pixels, a multiple of 8 both ways; grows at pan1 and tilt1."""
    name, pan0, pan1, tilt0, tilt1, ppd = patch
    ppd *= scale
    w = int(math.ceil((pan1 - pan0) * ppd / 8 - .01)) * 8
    h = int(math.ceil((tilt1 - tilt0) * ppd / 8 - .01)) * 8
    return {'name': name, 'pan0': pan0, 'pan1': pan0 + w / ppd, 'tilt0': tilt0,
            'tilt1': tilt0 + h / ppd, 'px_per_deg': ppd, 'w': w, 'h': h}


def columns(p):
    """[(x0, x1)] of the pieces, on multiples of 8."""
    n = max(1, math.ceil(p['w'] * p['h'] / PIECE))
    edges = [p['w'] * i // n // 8 * 8 for i in range(n)] + [p['w']]
    return list(zip(edges[:-1], edges[1:]))


def folder(scene, scale):
    return os.path.join(os.environ['WORK'], scene.NAME + ('' if scale == 1 else '-%g' % scale))


def piece_path(scene, scale, patch, layer, x0):
    return os.path.join(folder(scene, scale), '%s-%s-%d' % (patch, layer, x0))
