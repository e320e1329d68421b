#include "image/exposure.h"

#include <math.h>
#include <string.h>

#define MIDDLE_GREY 0.25 /* linear mean that is right */
#define LEVEL_STOPS 2.0  /* at the ends of the slider */
#define HIGHLIGHTS 4.0   /* zones that are so much brighter than wanted count no more than that */
#define DB_A_STOP (20 * log10(2))

#define STEPS 24     /* a stop: what is asked for stands in such steps */
#define SETTLE 0.042 /* so near, in stops, and it rests … */
#define WAKE 0.125   /* … until it is so far away */
#define FAR 0.7      /* two pictures in a row: something has happened */
#define FASTER 0.65  /* of the way in a picture, when too bright */
#define SLOWER 0.5
#define CRISP_NS 8e6  /* a longer time only when the iris is open */
#define RESTING_F 4.0 /* the iris while there is light enough */

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* ---- metering ---- */

static void fill(float *w, float v)
{
    for (int i = 0; i < ZONES; i++)
        w[i] = v;
}

/* All of it, the middle more. */
static void weigh_automatic(float *w)
{
    for (int y = 0; y < ZONES_DOWN; y++)
        for (int x = 0; x < ZONES_ACROSS; x++) {
            double dx = (x + 0.5) / ZONES_ACROSS - 0.5, dy = (y + 0.5) / ZONES_DOWN - 0.5;
            *w++ = (float)(0.5 + exp(-(dx * dx + dy * dy) / 0.08));
        }
}

static void weigh_custom(const struct eye_settings *s, float *ret)
{
    float box[ZONES];
    bool any = false;
    fill(ret, 0);
    for (int kind = ZONE_INCLUDE; kind <= ZONE_EXCLUDE; kind++)
        for (int i = 0; i < EYE_ZONES; i++) {
            if (s->exposure.zone[i].kind != kind)
                continue;
            any |= kind == ZONE_INCLUDE;
            measure_box(&s->exposure.zone[i].box, s->rotation, box);
            for (int z = 0; z < ZONES; z++)
                ret[z] = kind == ZONE_INCLUDE ? fmaxf(ret[z], box[z]) : fminf(ret[z], 1 - box[z]);
        }
    float sum = 0;
    for (int z = 0; z < ZONES; z++)
        sum += ret[z];
    if (!any || sum < 0.01f) /* nothing is left to be metered */
        weigh_automatic(ret);
}

void exposure_weights(const struct eye_settings *s, float ret[ZONES])
{
    static const struct picture_box boxes[] = {
        [WINDOW_CENTER] = {2500, 7499, 2500, 7499}, [WINDOW_UPPER] = {0, 9999, 0, 4999},
        [WINDOW_LOWER] = {0, 9999, 5000, 9999},     [WINDOW_LEFT] = {0, 4999, 0, 9999},
        [WINDOW_RIGHT] = {5000, 9999, 0, 9999},     [WINDOW_SPOT] = {4375, 5624, 4444, 5555},
    };
    switch (s->exposure.window) {
    case WINDOW_AUTO:
        weigh_automatic(ret);
        break;
    case WINDOW_FULL:
        fill(ret, 1);
        break;
    case WINDOW_CUSTOM:
        weigh_custom(s, ret);
        break;
    default:
        measure_box(&boxes[s->exposure.window], s->rotation, ret);
    }
}

double exposure_target(const struct eye_settings *s)
{
    return MIDDLE_GREY * exp2((s->exposure.level - 50) / 50.0 * LEVEL_STOPS);
}

/* What is white is brighter than it looks, nobody knows how much: the more of it, the more. */
static float guess(const struct measured *m, int zone)
{
    return m->light[zone] * (1 + 3 * m->clipped[zone]);
}

double exposure_error(const struct measured *m, const float weight[ZONES], double target)
{
    float light[ZONES], most = (float)(HIGHLIGHTS * target);
    double weights = 0, error = 0;
    for (int i = 0; i < ZONES; i++) {
        light[i] = guess(m, i);
        weights += weight[i];
    }
    if (!(weights > 0))
        return 0;
    for (int round = 0; round < 8; round++) { /* the limit makes it less than proportional */
        float gain = (float)exp2(error), sum = 0;
        for (int i = 0; i < ZONES; i++)
            sum += weight[i] * fminf(light[i] * gain, most);
        double step = log2(target / fmax(sum / weights, 1e-6));
        error = clamp(error + step, -12, 12);
        if (fabs(step) < 1e-3)
            break;
    }
    return error;
}

/* ---- sharing out ---- */

double exposure_iris(const struct exposure_limits *l, int aperture)
{
    return l->open_f * pow(l->closed_f / l->open_f, 1 - aperture / 100.0);
}

int exposure_aperture(const struct exposure_limits *l, double iris_f)
{
    if (l->closed_f <= l->open_f)
        return 100;
    double closed = log(iris_f / l->open_f) / log(l->closed_f / l->open_f);
    return (int)lround(100 * (1 - clamp(closed, 0, 1)));
}

/* Half a period of the mains, at which lamps shine alike; 0: does not matter. */
static double beat_ns(int mode)
{
    switch (mode) {
    case EXPOSURE_FREE_50:
    case EXPOSURE_REDUCED_50:
        return 1e9 / 100;
    case EXPOSURE_FREE_60:
    case EXPOSURE_REDUCED_60:
        return 1e9 / 120;
    default:
        return 0;
    }
}

static double gain_db(const struct exposure_limits *l, int percent)
{
    return l->sensor_db * percent / 100;
}

static double manual_ns(const struct eye_settings *s, const struct exposure_limits *l)
{
    return clamp(s->exposure.manual_us * 1e3, l->sensor_shortest_ns, l->sensor_longest_ns);
}

/* Time, iris, then time and gain together, in the shares of the priority. */
struct program {
    double shortest, crisp, longest; /* ns */
    double open, resting, closed;    /* f */
    double least, most;              /* dB */
    double beat;                     /* ns; 0: any time will do */
};

static void program_of(const struct eye_settings *s, const struct exposure_limits *l, double stops,
                       struct program *p)
{
    *p = (struct program){.shortest = l->shortest_ns,
                          .longest = l->longest_ns,
                          .open = l->open_f,
                          .closed = l->closed_f,
                          .least = l->least_db,
                          .most = l->most_db};
    int mode = s->exposure.mode;
    if (s->exposure.aperture_locked || mode == EXPOSURE_APERTURE)
        p->open = p->closed = exposure_iris(l, s->exposure.aperture);
    if (mode == EXPOSURE_SHUTTER)
        p->shortest = p->longest = manual_ns(s, l);
    p->resting = clamp(EXPOSURE_RESTING_F, p->open, p->closed);
    p->crisp = clamp(CRISP_NS, p->shortest, p->longest);
    double beat = beat_ns(mode);
    if (beat == 0)
        return;
    bool reduced = mode == EXPOSURE_REDUCED_50 || mode == EXPOSURE_REDUCED_60;
    if (reduced && stops < exposure_stops(beat, p->least, p->closed)) {
        p->open = p->resting = p->closed; /* brighter than the iris can help */
        p->crisp = p->longest;
        return;
    }
    if (beat > l->sensor_longest_ns)
        return;
    p->beat = beat;
    p->shortest = p->crisp = beat; /* a limit shorter than that cannot be kept */
    p->longest = fmax(floor(p->longest / beat + 1e-6), 1) * beat;
}

void exposure_share(const struct eye_settings *s, const struct exposure_limits *l, double stops,
                    struct exposure_choice *ret)
{
    struct program p;
    program_of(s, l, stops, &p);
    double ns = exp2(stops - exposure_stops(1, p.least, p.resting)), f = p.resting, db = p.least;
    if (ns < p.shortest) {
        f = clamp(p.resting * sqrt(p.shortest / ns), p.resting, p.closed);
        ns = p.shortest;
    } else if (ns > p.crisp) {
        f = clamp(p.resting * sqrt(p.crisp / ns), p.open, p.resting);
        ns = p.crisp;
        double left = fmax(stops - exposure_stops(ns, db, f), 0);
        double of_time = log2(p.longest / ns), of_gain = (p.most - p.least) / DB_A_STOP;
        double gain = clamp(left * s->exposure.priority / 100, 0, of_gain);
        double time = clamp(left - gain, 0, of_time);
        if (p.beat > 0) /* whole periods; gain fills up */
            time = log2(fmax(floor(ns * exp2(time) / p.beat + 1e-6), 1) * p.beat / ns);
        gain = clamp(left - time, 0, of_gain);
        ns *= exp2(time);
        db += gain * DB_A_STOP;
    }
    *ret = (struct exposure_choice){.ns = (int64_t)llround(ns), .gain_db = db, .iris_f = f};
}

void exposure_correct(const struct eye_settings *s, const struct exposure_limits *l, double iris_f,
                      struct exposure_choice *c)
{
    double more = 2 * log2(iris_f / c->iris_f), ns = (double)c->ns;
    if (s->exposure.mode == EXPOSURE_MANUAL || s->exposure.mode == EXPOSURE_HOLD ||
        fabs(more) < 0.02)
        return;
    bool time = beat_ns(s->exposure.mode) == 0 && s->exposure.mode != EXPOSURE_SHUTTER;
    double least = -(c->gain_db - l->least_db) / DB_A_STOP;
    double most = (l->most_db - c->gain_db) / DB_A_STOP, of_time = 0;
    if (time && more > 0)
        of_time = clamp(more, 0, fmax(log2(l->longest_ns / ns), 0));
    else if (time && more < least)
        of_time = clamp(more - least, fmin(log2(l->shortest_ns / ns), 0), 0);
    c->ns = llround(ns * exp2(of_time));
    c->gain_db += clamp(more - of_time, fmin(least, 0), fmax(most, 0)) * DB_A_STOP;
}

/* ---- the loop ---- */

/* Pictures after which the picture rate and the lamps are in step again, so that a mean over
 * so many does not ripple. */
static unsigned beat_pictures(const struct eye_settings *s, double fps)
{
    double lamps = s->mains == MAINS_60HZ ? 120 : 100;
    for (unsigned n = 1; n < EXPOSURE_MEAN; n++) {
        double periods = n * lamps / fmax(fps, 1);
        if (fabs(periods - round(periods)) < 1e-3)
            return n;
    }
    return EXPOSURE_MEAN;
}

static double mean(const struct exposure *e, unsigned n)
{
    double sum = 0;
    n = n < e->n_seen ? n : e->n_seen;
    for (unsigned i = 0; i < n; i++)
        sum += e->seen[i];
    return n ? sum / n : e->stops;
}

static void remember(struct exposure *e, double wanted, bool jump)
{
    double off = wanted - mean(e, EXPOSURE_MEAN);
    if (fabs(off) < FAR || e->n_seen == 0)
        e->away = 0;
    else
        e->away = off > 0 ? (e->away > 0 ? e->away + 1 : 1) : (e->away < 0 ? e->away - 1 : -1);
    if (jump || e->away >= 2 || e->away <= -2)
        e->n_seen = 0; /* what was before counts no more */
    memmove(e->seen + 1, e->seen, (EXPOSURE_MEAN - 1) * sizeof(*e->seen));
    e->seen[0] = wanted;
    e->n_seen += e->n_seen < EXPOSURE_MEAN;
}

static double quantised(double stops)
{
    return round(stops * STEPS) / STEPS;
}

static void move(struct exposure *e, const struct eye_settings *s, const struct exposure_limits *l,
                 bool jump)
{
    struct exposure_choice least, most;
    exposure_share(s, l, -60, &least);
    exposure_share(s, l, 60, &most);
    double darkest = exposure_stops((double)least.ns, least.gain_db, least.iris_f);
    double brightest = exposure_stops((double)most.ns, most.gain_db, most.iris_f);
    unsigned beat = beat_pictures(s, l->fps);
    double wanted = clamp(mean(e, beat), darkest, brightest), off = wanted - e->stops;
    double slow = clamp(mean(e, EXPOSURE_MEAN), darkest, brightest) - e->stops;
    if (jump && !(e->settled && fabs(off) <= 1.5 * SETTLE)) {
        e->stops = quantised(wanted);
        e->settled = true;
        return;
    }
    if (e->settled && fabs(slow) < WAKE && (fabs(off) < 3 * WAKE || e->n_seen < beat))
        return;
    double next = quantised(e->stops + off * (off < 0 ? FASTER : SLOWER));
    e->settled = fabs(off) <= SETTLE || next == e->stops;
    if (!e->settled)
        e->stops = next;
}

void exposure_step(struct exposure *e, const struct eye_settings *s,
                   const struct exposure_limits *l, const struct measured *m,
                   const float weight[ZONES], double bias, bool jump)
{
    double needs = exposure_error(m, weight, exposure_target(s)) + bias;
    e->error = -needs;
    if (s->exposure.mode == EXPOSURE_HOLD && e->choice.ns > 0) {
        e->settled = true;
        return;
    }
    if (s->exposure.mode == EXPOSURE_MANUAL) {
        e->choice = (struct exposure_choice){.ns = (int64_t)manual_ns(s, l),
                                             .gain_db = gain_db(l, s->exposure.manual_gain),
                                             .iris_f = exposure_iris(l, s->exposure.aperture)};
        e->stops = exposure_stops((double)e->choice.ns, e->choice.gain_db, e->choice.iris_f);
        e->n_seen = 0;
        e->settled = true;
        return;
    }
    if (bias != e->bias) { /* the tone curve changes at once, and so must this */
        double more = quantised(bias - e->bias);
        e->stops += more;
        for (unsigned i = 0; i < e->n_seen; i++)
            e->seen[i] += more;
        e->bias += more;
    }
    remember(e, m->stops + needs, jump);
    move(e, s, l, jump);
    exposure_share(s, l, e->stops, &e->choice);
}
