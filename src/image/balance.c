#include "image/balance.h"

#include <math.h>
#include <pthread.h>

#define WARMEST 2500.0 /* kelvin */
#define COLDEST 10000.0
#define LOCUS 46        /* points on it, evenly in mired, from 1900 K to 20000 K */
#define NEAR 0.35       /* distance from the locus (log2) at which a colour hardly counts */
#define TINT 0.12       /* so far from the locus a light may be */
#define EVERY 4         /* pictures; the light changes slowly */
#define SPEED 0.05      /* of the way, each time */
#define SETTLE 0.015    /* log2; so near, it rests … */
#define WAKE 0.06       /* … until it is so far away */
#define OTHER_LIGHT 0.3 /* log2; nobody waits for that to change slowly */
#define STEPS 48        /* an octave */
#define MOST 3.0        /* gains, log2 */

struct colour { /* of light: log2 of red and blue to green */
    double red, blue;
};

static struct colour locus[LOCUS];
static pthread_once_t locus_made = PTHREAD_ONCE_INIT;

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Planckian locus as of Kim et al. (US 7024034), from CIE xy to linear BT.709. */
static struct colour planck(double kelvin)
{
    double t = 1000 / kelvin, x, y;
    if (kelvin < 4000)
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910;
    else
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390;
    if (kelvin < 2222)
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683;
    else if (kelvin < 4000)
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867;
    else
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483;
    double X = x / y, Z = (1 - x - y) / y;
    double r = 3.2404542 * X - 1.5371385 - 0.4985314 * Z;
    double g = -0.9692660 * X + 1.8760108 + 0.0415560 * Z;
    double b = fmax(0.0556434 * X - 0.2040259 + 1.0572252 * Z, 0.02);
    return (struct colour){log2(r / g), log2(b / g)};
}

static double mired_of(double index)
{
    return 1e6 / 20000 + index * (1e6 / 1900 - 1e6 / 20000) / (LOCUS - 1);
}

static double index_of(double kelvin)
{
    double mired = 1e6 / kelvin;
    return clamp((mired - mired_of(0)) / (mired_of(1) - mired_of(0)), 0, LOCUS - 1);
}

/* So that 6500 K is neutral to the last bit: what is shot in daylight stays as it is. */
static void make_locus(void)
{
    struct colour white = planck(6504);
    for (int i = 0; i < LOCUS; i++) {
        struct colour c = planck(1e6 / mired_of(i));
        locus[i] = (struct colour){c.red - white.red, c.blue - white.blue};
    }
}

static struct colour on_locus(double index)
{
    int i = (int)clamp(index, 0, LOCUS - 2);
    double f = index - i;
    return (struct colour){locus[i].red + f * (locus[i + 1].red - locus[i].red),
                           locus[i].blue + f * (locus[i + 1].blue - locus[i].blue)};
}

/* The nearest point between two indices, and how far away that is. */
static double nearest(struct colour c, double from, double to, double *ret_distance)
{
    double best = 1e9, at = from;
    for (int i = (int)from; i < LOCUS - 1 && i <= (int)to; i++) {
        struct colour a = locus[i], d = {locus[i + 1].red - a.red, locus[i + 1].blue - a.blue};
        double f = ((c.red - a.red) * d.red + (c.blue - a.blue) * d.blue) /
                   (d.red * d.red + d.blue * d.blue);
        double index = clamp(i + clamp(f, 0, 1), from, to);
        f = index - i;
        double x = c.red - a.red - f * d.red, y = c.blue - a.blue - f * d.blue;
        if (x * x + y * y < best) {
            best = x * x + y * y;
            at = index;
        }
    }
    *ret_distance = sqrt(best);
    return at;
}

void balance_gains(double kelvin, double magenta, double *ret_red, double *ret_blue)
{
    pthread_once(&locus_made, make_locus);
    struct colour c = on_locus(index_of(kelvin));
    *ret_red = exp2(-c.red - magenta);
    *ret_blue = exp2(-c.blue - magenta);
}

double balance_kelvin(double red, double blue)
{
    double distance;
    pthread_once(&locus_made, make_locus);
    if (!(red > 0) || !(blue > 0))
        return 0;
    struct colour c = {-log2(red), -log2(blue)};
    return 1e6 / mired_of(nearest(c, 0, LOCUS - 1, &distance));
}

/* Which lights are expected. */
static void range_of(int mode, double ev, double *ret_warm, double *ret_cold)
{
    double out = clamp((ev - 6) / 4, 0, 1); /* 0: as bright as indoors, 1: outdoors */
    *ret_warm = WARMEST + out * (4800 - WARMEST);
    *ret_cold = COLDEST + out * (8000 - COLDEST);
    if (mode == BALANCE_AUTO_INDOOR) {
        *ret_warm = WARMEST;
        *ret_cold = 5000;
    } else if (mode == BALANCE_AUTO_OUTDOOR) {
        *ret_warm = 4500;
        *ret_cold = COLDEST;
    }
}

bool balance_estimate(const struct measured *m, int mode, double ev, double *ret_log_red,
                      double *ret_log_blue)
{
    double mean = 0, weights = 0, counted = 0, warm, cold, distance;
    struct colour sum = {0};
    pthread_once(&locus_made, make_locus);
    for (int i = 0; i < ZONES; i++)
        mean += fmin(m->light[i], 1) / ZONES;
    for (int i = 0; i < ZONES; i += 2) { /* every other column will do */
        const float *c = m->rgb[i];
        if (m->light[i] < 0.15 * mean || m->clipped[i] > 0.05 || !(c[0] > 0) || !(c[1] > 0) ||
            !(c[2] > 0))
            continue;
        struct colour seen = {log2f(c[0] / c[1]), log2f(c[2] / c[1])};
        nearest(seen, 0, LOCUS - 1, &distance);
        double w = exp(-distance * distance / (NEAR * NEAR)) * sqrt(fmin(m->light[i], 1));
        sum.red += w * seen.red;
        sum.blue += w * seen.blue;
        weights += w;
        counted += exp(-distance * distance / (NEAR * NEAR));
    }
    if (counted < 0.05 * ZONES / 2)
        return false;
    struct colour light = {sum.red / weights, sum.blue / weights};
    range_of(mode, ev, &warm, &cold);
    struct colour at = on_locus(nearest(light, index_of(cold), index_of(warm), &distance));
    double keep = distance > TINT ? TINT / distance : 1;
    *ret_log_red = -(at.red + keep * (light.red - at.red));
    *ret_log_blue = -(at.blue + keep * (light.blue - at.blue));
    return true;
}

/* ---- the loop ---- */

/* Modes that are one light: kelvin, and how much its green exceeds that of the locus. */
static const struct {
    double kelvin, green;
} lights[] = {
    [BALANCE_OUTDOOR1] = {5500, 0}, [BALANCE_OUTDOOR2] = {6500, 0}, [BALANCE_INDOOR] = {2800, 0},
    [BALANCE_FLUOR1] = {4000, 0.1}, [BALANCE_FLUOR2] = {2900, 0.1}, [BALANCE_MERCURY] = {4200, 0.3},
    [BALANCE_SODIUM] = {2050, 0},
};

static void hold_at(struct balance *b, double red, double blue)
{
    b->red = red;
    b->blue = blue;
    b->log_red = log2(red);
    b->log_blue = log2(blue);
    b->settled = true;
}

static void follow(struct balance *b, const struct eye_settings *s, const struct measured *m,
                   double ev, bool jump)
{
    double red, blue;
    if (!jump && b->pictures++ % EVERY)
        return;
    if (!balance_estimate(m, s->balance, ev, &red, &blue))
        return;
    double off = fmax(fabs(red - b->log_red), fabs(blue - b->log_blue));
    jump &= !b->known || off > OTHER_LIGHT; /* else the next viewer sees what the last one saw */
    b->known = true;
    if (!jump && off < (b->settled ? WAKE : SETTLE)) {
        b->settled = true;
        return;
    }
    double part = jump ? 1 : SPEED;
    b->settled = jump;
    b->log_red = clamp(b->log_red + part * (red - b->log_red), -MOST, MOST);
    b->log_blue = clamp(b->log_blue + part * (blue - b->log_blue), -MOST, MOST);
    b->red = exp2(round(b->log_red * STEPS) / STEPS);
    b->blue = exp2(round(b->log_blue * STEPS) / STEPS);
}

void balance_step(struct balance *b, const struct eye_settings *s, const struct measured *m,
                  double ev, bool jump)
{
    double red, blue;
    if (!(b->red > 0))
        hold_at(b, 1, 1);
    switch (s->balance) {
    case BALANCE_HOLD:
        break;
    case BALANCE_MANUAL:
        hold_at(b, exp2((s->red - 50) / 25.0), exp2((s->blue - 50) / 25.0));
        break;
    case BALANCE_AUTO:
    case BALANCE_AUTO_INDOOR:
    case BALANCE_AUTO_OUTDOOR:
        follow(b, s, m, ev, jump);
        break;
    default:
        balance_gains(lights[s->balance].kelvin, -lights[s->balance].green, &red, &blue);
        hold_at(b, red, blue);
    }
}
