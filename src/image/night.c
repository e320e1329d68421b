#include "image/night.h"

#include <math.h>

#include "base/clock.h"

#define DARKEST (-4.0)      /* stops past the last exposure that is right: slider 100 */
#define HYSTERESIS 1.0      /* stops between night and day, at least … */
#define HYSTERESIS_MORE 4.0 /* … and so much more with the slider at 100 */
#define PROBE_PICTURES 3    /* without the lamp: the exposure may have begun before */
#define PROBE_REST_NS (20 * NSEC_PER_SEC) /* after one that failed; doubles … */
#define PROBE_REST_MOST_NS (600 * NSEC_PER_SEC)
#define INFRARED_MOST 4.0 /* stops; more is not infrared but another scene */
#define LEARN_PICTURES 6  /* until the exposure has followed the filter */
#define SURELY_DAY 3.0    /* stops above its level: no lamp of ours is so bright */
#define LAMP_STEP 0.0625
#define LAMP_PICTURES 4 /* that say the same before the lamp changes */
#define BEAM_WIDER 1.15 /* than the picture */
#define LAMP_ON_DB 12.0 /* with less gain than that the lamp may be less */

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

double night_level(const struct eye_settings *s, const struct night_limits *l)
{
    double sooner = 1 - s->daynight.night_level / 100.0;
    return l->least_ev + DARKEST + sooner * (l->gain_stops - DARKEST);
}

double day_level(const struct eye_settings *s, const struct night_limits *l)
{
    return night_level(s, l) + HYSTERESIS + HYSTERESIS_MORE * s->daynight.day_level / 100.0;
}

bool night_probing(const struct night *n)
{
    return n->probing > 0;
}

static void become(struct night *n, bool night, const struct night_seen *seen)
{
    n->before = seen->ev;
    n->learning = LEARN_PICTURES;
    n->on = night;
    n->since_ns = 0;
    n->probing = 0;
    n->rest_ns = 0;
}

/* It has been so for the whole time? */
static bool lasted(struct night *n, bool so, int dwell_s, const struct night_seen *seen)
{
    if (!so) {
        n->since_ns = 0;
        return false;
    }
    if (!n->since_ns)
        n->since_ns = seen->at_ns;
    return seen->at_ns - n->since_ns >= dwell_s * NSEC_PER_SEC;
}

/* What the filter lets through, or no longer. The lamp is out meanwhile. */
static void learn(struct night *n, const struct night_seen *seen)
{
    if (!n->learning || !seen->steady || --n->learning)
        return;
    double more = n->on ? seen->ev - n->before : n->before - seen->ev;
    n->infrared = clamp(more, 0, INFRARED_MOST);
}

static void by_day(struct night *n, const struct eye_settings *s, const struct night_limits *l,
                   const struct night_seen *seen, bool jump)
{
    bool dark = seen->ev < night_level(s, l) && seen->steady;
    if (lasted(n, dark, s->daynight.night_dwell_s, seen) || (jump && dark))
        become(n, true, seen);
}

static void by_night(struct night *n, const struct eye_settings *s, const struct night_limits *l,
                     const struct night_seen *seen, bool jump)
{
    double over = seen->ev - n->infrared - day_level(s, l);
    bool bright = over > 0 && seen->steady && !n->learning;
    if (n->probing) {
        if (!seen->steady || ++n->probing <= PROBE_PICTURES)
            return;
        n->probing = 0;
        n->lamp = n->kept;
        n->since_ns = 0;
        n->probed_ns = seen->at_ns;
        n->rest_ns = n->rest_ns ? 2 * n->rest_ns : PROBE_REST_NS;
        n->rest_ns = n->rest_ns < PROBE_REST_MOST_NS ? n->rest_ns : PROBE_REST_MOST_NS;
        if (bright)
            become(n, false, seen);
        return;
    }
    if (!lasted(n, bright, s->daynight.day_dwell_s, seen) && !(jump && over > SURELY_DAY))
        return;
    if (n->lamp == 0 || (jump && over > SURELY_DAY)) {
        become(n, false, seen);
    } else if (n->rest_ns == 0 || seen->at_ns - n->probed_ns >= n->rest_ns) {
        n->probing = 1;
        n->kept = n->lamp;
    }
}

/* As much as the scene needs: less where the picture is too bright, or bright without gain. */
static double adapt(struct night *n, const struct night_seen *seen, double most, bool jump)
{
    if (jump || n->lamp == 0)
        return most;
    bool less = seen->error > 0.5, more = seen->gain_db > LAMP_ON_DB && n->lamp < most;
    n->bright = less ? n->bright + 1 : 0;
    n->dark = more ? n->dark + 1 : 0;
    double lamp = n->lamp;
    if (n->bright >= LAMP_PICTURES)
        lamp = fmax(lamp - 2 * LAMP_STEP, LAMP_STEP);
    else if (n->dark >= 4 * LAMP_PICTURES)
        lamp += LAMP_STEP;
    if (lamp != n->lamp)
        n->bright = n->dark = 0;
    return fmin(lamp, most);
}

static void shine(struct night *n, const struct eye_settings *s, const struct night_limits *l,
                  const struct night_seen *seen, bool jump)
{
    double most = s->infrared.intensity / 100.0;
    bool wanted = s->infrared.mode == SET_ON || (s->infrared.mode == SET_AUTO && n->on);
    double angle = s->infrared.angle ? s->infrared.angle : ceil(seen->hfov_deg * BEAM_WIDER);
    n->beam_deg = clamp(angle, l->least_deg, l->most_deg);
    if (!l->lamp || !wanted || n->probing || (n->on && n->learning))
        n->lamp = 0;
    else if (s->infrared.intensity_mode == 1)
        n->lamp = most;
    else
        n->lamp = adapt(n, seen, most, jump);
}

bool night_step(struct night *n, const struct eye_settings *s, const struct night_limits *l,
                const struct night_seen *seen, bool jump)
{
    bool was = n->on, first = !n->decided, moves = l->filter && s->daynight.filter == CUT_AUTO;
    n->decided = true;
    learn(n, seen);
    if (!moves) {
        bool night = l->filter && s->daynight.filter == CUT_NO;
        if (n->on != night)
            become(n, night, seen);
        n->probing = 0;
    } else if (n->on) {
        by_night(n, s, l, seen, jump);
    } else {
        by_day(n, s, l, seen, jump);
    }
    shine(n, s, l, seen, jump);
    return n->on != was || first;
}
