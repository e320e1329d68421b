"""People for tools/bake/models.py: the rig of morse-simulator-data in several gaits, a woman
made of it, riders' poses; and standing people."""
import math
import re
import tempfile

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector
from PIL import Image

from models_mesh import *  # noqa: F403

RIG = "/usr/share/morse/data/robots/human_rig.blend"
STAND, WALK, RUN, CARRY, RIDE = range(5)
FRAMES = 16
# What each piece of the rig is.
PIECES = {"classic_shoes": (SHOES, 256), "eyes": (NONE, 64), "jeans": (TROUSERS, 512), "male1591": (SKIN, 1024),
          "mhair": (HAIR, 512), "tshirt": (SHIRT, 256)}
AHEAD = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], float)  # the rig looks along +x, models along +y


class Rig:
    """The rig at rest as one Mesh with weights; poses as matrices of the bones."""

    def __init__(self):
        bpy.ops.wm.open_mainfile(filepath=RIG)
        self.arm = bpy.data.objects["HumanSkeleton"]
        self.world = np.array(self.arm.matrix_world)
        for b in self.arm.pose.bones:
            for c in b.constraints:
                c.mute = True
        self.bones = [b.name for b in self.arm.pose.bones]
        self.arm.animation_data_create()
        self.action = bpy.data.actions["walk"]
        self.arm.animation_data.action = self.action
        self.meshes = []
        for o in bpy.data.objects:
            if not o.name.startswith("MakeHuman skeleton"):
                continue
            key = next(k for k in PIECES if k in o.name)
            self.meshes.append(self.piece(o, *PIECES[key], key))
        self.hair = next(m for m in self.meshes if m.mats[0].slot == HAIR)
        self.mesh = join(self.meshes)

    def piece(self, o, slot, size, key):
        me = o.data
        me.calc_loop_triangles()
        p = np.array([o.matrix_world @ v.co for v in me.vertices])
        t = np.array([x.vertices[:] for x in me.loop_triangles])
        loops = np.array([x.loops[:] for x in me.loop_triangles])
        u = np.zeros(len(me.loops) * 2)
        me.uv_layers[0].data.foreach_get("uv", u)
        w = np.zeros((len(p), len(self.bones)))
        names = [g.name for g in o.vertex_groups]
        for i, v in enumerate(me.vertices):
            for g in v.groups:
                if names[g.group] in self.bones:
                    w[i, self.bones.index(names[g.group])] = g.weight
        w /= np.maximum(w.sum(1, keepdims=True), 1e-9)
        mat = me.materials[0]
        image = next((n.image for n in mat.node_tree.nodes if n.type == "TEX_IMAGE"), None) if mat.use_nodes else None
        tex = {"classic": "classicshoes_texture_diffuse.png", "eyes": "brown_eye.png", "jeans": "jeans_basic_diffuse.png",
               "male1591": "young_lightskinned_male_diffuse.png", "mhair": "male02_diffuse_black.png", "tshirt": "tshirt02_texture.png"}
        image = bpy.data.images[next(v for k, v in tex.items() if k in o.name)]
        with tempfile.TemporaryDirectory() as d:
            path = d + "/x.png"
            open(path, "wb").write(image.packed_file.data)
            picture = Image.open(path)
            picture.load()
        neutral = None
        if slot not in (SKIN, NONE):
            a = np.asarray(picture.convert("RGBA")).astype(float)
            seen = a[a[..., 3] > 128][:, :3]
            neutral = tuple(np.percentile(seen, 75 if slot == HAIR else 60, axis=0))
            grey = np.asarray(neutral).mean()
            picture = Image.merge("RGBA", [*(picture.convert("L"),) * 3, picture.convert("RGBA").split()[3]]) if slot != SHOES else picture
            neutral = (grey,) * 3 if slot != SHOES else neutral
        image = Picture("man-" + key.split("_")[0], picture, size, neutral)
        if slot != HAIR:
            image.alpha = None
        if slot == SHIRT:
            image, neutral = None, None  # it bears a print
        m = Material(key, MATTE, slot, (ALPHA | TWO_SIDED) if slot == HAIR else 0, (1.2,) * 3 if neutral else (1, 1, 1), image)
        return Mesh(p, t, u.reshape(-1, 2)[loops], np.zeros(len(t), int), [m], w=w)

    def split_sleeves(self):
        """The arms between shirt and wrist become a material of their own: sleeves, by look."""
        m = self.mesh
        body = next(k for k, x in enumerate(m.mats) if x.slot == SKIN)
        arm = [i for i, n in enumerate(self.bones) if n.startswith(("shoulder02", "upperarm", "lowerarm", "shoulder01"))]
        share = m.w[:, arm].sum(1)
        faces = (m.mat == body) & (share[m.t].min(1) > 0.3)
        o = m.mats[body]
        m.mats = [*m.mats, Material("sleeve", MATTE, SLEEVE, 0, (1, 1, 1), o.image)]
        m.mat[faces] = len(m.mats) - 1

    # -- poses --
    def reset(self):
        for b in self.arm.pose.bones:
            b.matrix_basis = Matrix()
        bpy.context.view_layer.update()

    def walk(self, phase):
        s, e = 9.0, 33.0
        f = s + (e - s) * (phase % 1)
        self.arm.animation_data.action = self.action
        bpy.context.scene.frame_set(int(f), subframe=f - int(f))
        self.arm.animation_data.action = None
        bpy.context.view_layer.update()

    def turn(self, bone, axis, degrees):
        """Turns a bone (and what hangs on it) about an axis through its head, armature space."""
        b = self.arm.pose.bones[bone]
        h = b.matrix.translation.copy()
        b.matrix = Matrix.Translation(h) @ Matrix.Rotation(math.radians(degrees), 4, Vector(axis)) @ Matrix.Translation(-h) @ b.matrix
        bpy.context.view_layer.update()

    def aim(self, bone, tip, direction):
        """Turns a bone so that the line from its head to the head of `tip` points there."""
        a = self.arm.pose.bones[bone].matrix.translation
        t = self.arm.pose.bones[tip].matrix.translation
        q = (t - a).normalized().rotation_difference(Vector(direction).normalized())
        b = self.arm.pose.bones[bone]
        h = b.matrix.translation.copy()
        b.matrix = Matrix.Translation(h) @ q.to_matrix().to_4x4() @ Matrix.Translation(-h) @ b.matrix
        bpy.context.view_layer.update()

    def head_of(self, bone):
        return np.array(self.arm.pose.bones[bone].matrix.translation)

    def direction(self, bone, tip):
        d = self.head_of(tip) - self.head_of(bone)
        return d / np.linalg.norm(d)

    def matrices(self):
        """(bones, 3, 4), from rest to pose, in world space."""
        inv = np.linalg.inv(self.world)
        out = []
        for b in self.arm.pose.bones:
            m = self.world @ np.array(b.matrix) @ np.linalg.inv(np.array(b.bone.matrix_local)) @ inv
            out.append(m[:3])
        return np.array(out)


def skinned(mesh, mats):
    p = np.concatenate([mesh.p, np.ones((len(mesh.p), 1))], 1)
    return np.einsum("vb,bij,vj->vi", mesh.w, mats, p)


def moved(mats, offset):
    out = mats.copy()
    out[:, :, 3] += offset
    return out


def limb(swing, out=0.0):
    """A direction downwards that swings ahead by `swing` degrees (the rig looks along x)."""
    a = math.radians(swing)
    return (math.sin(a), out, -math.cos(a))


def angle_of(d):
    return math.degrees(math.atan2(d[0], -d[2]))


def arms(rig, side, upper, elbow, out=0.06, inward=0.0):
    """Upper arm at `upper` degrees ahead, elbow bent by `elbow`."""
    s = 1 if side == "L" else -1
    rig.aim("upperarm02_" + side, "lowerarm01_" + side, limb(upper, s * out))
    rig.aim("lowerarm01_" + side, "wrist_" + side, limb(upper + elbow, -s * inward))


def legs(rig, side, thigh, knee, foot=None, out=0.02):
    s = 1 if side == "L" else -1
    rig.aim("upperleg01_" + side, "lowerleg01_" + side, limb(thigh, s * out))
    rig.aim("lowerleg01_" + side, "foot_" + side, limb(thigh - knee, s * 0.01))
    if foot is not None:
        rig.turn("foot_" + side, (0, 1, 0), foot)


def stride(rig, phase):
    """The rig's walk, with somewhat longer steps."""
    rig.walk(phase)
    for s in "LR":
        a = angle_of(rig.direction("upperleg01_" + s, "lowerleg01_" + s))
        rig.turn("upperleg01_" + s, (0, 1, 0), -0.38 * (a - 4))


def clips(rig, shoes):
    """(gait, stride, frames) of the walker; poses stand on the ground, their middle at 0."""

    def settle(mats, lift=0.0):
        p = skinned(rig.mesh, mats)
        low = skinned(shoes, mats)[:, 2].min()
        hips = mats[rig.bones.index("root")] @ np.append(rest_root, 1)
        return moved(mats, (-hips[0] * settle_x, -hips[1], lift - low)), p

    rest_root = np.array(rig.arm.data.bones["root"].head_local) @ rig.world[:3, :3].T + rig.world[:3, 3]
    settle_x = 1.0
    out = []
    # walk
    frames, feet = [], []
    for i in range(FRAMES):
        stride(rig, i / FRAMES)
        m, _ = settle(rig.matrices())
        frames.append(m)
        feet.append([(m[rig.bones.index("foot_" + s)] @ np.append(np.array(rig.arm.data.bones["foot_" + s].head_local), 1)) for s in "LR"])
    feet = np.array(feet)
    reach = max(feet[:, k, 0].max() - feet[:, k, 0].min() for k in (0, 1))
    print("   walk: reach of a foot", round(float(reach), 2))
    walk = frames
    out.append((WALK, 2 * reach, np.array(frames)))
    # carry: the same legs, both arms before the body
    frames = []
    for i in range(FRAMES):
        stride(rig, i / FRAMES)
        for s in "LR":
            arms(rig, s, 8, 78, out=0.05, inward=0.12)
        rig.turn("spine05", (0, 1, 0), -4)
        frames.append(settle(rig.matrices())[0])
    out.append((CARRY, 2 * reach, np.array(frames)))
    # run
    frames = []
    for i in range(FRAMES):
        rig.walk(0.0)
        rig.reset()
        a = 2 * math.pi * i / FRAMES
        for s, shift in (("L", 0), ("R", math.pi)):
            q = a + shift
            thigh = 8 + 38 * math.sin(q)
            back = max(0.0, math.sin(q - 1.75 + math.pi / 2 * 0))  # the swing: knee high, heel up
            knee = 22 + 78 * max(0.0, math.cos(q + 0.25)) ** 1.2
            legs(rig, s, thigh, knee, foot=10 * math.cos(q))
        for s, shift in (("L", math.pi), ("R", 0)):
            swing = 38 * math.sin(a + shift)
            arms(rig, s, -12 + swing, 88 + 10 * math.sin(a + shift), out=0.12, inward=0.12)
        rig.turn("spine05", (0, 1, 0), 9)
        rig.turn("spine03", (0, 0, 1), 9 * math.sin(a))
        frames.append(settle(rig.matrices(), 0.05 * max(0.0, math.sin(2 * a + 1.9)))[0])
    out.append((RUN, 2.6, np.array(frames)))
    # stand: weight from foot to foot, a glance aside
    frames = []
    for i in range(FRAMES):
        rig.reset()
        a = 2 * math.pi * i / FRAMES
        for s, sign in (("L", 1), ("R", -1)):
            legs(rig, s, 3 + 2 * sign, 4 + 3 * sign, out=0.05)
            arms(rig, s, 1 + 2 * math.sin(a), 14, out=0.14, inward=0.0)
        rig.turn("spine05", (1, 0, 0), 1.2 * math.sin(a))
        rig.turn("neck01", (0, 0, 1), 28 * math.sin(a) * abs(math.sin(a)))
        rig.turn("neck01", (0, 1, 0), 5 + 4 * math.sin(2 * a))
        frames.append(settle(rig.matrices())[0])
    out.insert(0, (STAND, 0.0, np.array(frames)))
    return out


def turn_ahead(frames):
    """Poses of the rig (looking along +x) for models (looking along +y); rest turned as well."""
    r = np.eye(4)
    r[:3, :3] = AHEAD
    full = np.zeros((*frames.shape[:2], 4, 4))
    full[..., :3, :] = frames
    full[..., 3, 3] = 1
    return (r @ full @ r.T)[..., :3, :]


def use_bones(mesh, frames_list):
    """Only the bones that move something."""
    used = np.nonzero(mesh.w.max(0) > 0.01)[0]
    mesh.w = mesh.w[:, used]
    mesh.w /= np.maximum(mesh.w.sum(1, keepdims=True), 1e-9)
    return [f[:, used] for f in frames_list]


def box_before(rig, kit):
    """A cardboard box in the arms, bound to the chest."""
    m = kit.load("scopia/scopia/cardboard-box", 0.30, 0, [("tape", dict(kind=MATTE, rgb=(0.3, 0.2, 0.1)))], axis=1, tag="box")
    m.p = m.p * [0.9, 1, 0.9]
    m.p = m.p @ AHEAD + [0.36, 0, 1.02]  # rows times the inverse turn
    for x in m.mats:
        x.flags |= CARRIED
    m.w = np.zeros((len(m.p), len(rig.bones)))
    m.w[:, rig.bones.index("spine03")] = 1
    return m


def model_of(name, mesh, clip_list, lods=(6500, 2200, 900, 340), coarse=None):
    """coarse: the same with simpler pieces, for what decimation cannot take."""
    r = AHEAD
    if coarse is not None:  # one list of materials, bones by the same numbers
        coarse.mat += len(mesh.mats)
        mesh.mats = coarse.mats = mesh.mats + coarse.mats
        coarse.w *= mesh.w.max(0) > 0.01
        coarse.w = coarse.w[:, mesh.w.max(0) > 0.01]
        coarse.w /= np.maximum(coarse.w.sum(1, keepdims=True), 1e-9)
        coarse.p = coarse.p @ r.T
    frames = use_bones(mesh, [turn_ahead(c[2]) for c in clip_list])
    mesh.p = mesh.p @ r.T
    model = Model(name)
    model.angle = 75
    model.clips = [(c[0], c[1], f) for c, f in zip(clip_list, frames)]
    stand = model.clips[0][2][0]
    model.ao_pose = lambda m: skinned(m, stand)
    n = len(mesh.t)
    for i, target in enumerate(lods):
        if i and target > n * 0.85:
            continue
        model.lods.append((decimate(mesh if i == 0 or coarse is None else coarse, target), i == 0))
    return model


def hair_of(kit, rig, path, pattern, drop):
    """Long hair of a standing figure, fitted to the rig's head and bound to it."""
    m = kit.load(path, 1.7, 180, [], axis=2)
    f = [k for k, x in enumerate(m.mats) if re.fullmatch(pattern, x.name)]
    m = m.pick(np.nonzero(np.isin(m.mat, f))[0])
    head = rig.hair.p
    lo, hi = head.min(0), head.max(0)
    p = m.p @ AHEAD  # the rig's axes
    k = (hi[1] - lo[1]) / (np.percentile(p[:, 1], 95) - np.percentile(p[:, 1], 5)) * 1.0
    p = (p - [(p[:, 0].min() + p[:, 0].max()) / 2, (p[:, 1].min() + p[:, 1].max()) / 2, p[:, 2].max()]) * k
    m.p = p + [(lo[0] + hi[0]) / 2 + drop[0], 0, hi[2] + drop[1]]
    return m


def hair_cap(rig, hair, body):
    """Coarse hair of the hair's own colour, bound to the head of a body."""
    skin = body.pick(np.nonzero(np.array([x.slot == SKIN for x in body.mats])[body.mat])[0])
    lo, hi = hair.p.min(0), hair.p.max(0)
    m = cap(hair, skin, np.array([(lo[0] + hi[0]) / 2, 0, hi[2] - 0.12]))
    image = hair.mats[0].image
    rgb = image.small.reshape(-1, 3).mean(0) if image.alpha is None else np.median(image.small.reshape(-1, 3), axis=0)
    m.mats = [Material("hair-cap", MATTE, HAIR, 0, tuple(np.minimum(1, rgb * np.asarray(hair.mats[0].rgb))))]
    m.w = np.zeros((len(m.p), len(rig.bones)))
    m.w[:, rig.bones.index("head")] = 1
    return m


def woman_shape(p):
    """Moves places of the man at rest (the rig's axes) towards a woman's proportions."""
    x, y, z = p.T
    k = np.ones(len(p))
    d = np.zeros(len(p))

    def bump(at, wide):
        return np.exp(-((z - at) / wide) ** 2)

    torso = np.clip(1 - (np.abs(y) - 0.17) / 0.06, 0, 1)
    k -= 0.13 * bump(1.44, 0.10)  # shoulders
    k -= 0.10 * bump(1.16, 0.10) * torso  # waist
    k += 0.07 * bump(0.93, 0.11) * torso  # hips
    breast = np.exp(-((z - 1.29) / 0.06) ** 2 - ((np.abs(y) - 0.075) / 0.055) ** 2) * (x > 0)
    d = 0.045 * breast - 0.018 * bump(1.14, 0.09) * (x > 0) * torso - 0.02 * bump(0.9, 0.08) * (x < -0.03) * torso
    out = np.stack([x + d, y * k, z], 1)
    arm = np.abs(y) > 0.2
    out[arm, 1] = y[arm] - np.sign(y[arm]) * 0.026
    return out


def stander(kit, name, path, height, slots):
    m = kit.load(path, height, 180, [], axis=2)
    m = see(m, 40)
    model = Model(name)
    model.angle = 75
    for i, target in enumerate((7000, 2000, 750, 280)):
        if i and target > len(m.t) * 0.85:
            continue
        model.lods.append((decimate(m, target), i < 2))
    return model


STANDERS = {
    "bystander-1": ("male01", 1.80), "bystander-2": ("male02", 1.82), "bystander-3": ("male03", 1.79),
    "bystander-4": ("female01", 1.66), "bystander-5": ("female02", 1.70), "bystander-6": ("female03", 1.68),
    "bystander-7": ("holdingFemale01", 1.68), "bystander-8": ("holdingMale01", 1.83),
}


def make(kit, only, out):
    for name, (path, height) in STANDERS.items():
        if not only or name in only:
            print("--", name)
            stander(kit, name, "reallusion/reallusion/" + path, height, {}).write(out)
    if only and not any(n in only for n in ("man", "woman")):
        return
    rig = Rig()
    rig.split_sleeves()
    shoes = next(m for m in rig.meshes if m.mats[0].slot == SHOES)
    c = clips(rig, shoes)
    box = box_before(rig, kit)
    bald = rig.mesh.pick(np.nonzero(np.array([x.slot != HAIR for x in rig.mesh.mats])[rig.mesh.mat])[0])
    if not only or "man" in only:
        body = uncovered(rig.mesh, (SKIN, SLEEVE))
        coarse = uncovered(bald, (SKIN, SLEEVE))
        model_of("man", join([body, box]), c, coarse=join([coarse, hair_cap(rig, rig.hair, bald), box])).write(out)
    if not only or "woman" in only:
        body = join([bald])
        body.p = woman_shape(body.p)
        hair = hair_of(kit, rig, "reallusion/reallusion/female03", "13", (-0.005, 0.012))
        for x in hair.mats:
            x.slot = HAIR
        hair.w = np.zeros((len(hair.p), len(rig.bones)))
        hair.w[:, rig.bones.index("head")] = 1
        short = hair_cap(rig, hair, body)
        body = uncovered(body, (SKIN, SLEEVE))
        model_of("woman", join([body, hair, box]), c, coarse=join([body, short, box])).write(out)
