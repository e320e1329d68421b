"""The street's ground: asphalt, slabs, kerbs, markings, lawns, what lies about on them."""
import math
import random

import common as c
from common import Body, Nodes, flat, hexa, put, sheet

ROAD_Z = -.03


def asphalt(name, base, age=.5, lanes=(), tint=(1, .99, .97)):
    """Worn asphalt in world coordinates. lanes: middles of lanes along x (polished tyre tracks,
    oil between them)."""
    n = Nodes(name)
    p = n.xyz()
    grain = n.noise(170, 2, .7)
    stones = n.voronoi(85)
    fine = n.noise(14, 5, .6)
    wide = n.noise(.23, 5, .6)
    spots = n.noise(1.1, 6, .65, distort=.6)
    v = n.math('ADD', n.span(grain, .25, .75, -.28, .28), n.span(fine, .3, .7, -.14, .14))
    v = n.math('ADD', v, n.span(stones, .0, .6, -.10, .16))
    v = n.math('ADD', v, n.span(wide, .3, .7, -.2, .2))
    v = n.math('ADD', v, n.span(spots, .42, .75, .05, -.16))
    v = n.math('ADD', v, 1)
    for y in lanes:
        for dy, wd, by in ((-.78, .33, .10), (.8, .33, .10), (0, .38, -.16)):
            wob = n.math('MULTIPLY', n.math('SUBTRACT', n.noise(.35, 2), .5), .5)
            d = n.math('ABSOLUTE', n.math('SUBTRACT', n.math('ADD', p['Y'], wob), y + dy))
            s = n.noise(1, 4, .6, n.scale(.12, 3, 1))
            g = n.math('MULTIPLY', n.span(d, wd, wd * .2, 0, by), n.span(s, .3, .65))
            v = n.math('ADD', v, g)
    col = n.mix(1, tuple(base * t for t in tint), v, 'MULTIPLY')
    # brownish dust where nobody drives
    dust = n.noise(.5, 6, .6)
    col = n.mix(n.span(dust, .5, .8, 0, .3 * age), col, (.16, .145, .12))
    # cracks, only in places
    w = n.mix(.12, n.pos, n.noise(1.6, 5), 'ADD')
    crack = n.voronoi(.28, w, 'DISTANCE_TO_EDGE')
    where = n.noise(.09, 3)
    k = n.math('MULTIPLY', n.span(crack, .0045, .0015), n.span(where, .5, .58))
    w2 = n.mix(.2, n.pos, n.noise(3, 4), 'ADD')
    crazy = n.voronoi(1.9, w2, 'DISTANCE_TO_EDGE')
    k2 = n.math('MULTIPLY', n.span(crazy, .018, .006), n.span(n.noise(.16, 3, .5, n.scale(1, 1, 1)), .62, .68))
    col = n.mix(n.math('MULTIPLY', n.math('MAXIMUM', k, k2), .85 * age), col, (.018, .018, .018))
    # drops of oil
    oil = n.voronoi(.6, n.mix(.3, n.pos, n.noise(4, 3), 'ADD'))
    col = n.mix(n.math('MULTIPLY', n.span(oil, .16, .05), n.span(n.noise(.3, 2), .45, .6, 0, .65)), col, (.02, .02, .021))
    n.bump(n.math('ADD', grain, stones), .35, .006)
    n.done(col, .88, .2)
    return n.plain((base, base, base))


def slabs(name, size, base, gap=.012):
    n = Nodes(name)
    t = n.nt.nodes.new('ShaderNodeTexBrick')
    n.put(t.inputs['Vector'], n.pos)
    for k, v in (('Scale', 1), ('Mortar Size', gap), ('Mortar Smooth', .3), ('Bias', 0), ('Brick Width', size[0]), ('Row Height', size[1])):
        t.inputs[k].default_value = v
    n.put(t.inputs['Color1'], (.72, .72, .72))
    n.put(t.inputs['Color2'], (1.12, 1.1, 1.06))
    n.put(t.inputs['Mortar'], (.30, .28, .25))
    grain = n.noise(120, 3, .7)
    stain = n.noise(.7, 6, .65, distort=.4)
    wide = n.noise(.15, 4)
    col = n.mix(1, base, t.outputs[0], 'MULTIPLY')
    v = n.math('ADD', n.span(grain, .25, .75, .84, 1.16), n.span(stain, .4, .75, .05, -.28))
    v = n.math('ADD', v, n.span(wide, .35, .65, -.1, .1))
    col = n.mix(1, col, v, 'MULTIPLY')
    gum = n.voronoi(2.1)
    col = n.mix(n.math('MULTIPLY', n.span(gum, .075, .05), n.span(n.noise(.4, 2), .45, .55, 0, .55)), col, (.05, .05, .05))
    moss = n.math('MULTIPLY', t.outputs[1], n.span(n.noise(.5, 4), .5, .65, 0, .7))
    col = n.mix(moss, col, (.06, .08, .03))
    n.bump(n.math('ADD', n.math('MULTIPLY', t.outputs[1], -1), n.math('MULTIPLY', grain, .2)), .5, .01)
    n.done(col, .85, .2)
    return n.plain(tuple(v * .85 for v in base))


def paint(name, under, colour=(.62, .61, .57), wear=.5, size=1.6):
    """Road marking: thermoplastic, worn through to the asphalt where tyres pass."""
    n = Nodes(name)
    a = n.noise(26, 6, .75)
    b = n.noise(size, 4, .6)
    v = n.math('ADD', n.math('MULTIPLY', a, .6), n.math('MULTIPLY', b, .6))
    gone = n.span(v, .60 + .28 * (1 - wear), .66 + .28 * (1 - wear))
    dirt = n.span(n.noise(4, 6, .7), .35, .7, 1.02, .66)
    c2 = n.mix(1, colour, dirt, 'MULTIPLY')
    n.done(n.mix(gone, c2, (under * 1.1, under * 1.1, under * 1.05)), .7, .3)
    return n.plain(tuple(v * .7 for v in colour))


def lawn():
    n = Nodes('lawn')
    blade = n.noise(90, 3, .75, n.scale(1, 1, 1))
    tuft = n.noise(7, 6, .7)
    patch = n.noise(.35, 5, .6)
    wide = n.noise(.06, 3)
    col = n.ramp(n.math('ADD', n.math('MULTIPLY', blade, .55), n.math('MULTIPLY', tuft, .45)),
                 (.28, (.020, .030, .010)), (.5, (.058, .082, .026)), (.72, (.125, .145, .052)))
    dry = n.math('MULTIPLY', n.span(patch, .46, .66), .7)
    col = n.mix(dry, col, n.mix(1, (.19, .165, .075), n.span(blade, .25, .75, .6, 1.3), 'MULTIPLY'))
    bare = n.math('MULTIPLY', n.span(n.noise(.22, 6, .65, distort=.5), .66, .72), .8)
    col = n.mix(bare, col, n.mix(1, (.10, .075, .05), n.span(tuft, .3, .7, .7, 1.3), 'MULTIPLY'))
    col = n.mix(1, col, n.span(wide, .3, .7, .8, 1.2), 'MULTIPLY')
    clump = n.noise(2.3, 6, .72, distort=.8)
    col = n.mix(1, col, n.span(clump, .32, .68, .55, 1.25), 'MULTIPLY')
    daisy = n.voronoi(3.5)
    col = n.mix(n.math('MULTIPLY', n.span(daisy, .035, .025), n.span(n.noise(.12, 2), .55, .6)), col, (.6, .6, .5))
    n.bump(n.math('ADD', n.math('ADD', blade, tuft), clump), .9, .05)
    n.done(col, .95, .1)
    return n.plain((.07, .085, .03))


def gravel():
    n = Nodes('gravel')
    s = n.voronoi(55, out=1)
    g = n.noise(60, 4, .7)
    col = n.mix(.35, n.mix(1, (.30, .255, .195), n.span(g, .25, .75, .65, 1.3), 'MULTIPLY'), s, 'SOFT_LIGHT')
    col = n.mix(n.span(n.noise(.6, 5), .45, .7, 0, .45), col, (.13, .11, .08))
    n.bump(n.voronoi(55), .6, .015)
    n.done(col, .95, .1)
    return n.plain((.25, .21, .16))


def grass_tuft(seed, n, r, mats):
    """A square metre (half side r) of blades as one mesh, to be set many times."""
    rnd = random.Random(seed)
    V, F, I = [], [], []
    for _ in range(n):
        x, y = rnd.uniform(-r, r), rnd.uniform(-r, r)
        h = rnd.uniform(.03, .085) * (1.6 if rnd.random() < .05 else 1)
        a = rnd.uniform(0, 6.283)
        w = rnd.uniform(.002, .0045)
        lx, ly = rnd.gauss(0, .35) * h, rnd.gauss(0, .35) * h
        dx, dy = math.cos(a) * w, math.sin(a) * w
        k = len(V)
        V += [(x - dx, y - dy, -.005), (x + dx, y + dy, -.005), (x + lx * .5 + dx * .7, y + ly * .5 + dy * .7, h * .62),
              (x + lx * .5 - dx * .7, y + ly * .5 - dy * .7, h * .62), (x + lx * 1.3, y + ly * 1.3, h)]
        F += [(k, k + 1, k + 2, k + 3), (k + 3, k + 2, k + 4)]
        m = rnd.randrange(len(mats))
        I += [m, m]
    return c.mesh('tuft%d' % seed, V, F, mats, I)


def blade_material(name, colour):
    n = Nodes(name)
    geo = n.nt.nodes.new('ShaderNodeNewGeometry')
    r = geo.outputs['Random Per Island']
    patch = n.noise(.35, 5, .6)
    wide = n.noise(.06, 3)
    v = n.math('MULTIPLY', n.span(r, 0, 1, .55, 1.4), n.span(wide, .3, .7, .8, 1.25))
    col = n.mix(1, colour, v, 'MULTIPLY')
    col = n.mix(n.math('MULTIPLY', n.span(patch, .46, .66), .75), col, (.21, .18, .08))
    # all blades look up, as the lawn does: their own directions would only be noise
    up = n.vec(0, 0, 1)
    nm = n.node('VectorMath', _operation='ADD', i0=up, i1=n.node('VectorMath', _operation='SCALE', i0=geo.outputs['Normal'], Scale=.35))
    n.put(n.bsdf.inputs['Normal'], n.node('VectorMath', _operation='NORMALIZE', i0=nm))
    n.done(col, .8, .15)
    return n.plain(colour)


def in_park(x, y):
    """lawn there? (paths, road, building excluded)"""
    if y > 22.2 or y < -49:
        return False
    if -5.15 < x < -3.35 and y > -30.2:
        return False
    if abs(y + 12) < .95:
        return False
    return True


def build(rnd):
    ro = asphalt('asphalt_road', .078, .7, (27.4, 31.1))
    lot = asphalt('asphalt_lot', .098, .9, (52,), (1, .985, .95))
    new = asphalt('asphalt_new', .042, .1)
    old = asphalt('asphalt_old', .105, .9)
    pave = slabs('slabs', (.5, .5), (.30, .285, .26))
    setts = slabs('setts', (.2, .1), (.25, .235, .22), .016)
    grass = lawn()
    grav = gravel()
    white = paint('paint_road', .078, wear=.62)
    bay = paint('paint_bay', .098, wear=.72, size=.9)
    yellow = paint('paint_yellow', .078, (.55, .38, .05), .55)
    kerb = flat('kerb', (.30, .29, .27), .85, .2, .25, .5)
    granite = flat('granite', (.22, .215, .21), .8, .25, .3, .4)
    iron = flat('castiron', (.085, .075, .068), .55, .5, .3, .3)

    # the wide country: something under everything
    far = Nodes('far')
    t = far.noise(.012, 6, .6)
    f2 = far.noise(.15, 4)
    col = far.ramp(t, (.35, (.045, .075, .025)), (.48, (.10, .10, .07)), (.6, (.14, .135, .125)), (.72, (.06, .09, .03)))
    far.done(far.mix(1, col, far.span(f2, .3, .7, .7, 1.2), 'MULTIPLY'), .95, .1)
    farm = far.plain((.1, .1, .07))
    sheet('far', -1500, 1500, -1500, 1500, -.5, farm)

    # road and pavements
    sheet('road', -420, 420, 25.5, 33, ROAD_Z, ro)
    sheet('pave_n1', -420, 1.7, 33, 36, .015, pave)
    sheet('pave_n2', 8.3, 420, 33, 36, .015, pave)
    sheet('pave_s', -420, 420, 22.5, 25.5, .015, pave)
    sheet('forecourt', -38.4, -7.6, 36, 38.2, .014, setts)
    sheet('drive', 1.7, 8.3, 33, 44, .004, lot)
    sheet('lot', -4.2, 50.6, 43.6, 80.4, .002, lot)
    sheet('lot_w', 8.3, 50.6, 41.2, 43.6, .003, grass)
    sheet('verge_n', 8.3, 60, 36, 41.2, .01, grass)
    sheet('verge_n2', -7.6, 1.7, 36, 44, .01, grass)
    sheet('verge_n3', -7.6, -4.2, 44, 84, .01, grass)
    sheet('yard', -60, -7.6, 52, 84, .0, old)
    sheet('yard2', -4.2, 64, 80.4, 110, .0, old)
    sheet('yard3', 50.6, 64, 36, 80.4, .005, grass)
    # driveway crossing the pavement: dropped kerb with setts
    sheet('drop', 1.7, 8.3, 33.2, 36, .008, setts)
    for x0, x1, y in ((-160, 1.7, 33), (8.3, 160, 33), (-160, 160, 25.5)):
        b = Body('kerb')
        x = x0
        while x < x1:
            l = min(.98, x1 - x)
            z = .022 + rnd.uniform(-.006, .004)
            e = rnd.uniform(-.006, .006)
            if not (y == 33 and -6.4 < x < -2.2) and not (y == 25.5 and -6.4 < x < -2.2):
                y0, y1 = (y + e - .0, y + .15 + e) if y == 33 else (y - .15 + e, y + e)
                b.box(x + .006, x + l - .006, y0, y1, -.2, z, kerb if rnd.random() < .8 else granite, .012)
            x += l + .008
        b.put()
        # gutter: a strip of darker, dirtier ground with leaves along the kerb
    gut = Nodes('gutter')
    g1, g2 = gut.noise(60, 4, .7), gut.noise(1.2, 5, .6, gut.scale(.5, 3, 1))
    gm = gut.done(gut.ramp(gut.math('ADD', gut.math('MULTIPLY', g1, .5), gut.math('MULTIPLY', g2, .5)), (.35, (.03, .028, .025)), (.6, (.075, .066, .052)), (.75, (.12, .10, .07))), .9, .2)
    sheet('gut_n', -160, 160, 32.72, 33, ROAD_Z + .002, gm)
    sheet('gut_s', -160, 160, 25.5, 25.8, ROAD_Z + .002, gm)

    # repairs: rectangles of newer and of older asphalt with sealed seams
    seam = flat('bitumen', (.02, .02, .021), .5, .4, .2, 0)
    for x, y, w, h, m in ((-14, 26.1, 6.2, 1.1, new), (-13.9, 29.5, 1.2, 3.2, old), (12, 29.2, 3.1, 2.4, new), (31, 25.9, 14, .8, new),
                          (48, 28.6, 2.2, 3.9, old), (-40, 30.2, 9, 1.3, new), (3.1, 25.8, 1.1, 6.9, new), (-72, 26.4, 3, 2.2, old), (80, 29.7, 12, 1.4, new),
                          (-24, 31.4, 2.4, .9, new)):
        sheet('seam', x - .04, x + w + .04, y - .04, y + h + .04, ROAD_Z + .003, seam)
        sheet('repair', x, x + w, y, y + h, ROAD_Z + .005, m)
    for x, y, w, h, m in ((11, 50.4, 8, 1.2, new), (22.2, 53, 3, 2.6, new), (35, 66.4, 1.1, 4.2, new), (4.2, 45, 1, 5.5, new), (15, 61.5, 1.9, 2.2, old), (40, 51, 2.5, 2, old)):
        sheet('seam', x - .04, x + w + .04, y - .04, y + h + .04, .004, seam)
        sheet('repair', x, x + w, y, y + h, .006, m)
    # sealed cracks: wandering black bands
    b = Body('sealed')
    for _ in range(26):
        if rnd.random() < .5:
            x, y, z = rnd.uniform(-70, 70), rnd.uniform(26, 32.5), ROAD_Z + .006
            a, lim = rnd.choice((0, 0, 1.57)), (25.9, 32.7)
        else:
            x, y, z = rnd.uniform(9, 44), rnd.uniform(50, 70), .007
            a, lim = rnd.uniform(0, 6.28), (44, 80)
        for _ in range(rnd.randrange(6, 22)):
            a += rnd.gauss(0, .22)
            l, w = rnd.uniform(.25, .5), rnd.uniform(.02, .035)
            x2, y2 = x + l * math.cos(a), y + l * math.sin(a)
            if not lim[0] < y2 < lim[1]:
                break
            dx, dy = -math.sin(a) * w, math.cos(a) * w
            b.quad((x - dx, y - dy, z), (x2 - dx, y2 - dy, z), (x2 + dx, y2 + dy, z), (x + dx, y + dy, z), seam)
            x, y = x2, y2
    b.put()

    # markings
    b = Body('marks')
    z = ROAD_Z + .009

    def q(x0, x1, y0, y1, mat=white, zz=z):
        j = lambda: rnd.uniform(-.012, .012)
        b.quad((x0 + j(), y0 + j(), zz), (x1 + j(), y0 + j(), zz), (x1 + j(), y1 + j(), zz), (x0 + j(), y1 + j(), zz), mat)
    x = -160
    while x < 160:
        if not (-9.5 < x + 1.5 < -.2 + 1.5):
            q(x, x + 3, 29.19, 29.31)
        x += 6
    y = 25.75
    while y < 32.7:
        q(-6, -2.5, y, y + .5)
        y += 1.02
    q(-7.9, -7.6, 25.8, 29.1)
    q(-.9, -.6, 29.4, 32.8)
    x = -160
    while x < 160:  # edge lines, broken at driveway
        if not (-9 < x < 0) and not (14 < x < 31):
            q(x, x + 3.9, 25.92, 26.0, white)
        if not (-9 < x < 10):
            q(x, x + 3.9, 32.5, 32.58, white)
        x += 4
    for x in range(15, 30, 2):  # bus stop zigzag
        b.quad((x, 25.95, z), (x + .12, 25.95, z), (x + 1.12, 27.1, z), (x + 1, 27.1, z), yellow)
        b.quad((x + 1, 27.1, z), (x + 1.12, 27.1, z), (x + 2.12, 25.95, z), (x + 2, 25.95, z), yellow)
    q(2.2, 7.8, 36.25, 36.55, white, .014)
    # direction arrows in the drive and the aisles
    for x, y, up in ((6.5, 47.5, 1), (3.6, 48, -1), (6.5, 63, 1), (3.6, 58, -1), (46.9, 58, 1), (45.1, 62, -1)):
        s = up
        b.quad((x - .07, y, .009), (x + .07, y, .009), (x + .07, y + s * 1.4, .009), (x - .07, y + s * 1.4, .009), bay)
        b.add([(x - .3, y + s * 1.4, .009), (x + .3, y + s * 1.4, .009), (x, y + s * 2.3, .009)], [(0, 1, 2)], bay)
    for y0, y1 in ((44, 49), (55, 60), (60, 65), (71, 76)):
        xs = [.5 - 2.5 + 2.5 * i for i in range(2)] if y0 > 50 else []
        for x in [8 + 2.5 * i for i in range(15)]:
            q(x - .05, x + .05, y0 + .1, y1 - .1, bay, .009)
        for x in xs:
            q(x - .05, x + .05, y0 + .1, y1 - .1, bay, .009)
    q(8, 43, 59.95, 60.05, bay, .010)
    b.put()
    # wheel stops, manholes, gullies
    b = Body('stops')
    for i in range(14):
        x = 9.25 + 2.5 * i
        for y in (44.55, 75.4):
            if rnd.random() < .93:
                o = rnd.uniform(-.08, .08)
                b.box(x - .85 + o, x + .85 + o, y - .08, y + .08, 0, .11, kerb, .02)
    for x, y, zz in ((-10.5, 27.5, ROAD_Z), (8.9, 30.6, ROAD_Z), (26, 28.3, ROAD_Z), (-31, 31.2, ROAD_Z), (52, 26.9, ROAD_Z), (20, 52.3, 0), (33, 67.6, 0), (-3.0, 34.6, .012), (13.3, 34.2, .012), (6, 51.7, 0)):
        n = 26
        ring = lambda r, h: [(x + r * math.cos(i * 6.2832 / n), y + r * math.sin(i * 6.2832 / n), zz + h) for i in range(n)]
        b.add(ring(.46, .007), [tuple(range(n))], seam)
        b.add(ring(.36, .010), [tuple(range(n))], iron)
        b.add(ring(.40, .009), [tuple(range(n))], granite)
        for i in range(-4, 5):
            for j in range(-4, 5):
                if (i * i + j * j) < 18:
                    b.box(x + i * .075 - .022, x + i * .075 + .022, y + j * .075 - .022, y + j * .075 + .022, zz + .01, zz + .016, iron)
    for x, y in ((-20, 32.75), (-1, 25.75), (17, 32.75), (40, 25.75), (-44, 25.75), (62, 32.75), (9.4, 32.75)):
        b.box(x - .25, x + .25, y - .2, y + .2, ROAD_Z, ROAD_Z + .008, seam)
        for i in range(7):
            b.box(x - .22 + i * .065, x - .19 + i * .065, y - .17, y + .17, ROAD_Z, ROAD_Z + .014, iron)
    b.put()

    # park
    def dz(x, y):
        e = min(1, max(0, (22.2 - y) / 3))
        return e * .035 * (math.sin(x * .31 + 1) * math.sin(y * .23) + .6 * math.sin(x * .9) * math.sin(y * 1.1 + 2)) - .03
    sheet('park', -70, 70, -49, 22.5, 0, grass, 1, dz)
    for x0, x1 in ((-420, -70), (70, 420)):
        sheet('park_far', x0, x1, -49, 22.5, -.02, grass)
    # paths with frayed edges
    for along, x0, x1, y0, y1 in (('y', -5.0, -3.5, -30, 22.5), ('x', -60, 60, -12.75, -11.25)):
        b = Body('path')
        n = int((y1 - y0 if along == 'y' else x1 - x0) / .35)
        L, u, v = [], 0, 0
        for _ in range(n + 1):
            u, v = u * .8 + rnd.gauss(0, .022), v * .8 + rnd.gauss(0, .022)
            L.append((u, v))
        for i in range(n):
            t0, t1 = i / n, (i + 1) / n
            if along == 'y':
                ya, yb = y0 + (y1 - y0) * t0, y0 + (y1 - y0) * t1
                b.quad((x0 + L[i][0], ya, .012), (x1 + L[i][1], ya, .012), (x1 + L[i + 1][1], yb, .012), (x0 + L[i + 1][0], yb, .012), grav)
            else:
                xa, xb = x0 + (x1 - x0) * t0, x0 + (x1 - x0) * t1
                b.quad((xa, y0 + L[i][0], .014), (xb, y0 + L[i + 1][0], .014), (xb, y1 + L[i + 1][1], .014), (xa, y1 + L[i][1], .014), grav)
        b.put()
    mats = [blade_material('blade%d' % i, k) for i, k in enumerate(((.085, .118, .038), (.118, .148, .050), (.066, .096, .028), (.21, .185, .09)))]
    tufts = [grass_tuft(i, 2200, .55, mats[:3] + ([mats[3]] if i % 2 else mats[:1])) for i in range(4)]
    import bpy
    for ix in range(-28, 29):
        for iy in range(-28, 23):
            x, y = ix + rnd.uniform(-.15, .15), iy + rnd.uniform(-.15, .15)
            if rnd.random() < (math.hypot(x, y) - 10) / 18 or not in_park(x, y) or not all(in_park(x + a, y + b) for a in (-.45, .45) for b in (-.45, .45)):
                continue
            put(rnd.choice(tufts), (x, y, dz(x, y)), rnd.uniform(0, 360), (1, 1, rnd.uniform(.6, 1.1)))
    # verges of the far side are seen from above at a distance: fewer blades
    for _ in range(330):
        x, y = rnd.uniform(9, 49), rnd.choice((rnd.uniform(36.6, 40.8), rnd.uniform(41.8, 43.2)))
        put(rnd.choice(tufts), (x, y, .01), rnd.uniform(0, 360))
    # fallen leaves and litter
    lm = [flat('fallen%d' % i, k, .8, .2, .4, .3) for i, k in enumerate(((.22, .13, .04), (.16, .08, .03), (.28, .20, .06), (.10, .07, .03)))]
    for spots in ((2600, lambda: (rnd.gauss(*rnd.choice(((-12, 3.2), (9, 3), (16, 3)))), rnd.gauss(12, 4))),
                  (1500, lambda: (rnd.uniform(-60, 60), 25.62 + abs(rnd.gauss(0, .12)))),
                  (1500, lambda: (rnd.uniform(-60, 60), 32.9 - abs(rnd.gauss(0, .12)))),
                  (1200, lambda: (rnd.uniform(8, 50), rnd.choice((43.7, 60, 76.2)) + rnd.gauss(0, .3))),
                  (1600, lambda: (rnd.uniform(-30, 30), rnd.uniform(-30, 25)))):
        b = Body('leaves')
        for _ in range(spots[0]):
            x, y = spots[1]()
            zz = ROAD_Z + .012 if 25.5 < y < 33 else .028
            a, s = rnd.uniform(0, 6.28), rnd.uniform(.025, .06)
            u, v = (math.cos(a) * s, math.sin(a) * s), (-math.sin(a) * s * .5, math.cos(a) * s * .5)
            l = rnd.uniform(0, .02)
            b.quad((x - u[0], y - u[1], zz), (x + v[0], y + v[1], zz + l), (x + u[0], y + u[1], zz + l * .5), (x - v[0], y - v[1], zz + rnd.uniform(0, .01)), rnd.choice(lm))
        b.put()
