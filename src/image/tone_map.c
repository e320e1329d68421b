#include "image/tone_map.h"

#include <math.h>
#include <string.h>

#define WHITE_MANY 0.004 /* share of white samples from which on the range grows … */
#define WHITE_FEW 0.0005 /* … and below which, with some room, it may shrink */
#define HEADROOM 2.0     /* the plain curve's shoulder takes so much */
#define WAIT 6           /* pictures between two changes of the range */
#define ROOM 1.5         /* it shrinks when so much more would fit; what needs it looks white */
#define RASH 60          /* pictures; who grows again so soon after shrinking … */
#define PATIENCE 1800    /* … shrinks no more for so many */
#define SPEED 0.3        /* of the way, a picture */
#define SETTLE 0.06      /* stops */
#define WAKE 0.35
#define GRID_STEPS 16  /* a stop: gains stand in such steps */
#define MOST_BIAS 4.0  /* stops */
#define DARK_SHARE 0.1 /* of the picture */
#define DARK_SLOPE 0.75
#define DARK_FROM 2.5 /* stops below what the exposure aims at … */
#define DARK_MOST 9.0
#define DARK_BAND 0.6
#define DARKEST (-9.0) /* light below that (log2) is noise */

enum level { LOW, MEDIUM, HIGH };

static enum level level_of(const struct eye_settings *s)
{
    return s->wdr_level <= 33 ? LOW : s->wdr_level <= 66 ? MEDIUM : HIGH;
}

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* ---- range ---- */

static double most_range(const struct eye_settings *s, const struct tone_limits *l)
{
    static const double most[] = {[LOW] = 4, [MEDIUM] = 16, [HIGH] = 1024};
    return s->wdr && l->range && l->tone ? fmin(most[level_of(s)], l->most_range) : 1;
}

/* Share of the picture that is brighter than so many times the long exposure's white. */
static double share_above(const struct measured *m, double light)
{
    double sum = 0;
    for (int i = (int)ceil(4 * (log2(light) + 16)); i < SHOT_BINS; i++)
        sum += i >= 0 ? m->bins[i] : 0;
    return sum;
}

static void choose_range(struct tone_map *t, const struct measured *m, double range, double most,
                         bool jump)
{
    double white = 0;
    for (int i = 0; i < ZONES; i++)
        white += m->clipped[i] / ZONES;
    double least = fmin(HEADROOM, most);
    t->range = fmin(fmax(t->range, least), most);
    if (range != t->range || (t->wait > 0 && t->wait-- && !jump))
        return; /* the picture is not yet as asked for */
    double before = t->range;
    t->since_less += t->since_less < PATIENCE;
    t->patience -= t->patience > 0;
    if (fmax(white, share_above(m, t->range / ROOM)) > WHITE_MANY) {
        t->range = fmin(4 * t->range, most);
        if (t->since_less < RASH) /* that was wrong */
            t->patience = PATIENCE;
    } else {
        while (t->patience == 0 && t->range > least &&
               white + share_above(m, t->range / 2 / ROOM) < WHITE_FEW)
            t->range = fmax(t->range / 2, least);
    }
    if (t->range < before)
        t->since_less = 0;
    if (t->range != before)
        t->wait = WAIT;
}

/* What is dark has less noise when all is exposed longer, which the range then makes room for:
 * half of what it is too dark by, at the level high. The light that a tenth of the picture is
 * below is a thing of the scene, however long it was exposed. */
static void look_for_dark(struct tone_map *t, const struct eye_settings *s,
                          const struct measured *m, double target)
{
    double share = 0, stops = 0;
    int i = 0;
    while (i < SHOT_BINS - 1 && (share += m->bins[i]) < DARK_SHARE)
        i++;
    stops = log2(target) - (i / 4.0 - 16);
    double dark = clamp((fmin(stops, DARK_MOST) - DARK_FROM) * DARK_SLOPE, 0, MOST_BIAS);
    if (level_of(s) != HIGH || !s->wdr || t->range <= HEADROOM)
        t->dark = 0;
    else if (fabs(dark - t->dark) > DARK_BAND)
        t->dark = round(2 * dark) / 2;
}

double tone_map_bias(const struct tone_map *t, const struct eye_settings *s)
{
    static const double share[] = {[LOW] = 0.15, [MEDIUM] = 0.25, [HIGH] = 0.35};
    double over = log2(t->range / HEADROOM), bias = share[level_of(s)] * over;
    return over > 0 ? fmin(fmax(bias, t->dark), MOST_BIAS) : 0;
}

/* ---- curve ---- */

#define KNEE 0.25
#define END_SLOPE 0.5 /* at the range: what is brightest keeps differences, too */
/* Light up to `range` below 1: as it is up to the knee, then ever flatter over its logarithm:
 * a cubic from knee to range whose slope begins like that of what lies below. */
static double compress(double light, double range)
{
    if (light <= KNEE || range <= 1)
        return light;
    double span = log(range / KNEE), x = fmin(log(light / KNEE) / span, 1);
    double p = span * KNEE / (1 - KNEE);
    double q = END_SLOPE;
    double y =
        p < 3 ? p * x + (3 - 2 * p - q) * x * x + (p + q - 2) * x * x * x : 1 - pow(1 - x, p);
    return KNEE + (1 - KNEE) * y;
}

static double slide(double signal, int brightness, int contrast)
{
    double steep = exp2((contrast - 50) / 50.0), up = (brightness - 50) / 200.0;
    return clamp((signal - 0.5) * steep + 0.5 + up, 0, 1);
}

void tone_map_curve(double range, double bias, int brightness, int contrast, struct tone *ret)
{
    struct tone plain;
    tone_plain(&plain);
    *ret = plain;
    bool bare = range > 1 && range <= HEADROOM && bias == 0;
    float last = 0;
    for (int i = 0; i < TONE_POINTS; i++) {
        double light = exp2((double)i / TONE_STEPS + TONE_LEAST_LOG2), signal = plain.signal[i];
        if (!bare) { /* BT.709's curve, of the light without the bias, compressed */
            light = fmin(compress(light / exp2(bias), fmax(range / exp2(bias), 1)), 1);
            signal = light < 0.018 ? 4.5 * light : 1.099 * pow(light, 0.45) - 0.099;
        }
        if (brightness != 50 || contrast != 50)
            signal = slide(signal, brightness, contrast);
        ret->signal[i] = fmaxf((float)signal, last); /* never falls */
        last = ret->signal[i];
    }
}

/* ---- local ---- */

/* Stops of each zone about what the exposure aims at, smooth over its neighbours. */
static void look(const struct measured *m, double target, float ret[ZONES])
{
    float stops[ZONES], row[ZONES];
    for (int i = 0; i < ZONES; i++)
        stops[i] = log2f(fmaxf(m->light[i], (float)exp2(DARKEST))) - (float)log2(target);
    for (int y = 0; y < ZONES_DOWN; y++)
        for (int x = 0; x < ZONES_ACROSS; x++) {
            int l = x > 0 ? x - 1 : 0, r = x < ZONES_ACROSS - 1 ? x + 1 : x;
            const float *z = stops + y * ZONES_ACROSS;
            row[y * ZONES_ACROSS + x] = (z[l] + 2 * z[x] + z[r]) / 4;
        }
    for (int y = 0; y < ZONES_DOWN; y++)
        for (int x = 0; x < ZONES_ACROSS; x++) {
            int u = y > 0 ? y - 1 : 0, d = y < ZONES_DOWN - 1 ? y + 1 : y;
            ret[y * ZONES_ACROSS + x] = (row[u * ZONES_ACROSS + x] + 2 * row[y * ZONES_ACROSS + x] +
                                         row[d * ZONES_ACROSS + x]) /
                                        4;
        }
}

/* Share of what parts of the picture differ by that is taken away. */
static double pull_of(const struct eye_settings *s)
{
    static const double pull[] = {[LOW] = 0.25, [MEDIUM] = 0.4, [HIGH] = 0.6};
    return clamp(pull[level_of(s)] * s->tone_mapping / 50, 0, 0.8);
}

static void make_grid(struct tone_map *t, const struct eye_settings *s)
{
    static const double most[] = {[LOW] = 3, [MEDIUM] = 3, [HIGH] = 4};
    double share = pull_of(s), far = most[level_of(s)];
    for (int i = 0; i < ZONES; i++) {
        double stops = clamp(-share * t->seen[i], -far, far);
        (&t->tone.stops[0][0])[i] = (float)(round(stops * GRID_STEPS) / GRID_STEPS);
    }
}

static void follow_zones(struct tone_map *t, const struct eye_settings *s, const struct measured *m,
                         double target, bool anew, bool jump)
{
    float now[ZONES], far = 0;
    look(m, target, now);
    jump |= !t->tone.local;
    for (int i = 0; i < ZONES; i++)
        far = fmaxf(far, fabsf(now[i] - t->seen[i]));
    if (jump)
        memcpy(t->seen, now, sizeof(now));
    else if (far > WAKE)
        t->moving = true;
    if (t->moving)
        for (int i = 0; i < ZONES; i++)
            t->seen[i] += (float)SPEED * (now[i] - t->seen[i]);
    if (far < SETTLE + WAKE / 2)
        t->moving = false;
    t->tone.local = true;
    if (jump || anew || t->moving)
        make_grid(t, s);
}

void tone_map_step(struct tone_map *t, const struct eye_settings *s, const struct tone_limits *l,
                   const struct measured *m, double range, double target, bool jump)
{
    choose_range(t, m, range, most_range(s, l), jump);
    if (!l->tone)
        return;
    look_for_dark(t, s, m, target * exp2(tone_map_bias(t, s)));
    double bias = tone_map_bias(t, s);
    double pull = pull_of(s);
    bool same = t->made && t->made_pull == pull && t->made_range == t->range &&
                t->made_bias == bias && t->made_brightness == s->brightness &&
                t->made_contrast == s->contrast;
    if (!same) {
        bool local = t->tone.local;
        float stops[TONE_DOWN][TONE_ACROSS];
        memcpy(stops, t->tone.stops, sizeof(stops));
        tone_map_curve(t->range, bias, s->brightness, s->contrast, &t->tone);
        t->tone.local = local;
        memcpy(t->tone.stops, stops, sizeof(stops));
        t->made = true;
        t->made_pull = pull;
        t->made_range = t->range;
        t->made_bias = bias;
        t->made_brightness = s->brightness;
        t->made_contrast = s->contrast;
    }
    if (t->range > HEADROOM && s->tone_mapping > 0)
        follow_zones(t, s, m, target * exp2(bias), !same, jump);
    else
        t->tone.local = false;
}
