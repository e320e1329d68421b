#include "device/virtual/sound/mic.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/cast/cast.h"
#include "device/virtual/cast/chance.h"
#include "device/virtual/sound/tones.h"
#include "device/virtual/stage/stage.h"

#define SCENES 8      /* moments that are kept: a step rings for some blocks */
#define FAR_M 90      /* farther is not heard */
#define STEP_FAR_M 35 /* likewise: steps, talk */
#define STRIKES 48    /* of feet from one moment to the next */
#define STEP_RINGS 5  /* blocks */
#define TALKERS 3     /* the nearest ones that are heard */
#define LINE_HZ 1000
#define LINE_LOUD 0.25
#define BELL_EVERY_S 300.0
#define BELL_RINGS_S 9.0

/* Whoever is near, at a moment k · 20 ms. */
struct scene {
    int64_t k; /* -1: none */
    size_t n;
    struct member who[CAST_MOST];
    double loud[CAST_MOST]; /* 1 at 1 m; 0: too far */
    bool stepped;           /* strike[] is known */
    unsigned n_strikes;     /* from the moment before to this one */
    struct strike {
        double at_s, loud;
        uint64_t seed;
        bool soft; /* paws */
    } strike[STRIKES];
};

struct virtual_mic {
    struct mic mic;
    struct virtual_ears ears;
    uint64_t seed;
    int input; /* 0: the microphone; 1: line level, where a tone comes in */
    struct scene scene[SCENES];
};

static struct virtual_mic *of(struct mic *m)
{
    return (struct virtual_mic *)((char *)m - offsetof(struct virtual_mic, mic));
}

static double moment_s(int64_t k)
{
    return (double)k * (double)SOUND_BLOCK_NS / 1e9;
}

/* ---- who is there ---- */

static double loudness(const struct virtual_mic *v, const struct pose *p, struct vec at)
{
    struct vec to = vec_sub(at, v->ears.at);
    double far = vec_len(to);
    if (far > FAR_M)
        return 0;
    double ahead = 0;
    if (p->known) {
        double pan = p->pan_deg * M_PI / 180;
        ahead = far > 0 ? (to.x * sin(pan) + to.y * cos(pan)) / far : 1;
    }
    double loud = (0.8 + 0.2 * ahead) / (far < 1 ? 1 : far);
    return loud * (1 - far / FAR_M); /* nobody begins at once */
}

static struct scene *scene_at(struct virtual_mic *v, int64_t k)
{
    struct scene *s = &v->scene[((k % SCENES) + SCENES) % SCENES];
    if (s->k == k)
        return s;
    int64_t time_ns = k > 0 ? k * SOUND_BLOCK_NS : 0;
    struct pose pose = {.known = false};
    if (v->ears.head)
        v->ears.head->ops->pose(v->ears.head, time_ns, &pose);
    s->k = k;
    s->stepped = false;
    s->n = k >= 0 ? cast_at(v->ears.cast, time_ns, s->who, CAST_MOST) : 0;
    for (size_t i = 0; i < s->n; i++)
        s->loud[i] = loudness(v, &pose, s->who[i].at);
    return s;
}

/* The same one a moment before or after; they stand in a stable order. */
static size_t find(const struct scene *s, const char *id, size_t about)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t at = (about + i) % s->n;
        if (!strcmp(s->who[at].id, id))
            return at;
    }
    return SIZE_MAX;
}

static double turned(double from, double to)
{
    double d = to - from;
    return d - floor(d + 0.5);
}

static bool is(const struct member *m, const char *class_name)
{
    return m->class_name && !strcmp(m->class_name, class_name);
}

static uint64_t seed_of(const struct virtual_mic *v, const char *id)
{
    uint64_t h = v->seed;
    while (*id)
        h = chance_mix(h ^ (uint64_t)(unsigned char)*id++) + 1;
    return h;
}

/* ---- steps ---- */

static void strike(struct scene *s, double at_s, double loud, uint64_t seed, bool soft)
{
    if (s->n_strikes < STRIKES)
        s->strike[s->n_strikes++] = (struct strike){at_s, loud, seed, soft};
}

/* Feet that came down from the moment before to this one. */
static void find_strikes(struct virtual_mic *v, struct scene *s)
{
    const struct scene *before = scene_at(v, s->k - 1);
    s->stepped = true;
    s->n_strikes = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct member *m = &s->who[i];
        bool dog = is(m, "dog");
        if (s->loud[i] < 1.0 / STEP_FAR_M * (1 - (double)STEP_FAR_M / FAR_M) ||
            !(dog || is(m, "person")) || m->gait == GAIT_STAND || m->speed_m_s < 0.1)
            continue;
        size_t was = find(before, m->id, i);
        if (was == SIZE_MAX)
            continue;
        int feet = dog ? 4 : 2;
        double from = before->who[was].phase * feet;
        double turn = turned(before->who[was].phase, m->phase) * feet;
        if (turn <= 0 || floor(from + turn) <= floor(from))
            continue;
        double part = (floor(from) + 1 - from) / turn;
        double weight = m->gait == GAIT_RUN ? 1.7 : dog ? 0.3 : 1;
        strike(s, moment_s(s->k - 1) + part * moment_s(1), s->loud[i] * weight,
               chance_of(seed_of(v, m->id), (uint64_t)s->k, 2), dog);
    }
}

static void add_steps(struct virtual_mic *v, struct block *b, int64_t k)
{
    for (int64_t j = k - STEP_RINGS; j <= k; j++) {
        struct scene *s = scene_at(v, j + 1);
        if (!s->stepped)
            find_strikes(v, s);
        for (unsigned i = 0; i < s->n_strikes; i++) {
            const struct strike *t = &s->strike[i];
            double hz = 75 + 40 * chance_unit(t->seed);
            if (!t->soft)
                tone_ring(b, t->at_s, hz, 0.012, t->loud * 0.9);
            tone_burst(b, t->seed, t->at_s, t->soft ? 5000 : 2600, 0.009, t->loud * 0.8);
            if (!t->soft) /* the ball of the foot, after the heel */
                tone_burst(b, t->seed + 1, t->at_s + 0.028, 4200, 0.006, t->loud * 0.3);
        }
    }
}

/* ---- vehicles ---- */

/* Firings of the engine a turn of the wheels, by gear; m/s up to which it is in. */
static const struct {
    double up_to;
    int firings;
} gears[] = {{3, 34}, {7, 20}, {12, 13}, {19, 9}, {1e9, 7}};
#define SHIFT_M_S 0.6 /* on both sides of it two gears are heard */

static double share_of_gear(size_t g, double speed)
{
    double low = g ? gears[g - 1].up_to : -1e9, high = gears[g].up_to;
    double in = (speed - low) / SHIFT_M_S + 0.5, out = (high - speed) / SHIFT_M_S + 0.5;
    in = in < 0 ? 0 : in > 1 ? 1 : in;
    out = out < 0 ? 0 : out > 1 ? 1 : out;
    return in * out;
}

static double heavy(const struct member *m)
{
    return is(m, "bus") || is(m, "truck") ? 2.2 : is(m, "motorcycle") ? 1.5 : 1;
}

static void add_vehicle(struct virtual_mic *v, struct block *b, const struct member *from,
                        const struct member *to, struct swell loud)
{
    uint64_t seed = seed_of(v, from->id);
    double v0 = fabs(from->speed_m_s), v1 = fabs(to->speed_m_s);
    double t0 = from->phase, t1 = from->phase + turned(from->phase, to->phase);
    bool engine = !is(from, "bicycle");
    double roll = engine ? 0.35 : 0.04;
    tone_hiss(b, seed + 1, 700,
              (struct swell){loud.from * roll * v0 / 14, loud.to * roll * v1 / 14});
    tone_hiss(b, seed + 2, 2200,
              (struct swell){loud.from * roll * 0.5 * v0 / 14, loud.to * roll * 0.5 * v1 / 14});
    if (!engine)
        return;
    double big = heavy(from);
    for (size_t g = 0; g < sizeof(gears) / sizeof(*gears); g++) {
        /* as it begins to roll the idling engine takes over */
        double a = share_of_gear(g, v0) * (v0 < 1 ? v0 : 1);
        double c = share_of_gear(g, v1) * (v1 < 1 ? v1 : 1);
        int n = (int)(gears[g].firings / (big > 2 ? 1.6 : 1));
        n += n % 2; /* half of it is whole, too */
        tone_engine(b, t0, t1, n, (struct swell){loud.from * a * big, loud.to * c * big});
    }
    double idle_hz = (is(from, "motorcycle") ? 34 : 26) / (big > 2 ? 1.4 : 1);
    double end_s = b->start_s + moment_s(1);
    double i0 = v0 < 1 ? 0.5 * (1 - v0) : 0, i1 = v1 < 1 ? 0.5 * (1 - v1) : 0;
    tone_engine(b, fmod(b->start_s * idle_hz, 1) / 1,
                fmod(b->start_s * idle_hz, 1) + (end_s - b->start_s) * idle_hz, 2,
                (struct swell){loud.from * i0 * big, loud.to * i1 * big});
}

static bool drives(const struct member *m)
{
    return is(m, "car") || is(m, "van") || is(m, "bus") || is(m, "truck") || is(m, "motorcycle") ||
           is(m, "bicycle");
}

static void add_vehicles(struct virtual_mic *v, struct block *b, int64_t k)
{
    const struct scene *from = scene_at(v, k), *to = scene_at(v, k + 1);
    for (size_t i = 0; i < from->n; i++) {
        const struct member *m = &from->who[i];
        if (!drives(m) || (!m->headlights && m->speed_m_s == 0)) /* parked: nobody drives it */
            continue;
        size_t then = find(to, m->id, i);
        struct swell loud = {from->loud[i], then == SIZE_MAX ? 0 : to->loud[then]};
        if (loud.from > 0 || loud.to > 0)
            add_vehicle(v, b, m, then == SIZE_MAX ? m : &to->who[then], loud);
    }
}

/* ---- talk ---- */

static void add_talk(struct virtual_mic *v, struct block *b, int64_t k)
{
    const struct scene *s = scene_at(v, k);
    size_t best[TALKERS], n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!is(&s->who[i], "person") || s->who[i].speed_m_s > 0.1 ||
            s->loud[i] < 1.0 / STEP_FAR_M * (1 - (double)STEP_FAR_M / FAR_M))
            continue;
        size_t at = n < TALKERS ? n++ : TALKERS;
        while (at > 0 && s->loud[best[at - 1]] < s->loud[i]) {
            if (at < TALKERS)
                best[at] = best[at - 1];
            at--;
        }
        if (at < TALKERS)
            best[at] = i;
    }
    for (size_t i = 0; i < n; i++) {
        const struct member *m = &s->who[best[i]];
        uint64_t seed = seed_of(v, m->id);
        bool low = !strcmp(m->model, "man") || (strcmp(m->model, "woman") && seed & 1);
        tone_voice(b, seed, low ? 105 : 190, s->loud[best[i]] * 1.2);
    }
}

/* ---- all else ---- */

static void add_weather(struct virtual_mic *v, struct block *b, int64_t time_ns)
{
    struct set set;
    stage_at(v->ears.stage, time_ns, &set, NULL);
    double open = v->ears.indoor ? 0.08 : 1; /* how much of outside is heard */
    tone_wind(b, v->seed ^ 0x11, set.wind_m_s * sqrt(open));
    tone_rain(b, v->seed ^ 0x22, set.rain_mm_h * open * open);
    /* mains in the housing, the town far away */
    double hum_hz = set.mains_hz > 0 ? 2 * set.mains_hz : 100;
    double turns = fmod(b->start_s * hum_hz, 1);
    tone_engine(b, turns, turns + moment_s(1) * hum_hz, 2, (struct swell){0.0012, 0.0012});
    tone_hiss(b, v->seed ^ 0x33, 55, (struct swell){0.004 * open, 0.004 * open});
    double since = fmod(b->start_s, BELL_EVERY_S), at_s = b->start_s - since;
    if (since < BELL_RINGS_S && at_s > 0) {
        static const double part[][2] = {{261, 1}, {523, 0.8}, {622, 0.6}, {784, 0.4}, {1046, 0.3}};
        for (unsigned i = 0; i < 5; i++)
            tone_ring(b, at_s, part[i][0], 1.6 / (1 + i * 0.5), 0.01 * part[i][1] * open);
    }
}

static void add_knocks(struct virtual_mic *v, struct block *b, int64_t time_ns)
{
    struct stage_noise noise[STAGE_NOISES];
    unsigned n = stage_noises(v->ears.stage, time_ns, noise);
    for (unsigned i = 0; i < n; i++) {
        double at_s = (double)noise[i].at_ns / 1e9;
        uint64_t seed = v->seed ^ (uint64_t)noise[i].at_ns;
        if (noise[i].clap) {
            tone_burst(b, seed, at_s, 24000, 0.012, 0.8);
            tone_ring(b, at_s, 1250, 0.02, 0.35);
        } else {
            double loud = 0.12 * noise[i].g > 0.9 ? 0.9 : 0.12 * noise[i].g;
            tone_ring(b, at_s, 140, 0.05, loud);
            tone_burst(b, seed, at_s, 1500, 0.015, loud * 0.6);
        }
    }
}

/* Louder than can be said is bent, not cut. */
static int16_t said(double x)
{
    double a = fabs(x);
    if (a > 0.6)
        a = 0.6 + 0.4 * tanh((a - 0.6) / 0.4);
    return (int16_t)lrint(copysign(a, x) * 32700);
}

static int take(struct mic *m, int64_t start_ns, int16_t *ret_sample, struct mic_block *ret)
{
    struct virtual_mic *v = of(m);
    int64_t k = start_ns / SOUND_BLOCK_NS, time_ns = k * SOUND_BLOCK_NS;
    struct block b = {.start_s = moment_s(k)};
    *ret = (struct mic_block){
        .time_ns = time_ns, .rate_hz = SOUND_HZ, .channels = 1, .frames = SOUND_BLOCK};
    if (v->input == 1) {
        for (int i = 0; i < SOUND_BLOCK; i++) { /* whole turns in a second: they may be left out */
            int64_t n = (k * SOUND_BLOCK + i) % SOUND_HZ;
            ret_sample[i] = said(LINE_LOUD * sin(2 * M_PI * LINE_HZ * (double)n / SOUND_HZ));
        }
        return 0;
    }
    add_weather(v, &b, time_ns);
    add_vehicles(v, &b, k);
    add_steps(v, &b, k);
    add_talk(v, &b, k);
    add_knocks(v, &b, time_ns + SOUND_BLOCK_NS);
    for (int i = 0; i < SOUND_BLOCK; i++)
        ret_sample[i] = said((double)b.sample[i]);
    return 0;
}

static void caps(struct mic *m, struct mic_caps *ret)
{
    (void)m;
    *ret = (struct mic_caps){.inputs = 2};
}

static int start(struct mic *m, int input)
{
    of(m)->input = input;
    return 0;
}

static const struct mic_ops ops = {.caps = caps, .start = start, .take = take};

struct mic *virtual_mic_new(const struct virtual_ears *ears, uint64_t seed)
{
    struct virtual_mic *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->mic.ops = &ops;
    v->ears = *ears;
    v->seed = seed;
    for (int i = 0; i < SCENES; i++)
        v->scene[i].k = -1;
    return &v->mic;
}

struct mic *virtual_mic_free(struct mic *m)
{
    if (m)
        free(of(m));
    return NULL;
}
