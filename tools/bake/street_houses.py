"""Walls with windows: the brick house, the houses along the street, offices, the skyline."""
import math
import random

import common as c
from common import Body, Nodes, flat, glass, glow, hexa, light, metal, put, sign


def brick(name, a, b, mortar, w=.24, h=.077, stain=.5):
    n = Nodes(name)
    t = n.nt.nodes.new('ShaderNodeTexBrick')
    n.put(t.inputs['Vector'], n.wall())
    for k, v in (('Scale', 1), ('Mortar Size', .006), ('Mortar Smooth', .2), ('Bias', -.1), ('Brick Width', w), ('Row Height', h)):
        t.inputs[k].default_value = v
    n.put(t.inputs['Color1'], a)
    n.put(t.inputs['Color2'], b)
    n.put(t.inputs['Mortar'], mortar)
    g = n.noise(60, 4, .7)
    big = n.noise(.35, 5, .6)
    run = n.noise(1, 6, .65, n.scale(2.2, 2.2, .18))
    z = n.xyz()['Z']
    col = n.mix(1, t.outputs[0], n.span(g, .25, .75, .75, 1.25), 'MULTIPLY')
    col = n.mix(1, col, n.span(big, .3, .7, .8, 1.18), 'MULTIPLY')
    col = n.mix(n.span(run, .52, .78, 0, stain), col, (.05, .042, .036))
    foot = n.math('MULTIPLY', n.span(z, 1.1, 0), n.span(n.noise(2, 5), .3, .65, .1, .7))
    col = n.mix(foot, col, (.075, .065, .05))
    bloom = n.math('MULTIPLY', n.span(n.noise(.5, 4, .6, n.scale(1, 1, .6)), .64, .72), .28)
    col = n.mix(bloom, col, (.5, .47, .43))
    n.bump(n.math('ADD', n.math('MULTIPLY', t.outputs[1], -1), n.math('MULTIPLY', g, .3)), .6, .008)
    n.done(col, .9, .15)
    return n.plain(tuple(v * .8 for v in a))


def plaster(name, colour, stain=.45, panel=0):
    n = Nodes(name)
    g = n.noise(45, 4, .7)
    big = n.noise(.4, 5, .6)
    run = n.noise(1, 6, .65, n.scale(2.6, 2.6, .16))
    z = n.xyz()['Z']
    col = n.mix(1, colour, n.span(g, .25, .75, .88, 1.1), 'MULTIPLY')
    col = n.mix(1, col, n.span(big, .3, .7, .86, 1.08), 'MULTIPLY')
    col = n.mix(n.span(run, .5, .8, 0, stain), col, tuple(v * .35 for v in colour))
    foot = n.math('MULTIPLY', n.span(z, .9, 0), n.span(n.noise(2, 5), .3, .65, .1, .75))
    col = n.mix(foot, col, (.09, .08, .06))
    if panel:
        t = n.nt.nodes.new('ShaderNodeTexBrick')
        n.put(t.inputs['Vector'], n.wall())
        for k, v in (('Scale', 1), ('Mortar Size', .015), ('Brick Width', panel), ('Row Height', panel * .5)):
            t.inputs[k].default_value = v
        t.offset = 0
        col = n.mix(n.math('MULTIPLY', t.outputs[1], .6), col, (.05, .05, .05))
    n.bump(g, .25, .01)
    n.done(col, .92, .15)
    return n.plain(tuple(v * .85 for v in colour))


def tiles_roof(name, colour):
    n = Nodes(name)
    t = n.nt.nodes.new('ShaderNodeTexBrick')
    p = n.xyz()
    n.put(t.inputs['Vector'], n.vec(n.math('ADD', p['X'], 0), n.math('ADD', n.math('MULTIPLY', p['Z'], 1.5), n.math('MULTIPLY', p['Y'], .0))))
    for k, v in (('Scale', 1), ('Mortar Size', .012), ('Mortar Smooth', .6), ('Brick Width', .24), ('Row Height', .26)):
        t.inputs[k].default_value = v
    n.put(t.inputs['Color1'], tuple(v * .8 for v in colour))
    n.put(t.inputs['Color2'], tuple(v * 1.2 for v in colour))
    n.put(t.inputs['Mortar'], tuple(v * .3 for v in colour))
    col = n.mix(n.span(n.noise(.8, 6, .65), .45, .75, 0, .55), t.outputs[0], (.06, .065, .045))
    n.bump(n.math('MULTIPLY', t.outputs[1], -1), .8, .03)
    n.done(col, .85, .2)
    return n.plain(tuple(v * .8 for v in colour))


class Wall:
    """A wall seen in its own coordinates: u along it to the right of one who faces it from
    outside, z up, d outward. Everything of a house goes into one Body through it."""

    def __init__(self, body, origin, angle):
        """angle: degrees of the outward direction as pan (0 = +y, 180 = faces south)"""
        a = math.radians(angle)
        self.b, self.o = body, origin
        self.n = (math.sin(a), math.cos(a))
        self.r = (-math.cos(a), math.sin(a))  # right of one who looks at it

    def p(self, u, d, z):
        return (self.o[0] + self.r[0] * u + self.n[0] * d, self.o[1] + self.r[1] * u + self.n[1] * d, self.o[2] + z)

    def quad(self, u0, u1, z0, z1, d, mat):
        self.b.quad(self.p(u0, d, z0), self.p(u1, d, z0), self.p(u1, d, z1), self.p(u0, d, z1), mat)

    def box(self, u0, u1, d0, d1, z0, z1, mat, edge=0):
        q, r = self.p(u0, d0, z0), self.p(u1, d1, z1)
        self.b.box(min(q[0], r[0]), max(q[0], r[0]), min(q[1], r[1]), max(q[1], r[1]), q[2], r[2], mat, edge)

    def face(self, w, h, holes, mat, depth=.16, reveal=None):
        """The wall 0…w × 0…h without its holes [(u0, u1, z0, z1)], with their reveals."""
        us = sorted({0, w} | {x for q in holes for x in q[:2]})
        zs = sorted({0, h} | {x for q in holes for x in q[2:]})
        for z0, z1 in zip(zs, zs[1:]):
            start = None
            for u0, u1 in list(zip(us, us[1:])) + [(None, None)]:
                solid = u0 is not None and not any(q[0] <= u0 and u1 <= q[1] and q[2] <= z0 and z1 <= q[3] for q in holes)
                if solid and start is None:
                    start = u0
                if not solid and start is not None:
                    self.quad(start, last, z0, z1, 0, mat)
                    start = None
                last = u1
        m = reveal or mat
        for u0, u1, z0, z1 in holes:
            D = -depth
            for a in (((u0, 0, z0), (u0, D, z0), (u0, D, z1), (u0, 0, z1)), ((u1, 0, z0), (u1, 0, z1), (u1, D, z1), (u1, D, z0)),
                      ((u0, 0, z1), (u0, D, z1), (u1, D, z1), (u1, 0, z1)), ((u0, 0, z0), (u1, 0, z0), (u1, D, z0), (u0, D, z0))):
                self.b.quad(*[self.p(*q) for q in a], m)


ROOM = None


def rooms():
    """What is behind panes"""
    global ROOM
    if ROOM:
        return ROOM
    def room(name, k):
        n = Nodes(name)
        v = n.noise(.9, 3, .6, n.scale(1, 1, 1.3))
        col = n.ramp(v, (.3, tuple(.25 * x for x in k)), (.55, k), (.7, tuple(1.9 * x for x in k)))
        return n.done(col, .9, .1)
    ROOM = {'dark': [room('room%d' % i, k) for i, k in enumerate(((.045, .04, .036), (.07, .06, .05), (.035, .038, .042), (.09, .08, .065)))],
            'lit': [glow(room('lit%d' % i, k), e, s) for i, (k, e, s) in enumerate((((.5, .42, .3), (1, .72, .42), .9), ((.5, .46, .38), (1, .8, .55), .6),
                                                                                       ((.45, .47, .48), (.85, .95, 1), .7), ((.5, .38, .24), (1, .6, .3), .5)))],
            'curtain': [], 'blind': [], 'glass': [glass('pane%d' % i, t, w) for i, (t, w) in enumerate((((.72, .76, .75), .10), ((.6, .66, .66), .2), ((.8, .82, .8), .05)))]}
    for i, k in enumerate(((.62, .60, .54), (.5, .45, .36), (.66, .66, .64), (.36, .30, .28), (.42, .46, .48))):
        n = Nodes('curtain%d' % i)
        p = n.xyz()
        f = n.node('TexWave', Vector=n.wall(), Scale=4.2, Distortion=1.2, Detail=2)
        z = n.math('ADD', p['X'], p['Y'])
        ROOM['curtain'].append(n.done(n.mix(1, k, n.span(f, 0, 1, .55, 1.05), 'MULTIPLY'), .9, .1))
        n = Nodes('blind%d' % i)
        t = n.math('FRACT', n.math('MULTIPLY', n.xyz()['Z'], 1 / .05))
        ROOM['blind'].append(n.done(n.mix(1, k, n.span(t, 0, 1, .5, 1.1), 'MULTIPLY'), .8, .2))
    return ROOM


def window(W, u0, u1, z0, z1, rnd, frame, depth=.16, style='house', lit=.25, sill=None, bars=True, wall=None):
    """Frame, pane, what hangs behind it. wall: how long the wall is, where there are rooms round
    its corners too: each keeps to its side of the corner's mitre, or it would poke through."""
    R = rooms()
    d = -depth
    f = .055
    W.box(u0, u0 + f, d - .05, d + .02, z0, z1, frame)
    W.box(u1 - f, u1, d - .05, d + .02, z0, z1, frame)
    W.box(u0 + f, u1 - f, d - .05, d + .02, z0, z0 + f, frame)
    W.box(u0 + f, u1 - f, d - .05, d + .02, z1 - f, z1, frame)
    if bars:
        m = (u0 + u1) / 2
        W.box(m - .03, m + .03, d - .045, d + .015, z0 + f, z1 - f, frame)
        if z1 - z0 > 1.5:
            t = z0 + (z1 - z0) * .7
            W.box(u0 + f, u1 - f, d - .045, d + .012, t - .022, t + .022, frame)
    gl = rnd.choice(R['glass'])
    W.quad(u0, u1, z0, z1, d - .01, gl)
    on = rnd.random() < lit
    back = rnd.choice(R['lit' if on else 'dark'])
    deep = .9 if style == 'house' else 1.6
    # a shallow box of a room
    def room(t, z):
        a, b = u0 - .2, u1 + .2
        if wall:
            # one centimetre short of it: of two flanks in one place each throws specks of shadow on the other
            a, b = min(max(a, t + .01), b), max(min(b, wall - t - .01), a)
        return W.p(a, -t, z), W.p(b, -t, z)
    c0, c1 = z0 - .3, z1 + .1
    (p0, q0), (p1, q1), (p2, q2), (p3, q3) = [room(t, z) for t in (.08 - d, deep - d) for z in (c0, c1)]
    for a in ((p2, q2, q3, p3), (p0, p2, p3, p1), (q0, q2, q3, q1), (p0, p2, q2, q0), (p1, p3, q3, q1)):
        W.b.quad(*a, back)
    k = rnd.random()
    w, h = u1 - u0, z1 - z0
    if style == 'house':
        cm = rnd.choice(R['curtain'])
        if k < .42:   # two curtains, not equally drawn
            a, b2 = rnd.uniform(.12, .32) * w, rnd.uniform(.12, .32) * w
            W.quad(u0, u0 + a, z0, z1, d - .12, cm)
            W.quad(u1 - b2, u1, z0, z1, d - .12, cm)
        elif k < .6:  # net curtain over the lower part or all
            W.quad(u0, u1, z0, z0 + h * rnd.choice((.55, 1, 1)), d - .10, R['curtain'][2])
        elif k < .78:  # roller blind
            W.quad(u0, u1, z1 - h * rnd.uniform(.15, .8), z1, d - .07, rnd.choice(R['blind']))
        if rnd.random() < .22:  # pots on the sill
            for _ in range(rnd.randrange(1, 4)):
                x = rnd.uniform(u0 + .15, u1 - .15)
                W.b.rod(W.p(x, d - .2, z0), W.p(x, d - .2, z0 + .13), .05, flat('pot', (.3, .13, .07)), .065, 8)
                for _ in range(14):
                    a = rnd.uniform(0, 6.28)
                    q = W.p(x, d - .2, z0 + .12)
                    e = (q[0] + .14 * math.cos(a), q[1] + .10 * math.sin(a), q[2] + rnd.uniform(.08, .3))
                    W.b.quad(q, (e[0] + .02, e[1], e[2] - .05), e, (e[0] - .02, e[1], e[2] - .05), flat('potleaf', (.04, .10, .025)))
    else:
        if k < .55:
            W.quad(u0, u1, z1 - h * rnd.choice((.1, .25, .25, .45, .7, 1)), z1, d - .06, rnd.choice(R['blind']))
        if rnd.random() < .5:  # a desk's back, a cupboard, a screen
            x = rnd.uniform(u0, u1 - .7)
            W.box(x, x + rnd.uniform(.5, 1.2), d - 1.2, d - .6, z0, z0 + rnd.uniform(.3, .9), rnd.choice((flat('desk', (.4, .33, .25)), flat('cupb', (.45, .45, .44)), flat('scr', (.03, .03, .03)))))
    if sill:
        W.box(u0 - .07, u1 + .07, -.02, .07, z0 - .07, z0, sill, .012)
    return on


def roof_things(b, x0, x1, y0, y1, z, rnd):
    """Boxes, pipes and aerials on a flat roof"""
    m = metal('duct', (.38, .39, .40), .5)
    for _ in range(rnd.randrange(2, 5)):
        x, y = rnd.uniform(x0 + 1, x1 - 3), rnd.uniform(y0 + 1.5, y1 - 3)
        b.box(x, x + rnd.uniform(1, 2.4), y, y + rnd.uniform(.8, 2), z, z + rnd.uniform(.6, 1.4), m, .03)
    for _ in range(3):
        x, y = rnd.uniform(x0 + 1, x1 - 1), rnd.uniform(y0 + 1, y1 - 1)
        b.rod((x, y, z), (x, y, z + rnd.uniform(.5, 1.2)), .09, m)
    x, y = rnd.uniform(x0 + 1, x1 - 1), rnd.uniform(y0 + 1, y0 + 3)
    b.rod((x, y, z), (x, y, z + 2.6), .025, m)
    for k in range(5):
        b.rod((x - .35 + .03 * k, y, z + 1.7 + .18 * k), (x + .35 - .03 * k, y, z + 1.7 + .18 * k), .012, m, n=5)


def pipe(W, u, h, mat):
    W.b.rod(W.p(u, .09, .15), W.p(u, .09, h - .25), .05, mat)
    W.b.rod(W.p(u, .09, h - .25), W.p(u, .02, h - .02), .05, mat)
    z = .6
    while z < h - .5:
        W.box(u - .07, u + .07, 0, .15, z, z + .04, mat)
        z += 1.9
    W.b.rod(W.p(u, .09, .15), W.p(u, .25, .05), .055, mat)


def brick_house(rnd):
    """x −38…−8, front at y 38, three storeys; shops, the open doorway."""
    br = brick('brick_red', (.27, .095, .06), (.19, .062, .042), (.30, .27, .235))
    br2 = brick('brick_side', (.25, .09, .058), (.17, .06, .042), (.28, .25, .22), stain=.7)
    stone = flat('stone', (.42, .385, .33), .85, .2, .18, .6)
    frame = flat('frame_white', (.66, .65, .61), .5, .35, .06, .35)
    dark = flat('frame_dark', (.035, .04, .042), .45, .4, .1, .1)
    zinc = metal('zinc', (.27, .28, .29), .5)
    tar = flat('tar', (.07, .07, .072), .9, .15, .3, .3)
    b = Body('brick_house')
    W = Wall(b, (-38, 38, 0), 180)
    w, h = 30., 10.6
    u = lambda x: x + 38
    holes, wins, shops = [], [], []
    door = (u(-20), u(-17.8), 0.02, 2.6)
    holes.append(door)
    # shop windows between x; the doors of the shops are part of them
    for x0, x1 in ((-37.2, -34.2), (-33.2, -30.6), (-29.4, -26.3), (-25.4, -22.2), (-16.4, -13.2), (-12.3, -9.0)):
        q = (u(x0), u(x1), .55, 2.85)
        shops.append(q)
        holes.append(q)
    for z0, z1 in ((4.55, 6.35), (8.0, 9.6)):
        for i in range(10):
            a = u(-9.6 - 3.0 * i) - .62 + rnd.uniform(-.01, .01)
            q = (a, a + 1.24, z0, z1)
            wins.append(q)
            holes.append(q)
    W.face(w, h, holes, br, .17)
    lit_shop = [glow(flat('shoplit%d' % i, k, .8, .2, .15, 0), (1, .86, .66), .55) for i, k in enumerate(((.55, .5, .42), (.5, .5, .5)))]
    for q in wins:
        window(W, *q, rnd, frame, .17, 'house', .3, stone)
        W.box(q[0] - .12, q[1] + .12, -.01, .03, q[3], q[3] + .26, stone, .01)  # lintel
    # bands and cornice
    for z, t, o in ((3.72, .16, .06), (7.25, .12, .05)):
        W.box(-.03, w + .03, -.02, o, z, z + t, stone, .015)
    W.box(-.15, w + .15, -.3, .28, h - .18, h, stone, .03)
    W.box(-.08, w + .08, -.3, .16, h - .40, h - .18, stone, .02)
    k = 0
    while k < w:  # dentils
        W.box(k, k + .14, 0, .13, h - .55, h - .40, stone, .01)
        k += .42
    W.box(0, w, -.28, 0, h, h + .45, br)
    W.box(-.05, w + .05, -.33, .05, h + .45, h + .53, stone, .015)
    W.box(-.02, door[0] - .16, 0, .05, 0, .42, stone, .01)
    W.box(door[1] + .16, w + .02, 0, .05, 0, .42, stone, .01)
    # shops
    R = rooms()
    pane = glass('shopglass', (.82, .85, .84), .06)
    names = (('BAKERY', '#f4ead0', '#5a2a18'), ('BOOKS & MAPS', '#e8e4d8', '#20384a'), ('CAFE NORD', '#f0f0ea', '#23402c'))
    groups = ((shops[0], shops[1]), (shops[2], shops[3]), (shops[4], shops[5]))
    boards = [flat('board%d' % i, k, .55, .4, .08, .25) for i, k in enumerate((hexa('#5a2a18'), hexa('#20384a'), hexa('#23402c')))]
    for g, (name, ink, ground), bm in zip(groups, names, boards):
        a, z = min(q[0] for q in g), max(q[1] for q in g)
        W.box(a - .15, z + .15, 0, .14, 2.98, 3.60, bm, .02)
        cx = (a + z) / 2
        sign('fascia ' + name.lower(), W.p(cx - 1.9, .146, 3.53), [v * 3.8 for v in W.r] + [0], (0, 0, -.48), name, ink, ground)
        W.box(a - .12, z + .12, .02, .20, 3.60, 3.66, zinc, .01)
        for q in g:
            for e in (q[0], q[1] - .07, (q[0] * 2 + q[1]) / 3, (q[0] + q[1] * 2) / 3):
                W.box(e, e + .07, -.2, -.1, q[2], q[3], bm)
            W.box(q[0], q[1], -.2, -.1, q[3] - .08, q[3], bm)
            W.box(q[0], q[1], -.2, -.1, q[3] - .6, q[3] - .55, bm)
            W.box(q[0], q[1], -.22, -.08, q[2], q[2] + .09, bm)
            W.box(q[0] - .05, q[1] + .05, -.02, .09, q[2] - .07, q[2], stone, .01)
            W.quad(q[0], q[1], q[2], q[3], -.15, pane)
            # the room: floor, walls, shelves with goods
            D = 3.2
            floor, wall = flat('shopfloor', (.22, .17, .12)), rnd.choice(lit_shop)
            W.quad(q[0] - .4, q[1] + .4, 0, 3.2, -D, wall)
            for uu in (q[0] - .4, q[1] + .4):
                b.quad(W.p(uu, -.2, 0), W.p(uu, -D, 0), W.p(uu, -D, 3.2), W.p(uu, -.2, 3.2), flat('shopwall', (.42, .39, .34)))
            b.quad(W.p(q[0] - .4, -.2, .02), W.p(q[1] + .4, -.2, .02), W.p(q[1] + .4, -D, .02), W.p(q[0] - .4, -D, .02), floor)
            b.quad(W.p(q[0] - .4, -.2, 3.2), W.p(q[1] + .4, -.2, 3.2), W.p(q[1] + .4, -D, 3.2), W.p(q[0] - .4, -D, 3.2), flat('shopceil', (.5, .5, .48)))
            W.box(q[0], q[1], -.75, -.22, .05, q[2] + .02, flat('displayb', (.36, .27, .18)))
            goods = [flat('goods%d' % i, k, .6, .4, .3, .1) for i, k in enumerate(((.45, .08, .05), (.08, .16, .34), (.55, .42, .12), (.6, .58, .5), (.1, .26, .12), (.35, .2, .1), (.05, .05, .06)))]
            x = q[0] + .1
            while x < q[1] - .2:
                s = rnd.uniform(.1, .3)
                W.box(x, x + s, -.6 - rnd.uniform(0, .1), -.4, q[2] + .02, q[2] + .02 + rnd.uniform(.08, .4), rnd.choice(goods), .01)
                x += s + rnd.uniform(.03, .18)
            for zz in (.5, 1.0, 1.5, 2.0):
                W.box(q[0], q[1], -D + .05, -D + .4, zz, zz + .03, flat('shelf', (.4, .32, .22)))
                x = q[0]
                while x < q[1] - .1:
                    s = rnd.uniform(.06, .22)
                    if rnd.random() < .88:
                        W.box(x, x + s, -D + .1, -D + .36, zz + .03, zz + .03 + rnd.uniform(.15, .4), rnd.choice(goods))
                    x += s + rnd.uniform(.01, .05)
        p = W.p(cx, -1.6, 2.9)
        light('AREA', 'windows', p, 260, colour=(1, .84, .62), size=2.4)
        p = W.p(cx, -.3, 2.7)
        light('SPOT', 'windows', W.p(cx, -.6, 2.6), 520, rot=(math.radians(-52), 0, 0), colour=(1, .84, .62), spot_size=2.3, spot_blend=.6, shadow_soft_size=.4)
    # striped awning over the first shop, a little sagging
    st = [flat('awnA', hexa('#7c1f1f'), .8, .2, .1, .3), flat('awnB', (.6, .57, .5), .8, .2, .1, .3)]
    a0, a1 = shops[1][0] - .1, shops[0][1] + .1
    k, i = a0, 0
    while k < a1:
        e = min(k + .24, a1)
        for j in range(5):
            f = lambda t: (t * 1.35, 2.98 - .62 * t - .06 * math.sin(t * 3.14))
            d0, z0 = f(j / 5)
            d1, z1 = f((j + 1) / 5)
            b.quad(W.p(k, d0 + .1, z0), W.p(e, d0 + .1, z0), W.p(e, d1 + .1, z1), W.p(k, d1 + .1, z1), st[i % 2])
        d1, z1 = f(1)
        b.quad(W.p(k, d1 + .1, z1), W.p(e, d1 + .1, z1), W.p(e, d1 + .1, z1 - .2 - .03 * (i % 2)), W.p(k, d1 + .1, z1 - .2 - .03 * (i % 2)), st[i % 2])
        k, i = e, i + 1
    # the doorway: a dark passage with a stair, a bulb far inside
    inner = [flat('pass%d' % i, k, .9, .1, .25, .4) for i, k in enumerate(((.07, .062, .052), (.045, .042, .04), (.05, .048, .045)))]
    u0, u1 = door[0], door[1]
    D = 9
    b.quad(W.p(u0, -.17, 0.02), W.p(u0, -D, 0.02), W.p(u0, -D, 2.9), W.p(u0, -.17, 2.9), inner[0])
    b.quad(W.p(u1, -.17, 0.02), W.p(u1, -D, 0.02), W.p(u1, -D, 2.9), W.p(u1, -.17, 2.9), inner[0])
    b.quad(W.p(u0, 0, 0.02), W.p(u1, 0, 0.02), W.p(u1, -D, 0.02), W.p(u0, -D, 0.02), inner[1])
    b.quad(W.p(u0, -.17, 2.62), W.p(u1, -.17, 2.62), W.p(u1, -D, 2.62), W.p(u0, -D, 2.62), inner[2])
    W.quad(u0, u1, 0, 2.9, -D, inner[0])
    W.box(u0 + .5, u0 + 1.35, -D, -D + .06, .02, 2.05, flat('innerdoor', (.12, .07, .04)), .01)
    for i in range(7):
        W.box(u1 - .95, u1, -5.2 - .28 * i, -4.92 - .28 * i, .02, .02 + .17 * (i + 1), inner[2], .01)
    W.b.rod(W.p(u1 - .95, -5, .9), W.p(u1 - .95, -7, 2.1), .02, dark)
    for i in range(6):  # letter boxes
        W.box(u0, u0 + .1, -1.2 - .32 * i, -.94 - .32 * i, 1.2, 1.55, metal('letter', (.25, .25, .25)), .008)
        W.box(u0, u0 + .1, -1.2 - .32 * i, -.94 - .32 * i, .8, 1.15, metal('letter', (.25, .25, .25)), .008)
    W.box(u0 - .14, u0, -.02, .05, 0, 2.74, stone, .012)
    W.box(u1, u1 + .14, -.02, .05, 0, 2.74, stone, .012)
    W.box(u0 - .14, u1 + .14, -.02, .06, 2.6, 2.86, stone, .012)
    W.box(u0 - .02, u1 + .02, -.25, .12, 0, .03, stone, .01)
    # one leaf of the door stands open inward
    b.quad(W.p(u0 + .04, -.17, .04), W.p(u0 + .10, -1.18, .04), W.p(u0 + .10, -1.18, 2.55), W.p(u0 + .04, -.17, 2.55), flat('doorleaf', (.035, .075, .05), .5, .4))
    light('POINT', 'windows', W.p((u0 + u1) / 2, -6.2, 2.4), 22, colour=(1, .72, .42), shadow_soft_size=.06)
    W.box(u0 - .62, u0 - .28, 0, .03, 1.45, 1.75, flat('nrboard', hexa('#1d3a6b'), .4, .5, .05, .1), .006)
    sign('house number', W.p(u0 - .61, .034, 1.735), [v * .32 for v in W.r] + [0], (0, 0, -.27), '17', '#f2f2f2', '#1d3a6b')
    W.box(w - 1.0, w - .1, 0, .02, 3.2, 3.42, flat('streetname', hexa('#1d3a6b'), .4, .5, .05, .1), .005)
    sign('street name', W.p(w - .98, .025, 3.41), [v * .86 for v in W.r] + [0], (0, 0, -.2), 'MILL STREET', '#f2f2f2', '#1d3a6b')
    lampm = metal('lampblack', (.03, .03, .03))
    for uu in (u0 - .45, u1 + .45):
        W.b.rod(W.p(uu, 0, 2.3), W.p(uu, .22, 2.38), .015, lampm)
        W.b.rod(W.p(uu, .22, 2.14), W.p(uu, .22, 2.34), .07, glow(flat('doorlamp', (.6, .58, .5), .4, .3, .05, 0), (1, .78, .5), 5), .05)
    light('POINT', 'windows', W.p(u0 - .45, .4, 2.2), 45, colour=(1, .76, .48), shadow_soft_size=.08)
    for uu in (.35, 12.15, w - .35):
        pipe(W, uu, h - .4, zinc)
    # cables, boxes, air conditioners, vents
    W.b.rod(W.p(.2, .03, 3.9), W.p(w - .2, .03, 3.93), .012, lampm, n=5)
    for uu, z in ((5.1, 7.45), (20.3, 7.4)):
        W.box(uu, uu + .85, .06, .40, z, z + .6, flat('acunit', (.55, .55, .52), .5, .3, .1, .5), .02)
        W.b.rod(W.p(uu + .3, .405, z + .3), W.p(uu + .3, .41, z + .3), .23, lampm, n=20)
        W.box(uu + .05, uu + .1, 0, .4, z - .04, z, lampm)
    W.box(9.0, 9.3, 0, .12, .9, 1.4, flat('meter', (.45, .45, .43)), .01)
    # other sides
    for o, ang, ww in (((-38, 52, 0), 270, 14.), ((-8, 38, 0), 90, 14.), ((-8, 52, 0), 0, 30.)):
        V = Wall(b, o, ang)
        hs = []
        for z0, z1 in ((4.55, 6.2), (8.0, 9.5)):
            for i in range(int(ww / 3.5)):
                a = 1.2 + 3.5 * i
                if ang == 90 and i == 1:
                    continue
                hs.append((a, a + 1.1, z0, z1))
        V.face(ww, h, hs, br2, .15)
        for q in hs:
            window(V, *q, rnd, frame, .15, 'house', .25, stone)
        V.box(0, ww, -.28, 0, h, h + .45, br2)
        V.box(-.05, ww + .05, -.33, .05, h + .45, h + .53, stone, .015)
        if ang == 90:
            pipe(V, 13.4, h, zinc)
            pipe(V, .6, h, zinc)
            V.box(8.2, 9.3, 0, .05, .1, 2.2, flat('sidedoor', (.10, .12, .13), .5, .3, .1, .4), .01)
            V.box(4.3, 6.4, 0, .02, 1.2, 2.4, flat('poster', (.5, .48, .42), .6, .3, .25, .3))
    b.box(-38, -8, 38.2, 52, h - .1, h + .05, tar)
    roof_things(b, -37, -9, 40, 51, h + .05, rnd)
    for x in (-31, -22.5, -14):
        b.box(x, x + 1.6, 43, 43.8, h, h + 1.8, br2)
        b.box(x - .06, x + 1.66, 42.94, 43.86, h + 1.8, h + 1.9, stone, .01)
        for j in range(3):
            b.rod((x + .35 + .45 * j, 43.4, h + 1.9), (x + .35 + .45 * j, 43.4, h + 2.3), .11, flat('chimneypot', (.35, .16, .09)), .09)
    b.put()


def house(rnd, x0, x1, y, facing, floors, wall, roof, depth=11, pitched=True, shop=False):
    """One of the row along the street; facing 180: its front looks south."""
    b = Body('house')
    w = x1 - x0
    o = (x0, y, 0) if facing == 180 else (x1, y, 0)
    W = Wall(b, o, facing)
    fh = rnd.uniform(2.85, 3.15)
    h = floors * fh + .5
    trim = rnd.choice((flat('trimA', (.55, .53, .48), .8, .2, .1, .5), flat('trimB', (.36, .34, .31), .8, .2, .1, .5)))
    frame = rnd.choice((flat('frame_white', (.66, .65, .61)), flat('frame_brown', (.10, .055, .03)), flat('frame_grey', (.20, .21, .22))))
    n = max(2, int(w / rnd.uniform(2.5, 3.2)))
    ww = rnd.uniform(.95, 1.35)
    holes, wins = [], []
    du = rnd.randrange(n)
    for f in range(floors):
        for i in range(n):
            m = w * (i + .5) / n
            if f == 0 and i == du:
                holes.append((m - .55, m + .55, .05, 2.3))
                continue
            z0 = f * fh + (1.0 if f else .95)
            q = (m - ww / 2, m + ww / 2, z0, z0 + 1.45)
            if f == 0 and shop:
                q = (m - min(1.3, w / n / 2 - .15), m + min(1.3, w / n / 2 - .15), .6, 2.5)
            holes.append(q)
            wins.append(q)
    W.face(w, h, holes, wall, .14)
    for q in wins:
        window(W, *q, rnd, frame, .14, 'house', .28, trim)
        if rnd.random() < .25 and not shop:
            s = flat('shutter%d' % rnd.randrange(2), rnd.choice(((.08, .14, .10), (.16, .08, .05))))
            for e in (q[0] - .5, q[1] + .04):
                W.box(e, e + .46, .0, .04, q[2], q[3], s)
    m = w * (du + .5) / n
    W.box(m - .5, m + .5, -.14, -.08, .05, 2.25, rnd.choice((flat('doorA', (.05, .10, .07)), flat('doorB', (.16, .05, .03)), flat('doorC', (.04, .05, .09)), flat('doorD', (.3, .29, .27)))), .012)
    W.box(m - .75, m + .75, 0, .35, 0, .14, trim, .02)
    if rnd.random() < .5:
        W.box(m - .8, m + .8, 0, .8, 2.4, 2.48, trim, .01)
    zinc = metal('zinc', (.27, .28, .29), .5)
    pipe(W, .18, h, zinc)
    y0, y1 = (y, y + depth) if facing == 180 else (y - depth, y)
    for oo, ang, sw in (((x0, y1, 0), 270, depth), ((x1, y0, 0), 90, depth)):
        V = Wall(b, oo, ang)
        hs = [(depth * .3, depth * .3 + 1, f * fh + 1, f * fh + 2.3) for f in range(floors)]
        V.face(sw, h, hs, wall, .12)
        for q in hs:
            window(V, *q, rnd, frame, .12, 'house', .2, trim)
    if pitched:
        r = rnd.uniform(2.4, 3.8)
        e = .4
        ym = (y0 + y1) / 2
        g0, g1 = (x0 - .02, x1 + .02)
        zE = h - .12
        b.quad((g0, y0 - e, zE), (g1, y0 - e, zE), (g1, ym, h + r), (g0, ym, h + r), roof)
        b.quad((g1, y1 + e, zE), (g0, y1 + e, zE), (g0, ym, h + r), (g1, ym, h + r), roof)
        for gx in (x0, x1):
            b.add([(gx, y0, h), (gx, y1, h), (gx, ym, h + r)], [(0, 1, 2)], wall)
        ye = y0 - e if facing == 180 else y1 + e
        b.rod((g0, ye, zE), (g1, ye, zE), .07, zinc)
        cx = rnd.uniform(x0 + 1, x1 - 2)
        b.box(cx, cx + .9, ym - .3, ym + .4, h + r - 1.2, h + r + 1.1, wall)
        for j in (0, 1):
            b.rod((cx + .25 + .4 * j, ym, h + r + 1.1), (cx + .25 + .4 * j, ym, h + r + 1.45), .1, flat('chimneypot', (.35, .16, .09)))
        if rnd.random() < .7:  # roof window / dormer
            yy = y0 - e + (ym - y0 + e) * .45 if facing == 180 else y1 + e - (y1 + e - ym) * .45
            zz = zE + (h + r - zE) * .45
            dx = rnd.uniform(x0 + 1.2, x1 - 2.6)
            s = -1 if facing == 180 else 1
            b.box(dx, dx + 1.3, min(yy + s * .5, ym), max(yy + s * .5, ym) , zz - .3, zz + 1.1, wall)
            D = Wall(b, (dx, yy - .52, 0) if facing == 180 else (dx + 1.3, yy + .52, 0), facing)
            D.quad(.15, 1.15, zz, zz + .95, 0.02, rooms()['dark'][0])
            D.quad(.15, 1.15, zz, zz + .95, 0.03, rooms()['glass'][0])
            b.box(dx - .1, dx + 1.4, min(yy + s * .7, ym), max(yy + s * .7, ym), zz + 1.1, zz + 1.18, roof)
    else:
        b.box(x0, x1, y0, y1, h - .05, h + .1, flat('tar', (.07, .07, .072)))
        W.box(-.05, w + .05, -.2, .2, h - .1, h + .3, trim, .03)
        roof_things(b, x0, x1, y0, y1, h + .1, rnd)
    b.put()


def office(rnd, x0, x1, y0, y1, floors, kind, sides=(180, 270, 90), lit=.3, name=None):
    b = Body('office')
    fh = 3.4
    h = floors * fh + 1.2
    conc = plaster('conc' + kind, {'a': (.40, .385, .36), 'b': (.30, .305, .31), 'c': (.44, .36, .29), 'd': (.36, .37, .38)}[kind[0]], .5, 3.2)
    frame = flat('frame_dark', (.035, .04, .042), .45, .4, .1, .1)
    for ang in sides:
        if ang == 180:
            W, w = Wall(b, (x0, y0, 0), 180), x1 - x0
        elif ang == 270:
            W, w = Wall(b, (x0, y1, 0), 270), y1 - y0
        elif ang == 90:
            W, w = Wall(b, (x1, y0, 0), 90), y1 - y0
        else:
            W, w = Wall(b, (x1, y1, 0), 0), x1 - x0
        step = 1.7 if kind in 'ad' else 3.2 if kind == 'b' else 2.4
        n = int(w / step)
        holes = []
        for f in range(floors):
            for i in range(n):
                m = w * (i + .5) / n
                g = (w / n) * {'a': .80, 'b': .9, 'c': .55, 'd': .94}[kind[0]] / 2
                z0 = f * fh + {'a': 1.0, 'b': .95, 'c': 1.1, 'd': .5}[kind[0]]
                holes.append((m - g, m + g, z0, f * fh + {'a': 2.9, 'b': 2.7, 'c': 2.6, 'd': 3.2}[kind[0]]))
        W.face(w, h, holes, conc, .2)
        for q in holes:
            window(W, *q, rnd, frame, .2, 'office', lit, None, bars=kind == 'c', wall=w)
        if kind in 'ac':
            for i in range(n + 1):
                W.box(w * i / n - .12, w * i / n + .12, 0, .22, 0, h, conc, .02)
        W.box(-.1, w + .1, -.2, .15, h - .25, h + .1, conc, .03)
    b.box(x0, x1, y0, y1, h - .3, h - .2, flat('tar', (.07, .07, .072)))
    roof_things(b, x0, x1, y0, y1, h - .2, rnd)
    b.box(x0 + 3, x0 + 8, y0 + 4, y0 + 9, h - .2, h + 2.6, conc)
    b.put()
    return h


def skyline(rnd):
    mats = []
    for i in range(9):
        n = Nodes('sky%d' % i)
        base = rnd.choice(((.34, .32, .30), (.26, .25, .25), (.40, .37, .32), (.28, .22, .19), (.20, .22, .25), (.44, .42, .40)))
        t = n.nt.nodes.new('ShaderNodeTexBrick')
        t.offset = 0
        n.put(t.inputs['Vector'], n.wall())
        ww, hh = rnd.choice(((3, 3.3), (2.2, 3.2), (4.5, 3.4), (1.6, 3.2)))
        for k, v in (('Scale', 1), ('Mortar Size', rnd.choice((.55, .8, .4))), ('Bias', -.3), ('Brick Width', ww), ('Row Height', hh)):
            t.inputs[k].default_value = v
        n.put(t.inputs['Color1'], (.05, .055, .065))
        n.put(t.inputs['Color2'], (.13, .14, .15))
        n.put(t.inputs['Mortar'], base)
        up = n.xyz(n.nt.nodes.new('ShaderNodeNewGeometry').outputs['Normal'])['Z']
        col = n.mix(n.span(up, .5, .6), t.outputs[0], tuple(v * .5 for v in base))
        col = n.mix(1, col, n.span(n.noise(.05, 4), .3, .7, .75, 1.15), 'MULTIPLY')
        mats.append(n.done(col, .7, .35))
    b = Body('skyline')
    for _ in range(430):
        a = rnd.uniform(0, 6.2832)
        d = 190 + 700 * rnd.random() ** .8
        x, y = d * math.sin(a), d * math.cos(a)
        if abs(y - 29) < 26 and abs(x) < 430:
            continue
        w, l = rnd.uniform(9, 26), rnd.uniform(9, 26)
        h = rnd.uniform(7, 17) if rnd.random() < .7 else rnd.uniform(17, 34)
        if d > 450 and rnd.random() < .16:
            h = rnd.uniform(34, 88)
        m = rnd.choice(mats)
        b.box(x - w, x + w, y - l, y + l, -1, h, m)
        if rnd.random() < .6:
            b.box(x - w * .4, x + w * .3, y - l * .4, y + l * .2, h, h + rnd.uniform(1.5, 4), m)
        if rnd.random() < .12:
            b.rod((x, y, h), (x, y, h + rnd.uniform(4, 14)), .3, metal('zinc', (.27, .28, .29), .5), .1, 6)
    # a church and a chimney to know where one looks
    b.box(-158, -150, 232, 240, 0, 30, mats[3])
    b.add([(-158, 232, 30), (-150, 232, 30), (-150, 240, 30), (-158, 240, 30), (-154, 236, 52)], [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)], flat('copper', (.16, .25, .21)))
    b.box(-150, -120, 231, 241, 0, 15, mats[3])
    b.rod((260, 300, 0), (260, 300, 62), 3.2, mats[3], 2.1, 20)
    b.put()


def build(rnd):
    brick_house(rnd)
    walls = [brick('brickA', (.30, .15, .09), (.24, .11, .07), (.35, .32, .28)), plaster('plA', (.56, .51, .41)), plaster('plB', (.50, .36, .24)),
             plaster('plC', (.60, .58, .54)), brick('brickB', (.38, .29, .19), (.31, .23, .15), (.36, .33, .29)), plaster('plD', (.33, .38, .38)), plaster('plE', (.46, .28, .22)), plaster('plF', (.52, .50, .36))]
    roofs = [tiles_roof('tilesA', (.28, .11, .065)), tiles_roof('tilesB', (.10, .095, .10)), tiles_roof('tilesC', (.20, .10, .07))]
    last = None
    for y, facing, spans in ((37.0, 180, ((-200, -39.2), (66, 200))), (20.6, 0, ((-200, -70), (78, 200)))):
        for a, z in spans:
            x = a
            while x < z - 6:
                w = min(rnd.uniform(7.5, 13.5), z - x)
                wl = rnd.choice([m for m in walls if m is not last])
                last = wl
                yy = y + rnd.choice((0, 0, 0, .6, -.3)) * (1 if facing == 180 else -1)
                house(rnd, x, x + w - .02, yy, facing, rnd.choice((2, 3, 3, 4)), wl, rnd.choice(roofs), 11, rnd.random() < .75, rnd.random() < .35)
                x += w
                if rnd.random() < .13:
                    x += rnd.uniform(2, 5)
    office(rnd, -34, 4, 88, 104, 6, 'c')
    ha = office(rnd, 8, 34, 86, 102, 8, 'b')
    office(rnd, 38, 62, 90, 108, 5, 'a')
    sb = Body('officesign')
    sb.box(13, 29, 85.55, 85.78, ha - 2.0 + .55, ha - .35 + .3, flat('offboard', (.5, .5, .49), .5, .3, .06, .3), .02)
    sb.put()
    sign('office', (13.4, 85.53, ha - .2), (15.2, 0, 0), (0, 0, -1.15), 'NORDHAVEN', '#14406e', '#b8b8b6')
    # rear building beyond the park
    b = Body('rear')
    wl = plaster('rearwall', (.50, .47, .40), .5)
    W = Wall(b, (40, -50, 0), 0)
    st = flat('stone', (.42, .385, .33))
    hs = [(1.5 + 3.2 * i, 2.9 + 3.2 * i, z, z + 1.6) for i in range(24) for z in (1.1, 4.3, 7.2)]
    W.face(80, 9.6, hs, wl, .15)
    for q in hs:
        window(W, *q, rnd, flat('frame_white', (.66, .65, .61)), .15, 'house', .25, st)
    for ang, o in ((90, (40, -62, 0)), (270, (-40, -50, 0))):
        Wall(b, o, ang).face(12, 9.6, [], wl)
    b.quad((-40.5, -49.5, 9.5), (40.5, -49.5, 9.5), (40.5, -56, 13.5), (-40.5, -56, 13.5), roofs[0])
    b.quad((-40.5, -62.5, 9.5), (40.5, -62.5, 9.5), (40.5, -56, 13.5), (-40.5, -56, 13.5), roofs[0])
    for x in (-30, -12, 6, 27):
        b.box(x, x + 1.2, -57, -56, 12, 15, walls[0])
        pipe(W, x + 42, 9.5, metal('zinc', (.27, .28, .29), .5))
    b.put()
    skyline(rnd)
