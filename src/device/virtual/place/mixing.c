#include "device/virtual/place/mixing.h"

#include <math.h>
#include <string.h>

#define RAD (M_PI / 180)
#define METER_DEG (360.0 / METER_ACROSS)
#define COLUMNS 40        /* of the meter, that a tile may be wide */
#define FAR_M 2000.0      /* where the sky is */
#define HAZY (1.0 / 1500) /* extinction from which lamps light the air */
#define GLOW 0.16f        /* share of a lamp's light that goes there */
#define GLOW_LAMPS 128    /* most that do */

void mixing_of(const struct light *l, double unit, struct mix *ret)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->soft, l->soft, sizeof(ret->soft));
    for (int i = 0; i < LIGHT_SUNS; i++)
        for (int k = 0; k < 3; k++)
            ret->sun[i][k] = l->sun_colour[k] * l->sun_share[i] / 255;
    memcpy(ret->infrared, l->infrared, sizeof(ret->infrared));
    for (int i = 0; i < LIGHT_SUNS; i++)
        ret->sun_infrared[i] = l->sun_infrared * l->sun_share[i] / 255;
    for (int i = 0; i < LIGHT_SOFT; i++)
        ret->leaves = ret->leaves || l->infrared[i] > 0;
    memcpy(ret->haze, l->haze, sizeof(ret->haze));
    ret->extinction = (float)l->extinction;
    ret->wet = (float)(l->wet < 0.01 ? 0 : l->wet);
    ret->white = (float)(l->lying < 0.01 ? 0 : l->lying);
    if (ret->white > 0) {
        double open = light_open(l), lamps = l->lamps * 2e-4;
        ret->most = (float)(open * 1.05 + lamps * 10);
        ret->warm = (float)(1.03 + 0.19 * lamps / (lamps + open));
    }
    if (ret->wet > 0 || l->extinction >= HAZY) {
        memcpy(ret->beside, l->zenith, sizeof(l->zenith));
        memcpy(ret->beside + 3, l->horizon, sizeof(l->horizon));
        ret->beside[6] = (float)l->lamps;
    }
    ret->unit = (float)unit;
}

/* Rows of ground, for wet or white ground: at which distance it would be, how it shines, and
 * how steeply it is seen. */
static void ground_rows(const struct tiles *t, const struct patch *p, const struct sheet *s,
                        int row, float wet, struct mix_tile *to)
{
    bool down = p->projection == PROJECTION_DOWN;
    to->steep = down ? 0 : (float)(s->density / (2 * RAD) * 0.693147181 / 4096);
    for (int j = 0; j < TILE_HALF; j++) {
        double tilt = p->tilt1 - (row * TILE + (j - 0.5) * 2) / s->density;
        to->sine[j] = down ? 1 : (float)sin(-tilt * RAD);
        to->cosine[j] = down ? 0 : (float)cos(tilt * RAD);
        double steep = down ? 0.8 : sin(-tilt * RAD);
        to->ground_lo[j] = 1;
        to->ground_hi[j] = 0;
        to->dry[j] = 1;
        to->gloss[j] = 0;
        if (steep < 0.008)
            continue;
        double far = t->head->eye[2] / steep, code = 4096 * log2(far);
        to->ground_lo[j] = (uint16_t)(down ? 0 : fmax(code - 330, 0));
        to->ground_hi[j] = (uint16_t)(down ? 65534 : fmin(code + 330, 65534));
        to->dry[j] = 1 - 0.45f * wet;
        to->gloss[j] = wet * (float)(0.015 + 0.9 * pow(1 - steep, 5));
    }
}

/* From where on the sky is above: everywhere, or behind a front that stands across. */
static void find_front(const struct tiles *t, const struct patch *p, const struct sheet *s,
                       int column, int row, struct mix_tile *to)
{
    const double front = t->head->front;
    for (int i = 0; i < TILE_HALF; i++) {
        double pan = p->pan0 + (column * TILE + (i - 0.5) * 2) / s->density;
        double tilt = p->tilt1 - (row * TILE + (i - 0.5) * 2) / s->density;
        double north = p->projection == PROJECTION_DOWN ? 0 : cos(pan * RAD);
        to->front[i] = front <= 0 ? 0 : north > 0.01 ? (float)(4096 * log2(front / north)) : 65536;
        to->aslant[i] = front <= 0 ? 0 : (float)(-4096 * log2(fmax(cos(tilt * RAD), 0.01)));
    }
}

/* ---- what wet ground mirrors ----
 *
 * Water on rough ground mirrors smeared, so that the few degrees of the exposure meter's cells
 * are fine enough. In the column of a piece of ground, the ray that it throws back is followed
 * until something stands in its way. */

struct column {
    float radiance[METER_DOWN][3];
    double height[METER_DOWN], away[METER_DOWN]; /* metres: above the ground, from the eye */
};

static void take_column(const struct tiles *t, const struct light *l, int column,
                        struct column *ret)
{
    column = ((column % METER_ACROSS) + METER_ACROSS) % METER_ACROSS;
    for (int j = 0; j < METER_DOWN; j++) {
        const struct meter_cell *c = &t->meter[j * METER_ACROSS + column];
        double tilt = (90 - (j + 0.5) * METER_DEG) * RAD;
        double far = fmin((double)c->distance, FAR_M);
        ret->height[j] = t->head->eye[2] + far * sin(tilt);
        ret->away[j] = far * cos(tilt);
        double up = fmax(sin(tilt), 0), high = up / (up + 0.28) * 1.28;
        for (int k = 0; k < 3; k++) {
            double v = 0;
            for (int s = 0; s < LIGHT_SOFT; s++)
                v += (double)(c->soft[s][k] * l->soft[s][k]);
            for (int s = 0; s < LIGHT_SUNS; s++)
                v += (double)(c->sun[s][k] * l->sun_share[s] * l->sun_colour[k]);
            double sky = (double)l->horizon[k] + (double)(l->zenith[k] - l->horizon[k]) * high;
            ret->radiance[j][k] = (float)(v + sky * (double)c->sky);
        }
    }
}

/* What ground seen `steep` radians downwards throws back. */
static void thrown_back(const struct column *c, double eye, double steep, float ret[3])
{
    double ground = eye / tan(steep), slope = tan(steep), before = -1;
    int j = (int)((90 + steep / RAD) / METER_DEG - 0.5), hit = 0;
    double part = 0;
    for (; j > 1; j--) {
        double on = c->height[j] - (c->away[j] - ground) * slope;
        if (c->away[j] < ground + 0.3) {
            before = -1;
            continue;
        }
        if (on >= 0) {
            hit = j;
            part = before < 0 ? on / (on - before) : 0;
            break;
        }
        before = on;
    }
    hit = hit < 2 ? 2 : hit > METER_DOWN - 3 ? METER_DOWN - 3 : hit;
    for (int k = 0; k < 3; k++) {
        const float(*r)[3] = &c->radiance[hit];
        double a = 0.25 * (double)(r[-1][k] + r[1][k]) + 0.5 * (double)r[0][k];
        double b = 0.25 * (double)(r[0][k] + r[2][k]) + 0.5 * (double)r[1][k];
        ret[k] = (float)(a + (b - a) * part);
    }
}

static bool find_mirror(const struct tiles *t, const struct light *l, const struct patch *p,
                        const struct sheet *s, int x, int y, float *ret)
{
    int quarters = TILE_QUARTER * TILE_QUARTER;
    double left = (p->pan0 + (x - 2) / s->density + 180) / METER_DEG - 0.5;
    double step = 4 / s->density / METER_DEG;
    int first = (int)floor(left), n = (int)(step * TILE_QUARTER) + 3;
    if (p->projection == PROJECTION_DOWN || n > COLUMNS ||
        p->tilt1 - (y + TILE) / s->density > -0.5)
        return false;
    float back[COLUMNS][TILE_QUARTER][3];
    for (int i = 0; i < n; i++) {
        struct column c;
        take_column(t, l, first + i, &c);
        for (int j = 0; j < TILE_QUARTER; j++) {
            double steep = -(p->tilt1 - (y + (j - 0.5) * 4) / s->density) * RAD;
            memset(back[i][j], 0, sizeof(back[i][j]));
            if (steep > 0.008)
                thrown_back(&c, t->head->eye[2], steep, back[i][j]);
        }
    }
    for (int j = 0; j < TILE_QUARTER; j++)
        for (int i = 0; i < TILE_QUARTER; i++) {
            double at = left - first + i * step;
            int a = (int)at;
            float part = (float)(at - a);
            for (int k = 0; k < 3; k++)
                ret[k * quarters + j * TILE_QUARTER + i] =
                    back[a][j][k] + (back[a + 1][j][k] - back[a][j][k]) * part;
        }
    return true;
}

/* ---- glow ---- */

static bool glows(const struct light *l)
{
    return l->extinction >= HAZY && l->lamps > 0;
}

/* Lamps as the air has them. Returns how many. */
static size_t glow_lamps(const struct tiles *t, const struct light *l,
                         struct glow_lamp ret[GLOW_LAMPS])
{
    const float air = (float)l->extinction;
    /* Shades send little of it upwards; dense fog does not only scatter it once. */
    const float strength = (float)l->lamps * air / 4 * GLOW / (1 + 40 * air);
    size_t n = t->head->n_lamps < GLOW_LAMPS ? t->head->n_lamps : GLOW_LAMPS;
    for (size_t i = 0; i < n; i++) {
        const struct lamp *lamp = &t->lamp[i];
        ret[i].far2 = 0;
        for (int k = 0; k < 3; k++) {
            float at = lamp->at[k] - (float)t->head->eye[k];
            ret[i].at[k] = at;
            ret[i].far2 += at * at;
            ret[i].colour[k] = lamp->power * strength * lamp->colour[k];
        }
    }
    return n;
}

void mixing_glow(const struct tiles *t, const struct place_kernels *k, const struct light *l,
                 struct vec to, double metres, float ret[3])
{
    struct glow_lamp lamp[GLOW_LAMPS];
    const float d[3] = {(float)to.x, (float)to.y, (float)to.z}, far = (float)metres;
    memset(ret, 0, 3 * sizeof(*ret));
    if (glows(l))
        k->glow(lamp, glow_lamps(t, l, lamp), (float)l->extinction,
                (const float *const[3]){d, d + 1, d + 2}, &far, 1,
                (float *const[3]){ret, ret + 1, ret + 2});
}

static bool find_glow(const struct tiles *t, const struct place_kernels *kernels,
                      const struct light *l, const struct patch *p, const struct sheet *s, int x,
                      int y, const uint16_t *depth, float *ret)
{
    enum { N = TILE_QUARTER };
    struct glow_lamp lamp[GLOW_LAMPS];
    float sine[N], cosine[N], to[3][N], far[N];
    if (p->projection == PROJECTION_DOWN || !glows(l))
        return false;
    size_t n = glow_lamps(t, l, lamp);
    for (int i = 0; i < N; i++) {
        double pan = (p->pan0 + (x + (i - 0.5) * 4) / s->density) * RAD;
        sine[i] = (float)sin(pan);
        cosine[i] = (float)cos(pan);
    }
    for (int j = 0; j < N; j++) {
        double tilt = (p->tilt1 - (y + (j - 0.5) * 4) / s->density) * RAD;
        float up = (float)sin(tilt), flat = (float)cos(tilt);
        for (int i = 0; i < N; i++) {
            int half = (i ? 2 * i - 1 : 0) + (j ? 2 * j - 1 : 0) * TILE_HALF;
            far[i] = fminf(tiles_far(t, depth[half]), (float)FAR_M);
            to[0][i] = sine[i] * flat;
            to[1][i] = cosine[i] * flat;
            to[2][i] = up;
        }
        float *row = ret + j * N;
        kernels->glow(lamp, n, (float)l->extinction, (const float *const[3]){to[0], to[1], to[2]},
                      far, N, (float *const[3]){row, row + N * N, row + 2 * N * N});
    }
    return true;
}

/* ---- a tile ---- */

void mixing_tile(const struct tiles *t, const struct place_kernels *k, const struct patch *p,
                 const struct sheet *s, uint32_t index, const struct light *l, const struct mix *m,
                 float *scratch, uint16_t *to)
{
    const struct tile *tile = &t->tile[index];
    int x = (int)((index - s->first) % s->across) * TILE;
    int y = (int)((index - s->first) / s->across) * TILE;
    float *mirror = scratch + MIX_SCRATCH - 6 * TILE_QUARTER * TILE_QUARTER;
    float *glow = scratch + MIX_SCRATCH - 3 * TILE_QUARTER * TILE_QUARTER;
    struct mix_tile from = {.y = tiles_part(t, tile->albedo), .tubes = t->head->front > 0};
    from.cb = from.y + TILE * TILE;
    from.cr = from.cb + TILE_HALF * TILE_HALF;
    from.cover = tile->cover ? tiles_part(t, tile->cover) : NULL;
    from.suns = tile->suns ? tiles_part(t, tile->suns) : NULL;
    from.depth = tiles_part(t, tile->depth);
    for (int i = 0; i < LIGHT_SOFT; i++)
        from.soft[i] = tile->soft[i] ? tiles_part(t, tile->soft[i]) : NULL;
    if (m->wet > 0 || m->white > 0)
        ground_rows(t, p, s, y / TILE, m->wet, &from);
    if (m->white > 0)
        find_front(t, p, s, x / TILE, y / TILE, &from);
    if (m->wet > 0 && find_mirror(t, l, p, s, x, y, mirror))
        from.mirror = mirror;
    if (m->extinction > 0 && find_glow(t, k, l, p, s, x, y, from.depth, glow))
        from.glow = glow;
    k->mix(m, &from, to, scratch);
}
