"""The hall: a foyer with a glass front, see docs. Shell, light and what stands outside are here;
what stands inside is in hall_things.py, surfaces in hall_kit.py."""
import math
import random

import hall_things
from common import lamp
from hall_kit import (Gather, concrete, glass, glow, made, mirrors, paint, portal, strip, surface, terrazzo, wood, new)

NAME = 'hall'
EYE = (0., 0., 4.5)
# The glass looks to compass 215 (south-west by south): June at 50 degrees north, 8, 11, 14, 17 h
# of the sun are azimuths 97, 151, 232, 275 at heights 37, 61, 55, 27.
NORTH_PAN = -215 + 360
SUNS = [(-118., 36.8), (-64., 60.9), (17., 54.6), (60., 27.2)]
BASE = 4096 / 360
PATCHES = [
    ('base', -180, 180, -8 * 128 / BASE, 8 * 78 / BASE, BASE),  # -90…54.8
    ('band', -180, 180, -8 * 52 / BASE, 8 * 36 / BASE, 2 * BASE),  # -36.6…25.3
    ('front', -64, 64, -23, 9, 4 * BASE),
    ('desk', -36, -28.6, -11, -7.6, 400),
    ('turnstiles', -3.2, 3.2, -18.4, -13.6, 400),
    ('doors', -3.4, 3.4, -8.4, -5, 400),
    ('kiosk', 28.4, 35.6, -8.8, -4.4, 400),
    ('seats', 42, 48.6, -17.4, -13, 400),
    ('notices', -73.4, -68.6, -9.3, -6.4, 400),
    ('post', -50.9, -46.5, -9.2, -5.8, 400),
]
CALM = True


def coarse(patch, layer):
    """The light of a room is smooth; in the finest patches it need not be found for each pixel."""
    n = {'base': 2, 'band': 2, 'front': 2}.get(patch, 4)
    if layer in ('geo', 'emit'):
        return 1, 1
    if layer.startswith('sun'):
        return (2, 1) if n == 4 else (1, 1)
    if layer.startswith('bounce'):
        return n * 2, 1
    return n, n / 2


# less than usual: the rooms' light is soft, and smoothed over what faces the same way
LAYERS = {'emit': (16, 4, 0), 'sky': (20, 4, 3), 'overcast': (14, 4, 3), 'lamps': (16, 4, 2), 'windows': (12, 4, 2)} | {
    'bounce%d' % i: (24, 4, 3) for i in range(4)}

PLACE = {'title': 'Hall', 'front': 30.3, 'lamp_lux': 350, 'attribution': 'see assets/ATTRIBUTION.md'}


def prepare(layer):
    mirrors(layer not in ('geo', 'emit', 'sun0', 'sun1', 'sun2', 'sun3'))


MULLION = [-19.5 + 1.5 * i for i in range(27)]
COLUMNS = [(sx * 8, y) for sx in (-1, 1) for y in (6, 20)]
BEAMS = [2.2 + 4 * i for i in range(7)]
SKYLIGHTS = [(7.4, 9.0), (15.4, 17.0), (23.4, 25.0)]  # y0, y1
PANES = [(-12.2, -7.6), (-5.4, -.9), (.9, 5.4), (7.6, 12.2)]  # x0, x1 of their openings
ROWS = (-10., -3.6, 3.6, 10.)  # lines of hanging luminaires, along y


def materials():
    terrazzo()
    concrete('concrete', (.52, .51, .485))
    concrete('column', (.50, .49, .47), (50, 2.0), False)
    wood('oak', (.47, .30, .165), 2, .14)
    wood('oak_h', (.45, .285, .155), 1, .2)
    wood('walnut', (.20, .115, .066), 2, .2)
    wood('floorboard', (.30, .19, .11), 0, .12)
    glass('glass_front')
    glass('glass_clear', (.93, .955, .945), .02)
    glass('glass_roof', (.82, .85, .84), .06)
    surface('plaster', (.66, .655, .63), .85, tone=.05, grain=.04, grain_scale=260, dirt=.55, bump=.0006)
    surface('plaster_warm', (.60, .56, .49), .85, tone=.05, grain=.04, grain_scale=260, dirt=.4, bump=.0006)
    surface('ceiling', (.72, .72, .70), .8, tone=.04, grain=.05, grain_scale=120)
    surface('beam', (.50, .495, .48), .8, tone=.1, scale=1.4, grain=.05, grain_scale=60, dirt=.3, bump=.001)
    surface('frame', (.060, .063, .068), .38, .25, tone=.1, scale=2, grain=.03, wear=.15)
    surface('steel', (.55, .55, .54), .28, .5, tone=.06, scale=5, grain=.05, grain_scale=300)
    surface('steel_dark', (.20, .20, .205), .35, .45, tone=.08, scale=5)
    surface('alu', (.62, .62, .61), .4, .35, tone=.05)
    surface('duct', (.55, .56, .57), .35, .55, tone=.1, scale=6)
    surface('black', (.022, .022, .024), .45, tone=.2)
    surface('rubber', (.05, .05, .052), .9, tone=.25, scale=3, dirt=.3)
    surface('white', (.74, .74, .72), .35, tone=.03, scale=4, grain=.02)
    surface('cream', (.66, .62, .53), .6, tone=.05)
    surface('counter', (.70, .69, .66), .18, tone=.03, scale=3, grain=.08, grain_scale=300)
    surface('paving', (.36, .345, .32), .85)
    paint('red', (.52, .035, .03), .35)
    paint('green', (.03, .30, .13), .5)
    paint('blue', (.04, .13, .36), .5)
    paint('yellow', (.70, .48, .03), .5)
    paint('teal', (.03, .22, .25), .6)
    paint('orange', (.62, .20, .03), .55)
    paint('ink', (.03, .03, .035), .6)
    paint('paper', (.80, .79, .75), .8)
    paint('screen_off', (.015, .016, .018), .12)
    glow('tube_light', (1, .97, .92), 40)
    glow('spot_light', (1, .93, .82), 50)
    ribs = new('mat_ribs')
    x, y, z = ribs.xyz()
    k = ribs.step(ribs.frac(y, .024), .003, .006)
    c = ribs.mix(k, (.16, .16, .16), ribs.mix(ribs.step(ribs.noise(1.2, 7, .7), .35, .7), (.035, .037, .04), (.10, .095, .085)))
    ribs.out(c, .85, 0, .5, (.06, .06, .06))
    p = new('pave_out')
    x, y, z = p.xyz()
    row = p.cell(y, .4)
    xs = p.math('ADD', x, p.math('MULTIPLY', p.white(p.vec(0, row, 1)), .8))
    t = p.white(p.vec(p.cell(xs, .8), row, 2))
    c = p.mix(t, (.27, .26, .245), (.40, .385, .36))
    c = p.mix(1, c, p.grey(p.step(p.noise(.5, 8, .7), .3, .7, .78, 1.14)), 'MULTIPLY')
    c = p.mix(1, c, p.grey(p.step(p.noise(60, 3), .3, .7, .88, 1.1)), 'MULTIPLY')
    c = p.mix(p.step(p.math('MINIMUM', p.frac(xs, .8), p.frac(y, .4)), .004, .009, .8, 0), c, (.10, .095, .08))
    gum = p.math('MULTIPLY', p.step(p.voronoi(2.2, 'Distance'), .03, .025), .6)
    p.out(p.mix(gum, c, (.09, .09, .09)), .85, 0, .5, (.33, .315, .295))
    a = new('road')
    c = a.mix(1, (.095, .095, .098), a.grey(a.step(a.noise(.6, 8, .7), .3, .7, .75, 1.2)), 'MULTIPLY')
    c = a.mix(1, c, a.grey(a.step(a.voronoi(90, 'Distance'), 0, .6, .75, 1.3)), 'MULTIPLY')
    crack = a.step(a.voronoi(.28, 'Distance', a.mix(.12, a.pos, a.noise(2, 4, .6, None, True)), 'DISTANCE_TO_EDGE'), .004, .008, .6, 0)
    a.out(a.mix(crack, c, (.03, .03, .03)), .9, 0, .5, (.09, .09, .09))
    h = new('grass')
    c = h.mix(h.noise(.8, 8, .7), (.045, .085, .020), (.12, .16, .045))
    h.out(h.mix(1, c, h.grey(h.step(h.noise(40, 3), .3, .7, .6, 1.4)), 'MULTIPLY'), 1, 0, .2, (.07, .11, .03))


def wall_x(g, m, x0, x1, holes, y0=-2., y1=30., z1=8.):
    """A wall along y with rectangular openings (y0, y1, z0, z1)."""
    at = y0
    for a, b, lo, hi in sorted(holes):
        g.box(m, x0, at, 0, x1, a, z1)
        if lo > 0:
            g.box(m, x0, a, 0, x1, b, lo)
        g.box(m, x0, a, hi, x1, b, z1)
        at = b
    g.box(m, x0, at, 0, x1, y1, z1)


def shell():
    M = made
    g = Gather('shell')
    g.quad(M['terrazzo'], (-26, -2, 0), (20, -2, 0), (20, 30, 0), (-26, 30, 0))
    # entrance mat in its frame
    g.box(M['mat_ribs'], -2.7, 25.6, 0, 2.7, 29.6, .004)
    for a in ((-2.73, 25.57, 2.73, 25.6), (-2.73, 29.6, 2.73, 29.63), (-2.73, 25.57, -2.7, 29.63), (2.7, 25.57, 2.73, 29.63)):
        g.box(M['steel'], a[0], a[1], 0, a[2], a[3], .006)
    # guiding strip: doors, desk, turnstiles
    for i in range(5):
        u = -.14 + .07 * i
        g.box(M['cream'], u - .017, 15.4, 0, u + .017, 25.3, .005)
        g.box(M['cream'], -9.0, 21.5 + u - .017, 0, -.24, 21.5 + u + .017, .005)
    for i in range(9):
        for k in range(9):
            g.rod(M['cream'], -.24 + .06 * i, 14.78 + .06 * k, 0, .006, .017, 8)
    # walls
    wall_x(g, M['concrete'], -20.3, -20, [(2.6, 5.4, 0, 2.8), (8.2, 9.4, 0, 2.3), (10.6, 11.8, 0, 2.3), (13, 26.5, 6.1, 7.6)])
    wall_x(g, M['concrete'], 20, 20.3, [(3, 4.9, 0, 2.25)])
    g.box(M['plaster'], -20, -2.3, 0, 20, -2, 8)
    # roof slab with skylights between the beams
    at = -2.3
    for y0, y1 in SKYLIGHTS:
        g.box(M['ceiling'], -20.3, at, 8, 20.3, y0, 8.5)
        edge = -20.3
        for a, b in PANES:
            g.box(M['ceiling'], edge, y0, 8, a, y1, 8.5)
            edge = b
            g.quad(M['glass_roof'], (a, y0, 8.45), (b, y0, 8.45), (b, y1, 8.45), (a, y1, 8.45))
            for i in range(5):
                x = a + (b - a) * i / 4
                g.box(M['alu'], x - .035, y0, 8.36, x + .035, y1, 8.47)
        g.box(M['ceiling'], edge, y0, 8, 20.3, y1, 8.5)
        at = y1
    g.box(M['ceiling'], -20.3, at, 8, 20.3, 30.3, 8.5)
    for y in BEAMS:
        g.box(M['beam'], -20, y - .2, 7.25, 20, y + .2, 8.02)
    for x in (-14.2, 14.2):
        g.box(M['beam'], x - .2, -2, 7.4, x + .2, 30, 8.01)
    g.done(.006)


def front():
    M = made
    g = Gather('front')
    f, gl = M['frame'], M['glass_front']
    for x in MULLION:
        if abs(x) < 1.4:
            g.box(f, x - .03, 29.92, 3.0, x + .03, 30.08, 8)
        else:
            g.box(f, x - .03, 29.92, 0, x + .03, 30.08, 8)
    g.box(f, -20, 29.93, 7.88, 20, 30.07, 8)
    for z in (3.0, 5.5):
        g.box(f, -20, 29.94, z - .035, 20, 30.06, z + .035)
    g.box(f, -20, 29.9, 0, -1.5, 30.1, .12)
    g.box(f, 1.5, 29.9, 0, 20, 30.1, .12)
    xs = [-20] + MULLION + [20]
    for a, b in zip(xs[:-1], xs[1:]):
        for z0, z1 in ((.1, 3), (3, 5.5), (5.5, 7.9)):
            if z0 < 1 and b <= 1.6 and a >= -1.6:
                continue
            g.quad(gl, (a, 30, z0), (b, 30, z0), (b, 30, z1), (a, 30, z1))
    # marks on the glass so that nobody walks into it
    for i in range(200):
        x = -19.9 + .2 * i
        if abs(x) > 1.6:
            for z in (1.0, 1.55):
                g.box(M['white'], x - .025, 29.985, z, x + .025, 29.99, z + .05)
    # sliding doors, parked open behind their side panes; drive above
    g.box(M['alu'], -3.1, 29.78, 2.42, 3.1, 29.95, 2.66)
    g.box(M['black'], -.12, 29.74, 2.45, .12, 29.78, 2.53)
    for s in (-1, 1):
        x0, x1 = sorted((s * 1.52, s * 2.96))
        g.quad(M['glass_clear'], (x0, 29.86, .06), (x1, 29.86, .06), (x1, 29.86, 2.4), (x0, 29.86, 2.4))
        for a, b in ((x0, x0 + .05), (x1 - .05, x1)):
            g.box(f, a, 29.84, .02, b, 29.88, 2.42)
        for a, b in ((.02, .1), (2.36, 2.42)):
            g.box(f, x0, 29.84, a, x1, 29.88, b)
        g.tube(M['steel'], [(s * 1.62, 29.80, .9), (s * 1.62, 29.80, 1.5)], .016)
        g.box(M['red'], s * 1.9 - .15, 29.83, 1.35, s * 1.9 + .15, 29.838, 1.5)
    g.box(M['steel'], -1.5, 29.9, 0, 1.5, 30.12, .012)
    # convectors along the glass, with grilles
    for x in MULLION[:-1]:
        if -4.6 < x < 3.1:
            continue
        g.box(M['white'], x + .08, 29.55, .12, x + 1.42, 29.72, .46)
        for k in range(22):
            g.box(M['steel_dark'], x + .14 + k * .057, 29.58, .455, x + .165 + k * .057, 29.69, .463)
        g.box(M['alu'], x + .2, 29.6, 0, x + .26, 29.66, .12)
        g.box(M['alu'], x + 1.24, 29.6, 0, x + 1.3, 29.66, .12)
    # canopy over the doors
    g.box(M['frame'], -4.5, 30.1, 3.0, 4.5, 32.6, 3.18)
    for x in (-4.2, 4.2):
        g.tube(M['steel'], [(x, 30.1, 5.3), (x, 32.3, 3.2)], .02)
    g.done(.004)


def ceiling():
    M = made
    g = Gather('ceiling')
    # hanging lines of light
    for x in ROWS:
        y = .4
        while y < 28:
            g.box(M['alu'], x - .055, y, 6.62, x + .055, y + 2.36, 6.70)
            g.box(M['tube_light'], x - .045, y + .02, 6.612, x + .045, y + 2.34, 6.622)
            for k in (.3, 2.06):
                g.tube(M['black'], [(x, y + k, 6.7), (x, y + k, 8)], .004, 5)
            y += 2.4
        g.tube(M['white'], [(x, .6, 6.72), (x + .02, 14, 6.71), (x, 28, 6.72)], .006, 5)
        for k in range(4):
            lamp((x, 3.9 + 7 * k, 6.6), (1, .95, .88), 22, 'hall')
        strip('lamps', x, 14.3, 6.6, .11, 28, 900, (1, .95, .88))
    # air ducts along the sides, with slots; sprinkler pipes; cable trays; detectors
    for x in (-12.3, 12.3):
        g.tube(M['duct'], [(x, -1.9, 7.0), (x, 29.7, 7.0)], .24, 28)
        for i in range(11):
            g.tube(M['duct'], [(x, .1 + 2.9 * i, 7), (x, .16 + 2.9 * i, 7)], .252, 28)
            g.box(M['steel_dark'], x - .07, .7 + 2.9 * i, 6.742, x + .07, 1.9 + 2.9 * i, 6.78)
            g.tube(M['steel'], [(x - .25, .4 + 2.9 * i, 7), (x - .25, .4 + 2.9 * i, 8)], .006, 5)
            g.tube(M['steel'], [(x + .25, .4 + 2.9 * i, 7), (x + .25, .4 + 2.9 * i, 8)], .006, 5)
    for x in (-6.6, 0, 6.6):
        g.tube(M['red'], [(x, -2, 7.15), (x, 29.8, 7.15)], .021, 10)
        for i in range(9):
            y = 1 + 3.3 * i
            g.tube(M['red'], [(x, y, 7.15), (x, y, 7.02)], .012, 8)
            g.disc(M['steel'], x, y, 7.02, .03, 10)
    for x in (-16.9, 16.4):
        g.box(M['duct'], x - .15, -1.9, 7.2, x + .15, 29.8, 7.21)
        for d in (-.15, .145):
            g.box(M['duct'], x + d, -1.9, 7.2, x + d + .005, 29.8, 7.27)
        for k in range(6):
            g.tube(M['black' if k % 3 else 'blue'], [(x - .1 + .035 * k + .015 * math.sin(j * 1.7 + k), -1.8 + 3.5 * j, 7.225 + .01 * (k % 2)) for j in range(10)], .009, 6)
        for j in range(11):
            g.tube(M['steel'], [(x, .2 + 2.9 * j, 7.2), (x, .2 + 2.9 * j, 8)], .006, 5)
    random.seed(4)
    for x in (-17, -7.5, 7.5, 17):
        for y in (0.6, 8.6, 16.6, 24.8):
            g.tube(M['white'], [(x, y, 8), (x, y, 7.95)], .055, 16)
            g.disc(M['white'], x + 1.1, y + .4, 7.99, .16, 20)
            g.disc(M['steel_dark'], x + 1.1, y + .4, 7.985, .13, 20)
    for x in (-18.2, 18.2):
        for y in range(0, 30, 3):
            g.box(M['steel_dark'], x - .3, y + .8, 7.985, x + .3, y + 1.4, 7.995)
            for k in range(9):
                g.box(M['white'], x - .28, y + .82 + .065 * k, 7.97, x + .28, y + .85 + .065 * k, 7.99)
    g.done()
    # ceiling panels' joints
    g = Gather('joints')
    for i in range(32):
        x = -19.8 + 1.25 * i
        g.box(M['black'], x, -2, 7.994, x + .008, 30, 8.001)
    g.done()


def gallery():
    """Runs along the west wall and over the camera's back."""
    M = made
    g = Gather('gallery')
    m = M['beam']
    g.box(m, -20, -2, 4.95, -16.4, 30, 5.25)
    g.box(m, -16.4, -2, 4.95, 20, -.5, 5.25)
    g.box(M['floorboard'], -20, -2, 5.25, -16.45, 29.8, 5.262)
    g.box(M['steel_dark'], -16.42, -.5, 4.93, -16.38, 30, 5.32)
    g.box(M['steel_dark'], -16.4, -.52, 4.93, 20, -.48, 5.32)
    y = -.4
    while y < 29.5:
        g.quad(M['glass_clear'], (-16.36, y, 5.2), (-16.36, y + 1.36, 5.2), (-16.36, y + 1.36, 6.28), (-16.36, y, 6.28))
        for k in (.2, 1.16):
            g.tube(M['steel'], [(-16.38, y + k, 5.14), (-16.33, y + k, 5.14)], .03, 12)
        y += 1.4
    g.tube(M['steel'], [(-16.36, -.4, 6.30), (-16.36, 29.7, 6.30)], .024, 12)
    x = -16.2
    while x < 19.6:
        g.quad(M['glass_clear'], (x, -.44, 5.2), (x + 1.36, -.44, 5.2), (x + 1.36, -.44, 6.28), (x, -.44, 6.28))
        x += 1.4
    g.tube(M['steel'], [(-16.3, -.44, 6.30), (20, -.44, 6.30)], .024, 12)
    for y in (2.0, 8.0, 14.0, 20.0, 26.0):
        g.rod(M['white'], -16.65, y, 0, 4.95, .11, 28)
        g.rod(M['steel'], -16.65, y, 0, .02, .19, 28)
    # underside: round lamps, a service tray
    for y in range(0, 30, 2):
        for x in (-18.9, -17.4):
            g.disc(M['alu'], x, y + .7, 4.948, .11, 20)
            g.disc(M['spot_light'], x, y + .7, 4.945, .085, 20)
    strip('lamps', -18.2, 14.5, 4.9, .5, 28, 330, (1, .91, .78))
    for x in range(-15, 20, 3):
        g.disc(M['alu'], x, -1.3, 4.948, .11, 20)
        g.disc(M['spot_light'], x, -1.3, 4.945, .085, 20)
    strip('lamps', 2, -1.3, 4.9, 34, .4, 330, (1, .91, .78))
    # the camera's own bracket and its cable
    g.box(M['white'], -.12, -.49, 4.98, .12, -.45, 5.2)
    g.tube(M['white'], [(-.02, -.9, 4.93), (-1.2, -1.2, 4.94), (-6, -1.96, 4.93), (-6, -1.97, 3.4)], .012, 8)
    # offices behind the gallery
    g.box(M['plaster_warm'], -23.5, 12, 5.25, -23.4, 27.5, 8)
    g.box(M['ceiling'], -23.5, 12, 7.9, -20.3, 27.5, 8)
    g.box(M['plaster_warm'], -23.5, 12, 5.2, -20.3, 27.5, 5.25)
    for y in (12.9, 17.5, 22, 26.6):
        g.box(M['plaster_warm'], -23.5, y - .05, 5.25, -20.1, y + .05, 8)
    for i in range(9):
        y = 13 + 1.5 * i
        g.box(M['frame'], -20.2, y - .03, 6.1, -20.08, y + .03, 7.6)
        g.quad(M['glass_clear'], (-20.14, y, 6.1), (-20.14, y + 1.5, 6.1), (-20.14, y + 1.5, 7.6), (-20.14, y, 7.6))
        drop = (.25, 1.1, .6, 1.45, .2, .9, .3, 1.2, .5)[i]
        k = 0
        while k < drop:
            g.box(M['cream'], -20.27, y + .05, 7.55 - k, -20.235, y + 1.45, 7.553 - k)
            k += .04
    for y in (15.2, 19.7, 24.3):
        g.box(M['tube_light'], -22.3, y - .6, 7.87, -21.7, y + .6, 7.895)
    strip('windows', -21.8, 19.7, 7.8, 1, 13, 70, (1, .93, .84))
    g.done(.004)


def corridor():
    M = made
    g = Gather('corridor')
    g.box(M['plaster'], -26, 2.3, 0, -20.3, 2.6, 2.8)
    g.box(M['plaster'], -26, 5.4, 0, -20.3, 5.7, 2.8)
    g.box(M['ceiling'], -26, 2.6, 2.8, -20.3, 5.4, 2.9)
    g.box(M['plaster'], -26.2, 2.3, 0, -26, 5.7, 2.8)
    g.box(M['walnut'], -26.0, 3.2, 0, -25.96, 4.2, 2.1)
    for x in (-24.5, -22):
        g.box(M['tube_light'], x - .6, 3.9, 2.78, x + .6, 4.1, 2.79)
    strip('lamps', -23.2, 4, 2.76, 3, .2, 24, (1, .95, .88))
    g.done(.004)


def outside():
    M = made
    g = Gather('outside')
    g.quad(M['pave_out'], (-70, 30, -.02), (70, 30, -.02), (70, 42, -.02), (-70, 42, -.02))
    for i in range(140):
        g.box(M['paving'], -70 + i, 42, -.14, -69.01 + i, 42.16, -.02)
        g.box(M['paving'], -70 + i, 51.0, -.14, -69.01 + i, 51.16, -.02)
    g.quad(M['road'], (-140, 42, -.14), (140, 42, -.14), (140, 51.1, -.14), (-140, 51.1, -.14))
    g.quad(M['pave_out'], (-140, 51.1, -.02), (140, 51.1, -.02), (140, 54.5, -.02), (-140, 54.5, -.02))
    g.quad(M['grass'], (-300, 54.5, -.05), (300, 54.5, -.05), (300, 320, .6), (-300, 320, .6))
    for i in range(40):
        x = -118 + 6 * i
        g.box(M['white'], x, 46.7, -.139, x + 3, 46.82, -.137)
    g.box(M['white'], -140, 44.5, -.139, 140, 44.6, -.137)
    for x in range(-18, 19, 2):
        if abs(x) > 1:
            g.rod(M['steel_dark'], x, 40.8, 0, .95, .06, 16)
            g.rod(M['steel'], x, 40.8, .78, .86, .063, 16)
    # planters, benches, bicycle stands
    for x in (-9.5, -15.5, 9.5, 16):
        g.box(M['concrete'], x - .9, 38.2, 0, x + .9, 40.0, .55)
        g.box(M['grass'], x - .82, 38.28, .5, x + .82, 39.92, .57)
    for x in (-12.5, 12.8):
        for k in range(4):
            g.box(M['oak_h'], x - .9, 38.9 + .11 * k, .42, x + .9, 38.99 + .11 * k, .46)
        for d in (-.7, .7):
            g.box(M['concrete'], x + d - .06, 38.92, 0, x + d + .06, 39.3, .42)
    for i in range(6):
        x = 5.4 + .8 * i
        g.tube(M['steel'], [(x, 32.2, 0), (x, 32.2, .7), (x, 32.3, .8), (x, 32.8, .8), (x, 32.9, .7), (x, 32.9, 0)], .022, 10)
    # a lamp post and a road sign
    for x in (-21, 7.5, 30):
        g.tube(M['steel'], [(x, 41.5, 0), (x, 41.5, 7.6), (x, 41.9, 8), (x, 43.2, 8.1)], .06, 12)
        g.box(M['frame'], x - .12, 42.9, 8.03, x + .12, 43.7, 8.12)
    g.rod(M['steel'], -6.3, 41.5, 0, 2.6, .03)
    g.tube(M['blue'], [(-6.3, 41.46, 2.3), (-6.3, 41.43, 2.3)], .3, 28)
    g.tube(M['white'], [(-6.3, 41.43, 2.3), (-6.3, 41.42, 2.3)], .12, 24)
    g.done(.008)
    houses()
    hall_things.outdoors()


def houses():
    """The far side of the street: fronts with real reveals, panes, blinds and shops."""
    M = made
    random.seed(11)
    tones = {'r_brick': (.30, .13, .085), 'r_cream': (.58, .52, .42), 'r_grey': (.40, .40, .39), 'r_ochre': (.52, .38, .20), 'r_white': (.66, .65, .62)}
    for k, v in tones.items():
        surface(k, v, .9, tone=.1, scale=.8, grain=.12, grain_scale=22, dirt=.5)
    surface('pane', (.03, .036, .042), .06, tone=.3, spec=.8)
    surface('roof_tile', (.17, .085, .06), .8, tone=.2, grain=.25, grain_scale=9)
    # x0, x1, front y, storeys, surface, pitched
    for x0, x1, y, n, m, pitched in ((-64, -46, 60, 4, 'r_white', False), (-46, -30, 60, 3, 'r_brick', True), (-30, -17, 62, 3, 'r_cream', True), (-17, -9, 62, 2, 'r_grey', True),
                            (14, 30, 62, 3, 'r_brick', False), (30, 42, 62, 4, 'r_ochre', True), (42, 62, 60, 3, 'r_white', False),
                            (-120, -64, 64, 5, 'r_grey', False), (62, 120, 64, 5, 'r_cream', False), (-8, 4, 118, 2, 'r_white', True), (8, 26, 150, 3, 'r_grey', False), (-44, -16, 190, 6, 'r_cream', False), (30, 70, 230, 7, 'r_grey', False)):
        g = Gather('house')
        h = 3.1 * n + 1.0
        wall, pane = M[m], M['pane']
        g.box(wall, x0, y + .3, 0, x1, y + 12, h)
        bays = int((x1 - x0 - .8) / 2.6)
        w = (x1 - x0) / bays
        for f in range(n):
            z = .9 + 3.1 * f + (.3 if f else 0)
            g.box(wall, x0, y, 3.1 * f - (0 if f else 0), x1, y + .3, z if f else .35)
            hi = z + 1.65 if f else 2.8
            lo = z if f else .35
            for b in range(bays):
                c = x0 + (b + .5) * w
                hw = .62 if f else w * .42
                g.box(wall, x0 + b * w, y, lo, c - hw, y + .3, hi)
                g.box(wall, c + hw, y, lo, x0 + (b + 1) * w, y + .3, hi)
                g.box(pane, c - hw, y + .2, lo, c + hw, y + .29, hi)
                g.box(M['white' if f else 'frame'], c - .03, y + .16, lo, c + .03, y + .2, hi)
                for e in (lo, hi - .06):
                    g.box(M['white' if f else 'frame'], c - hw, y + .16, e, c + hw, y + .2, e + .06)
                if f:
                    g.box(M['paving'], c - hw - .1, y - .08, lo - .07, c + hw + .1, y + .1, lo)
                    r = random.random()
                    if r < .45:
                        g.box(M['cream'], c - hw + .04, y + .19, hi - (hi - lo) * random.uniform(.2, .8), c + hw - .04, y + .198, hi - .06)
            g.box(wall, x0, y, hi, x1, y + .3, 3.1 * (f + 1))
            if f == 0:
                g.box(M[random.choice(['teal', 'red', 'blue', 'ink', 'orange'])], x0 + .4, y - .06, 2.85, x1 - .4, y, 3.25)
        g.box(wall, x0, y, 3.1 * n, x1, y + .3, h)
        g.box(M['paving'], x0 - .1, y - .2, h, x1 + .1, y + .4, h + .15)
        if pitched:
            p = M['roof_tile']
            g.quad(p, (x0 - .2, y - .3, h + .1), (x1 + .2, y - .3, h + .1), (x1 + .2, y + 6, h + 4.5), (x0 - .2, y + 6, h + 4.5))
            g.quad(p, (x1 + .2, y + 12, h + .1), (x0 - .2, y + 12, h + .1), (x0 - .2, y + 6, h + 4.5), (x1 + .2, y + 6, h + 4.5))
            for c in (x0 + (x1 - x0) * .3, x0 + (x1 - x0) * .75):
                g.box(M['r_brick'], c - .4, y + 5, h + 3, c + .4, y + 6, h + 5.8)
        g.done()


def build():
    random.seed(1)
    materials()
    shell()
    front()
    ceiling()
    gallery()
    corridor()
    hall_things.inside()
    outside()
    portal(0, 30.05, 4, 40, 8, (-90, 0, 0))
    for y0, y1 in SKYLIGHTS:
        for a, b in PANES:
            portal((a + b) / 2, (y0 + y1) / 2, 8.4, b - a, y1 - y0, (0, 0, 0))
