/* How the mount moves: turned on purpose, shaken, knocked, and swayed by the wind. */
#include <math.h>

#include "device/virtual/stage/state.h"

#define KNOCK_RINGS_S 1.5   /* then it is still */
#define KNOCK_DEG_PER_G 0.3 /* how far a blow of 1 g bends the mount */
#define RAD (M_PI / 180)

static double phase(uint64_t seed, unsigned which)
{
    uint64_t x = (seed + which + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ x >> 31) >> 11) / (double)(UINT64_C(1) << 53);
}

/* From this wind on the mount gives way; how far at 10 m/s more, in gusts. */
#define WIND_BEARS_M_S 6.0
#define WIND_DEG 0.06
#define GUST_HZ 0.07

/* Hz and share of the vibration, two to an axis. */
static const double tremor[3][2][2] = {
    {{7.3, 0.65}, {12.1, 0.35}},
    {{8.9, 0.6}, {14.3, 0.4}},
    {{6.1, 0.2}, {10.7, 0.1}},
};
static const double ring_hz[3] = {11, 13.5, 9};
/* The same in the wind: a mast sways more slowly. */
static const double sway[3][2][2] = {
    {{2.3, 0.7}, {5.9, 0.3}},
    {{3.1, 0.55}, {6.7, 0.3}},
    {{1.9, 0.2}, {4.3, 0.1}},
};

static double wave(const struct stage *s, double hz, unsigned which, int64_t time_ns)
{
    double turns = hz * (double)time_ns / 1e9;
    return sin(2 * M_PI * (turns - floor(turns) + phase(s->seed, which)));
}

static void add_swing(const struct stage *s, const double part[2][2], unsigned which,
                      double amplitude, int64_t time_ns, double *deg, double *accel)
{
    for (unsigned i = 0; i < 2 && amplitude > 0; i++) {
        double w = 2 * M_PI * part[i][0];
        double a = amplitude * part[i][1] * wave(s, part[i][0], which + i, time_ns);
        *deg += a;
        *accel -= a * w * w;
    }
}

/* Displacement of one axis in degrees, and its acceleration in deg/s². */
static void swing(const struct stage *s, const struct state *now, int64_t time_ns, int axis,
                  double *ret_deg, double *ret_accel)
{
    double deg = 0, accel = 0, amplitude = stage_value_at(now, time_ns, STAGE_SHAKE);
    add_swing(s, tremor[axis], (unsigned)(2 * axis), amplitude, time_ns, &deg, &accel);
    double over = (stage_value_at(now, time_ns, STAGE_WIND) - WIND_BEARS_M_S) / 10;
    if (over > 0) {
        double gust =
            0.6 + 0.4 * wave(s, GUST_HZ, 20, time_ns) * wave(s, GUST_HZ * 2.7, 21, time_ns);
        add_swing(s, sway[axis], (unsigned)(10 + 2 * axis), WIND_DEG * over * over * gust, time_ns,
                  &deg, &accel);
    }
    for (unsigned i = 0; i < KNOCKS && i < now->n_blows; i++) {
        const struct blow *b = &now->blow[i];
        double t = (double)(time_ns - b->at_ns) / 1e9;
        if (t < 0 || t >= KNOCK_RINGS_S)
            continue;
        /* from another side each time */
        double share = cos(2 * M_PI * (phase(s->seed ^ (uint64_t)b->at_ns, 9) + axis * 0.21));
        double w = 2 * M_PI * ring_hz[axis], die = exp(-t / 0.16) * (1 - t / KNOCK_RINGS_S);
        double a = KNOCK_DEG_PER_G * b->g * share * die * sin(w * t);
        deg += axis == 2 ? a / 3 : a;
        accel -= a * w * w;
    }
    *ret_deg = deg;
    *ret_accel = accel;
}

void stage_mount(struct stage *s, int64_t time_ns, double *ret_dpan, double *ret_dtilt,
                 double *ret_droll)
{
    struct state now;
    double deg[3], unused;
    stage_get_state(s, time_ns, &now);
    for (int i = 0; i < 3; i++)
        swing(s, &now, time_ns, i, &deg[i], &unused);
    *ret_dpan = stage_value_at(&now, time_ns, STAGE_TURN_PAN) + deg[0];
    *ret_dtilt = stage_value_at(&now, time_ns, STAGE_TURN_TILT) + deg[1];
    *ret_droll = deg[2];
}

double stage_shake(struct stage *s, int64_t time_ns)
{
    struct state now;
    double deg[3], unused;
    stage_get_state(s, time_ns, &now);
    for (int i = 0; i < 3; i++)
        swing(s, &now, time_ns, i, &deg[i], &unused);
    return hypot(deg[0], deg[1]) + fabs(deg[2]);
}

/* The sensor lies 10 cm from where the mount bends; a blow is felt at once, before the
 * mount has moved. */
void stage_accel(struct stage *s, int64_t time_ns, double ret_g[3])
{
    struct state now;
    double accel[3], unused;
    stage_get_state(s, time_ns, &now);
    for (int i = 0; i < 3; i++) {
        swing(s, &now, time_ns, i, &unused, &accel[i]);
        accel[i] *= RAD * 0.1 / 9.81;
    }
    double tilt = stage_value_at(&now, time_ns, STAGE_TURN_TILT) * RAD;
    double hit = 0;
    for (unsigned i = 0; i < KNOCKS && i < now.n_blows; i++) {
        double t = (double)(time_ns - now.blow[i].at_ns) / 1e9;
        if (t >= 0 && t < 0.2)
            hit += now.blow[i].g * exp(-t / 0.02) * cos(2 * M_PI * 90 * t);
    }
    ret_g[0] = accel[0] + 0.8 * hit;
    ret_g[1] = accel[2] + sin(tilt) + 0.55 * hit;
    ret_g[2] = accel[1] + cos(tilt) + 0.24 * hit; /* the three shares have length 1 */
}
