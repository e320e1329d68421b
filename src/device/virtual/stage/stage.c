#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/virtual/stage/state.h"

#define MOST_CHANGES 1024

/* What a weather is made of: cloud, visibility, rain, snow, wetness, wind. */
static const struct {
    double cloud, visibility, rain, snow, wet, wind;
} presets[] = {
    {0.05, 100000, 0, 0, 0, 2}, /* clear */
    {0.5, 100000, 0, 0, 0, 4},  /* cloudy */
    {1, 20000, 0, 0, 0, 4},     /* overcast */
    {0.9, 120, 0, 0, 0.15, 1},  /* fog */
    {1, 3000, 5, 0, 0.9, 6},    /* rain */
    {1, 1000, 28, 0, 1, 17},    /* storm */
    {1, 1200, 0, 3, 0.25, 3},   /* snow */
};
/* The ground gets wet after the rain has begun and dries long after its end: so many times
 * what the weather takes to change. */
#define WETTING 4
#define DRYING 60
#define WHITENING 8  /* the same of snow that stays */
#define LIES_ALL 2.0 /* mm/h that turn everything white in the end */

static double smooth(double x)
{
    return x * x * (3 - 2 * x);
}

static double track_at(const struct track *t, int64_t time_ns, enum stage_key key)
{
    int64_t since = time_ns - t->at_ns;
    if (since >= t->over_ns)
        return t->held ? t->from : t->to;
    if (t->held)
        return t->to;
    double k = smooth((double)since / (double)t->over_ns);
    /* Fog thickens evenly in its extinction. */
    if (key == STAGE_VISIBILITY)
        return 1 / (1 / t->from + (1 / t->to - 1 / t->from) * k);
    return t->from + (t->to - t->from) * k;
}

double stage_value_at(const struct state *s, int64_t time_ns, enum stage_key key)
{
    return track_at(&s->track[key], time_ns, key);
}

static double hour_at(const struct state *s, int64_t time_ns)
{
    double speed = s->track[STAGE_SPEED].to;
    double hour = s->hour + speed * (double)(time_ns - s->hour_ns) / 3600e9;
    return hour - 24 * floor(hour / 24);
}

static void set_track(struct state *s, enum stage_key key, int64_t at_ns, double value,
                      double over_s)
{
    struct track *t = &s->track[key];
    int64_t over_ns = (int64_t)llround(over_s * 1e9);
    *t = (struct track){stage_value_at(s, at_ns, key), value, at_ns, over_ns, false};
}

/* Snow stays for as long as it falls, and thaws as slowly as the ground dries. */
static void set_lying(struct state *s, int64_t at_ns, double snow_mm_h, double over_s)
{
    double now = track_at(&s->lying, at_ns, STAGE_SNOW);
    double then = snow_mm_h < LIES_ALL ? snow_mm_h / LIES_ALL : 1;
    double takes = over_s * (then > now ? WHITENING : DRYING);
    s->lying = (struct track){now, then, at_ns, (int64_t)llround(takes * 1e9), false};
}

/* value for over_s, then rest. */
static void hold_track(struct state *s, enum stage_key key, int64_t at_ns, double value,
                       double rest, double over_s)
{
    int64_t over_ns = (int64_t)llround(over_s * 1e9);
    s->track[key] = (struct track){rest, value, at_ns, over_ns, true};
}

static void set_weather(struct state *s, int64_t at_ns, int which, double over_s)
{
    double wet = stage_value_at(s, at_ns, STAGE_WET);
    set_track(s, STAGE_WEATHER, at_ns, which, 0);
    set_track(s, STAGE_CLOUD, at_ns, presets[which].cloud, over_s);
    set_track(s, STAGE_VISIBILITY, at_ns, presets[which].visibility, over_s);
    set_track(s, STAGE_RAIN, at_ns, presets[which].rain, over_s);
    set_track(s, STAGE_SNOW, at_ns, presets[which].snow, over_s);
    set_track(s, STAGE_WET, at_ns, presets[which].wet,
              over_s * (presets[which].wet > wet ? WETTING : DRYING));
    set_lying(s, at_ns, presets[which].snow, over_s);
    if (s->wind_auto)
        set_track(s, STAGE_WIND, at_ns, presets[which].wind, over_s);
}

static void apply(struct state *s, int64_t at_ns, const struct stage_change *c)
{
    const struct stage_row *r = &stage_rows[c->key];
    double seconds = isnan(c->seconds) ? r->over_s : c->seconds, v = c->value;
    switch (c->key) {
    case STAGE_HOUR:
        s->hour = v;
        s->hour_ns = at_ns;
        break;
    case STAGE_SPEED:
        s->hour = hour_at(s, at_ns);
        s->hour_ns = at_ns;
        set_track(s, c->key, at_ns, v, 0);
        break;
    case STAGE_WEATHER:
        set_weather(s, at_ns, (int)v, seconds);
        break;
    case STAGE_SNOW:
        set_track(s, c->key, at_ns, v, seconds);
        set_lying(s, at_ns, v, seconds);
        break;
    case STAGE_WIND:
        s->wind_auto = v < 0;
        if (s->wind_auto)
            v = presets[(int)s->track[STAGE_WEATHER].to].wind;
        set_track(s, c->key, at_ns, v, seconds);
        break;
    case STAGE_CLEAN:
        for (int k = STAGE_SPRAY; k <= STAGE_BLUR; k++)
            set_track(s, (enum stage_key)k, at_ns, 0, 0);
        s->cleaned_ns = at_ns;
        break;
    case STAGE_KNOCK:
        s->blow[s->n_blows++ % KNOCKS] = (struct blow){at_ns, v};
        break;
    case STAGE_CLAP:
        s->clap_ns[s->n_claps++ % CLAPS] = at_ns;
        break;
    case STAGE_BUTTON:
        hold_track(s, c->key, at_ns, 1, 0, v);
        break;
    case STAGE_POWER:
        s->power_cycles++;
        break;
    default:
        if (r->lasting == LASTS_FOR && !isnan(c->seconds)) /* an input falls back, too */
            hold_track(s, c->key, at_ns, v, r->numbers ? 0 : !v, c->seconds);
        else
            set_track(s, c->key, at_ns, v, seconds);
        break;
    }
}

struct stage *stage_new(uint64_t seed)
{
    struct stage *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->seed = seed;
    struct state *f = &s->first;
    for (int i = 0; i < STAGE_KEYS; i++)
        if (stage_rows[i].lasting != LASTS_NOT)
            f->track[i] =
                (struct track){.from = stage_rows[i].standard, .to = stage_rows[i].standard};
    f->hour = stage_rows[STAGE_HOUR].standard;
    f->wind_auto = true;
    f->cleaned_ns = INT64_MIN / 2;
    set_weather(f, 0, 0, 0);
    return s;
}

struct stage *stage_free(struct stage *s)
{
    if (!s)
        return NULL;
    pthread_mutex_destroy(&s->lock);
    free(s->log);
    free(s);
    return NULL;
}

/* ---- the log ---- */

static const struct state *state_at(const struct stage *s, int64_t time_ns)
{
    size_t lo = 0, hi = s->n; /* log[lo - 1] holds, log[hi] does not yet */
    while (lo < hi) {
        size_t middle = lo + (hi - lo) / 2;
        if (s->log[middle].at_ns <= time_ns)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo ? &s->log[lo - 1].after : &s->first;
}

/* Room for n entries that hold from that time on: the oldest are forgotten, but none that
 * is not older. */
static int make_room(struct stage *s, int64_t time_ns, size_t n, struct fault *why)
{
    if (s->n + n > MOST_CHANGES) {
        size_t drop = s->n + n - MOST_CHANGES;
        if (drop < MOST_CHANGES / 8) /* not one by one */
            drop = MOST_CHANGES / 8;
        while (drop > 0 && (drop > s->n || s->log[drop - 1].at_ns > time_ns))
            drop--;
        if (s->n + n - drop > MOST_CHANGES)
            return fault_set(why, FAULT_LIMIT, NULL,
                             "%d changes of the stage are waiting for their time already.",
                             MOST_CHANGES);
        s->first = s->log[drop - 1].after;
        s->n -= drop;
        memmove(s->log, s->log + drop, s->n * sizeof(*s->log));
    }
    if (s->n + n > s->room) {
        size_t room = s->room ? s->room : 16;
        while (room < s->n + n)
            room *= 2;
        struct entry *more = realloc(s->log, room * sizeof(*more));
        if (!more)
            return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        s->log = more;
        s->room = room;
    }
    return 0;
}

static void insert(struct stage *s, int64_t time_ns, const struct stage_change *c)
{
    size_t at = s->n;
    while (at > 0 && s->log[at - 1].at_ns > time_ns)
        at--;
    memmove(s->log + at + 1, s->log + at, (s->n - at) * sizeof(*s->log));
    s->n++;
    s->log[at].at_ns = time_ns;
    s->log[at].change = *c;
    for (; at < s->n; at++) { /* what comes later stands on what is so before */
        s->log[at].after = at ? s->log[at - 1].after : s->first;
        apply(&s->log[at].after, s->log[at].at_ns, &s->log[at].change);
    }
}

int stage_change(struct stage *s, int64_t time_ns, const struct stage_change *c, size_t n,
                 struct fault *why)
{
    if (time_ns < 0)
        return fault_set(why, FAULT_INVALID, NULL, "The stage begins at 0.");
    for (size_t i = 0; i < n; i++) {
        if (c[i].key < 0 || c[i].key >= STAGE_KEYS)
            return fault_set(why, FAULT_UNKNOWN, NULL, "no such row");
        int err = stage_value_ok(c[i].key, c[i].value, why);
        if (err)
            return err;
        if (!isnan(c[i].seconds) && !(c[i].seconds >= 0 && c[i].seconds <= STAGE_LONGEST_S))
            return fault_set(why, FAULT_INVALID, stage_rows[c[i].key].name,
                             "A change takes or lasts 0 to %.0f seconds.", STAGE_LONGEST_S);
    }
    pthread_mutex_lock(&s->lock);
    int err = make_room(s, time_ns, n, why);
    s->revision++;
    for (size_t i = 0; !err && i < n; i++)
        insert(s, time_ns, &c[i]);
    pthread_mutex_unlock(&s->lock);
    return err;
}

int stage_command_text(struct stage *s, int64_t time_ns, const char *text, struct fault *why)
{
    struct stage_change c;
    int err = stage_parse(text, &c, why);
    return err ? err : stage_change(s, time_ns, &c, 1, why);
}

void stage_forget_after(struct stage *s, int64_t time_ns)
{
    pthread_mutex_lock(&s->lock);
    while (s->n && s->log[s->n - 1].at_ns > time_ns)
        s->n--;
    s->revision++;
    pthread_mutex_unlock(&s->lock);
}

int64_t stage_since(struct stage *s, int64_t time_ns, uint64_t *ret_revision)
{
    pthread_mutex_lock(&s->lock);
    size_t n = s->n;
    while (n && s->log[n - 1].at_ns > time_ns)
        n--;
    int64_t since = n ? s->log[n - 1].at_ns : 0;
    *ret_revision = s->revision;
    pthread_mutex_unlock(&s->lock);
    return since;
}

/* ---- what is so ---- */

void stage_get_state(struct stage *s, int64_t time_ns, struct state *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = *state_at(s, time_ns);
    pthread_mutex_unlock(&s->lock);
}

void stage_at(struct stage *s, int64_t time_ns, struct set *ret_set, struct mess *ret_mess)
{
    struct state now;
    stage_get_state(s, time_ns, &now);
    double v[STAGE_KEYS];
    for (int i = 0; i < STAGE_KEYS; i++)
        v[i] = stage_value_at(&now, time_ns, (enum stage_key)i);
    if (ret_set)
        *ret_set = (struct set){
            .hour = hour_at(&now, time_ns),
            .cloud = v[STAGE_CLOUD],
            .visibility_m = v[STAGE_VISIBILITY] >= stage_rows[STAGE_VISIBILITY].max
                                ? INFINITY
                                : v[STAGE_VISIBILITY],
            .rain_mm_h = v[STAGE_RAIN],
            .snow_mm_h = v[STAGE_SNOW],
            .wet = v[STAGE_WET],
            .lying = track_at(&now.lying, time_ns, STAGE_SNOW),
            .wind_m_s = v[STAGE_WIND],
            .wind_deg = v[STAGE_WIND_TO],
            .lamps = v[STAGE_LAMPS],
            .sodium = v[STAGE_LAMP_LIGHT] > 0.5,
            .mains_hz = v[STAGE_MAINS],
            .ir = v[STAGE_IR],
            .ir_beam_deg = v[STAGE_IR_BEAM],
        };
    if (ret_mess)
        *ret_mess = (struct mess){
            .spray = v[STAGE_SPRAY],
            .cover = v[STAGE_COVER],
            .blur = v[STAGE_BLUR],
            .turn_pan_deg = v[STAGE_TURN_PAN],
            .turn_tilt_deg = v[STAGE_TURN_TILT],
            .shake_deg = v[STAGE_SHAKE],
            .cleaned_ns = now.cleaned_ns,
        };
}

void stage_values(struct stage *s, int64_t time_ns, double ret[STAGE_KEYS])
{
    struct state now;
    stage_get_state(s, time_ns, &now);
    for (int i = 0; i < STAGE_KEYS; i++)
        ret[i] = stage_value_at(&now, time_ns, (enum stage_key)i);
    ret[STAGE_HOUR] = hour_at(&now, time_ns);
    if (now.wind_auto)
        ret[STAGE_WIND] = -1;
}

/* ---- the device ---- */

unsigned stage_noises(struct stage *s, int64_t time_ns, struct stage_noise ret[STAGE_NOISES])
{
    struct state now;
    unsigned n = 0;
    stage_get_state(s, time_ns, &now);
    for (unsigned i = 0; i < KNOCKS && i < now.n_blows; i++)
        if (time_ns - now.blow[i].at_ns <= STAGE_NOISE_NS)
            ret[n++] = (struct stage_noise){now.blow[i].at_ns, now.blow[i].g, false};
    for (unsigned i = 0; i < CLAPS && i < now.n_claps; i++)
        if (time_ns - now.clap_ns[i] <= STAGE_NOISE_NS)
            ret[n++] = (struct stage_noise){now.clap_ns[i], 0, true};
    return n;
}

bool stage_flashes(struct stage *s, int64_t start_ns, int64_t end_ns)
{
    struct state now;
    stage_get_state(s, end_ns, &now);
    for (unsigned i = 0; i < CLAPS && i < now.n_claps; i++)
        if (start_ns - now.clap_ns[i] < STAGE_CLAP_NS)
            return true;
    return false;
}

void stage_body_at(struct stage *s, int64_t time_ns, struct stage_body *ret)
{
    struct state now;
    stage_get_state(s, time_ns, &now);
    *ret = (struct stage_body){.housing = stage_value_at(&now, time_ns, STAGE_HOUSING) > 0.5,
                               .card = stage_value_at(&now, time_ns, STAGE_CARD) > 0.5,
                               .button = stage_value_at(&now, time_ns, STAGE_BUTTON) > 0.5,
                               .temperature_c = stage_value_at(&now, time_ns, STAGE_TEMPERATURE),
                               .power_cycles = now.power_cycles};
    for (int i = 0; i < STAGE_INPUTS; i++)
        ret->input[i] = stage_value_at(&now, time_ns, (enum stage_key)(STAGE_INPUT1 + i)) > 0.5;
}

/* When a value next is another one than at that time: at the end of what it does, and of
 * what goes gradually every second. */
static int64_t track_next(const struct track *t, int64_t after_ns)
{
    int64_t end = t->at_ns + t->over_ns;
    if (after_ns >= end)
        return TIME_NEVER;
    if (t->held || t->from == t->to)
        return end;
    return end - after_ns > NSEC_PER_SEC ? after_ns + NSEC_PER_SEC : end;
}

int64_t stage_next(struct stage *s, int64_t after_ns)
{
    pthread_mutex_lock(&s->lock);
    const struct state *now = state_at(s, after_ns);
    int64_t next = TIME_NEVER;
    for (int k = STAGE_HOUSING; k < STAGE_KEYS; k++) {
        int64_t t = track_next(&now->track[k], after_ns);
        next = t < next ? t : next;
    }
    for (size_t i = s->n; i > 0 && s->log[i - 1].at_ns > after_ns; i--)
        next = s->log[i - 1].at_ns < next ? s->log[i - 1].at_ns : next;
    pthread_mutex_unlock(&s->lock);
    return next;
}

size_t stage_as_text(struct stage *s, int64_t time_ns, char *ret, size_t size)
{
    struct state now;
    size_t len = 0;
    stage_get_state(s, time_ns, &now);
    if (size)
        *ret = '\0';
    for (int i = 0; i < STAGE_KEYS; i++) {
        const struct stage_row *r = &stage_rows[i];
        double v = now.track[i].to; /* where it is going: nobody waits for the rest of the way */
        if (i == STAGE_HOUR)
            v = hour_at(&now, time_ns);
        else if (i == STAGE_WIND && now.wind_auto)
            v = -1;
        if (r->lasting == LASTS_NOT || (r->lasting == LASTS_FOR && now.track[i].held))
            continue;
        char number[32];
        const char *word = stage_value_word((enum stage_key)i, v);
        if (!word)
            snprintf(number, sizeof number, "%.9g", v);
        int n = snprintf(len < size ? ret + len : NULL, len < size ? size - len : 0, "%s %s%s\n",
                         r->words, word ? word : number, r->lasting == LASTS_OVER ? " 0s" : "");
        len += n > 0 ? (size_t)n : 0;
    }
    return len;
}
