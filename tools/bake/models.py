"""Makes assets/models/: meshes and textures of people, vehicles and things, from the Debian
packages sweethome3d-furniture and morse-simulator-data.

usage: blender -b --python tools/bake/models.py -- WORK OUT [NAME…]
WORK holds sh3d/, where each .sh3f of sweethome3d-furniture is unpacked into a folder of its
name in lower case. Needs python3-numpy and python3-pil. Model space: x right, y ahead,
z up, metres, origin on the ground."""
import math
import os
import sys

import re

import bpy
import numpy as np
from mathutils import Vector

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from models_mesh import *  # noqa: E402,F403
import models_people  # noqa: E402
import models_things  # noqa: E402

args = sys.argv[sys.argv.index("--") + 1:]
work, out, only = args[0], args[1], args[2:]
os.makedirs(out, exist_ok=True)

RUBBER = dict(kind=MATTE, rgb=(0.022, 0.022, 0.023), tyre=True, image=False)
PLASTIC = dict(kind=MATTE, rgb=(0.03, 0.03, 0.032))
COLOUR = dict(kind=PAINT, slot=BODY)
WINDOW = dict(kind=GLASS, rgb=(0.012, 0.014, 0.016), image=False)
SHINY = dict(kind=PAINT)
METAL = dict(kind=CHROME, rgb=(0.55, 0.55, 0.57), image=False)
DROP = dict(drop=True)
BASE = [("mirror", METAL), ("chrome", METAL), (r"glass|cristal", WINDOW), (r"tires|tyres|rubber|neumatico|Tire", RUBBER)]

# name: path, length, turn, rules, head lamps (x as share of half the width, z), tail lamps, plates' height (front, rear)
VEHICLES = {
    "car-hatch": ("blendswap-cc-by/blendswap-cc-by/fordFocus", 4.36, 180,
                  [("carPaint", COLOUR), ("glass_red", dict(kind=PAINT, rgb=(0.25, 0.01, 0.01))), ("black_rubber", dict(RUBBER)),
                   ("chrome_matte", dict(kind=CHROME, rgb=(0.45, 0.45, 0.46))), ("yellow", dict(kind=PAINT, rgb=(0.5, 0.3, 0.1))),
                   ("black_glossy", dict(kind=PAINT, rgb=(0.012, 0.012, 0.013)))],
                  (0.72, 0.70), (0.74, 0.95), (0.51, 0.85)),
    "car-estate": ("scopia/scopia/renault-scenic", 4.45, 180,
                   [("color-beige", dict(COLOUR, neutral=(203, 200, 168))), ("^wheels", dict(kind=CHROME, rgb=(0.45, 0.45, 0.46))),
                    ("lights", SHINY), ("dark-glass", WINDOW)],
                   (0.75, 0.72), (0.8, 1.0), (0.55, 0.60)),
    "car-suv": ("scopia/scopia/suv", 4.65, 180,
                [("firstcolor", COLOUR), ("textured", SHINY), ("interior", PLASTIC)], (0.72, 0.78), (0.72, 0.95), (0.56, 0.89)),
    "car-small": ("scopia/scopia/smart-car", 2.70, 180,
                  [("black-rubber", PLASTIC), ("first-color|second-color", COLOUR), ("textured", SHINY), ("lights", dict(kind=PAINT, rgb=(0.25, 0.01, 0.01))),
                   ("grey-light", dict(kind=PAINT, rgb=(0.5, 0.5, 0.5)))], (0.68, 0.72), (0.8, 0.8), (0.42, 0.86)),
    "car-sedan": ("scopia/scopia/seat_leon", 4.4, 180,
                  [("chapa", COLOUR), ("faros_blan_back", dict(kind=PAINT, rgb=(0.5, 0.5, 0.5))), ("faros_blancos", SHINY),
                   ("faros_rojos", dict(kind=PAINT, rgb=(0.25, 0.01, 0.01))), ("plastico", PLASTIC), ("llantas|marca", SHINY)],
                  (0.72, 0.68), (0.75, 0.88), (0.42, 0.72)),
    "van": ("scopia/scopia/van", 5.9, 180,
            [("firstcolor", COLOUR), ("textured", SHINY), ("redlights", dict(kind=PAINT, rgb=(0.25, 0.01, 0.01))), ("whiteglass", COLOUR),
             ("interior", PLASTIC)], (0.72, 0.95), (0.85, 1.1), (0.44, 0.65)),
    "bus": ("scopia/scopia/cityBus", 12.0, 180,
            [("accentColor", COLOUR), ("whiteBase", dict(kind=PAINT, rgb=(0.72, 0.72, 0.7))), ("texturedParts", SHINY),
             ("darkColor|bumper", dict(kind=PAINT))], (0.75, 0.75), (0.8, 1.1), (0.5, 0.7)),
    "truck": ("scopia/scopia/truck", 7.4, 180,
              [("red-cabin", COLOUR), ("white-container", dict(kind=PAINT, rgb=(0.7, 0.7, 0.68))), ("orange", SHINY)],
              (0.75, 0.85), (0.75, 0.85), (0.6, 0.8)),
}
pictures = {}

# Badges that are modelled: faces within (half a width, rear, front, below, above) go, but for body and glass.
BADGES = {"car-hatch": [(0.125, 2.0, 2.2, 0.69, 0.80), (0.125, -2.2, -1.95, 0.96, 1.08)], "car-small": [(0.05, 1.2, 1.3, 0.70, 0.79)]}


def without_badges(name, m):
    gone = np.zeros(len(m.t), bool)
    for x, y0, y1, z0, z1 in BADGES.get(name, ()):
        p = m.p[m.t]
        inside = (np.abs(p[..., 0]) < x) & (p[..., 1] > y0) & (p[..., 1] < y1) & (p[..., 2] > z0) & (p[..., 2] < z1)
        gone |= inside.all(1)
    keeps = np.array([x.slot == BODY or x.kind == GLASS for x in m.mats])[m.mat]
    return m.pick(np.nonzero(~gone | keeps)[0])


def load(path, length, turn, rules, axis=1, tag=None, base=True):
    """An OBJ of the packages as a Mesh of that length (along `axis`; 2: height), with parts for its wheels."""
    folder = f"{work}/sh3d/{path}"
    obj = f"{folder}/" + next(f for f in sorted(os.listdir(folder)) if f.endswith(".obj"))
    p, t, uv, mat, names, mtl = read_obj(obj)
    everything = rules + BASE
    mats = classify(names, mtl, everything, tag or os.path.basename(path).lower(), pictures)
    tyre = np.array([bool(next((r for pattern, r in everything if re.search(pattern, n, re.I)), {}).get("tyre")) for n in names])
    a = math.radians(turn)
    p = p @ np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]]).T
    keep = ~np.array([m.drop for m in mats])[mat]
    lo, hi = p[np.unique(t[keep])].min(0), p[np.unique(t[keep])].max(0)
    k = length / (hi - lo)[axis]
    p = (p - [(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2, lo[2]]) * k
    m = Mesh(p, t, uv, mat, mats).pick(np.nonzero(keep)[0])
    m.tyre = tyre[m.mat]
    return m


def wheels(m, single=False):
    """Finds what turns: (parts, mesh.part set)."""
    c = m.p[m.t].mean(1)
    parts = []
    ty = np.nonzero(m.tyre & (c[:, 2] < 1.2))[0]
    for side in ((0,) if single else (-1, 1)):
        mine = ty[np.sign(c[ty, 0]) == side] if side else ty
        if not len(mine):
            continue
        y = np.sort(c[mine, 1])
        cuts = [y[0]] + [(y[i] + y[i + 1]) / 2 for i in np.nonzero(np.diff(y) > 0.12)[0]] + [y[-1] + 1]
        for a, b in zip(cuts, cuts[1:]):
            f = mine[(c[mine, 1] >= a) & (c[mine, 1] < b)]
            if len(f) < 20:
                continue
            q = m.p[m.t[f]].reshape(-1, 3)
            lo, hi = q.min(0), q.max(0)
            r = (hi[2] - lo[2]) / 2
            if r < 0.2 or r > 0.7 or abs((hi[1] - lo[1]) / 2 - r) > 0.12 * r:
                print("   no wheel:", np.round(lo, 2), np.round(hi, 2))
                continue
            pivot = (lo + hi) / 2
            d = np.hypot(m.p[:, 1] - pivot[1], m.p[:, 2] - pivot[2])
            inside = (d < r * 1.005) & (m.p[:, 0] > lo[0] - 0.04) & (m.p[:, 0] < hi[0] + 0.04)
            m.part[inside[m.t].all(1)] = len(parts) + 1
            parts.append((pivot, (1.0, 0, 0), -1.0))
    print("   wheels:", [(round(float(x[0][0]), 2), round(float(x[0][1]), 2), round(float(x[0][2]), 2)) for x in parts])
    return parts


def front_of(tree, x, z, sign):
    """Where a ray from far ahead (sign 1) or behind meets the body."""
    hit = tree.ray_cast(Vector((x, 20.0 * sign, z)), Vector((0, -sign, 0)))[0]
    return None if hit is None else np.array(hit)


def plate(tree, z, sign, w=0.52, h=0.112):
    y = []
    for dx in (-w / 2, 0, w / 2):
        for dz in (-h / 2, 0, h / 2):
            hit = front_of(tree, dx, z + dz, sign)
            if hit is not None:
                y.append(hit[1] * sign)
    if not y:
        return None
    y = (max(y) + 0.012) * sign
    s = sign
    p = np.array([[w / 2 * s, y, z - h / 2], [-w / 2 * s, y, z - h / 2], [-w / 2 * s, y, z + h / 2], [w / 2 * s, y, z + h / 2]])
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    t = np.array([[0, 1, 2], [0, 2, 3]])
    return Mesh(p, t, uv[t], [0, 0], [Material("plate", PLATE, rgb=(0.75, 0.75, 0.75))])


def lamps(tree, half, head, tail):
    out = []
    for kind, (share, z), sign in ((0, head, 1), (1, tail, -1)):
        for side in (-1, 1):
            hit = front_of(tree, side * share * half, z, sign)
            if hit is not None:
                out.append((kind, hit[0], hit[1] + 0.03 * sign, hit[2]))
    return out


def vehicle(name, path, length, turn, rules, head, tail, plates):
    m = load(path, length, turn, rules)
    parts = wheels(m)
    if len(m.t) > 24000:
        m = decimate(m, 24000)
    m = without_badges(name, see(m))
    if name == "car-estate":  # its aerial would be half the height of its box
        m = m.pick(np.nonzero(m.p[m.t][:, :, 2].max(1) < 1.85)[0])
    tree = m.tree()
    half = m.p[:, 0].max()
    model = Model(name)
    model.parts = parts
    model.lamps = lamps(tree, half * 0.95, head, tail)
    extra = [x for x in (plate(tree, plates[0], 1), plate(tree, plates[1], -1)) if x is not None]
    n = len(m.t)
    for i, target in enumerate((9000, 2600, 900, 300)):
        if i and target > n * 0.85:
            continue
        d = decimate(m, min(target, n)) if target > 1000 else coarse(m, target)
        d.p[:, 2] = np.maximum(d.p[:, 2], 0)
        model.lods.append((join([d, *extra]), target > 2000))
    return model


def main():
    for name, row in VEHICLES.items():
        if not only or name in only:
            print("--", name)
            vehicle(name, *row).write(out)
    models_people.make(sys.modules[__name__], only, out)
    models_things.make(sys.modules[__name__], only, out)


if __name__ == "__main__":
    bpy.ops.wm.read_factory_settings(use_empty=True)
    main()
