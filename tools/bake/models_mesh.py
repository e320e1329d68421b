"""Triangle meshes for tools/bake/models.py: reading OBJ, dropping what nobody can see,
levels of detail, corner normals, ambient occlusion, and writing the packed form that
tools/unpack_models.c reads (its layout is described there). Runs inside Blender."""
import math
import os
import re
import struct

import bmesh
import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from PIL import Image

from simplify import simplify

MATTE, PAINT, GLASS, CHROME, PLATE = range(5)
NONE, BODY, SHIRT, TROUSERS, SHOES, HAIR, SKIN, SLEEVE = range(8)
TWO_SIDED, ALPHA, CARRIED, LONG_HAIR = 1, 2, 4, 8


def to_linear(c):
    c = np.asarray(c, float)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


class Material:
    def __init__(self, name, kind=MATTE, slot=NONE, flags=0, rgb=(1, 1, 1), image=None):
        self.name, self.kind, self.slot, self.flags, self.rgb = name, kind, slot, flags, rgb
        self.image = image  # Picture or None


# Makers' badges, number plates and lettering that is somebody's: (x, y, w, h) as shares of the picture,
# and what takes their place: a colour, or the box that is stretched over it.
PLASTIC_GREY, DARK = (107, 107, 110), (22, 22, 24)
BLANK = {
    "suv-suv-map": [((.063, .402, .375, .098), (.063, .5, .375, .035)), ((.164, .152, .05, .05), (60, 60, 62)), ((0, .883, .418, .117), DARK)],
    "renault-scenic-renault-scen": [((.098, .023, .082, .082), (203, 200, 168)), ((.121, .328, .028, .028), (150, 150, 155))],
    "renault-scenic-renault-scen-n": [((.098, .023, .082, .082), (203, 200, 168)), ((.121, .328, .028, .028), (150, 150, 155))],
    "seat_leon-llanta-y-logo": [((.367, .727, .313, .172), (128, 128, 132)), ((.438, .297, .133, .066), PLASTIC_GREY)],
    "smart-car-smart-uvmap-textu": [((.016, .086, .9, .148), (228, 228, 230))],
    "van-texture-van": [((.324, .125, .188, .18), (.242, .125, .078, .18)), ((.164, .484, .129, .129), (95, 100, 105)),
                        ((.672, .39, .121, .117), (50, 50, 52)), ((.633, .555, .36, .102), (56, 56, 56))],
    "citybus-texturescomplements": [((0, 0, .461, .133), DARK), ((.098, .473, .469, .188), (0, 0, 0))],
}


def blank(rgba, box, fill):
    w, h = rgba.size
    x0, y0, x1, y1 = round(box[0] * w), round(box[1] * h), round((box[0] + box[2]) * w), round((box[1] + box[3]) * h)
    if len(fill) == 4:
        a = round(fill[0] * w), round(fill[1] * h), round((fill[0] + fill[2]) * w), round((fill[1] + fill[3]) * h)
        piece = rgba.crop(a).resize((x1 - x0, y1 - y0), Image.BILINEAR)
    else:
        piece = Image.new("RGBA", (x1 - x0, y1 - y0), fill + (255,))
        piece.putalpha(rgba.crop((x0, y0, x1, y1)).getchannel("A"))
    rgba.paste(piece, (x0, y0))


class Picture:
    """A texture: RGB and perhaps A, a power of two in both directions."""

    def __init__(self, name, image, size=512, neutral=None, quality=85):
        self.name, self.quality = name, quality
        rgba = image.convert("RGBA")
        for box, fill in BLANK.get(name, ()):
            blank(rgba, box, fill)
        w, h = (min(size, 1 << max(3, round(math.log2(s)))) for s in rgba.size)
        rgba = rgba.resize((w, h), Image.LANCZOS)
        a = np.asarray(rgba).astype(float)
        self.alpha = a[..., 3] if a[..., 3].min() < 250 else None
        rgb = a[..., :3]
        if self.alpha is not None:  # colours bleed into what is clear, so that mips keep them
            seen = (self.alpha > 100)[..., None].astype(float)
            fill, weight = rgb * seen, seen.copy()
            for r in (1, 2, 4, 8, 16, 32, 64):
                blurred = self._blur(fill, r), self._blur(weight, r)
                hole = weight[..., 0] < 0.5
                good = hole & (blurred[1][..., 0] > 1e-3)
                fill[good] = blurred[0][good] / blurred[1][good]
                weight[good] = 1
            rgb = fill
        if neutral is not None:  # the colour comes from elsewhere: 1 where the picture is `neutral`
            grey = to_linear(rgb / 255) / to_linear(np.asarray(neutral) / 255)
            rgb = 255 * np.sqrt(np.clip(grey * 0.8, 0, 1))  # 0.8: room for what is brighter
            s = (rgb / 255) ** 2
            rgb = 255 * np.where(s <= 0.0031308, 12.92 * s, 1.055 * s ** (1 / 2.4) - 0.055)
        self.rgb = np.clip(rgb, 0, 255)
        small = Image.fromarray(self.rgb.astype(np.uint8)).resize((max(w // 8, 4), max(h // 8, 4)), Image.BOX)
        self.small = to_linear(np.asarray(small) / 255.0)

    @staticmethod
    def _blur(a, r):
        for axis in (0, 1):
            pad = [(r + 1, r) if k == axis else (0, 0) for k in range(3)]
            c = np.cumsum(np.pad(a, pad, mode="edge"), axis=axis)
            n = a.shape[axis]
            a = (np.take(c, range(2 * r + 1, 2 * r + 1 + n), axis) - np.take(c, range(n), axis)) / (2 * r + 1)
        return a

    def look(self, uv):
        """Mean linear colour about each place."""
        h, w = self.small.shape[:2]
        x = np.floor(uv[:, 0] * w).astype(int) % w
        y = np.floor((1 - uv[:, 1]) * h).astype(int) % h
        return self.small[y, x]

    def save(self, folder):
        Image.fromarray(self.rgb.astype(np.uint8)).save(f"{folder}/{self.name}.jpg", quality=self.quality, optimize=True)
        if self.alpha is not None:
            Image.fromarray(self.alpha.astype(np.uint8)).save(f"{folder}/{self.name}-a.jpg", quality=85, optimize=True)


class Mesh:
    """p: (n,3) metres; t: (m,3); uv: (m,3,2); mat, part: (m,); w: (n, bones) or None."""

    def __init__(self, p, t, uv, mat, mats, part=None, w=None):
        self.p, self.t = np.asarray(p, float).reshape(-1, 3), np.asarray(t, int).reshape(-1, 3)
        self.uv = np.asarray(uv, float).reshape(-1, 3, 2)
        self.mat, self.mats = np.asarray(mat, int), mats
        self.part = np.zeros(len(self.t), int) if part is None else np.asarray(part, int)
        self.w = w

    def pick(self, faces):
        used, inverse = np.unique(self.t[faces], return_inverse=True)
        return Mesh(self.p[used], inverse.reshape(-1, 3), self.uv[faces], self.mat[faces], self.mats, self.part[faces],
                    None if self.w is None else self.w[used])

    def moved(self, matrix):
        m = np.asarray(matrix, float)
        out = self.pick(np.arange(len(self.t)))
        out.p = out.p @ m[:3, :3].T + m[:3, 3]
        if np.linalg.det(m[:3, :3]) < 0:
            out.t = out.t[:, ::-1].copy()
            out.uv = out.uv[:, ::-1].copy()
        return out

    def face_normals(self):
        a, b, c = (self.p[self.t[:, k]] for k in range(3))
        return np.cross(b - a, c - a)

    def tree(self, extra=None):
        p, t = self.p, self.t
        if extra is not None:
            t = np.vstack([t, extra[1] + len(p)])
            p = np.vstack([p, extra[0]])
        return BVHTree.FromPolygons([Vector(x) for x in p], [tuple(x) for x in t.tolist()])


def join(meshes):
    mats, out = [], []
    p, t, uv, mat, part, w = [], [], [], [], [], []
    n = 0
    bones = max((m.w.shape[1] for m in meshes if m.w is not None), default=0)
    for m in meshes:
        p.append(m.p)
        t.append(m.t + n)
        uv.append(m.uv)
        mat.append(m.mat + len(mats))
        part.append(m.part)
        mats += m.mats
        if bones:
            w.append(np.pad(m.w, ((0, 0), (0, bones - m.w.shape[1]))))
        n += len(m.p)
    return Mesh(np.vstack(p), np.vstack(t), np.vstack(uv), np.concatenate(mat), mats, np.concatenate(part),
                np.vstack(w) if bones else None)


def read_obj(path):
    """p, faces as triangles with corners' uv, material names, and the MTL as a dict."""
    p, vt, t, uv, mat, names, mtl, now = [], [], [], [], [], [], {}, 0
    folder = os.path.dirname(path)
    for line in open(path, errors="replace"):
        w = line.split()
        if not w:
            continue
        if w[0] == "v":
            p.append([float(x) for x in w[1:4]])
        elif w[0] == "vt":
            vt.append([float(x) for x in w[1:3]])
        elif w[0] == "usemtl":
            name = line.split(None, 1)[1].strip()
            if name not in names:
                names.append(name)
            now = names.index(name)
        elif w[0] == "mtllib":
            mtl.update(read_mtl(os.path.join(folder, line.split(None, 1)[1].strip())))
        elif w[0] == "f":
            c = []
            for x in w[1:]:
                i = (x + "//").split("/")
                v = int(i[0])
                v = v - 1 if v > 0 else len(p) + v
                k = int(i[1]) if i[1] else 0
                k = k - 1 if k > 0 else (len(vt) + k if k < 0 else -1)
                c.append((v, vt[k] if 0 <= k < len(vt) else [0, 0]))
            for k in range(1, len(c) - 1):
                t.append([c[0][0], c[k][0], c[k + 1][0]])
                uv.append([c[0][1], c[k][1], c[k + 1][1]])
                mat.append(now)
    p = np.asarray(p, float)[:, [0, 2, 1]] * [1, -1, 1]  # y up to z up
    return p, np.asarray(t), np.asarray(uv, float), np.asarray(mat), names, mtl


def read_mtl(path):
    out, now = {}, None
    if not os.path.exists(path):
        return out
    for line in open(path, errors="replace"):
        w = line.split(None, 1)
        if len(w) < 2:
            continue
        if w[0] == "newmtl":
            now = out.setdefault(w[1].strip(), {"kd": (0.5, 0.5, 0.5), "map": None})
        elif w[0] == "Kd" and now is not None:
            now["kd"] = tuple(float(x) for x in w[1].split()[:3])
        elif w[0] == "map_Kd" and now is not None:
            now["map"] = os.path.join(os.path.dirname(path), w[1].strip())
    return out


def directions(n, low=-1.0):
    """n unit vectors spread evenly over the sphere above z = low."""
    i = np.arange(n) + 0.5
    z = low + (1 - low) * i / n
    r = np.sqrt(np.maximum(0, 1 - z * z))
    a = math.pi * (1 + 5 ** 0.5) * i
    return np.stack([r * np.cos(a), r * np.sin(a), z], 1)


def see(mesh, n=48, spots=((1 / 3, 1 / 3), (0.8, 0.1), (0.1, 0.8), (0.1, 0.1))):
    """Drops faces that nobody can see from outside, turns those that show only their back,
    and marks those that show both. Packages' meshes are seldom closed or wound one way."""
    _, place = np.unique(np.round(mesh.p / 2e-4).astype(np.int64), axis=0, return_inverse=True)
    _, once = np.unique(np.sort(place.reshape(-1)[mesh.t], axis=1), axis=0, return_index=True)
    mesh = mesh.pick(np.sort(once))  # some have each face twice, once for either side
    tree = mesh.tree()
    nrm = mesh.face_normals()
    size = np.linalg.norm(nrm, axis=1)
    good = size > 1e-9
    nrm = nrm / np.maximum(size, 1e-12)[:, None]
    dirs = directions(n, -0.25)
    order = np.random.default_rng(1).permutation(n)
    front, back = np.zeros(len(mesh.t), bool), np.zeros(len(mesh.t), bool)
    for f in range(len(mesh.t)):
        if not good[f]:
            continue
        a, b, c = mesh.p[mesh.t[f]]
        side = dirs @ nrm[f]
        for which, sign in ((front, 1), (back, -1)):
            need = 1 if sign > 0 else 2
            for u, v in spots:
                x = a + u * (b - a) + v * (c - a) + nrm[f] * (sign * 2e-3)
                for k in order:
                    if side[k] * sign > 0.05 and tree.ray_cast(Vector(x), Vector(dirs[k]))[0] is None:
                        need -= 1
                        break
                if need <= 0:
                    break
            which[f] = need <= 0
    turn = back & ~front
    mesh.t[turn] = mesh.t[turn][:, ::-1]
    mesh.uv[turn] = mesh.uv[turn][:, ::-1]
    both = back & front
    mats = list(mesh.mats)
    for m in np.unique(mesh.mat[both]):
        o = mats[m]
        twin = Material(o.name + "+", o.kind, o.slot, o.flags | TWO_SIDED, o.rgb, o.image)
        mesh.mat[both & (mesh.mat == m)] = len(mats)
        mats.append(twin)
    mesh.mats = mats
    print(f"   seen {int((front | back).sum())} of {len(mesh.t)}, turned {int(turn.sum())}, both {int(both.sum())}")
    return mesh.pick(np.nonzero(front | back)[0])


def uncovered(mesh, slots, n=60):
    """Without those faces of the given slots (skin) that lie below others (clothes), but for a
    seam of two faces."""
    tree = mesh.tree()
    dirs = directions(n, -0.9)
    nrm = mesh.face_normals()
    nrm /= np.maximum(np.linalg.norm(nrm, axis=1), 1e-12)[:, None]
    mine = np.array([m.slot in slots for m in mesh.mats])[mesh.mat]
    keep = ~mine
    for f in np.nonzero(mine)[0]:
        x = Vector(mesh.p[mesh.t[f]].mean(0) + nrm[f] * 2e-3)
        for k in np.nonzero(dirs @ nrm[f] > 0.1)[0]:
            if tree.ray_cast(x, Vector(dirs[k]))[0] is None:
                keep[f] = True
                break
    for _ in range(2):
        seen = np.zeros(len(mesh.p), bool)
        seen[mesh.t[keep & mine].reshape(-1)] = True
        keep |= mine & seen[mesh.t].any(1)
    print(f"   {int((~keep).sum())} of {int(mine.sum())} faces of skin are covered")
    return mesh.pick(np.nonzero(keep)[0])


WHEEL = 0.06  # of the triangles, one at most


def coarse(mesh, target, weld=0.004):
    """About `target` triangles of a vehicle; what its wheels may not have its body gets."""
    out = []
    share = target / max(1, len(mesh.t))
    turning = [k for k in np.unique(mesh.part) if k]
    each = {k: min(int((mesh.part == k).sum() * share), int(WHEEL * target)) for k in turning}
    for part in np.unique(mesh.part):
        m = mesh.pick(np.nonzero(mesh.part == part)[0])
        p, t, of = simplify(m.p, m.t, m.mat, each.get(part, target - sum(each.values())), weld)
        p = np.clip(p, m.p.min(0), m.p.max(0))
        out.append(Mesh(p, t, m.uv[of], m.mat[of], m.mats, m.part[of]).pick(np.arange(len(t))))
    mats = mesh.mats
    r = join(out)
    r.mat %= len(mats)
    r.mats = mats
    return r


def decimate(mesh, target, weld=1e-4):
    """About `target` triangles, each part by itself."""
    out = []
    share = target / max(1, len(mesh.t))
    for part in np.unique(mesh.part):
        m = mesh.pick(np.nonzero(mesh.part == part)[0])
        me = bpy.data.meshes.new("m")
        me.from_pydata([tuple(x) for x in m.p], [], [tuple(x) for x in m.t.tolist()])
        layer = me.uv_layers.new()
        layer.data.foreach_set("uv", m.uv.reshape(-1))
        me.polygons.foreach_set("material_index", m.mat.astype(np.int32))
        ob = bpy.data.objects.new("m", me)
        bpy.context.scene.collection.objects.link(ob)
        if m.w is not None:
            for b in range(m.w.shape[1]):
                g = ob.vertex_groups.new(name=str(b))
                for v in np.nonzero(m.w[:, b] > 0.01)[0]:
                    g.add([int(v)], float(m.w[v, b]), "REPLACE")
        for k in range(max(1, len(m.mats))):
            me.materials.append(None)
        weld_mod = ob.modifiers.new("w", "WELD")
        weld_mod.merge_threshold = weld
        if share < 0.98:
            d = ob.modifiers.new("d", "DECIMATE")
            d.ratio = max(share, min(1, 24 / max(1, len(m.t))))
            d.use_collapse_triangulate = True
        e = ob.evaluated_get(bpy.context.evaluated_depsgraph_get())
        r = e.to_mesh()
        r.calc_loop_triangles()
        p = np.array([v.co[:] for v in r.vertices]).reshape(-1, 3)
        t = np.array([x.vertices[:] for x in r.loop_triangles], int).reshape(-1, 3)
        loops = np.array([x.loops[:] for x in r.loop_triangles], int).reshape(-1, 3)
        mat = np.array([x.material_index for x in r.loop_triangles], int)
        u = np.zeros(len(r.loops) * 2)
        r.uv_layers[0].data.foreach_get("uv", u)
        w = None
        if m.w is not None:
            w = np.zeros((len(p), m.w.shape[1]))
            for i, v in enumerate(r.vertices):
                for g in v.groups:
                    w[i, g.group] = g.weight
            w /= np.maximum(w.sum(1, keepdims=True), 1e-9)
        if len(t):
            out.append(Mesh(p, t, u.reshape(-1, 2)[loops], mat, m.mats, np.full(len(t), part), w))
        e.to_mesh_clear()
        bpy.data.objects.remove(ob)
        bpy.data.meshes.remove(me)
    mats = mesh.mats
    r = join(out)
    r.mat %= len(mats)
    r.mats = mats
    return r


def sphere(fineness):
    """(directions, faces) of a sphere of triangles."""
    b = bmesh.new()
    bmesh.ops.create_icosphere(b, subdivisions=fineness, radius=1)
    p = np.array([v.co[:] for v in b.verts])
    t = np.array([[v.index for v in f.verts] for f in b.faces])
    b.free()
    return p / np.linalg.norm(p, axis=1, keepdims=True), t


def outermost(mesh, tree, centre, way, reach=0.6):
    """How far from the centre a mesh (with its texture's holes) is met from outside; None: nowhere."""
    far = reach
    while far > 0.02:
        hit, _, face, _ = tree.ray_cast(Vector(centre + way * far), Vector(-way), far)
        if hit is None:
            return None
        at = float((np.array(hit) - centre) @ way)
        image = mesh.mats[mesh.mat[face]].image
        if image is None or image.alpha is None:
            return at
        a, b, c = mesh.p[mesh.t[face]]
        share = np.linalg.lstsq(np.stack([a, b, c]).T, np.array(hit), rcond=None)[0]
        u, v = share @ mesh.uv[face]
        h, w = image.alpha.shape
        if image.alpha[int((1 - v) * h) % h, int(u * w) % w] > 128:
            return at
        far = at - 1e-3
    return None


def cap(hair, skin, centre):
    """A skin over loose sheets of hair, as seen from the head's middle, for coarse levels of detail: it
    ends below the face."""
    ways, faces = sphere(4)
    hairs, below = hair.tree(), skin.tree()
    r = np.array([outermost(hair, hairs, centre, w) or 0 for w in ways])
    some = r > 0
    side = np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    near = [np.append(side[side[:, 0] == i, 1], i) for i in range(len(ways))]
    for _ in range(2):  # single strands and gaps are none; the rest is smooth
        some = np.array([np.mean(some[n]) > 0.45 for n in near])
        known = np.where(r > 0, r, np.nan)
        r = np.array([np.nanmedian(known[n]) if some[i] and np.isfinite(known[n]).any() else 0 for i, n in enumerate(near)])
    some = r > 0
    for i in np.nonzero(~some)[0]:  # its rim lies below the skin of the head
        under = below.ray_cast(Vector(centre), Vector(ways[i]))[0]
        r[i] = min(0.12, 0.05 if under is None else (under - Vector(centre)).length) - 0.02
    keep = some[faces].any(1)
    m = Mesh(centre + ways * r[:, None], faces, np.zeros((len(faces), 3, 2)), np.zeros(len(faces), int), [hair.mats[0]])
    return m.pick(np.nonzero(keep)[0])


def corner_normals(mesh, angle=50):
    """(m,3,3): smooth where faces that meet at a place turn less than `angle` degrees."""
    fn = mesh.face_normals()
    area = np.linalg.norm(fn, axis=1)
    unit = fn / np.maximum(area, 1e-12)[:, None]
    _, place = np.unique(np.round(mesh.p / 2e-4).astype(np.int64), axis=0, return_inverse=True)
    corner_place = place.reshape(-1)[mesh.t.reshape(-1)]
    corner_face = np.repeat(np.arange(len(mesh.t)), 3)
    order = np.argsort(corner_place, kind="stable")
    starts = np.searchsorted(corner_place[order], np.arange(corner_place.max() + 2))
    out = np.zeros((len(mesh.t) * 3, 3))
    cos = math.cos(math.radians(angle))
    for k in range(len(starts) - 1):
        c = order[starts[k]:starts[k + 1]]
        f = corner_face[c]
        near = (unit[f] @ unit[f].T > cos) & (mesh.part[f][:, None] == mesh.part[f][None, :])
        out[c] = near @ fn[f]
    n = np.linalg.norm(out, axis=1, keepdims=True)
    out = np.where(n > 1e-12, out / np.maximum(n, 1e-12), unit[corner_face])
    return out.reshape(-1, 3, 3)


def occlusion(points, normals, tree, lift, n=56, reach=2.5):
    """Share of the sky and surroundings that each place sees, weighted by the cosine, from `lift` metres above it."""
    base = directions(n)
    out = np.zeros(len(points))
    for i in range(len(points)):
        nrm = normals[i]
        d = base + nrm * 1.001  # cosine distribution
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        o = Vector(points[i] + nrm * lift)
        hit = 0
        for k in range(n):
            if tree.ray_cast(o, Vector(d[k]), reach)[0] is not None:
                hit += 1
        out[i] = 1 - hit / n
    return out


GROUND = (np.array([[-30, -30, -0.01], [30, -30, -0.01], [30, 30, -0.01], [-30, 30, -0.01]], float),
          np.array([[0, 1, 2], [0, 2, 3]]))


class Model:
    def __init__(self, name):
        self.name = name
        self.lods = []     # (Mesh, textured)
        self.parts = []    # (pivot, axis, turns)
        self.clips = []    # (gait, stride, frames (n, bones, 3, 4))
        self.lamps = []    # (kind, x, y, z)   kind 0 head, 1 tail
        self.angle = 50
        self.ao_pose = None  # function of a Mesh: the places at which occlusion is taken

    def write(self, folder):
        textures = []
        blobs = []
        boxes = np.vstack([m.p for m, _ in self.lods])
        lo, hi = boxes.min(0) - 1e-3, boxes.max(0) + 1e-3
        mats = self.lods[0][0].mats
        bones = self.clips[0][2].shape[1] if self.clips else 0
        finest = self.lods[0][0]
        posed = self.ao_pose(finest) if self.ao_pose else finest.p
        always = ~np.array([bool(x.flags & CARRIED) for x in mats])[finest.mat]
        tree = Mesh(posed, finest.t[always], finest.uv[always], finest.mat[always], mats).tree(GROUND)
        for m, textured in self.lods:
            blobs.append(self.pack_lod(m, textured, mats, textures, lo, hi, bones, tree))
        out = [b"VEDMESH1", struct.pack("<7I6f", len(mats), len(textures), len(self.parts), bones, len(self.clips),
                                        len(self.lods), len(self.lamps), *lo, *hi)]
        for m in mats:
            out.append(struct.pack("<4B", m.kind, m.slot, m.flags, 0))
        for x in textures:
            out.append(x.name.encode().ljust(32, b"\0"))
            if not getattr(x, "saved", False):
                x.save(folder)
                x.saved = True
        for pivot, axis, turns in self.parts:
            out.append(struct.pack("<7f", *pivot, *axis, turns))
        for gait, stride, frames in self.clips:
            out.append(struct.pack("<BBHf", gait, 0, len(frames), stride))
            out.append(np.asarray(frames, "<f4").tobytes())
        for kind, x, y, z in self.lamps:
            out.append(struct.pack("<I3f", kind, x, y, z))
        out += blobs
        data = b"".join(out)
        open(f"{folder}/{self.name}.mesh", "wb").write(data)
        print(f"== {self.name}: {len(data) // 1024} KB, triangles {[len(m.t) for m, _ in self.lods]}, box {np.round(lo, 2)} {np.round(hi, 2)}")

    def pack_lod(self, m, textured, mats, textures, lo, hi, bones, tree):
        nrm = corner_normals(m, self.angle).reshape(-1, 3)
        corner = m.t.reshape(-1)
        mat = np.repeat(m.mat, 3)
        part = np.repeat(m.part, 3)
        uv = m.uv.reshape(-1, 2).copy()
        uv -= np.repeat(np.floor(m.uv.min(1)), 3, axis=0)  # small numbers: textures repeat
        rgb = np.array([mats[k].rgb for k in range(len(mats))], float)[mat]
        has = np.array([mats[k].image is not None for k in range(len(mats))])[mat]
        # What has holes keeps its texture; other coarse ones have colours at their corners.
        holes = np.array([x.image is not None and x.image.alpha is not None for x in mats])
        if textured:
            holes[:] = True
        has_colours = has & ~holes[mat]
        if has_colours.any():
            middle = np.repeat(m.uv.mean(1), 3, axis=0)
            at = m.uv.reshape(-1, 2) * 0.7 + middle * 0.3
            for k in np.unique(mat[has_colours]):
                rgb[mat == k] *= mats[k].image.look(at[mat == k])
        bare = np.array([x.image is None and x.kind != PLATE for x in mats])[mat]
        uv[has_colours | bare] = 0
        key = np.concatenate([corner[:, None], np.round(nrm * 100).astype(int), np.round(uv * 8192).astype(int),
                              mat[:, None], part[:, None], np.round(rgb * 255).astype(int)], 1)
        _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)
        # One order of vertices: by part, so that each part is a range.
        rank = np.lexsort((corner[first], part[first]))
        place = np.empty_like(rank)
        place[rank] = np.arange(len(rank))
        first = first[rank]
        tri = place[inverse].reshape(-1, 3)
        p, n = m.p[corner[first]], nrm[first]
        posed = self.ao_pose(m)[corner[first]] if self.ao_pose else p
        ao = occlusion(posed, n, tree, 0.006 if m is self.lods[0][0] else 0.03)  # coarse faces cut through fine ones
        for k, (pivot, axis, turns) in enumerate(self.parts):  # what turns is dark all round
            mine = np.nonzero(part[first] == k + 1)[0]
            if abs(turns) < 0.9 or not len(mine):
                continue
            r = np.linalg.norm(np.cross(p[mine] - pivot, axis), axis=1)
            ring = np.round(r / max(r.max(), 1e-6) * 6)
            for q in np.unique(ring):
                ao[mine[ring == q]] = ao[mine[ring == q]].mean()
        pos = np.round((p - lo) / (hi - lo) * 65535 - 32768).astype("<i2")
        v = np.zeros(len(first), dtype=[("p", "<i2", 3), ("n", "i1", 3), ("ao", "u1"), ("rgb", "u1", 3), ("part", "u1"), ("uv", "<u2", 2)])
        v["p"], v["n"] = pos, np.round(n * 127)
        v["ao"] = np.round(np.clip(ao, 0, 1) * 255)
        v["rgb"] = np.round(np.sqrt(np.clip(rgb[first], 0, 1)) * 255)
        v["part"] = part[first]
        v["uv"] = np.clip(np.round(uv[first] * [1, -1] * 4096 + 32768), 0, 65535)
        weights = b""
        if bones:
            w = m.w[corner[first]]
            best = np.argsort(-w, axis=1)[:, :4]
            ww = np.take_along_axis(w, best, 1)
            ww /= np.maximum(ww.sum(1, keepdims=True), 1e-9)
            q = np.round(ww * 255).astype(int)
            q[:, 0] += 255 - q.sum(1)
            weights = np.concatenate([best.astype("u1"), q.astype("u1")], 1).tobytes()
        batches, order = [], []
        n_tri = 0
        for k in np.unique(m.mat):
            faces = np.nonzero(m.mat == k)[0]
            x = -1
            if mats[k].image is not None and holes[k]:
                names = [t.name for t in textures]
                if mats[k].image.name not in names:
                    textures.append(mats[k].image)
                    names.append(mats[k].image.name)
                x = names.index(mats[k].image.name)
            batches.append(struct.pack("<HhII", k, x, n_tri, len(faces)))
            order.append(faces)
            n_tri += len(faces)
        tri = tri[np.concatenate(order)]
        assert len(first) < 65536
        return b"".join([struct.pack("<3I", len(first), len(tri), len(batches)), v.tobytes(), weights,
                         tri.astype("<u2").tobytes(), *batches])


def classify(names, mtl, rules, folder_name, pictures, size=512):
    """Materials for an OBJ's names. rules: list of (regex, dict(kind, slot, rgb, image, drop))."""
    out = []
    for name in names:
        m = mtl.get(name, {"kd": (0.5, 0.5, 0.5), "map": None})
        r = next((r for pattern, r in rules if re.search(pattern, name, re.I)), {})
        image, rgb = None, m["kd"]
        path = m["map"]
        if path and r.get("image", True) and os.path.exists(path):
            key = (path, r.get("neutral"))
            if key not in pictures:
                tag = re.sub(r"[^a-z0-9]+", "-", os.path.splitext(os.path.basename(path))[0].lower())
                pictures[key] = Picture(f"{folder_name}-{tag}"[:27] + ("-n" if r.get("neutral") else ""), Image.open(path), size,
                                        r.get("neutral"))
            image, rgb = pictures[key], (1, 1, 1)
            if r.get("neutral"):
                rgb = (1, 1, 1)
        mat = Material(name, r.get("kind", MATTE), r.get("slot", NONE), r.get("flags", 0), r.get("rgb", rgb), image)
        if image is not None and image.alpha is not None:
            mat.flags |= ALPHA
        if mat.slot == BODY and not image:
            mat.rgb = (1, 1, 1)
        mat.drop = r.get("drop", False)
        out.append(mat)
    return out
