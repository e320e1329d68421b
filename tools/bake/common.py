"""What scenes are made of: furniture of the Debian packages, materials without pictures (they
stay sharp at any zoom), simple bodies, trees, lights. Runs inside Blender; pack.py imports it
outside, where only the constants of a scene are wanted."""
import math
import os
import random
import subprocess
import zipfile

try:
    import bpy
    import numpy as np
except ImportError:
    bpy = None

PACKAGES = ['sweethome3d-furniture']


# What place.json must know of the built scene; bake.py keeps it beside the .blend for pack.py.
RECORD = {'lamps': [], 'signs': [], 'plates': []}


def sign(name, corner, right, down, text='', ink='#202020', ground='', kind='text'):
    """A board whose writing is drawn at run time. corner: its upper left one as the reader sees
    it; right, down: vectors of its edges; metres. text: A–Z, 0–9 and marks; | begins a line."""
    lines = text.split('|')
    n = len(lines)
    for i, line in enumerate(lines):
        at = [corner[k] + down[k] * i / n for k in range(3)]
        RECORD['signs'].append({'name': name, 'corner': [round(float(v), 4) for v in at],
                                'right': [round(float(v), 4) for v in right],
                                'down': [round(float(v) * (.92 if n > 1 else 1) / n, 4) for v in down],
                                'text': line, 'ink': ink, 'ground': ground, 'kind': kind})


def plate(corner, right, down):
    RECORD['plates'].append({k: [round(float(x), 4) for x in v]
                             for k, v in (('corner', corner), ('right', right), ('down', down))})


def lamp(at, colour, power, kind='street'):
    """power: radiance which it gives a white card that faces it at 1 m"""
    RECORD['lamps'].append({'at': [round(float(v), 3) for v in at], 'colour': list(colour),
                            'power': round(power, 3), 'kind': kind})


# ---- packages ----

def unpacked():
    """Folder of the furniture: from the installed package, or fetched and unpacked in $WORK."""
    work = os.environ['WORK']
    to = os.path.join(work, 'sh3d')
    if os.path.isdir(os.path.join(to, 'scopia')) and os.path.isdir(os.path.join(to, 'katorlegaz')):
        return to
    src = '/usr/share/sweethome3d/furniture'
    if not os.path.isdir(src):
        subprocess.run(['apt-get', 'download', PACKAGES[0]], cwd=work, check=True)
        deb = [f for f in os.listdir(work) if f.startswith(PACKAGES[0]) and f.endswith('.deb')][0]
        subprocess.run(['dpkg', '-x', deb, 'deb'], cwd=work, check=True)
        src = os.path.join(work, 'deb', src[1:])
    for f in sorted(os.listdir(src)):
        if f.endswith('.sh3f'):
            with zipfile.ZipFile(os.path.join(src, f)) as z:
                z.extractall(to)
    return to


# ---- materials ----

def linear(c):
    return tuple(v / 12.92 if v <= .04045 else ((v + .055) / 1.055) ** 2.4 for v in c)


def hexa(s):
    """'#a08060' → linear RGB"""
    return linear(tuple(int(s[i:i + 2], 16) / 255 for i in (1, 3, 5)))


class Nodes:
    """A short hand for shader nodes. Values are numbers, colours (tuples) or sockets."""

    def __init__(self, name):
        self.mat = bpy.data.materials.new(name)
        self.mat.use_nodes = True
        self.nt = self.mat.node_tree
        self.bsdf = self.nt.nodes['Principled BSDF']
        self.bsdf.inputs['Roughness'].default_value = .85
        self.bsdf.inputs['Specular'].default_value = .25
        self._pos = None

    def put(self, socket, v):
        if isinstance(v, bpy.types.NodeSocket):
            self.nt.links.new(v, socket)
        elif isinstance(v, (tuple, list)):
            socket.default_value = tuple(v) + ((1,) if len(socket.default_value) == 4 and len(v) == 3 else ())
        else:
            socket.default_value = (v,) * len(socket.default_value) if hasattr(socket.default_value, '__len__') else v

    def node(self, kind, out=0, **inputs):
        n = self.nt.nodes.new('ShaderNode' + kind)
        for k, v in inputs.items():
            if k.startswith('_'):
                setattr(n, k[1:], v)
            else:
                key = int(k[1:]) if k[0] == 'i' and k[1:].isdigit() else k.replace('_', ' ')
                self.put(n.inputs[key], v)
        return n.outputs[out]

    @property
    def pos(self):  # world position
        if self._pos is None:
            self._pos = self.nt.nodes.new('ShaderNodeNewGeometry').outputs['Position']
        return self._pos

    def xyz(self, v=None):
        n = self.nt.nodes.new('ShaderNodeSeparateXYZ')
        self.put(n.inputs[0], v if v is not None else self.pos)
        return n.outputs

    def vec(self, x, y, z=0):
        return self.node('CombineXYZ', X=x, Y=y, Z=z)

    def scale(self, sx, sy, sz, v=None):
        return self.node('Mapping', Vector=v if v is not None else self.pos, Scale=(sx, sy, sz))

    def wall(self):
        """(along the wall, height): for walls parallel to an axis"""
        p = self.xyz()
        return self.vec(self.math('ADD', p['X'], p['Y']), p['Z'])

    def math(self, op, a, b=0, clamp=False):
        return self.node('Math', _operation=op, _use_clamp=clamp, i0=a, i1=b)

    def noise(self, scale, detail=4, rough=.55, v=None, w=0, distort=0):
        return self.node('TexNoise', Vector=v if v is not None else self.pos, Scale=scale, Detail=detail,
                         Roughness=rough, Distortion=distort)

    def voronoi(self, scale, v=None, feature='F1', out=0, rand=1):
        return self.node('TexVoronoi', out, _feature=feature, Vector=v if v is not None else self.pos,
                         Scale=scale, Randomness=rand)

    def ramp(self, f, *stops):
        n = self.nt.nodes.new('ShaderNodeValToRGB')
        e = n.color_ramp.elements
        while len(e) < len(stops):
            e.new(.5)
        for s, (at, c) in zip(e, stops):
            s.position = at
            s.color = (tuple(c) if isinstance(c, (tuple, list)) else (c, c, c)) + (1,)
        self.put(n.inputs[0], f)
        return n.outputs[0]

    def span(self, f, a, b, to0=0, to1=1):
        return self.node('MapRange', Value=f, From_Min=a, From_Max=b, To_Min=to0, To_Max=to1)

    def mix(self, f, a, b, mode='MIX'):
        return self.node('MixRGB', _blend_type=mode, Fac=f, Color1=a, Color2=b)

    def bump(self, height, strength=.3, distance=.02):
        self.put(self.bsdf.inputs['Normal'], self.node('Bump', Height=height, Strength=strength, Distance=distance))
        return self

    def done(self, colour, rough=None, spec=None, metal=None):
        self.put(self.bsdf.inputs['Base Color'], colour)
        if rough is not None:
            self.put(self.bsdf.inputs['Roughness'], rough)
        if spec is not None:
            self.put(self.bsdf.inputs['Specular'], spec)
        if metal is not None:
            self.put(self.bsdf.inputs['Metallic'], metal)
        return self.mat

    def plain(self, colour):
        """Rays which the camera does not see itself meet a plain surface of this colour: the
        details would only cost time there. Call it last."""
        d = self.nt.nodes.new('ShaderNodeBsdfDiffuse')
        self.put(d.inputs['Color'], colour)
        out = self.nt.nodes['Material Output'].inputs[0]
        full = out.links[0].from_socket
        ms = self.nt.nodes.new('ShaderNodeMixShader')
        self.nt.links.new(self.nt.nodes.new('ShaderNodeLightPath').outputs['Is Camera Ray'], ms.inputs[0])
        self.nt.links.new(d.outputs[0], ms.inputs[1])
        self.nt.links.new(full, ms.inputs[2])
        self.nt.links.new(ms.outputs[0], out)
        return self.mat


_mats = {}


def flat(name, colour, rough=.8, spec=.25, vary=.15, dirt=.25):
    """A plain thing that has been outdoors: uneven and dirty toward its foot or edges."""
    key = ('flat', name)
    if key not in _mats:
        n = Nodes(name)
        a = n.noise(1.7, 5)
        b = n.noise(23, 3)
        v = n.math('ADD', n.span(a, .3, .7, 1 - vary, 1 + vary), n.span(b, .3, .7, -vary / 2, vary / 2))
        c = n.mix(1, colour, v, 'MULTIPLY')
        if dirt:
            streak = n.noise(1, 6, .6, n.scale(9, 9, .5))
            c = n.mix(n.span(streak, .5, .8, 0, dirt), c, (.06, .052, .042))
        n.done(c, rough, spec)
        _mats[key] = n.plain(tuple(v * .92 for v in colour))
    return _mats[key]


def glass(name='glass', tint=(.7, .75, .74), wave=.1, rough=0):
    """A pane: one sees through it, and what it mirrors lies on top."""
    key = ('glass', name)
    if key not in _mats:
        n = Nodes(name)
        t = n.nt.nodes.new('ShaderNodeBsdfTransparent')
        n.put(t.inputs[0], tint)
        g = n.nt.nodes.new('ShaderNodeBsdfGlossy')
        g.inputs['Roughness'].default_value = rough
        g.inputs['Color'].default_value = (1, 1, 1, 1)
        normal = n.node('Bump', Height=n.noise(.6, 1), Strength=wave, Distance=.05) if wave else None
        # Schlick by hand: the Fresnel node takes a pane seen from within for a block of glass,
        # which would keep the high sun out of rooms and cars
        lw = n.nt.nodes.new('ShaderNodeLayerWeight')
        if normal is not None:
            n.put(g.inputs['Normal'], normal)
        ms = n.nt.nodes.new('ShaderNodeMixShader')
        n.put(ms.inputs[0], n.math('ADD', n.math('MULTIPLY', n.math('POWER', lw.outputs['Facing'], 5), .9), .06, True))
        n.nt.links.new(t.outputs[0], ms.inputs[1])
        n.nt.links.new(g.outputs[0], ms.inputs[2])
        n.nt.links.new(ms.outputs[0], n.nt.nodes['Material Output'].inputs[0])
        n.nt.nodes.remove(n.bsdf)
        _mats[key] = n.mat
    return _mats[key]


def metal(name, colour=(.35, .35, .36), rough=.4):
    key = ('metal', name)
    if key not in _mats:
        n = Nodes(name)
        a = n.noise(6, 5)
        _mats[key] = n.done(n.mix(n.span(a, .45, .75), colour, tuple(c * .6 for c in colour)), rough, .6, .3)
    return _mats[key]


def glow(mat, colour, strength):
    """The material gives light in the layer 'emit' (radiance = colour × strength). Its light on
    other things comes from lamps put beside it, see light()."""
    b = mat.node_tree.nodes['Principled BSDF']
    b.inputs['Emission'].default_value = tuple(colour) + (1,)
    b.inputs['Emission Strength'].default_value = 0
    mat['emit'] = float(strength)
    try:
        mat.cycles.sample_as_light = False
    except AttributeError:
        pass
    return mat


def sways(mat):
    mat.pass_index = 1
    return mat


def light(kind, group, at, power, rot=(0, 0, 0), colour=(1, 1, 1), **kw):
    """A lamp of a group ('lamps', 'windows'); power in watts as Blender has it (point: radiant
    flux; a facing white card at 1 m from a point lamp of P watts has radiance P / 4π² / π…)."""
    d = bpy.data.lights.new(group, kind)
    d.energy = power
    d.color = colour
    for k, v in kw.items():
        setattr(d, k, v)
    o = bpy.data.objects.new(group, d)
    o.location, o.rotation_euler = at, rot
    o['group'] = group
    bpy.context.scene.collection.objects.link(o)
    return o


# ---- bodies ----

def mesh(name, verts, faces, mats, index=None, uv=None, smooth=False):
    m = bpy.data.meshes.new(name)
    m.from_pydata([tuple(v) for v in verts], [], [tuple(f) for f in faces])
    for mt in mats if isinstance(mats, (list, tuple)) else [mats]:
        m.materials.append(mt)
    if index is not None:
        m.polygons.foreach_set('material_index', index)
    if smooth:
        m.polygons.foreach_set('use_smooth', [True] * len(m.polygons))
        if smooth != 'all':
            m.use_auto_smooth, m.auto_smooth_angle = True, math.radians(40)
    m.update()
    return m


def put(m, at=(0, 0, 0), rot=0, scale=1, tilt=(0, 0), colour=None, name=None):
    o = bpy.data.objects.new(name or m.name, m)
    o.location = at
    o.rotation_euler = (tilt[0], tilt[1], math.radians(rot))
    o.scale = (scale,) * 3 if isinstance(scale, (int, float)) else scale
    if colour:
        o.color = tuple(colour) + (1,)
    bpy.context.scene.collection.objects.link(o)
    return o


class Body:
    """Collects boxes, cylinders and panels of many materials into one mesh."""

    def __init__(self, name):
        self.name, self.v, self.f, self.i, self.mats = name, [], [], [], []

    def slot(self, mat):
        if mat not in self.mats:
            self.mats.append(mat)
        return self.mats.index(mat)

    def add(self, verts, faces, mat):
        n, s = len(self.v), self.slot(mat)
        self.v += [tuple(v) for v in verts]
        self.f += [tuple(i + n for i in f) for f in faces]
        self.i += [s] * len(faces)
        return self

    def box(self, x0, x1, y0, y1, z0, z1, mat, edge=0):
        """edge: width of the bevel"""
        if edge and min(x1 - x0, y1 - y0, z1 - z0) > 2.2 * edge:
            e, V, ring = edge, [], []
            # 24 vertices: every corner thrice
            idx = {}
            for cx in (0, 1):
                for cy in (0, 1):
                    for cz in (0, 1):
                        for k in range(3):
                            p = [x1 if cx else x0, y1 if cy else y0, z1 if cz else z0]
                            for q in range(3):
                                if q != k:
                                    p[q] += -e if (cx, cy, cz)[q] else e
                            idx[cx, cy, cz, k] = len(V)
                            V.append(tuple(p))
            F = []
            for k in range(3):
                a, b = (k + 1) % 3, (k + 2) % 3
                for s in (0, 1):
                    q = []
                    for u, w in ((0, 0), (1, 0), (1, 1), (0, 1)):
                        c = [0, 0, 0]
                        c[k], c[a], c[b] = s, u, w
                        q.append(idx[tuple(c) + (k,)])
                    F.append(q if s else q[::-1])
                for u in (0, 1):      # edges along k
                    for w in (0, 1):
                        c0, c1 = [0, 0, 0], [0, 0, 0]
                        c0[k], c0[a], c0[b] = 0, u, w
                        c1[k], c1[a], c1[b] = 1, u, w
                        q = [idx[tuple(c0) + (a,)], idx[tuple(c1) + (a,)], idx[tuple(c1) + (b,)], idx[tuple(c0) + (b,)]]
                        F.append(q if (u ^ w) else q[::-1])
            for c in [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]:
                q = [idx[c + (0,)], idx[c + (1,)], idx[c + (2,)]]
                F.append(q if (sum(c) & 1) else q[::-1])
            return self.add(V, F, mat)
        V = [(x, y, z) for x in (x0, x1) for y in (y0, y1) for z in (z0, z1)]
        F = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        return self.add(V, F, mat)

    def rod(self, p, q, r, mat, r2=None, n=10):
        """a round bar from p to q"""
        p, q = np.array(p, float), np.array(q, float)
        d = q - p
        d /= max(np.linalg.norm(d), 1e-9)
        a = np.cross(d, (0, 0, 1) if abs(d[2]) < .9 else (1, 0, 0))
        a /= np.linalg.norm(a)
        b = np.cross(d, a)
        t = np.arange(n) * 2 * math.pi / n
        ring = np.outer(np.cos(t), a) + np.outer(np.sin(t), b)
        r2 = r if r2 is None else r2
        V = list(p + ring * r) + list(q + ring * r2)
        F = [(i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)] + [tuple(range(n))[::-1], tuple(range(n, 2 * n))]
        return self.add(V, F, mat)

    def quad(self, a, b, c, d, mat):
        return self.add([a, b, c, d], [(0, 1, 2, 3)], mat)

    def mesh(self, smooth=False):
        return mesh(self.name, self.v, self.f, self.mats, self.i, smooth=smooth)

    def put(self, at=(0, 0, 0), rot=0, scale=1, smooth=False, colour=None):
        return put(self.mesh(smooth), at, rot, scale, colour=colour)


def sheet(name, x0, x1, y0, y1, z, mat, step=None, dz=None):
    """Level ground; with step a grid whose heights dz(x, y) gives."""
    if not step:
        return put(mesh(name, [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], [(0, 1, 2, 3)], mat))
    nx, ny = max(1, round((x1 - x0) / step)), max(1, round((y1 - y0) / step))
    xs, ys = np.linspace(x0, x1, nx + 1), np.linspace(y0, y1, ny + 1)
    v = [(x, y, z + dz(x, y)) for y in ys for x in xs]
    f = [(j * (nx + 1) + i, j * (nx + 1) + i + 1, (j + 1) * (nx + 1) + i + 1, (j + 1) * (nx + 1) + i)
         for j in range(ny) for i in range(nx)]
    return put(mesh(name, v, f, mat, smooth='all'))


# ---- furniture ----

PAINT = {}  # model → names of the materials which are the car's paint (then Object Info colours it)
_models = {}


def _mtl(path, folder):
    out, cur = {}, None
    if not os.path.exists(path):
        return out
    for line in open(path, errors='replace'):
        w = line.split()
        if not w:
            continue
        if w[0] == 'newmtl':
            cur = out.setdefault(' '.join(w[1:]), {})
        elif cur is None:
            continue
        elif w[0] in ('Kd', 'Ks'):
            cur[w[0]] = tuple(float(x) for x in w[1:4])
        elif w[0] in ('d', 'Ns'):
            cur[w[0]] = float(w[-1])
        elif w[0] == 'map_Kd':
            f = os.path.join(folder, line.strip().split(None, 1)[1].strip())
            if os.path.exists(f):
                cur['map'] = f
    return out


def _material(model, name, k, paint):
    n = Nodes(model + ':' + name)
    low = name.lower()
    kd = k.get('Kd', (.5, .5, .5))
    kd = tuple(min(c, .8) for c in kd)
    clear = k.get('d', 1) < .9 or any(w in low for w in ('glass', 'vitre', 'verre', 'window', 'windsh', 'cristal'))
    if paint:
        info = n.nt.nodes.new('ShaderNodeObjectInfo').outputs['Color']
        dust = n.noise(3, 5)
        z = n.xyz(n.node('TexCoord', 3))
        c = n.mix(n.span(dust, .35, .75, 0, .12), info, (.25, .23, .2))
        n.bsdf.inputs['Clearcoat'].default_value = .8
        n.bsdf.inputs['Clearcoat Roughness'].default_value = .04
        n.done(c, .35, .4)
        return n.plain((.2, .2, .2))
    if clear and 'map' not in k:
        bpy.data.materials.remove(n.mat)
        if any(w in low for w in ('light', 'signal', 'brake', 'red', 'faro')):
            red = any(w in low for w in ('red', 'back', 'tail', 'brake'))
            return flat('lens' + str(red), (.25, .01, .01) if red else (.35, .34, .32), .08, .8, 0, 0)
        return glass('carglass', (.38, .42, .41), 0)
    if 'map' in k:
        t = n.nt.nodes.new('ShaderNodeTexImage')
        t.image = bpy.data.images.load(k['map'], check_existing=True)
        n.put(n.bsdf.inputs['Base Color'], t.outputs[0])
        if k['map'].lower().endswith('.png'):
            n.put(n.bsdf.inputs['Alpha'], t.outputs[1])
        return n.mat
    shine = max(k.get('Ks', (0,)))
    return n.done(linear(kd), .3 if shine > .5 else .7, .4 if shine > .5 else .25)


def furniture(path, size, along='z', turn=0, smooth=True, paint=(), remap=None):
    """The mesh of a model ('scopia/suv'), standing on its origin, `size` metres along an axis
    ('z', 'x', 'y' or 'xy': the longer of both), turned first by `turn` degrees about z.
    remap: {material name: material}."""
    key = (path, size, along, turn, tuple(paint))
    if key in _models:
        return _models[key]
    folder = os.path.join(unpacked(), path)
    obj = [f for f in sorted(os.listdir(folder)) if f.lower().endswith('.obj')][0]
    V, T, faces, uvs, ids, names, cur, lib = [], [], [], [], [], [], 0, {}
    for line in open(os.path.join(folder, obj), errors='replace'):
        w = line.split()
        if not w:
            continue
        if w[0] == 'v':
            V.append((float(w[1]), -float(w[3]), float(w[2])))
        elif w[0] == 'vt':
            T.append((float(w[1]), float(w[2])))
        elif w[0] == 'usemtl':
            nm = ' '.join(w[1:])
            if nm not in names:
                names.append(nm)
            cur = names.index(nm)
        elif w[0] == 'mtllib':
            lib.update(_mtl(os.path.join(folder, line.strip().split(None, 1)[1]), folder))
        elif w[0] == 'f':
            f, u = [], []
            for c in w[1:]:
                q = c.split('/')
                i = int(q[0])
                f.append(i - 1 if i > 0 else len(V) + i)
                if len(q) > 1 and q[1]:
                    j = int(q[1])
                    u.append(T[j - 1] if j > 0 else T[j])
                else:
                    u.append((0, 0))
            if len(set(f)) < 3:
                continue
            faces.append(f)
            uvs.append(u)
            ids.append(cur)
    V = np.array(V)
    used = sorted({i for f in faces for i in f})
    back = {u: k for k, u in enumerate(used)}
    V = V[used]
    faces = [[back[i] for i in f] for f in faces]
    a = math.radians(turn)
    V = V @ np.array([[math.cos(a), math.sin(a), 0], [-math.sin(a), math.cos(a), 0], [0, 0, 1]])
    lo, hi = V.min(0), V.max(0)
    ext = hi - lo
    s = size / {'x': ext[0], 'y': ext[1], 'z': ext[2], 'xy': max(ext[0], ext[1])}[along]
    V = (V - [(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2, lo[2]]) * s
    # of two faces in one place each throws specks of shadow upon the other
    grid, known, own = np.rint(V * 1e5).astype(int), set(), []
    for i, f in enumerate(faces):
        corners = frozenset(map(tuple, grid[f]))
        if len(corners) < 3 or corners not in known:
            own.append(i)
        known.add(corners)
    faces, uvs, ids = ([v[i] for i in own] for v in (faces, uvs, ids))
    mats = []
    for nm in names or ['none']:
        if remap and nm in remap:
            mats.append(remap[nm])
        else:
            mats.append(_material(path, nm, lib.get(nm, {}), nm in paint))
    m = mesh(path, V, faces, mats, ids, smooth=smooth)
    if m.validate():
        print('mended', path)
    elif len(m.polygons) == len(uvs):
        layer = m.uv_layers.new()
        layer.data.foreach_set('uv', [x for u in uvs for p in u for x in p])
    _models[key] = m
    return m


# ---- trees ----

def leaf_material(name, colour, light_through=.35):
    """colour: of the leaf; varies from leaf to leaf and over the crown"""
    n = Nodes(name)
    geo = n.nt.nodes.new('ShaderNodeNewGeometry')
    rnd = geo.outputs['Random Per Island']
    info = n.nt.nodes.new('ShaderNodeObjectInfo').outputs['Random']
    big = n.noise(.9, 2)
    v = n.math('MULTIPLY', n.span(rnd, 0, 1, .6, 1.35), n.span(big, .3, .7, .8, 1.2))
    c = n.mix(1, colour, v, 'MULTIPLY')
    c = n.mix(n.span(rnd, .85, 1, 0, .5), c, (colour[0] * 2.2, colour[1] * 1.5, colour[2] * .8))
    hue = n.node('HueSaturation', Hue=n.span(info, 0, 1, .485, .515), Saturation=.95, Value=n.span(info, 0, 1, .85, 1.1), Color=c)
    n.done(hue, .55, .3)
    tr = n.nt.nodes.new('ShaderNodeBsdfTranslucent')
    n.put(tr.inputs['Color'], n.mix(1, hue, (1.1, 1.25, .6), 'MULTIPLY'))
    ms = n.nt.nodes.new('ShaderNodeMixShader')
    ms.inputs[0].default_value = light_through
    n.nt.links.new(n.bsdf.outputs[0], ms.inputs[1])
    n.nt.links.new(tr.outputs[0], ms.inputs[2])
    n.nt.links.new(ms.outputs[0], n.nt.nodes['Material Output'].inputs[0])
    n.plain(tuple(v * .95 for v in colour))
    return sways(n.mat)


def bark(name='bark', colour=(.16, .13, .10)):
    key = ('bark', name)
    if key not in _mats:
        n = Nodes(name)
        v = n.scale(14, 14, 2.5)
        a = n.noise(1.2, 6, .65, v, distort=1.5)
        b = n.noise(.8, 3)
        c = n.ramp(a, (.3, tuple(x * .35 for x in colour)), (.6, colour), (.8, tuple(x * 1.5 for x in colour)))
        c = n.mix(n.span(b, .5, .7, 0, .4), c, (.10, .13, .05))
        n.bump(a, .8, .04)
        n.done(c, .95, .1)
        _mats[key] = n.plain(tuple(v * .8 for v in colour))
    return _mats[key]


def tree(name, seed, height, crown, leaves, leaf, trunk, first=.25, leaf_size=.11, droop=.2, shape='round'):
    """A tree grown from branches that fork toward random aims inside the crown's shape.
    crown: its radius; leaves: how many; first: height of the first branches / height."""
    rnd = np.random.RandomState(seed)
    body = Body(name)
    tips = []
    segs = []

    def inside():
        while True:
            p = rnd.uniform(-1, 1, 3)
            if np.dot(p, p) > 1:
                continue
            if shape == 'cone':
                h = rnd.uniform(0, 1) ** 1.4
                a = rnd.uniform(0, 2 * math.pi)
                r = crown * (1 - h) * math.sqrt(rnd.uniform(.1, 1))
                return np.array([r * math.cos(a), r * math.sin(a), height * (first * .7 + (1 - first * .7) * h)])
            mid = height * (1 + first) / 2
            half = height * (1 - first) / 2
            q = p / max(np.linalg.norm(p), 1e-6) * np.linalg.norm(p) ** .6
            lump = 1 + .22 * math.sin(q[0] * 5 + seed) * math.sin(q[1] * 4 + 1.3 * seed) * math.cos(q[2] * 4)
            return np.array([q[0] * crown * lump, q[1] * crown * lump, mid + q[2] * half * lump])

    # the skeleton: aims join the nearest point of what has grown already
    pts = [np.array([0, 0, 0.])]
    parent = [-1]
    n_trunk = 10
    top = height * (.93 if shape == 'cone' else .55)
    lean = rnd.uniform(-.05, .05, 2)
    for i in range(1, n_trunk + 1):
        h = top * i / n_trunk
        pts.append(np.array([lean[0] * h + .08 * math.sin(h * 1.3 + seed), lean[1] * h + .08 * math.cos(h * 1.1 + seed), h]))
        parent.append(i - 1)
    for _ in range(150 if shape != 'cone' else 220):
        aim = inside()
        P = np.array(pts)
        d = P - aim
        ok = (P[:, 2] > height * first * .8)
        cost = np.linalg.norm(d, axis=1) + 3 * np.maximum(P[:, 2] - aim[2] + (0 if shape == 'cone' else .3), 0)
        cost[~ok] = 1e9
        j = int(cost.argmin())
        a = pts[j]
        steps = max(2, int(np.linalg.norm(aim - a) / .7))
        last = j
        for s in range(1, steps + 1):
            t = s / steps
            p = a + (aim - a) * t + rnd.normal(0, .06, 3) - np.array([0, 0, droop * math.sin(t * math.pi) * .3])
            pts.append(p)
            parent.append(last)
            last = len(pts) - 1
        tips.append(last)
    n = len(pts)
    area = np.zeros(n)
    kids = np.zeros(n, int)
    for i in range(n - 1, 0, -1):
        if kids[i] == 0:
            area[i] = 1
        area[parent[i]] += area[i]
        kids[parent[i]] += 1
    r0 = height * .022 + .05
    rad = r0 * (area / area[0]) ** .48
    rad = np.maximum(rad, .008)
    rad[0] *= 1.25
    for i in range(1, n):
        body.rod(pts[parent[i]], pts[i], rad[parent[i]] if parent[i] < n_trunk else min(rad[parent[i]], rad[i] * 1.3), trunk, rad[i],
                 12 if rad[i] > .06 else 5)
    trunk_n = len(body.f)
    # leaves in sprays round the outer branches
    outer = [i for i in range(n_trunk + 1, n) if rad[i] < .05 and (shape != 'none')]
    P = np.array(pts)
    pick = rnd.choice(outer, leaves)
    prev = np.array([parent[i] for i in pick])
    t = rnd.uniform(0, 1, (leaves, 1))
    spread = .16 if shape == 'cone' else .28
    c = P[pick] * t + P[prev] * (1 - t) + rnd.normal(0, spread, (leaves, 3))
    axis = rnd.normal(0, 1, (leaves, 3)) + [0, 0, -.4]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    up = rnd.normal(0, .7, (leaves, 3)) + [0, 0, 1]
    side = np.cross(axis, up)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    size = leaf_size * rnd.uniform(.6, 1.3, (leaves, 1))
    w = size * (.12 if shape == 'cone' else .42)
    nrm = np.cross(side, axis)
    quad = np.stack([c, c + axis * size * .55 + side * w + nrm * size * .1, c + axis * size, c + axis * size * .55 - side * w + nrm * size * .1], 1).reshape(-1, 3)
    base = len(body.v)
    m = bpy.data.meshes.new(name)
    verts = np.concatenate([np.array(body.v), quad])
    faces = [tuple(f) for f in body.f] + [(base + 4 * i, base + 4 * i + 1, base + 4 * i + 2, base + 4 * i + 3) for i in range(leaves)]
    m.from_pydata(verts.tolist(), [], faces)
    m.materials.append(trunk)
    m.materials.append(leaf)
    m.polygons.foreach_set('material_index', [0] * trunk_n + [1] * leaves)
    m.polygons.foreach_set('use_smooth', [True] * trunk_n + [False] * leaves)
    m.update()
    return m
