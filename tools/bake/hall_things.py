"""What stands in the hall and before it."""
import math
import random

from hall_kit import Gather, furniture, glass, glow, leaf_material, made, bark, paint, put, sign, strip, surface, text, tree

WORDS = ('Sommer', 'Lauf', 'Open air', 'Kantine', 'Yoga', 'Blood donors', 'Fire drill', 'Chess club')


def thing(path, size, at, turn=0, along='z', remap=None):
    return put(furniture(path, size, along, remap=remap), at, turn)


def desk(g):
    """The reception: a long counter toward the doors, screens and chairs behind it."""
    M = made
    top, slat, dark = M['counter'], M['oak'], M['walnut']

    def run(x0, y0, x1, y1, inner):
        """A stretch of counter; inner: side of the work top ('w' or 's')."""
        g.box(dark, x0 + .06, y0 + .06, 0, x1 - .06, y1 - .06, 1.06)
        g.box(M['steel_dark'], x0 + .1, y0 + .1, 0, x1 - .1, y1 - .1, .08)
        g.box(top, x0 - .04, y0 - .04, 1.08, x1 + .04, y1 + .04, 1.13)
        if x1 - x0 < y1 - y0:
            n = int((y1 - y0) / .06)
            for k in range(n):
                y = y0 + (k + .5) * (y1 - y0) / n
                g.box(slat, x1 - .07, y - .018, .1, x1 - .02, y + .018, 1.07)
                g.box(slat, x0 + .02, y - .018, .76, x0 + .07, y + .018, 1.07)
            g.box(M['white'], x0 - .72, y0, .71, x0 + .1, y1, .745)
        else:
            n = int((x1 - x0) / .06)
            for k in range(n):
                x = x0 + (k + .5) * (x1 - x0) / n
                g.box(slat, x - .018, y1 - .07, .1, x + .018, y1 - .02, 1.07)
                g.box(slat, x - .018, y0 + .02, .1, x + .018, y0 + .07, 1.07)
    run(-10.35, 15.4, -9.85, 20.6, 'w')
    run(-13.6, 20.15, -10.3, 20.6, 's')
    run(-12.2, 15.4, -10.3, 15.8, 'n')
    g.box(M['white'], -13.6, 19.45, .71, -10.3, 20.2, .745)
    for y in (15.9, 17.6, 19.3):
        g.box(M['white'], -11.05, y, 0, -10.4, y + .03, .72)
    # a low gate for the staff, drawers
    g.box(M['white'], -11.0, 16.1, .1, -10.5, 16.9, .68)
    for k in range(3):
        g.box(M['alu'], -11.02, 16.4, .24 + .2 * k, -11.0, 16.6, .26 + .2 * k)
    # screens: black backs toward the visitors, pictures toward the staff
    random.seed(3)
    for i, y in enumerate((16.7, 17.35, 18.6, 19.2)):
        t = (-4, 6, -3, 10)[i]
        x = -10.62
        g.box(M['black'], -.012, -.27, .90, .028, .27, 1.24, t, (x, y, 0))
        g.box(M['screen_off'], -.0135, -.26, .91, -.0125, .26, 1.23, t, (x, y, 0))
        g.box(M['screen%d' % (i % 3)], -.0150, -.258, .915, -.0138, .258, 1.225, t, (x, y, 0))
        g.box(M['black'], .02, -.03, .75, .05, .03, 1.0, t, (x, y, 0))
        g.box(M['black'], -.06, -.12, .745, .10, .12, .755, t, (x, y, 0))
    for y in (17.0, 18.9):
        g.box(M['black'], -11.0, y - .22, .747, -10.86, y + .22, .765, 0)
        for r in range(4):
            for k in range(14):
                g.box(M['steel_dark'], -10.985 + .031 * r, y - .21 + .03 * k, .765, -10.96 + .031 * r, y - .186 + .03 * k, .770)
        g.box(M['black'], -10.96, y + .3, .747, -10.86, y + .36, .775)
    thing('scopia/phone', .24, (-10.75, 18.0, .747), 70, 'x')
    thing('scopia/phone', .24, (-12.1, 19.8, .747), 10, 'x')
    thing('scopia/office_chair', 1.02, (-11.6, 17.2, 0), 75)
    thing('scopia/office_chair', 1.02, (-11.8, 19.0, 0), 110)
    thing('scopia/inkjet_and_scanner_printer', .5, (-13.0, 19.8, .747), 180, 'x')
    thing('scopia/penbox', .16, (-10.7, 16.25, .747))
    thing('katorlegaz/coffee-mug', .1, (-10.9, 17.8, .747), 40)
    thing('blendswap-cc-by/coffee_cup', .14, (-10.1, 18.3, 1.13))
    thing('blendswap-cc-0/kalender', .16, (-12.6, 20.3, 1.13), 180)
    thing('katorlegaz/stapler', .15, (-11.4, 19.7, .747), 30, 'xy')
    thing('blendswap-cc-by/mediumIndoorPlant', .55, (-13.2, 20.36, 1.13), 20)
    thing('blendswap-cc-by/backpack', .42, (-12.2, 16.2, 0), 200)
    thing('scopia/cardboard-box', .42, (-13.3, 16.3, 0), 14, 'xy')
    thing('scopia/open-cardboard-box', .4, (-13.2, 16.85, 0), -20, 'xy')
    # papers, a leaflet stand, a visitors' book, a bell, hand sanitizer
    for i in range(26):
        x, y = (random.uniform(-11.05, -10.7), random.uniform(16, 20)) if i % 2 else (random.uniform(-13.4, -11), random.uniform(19.5, 20))
        g.box(M['paper'], -.105, -.148, 0, .105, .148, .0012, random.uniform(0, 90), (x, y, .7455 + .0013 * i))
    for k in range(5):
        g.box(M[('teal', 'orange', 'paper', 'blue', 'red')[k]], -10.2, 16.0 + .13 * k, 1.135, -10.19, 16.1 + .13 * k, 1.33)
    g.box(M['glass_clear'], -10.22, 15.97, 1.13, -10.215, 16.65, 1.25)
    g.box(M['paper'], -.2, -.15, 0, .2, .15, .02, 86, (-10.1, 19.2, 1.13))
    g.rod(M['white'], -10.05, 19.8, 1.13, 1.28, .035, 16)
    g.rod(M['black'], -10.05, 19.8, 1.28, 1.32, .012, 10)
    g.rod(M['steel'], -10.1, 17.5, 1.13, 1.165, .04, 20)
    # cables under the top
    for y in (16.8, 18.7, 19.3):
        g.tube(M['black'], [(-10.6, y, .75), (-10.5, y + .05, .6), (-10.45, y + .12, .3), (-10.5, y + .3, .1), (-10.42, y + .5, .02)], .006, 6)
    # wall behind: slats and a bare field for the name
    g.box(M['walnut'], -15.75, 15.0, 0, -15.6, 21.2, 3.5)
    for k in range(78):
        y = 15.02 + .0796 * k
        g.box(slat, -15.6, y, .1, -15.55, y + .036, 3.45)
    g.box(M['white'], -15.55, 16.2, 2.2, -15.52, 20.0, 3.0)
    g.box(M['steel'], -15.6, 15, 0, -15.54, 21.2, .1)
    # low cupboards, binders, post trays along it
    g.box(M['white'], -15.55, 17, 0, -15.1, 20.8, .85)
    for k in range(6):
        g.box(M['steel_dark'], -15.101, 17.02 + .63 * k, .05, -15.095, 17.03 + .63 * k, .82)
        g.box(M['steel'], -15.1, 17.5 + .63 * k, .7, -15.08, 17.52 + .63 * k, .8)
    y = 17.1
    while y < 19.4:
        w = random.choice((.05, .075))
        g.box(M[random.choice(('ink', 'ink', 'blue', 'red', 'green', 'cream'))], -15.45, y, .85, -15.17, y + w, 1.17)
        y += w + .004
        if random.random() < .08:
            y += .2
    thing('blendswap-cc-by/spider_plant', .5, (-15.3, 20.4, .85))
    # the strip lamp over the counter
    g.box(M['black'], -10.2, 15.6, 2.9, -10.12, 20.4, 2.96)
    g.box(M['tube_light'], -10.19, 15.62, 2.893, -10.13, 20.38, 2.901)
    for y in (15.7, 18, 20.3):
        g.tube(M['black'], [(-10.16, y, 2.96), (-10.16, y, 7.2)], .003, 5)
    strip('windows', -10.16, 18, 2.88, .06, 4.7, 150, (1, .93, .83))


def turnstiles(g):
    M = made
    s = M['steel']
    xs = [-3 + 1.2 * i for i in range(6)]
    for i, x in enumerate(xs):
        g.box(s, x - .12, 13.3, .0, x + .12, 14.7, .98)
        g.box(M['black'], x - .125, 13.28, .98, x + .125, 14.72, 1.01)
        g.box(M['steel_dark'], x - .122, 13.9, .25, x + .122, 14.1, .95)
        for y, d in ((13.45, -1), (14.55, 1)):
            g.box(M['black'], x - .06, y - .06, 1.01, x + .06, y + .06, 1.035)
            g.box(M['led_green' if (i + (d > 0)) % 5 else 'led_red'], x - .03, y - .03, 1.035, x + .03, y + .03, 1.037)
            g.box(M['led_green' if (i + (d > 0)) % 5 else 'led_red'], x - .05, 14 + .702 * d - .001, .80, x + .05, 14 + .702 * d + .001, .84)
        for k in range(6):
            g.box(M['steel_dark'], x - .121, 13.5 + .05 * k, .12, x + .121, 13.52 + .05 * k, .22)
        for d in (-1, 1):
            if (i == 0 and d < 0) or (i == 5 and d > 0):
                continue
            # wings half drawn in
            a, b = sorted((x + d * .12, x + d * .22))
            g.quad(M['glass_clear'], (a, 14, .3), (b, 14, .3), (b, 14, 1.35), (a, 14, 1.35))
    # glass wings and posts to both sides, planters
    for sgn in (-1, 1):
        for k in range(3):
            a, b = sorted((sgn * (3.2 + 1.25 * k), sgn * (3.2 + 1.25 * k + 1.2)))
            g.quad(M['glass_clear'], (a, 14, .08), (b, 14, .08), (b, 14, 1.1), (a, 14, 1.1))
            for e in (a + .2, b - .2):
                g.box(s, e - .03, 13.96, 0, e + .03, 14.04, .16)
        a, b = sorted((sgn * 3.15, sgn * 6.95))
        g.tube(s, [(a, 14, 1.12), (b, 14, 1.12)], .021, 12)
        for e in (3.17, 5.0, 6.9):
            g.rod(s, sgn * e, 14, 0, 1.12, .021, 12)
        a, b = sorted((sgn * 7.1, sgn * 9.3))
        g.box(M['concrete'], a, 13.7, 0, b, 14.3, .62)
        g.box(M['soil'], a + .04, 13.74, .58, b - .04, 14.26, .6)
        for k, x in enumerate((a + .35, a + 1.05, a + 1.8)):
            thing(('blendswap-cc-by/spatifilum', 'blendswap-cc-0/plant', 'blendswap-cc-by/spatifilum')[k], (.8, 1.0, .7)[k], (x, 14, .45), 60 * k + 20 * sgn)
    # a guard's stool and a wheelchair lane mark, a stand with a rope
    for x in (-7.2, -5.6, -4.0):
        g.rod(M['steel'], x, 23.6, 0, .02, .17, 28)
        g.rod(M['steel'], x, 23.6, .02, .95, .025, 16)
        g.rod(M['black'], x, 23.6, .9, 1.0, .035, 16)
    for a, b in ((-7.2, -5.6), (-5.6, -4.0)):
        g.tube(M['red'], [(a + (b - a) * t / 8, 23.6, .93 - .12 * math.sin(math.pi * t / 8)) for t in range(9)], .017, 8)


def seats(g):
    """Beam seats in two rows that look at each other; a table, armchairs, a rug."""
    M = made
    prof = [(-.26, .80), (-.27, .74), (-.20, .47), (-.14, .41), (.02, .395), (.22, .42), (.25, .41)]
    for y, turn in ((8.4, 0), (11.6, 180)):
        for k in range(5):
            x = 10.1 + .62 * k if turn == 0 else 13.3 - .62 * k
            for d in (0, .012):
                g.sweep(M['seat'], [(u - d * .6, z - d) for u, z in prof], 'x', -.265, .265, (x, y, 0), turn)
        a, b = 9.7, 13.1
        if turn:
            a, b = 10.4, 13.7
        g.box(M['steel'], a, y - .05, .30, b, y + .05, .36)
        for e in (a + .4, b - .4):
            g.box(M['steel'], e - .03, y - .03, 0.03, e + .03, y + .03, .3)
            g.box(M['steel'], e - .035, y - .3, 0, e + .035, y + .3, .035)
        for k in (0, 2, 4):
            x = (10.1 + .62 * k if turn == 0 else 13.3 - .62 * k) - .31
            g.box(M['black'], x - .02, y - .18, .60, x + .02, y + .2, .63)
            g.box(M['steel'], x - .015, y - .02, .35, x + .015, y + .02, .6)
    g.box(M['rug'], 9.6, 9.2, 0, 14.4, 10.8, .008)
    thing('blendswap-cc-by/coffeeTable', 1.2, (11.6, 10, .008), 0, 'xy')
    thing('blendswap-cc-by/fotel', .82, (14.3, 9.4, 0), -70)
    thing('blendswap-cc-by/fotel', .82, (14.3, 10.7, 0), -110)
    h = .39
    for i, (x, y, t) in enumerate(((11.3, 9.95, 10), (11.55, 10.1, -25), (11.9, 9.9, 70), (11.95, 10.06, 40))):
        g.box(M[('paper', 'teal', 'orange', 'blue')[i]], -.105, -.14, 0, .105, .14, .008, t, (x, y, h + .01 * (i == 3)))
    thing('blendswap-cc-by/coffee_cup', .14, (11.75, 10.22, h))
    thing('blendswap-cc-0/briefcase', .42, (10.8, 8.85, 0), 12, 'xy')
    thing('blendswap-cc-by/suitcase', .6, (13.5, 11.0, 0), 30)
    thing('scopia/ficus', 2.1, (15.1, 8.2, 0), 30)
    thing('blendswap-cc-0/decorativePlant', 1.7, (9.2, 12.2, 0), 80)
    for x, y in ((9.3, 8.1),):
        thing('katorlegaz/bullet-trash-can', .9, (x, y, 0), 40)
    thing('katorlegaz/newspaper', .4, (12.0, 8.45, .42), 25, 'xy')


def kiosk(g):
    M = made
    x0, x1, y0, y1 = 12., 16., 20.6, 23.6
    g.box(M['walnut'], x0, y0, 0, x1, y0 + .55, 1.02)
    g.box(M['walnut'], x0, y0, 0, x0 + .55, y1, 1.02)
    for k in range(50):
        g.box(M['oak'], x0 + .02 + .08 * k, y0 - .025, .12, x0 + .065 + .08 * k, y0, .98)
    for k in range(37):
        g.box(M['oak'], x0 - .025, y0 + .02 + .08 * k, .12, x0, y0 + .065 + .08 * k, .98)
    g.box(M['counter'], x0 - .08, y0 - .08, 1.02, x1, y0 + .6, 1.07)
    g.box(M['counter'], x0 - .08, y0 - .08, 1.02, x0 + .6, y1, 1.07)
    g.box(M['teal'], x0 + .6, y1 - .12, 0, x1, y1, 2.9)
    g.box(M['teal'], x1 - .1, y0 + .6, 0, x1, y1, 2.9)
    # roof with a lit fascia
    g.box(M['black'], x0 - .3, y0 - .3, 2.75, x1 + .1, y1 + .1, 2.82)
    g.box(M['walnut'], x0 - .3, y0 - .3, 2.82, x1 + .1, y1 + .1, 3.28)
    g.box(M['fascia'], x0 - .2, y0 - .315, 2.88, x1 - .1, y0 - .3, 3.22)
    g.box(M['fascia'], x0 - .315, y0 - .2, 2.88, x0 - .3, y1, 3.22)
    for x in (x0 - .1, x1 - .1):
        g.box(M['black'], x - .04, y0 - .1, 1.07 if x < x1 - 1 else 0, x + .04, y0 - .02, 2.75)
    for i in range(5):
        g.rod(M['black'], x0 + .4 + .8 * i, y0 + .25, 2.3, 2.75, .004, 5)
        g.tube(M['black'], [(x0 + .4 + .8 * i, y0 + .25, 2.32), (x0 + .4 + .8 * i, y0 + .25, 2.2), (x0 + .4 + .8 * i, y0 + .25, 2.12)], [.02, .06, .12], 20, False)
        g.disc(M['spot_light'], x0 + .4 + .8 * i, y0 + .25, 2.14, .06, 16)
    # shelves with bottles, jars, cups; menu boards
    random.seed(8)
    for z in (1.15, 1.5, 1.85):
        g.box(M['oak_h'], x0 + 1, y1 - .42, z, x1 - .2, y1 - .12, z + .03)
        x = x0 + 1.08
        while x < x1 - .3:
            r = random.uniform(.03, .055)
            h = random.uniform(.1, .27)
            c = M[random.choice(('cream', 'orange', 'green', 'red', 'white', 'ink', 'teal', 'yellow'))]
            if h > .19:
                g.tube(c, [(x, y1 - .27, z + .03), (x, y1 - .27, z + .03 + h * .6), (x, y1 - .27, z + .03 + h * .75), (x, y1 - .27, z + .03 + h)], [r * .8, r * .8, r * .3, r * .3], 12)
            else:
                g.rod(c, x, y1 - .27, z + .03, z + .03 + h, r, 14)
            x += r * 2 + random.uniform(.01, .08)
    for k in range(3):
        g.box(M['ink'], x0 + 1.0 + .95 * k, y1 - .15, 2.12, x0 + 1.88 + .95 * k, y1 - .118, 2.68)
        o = ['ESPRESSO   2.20', 'FLAT WHITE  3.40', 'TEA         2.60', 'COCOA       3.20', 'SODA        2.50', 'SOUP        4.80']
        text(('HOT', 'COLD', 'FOOD')[k], M['orange'], (x0 + 1.06 + .95 * k, y1 - .152, 2.66), (1, 0, 0), (0, 0, -1), .09, True)
        text('\n'.join(o[(j + 2 * k) % 6] for j in range(5)), M['paper'], (x0 + 1.06 + .95 * k, y1 - .152, 2.53), (1, 0, 0), (0, 0, -1), .068, False, 1.05)
    thing('scopia/coffee_machine', .75, (x0 + 1.4, y1 - .3, 1.0 - .08), 180, 'x')
    g.box(M['steel'], x0 + .9, y1 - .75, 0, x1 - .2, y1 - .13, .92)
    # glass case with pastry, till, cups
    gl = M['glass_clear']
    a, b = x0 + 1.6, x0 + 3.2
    for q in (((a, y0, 1.07), (b, y0, 1.07), (b, y0 + .05, 1.42), (a, y0 + .05, 1.42)), ((a, y0, 1.07), (a, y0 + .45, 1.07), (a, y0 + .45, 1.42), (a, y0 + .05, 1.42)),
              ((b, y0, 1.07), (b, y0 + .45, 1.07), (b, y0 + .45, 1.42), (b, y0 + .05, 1.42)), ((a, y0 + .05, 1.42), (b, y0 + .05, 1.42), (b, y0 + .45, 1.42), (a, y0 + .45, 1.42))):
        g.quad(gl, *q)
    g.box(M['oak_h'], a + .02, y0 + .12, 1.23, b - .02, y0 + .42, 1.245)
    for i in range(34):
        z = 1.075 if i % 2 else 1.247
        x = a + .08 + (b - a - .16) * (i // 2) / 16
        g.tube(M['pastry'], [(x - .03, y0 + .16 + .09 * (i % 3), z + .025), (x, y0 + .2 + .09 * (i % 3), z + .03), (x + .03, y0 + .18 + .09 * (i % 3), z + .025)], [.015, .032, .014], 8)
    g.box(M['black'], -.15, -.16, 0, .15, .16, .1, 8, (x0 + 1.1, y0 + .3, 1.07))
    g.box(M['screen1'], -.16, -.01, .12, .16, .01, .36, 8, (x0 + 1.1, y0 + .38, 1.07))
    for k in range(3):
        g.tube(M['paper'], [(x0 + .25, y0 + .35 + .13 * k, 1.07), (x0 + .25, y0 + .35 + .13 * k, 1.07 + .28 + .05 * k)], [.032, .044], 14)
    thing('katorlegaz/coffee-mug', .1, (x0 + .3, y0 + 1.3, 1.07))
    g.box(M['paper'], x0 + .1, y0 + 1.6, 1.07, x0 + .4, y0 + 1.9, 1.12)
    thing('blendswap-cc-by/luckyBamboo', .45, (x0 + .25, y1 - .4, 1.07))
    strip('windows', x0 + 2, y0 + 1.5, 2.7, 3.4, 2, 300, (1, .86, .66))
    strip('windows', x0 + 2, y0 - .36, 3.05, 3.6, .3, 80, (1, .92, .8), (90, 0, 0))
    # a chalk board, tables, chairs
    for i, (x, y) in enumerate(((10.4, 18.2), (12.9, 17.9), (10.0, 23.0))):
        thing('blendswap-cc-by/cafe_set_mota_table', .74, (x, y, 0), 0)
        for k in range(3):
            t = 40 + 120 * k + 35 * i
            thing('blendswap-cc-by/cafe_set_mota_chair', .8, (x + .72 * math.cos(math.radians(t)), y + .72 * math.sin(math.radians(t)), 0), t + 90)
        thing('blendswap-cc-by/coffee_cup', .13, (x + .1, y - .12, .74), 0)
    g.box(M['paper'], -.1, -.15, 0, .1, .15, .004, 30, (12.8, 18.05, .742))
    for s in (-1, 1):
        g.sweep(M['ink'], [(.28 * s, .02), (.02 * s, 1.05)], 'x', -.3, .3, (11.3, 20.1, 0), 12)
        g.sweep(M['oak_h'], [(.285 * s, .0), (.025 * s, 1.06)], 'x', -.34, -.3, (11.3, 20.1, 0), 12)
        g.sweep(M['oak_h'], [(.285 * s, .0), (.025 * s, 1.06)], 'x', .3, .34, (11.3, 20.1, 0), 12)


def poster(g, at, right, w, h, i, frame='steel_dark'):
    """A framed poster with large shapes and printed words; at: upper left corner."""
    M = made
    n = (right[1], -right[0], 0)
    base, a, b = ((M['teal'], M['yellow'], M['paper']), (M['paper'], M['red'], M['ink']), (M['orange'], M['paper'], M['ink']),
                  (M['blue'], M['paper'], M['yellow']), (M['cream'], M['green'], M['ink']), (M['ink'], M['orange'], M['paper']))[i % 6]

    def plate(m, u0, v0, u1, v1, d):
        p = [(at[0] + right[0] * u + n[0] * d, at[1] + right[1] * u + n[1] * d, at[2] - v) for u, v in ((u0, v1), (u1, v1), (u1, v0), (u0, v0))]
        g.quad(m, *p)

    def bar(u0, v0, u1, v1):
        x = sorted((at[0] + right[0] * u0, at[0] + right[0] * u1 + n[0] * .025))
        y = sorted((at[1] + right[1] * u0, at[1] + right[1] * u1 + n[1] * .025))
        g.box(M[frame], x[0], y[0], at[2] - v1, x[1], y[1], at[2] - v0)
    bar(-.03, -.03, w + .03, 0), bar(-.03, h, w + .03, h + .03), bar(-.03, 0, 0, h), bar(w, 0, w + .03, h)
    plate(base, 0, 0, w, h, .008)
    random.seed(i)
    if i % 3 == 0:
        for k in range(7):
            plate(a, w * .1, h * (.32 + .07 * k), w * (.3 + .6 * random.random()), h * (.36 + .07 * k), .0095)
    elif i % 3 == 1:
        c = [(w * .5 + w * .34 * math.cos(t * .2618), h * .45 + w * .34 * math.sin(t * .2618)) for t in range(24)]
        g._add(a, [(at[0] + right[0] * u + n[0] * .0095, at[1] + right[1] * u + n[1] * .0095, at[2] - v) for u, v in reversed(c)], [tuple(range(24))])
    else:
        for k in range(4):
            u = w * (.12 + .2 * k)
            plate(a, u, h * (.62 - .12 * k), u + w * .14, h * .72, .0095)
    off = tuple(at[k] + n[k] * .009 for k in range(2))
    text(WORDS[i % len(WORDS)], b, (off[0] + right[0] * w * .08, off[1] + right[1] * w * .08, at[2] - h * .06), right, (0, 0, -1), w * .19, True)
    text('12 to 14 June, 18:00\nHall B, free entry', b, (off[0] + right[0] * w * .08, off[1] + right[1] * w * .08, at[2] - h * .80), right, (0, 0, -1), w * .075)


def notice_board(g, x, y0, y1, z0, z1):
    """Cork in an aluminium frame on the west wall, with sheets pinned to it."""
    M = made
    g.box(M['alu'], x, y0 - .04, z0 - .04, x + .03, y1 + .04, z1 + .04)
    g.box(M['cork'], x + .03, y0, z0, x + .034, y1, z1)
    random.seed(21)
    y, row = y0 + .06, 0
    body = ('Please keep the doors shut.\nThe heating works only so.', 'Lost: one grey scarf,\nplease call 4417.', 'Canteen this week\nMon  lentils\nTue  dumplings\nWed  risotto\nThu  curry\nFri  fish', 'Fire wardens\n1st floor  M. Okafor\n2nd floor  J. Lindqvist\n3rd floor  A. Rossi',
            'Car sharing to the\nnorth station, 7:15,\ntwo seats free.', 'Library: new hours\n9 to 16', 'For sale: bicycle,\n28 inch, little used', 'Running group\nThursdays 17:30', 'Minutes of the\nworks council\n3 March', 'Parcels are handed\nout at the desk\n11 to 12 only')
    for k in range(17):
        w, h = random.choice(((.21, .297), (.21, .297), (.297, .21), (.148, .21)))
        cy = y0 + .05 + (k % 6) * (y1 - y0 - .1) / 6 + random.uniform(0, .05)
        cz = z1 - .04 - (k // 6) * .36 - random.uniform(0, .04)
        if cz - h < z0 or cy + w > y1:
            continue
        # seen from the hall (+x) the reader's right is -y... the sheet's right runs to +y for a wall at the west
        t = random.uniform(-4, 4)
        c, s = math.cos(math.radians(t)), math.sin(math.radians(t))
        r, d = (0, c, s), (0, s, -c)
        m = M[random.choice(('paper', 'paper', 'paper', 'paper', 'yellow', 'cream', 'teal'))]
        px = x + .036 + .0015 * (k % 3)
        p = lambda u, v: (px, cy + r[1] * u + d[1] * v, cz + r[2] * u + d[2] * v)
        g.quad(m, p(0, h), p(w, h), p(w, 0), p(0, 0))
        g.tube(M[random.choice(('red', 'blue', 'green', 'white'))], [(px, p(w / 2, .012)[1], p(w / 2, .012)[2]), (px + .008, p(w / 2, .012)[1], p(w / 2, .012)[2])], .006, 10)
        ink = M['ink'] if m.name != 'teal' else M['paper']
        text(body[k % len(body)].split('\n')[0], ink, (px + .001,) + p(.02, .03)[1:], r, d, .022 * w / .21, True)
        text('\n'.join(body[k % len(body)].split('\n')[1:] * 3), ink, (px + .001,) + p(.02, .07)[1:], r, d, .0145 * w / .21, False, 1.1)


def lift(g, y0, y1):
    M = made
    g.box(M['steel_dark'], -20.6, y0, 0, -20.55, y1, 2.3)
    for a, b in ((y0, (y0 + y1) / 2 - .004), ((y0 + y1) / 2 + .004, y1)):
        g.box(M['steel'], -20.16, a, 0, -20.12, b, 2.3)
    for a, b in ((y0 - .1, y0), (y1, y1 + .1)):
        g.box(M['steel'], -20.3, a, 0, -19.97, b, 2.4)
    g.box(M['steel'], -20.3, y0 - .1, 2.3, -19.97, y1 + .1, 2.4)
    g.box(M['black'], -20.0, (y0 + y1) / 2 - .2, 2.5, -19.97, (y0 + y1) / 2 + .2, 2.64)
    g.box(M['fascia'], -19.97, (y0 + y1) / 2 - .1, 2.53, -19.965, (y0 + y1) / 2 + .1, 2.61)
    g.box(M['steel'], -20.0, y1 + .35, 1.0, -19.98, y1 + .45, 1.3)
    g.rod(M['white'], -19.97, y1 + .4, 1.12, 1.13, .02)


def door(g, axis, at, w, h, m, double=False, window=False):
    """A door in its frame, on a wall whose face looks to +x, -x or +y; at: middle of its foot."""
    M = made
    s = {'+x': 1, '-x': -1, '+y': 1}[axis]

    def box(mm, u0, d0, z0, u1, d1, z1):
        d0, d1 = sorted((s * d0, s * d1))
        if axis == '+y':
            g.box(mm, at[0] + u0, at[1] + d0, z0, at[0] + u1, at[1] + d1, z1)
        else:
            g.box(mm, at[0] + d0, at[1] + u0, z0, at[0] + d1, at[1] + u1, z1)
    hw = w / 2
    f = M['steel_dark']
    for a, b in ((-hw - .07, -hw), (hw, hw + .07)):
        box(f, a, -.05, 0, b, .04, h + .07)
    box(f, -hw, -.05, h, hw, .04, h + .07)
    for a, b in ((-hw, -.004), (.004, hw)) if double else ((-hw, hw),):
        box(m, a + .004, -.04, .008, b - .004, .012, h - .004)
        if window:
            c = (a + b) / 2
            box(M['pane'], c - .16, .008, 1.05, c + .16, .014, 1.85)
        box(M['steel'], a + .02, .01, .02, b - .02, .014, .22)
        e = b - .12 if a < -.1 and double or not double else a + .06
        box(M['steel'], e, .012, 1.0, e + .05, .02, 1.22)
        box(M['steel'], e + (-.09 if e > 0 or not double else 0), .04, 1.08, e + .14 - (.0 if e > 0 or not double else 0), .058, 1.1)
        box(M['steel'], e + .02, .012, 1.08, e + .04, .058, 1.1)
    if double:
        for a, b in ((-hw + .08, -.06), (.06, hw - .08)):
            box(M['red'], a, .03, .98, b, .06, 1.03)
    box(M['alu'], -.3, .012, h - .1, .05, .06, h - .04)


def walls(g):
    M = made
    # west: notice board, directory, letter boxes, lifts, fire things
    notice_board(g, -20, 5.95, 7.75, 1.0, 2.15)
    lift(g, 8.2, 9.4)
    lift(g, 10.6, 11.8)
    g.box(M['steel'], -20, 12.5, 1.2, -19.98, 13.3, 2.2)
    for r in range(7):
        g.box(M['ink'], -19.98, 12.54, 1.26 + .13 * r, -19.975, 13.26, 1.37 + .13 * r)
        text(('Ground  Hall, desk, café', '1  Meeting rooms 101-120', '2  Accounts, personnel', '3  Engineering', '4  Laboratory', '5  Library', '6  Canteen, terrace')[6 - r], M['paper'], (-19.974, 12.57, 1.345 + .13 * r), (0, 1, 0), (0, 0, -1), .048)
    # pigeonholes with post in them
    px, py, w, h = -19.65, 16.3, .32, .2
    g.box(M['oak_h'], -20, py - .03, .5, -19.98, py + 8 * w + .03, .5 + 8 * h + .03)
    random.seed(17)
    for r in range(9):
        g.box(M['oak_h'], -20, py - .03, .5 + r * h - .009, px, py + 8 * w + .03, .5 + r * h + .009)
    for c in range(9):
        g.box(M['oak_h'], -20, py + c * w - .009, .5, px + .002, py + c * w + .009, .5 + 8 * h)
    for r in range(8):
        for c in range(8):
            z, y = .51 + r * h, py + c * w
            g.box(M['white'], px, y + .08, z - .017, px + .004, y + .24, z + .004)
            text('%d%02d' % (r + 1, c + 1), M['ink'], (px + .0045, y + .12, z + .004), (0, 1, 0), (0, 0, -1), .018)
            for k in range(random.choice((0, 0, 1, 2, 4, 7))):
                a = random.uniform(.01, .06)
                g.box(M[random.choice(('paper', 'paper', 'cream', 'orange', 'white'))], -19.97, y + a, z + .006 * k, px - random.uniform(.0, .08), y + a + random.uniform(.16, .22), z + .006 * k + .004)
    door(g, '+x', (-20, 26.4), 1.0, 2.1, M['walnut'])
    door(g, '+x', (-20, -.4), 1.0, 2.1, M['door_grey'], False, True)
    # extinguishers: on the column, by the doors
    for x, y, t in ((-19.85, 1.6, 90), (-7.6, 5.98, 90), (19.85, 5.5, -90), (3.9, 29.65, 0)):
        thing('blendswap-cc-0/fireExtinguisher', .55, (x, y, .55 if abs(x) > 5 else .15), t)
        if abs(x) > 19:
            g.box(M['red'], x - .16 if x < 0 else x + .14, y - .1, 1.55, x - .14 if x < 0 else x + .16, y + .1, 1.75)
    g.box(M['red'], -20, 5.5, 1.35, -19.96, 5.6, 1.45)
    g.box(M['red'], -20, 27.6, .7, -19.82, 28.4, 1.5)
    g.box(M['white'], -19.82, 27.8, .95, -19.815, 28.2, 1.25)
    # east: slats below, posters, machines, emergency doors
    g.box(M['walnut'], 19.93, 5.9, 0, 20, 26.5, 3.1)
    y = 6.0
    while y < 26.4:
        g.box(M['oak'], 19.89, y, .1, 19.93, y + .05, 3.05)
        y += .1
    g.box(M['steel'], 19.88, 5.9, 0, 19.95, 26.5, .1)
    for i, y in enumerate((8.2, 10.2, 12.2, 14.2)):
        poster(g, (19.85, y + 1.1, 2.5), (0, -1, 0), 1.1, 1.55, i)
        g.box(M['walnut'], 19.86, y - .1, .85, 19.9, y + 1.2, 2.6)
    door(g, '-x', (20, 3.95), 1.8, 2.2, M['door_grey'], True)
    for i, y in enumerate((16.6, 17.7)):
        g.box(M['black'], 19.1, y, 0.02, 19.86, y + .95, 1.9)
        g.box(M['vend%d' % i], 19.085, y + .05, .5, 19.1, y + .68, 1.84)
        random.seed(i)
        for r in range(5):
            g.box(M['alu'], 19.07, y + .06, .52 + .26 * r, 19.085, y + .67, .545 + .26 * r)
            for c in range(7):
                g.tube(M[random.choice(('red', 'orange', 'green', 'blue', 'yellow', 'white', 'teal'))], [(19.075, y + .11 + .085 * c, .55 + .26 * r), (19.075, y + .11 + .085 * c, .70 + .26 * r)], .028, 10)
        g.box(M['steel'], 19.085, y + .72, 1.0, 19.1, y + .92, 1.5)
        g.box(M['screen1'], 19.08, y + .75, 1.55, 19.1, y + .9, 1.68)
        g.box(M['steel_dark'], 19.08, y + .1, .15, 19.1, y + .65, .4)
    strip('windows', 19.0, 17.65, 1.2, 1.3, 2.0, 70, (.95, .97, 1), (0, 90, 0))
    # ticket machines
    for y in (12.3 + 7.2, 12.3 + 8.4):
        g.box(M['blue'], 19.25, y, .0, 19.86, y + .8, 1.75)
        g.box(M['steel'], 19.22, y + .06, .75, 19.26, y + .74, 1.2)
        g.box(M['screen0'], 19.235, y + .12, 1.25, 19.25, y + .68, 1.62)
        g.box(M['black'], 19.215, y + .1, .85, 19.23, y + .3, 1.0)
        g.box(M['yellow'], 19.24, y, 1.66, 19.252, y + .8, 1.75)
    thing('scopia/water_cooler', 1.3, (19.5, 6.6, 0), -90)
    thing('katorlegaz/bullet-trash-can', .95, (19.4, 15.9, 0))
    thing('blendswap-cc-0/dustbin', .8, (16.6, 20.9, 0))
    # back wall
    door(g, '+y', (-5.1, -2), 1.8, 2.2, M['door_grey'], True)
    door(g, '+y', (6, -2), 1.0, 2.1, M['walnut'])
    for i, x in enumerate((-2.7, -1.2, 8.2)):
        poster(g, (x, -2 + .005, 2.4), (1, 0, 0) if False else (-1, 0, 0), .84, 1.19, i + 2)
    for x in (1.4, 10.5, -9.5):
        thing('blendswap-cc-0/radiator1', .62, (x, -1.86, .14), 180)
        g.tube(M['white'], [(x + .7, -1.9, .2), (x + .95, -1.93, .2), (x + .95, -1.95, 4.9)], .012, 8)
    thing('blendswap-cc-by/clock', .42, (3.2, -1.97, 2.7), 180)
    g.box(M['oak_h'], -20, -1.985, .9, 20, -1.975, 1.0)
    thing('blendswap-cc-by/yuccaPlant', 1.8, (-7.6, -1.2, 0))
    thing('blendswap-cc-0/whiteBoard', 1.8, (13.5, -1.0, 0), 160)
    for i in range(3):
        thing('scopia/tubular_chair', .85, (15.6 + .7 * i, -1.4, 0), 170 + 8 * i)
    # sockets, switches, cameras, detectors along the walls
    for x, y, n in ((-19.99, 3 - .7, 'x'), (-19.99, 7.95, 'x'), (-19.99, 14, 'x')):
        g.box(M['white'], x, y - .04, .3, x + .012, y + .04, .38)
        g.box(M['white'], x, y - .04, 1.05, x + .012, y + .04, 1.13)
    for x, y in ((-15.9, 6.5), (-15.9, 18), (15, 29)):
        thing('scopia/CCTV', .16, (x, y, 4.78 if x < 0 else 6.9), 0)
    # cable of the lamps down the wall
    g.tube(M['white'], [(-19.97, 5.75, 4.9), (-19.97, 5.75, 2.4), (-19.97, 5.75, 1.15)], .011, 8)
    g.box(M['white'], -20, 5.68, 1.06, -19.97, 5.82, 1.18)


def columns(g, places):
    M = made
    for i, (x, y) in enumerate(places):
        g.rod(M['column'], x, y, 0, 7.3, .36, 56)
        g.rod(M['steel'], x, y, 0, .14, .372, 56)
        # a broad head
        g.tube(M['beam'], [(x, y, 6.95), (x, y, 7.26)], [.36, .62], 56)
        g.box(M['white'], x - .05, y - .375, .32, x + .05, y - .34, .4)
    # loudspeakers, a poster case on the front columns
    for x, y in places:
        g.box(M['white'], x - .1, y - .45, 3.2, x + .1, y - .33, 3.55)
        g.box(M['steel_dark'], x - .085, y - .453, 3.22, x + .085, y - .45, 3.5)
    for x in (-8, 8):
        g.box(M['alu'], x - .33, 5.58, 1.1, x + .33, 5.63, 2.1)
        g.box(M['paper'], x - .3, 5.575, 1.13, x + .3, 5.581, 2.07)
        text('House rules', M['ink'], (x - .26, 5.574, 2.04), (1, 0, 0), (0, 0, -1), .06, True)
        text('\n'.join(('1  Visitors sign in at the desk.', '2  Wear the badge visibly.', '3  No smoking in the building.', '4  Doors and stairs are kept free.', '5  Bicycles stay outside.', '6  In an alarm leave by the nearest exit;', '   the lifts must not be used then.', '7  The assembly point is across the street.')), M['ink'], (x - .26, 5.574, 1.92), (1, 0, 0), (0, 0, -1), .027, False, 1.3)
        g.box(M['teal'], x - .26, 5.573, 1.2, x + .26, 5.5745, 1.36)
    # a board with times, hung from the roof
    g.box(M['black'], 3.5, 23.4, 4.55, 8.3, 23.62, 6.05)
    g.box(M['screen_off'], 3.58, 23.39, 4.62, 8.22, 23.4, 5.98)
    g.box(M['board_light'], 3.62, 23.387, 4.66, 8.18, 23.39, 5.94)
    for x in (4.1, 7.7):
        g.tube(M['black'], [(x, 23.5, 6.05), (x, 23.5, 7.3)], .025, 10)
    strip('windows', 5.9, 23.3, 5.3, 4.4, 1.2, 90, (.9, .95, 1), (-90, 0, 0))
    # banners by the front
    for i, x in enumerate((-13.2, -4.9)):
        n = 18
        g._add(M['banner%d' % i], [(x - .6 + 1.2 * u, 25.9 + .05 * math.sin(3 * k / n * math.pi + u * 1.5), 7.2 - 2.9 * k / n) for k in range(n + 1) for u in (0, .5, 1)],
               [(3 * k + a, 3 * k + a + 3, 3 * k + a + 4, 3 * k + a + 1) for k in range(n) for a in (0, 1)], True)
        g.tube(M['steel'], [(x - .62, 25.9, 7.2), (x + .62, 25.9, 7.2)], .015, 8)
        g.tube(M['steel'], [(x - .62, 25.9, 4.3), (x + .62, 25.9, 4.3)], .015, 8)
    # hanging direction sign over the turnstiles
    g.box(M['sign_dark'], -2.4, 14.4, 5.55, 2.4, 14.48, 5.95)
    for x in (-2.1, 2.1):
        g.tube(M['black'], [(x, 14.44, 5.95), (x, 14.44, 7.2)], .008, 6)


TRAINS = (('10:14', 'NORTH BRIDGE', '2'), ('10:22', 'AIRPORT', '1'), ('10:31', 'OLD HARBOUR', '4'), ('10:36', 'UNIVERSITY', '3'), ('10:44', 'NORTH BRIDGE', '2'))


def signs(g):
    """Bare plates, and what is written on them at run time."""
    M = made
    white, green, dark = '#f2f2f0', '#0d7a3c', '#101216'
    # over the front doors, the emergency doors, the doors below the gallery
    g.box(M['exit_green'], -.5, 29.62, 2.7, .5, 29.68, 2.98)
    sign('exit front', (-.48, 29.616, 2.965), (.96, 0, 0), (0, 0, -.25), 'EXIT', white)
    g.box(M['exit_green'], 19.9, 3.45, 2.45, 19.96, 4.45, 2.73)
    sign('exit east', (19.896, 4.43, 2.715), (0, -.96, 0), (0, 0, -.25), 'EXIT', white)
    g.box(M['exit_green'], -5.6, -1.97, 2.45, -4.6, -1.91, 2.73)
    sign('exit south', (-4.62, -1.906, 2.715), (-.96, 0, 0), (0, 0, -.25), 'EXIT', white)
    # desk, lifts, notices, post
    sign('desk', (-15.516, 16.5, 2.88), (0, 3.2, 0), (0, 0, -.56), 'RECEPTION', '#1b2a3c')
    g.box(M['sign_dark'], -20, 9.2, 2.95, -19.96, 10.8, 3.3)
    sign('lifts', (-19.956, 9.25, 3.27), (0, 1.5, 0), (0, 0, -.29), 'LIFTS', white)
    g.box(M['sign_dark'], -20, 6.2, 2.25, -19.96, 7.5, 2.5)
    sign('notices', (-19.956, 6.25, 2.48), (0, 1.2, 0), (0, 0, -.21), 'NOTICES', white)
    g.box(M['sign_dark'], -20, 16.9, 2.25, -19.96, 18.4, 2.5)
    sign('post', (-19.956, 16.95, 2.48), (0, 1.4, 0), (0, 0, -.21), 'INTERNAL POST', white)
    # over the turnstiles
    sign('direction', (-2.3, 14.396, 5.91), (4.6, 0, 0), (0, 0, -.32), 'EXIT  ·  DESK  ·  CAFÉ', white)
    for i in range(6):
        sign('gate %d' % (i + 1), (-3.05 + 1.2 * i, 13.297, .70), (.1, 0, 0), (0, 0, -.12), str(i + 1), '#1b2a3c')
    # kiosk
    sign('café south', (12.3, 20.281, 3.2), (2.6, 0, 0), (0, 0, -.30), 'CAFÉ LINDEN', '#5a2410')
    sign('café west', (11.681, 22.9, 3.2), (0, -2.0, 0), (0, 0, -.30), 'CAFÉ LINDEN', '#5a2410')
    # platforms on the far columns
    for x, t in ((-8, 'A'), (8, 'B')):
        g.box(M['blue'], x - .32, 19.6, 2.45, x + .32, 19.63, 3.09)
        sign('platform ' + t, (x - .26, 19.596, 3.03), (.52, 0, 0), (0, 0, -.52), t, white)
    # times
    sign('board head', (3.7, 23.384, 5.9), (2.4, 0, 0), (0, 0, -.20), 'DEPARTURES', '#f0c040')
    for i, (t, to, n) in enumerate(TRAINS):
        z = 5.63 - .19 * i
        for name, x, w, s in (('time', 3.7, .52, t), ('to', 4.5, .125 * len(to), to), ('platform', 7.75, .12, n)):
            sign('board %s %d' % (name, i + 1), (x, 23.384, z), (w, 0, 0), (0, 0, -.135), s, '#f4f4ec')


def clutter(g):
    """What people left and what the house keeps about."""
    M = made
    # a wet floor sign
    for s in (-1, 1):
        g.sweep(M['yellow'], [(.16 * s, .0), (.01 * s, .62)], 'x', -.13, .13, (-6.2, 22.2, 0), 35)
    # a cleaning trolley by the corridor
    x, y = -18.6, 6.6
    g.box(M['blue'], x - .3, y - .22, .18, x + .3, y + .22, .24)
    g.box(M['yellow'], x - .28, y - .2, .24, x + .02, y + .2, .55)
    g.box(M['red'], x + .06, y - .16, .24, x + .28, y + .16, .46)
    for dx in (-.27, .27):
        for dy in (-.2, .2):
            g.rod(M['steel'], x + dx, y + dy, .24, 1.0, .014, 8)
            g.tube(M['black'], [(x + dx, y + dy - .02, .07), (x + dx, y + dy + .02, .07)], .07, 14)
    g.tube(M['oak_h'], [(x + .1, y, .3), (x + .22, y + .1, 1.55)], .013, 8)
    g.box(M['white'], x - .25, y - .18, .95, x + .25, y + .18, .98)
    for k in range(3):
        g.rod(M[('teal', 'white', 'orange')[k]], x - .15 + .13 * k, y, .98, 1.2, .04, 12)
    # plants along the front and by the columns
    for i, (px, py, n, h) in enumerate(((-17.5, 28.6, 'scopia/ficus', 2.4), (17.6, 28.4, 'scopia/ficus', 2.2), (-6.4, 28.7, 'blendswap-cc-by/yuccaPlant', 1.9), (6.6, 28.6, 'blendswap-cc-0/decorativePlant', 1.7),
                                        (-9.0, 21.4, 'blendswap-cc-by/spatifilum', 1.0), (8.9, 5.3, 'scopia/maceta', 1.1), (-18.9, 12.9, 'scopia/ficus', 1.9), (16.9, 24.4, 'scopia/bamboo', 2.2))):
        thing(n, h, (px, py, 0), 50 * i)
    # benches, bins, umbrella stand, suitcase, boxes
    for bx, by, t in ((-15.2, 8.6, 90), (-15.2, 11.2, 90)):
        for k in range(4):
            g.box(M['oak_h'], -.9, -.2 + .105 * k, .42, .9, -.11 + .105 * k, .46, t, (bx, by, 0))
        for d in (-.7, .7):
            g.box(M['steel_dark'], d - .03, -.2, 0, d + .03, .2, .42, t, (bx, by, 0))
    thing('katorlegaz/bullet-trash-can', .9, (-15.2, 9.9, 0))
    thing('katorlegaz/bullet-trash-can', .9, (4.3, 27.9, 0))
    g.rod(M['steel_dark'], -3.6, 28.8, 0, .55, .16, 24)
    thing('blendswap-cc-0/umbrellaFolded', .8, (-3.6, 28.8, .05), 20)
    thing('blendswap-cc-by/backpack', .45, (-15.25, 8.2, .46), 80)
    thing('scopia/stroller', 1.05, (15.6, 12.2, 0), 120)
    thing('katorlegaz/newspaper', .4, (-15.2, 11.5, .46), 30, 'xy')
    # things upon the gallery
    for y in (5, 11.5, 18):
        thing('scopia/ficus', 1.6, (-19.2, y, 5.26), 40 * y)
    thing('blendswap-cc-0/couch2', 2.3, (-18.9, 8.2, 5.26), 90, 'xy')
    thing('scopia/elevator-door', 2.3, (-19.9, 23.2, 5.26), 90)
    for x in (-9, 3, 12):
        thing('scopia/ficus', 1.5, (x, -1.5, 5.26), 30 * x)


def inside():
    for n, c, e in (('led_green', (.05, 1, .25), 3), ('led_red', (1, .05, .03), 3), ('exit_green', (.1, 1, .35), .5), ('fascia', (1, .86, .62), 4), ('board_light', (.3, .42, .6), .12),
                    ('vend0', (.8, .9, 1), 1.6), ('vend1', (1, .95, .85), 1.5), ('screen0', (.28, .42, .62), 1.1), ('screen1', (.72, .76, .80), 1.2), ('screen2', (.18, .30, .26), 1.1)):
        glow(n, c, e, (.02, .28, .1) if n == 'exit_green' else (.03, .033, .04) if n == 'board_light' else (.08, .09, .1) if n in ('screen0', 'screen1', 'screen2') else (.6, .6, .58))
    surface('seat', (.055, .075, .11), .35, .2, tone=.1, scale=5, wear=.3)
    surface('rug', (.17, .055, .05), .95, tone=.2, scale=4, grain=.25, grain_scale=240, bump=.002, dirt=.4)
    surface('soil', (.05, .038, .028), .95, tone=.3, grain=.3, grain_scale=90)
    surface('pastry', (.50, .27, .09), .6, tone=.3, scale=30)
    surface('cork', (.42, .27, .15), .9, tone=.08, grain=.3, grain_scale=220)
    surface('door_grey', (.40, .41, .42), .45, tone=.05, wear=.2, dirt=.4)
    paint('sign_dark', (.035, .045, .06), .45)
    paint('banner0', (.04, .16, .33), .8)
    paint('banner1', (.48, .10, .05), .8)
    surface('pane', (.03, .036, .042), .06, tone=.3, spec=.8)
    for n, f in (('desk', desk), ('turnstiles', turnstiles), ('seats', seats), ('kiosk', kiosk), ('walls', walls), ('signs', signs), ('clutter', clutter)):
        g = Gather(n)
        f(g)
        g.done(.003)
    g = Gather('columns')
    columns(g, [(sx * 8, y) for sx in (-1, 1) for y in (6, 20)])
    g.done(.003)


def outdoors():
    b = bark()
    green = leaf_material('leaf_lime', (.075, .125, .03))
    dark = leaf_material('leaf_oak', (.05, .09, .022))
    kinds = [tree('lime', 3, 7.5, 2.5, 9000, green, b, .3, .14), tree('oak', 8, 12, 5, 15000, dark, b, .25, .17), tree('young', 5, 5.2, 1.6, 5000, green, b, .35, .11)]
    random.seed(31)
    for x in (-9.5, -15.5, 9.5, 16):
        put(kinds[2], (x, 39.1, .5), random.uniform(0, 360), random.uniform(.85, 1.1))
    for i, x in enumerate(range(-60, 64, 9)):
        if abs(x - 5) > 4:
            put(kinds[0], (x + random.uniform(-1, 1), 53, 0), random.uniform(0, 360), random.uniform(.85, 1.2))
    for _ in range(70):
        y = random.uniform(70, 200)
        x = random.uniform(-.5, .5) * y * 1.5
        put(kinds[random.choice((0, 1, 1))], (x, y, 0), random.uniform(0, 360), random.uniform(.8, 1.3))
    cars = ('scopia/peugeot-308', 'scopia/renault-scenic', 'scopia/seat_leon', 'scopia/suv', 'blendswap-cc-by/fordFocus', 'scopia/smart-car', 'scopia/van')
    for x, k in ((-23, 0), (-16.5, 3), (-10.5, 2), (10.5, 4), (16, 5), (21.5, 1), (-34, 6), (33, 2), (40, 0)):
        try:
            put(furniture(cars[k], (4.3, 4.4, 4.2, 4.6, 4.36, 2.7, 5.3)[k], 'xy'), (x, 43.4 if x < 30 else 49.9, -.14), 90 if k in () else 0)
        except Exception as e:
            print('car', cars[k], e)
    for i, x in enumerate((5.55, 7.1, 8.0)):
        try:
            put(furniture('scopia/bicycle', 1.75, 'xy'), (x, 32.5, 0), 84 + 6 * i)
        except Exception as e:
            print(e)
