"""The street of the virtual camera: see docs of the place for its layout. bake.py builds it."""
import math
import random

import common as c
from common import (Body, Nodes, bark, flat, furniture, glass, glow, hexa, lamp, leaf_material, light, metal, plate, put,
                    sign, tree)

NAME = 'street'
EYE = (0, 0, 6)
# a June day at 50° north, 8, 11, 14 and 17 h by the sun
SUNS = [(96.9, 36.8), (150.7, 60.9), (-127.6, 54.6), (-85.3, 27.2)]
_P = 8192 / 360


def _around(name, x, y, z, w, h, ppd):
    """A patch w × h degrees round what stands at x, y, z."""
    pan = math.degrees(math.atan2(x - EYE[0], y - EYE[1]))
    tilt = math.degrees(math.atan2(z - EYE[2], math.hypot(x - EYE[0], y - EYE[1])))
    return (name, round(pan - w / 2, 3), round(pan + w / 2, 3), round(tilt - h / 2, 3), round(tilt + h / 2, 3), ppd)


_T = -90 + 2960 / _P  # the upper edge of the base; the band begins and ends on its rows
PATCHES = [('base', -180, 180, -90, _T, _P), ('band', -180, 180, _T - 1600 / _P, _T - 584 / _P, 2 * _P),
           _around('doorway', -18.9, 38, 1.7, 4, 2.5, 400),
           _around('gate', 9.0, 41.3, 1.3, 4, 2.5, 400),
           _around('stop', 22, 24.6, 1.5, 4, 2.5, 400),
           _around('shop', -14.4, 38, 2.2, 4, 2.5, 400),
           _around('crossing', -4.2, 33.5, .5, 4, 2.2, 400),
           _around('cars_c', 19.5, 46.5, .8, 4, 2, 400),
           _around('cars_d', 28, 60, .8, 4, 2, 400),
           _around('west', -82, 29.5, 1.6, 3.5, 2.2, 400),
           _around('offices', 21, 86, 9, 3.5, 2.2, 400),
           _around('head', 19.2, 32.6, 7, 3, 2, 400),
           _around('bench', -6.7, -9, .5, 4, 2.5, 400)]
# Makers' badges that the parked cars have brought along; painted over when it is unpacked.
BLANKS = [(11.68, 11.97, -6.615, -6.508), (23.36, 23.61, -5.97, -5.862), (23.185, 23.785, -6.186, -5.98),
          (23.6, 23.84, -4.652, -4.53)]
PLACE = {'title': 'Street', 'blanks': [dict(zip(('pan0', 'pan1', 'tilt0', 'tilt1'), b)) for b in BLANKS],
         'attribution': 'see assets/ATTRIBUTION.md'}

CARS = [('scopia/suv', 4.6, ('firstcolor',)), ('scopia/peugeot-308', 4.3, ('color-exterior',)), ('scopia/renault-scenic', 4.2, ('color-beige-green',)),
        ('scopia/seat_leon', 4.2, ('chapa_roja',)), ('scopia/van', 5.2, ('firstcolor',)), ('scopia/smart-car', 2.6, ('first-color',)),
        ('blendswap-cc-by/fordFocus', 4.36, ('carPaint',)), ('katorlegaz/VW-new-beetle', 4.1, ('PAINT_yellow',))]
WEIGHT = (3, 2, 3, 3, 1, 1.2, 4, 1)
PAINTS = [(.55, .55, .54), (.32, .33, .34), (.14, .145, .15), (.018, .018, .02), (.02, .04, .11), (.22, .012, .014), (.30, .27, .21), (.025, .06, .04),
          (.60, .60, .59), (.07, .09, .12), (.40, .41, .42), (.12, .02, .02), (.03, .10, .20)]
BAYS = [9.25 + 2.5 * i for i in range(14)]
FREE = {46.5: (14.25, 16.75, 29.25), 57.5: (21.75, 24.25), 62.5: (), 73.5: ()}


def plated(o, rnd):
    """Number plates on the nose and the tail, where a ray meets the body"""
    import bpy
    from mathutils import Vector
    m = o.matrix_world
    blank = flat('plate', (.58, .58, .55), .45, .4, .05, .12)
    rim = flat('platerim', (.02, .02, .02), .5, .3, 0, 0)
    for s in (-1, 1):
        best = None
        for z in ((.42, .48, .55, .36) if s < 0 else (.72, .62, .8, .52)):
            hits = []
            for x in (-.2, 0, .2):
                ok, at, nrm, _ = o.ray_cast(Vector((x, s * 6, z)), Vector((0, -s, 0)))
                if ok:
                    hits.append(at.y * s)
            if len(hits) == 3:
                flatness = max(hits) - min(hits) + (2.6 if max(hits) < o.dimensions[1] / 2 - .5 else 0)
                if best is None or flatness < best[0] - .02:
                    best = (flatness, z, max(hits))
        if not best:
            continue
        z, y = best[1], s * (best[2] + .025)
        b = Body('plate')
        b.box(-.26, .26, min(y, y - s * .03), max(y, y - s * .03), z - .055, z + .055, blank, .004)
        b.box(-.27, .27, min(y - s * .012, y - s * .04), max(y - s * .012, y - s * .04), z - .065, z + .065, rim)
        p = b.put()
        p.matrix_world = m
        # upper left corner as seen from outside
        w = lambda x, yy, zz: m @ Vector((x, yy, zz))
        a, r, d = w(s * .25, y + s * .002, z + .05), w(-s * .25, y + s * .002, z + .05), w(s * .25, y + s * .002, z - .05)
        plate(a, r - a, d - a)


def car(rnd, x, y, rot, model=None, colour=None, plates=True):
    import bpy
    k = model if model is not None else rnd.choices(range(len(CARS)), WEIGHT)[0]
    path, size, paint = CARS[k]
    o = put(furniture(path, size, 'xy', paint=paint), (x, y, 0), rot, colour=colour or rnd.choice(PAINTS))
    bpy.context.view_layer.update()
    if plates:
        plated(o, rnd)
    return o


def car_park(rnd):
    fixed = {(46.5, 9.25): (6, 4), (46.5, 11.75): (3, 0), (46.5, 19.25): (0, 3), (46.5, 21.75): (6, 5), (46.5, 24.25): (2, 8), (46.5, 26.75): (1, 9), (57.5, 14.25): (6, 1), (57.5, 11.75): (3, 4), (57.5, 16.75): (2, 6)}
    for y, nose in ((46.5, 180), (57.5, 0), (62.5, 180), (73.5, 0)):
        for x in BAYS + ([-.75] if y > 50 else []):
            if x in FREE[y]:
                continue
            f = fixed.get((y, x))
            if not f and rnd.random() > (.62 if y < 60 else .5):
                continue
            turn = 0 if rnd.random() < .55 else 180
            car(rnd, x + rnd.uniform(-.16, .16), y + rnd.uniform(-.3, .25), turn + rnd.gauss(0, 1.6), f and f[0], f and PAINTS[f[1]])
    for x, y, r in ((-58, 26.6, 90), (-66, 26.6, 90), (-72.5, 26.7, 90), (-88, 26.6, 90), (70, 32, -90), (76.2, 31.9, -90), (90, 32, -90), (98, 32, -90), (105, 31.9, -90), (-80, 32, -90), (-100, 31.9, -90), (118, 26.6, 90), (-112, 26.6, 90)):
        car(rnd, x, y, r + rnd.gauss(0, .8))


def pole_lamp(b, x, y, aim, rnd, h=7.2, arm=1.6):
    """A street lamp; aim: pan in which its arm reaches. Its light is a spot below the head."""
    steel = metal('lampsteel', (.30, .31, .31), .5)
    a = math.radians(aim)
    ux, uy = math.sin(a), math.cos(a)
    b.rod((x, y, 0), (x, y, .05), .16, steel, n=14)
    b.rod((x, y, 0), (x, y, 1.2), .09, steel, n=14)
    b.rod((x, y, 1.2), (x, y, h - .3), .065, steel, .045, 14)
    pts = [(x + ux * arm * t, y + uy * arm * t, h - .3 + .38 * math.sin(t * 1.57)) for t in (0, .15, .3, .5, .75, 1)]
    for p, q in zip(pts, pts[1:]):
        b.rod(p, q, .035, steel, n=10)
    e = pts[-1]
    head = flat('lamphead', (.16, .165, .17), .5, .4, .1, .3)
    lens = glow(flat('lamplens', (.62, .62, .58), .3, .4, .05, .1), (1, .86, .66), 9)
    px, py = -uy, ux
    for (l, w, t0, t1, m) in ((.62, .26, -.02, .09, head), (.44, .18, -.028, -.02, lens)):
        c0 = (e[0] + ux * .2, e[1] + uy * .2)
        P = []
        for z in (e[2] + t0, e[2] + t1):
            k = 1 if z == e[2] + t0 or m is lens else .7
            P += [(c0[0] + ux * l / 2 * i * k + px * w / 2 * j * k, c0[1] + uy * l / 2 * i * k + py * w / 2 * j * k, z) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        b.add(P, [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)], m)
    at = (e[0] + ux * .2, e[1] + uy * .2, e[2] - .08)
    p = 4 * math.pi ** 2 * at[2] ** 2
    light('SPOT', 'lamps', at, p, colour=(1, .84, .62), spot_size=math.radians(150), spot_blend=.7, shadow_soft_size=.1)
    lamp(at, (1, .84, .62), at[2] ** 2)


def park_lamp(b, x, y):
    m = metal('lampblack', (.03, .03, .03))
    b.rod((x, y, 0), (x, y, .5), .075, m, n=14)
    b.rod((x, y, .5), (x, y, 3.6), .045, m, .038, 14)
    b.rod((x, y, 3.6), (x, y, 4.0), .13, glow(flat('parklens', (.6, .6, .57), .3, .4, .05, .1), (1, .86, .66), 6), .16, 16)
    b.rod((x, y, 4.0), (x, y, 4.12), .2, m, .05, 16)
    at = (x, y, 3.8)
    light('POINT', 'lamps', at, 4 * math.pi ** 2 * 9, colour=(1, .84, .62), shadow_soft_size=.15)
    lamp(at, (1, .84, .62), 9, 'park')


def furniture_of_street(rnd):
    b = Body('things')
    for x, y, aim in ((-30, 24.9, 0), (-14, 24.9, 0), (14, 24.9, 0), (34, 24.9, 0), (-22, 33.6, 180), (20, 33.6, 180), (20, 60, 0), (40, 60, 180)):
        pole_lamp(b, x, y, aim, rnd)
    for x in (-62, -94, 66, 98, 130):
        pole_lamp(b, x, 24.9, 0, rnd)
    for x, y in ((-2.6, 8), (-2.6, -12)):
        park_lamp(b, x, y)
    steel = metal('steel', (.36, .37, .38), .4)
    black = metal('lampblack', (.03, .03, .03))
    grey = flat('signback', (.30, .31, .31), .6, .3, .1, .4)
    red, white, blue = flat('signred', (.42, .02, .02), .5, .4, .05, .15), flat('signwhite', (.66, .66, .63), .5, .4, .05, .15), flat('signblue', (.02, .10, .33), .5, .4, .05, .15)
    yel = flat('barrier_yellow', (.58, .36, .03), .5, .4, .1, .3)

    def disc(x, y, z, r, s, m, d=0, n=28):
        """round board facing s = −1 south, 1 north"""
        b.add([(x + r * math.cos(i * 6.2832 / n), y + s * (.03 + d), z + r * math.sin(i * 6.2832 / n)) for i in range(n)], [tuple(range(n))], m)

    def side_disc(x, y, z, r, s, m, d=0, n=28):
        b.add([(x + s * (.03 + d), y + r * math.cos(i * 6.2832 / n), z + r * math.sin(i * 6.2832 / n)) for i in range(n)], [tuple(range(n))], m)
    # no entry to the outbound lane, limit at the gate
    for x, y in ((1.55, 36.6),):
        b.rod((x, y, 0), (x, y, 2.9), .03, steel)
        disc(x, y, 2.55, .3, -1, red, .001)
        b.box(x - .21, x + .21, y - .036, y - .032, 2.5, 2.6, white)
        disc(x, y, 2.55, .3, 1, grey)
    b.rod((8.65, 36.6, 0), (8.65, 36.6, 2.9), .03, steel)
    disc(8.65, 36.6, 2.6, .3, -1, red, .001)
    disc(8.65, 36.6, 2.6, .22, -1, white, .004)
    disc(8.65, 36.6, 2.6, .3, 1, grey)
    sign('limit 20', (8.65 - .15, 36.565, 2.71), (.30, 0, 0), (0, 0, -.22), '20', '#151515')
    b.box(8.35, 8.95, 36.56, 36.585, 1.75, 2.15, white, .005)
    sign('visitors', (8.37, 36.557, 2.13), (.56, 0, 0), (0, 0, -.36), 'VISITORS|REPORT TO GATE', '#202020', '#a8a8a0')
    # big P board
    for x in (12.6, 14.0):
        b.rod((x, 40.9, 0), (x, 40.9, 3.3), .04, steel)
    b.box(12.4, 14.2, 40.80, 40.86, 1.7, 3.3, blue, .015)
    sign('parking', (12.5, 40.795, 3.22), (1.6, 0, 0), (0, 0, -1.45), 'P|PRIVATE PARKING', '#f0f0f0', '#1a4a8c')
    # zebra signs: blue squares on both sides
    for x, y, s in ((-1.9, 33.4, -1), (-6.7, 25.1, 1)):
        b.rod((x, y, 0), (x, y, 2.9), .03, steel)
        for q in (-1, 1):
            b.box(x - .3 if False else x + q * .031 - .004, x + q * .031 + .004, y - .3, y + .3, 2.3, 2.9, blue)
            b.add([(x + q * .037, y - .24, 2.36), (x + q * .037, y + .24, 2.36), (x + q * .037, y, 2.82)], [(0, 1, 2)], white)
            b.rod((x + q * .039, y - .02, 2.45), (x + q * .04, y + .03, 2.66), .03, black, n=6)
    # street name on a post
    b.rod((-8.6, 24.9, 0), (-8.6, 24.9, 2.6), .028, steel)
    b.box(-9.15, -8.05, 24.87, 24.9, 2.3, 2.55, blue, .006)
    sign('street name post', (-9.13, 24.868, 2.54), (1.06, 0, 0), (0, 0, -.23), 'MILL STREET', '#f2f2f2', '#1a4a8c')
    # litter bins, bollards, planters, hydrant, boxes
    for x in (-37, -34.3, -31.6, -28.9, -26.2, -23.5, -16.2, -13.5, -10.8, -8.1):
        xx = x + rnd.uniform(-.03, .03)
        b.rod((xx, 36.1, 0), (xx + rnd.uniform(-.02, .02), 36.1, .95), .06, black, .05, 14)
        b.rod((xx, 36.1, .80), (xx, 36.1, .86), .058, white, n=14)
    conc = flat('concrete', (.33, .32, .30), .9, .15, .25, .5)
    plant = [flat('plantA', (.05, .12, .03)), flat('plantB', (.07, .15, .04)), flat('bloomA', (.45, .06, .10)), flat('bloomB', (.55, .42, .06))]
    for x in (-36, -24.6, -21, -17.0, -9.3):
        b.box(x - .45, x + .45, 37.15, 37.75, 0, .5, conc, .03)
        b.box(x - .4, x + .4, 37.2, 37.7, .48, .49, flat('soil', (.05, .035, .025)))
        for _ in range(260):
            px, py = x + rnd.uniform(-.4, .4), 37.45 + rnd.uniform(-.25, .25)
            h, a, l = .5 + rnd.uniform(.02, .4), rnd.uniform(0, 6.28), rnd.uniform(.04, .10)
            u, v = (math.cos(a) * l, math.sin(a) * l), (-math.sin(a) * l * .5, math.cos(a) * l * .5)
            b.quad((px - u[0], py - u[1], h), (px + v[0], py + v[1], h + l * .6), (px + u[0], py + u[1], h + l * .3), (px - v[0], py - v[1], h - l * .3), rnd.choices(plant, (5, 5, 1, 1))[0])
    for x, y, w, h in ((10.9, 35.6, .9, 1.25), (-7.2, 36.9, 1.3, 1.4), (47, 36.8, .8, 1.1)):
        b.box(x, x + w, y, y + .4, 0, h, flat('cabinet', (.22, .26, .23), .6, .3, .15, .5), .02)
        b.box(x + w / 2 - .006, x + w / 2 + .006, y - .005, y, .1, h - .08, black)
    # hoops for bicycles
    for i in range(6):
        x = -12.4 + .75 * i
        b.rod((x, 36.55, 0), (x, 36.55, .8), .024, steel)
        b.rod((x, 37.25, 0), (x, 37.25, .8), .024, steel)
        b.rod((x, 36.55, .8), (x, 37.25, .8), .024, steel)
    # booth and barrier
    wall = flat('booth', (.48, .49, .47), .6, .3, .1, .5)
    x0, x1, y0, y1 = 9.3, 11.1, 40.5, 42.7
    b.box(x0, x1, y0, y1, 0, .95, wall, .02)
    for px in (x0, x1 - .1):
        for py in (y0, y1 - .1):
            b.box(px, px + .1, py, py + .1, .95, 2.3, wall, .01)
    b.box(x0 + .85, x0 + .93, y0, y0 + .06, .95, 2.3, wall)
    pane = glass('boothglass', (.7, .76, .75), .06)
    for a in (((x0, y0 + .05, .95), (x1, y0 + .05, .95), (x1, y0 + .05, 2.3), (x0, y0 + .05, 2.3)), ((x0 + .05, y0, .95), (x0 + .05, y1, .95), (x0 + .05, y1, 2.3), (x0 + .05, y0, 2.3)),
              ((x1 - .05, y0, .95), (x1 - .05, y1, .95), (x1 - .05, y1, 2.3), (x1 - .05, y0, 2.3)), ((x0, y1 - .05, .95), (x1, y1 - .05, .95), (x1, y1 - .05, 2.3), (x0, y1 - .05, 2.3))):
        b.quad(*a, pane)
    b.box(x0 - .25, x1 + .25, y0 - .25, y1 + .25, 2.3, 2.48, flat('boothroof', (.12, .14, .15), .6, .3, .15, .4), .03)
    b.box(x0 + .1, x1 - .1, y0 + .1, y0 + .6, .9, .95, flat('desk', (.4, .33, .25)))
    b.box(x0 + .3, x0 + .75, y0 + .3, y0 + .34, 1.0, 1.3, black, .01)
    b.box(x1 - .7, x1 - .2, y1 - .7, y1 - .25, .4, 1.2, flat('chair', (.04, .05, .09)), .05)
    b.box(x1 - .5, x1 - .2, y0 + .2, y0 + .45, .95, 1.25, flat('boothbox', (.4, .3, .2)))
    b.box(x0 + .1, x1 - .1, y0 - .28, y0 - .25, 2.31, 2.47, white)
    sign('gate', (x0 + .12, y0 - .283, 2.465), (1.55, 0, 0), (0, 0, -.15), 'GATE 1 - STOP HERE', '#202020', '#a8a8a0')
    light('AREA', 'windows', (10.2, 41.6, 2.25), 30, colour=(1, .95, .85), size=.6)
    b.box(9.9, 10.5, 41.5, 41.7, 2.26, 2.29, glow(flat('boothlamp', (.6, .6, .6), .4, .3, 0, 0), (1, .95, .85), 6))
    b.box(8.22, 8.58, 40.82, 41.18, 0, 1.12, yel, .03)
    b.box(8.20, 8.60, 40.80, 41.20, 0, .06, conc, .01)
    b.box(8.26, 8.54, 40.812, 40.82, .55, .95, grey)
    b.rod((8.4, 41, 1.12), (8.4, 41, 1.2), .06, red, n=14)
    b.box(2.05, 2.2, 40.93, 41.07, 0, .9, yel, .02)
    b.box(2.03, 2.07, 40.9, 41.1, .85, 1.1, black)
    b.box(2.18, 2.22, 40.9, 41.1, .85, 1.1, black)
    b.rod((7.9, 39.6, 0), (7.9, 39.6, 1.25), .05, black)   # card reader
    b.box(7.8, 8.0, 39.52, 39.68, 1.1, 1.5, grey, .02)
    for x in (8.75, 1.2):   # kerb islands and posts against cars
        for y in (39.4, 42.4):
            b.rod((x, y, 0), (x, y, 1.0), .06, yel, n=14)
            b.rod((x, y, .6), (x, y, .75), .062, black, n=14)
    # bus shelter
    x0, x1, y0, y1 = 20, 24, 23.5, 24.95
    alu = metal('alu', (.30, .31, .31), .45)
    for x in (x0, (x0 + x1) / 2, x1):
        b.box(x - .04, x + .04, y0 - .03, y0 + .05, 0, 2.4, alu, .01)
    b.box(x0 - .15, x1 + .15, y0 - .2, y1, 2.4, 2.52, alu, .03)
    b.box(x0 - .15, x1 + .15, y1 - .02, y1 + .04, 2.36, 2.62, flat('shelterboard', (.02, .10, .33)), .01)
    sp = glass('shelterglass', (.75, .82, .8), .05)
    for xa, xb in ((x0, 22), (22, x1)):
        b.quad((xa + .06, y0, .25), (xb - .06, y0, .25), (xb - .06, y0, 2.3), (xa + .06, y0, 2.3), sp)
        for k in range(9):
            b.box(xa + .25 + k * .18, xa + .30 + k * .18, y0 - .004, y0 - .002, 1.35, 1.40, flat('dots', (.6, .62, .6)))
    b.quad((x0, y0, .25), (x0, y0 + .9, .25), (x0, y0 + .9, 2.3), (x0, y0, 2.3), sp)
    b.box(x1 - .06, x1 + .06, y0, y1 - .3, .2, 2.15, alu, .02)
    b.box(x1 - .07, x1 - .06, y0 + .1, y1 - .4, .35, 2.05, flat('adW', (.5, .48, .4), .5, .4, .2, .1))
    wood = flat('wood', (.27, .17, .09), .7, .25, .3, .4)
    for k in range(3):
        b.box(x0 + .5, x1 - .7, y0 + .28 + .13 * k, y0 + .39 + .13 * k, .44, .48, wood, .008)
    for x in (x0 + .8, x1 - 1.1):
        b.box(x, x + .06, y0 + .28, y0 + .65, 0, .44, alu)
    b.rod((25.3, 24.9, 0), (25.3, 24.9, 3.0), .035, alu)
    b.box(25.28, 25.78, 24.885, 24.915, 2.4, 3.0, yel, .01)
    sign('bus stop flag', (25.3, 24.883, 2.98), (.46, 0, 0), (0, 0, -.55), 'BUS|STOP', '#151515', '#c09030')
    b.box(20.4, 22.6, y0 - .215, y0 - .2, 2.41, 2.51, white)
    sign('bus shelter', (20.45, y0 - .217, 2.505), (2.1, 0, 0), (0, 0, -.09), 'MILL STREET - LINE 4', '#202020', '#a8a8a0')
    light('AREA', 'windows', (22, 24.2, 2.38), 40, colour=(.95, .97, 1), size=1.2)
    b.box(21, 23, 24.1, 24.3, 2.385, 2.395, glow(flat('shelterlamp', (.6, .6, .6), .4, .3, 0, 0), (.95, .97, 1), 5))
    # timetable, bin
    b.box(25.5, 25.9, 24.6, 24.64, 1.1, 1.7, alu, .01)
    # park benches of slats
    def bench(x, y, rot):
        k = Body('bench')
        for i in range(4):
            k.box(-.85, .85, -.22 + .115 * i, -.12 + .115 * i, .43, .465, wood, .008)
        for i in range(3):
            k.box(-.85, .85, .26 + .02 * i, .29 + .02 * i, .56 + .13 * i, .66 + .13 * i, wood, .008)
        for x_ in (-.65, .65):
            k.box(x_ - .03, x_ + .03, -.22, .28, .38, .43, black)
            k.box(x_ - .03, x_ + .03, -.2, -.14, 0, .4, black)
            k.box(x_ - .03, x_ + .03, .22, .28, 0, .92, black)
        k.put((x, y, 0), rot)
    for x, y, r in ((-6.7, 3, 90), (-6.7, -9, 90), (-2.0, 14, -90), (-9, -10.2, 180), (8, -10.2, 180), (-11, -14, 0), (20, -14, 0), (-32, -10.2, 180), (-33, 37.1, 180)):
        bench(x, y, r)
    # poles carry wires along the street
    wire = flat('wire', (.015, .015, .015), .6, .2, 0, 0)
    for xs, y, h in (((-62, -30, -14, 14, 34, 66), 24.9, 6.6),):
        for a, z in zip(xs, xs[1:]):
            P = [(a + (z - a) * t / 12, y, h - (z - a) * .014 * 4 * (t / 12) * (1 - t / 12)) for t in range(13)]
            for p, q in zip(P, P[1:]):
                b.rod(p, q, .009, wire, n=4)
    for x, h in ((-22, 6.8), (20, 6.8)):
        P = [(x + (2 - 4 * (x > 0)) * t, 33.6 - 8.7 * t, h - .5 * 4 * t * (1 - t)) for t in [k / 12 for k in range(13)]]
        for p, q in zip(P, P[1:]):
            b.rod(p, q, .008, wire, n=4)
    # the fence of the car park: posts, rails and bars
    fm = flat('fence', (.05, .09, .065), .5, .35, .1, .3)
    for (xa, ya), (xb, yb) in (((50.9, 43), (50.9, 80.6)), ((50.9, 80.6), (-4.4, 80.6)), ((-4.4, 80.6), (-4.4, 54))):
        L = math.hypot(xb - xa, yb - ya)
        n = int(L / 2.5)
        for i in range(n + 1):
            x, y = xa + (xb - xa) * i / n, ya + (yb - ya) * i / n
            b.box(x - .03, x + .03, y - .03, y + .03, 0, 1.9, fm)
        for z in (.15, .7, 1.25, 1.8):
            b.rod((xa, ya, z), (xb, yb, z), .008, fm, n=4)
        for i in range(int(L / .1)):
            x, y = xa + (xb - xa) * i * .1 / L, ya + (yb - ya) * i * .1 / L
            b.rod((x, y, .05), (x, y, 1.85), .004, fm, n=3)
    b.put(smooth=False)
    # packaged models
    for x, y, r, size, path in ((-6.0, 4.6, 20, .95, 'katorlegaz/park-trashcan'), (-6.1, -7.3, 0, .95, 'katorlegaz/park-trashcan'), (26.4, 24.7, 0, .95, 'katorlegaz/park-trashcan'),
                                (-7.0, 35.4, 0, .95, 'katorlegaz/park-trashcan'), (-15.3, 33.8, 30, .75, 'katorlegaz/fire-hydrant'), (-26.1, 37.3, 160, 1.1, 'katorlegaz/residential-trashcan'), (-25.3, 37.4, 190, 1.1, 'katorlegaz/residential-trashcan')):
        put(furniture(path, size, 'z'), (x, y, .01), r)
    for i, x in enumerate((-12.3, -11.5, -10.0, -8.75)):
        put(furniture('scopia/bicycle', 1.72, 'xy'), (x + .06, 36.95 + rnd.uniform(-.1, .1), .01), rnd.choice((0, 180)) + rnd.gauss(0, 5), tilt=(0, rnd.uniform(-.08, .1)))
    put(furniture('scopia/scooter', 1.7, 'xy'), (-22.6, 36.9, .01), 70)
    for x, y in ((52.2, 29.9), (52.9, 31.4)):
        put(furniture('scopia/cone', .6, 'z'), (x, y, -.03), 0)


def greens(rnd):
    lf = [leaf_material('leafA', (.055, .11, .022)), leaf_material('leafB', (.075, .13, .028)), leaf_material('leafC', (.055, .09, .026)), leaf_material('leafD', (.09, .125, .03)), leaf_material('needle', (.028, .055, .022), .12)]
    bk = [bark('bark'), bark('barkpale', (.30, .28, .25)), bark('barkdark', (.09, .075, .06))]
    kinds = [tree('maple', 3, 9.5, 3.6, 42000, lf[0], bk[0], .24, .15), tree('lime', 8, 8.5, 2.9, 38000, lf[1], bk[2], .26, .12),
             tree('oak', 21, 10.5, 4.3, 52000, lf[2], bk[0], .2, .13), tree('birch', 5, 10, 2.3, 26000, lf[3], bk[1], .22, .08, droop=1.2),
             tree('fir', 11, 11, 2.6, 60000, lf[4], bk[2], .07, .16, shape='cone'), tree('young', 14, 5.5, 1.5, 12000, lf[1], bk[0], .36, .11)]
    spots = [(-12, 12, 0), (9, 14, 5), (17, 3.5, 2), (-18, -6, 2), (12, -16, 0), (-26, 18, 0), (30, 16, 1), (38, 5, 0), (-34, 4, 3), (-31, 6, 3), (26, -5, 4), (29, -8, 4), (-22, -22, 0), (-8, -26, 1),
             (5, -33, 2), (22, -30, 0), (36, -22, 2), (-38, -28, 4), (-43, 4, 2), (-14, -40, 3), (10, -43, 1), (49, 5, 0), (-52, -8, 0), (54, -12, 1), (-28, -40, 4), (40, -40, 2), (60, 3, 4), (-60, 3, 1), (-2, -45, 0), (30, -44, 3)]
    spots += [(-6, 60, 1), (-6.2, 69, 1), (-6, 77, 3), (52.6, 48, 1), (52.4, 57, 1), (52.8, 66, 0), (53, 75, 1), (24, 38.4, 5), (31, 38.6, 5), (38, 38.3, 5), (56, 39, 1), (-5.2, 40.5, 5), (0, 83, 4), (30, 83, 1), (36, 83.6, 0), (60, 86, 2), (-12, 84, 0), (44, 84, 3)]
    for y in (35.4,):
        spots += [(x, y, 5) for x in (-48, -57, -66, -75, -84, -96, -108, 70, 79, 88, 97, 106, 118)]
    for x, y, k in spots:
        s = rnd.uniform(.85, 1.15)
        put(kinds[k], (x, y, -.03), rnd.uniform(0, 360), (s, s, s * rnd.uniform(.92, 1.1)), (rnd.uniform(-.03, .03), rnd.uniform(-.03, .03)))
    for _ in range(260):  # woods and gardens behind the houses, far off
        a, d = rnd.uniform(0, 6.2832), rnd.uniform(115, 420)
        x, y = d * math.sin(a), d * math.cos(a)
        if abs(y - 29) < 22:
            continue
        put(kinds[rnd.choice((0, 0, 1, 2, 2, 3, 4))], (x, y, -.5), rnd.uniform(0, 360), rnd.uniform(.8, 1.35))
    # hedges: a metre of clipped leaves, set in rows
    import numpy as np
    rs = np.random.RandomState(4)
    seg = []
    hl = leaf_material('hedgeleaf', (.075, .12, .035))
    for v in range(3):
        n = 5200
        V, F = [], []
        P = rs.uniform(-1, 1, (n, 3))
        k = np.abs(P).argmax(1)
        P[np.arange(n), k] = np.sign(P[np.arange(n), k]) * rs.uniform(.86, 1.02, n)
        P = P * (.62, .36, .48) + (0, 0, .48)
        A = rs.normal(0, 1, (n, 3))
        A /= np.linalg.norm(A, axis=1, keepdims=True)
        B = np.cross(A, rs.normal(0, 1, (n, 3)))
        B /= np.linalg.norm(B, axis=1, keepdims=True)
        s = rs.uniform(.025, .05, (n, 1))
        Q = np.stack([P - A * s, P + B * s * .5, P + A * s, P - B * s * .5], 1).reshape(-1, 3)
        core = Body('core').box(-.56, .56, -.3, .3, 0, .88, flat('hedgecore', (.012, .018, .008)))
        V = [tuple(x) for x in Q] + core.v
        F = [(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3) for i in range(n)] + [tuple(i + 4 * n for i in f) for f in core.f]
        seg.append(c.mesh('hedge%d' % v, V, F, [hl, flat('hedgecore', (.012, .018, .008))], [0] * n + [1] * len(core.f)))
    x = 11.4
    while x < 50:
        put(rnd.choice(seg), (x, 42.5 + rnd.uniform(-.03, .03), -.02), rnd.choice((0, 180)), (1, 1, rnd.uniform(.9, 1.06)))
        x += 1.02
    for x0, x1, y in ((-60, -6.5, 21.9), (.5, 19, 21.7), (26, 60, 21.9)):  # low hedge between park and pavement, with gaps
        x = x0
        while x < x1:
            if rnd.random() < .96:
                put(rnd.choice(seg), (x, y + rnd.uniform(-.04, .04), -.02), rnd.choice((0, 180)), (1, .9, rnd.uniform(.55, .68)))
            x += 1.02
    for x, y, s in ((-9.5, 19.5, 1.5), (-8.2, 18.2, 1.1), (6.5, 10.2, 1.3), (19, 11, 1.6), (-16, 3, 1.4), (7, -6, 1.2), (-10, -17, 1.5), (14, -9, 1.4), (4, 20, 1.2), (-20, 12, 1.6), (-4.4, 47, 1.2), (-5.1, 50, 1.5)):
        for _ in range(3):
            put(rnd.choice(seg), (x + rnd.uniform(-.5, .5), y + rnd.uniform(-.5, .5), -.1), rnd.uniform(0, 360), s * rnd.uniform(.7, 1.1), (rnd.uniform(-.2, .2), rnd.uniform(-.2, .2)))


def build():
    import street_ground
    import street_houses
    rnd = random.Random(1979)
    street_ground.build(rnd)
    street_houses.build(random.Random(38))
    furniture_of_street(random.Random(5))
    car_park(random.Random(12))
    greens(random.Random(77))
