"""Two-wheelers with riders, a dog, and things for tools/bake/models.py."""
import math

import numpy as np
from mathutils import Vector

import models_people as people
from models_mesh import *  # noqa: F403

RIDE_FRAMES = 16


def two_links(a, b, l1, l2, pole):
    """The joint between two links that reach from a to b, bent towards `pole`."""
    d = b - a
    n = np.linalg.norm(d)
    reach = min(n, (l1 + l2) * 0.999)
    u = d / n
    x = (l1 * l1 - l2 * l2 + reach * reach) / (2 * reach)
    h = math.sqrt(max(0.0, l1 * l1 - x * x))
    p = pole - u * (pole @ u)
    return a + u * x + p / np.linalg.norm(p) * h


def reach(rig, upper, lower, tip, target, pole):
    a = rig.head_of(upper)
    l1 = np.linalg.norm(rig.head_of(lower) - a)
    l2 = np.linalg.norm(rig.head_of(tip) - rig.head_of(lower))
    joint = two_links(a, np.asarray(target, float), l1, l2, np.asarray(pole, float))
    rig.aim(upper, lower, joint - a)
    rig.aim(lower, tip, np.asarray(target) - rig.head_of(lower))


def sit(rig, hips, lean, hands, feet, head_up):
    """Seated pose: hips' middle, grips and ankles in the rig's axes (it looks along +x)."""
    rig.reset()
    rig.turn("root", (0, 1, 0), lean * 0.35)
    rig.turn("spine05", (0, 1, 0), lean * 0.35)
    rig.turn("spine03", (0, 1, 0), lean * 0.3)
    rig.turn("neck01", (0, 1, 0), -head_up)
    middle = (rig.head_of("upperleg01_L") + rig.head_of("upperleg01_R")) / 2
    shift = np.asarray(hips, float) - middle
    for s, sign in (("L", 1), ("R", -1)):
        f, h = feet[s] - shift, hands[s] - shift
        reach(rig, "upperleg01_" + s, "lowerleg01_" + s, "foot_" + s, f, (1, sign * 0.15, 0.2))
        reach(rig, "upperarm02_" + s, "lowerarm01_" + s, "wrist_" + s, h, (-0.3, sign * 0.7, -0.8))
    m = rig.matrices()
    return people.moved(m, shift)


def to_rig(p):
    """Model axes (y ahead) to the rig's (x ahead)."""
    return np.asarray(p, float) @ people.AHEAD  # rows times the inverse turn


def bound(m, bones, bone):
    m.w = np.zeros((len(m.p), bones))
    m.w[:, bone] = 1
    return m


def box_of(m, pattern):
    f = [k for k, x in enumerate(m.mats) if re.search(pattern, x.name)]
    q = m.p[m.t[np.isin(m.mat, f)]].reshape(-1, 3)
    return q.min(0), q.max(0)


def prism(lo, hi, mats, mat=0):
    x0, y0, z0 = lo
    x1, y1, z1 = hi
    p = np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0], [x0, y0, z1], [x1, y0, z1], [x1, y1, z1], [x0, y1, z1]])
    quads = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    t = np.array([x for q in quads for x in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))])
    return Mesh(p, t, np.zeros((len(t), 3, 2)), np.full(len(t), mat), mats)


def tube(path, radii, mats, mat=0, sides=10, caps=True):
    """Rings of (sideways, upright) radii along a path."""
    path = np.asarray(path, float)
    radii = [r if isinstance(r, tuple) else (r, r) for r in radii]
    p, t = [], []
    for i, c in enumerate(path):
        d = path[min(i + 1, len(path) - 1)] - path[max(i - 1, 0)]
        d /= np.linalg.norm(d)
        side = np.array([1.0, 0, 0])
        side -= d * (side @ d)
        side /= np.linalg.norm(side)
        up = np.cross(side, d)
        for k in range(sides):
            a = 2 * math.pi * k / sides
            p.append(c + side * radii[i][0] * math.cos(a) + up * radii[i][1] * math.sin(a))
    for i in range(len(path) - 1):
        for k in range(sides):
            a, b = i * sides + k, i * sides + (k + 1) % sides
            t += [(a, a + sides, b), (b, a + sides, b + sides)]
    if caps:
        for i, flip in ((0, False), (len(path) - 1, True)):
            p.append(path[i])
            for k in range(sides):
                a, b = i * sides + k, i * sides + (k + 1) % sides
                t.append((len(p) - 1, a, b) if not flip else (len(p) - 1, b, a))
    t = np.array(t)
    m = Mesh(p, t, np.zeros((len(t), 3, 2)), np.full(len(t), mat), mats)
    n = m.face_normals()
    c = m.p[m.t].mean(1)
    near = path[np.argmin(np.linalg.norm(c[:, None] - path[None], axis=2), axis=1)]
    if np.median(np.einsum("ij,ij->i", n, c - near)) < 0:
        m.t = m.t[:, ::-1].copy()
    return m


def ball(centre, r, mats, mat=0, rings=9, sides=14):
    z = [math.sin(math.pi * (i / (rings - 1) - 0.5)) for i in range(rings)]
    return tube([np.array(centre) + [0, 0, r[2] * s] for s in np.array(z) + np.linspace(-1e-4, 1e-4, rings)],
                [(max(1e-3, r[0] * math.cos(math.asin(max(-1, min(1, s))))), max(1e-3, r[1] * math.cos(math.asin(max(-1, min(1, s)))))) for s in z],
                mats, mat, sides)


def rider_mesh(rig, helmet):
    body = join([m for m in [rig.mesh]])
    if not helmet:
        return body
    keep = np.array([x.slot != HAIR for x in body.mats])[body.mat]
    body = body.pick(np.nonzero(keep)[0])
    head = np.array(rig.arm.data.bones["head"].head_local) @ rig.world[:3, :3].T + rig.world[:3, 3]
    mats = [Material("helmet", PAINT, BODY), Material("visor", GLASS, NONE, 0, (0.01, 0.01, 0.012))]
    h = ball(head + [0.015, 0, 0.075], (0.135, 0.155, 0.155), mats)
    h.p[:, :2] = h.p[:, :2]
    c = h.p[h.t].mean(1) - (head + [0.015, 0, 0.075])
    h.mat[(c[:, 0] > 0.075) & (np.abs(c[:, 2]) < 0.06)] = 1
    bound(h, len(rig.bones), rig.bones.index("head"))
    return join([body, h])


def two_wheeler(kit, rig, name, path, length, rules, pose, helmet, pedals):
    m = kit.load(path, length, 180, rules)
    print("   box", np.round(m.p.min(0), 2), np.round(m.p.max(0), 2))
    parts = kit.wheels(m, single=True)
    m = see(m, 40)
    bones = len(rig.bones) + 2
    m.p = to_rig(m.p)
    bound(m, bones, len(rig.bones))
    pieces = [m]
    rider = rider_mesh(rig, helmet)
    rider.w = np.pad(rider.w, ((0, 0), (0, 2)))
    pieces.append(rider)
    frames = []
    hips, lean, grips, ankles, head_up, crank, arm = pose
    if pedals:
        steel = [Material("crank", CHROME, NONE, 0, (0.4, 0.4, 0.4)), Material("pedal", MATTE, NONE, 0, (0.02, 0.02, 0.02))]
        for side in (1, -1):
            x = 0.075 * side
            a = prism((min(x, x + 0.012 * side), -0.012, -arm * (side > 0) - 0.0), (max(x, x + 0.012 * side), 0.012, arm * (side < 0)), steel)
            q = prism((min(x, x + 0.1 * side), -0.045, -0.012 - arm * side), (max(x, x + 0.1 * side), 0.045, 0.012 - arm * side), steel, 1)
            for w in (a, q):
                w.p = to_rig(w.p + crank)
                pieces.append(bound(w, bones, bones - 1))
    n = RIDE_FRAMES if pedals else 1
    for i in range(n):
        a = 2 * math.pi * i / n
        feet = {}
        for s, side in (("L", -1), ("R", 1)):  # model axes: x to the right
            if pedals:
                at = np.array(crank) + [0.12 * side, arm * side * -math.sin(a) * -1, -arm * side * math.cos(a)]
                feet[s] = to_rig(at + [0, -0.07, 0.11])
            else:
                feet[s] = to_rig(np.array(ankles) * [side, 1, 1])
        hands = {s: to_rig(np.array(grips) * [side, 1, 1]) for s, side in (("L", -1), ("R", 1))}
        mats = sit(rig, to_rig(hips), lean, hands, feet, head_up)
        still = np.eye(4)[:3]
        turn = np.eye(4)
        c, s = math.cos(a), math.sin(a)
        centre = to_rig(crank)
        r = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])  # about the rig's y: forwards
        turn[:3, :3] = r
        turn[:3, 3] = centre - r @ centre
        frames.append(np.concatenate([mats, [still], [turn[:3]]]))
    whole = join(pieces)
    model = people.model_of(name, whole, [(people.RIDE, 0.0, np.array(frames))], (9500, 3000, 1100))
    model.parts = parts
    model.angle = 60
    if helmet:
        model.lamps = [(0, 0.0, 0.78, 0.86), (1, 0.0, -0.98, 0.86)]
    return model


def dog():
    coat = [Material("coat", MATTE, HAIR, 0, (1, 1, 1)), Material("nose", MATTE, NONE, 0, (0.01, 0.01, 0.01))]
    names = ["body", "neck", "tail"] + [f"{a}{b}{c}" for a in "fh" for b in "lr" for c in "123"]
    bones = len(names)
    pieces = []

    def add(m, bone):
        pieces.append(bound(m, bones, names.index(bone)))
        return m

    add(tube([(0, -0.36, 0.47), (0, -0.33, 0.49), (0, -0.24, 0.495), (0, -0.08, 0.485), (0, 0.06, 0.47), (0, 0.17, 0.475), (0, 0.25, 0.50), (0, 0.285, 0.51)],
             [(0.02, 0.03), (0.07, 0.09), (0.085, 0.105), (0.085, 0.105), (0.10, 0.135), (0.105, 0.14), (0.08, 0.105), (0.03, 0.04)], coat, sides=14), "body")
    add(tube([(0, 0.2, 0.53), (0, 0.29, 0.62), (0, 0.355, 0.70), (0, 0.37, 0.72)], [0.085, 0.068, 0.062, 0.05], coat), "neck")
    add(tube([(0, 0.29, 0.72), (0, 0.33, 0.735), (0, 0.40, 0.735), (0, 0.45, 0.715), (0, 0.49, 0.695), (0, 0.56, 0.685), (0, 0.575, 0.685)],
             [(0.03, 0.03), (0.065, 0.062), (0.075, 0.068), (0.062, 0.055), (0.04, 0.038), (0.034, 0.03), (0.015, 0.012)], coat, sides=12), "neck")
    add(tube([(0, 0.566, 0.694), (0, 0.583, 0.694)], [0.018, 0.014], coat, 1, 6), "neck")
    for s in (-1, 1):
        add(tube([(0.055 * s, 0.37, 0.785), (0.082 * s, 0.375, 0.755), (0.088 * s, 0.385, 0.70), (0.08 * s, 0.39, 0.665)], [(0.012, 0.03), (0.012, 0.04), (0.01, 0.038), (0.006, 0.012)], coat, sides=8), "neck")
    add(tube([(0, -0.34, 0.53), (0, -0.42, 0.56), (0, -0.5, 0.62), (0, -0.55, 0.70), (0, -0.56, 0.74)], [0.03, 0.024, 0.02, 0.016, 0.008], coat, sides=8), "tail")
    joints = {}
    for b, s in (("l", -1), ("r", 1)):
        x = 0.072 * s
        f = [(x, 0.19, 0.50), (x, 0.165, 0.31), (x, 0.18, 0.12), (x, 0.215, 0.02)]
        h = [(x, -0.27, 0.49), (x, -0.21, 0.30), (x, -0.345, 0.165), (x, -0.315, 0.02)]
        joints["f" + b], joints["h" + b] = f, h
        add(tube([(x, 0.19, 0.52), (x, 0.185, 0.44), f[1]], [(0.05, 0.085), (0.048, 0.07), 0.036], coat), f"f{b}1")
        add(tube([f[1], (x, 0.17, 0.22), f[2]], [0.037, 0.029, 0.024], coat), f"f{b}2")
        add(tube([f[2], (x, 0.185, 0.05), (x, 0.20, 0.025), (x, 0.25, 0.022)], [0.024, 0.024, 0.03, 0.018], coat), f"f{b}3")
        add(tube([(x, -0.27, 0.53), (x, -0.255, 0.42), h[1]], [(0.055, 0.095), (0.055, 0.085), 0.043], coat), f"h{b}1")
        add(tube([h[1], (x, -0.28, 0.23), h[2]], [0.044, 0.033, 0.023], coat), f"h{b}2")
        add(tube([h[2], (x, -0.33, 0.06), (x, -0.315, 0.026), (x, -0.265, 0.022)], [0.023, 0.022, 0.029, 0.018], coat), f"h{b}3")

    def about(point, degrees):
        a = math.radians(degrees)
        m = np.eye(4)
        m[1:3, 1:3] = [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
        p = np.array(point)
        m[:3, 3] = p - m[:3, :3] @ p
        return m

    def frame(phase, amount):
        a = 2 * math.pi * phase
        out = [np.eye(4)] * bones
        bob = np.eye(4)
        bob[2, 3] = 0.008 * math.cos(2 * a) * amount
        out[0] = bob
        out[1] = bob @ about((0, 0.2, 0.52), 3 * math.sin(2 * a) * amount)
        out[2] = bob @ about((0, -0.34, 0.53), 6 * math.sin(2 * a))
        for leg, shift in (("fl", 0), ("hr", 0.35), ("fr", math.pi), ("hl", math.pi + 0.35)):
            j = joints[leg]
            q = a + shift
            lift = max(0.0, math.cos(q)) * amount
            top = bob @ about(j[0], 22 * math.sin(q) * amount + (10 * lift if leg[0] == "f" else 6 * lift))
            mid = top @ about(j[1], (-38 if leg[0] == "f" else 30) * lift * (1 if leg[0] == "f" else 1))
            low = mid @ about(j[2], (-30 if leg[0] == "f" else -42) * lift)
            k = names.index(leg + "1")
            out[k], out[k + 1], out[k + 2] = top, mid, low
        return np.array([m[:3] for m in out])

    whole = join(pieces)
    n = 16
    clips = [(people.STAND, 0.0, np.array([frame(i / n, 0) for i in range(n)])),
             (people.WALK, 0.75, np.array([frame(i / n, 1) for i in range(n)])),
             (people.RUN, 1.4, np.array([frame(i / n, 1.55) for i in range(n)]))]
    model = Model("dog")
    model.angle = 80
    frames = people.use_bones(whole, [c[2] for c in clips])
    model.clips = [(c[0], c[1], f) for c, f in zip(clips, frames)]
    for target in (2200, 700, 240):
        model.lods.append((decimate(whole, target), False))
    return model


def barrier():
    mats = [Material("white", PAINT, NONE, 0, (0.72, 0.72, 0.70)), Material("red", PAINT, NONE, 0, (0.52, 0.02, 0.02)),
            Material("weight", MATTE, NONE, 0, (0.05, 0.05, 0.05))]
    step = 6.2 / 12
    pieces = [prism((-0.03, i * step, 0.95), (0.03, (i + 1) * step, 1.05), mats, 1 - i % 2) for i in range(12)]
    pieces.append(prism((-0.08, -0.75, 0.9), (0.08, 0, 1.1), mats, 2))
    m = join(pieces)
    m.mat %= len(mats)
    m.mats = mats
    m.part[:] = 1
    model = Model("barrier")
    model.angle = 20
    model.parts = [(np.array([0, 0, 1.0]), (1.0, 0, 0), 0.236)]
    model.lods = [(m, False)]
    return model


def thing(kit, name, path, length, axis, rules, lods):
    m = kit.load(path, length, 0, rules, axis=axis)
    m = see(m, 40)
    model = Model(name)
    for i, target in enumerate(lods):
        if i and target > len(m.t) * 0.85:
            continue
        model.lods.append((decimate(m, target), i == 0))
    return model


def make(kit, only, out):
    def wanted(name):
        return not only or name in only

    if wanted("parcel"):
        thing(kit, "parcel", "scopia/scopia/cardboard-box", 0.55, 0, [("tape", dict(kind=MATTE, rgb=(0.3, 0.2, 0.1)))], (200,)).write(out)
    if wanted("cone"):
        thing(kit, "cone", "scopia/scopia/cone", 0.7, 2, [("red", dict(kind=PAINT, rgb=(0.6, 0.05, 0.01))), ("white", dict(kind=PAINT, rgb=(0.7, 0.7, 0.7)))], (600, 260)).write(out)
    if wanted("barrier"):
        barrier().write(out)
    if wanted("dog"):
        dog().write(out)
    if wanted("bicycle") or wanted("motorcycle"):
        rig = people.Rig()
        rig.split_sleeves()
        if wanted("bicycle"):
            two_wheeler(kit, rig, "bicycle", "scopia/scopia/bicycle", 1.75,
                        [("firstcolor|mudguards", dict(kind=PAINT, slot=BODY)), ("seat|rubber|plastic", dict(kind=MATTE, rgb=(0.02, 0.02, 0.02)))],
                        ((0, -0.27, 1.0), 30, (0.235, 0.25, 1.0), None, 22, (0, -0.05, 0.32), 0.17), False, True).write(out)
        if wanted("motorcycle"):
            two_wheeler(kit, rig, "motorcycle", "scopia/scopia/yamaha-yzr-r6", 2.05,
                        [("tap|red-color", dict(kind=PAINT)), ("lights", dict(kind=PAINT)), ("glass", dict(kind=GLASS, rgb=(0.03, 0.03, 0.03), image=False)),
                         ("black|grey", dict(kind=MATTE))],
                        ((0, -0.30, 0.88), 48, (0.30, 0.38, 0.90), (0.17, -0.32, 0.40), 38, (0, -0.1, 0.4), 0.1), True, False).write(out)
