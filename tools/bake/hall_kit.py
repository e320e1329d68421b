"""What the hall is made of: surfaces with wear, and meshes gathered from boxes, tubes and text."""
import math
import random

try:
    import bpy
    import mathutils
except ImportError:  # pack.py wants only the constants of hall.py
    bpy = None
import common
from common import bark, furniture, leaf_material, put, sign, tree  # noqa: F401, passed on

made = {}  # name: material


class Graph:
    """A short way to write shader nodes. Values are sockets or numbers."""

    def __init__(self, m):
        m.use_nodes = True
        self.m, self.nt = m, m.node_tree
        self.bsdf = self.nt.nodes['Principled BSDF']
        self.pos = self.nt.nodes.new('ShaderNodeNewGeometry').outputs['Position']

    def put(self, sock, v):
        if isinstance(v, bpy.types.NodeSocket):
            self.nt.links.new(v, sock)
        elif sock.type == 'RGBA':
            sock.default_value = tuple(v[:3]) + (1,)
        elif sock.type == 'VECTOR' and isinstance(v, (int, float)):
            sock.default_value = (v, v, v)
        else:
            sock.default_value = v

    def math(self, op, a, b=0, clamp=False):
        n = self.nt.nodes.new('ShaderNodeMath')
        n.operation, n.use_clamp = op, clamp
        self.put(n.inputs[0], a)
        self.put(n.inputs[1], b)
        return n.outputs[0]

    def xyz(self, v=None):
        n = self.nt.nodes.new('ShaderNodeSeparateXYZ')
        self.put(n.inputs[0], v or self.pos)
        return n.outputs

    def vec(self, x, y, z):
        n = self.nt.nodes.new('ShaderNodeCombineXYZ')
        for s, v in zip(n.inputs, (x, y, z)):
            self.put(s, v)
        return n.outputs[0]

    def scaled(self, s, v=None):
        n = self.nt.nodes.new('ShaderNodeMapping')
        self.put(n.inputs['Vector'], v or self.pos)
        self.put(n.inputs['Scale'], s)
        return n.outputs[0]

    def noise(self, scale, detail=4, rough=.55, v=None, color=False):
        n = self.nt.nodes.new('ShaderNodeTexNoise')
        self.put(n.inputs['Vector'], v or self.pos)
        n.inputs['Scale'].default_value, n.inputs['Detail'].default_value = scale, detail
        n.inputs['Roughness'].default_value = rough
        return n.outputs['Color' if color else 'Fac']

    def voronoi(self, scale, out='Color', v=None, feature='F1'):
        n = self.nt.nodes.new('ShaderNodeTexVoronoi')
        n.feature = feature
        self.put(n.inputs['Vector'], v or self.pos)
        n.inputs['Scale'].default_value = scale
        return n.outputs[out]

    def white(self, v):
        n = self.nt.nodes.new('ShaderNodeTexWhiteNoise')
        self.put(n.inputs['Vector'], v)
        return n.outputs['Value']

    def step(self, v, lo, hi, a=0., b=1.):
        """v from lo…hi to a…b, clamped."""
        n = self.nt.nodes.new('ShaderNodeMapRange')
        n.clamp = True
        for s, x in zip(list(n.inputs)[:5], (v, lo, hi, a, b)):
            self.put(s, x)
        return n.outputs[0]

    def mix(self, f, a, b, kind='MIX'):
        n = self.nt.nodes.new('ShaderNodeMixRGB')
        n.blend_type = kind
        for s, x in zip(n.inputs, (f, a, b)):
            self.put(s, x)
        return n.outputs[0]

    def grey(self, v):
        return self.vec(v, v, v)

    def frac(self, v, period, shift=0.):
        """Distance in metres from the next line of a grid of that period, 0 at the line."""
        a = self.math('DIVIDE', self.math('ADD', v, shift), period)
        f = self.math('FRACT', a)
        d = self.math('MINIMUM', f, self.math('SUBTRACT', 1, f))
        return self.math('MULTIPLY', d, period)

    def cell(self, v, period, shift=0.):
        return self.math('FLOOR', self.math('DIVIDE', self.math('ADD', v, shift), period))

    def bump(self, h, distance, strength=1.):
        n = self.nt.nodes.new('ShaderNodeBump')
        self.put(n.inputs['Height'], h)
        n.inputs['Distance'].default_value, n.inputs['Strength'].default_value = distance, strength
        self.nt.links.new(n.outputs[0], self.bsdf.inputs['Normal'])

    def out(self, color, rough, metal=0., spec=.5, mean=None):
        for k, v in (('Base Color', color), ('Roughness', rough), ('Metallic', metal), ('Specular', spec)):
            self.put(self.bsdf.inputs[k], v)
        if mean:
            self.cheap(mean, metal)
        return self.m

    def cheap(self, mean, metal=0.):
        """What light meets after the first surface is one flat colour: half the time to bake."""
        nt = self.nt
        b = nt.nodes.new('ShaderNodeBsdfDiffuse')
        self.put(b.inputs['Color'], mean)
        path, mix = nt.nodes.new('ShaderNodeLightPath'), nt.nodes.new('ShaderNodeMixShader')
        near = self.math('MAXIMUM', path.outputs['Is Camera Ray'], path.outputs['Is Glossy Ray'])
        nt.links.new(near, mix.inputs[0])
        nt.links.new(b.outputs[0], mix.inputs[1])
        nt.links.new(self.bsdf.outputs[0], mix.inputs[2])
        nt.links.new(mix.outputs[0], nt.nodes['Material Output'].inputs['Surface'])


def new(name):
    m = bpy.data.materials.new(name)
    made[name] = m
    return Graph(m)


def surface(name, color, rough=.5, metal=0., tone=.12, scale=3., grain=.05, grain_scale=180.,
            dirt=0., bump=0., spec=.5, wear=0.):
    """A plain surface with clouds of tone, fine grain, dirt towards the floor and worn spots."""
    if name in made:
        return made[name]
    g = new(name)
    c = g.mix(1, color, g.grey(g.step(g.noise(scale, 6, .65), .3, .7, 1 - tone, 1 + tone)), 'MULTIPLY')
    if grain:
        c = g.mix(1, c, g.grey(g.step(g.noise(grain_scale, 2), .3, .7, 1 - grain, 1 + grain)), 'MULTIPLY')
    r = g.step(g.noise(scale * 2.3, 5, .7), .3, .7, rough * .8, min(1, rough * 1.25))
    if dirt:
        low = g.step(g.xyz()[2], 0, .5, 1, 0)
        low = g.math('MULTIPLY', g.math('POWER', low, 2), g.step(g.noise(4, 6, .7), .3, .62))
        blot = g.step(g.noise(1.1, 8, .72), .6, .8)
        c = g.mix(g.math('MULTIPLY', g.math('MAXIMUM', low, blot), dirt, True), c, [v * .55 * k for v, k in zip(color, (1, .93, .82))])
    if wear:
        scratch = g.step(g.noise(30, 4, .8, g.scaled((.15, .15, 3))), .66, .7)
        c = g.mix(g.math('MULTIPLY', scratch, wear), c, (.5, .5, .48))
    if bump:
        g.bump(g.noise(grain_scale, 3), bump)
    return g.out(c, r, metal, spec, color)


def terrazzo():
    g = new('terrazzo')
    x, y, z = g.xyz()
    p, sh = 1.2, .3
    cx, cy = g.cell(x, p, sh), g.cell(y, p, sh)
    plate = g.white(g.vec(cx, cy, 1))
    warm = g.white(g.vec(cx, cy, 2))
    v = g.vec(g.math('ADD', x, g.math('MULTIPLY', plate, 31)), y, g.math('MULTIPLY', warm, 17))
    # a light matrix with four sizes and colours of stone in it
    c = g.mix(warm, (.50, .485, .455), (.53, .515, .49))
    # a dark border along the walls and a band from the doors
    edge = g.math('MAXIMUM', g.step(g.math('ABSOLUTE', x), 17.7, 17.7), g.step(y, 28.5, 28.5))
    edge = g.math('MAXIMUM', edge, g.step(y, .3, .3, 1, 0))
    c = g.mix(edge, c, (.17, .165, .16))
    for scale, a, b, t in ((42, (.16, .15, .145), (.30, .27, .23), .80), (60, (.68, .66, .62), (.38, .33, .27), .74),
                           (95, (.10, .10, .10), (.33, .22, .16), .78), (170, (.62, .60, .56), (.20, .19, .18), .66)):
        k = g.voronoi(scale, 'Color', v)
        s = g.xyz(k)
        d = g.voronoi(scale, 'Distance', v)
        chip = g.math('MULTIPLY', g.step(s[0], t, t + .01), g.step(d, .5, .42))
        c = g.mix(chip, c, g.mix(s[1], a, b))
    c = g.mix(1, c, g.grey(g.step(plate, 0, 1, .9, 1.06)), 'MULTIPLY')
    # where people walk: duller and greyer; old stains; heel marks
    d = g.math('ABSOLUTE', g.math('ADD', x, g.math('MULTIPLY', g.math('SUBTRACT', g.noise(.14, 3), .5), 7)))
    path = g.step(d, .6, 5.5, 1, 0)
    soil = g.math('MULTIPLY', g.step(g.noise(.7, 8, .7), .38, .72), g.step(path, 0, 1, .45, 1))
    c = g.mix(g.math('MULTIPLY', soil, .42), c, (.235, .22, .20))
    spill = g.step(g.noise(.45, 7, .62, g.scaled((1, 1.3, 1))), .665, .70)
    rim = g.math('MULTIPLY', spill, g.step(g.noise(9, 3), .3, .6, .15, .42))
    c = g.mix(rim, c, (.17, .145, .115))
    heel = None
    for i, (sx, sy) in enumerate(((1, .16), (.16, 1), (.7, .25))):
        n = g.step(g.noise(7 + 2 * i, 3, .5, g.scaled((sx * 1.4, sy * 1.4, 1))), .735, .755)
        n = g.math('MULTIPLY', n, g.step(g.noise(1.5 + i, 2), .5, .6))
        heel = n if heel is None else g.math('MAXIMUM', heel, n)
    c = g.mix(g.math('MULTIPLY', heel, .55), c, (.045, .043, .04))
    gum = g.voronoi(1.9, 'Distance')
    gum = g.math('MULTIPLY', g.step(gum, .024, .019), g.step(g.xyz(g.voronoi(1.9, 'Color'))[2], .55, .6))
    c = g.mix(g.math('MULTIPLY', gum, .75), c, (.07, .068, .065))
    jx, jy = g.frac(x, p, sh), g.frac(y, p, sh)
    joint = g.step(g.math('MINIMUM', jx, jy), .0022, .0032, 1, 0)
    c = g.mix(joint, c, g.mix(g.noise(2, 3), (.055, .05, .045), (.16, .14, .11)))
    halo = g.step(g.math('MINIMUM', jx, jy), .003, .035, .16, 0)
    c = g.mix(g.math('MULTIPLY', halo, g.noise(3, 4)), c, (.12, .11, .10))
    r = g.math('ADD', g.step(g.noise(1.7, 7, .7), .3, .7, .10, .19), g.math('MULTIPLY', soil, .17))
    r = g.math('ADD', r, g.math('MULTIPLY', g.math('MAXIMUM', joint, heel), .3))
    # plates are never quite level: each mirrors a little elsewhere
    tilt = g.math('ADD', g.math('MULTIPLY', g.math('SUBTRACT', plate, .5), g.math('MULTIPLY', x, .0022)),
                  g.math('MULTIPLY', g.math('SUBTRACT', warm, .5), g.math('MULTIPLY', y, .0022)))
    g.bump(g.math('ADD', tilt, g.math('MULTIPLY', g.noise(1.1, 3), .0016)), 1)
    return g.out(c, r, 0, .5, (.40, .385, .36))


def concrete(name, color, boards=(2.4, 1.2), holes=True):
    """Cast concrete: panels of the shuttering, tie holes, water marks, pores."""
    g = new(name)
    x, y, z = g.xyz()
    u = g.math('ADD', x, y)
    ju, jz = g.frac(u, boards[0]), g.frac(z, boards[1], .1)
    panel = g.white(g.vec(g.cell(u, boards[0]), g.cell(z, boards[1], .1), 3))
    c = g.mix(1, color, g.grey(g.step(panel, 0, 1, .88, 1.08)), 'MULTIPLY')
    c = g.mix(1, c, g.grey(g.step(g.noise(.9, 9, .7), .3, .7, .84, 1.12)), 'MULTIPLY')
    c = g.mix(1, c, g.grey(g.step(g.noise(70, 3), .3, .7, .94, 1.05)), 'MULTIPLY')
    run = g.step(g.noise(1.6, 6, .7, g.scaled((1.6, 1.6, .07))), .56, .76)
    c = g.mix(g.math('MULTIPLY', run, .3), c, [v * .55 for v in color])
    pore = g.math('MULTIPLY', g.step(g.voronoi(28, 'Distance'), .11, .07), g.step(g.xyz(g.voronoi(28))[0], .7, .75))
    c = g.mix(g.math('MULTIPLY', pore, .7), c, [v * .35 for v in color])
    j = g.step(g.math('MINIMUM', ju, jz), .004, .008, 1, 0)
    c = g.mix(g.math('MULTIPLY', j, .75), c, [v * .4 for v in color])
    h = g.math('SUBTRACT', 0, g.math('MULTIPLY', j, .004))
    if holes:
        hu, hz = g.frac(u, boards[0] / 2, boards[0] / 4), g.frac(z, boards[1], .1 + boards[1] / 2)
        r = g.math('SQRT', g.math('ADD', g.math('MULTIPLY', hu, hu), g.math('MULTIPLY', hz, hz)))
        hole = g.step(r, .016, .02, 1, 0)
        c = g.mix(hole, c, (.03, .03, .03))
    low = g.math('MULTIPLY', g.step(z, 0, .6, 1, 0), g.step(g.noise(3, 7, .75), .4, .65))
    c = g.mix(g.math('MULTIPLY', low, .4), c, (.11, .10, .09))
    g.bump(g.math('ADD', h, g.math('MULTIPLY', g.noise(45, 4), .0012)), 1)
    return g.out(c, g.step(g.noise(6, 5), .3, .7, .55, .8), 0, .5, [v * .93 for v in color])


def wood(name, color, axis=2, board=.12):
    g = new(name)
    s = g.xyz()
    u = g.math('ADD', s[0], s[1]) if axis == 2 else s[2]
    n = g.white(g.vec(g.cell(u, board), 0, 5))
    sc = [9, 9, 9]
    sc[axis] = .55
    v = g.scaled(tuple(sc), g.vec(g.math('ADD', s[0], g.math('MULTIPLY', n, 9)), s[1], s[2]))
    grain = g.noise(3, 8, .62, v)
    fine = g.noise(24, 3, .5, v)
    c = g.mix(g.step(grain, .35, .68), [k * .62 for k in color], [k * 1.18 for k in color])
    c = g.mix(1, c, g.grey(g.step(fine, .3, .7, .86, 1.1)), 'MULTIPLY')
    c = g.mix(1, c, g.grey(g.step(n, 0, 1, .78, 1.12)), 'MULTIPLY')
    return g.out(c, g.step(grain, .3, .7, .32, .5), 0, .5, [v * .85 for v in color])


def glass(name, tint=(.90, .94, .925), dust=.012):
    """A thin pane: straight through, mirrors more at a slant, a little dusty."""
    if name in made:
        return made[name]
    g = new(name)
    nt = g.nt
    t, s, d = (nt.nodes.new('ShaderNodeBsdf' + k) for k in ('Transparent', 'Glossy', 'Diffuse'))
    g.put(t.inputs['Color'], tint)
    s.inputs['Roughness'].default_value = 0
    g.put(s.inputs['Color'], (1, 1, 1))
    g.put(d.inputs['Color'], (.5, .5, .48))
    lw = nt.nodes.new('ShaderNodeLayerWeight')
    lw.inputs['Blend'].default_value = .5
    f = g.math('ADD', g.math('MULTIPLY', g.math('POWER', lw.outputs['Facing'], 5), .85), .075)
    on = nt.nodes.new('ShaderNodeValue')
    on.name = 'mirror'
    on.outputs[0].default_value = 1
    f = g.math('MULTIPLY', f, on.outputs[0])
    dusty = g.math('MULTIPLY', on.outputs[0], dust)
    streak = g.step(g.noise(2, 8, .75, g.scaled((1, 1, .35))), .35, .8, .3, 2.2)
    a, b = nt.nodes.new('ShaderNodeMixShader'), nt.nodes.new('ShaderNodeMixShader')
    g.put(a.inputs[0], g.math('MULTIPLY', streak, dusty))
    g.put(b.inputs[0], f)
    nt.links.new(t.outputs[0], a.inputs[1])
    nt.links.new(d.outputs[0], a.inputs[2])
    nt.links.new(a.outputs[0], b.inputs[1])
    nt.links.new(s.outputs[0], b.inputs[2])
    nt.links.new(b.outputs[0], nt.nodes['Material Output'].inputs['Surface'])
    nt.nodes.remove(g.bsdf)
    return g.m


def mirrors(on):
    """Panes mirror and show their dust, or only let through: then they take no chance, and what
    stands behind them comes out clean at few samples."""
    for m in bpy.data.materials:
        if m.node_tree and 'mirror' in m.node_tree.nodes:
            m.node_tree.nodes['mirror'].outputs[0].default_value = 1 if on else 0


def paint(name, color, rough=.5):
    """Flat print or plastic."""
    return surface(name, color, rough, tone=.03, scale=6, grain=.015)


def glow(name, color, strength, base=(.8, .8, .8)):
    """Shines by itself: only to be looked at; a lamp beside it gives the light."""
    if name in made:
        return made[name]
    g = new(name)
    return common.glow(g.out(base, .4), color, strength)


class Gather:
    """Boxes, tubes and plates of many materials, made one mesh each material at done()."""

    def __init__(self, name):
        self.name, self.parts = name, {}

    def _add(self, m, verts, faces, smooth=False):
        v, f, s = self.parts.setdefault(m.name, ([], [], []))
        k = len(v)
        v.extend(verts)
        f.extend([tuple(i + k for i in q) for q in faces])
        s.extend([smooth] * len(faces))

    def box(self, m, x0, y0, z0, x1, y1, z1, turn=0., at=None):
        """Corners, or sizes about `at` turned by so many degrees (at: middle of its foot)."""
        v = [(x, y, z) for z in (z0, z1) for y in (y0, y1) for x in (x0, x1)]
        if at:
            c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            v = [(at[0] + x * c - y * s, at[1] + x * s + y * c, at[2] + z) for x, y, z in v]
        self._add(m, v, [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)])

    def quad(self, m, a, b, c, d):
        self._add(m, [a, b, c, d], [(0, 1, 2, 3)])

    def tube(self, m, points, r, n=10, cap=True):
        """Round bar along points."""
        rings, verts, faces = [], [], []
        for i, p in enumerate(points):
            a = points[max(0, i - 1)]
            b = points[min(len(points) - 1, i + 1)]
            t = [b[k] - a[k] for k in range(3)]
            l = math.sqrt(sum(k * k for k in t)) or 1
            t = [k / l for k in t]
            up = (0, 0, 1) if abs(t[2]) < .9 else (1, 0, 0)
            u = [t[1] * up[2] - t[2] * up[1], t[2] * up[0] - t[0] * up[2], t[0] * up[1] - t[1] * up[0]]
            l = math.sqrt(sum(k * k for k in u))
            u = [k / l for k in u]
            w = [u[1] * t[2] - u[2] * t[1], u[2] * t[0] - u[0] * t[2], u[0] * t[1] - u[1] * t[0]]
            rr = r[i] if isinstance(r, (list, tuple)) else r
            for k in range(n):
                c, s = math.cos(2 * math.pi * k / n), math.sin(2 * math.pi * k / n)
                verts.append(tuple(p[j] + rr * (c * u[j] + s * w[j]) for j in range(3)))
        for i in range(len(points) - 1):
            for k in range(n):
                a, b = i * n + k, i * n + (k + 1) % n
                faces.append((a, b, b + n, a + n))
        self._add(m, verts, faces, True)
        if cap:
            k = len(verts)
            self._add(m, verts[:n], [tuple(reversed(range(n)))])
            self._add(m, verts[-n:], [tuple(range(n))])

    def rod(self, m, x, y, z0, z1, r, n=24):
        self.tube(m, [(x, y, z0), (x, y, z1)], r, n)

    def disc(self, m, x, y, z, r, n=24):
        """Faces down."""
        self._add(m, [(x + r * math.cos(2 * math.pi * k / n), y - r * math.sin(2 * math.pi * k / n), z) for k in range(n)], [tuple(range(n))])

    def sweep(self, m, profile, axis, a, b, at=(0, 0, 0), turn=0., thick=0.):
        """A profile [(u, z)] drawn out along a…b; u runs along y (axis x) before turning."""
        v, f = [], []
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        for e in (a, b):
            for u, z in profile:
                x, y = (e, u) if axis == 'x' else (u, e)
                v.append((at[0] + x * c - y * s, at[1] + x * s + y * c, at[2] + z))
        n = len(profile)
        for i in range(n - 1):
            f.append((i, i + 1, i + 1 + n, i + n))
        self._add(m, v, f, True)

    def done(self, bevel=0.):
        out = []
        for mn, (v, f, s) in self.parts.items():
            me = bpy.data.meshes.new(self.name + '.' + mn)
            me.from_pydata(v, [], f)
            me.polygons.foreach_set('use_smooth', s)
            me.materials.append(bpy.data.materials[mn])
            me.update()
            o = bpy.data.objects.new(me.name, me)
            bpy.context.scene.collection.objects.link(o)
            if bevel and 'glass' not in mn and not all(s):
                b = o.modifiers.new('b', 'BEVEL')
                b.width, b.segments, b.limit_method, b.angle_limit = bevel, 2, 'ANGLE', math.radians(50)
                b.use_clamp_overlap = True
            if any(s):
                me.use_auto_smooth, me.auto_smooth_angle = True, math.radians(40)
            out.append(o)
        self.parts = {}
        return out


def text(s, m, corner, right, down, size, bold=False, spread=1.):
    """Printed words: baseline of the first line starts below corner by one size."""
    cu = bpy.data.curves.new('text', 'FONT')
    cu.body, cu.size, cu.space_line = s, size, spread
    if bold:
        cu.offset = size * .018
    cu.resolution_u = 2
    cu.materials.append(m)
    o = bpy.data.objects.new('text', cu)
    r, d = right, down
    n = (r[1] * -d[2] - r[2] * -d[1], r[2] * -d[0] - r[0] * -d[2], r[0] * -d[1] - r[1] * -d[0])
    o.matrix_world = mathutils.Matrix(((r[0], -d[0], n[0], corner[0] + d[0] * size + n[0] * .002),
                                       (r[1], -d[1], n[1], corner[1] + d[1] * size + n[1] * .002),
                                       (r[2], -d[2], n[2], corner[2] + d[2] * size + n[2] * .002), (0, 0, 0, 1)))
    bpy.context.scene.collection.objects.link(o)
    return o


def strip(group, x, y, z, sx, sy, energy, color=(1, 1, 1), tilt=(0., 0., 0.), spread=180):
    """A lamp without a body: a rectangle which shines along -z, turned by degrees."""
    d = bpy.data.lights.new(group, 'AREA')
    d.shape, d.size, d.size_y, d.energy, d.color = 'RECTANGLE', sx, sy, energy, color
    d.spread = math.radians(spread)
    o = bpy.data.objects.new(group, d)
    o.location = (x, y, z)
    o.rotation_euler = [math.radians(a) for a in tilt]
    o['group'] = group
    o.visible_camera = o.visible_glossy = False
    bpy.context.scene.collection.objects.link(o)
    return o


def portal(x, y, z, sx, sy, tilt):
    """Tells the path tracer where the sky comes in."""
    d = bpy.data.lights.new('portal', 'AREA')
    d.shape, d.size, d.size_y = 'RECTANGLE', sx, sy
    d.cycles.is_portal = True
    o = bpy.data.objects.new('portal', d)
    o.location, o.rotation_euler = (x, y, z), [math.radians(a) for a in tilt]
    bpy.context.scene.collection.objects.link(o)
