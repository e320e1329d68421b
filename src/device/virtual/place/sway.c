/* Trees in the wind: corners of cells that lie on leaves go to and fro. */
#include <math.h>

#include "base/clock.h"
#include "device/virtual/place/backdrop_inside.h"

#define DEG (180 / M_PI)

void sway_find(struct backdrop *b, struct knot *k)
{
    k->sway = k->far = 0;
    k->gust = 0;
    for (int i = 0; i < b->plan.n; i++) {
        const struct plan_use *u = &b->plan.use[i];
        if (!u->patch->round || u->patch->projection != PROJECTION_ROUND ||
            !plan_weight(&b->plan, u, &k->look))
            continue;
        double x, y;
        int ix, iy;
        plan_texel(u->patch, u->sheet, &k->look, &x, &y);
        const struct tile *t = plan_tile(b->tiles, u->patch, u->sheet, x, y, &ix, &iy);
        if (!t || !t->sway)
            return;
        const uint8_t *sway = tiles_part(b->tiles, t->sway);
        const uint16_t *depth = tiles_part(b->tiles, t->depth);
        int leaves = sway[(iy / 8 + 1) * TILE_EIGHTH + ix / 8 + 1];
        double far = tiles_metres(depth[(iy / 2 + 1) * TILE_HALF + ix / 2 + 1]);
        if (leaves < 8)
            return;
        far = far > 400 ? 60 : far; /* seen between leaves */
        k->sway = (float)(leaves / 255.0 / far);
        k->far = (float)exp2(round(log2(far))); /* neighbours mostly agree */
        return;
    }
}

/* A sine that is the same on any machine, to a part in a thousand. */
static double wave(double x)
{
    double t = x / (2 * M_PI);
    t -= floor(t + 0.5);
    double y = 8 * t - 16 * t * fabs(t);
    return y * (0.775 + 0.225 * fabs(y));
}

/* Trees bend slowly and all of a piece; their twigs shake, each in its own time. */
void sway_move(const struct backdrop *b, struct knot *k, int64_t time_ns)
{
    if (k->gust == b->gusts && k->moved_ns == time_ns)
        return; /* for another of its cells */
    k->gust = b->gusts;
    k->moved_ns = time_ns;
    k->aside = k->lift = 0;
    if (!(k->sway > 0) || !(b->wind_m_s > 0))
        return;
    double t = (double)time_ns / 1e9, wind = fmin(b->wind_m_s, 25), far = (double)k->far;
    double x = k->look.pan / DEG * far, y = k->look.tilt / DEG * far; /* metres, about */
    double gust = 0.62 + 0.23 * wave(t * 0.41 + x * 0.045) + 0.15 * wave(t * 0.97 + x * 0.08 + 1.3);
    double push = wind * gust;
    double across = wave((b->wind_deg - k->look.pan) / DEG); /* what is seen of it from the side */
    double bend = 0.010 * push * (across + 0.55 * wave(t * 1.9 + x * 0.21));
    double shake = 0.0048 * push;
    double side = bend + shake * (wave(t * 5.3 + x * 3.1 + y * 1.7) +
                                  0.7 * wave(t * 8.9 - x * 5.9 + y * 4.3));
    double lift =
        shake * (0.7 * wave(t * 6.1 + x * 2.3 - y * 3.7) + 0.5 * wave(t * 9.7 + x * 6.7 + y));
    k->aside = side * (double)k->sway * DEG;
    k->lift = lift * (double)k->sway * DEG;
}

/* ---- when ---- */

#define TICK_NS (NSEC_PER_SEC / 30)
#define SLOWEST 4         /* rhythms of 2, 4 and 8 ticks, each begun at any of them; */
#define FAINT 8           /* … and of 16, for what is lost in the noise */
#define CLOSE_F 12000.0   /* pixels: from this focal length on leaves move with every picture */
#define UNSEEN_PIXELS 0.5 /* a move that may be put off; */
#define UNSEEN_DARK 1.5   /* … by night */

/* The first rhythm of those that last so many times two ticks. */
static int first_of(int slow)
{
    return 2 * slow - 1;
}

unsigned sway_times(struct backdrop *b, const struct set *s, int64_t t)
{
    unsigned moved = 0;
    bool other = s->wind_m_s != b->wind_m_s || s->wind_deg != b->wind_deg;
    b->gusts += other || !b->gusts;
    b->wind_m_s = s->wind_m_s;
    b->wind_deg = s->wind_deg;
    for (int slow = 1; slow <= FAINT; slow *= 2)
        for (int i = 0; i < 2 * slow; i++) {
            int64_t every = 2 * slow * TICK_NS, offset = i * TICK_NS;
            int64_t then = b->view.f > CLOSE_F ? t : (t + offset) / every * every - offset;
            int64_t *time = &b->sway_time[first_of(slow) + i];
            if (*time != then || other)
                moved |= 1u << (first_of(slow) + i);
            *time = then;
        }
    return moved;
}

/* Leaves that hardly move within a rhythm take the next slower one; those of a rhythm do not
 * all move at once. Neighbours do: seams between them are few. */
uint8_t sway_rhythm(const struct backdrop *b, const struct knot *const k[4], int i, int j,
                    bool faint)
{
    float most = 0;
    for (int c = 0; c < 4; c++)
        most = fmaxf(most, k[c]->sway);
    if (!(most > 0) || !(b->wind_m_s > 0))
        return 0;
    /* How far leaves go in 1/15 s, on average: amplitudes times angular speeds of sway_move(). */
    double pixels = fmin(b->wind_m_s, 25) * 0.03 * (double)most * b->view.f / 15;
    int slow = 1;
    while (slow < SLOWEST && pixels * slow * 2 < (b->dark ? UNSEEN_DARK : UNSEEN_PIXELS))
        slow *= 2;
    slow = faint && b->view.f <= CLOSE_F ? FAINT : slow;
    unsigned place = (unsigned)(i / 4) * 0x9e3779b1u ^ (unsigned)(j / 4) * 0x85ebca6bu;
    return (uint8_t)(first_of(slow) + (int)((place >> 16 ^ place >> 7) % (unsigned)(2 * slow)));
}
