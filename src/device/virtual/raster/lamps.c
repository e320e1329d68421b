/* The light of vehicles' lamps: on the ground, and into the lens. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A lamp that burns and is turned to the eye. */
struct burning {
    struct vec at; /* from the eye */
    double far, facing;
    bool tail;
    double level, radius; /* radiance of its middle, white cards; metres */
};

static bool lamp_burns(const struct placed *p, const struct model_lamp *m, struct burning *ret)
{
    double x = m->at[0] * p->scale, y = m->at[1] * p->scale;
    ret->tail = m->kind == 1;
    if (ret->tail)
        ret->level = p->who->brake_lights ? 0.9 : p->who->headlights ? 0.05 : 0;
    else
        ret->level = p->who->headlights ? 3.0 : 0;
    ret->radius = ret->tail ? 0.07 : 0.075;
    ret->at = vec_add(p->feet, vec(x * p->cosine + y * p->sine, y * p->cosine - x * p->sine,
                                   m->at[2] * p->scale));
    ret->far = vec_len(ret->at);
    ret->facing =
        (ret->at.x * p->sine + ret->at.y * p->cosine) * (ret->tail ? 1 : -1) / fmax(ret->far, 0.1);
    return ret->level > 0 && ret->facing > 0.05;
}

static void lamp_colour(const struct burning *lamp, double k, double ret[3])
{
    ret[0] = k;
    ret[1] = k * (lamp->tail ? 0.03 : 0.95);
    ret[2] = k * (lamp->tail ? 0.02 : 0.85);
}

/* Where in the picture it is. */
enum seen { SEEN_OUTSIDE, SEEN_HIDDEN, SEEN };
static enum seen lamp_seen(struct raster *r, const struct backdrop *b, const struct view *v,
                           struct vec at)
{
    double x, y, z = vec_dot(at, v->ahead);
    if (!view_point(v, at, &x, &y) || x < 0 || y < 0 || x >= v->width || y >= v->height)
        return SEEN_OUTSIDE;
    const float *row = far_row(r, b, v, (int)y, (int)x, (int)x + 1);
    return row[(int)x] < z - 0.5 - 2e-4 * z * z ? SEEN_HIDDEN : SEEN;
}

#define BEAM_WHITES 2.2e-4 /* its brightest, in white cards: 22 lux */
#define BEAM_LEAST 4.0f    /* samples: fewer are less than a tenth of what the noise is */
#define EIGHT 8

struct beam {
    const struct placed *p;
    struct box box;
    double at[4][2]; /* corners in the picture, unless the box is cut */
    float strength;
    float reach[BEAM_RAYS];
};

#define RAY_STEP_M 0.75
#define RAY_AHEAD 8      /* steps: what is far away in memory is fetched so early */
#define RAY_HIGH_M 0.45  /* what is as high as that keeps the ground behind it dark */
#define RAY_BEHIND_M 1.5 /* further behind what is seen, nobody knows what there is */

/* In the picture's axes: to the right and up in pixels at a depth of 1, and depth. */
static struct vec to_axes(const struct view *v, struct vec d)
{
    return vec(v->f * vec_dot(d, v->right), v->f * vec_dot(d, v->up), vec_dot(d, v->ahead));
}

/* A point of a ray that something may stand in. */
struct ray_point {
    const float *far; /* of its pixel; NULL: nothing does */
    double z;
};

static struct ray_point ray_point(struct raster *r, const struct backdrop *b, const struct view *v,
                                  struct vec at)
{
    struct ray_point ret = {.z = at.z};
    if (at.z < 0.5)
        return ret;
    double near = 1 / at.z, x = v->width / 2.0 + at.x * near, y = v->height / 2.0 - at.y * near;
    if (x < 0 || y < 0 || x >= v->width || y >= v->height)
        return ret;
    int px = (int)x, py = (int)y;
    const float *row = far_row(r, b, v, py, px, px + 1);
    if (far_beyond(r, v, py, px, px + 1, (float)(at.z + 0.1 + 1e-3)))
        return ret; /* as mostly, without a look at what is far from each other in memory */
    __builtin_prefetch(row + px);
    ret.far = row + px;
    return ret;
}

/* How many of `most` steps a ray comes, from `at` (to_axes()) on, before what the place is made of
 * fills a point of it. */
static int ray_steps(struct raster *r, const struct backdrop *b, const struct view *v,
                     struct vec at, struct vec step, int most)
{
    struct ray_point soon[RAY_AHEAD];
    for (int i = 0; i < most + RAY_AHEAD; i++) {
        struct ray_point *p = &soon[i % RAY_AHEAD];
        double behind = i >= RAY_AHEAD && p->far ? p->z - (double)*p->far : INFINITY;
        if (behind > -0.1 && behind < RAY_BEHIND_M)
            return i - RAY_AHEAD;
        if (i < most)
            *p = ray_point(r, b, v, vec_add(at, vec_mul(step, i + 1)));
    }
    return most;
}

/* How far its light comes. What is thinner than the rays lie apart takes nothing away: it would
 * flicker as they pass. */
static void beam_rays(struct raster *r, const struct backdrop *b, const struct view *v,
                      struct beam *beam)
{
    const struct placed *p = beam->p;
    double front = p->hi[1] * p->scale;
    float ends[BEAM_RAYS];
    struct vec from = to_axes(v, vec_add(p->feet, vec(0, 0, RAY_HIGH_M)));
    struct vec onward = to_axes(v, vec(p->sine, p->cosine, 0));
    struct vec aside = to_axes(v, vec(p->cosine, -p->sine, 0));
    from = vec_add(from, vec_mul(onward, front));
    for (int i = 0; i < BEAM_RAYS; i++) {
        double across = i * 2.0 / (BEAM_RAYS - 1) - 1;
        struct vec at = vec_add(from, vec_mul(aside, across * BEAM_NEAR_M));
        struct vec step =
            vec_add(onward, vec_mul(aside, across * (BEAM_FAR_M - BEAM_NEAR_M) / BEAM_M));
        int most = (int)(BEAM_M / RAY_STEP_M) - 1;
        int n = ray_steps(r, b, v, at, vec_mul(step, RAY_STEP_M), most);
        ends[i] = n < most ? (float)(n * RAY_STEP_M) : BEAM_M;
    }
    for (int i = 0; i < BEAM_RAYS; i++) {
        float left = ends[i ? i - 1 : 0], right = ends[i < BEAM_RAYS - 1 ? i + 1 : i];
        float pair = fmaxf(left, ends[i]), other = fmaxf(ends[i], right);
        beam->reach[i] = fminf(pair, other);
    }
}

/* Where a vehicle's beam may reach the ground in the picture; false: it does not matter. */
static bool beam_of(struct raster *r, const struct backdrop *b, const struct view *v,
                    const struct light *l, const struct placed *p, struct beam *ret)
{
    struct lit lit;
    if (!p->who->headlights || !p->model->n_lamps)
        return false;
    backdrop_lit(b, l, p->who->at, &lit);
    if (lit.ambient[1] + lit.sun[1] > 0.03f)
        return false; /* by day nobody sees it */
    double front = p->hi[1] * p->scale;
    struct vec corner[4];
    for (int k = 0; k < 4; k++) {
        double y = k & 2 ? front + BEAM_M : front;
        double x = (k & 1 ? 1 : -1) * (k & 2 ? BEAM_FAR_M : BEAM_NEAR_M);
        corner[k] =
            vec_add(p->feet, vec(x * p->cosine + y * p->sine, y * p->cosine - x * p->sine, 0));
    }
    if (!ground_box(v, corner, 4, &ret->box))
        return false;
    for (int k = 0; k < 4 && !ret->box.cut; k++)
        view_point(v, corner[k], &ret->at[k][0], &ret->at[k][1]);
    ret->p = p;
    double dry = 1 - 0.45 * l->wet; /* as the place darkens (mixing.c) */
    ret->strength = (float)(BEAM_WHITES * dry * exp(-l->extinction * vec_len(p->feet)) * l->unit);
    beam_rays(r, b, v, ret);
    return true;
}

/* ---- what the ground throws back ---- */

static bool ground_begin(struct raster *r, const struct backdrop *b, const struct view *v, double z)
{
    size_t across = ((size_t)v->width + FAR_STEP - 1) / FAR_STEP, n = across * (size_t)v->height;
    free(r->energy);
    r->energy = malloc(((size_t)v->width / EIGHT + 2 * EIGHT) * 3 * sizeof(*r->energy));
    if (n > r->ground_room) {
        free(r->ground);
        free(r->ground_known);
        free(r->paved);
        r->ground_room = 0;
        r->ground = malloc(n * FAR_STEP * 3 * sizeof(*r->ground));
        r->ground_known = malloc(2 * n);
        r->paved = malloc(n * FAR_STEP + 8);
        if (!r->ground || !r->ground_known || !r->paved)
            return false;
        r->ground_room = n;
        r->ground_some = r->ground_known + n;
        r->ground_of = NULL;
    }
    if (r->ground_of != b || r->ground_z != z || !view_same(&r->ground_view, v)) {
        lay_settle(r);
        memset(r->ground_known, 0, n);
    }
    r->ground_of = b;
    r->ground_z = z;
    r->ground_view = *v;
    return r->energy;
}

#define PAVED_REACH 16 /* pixels */

/* How much of a pavement n pixels of ground are, in 255ths: grass, sand and leaves have a colour,
 * and take the water in. Each by the mean of those beside it, since colours are kept coarsely; and
 * of more colour than in mixing.c: painted kerbs and bricks would be holes in what is far brighter
 * than the road. Albedo 0: no ground. */
static void find_pavement(int n, const float *albedo, uint8_t *ret)
{
    float sum[FAR_STEP + 1][4];
    memset(sum[0], 0, sizeof(sum[0]));
    for (int i = 0; i < n; i++) {
        const float *c = albedo + 3 * i;
        for (int k = 0; k < 3; k++)
            sum[i + 1][k] = sum[i][k] + c[k];
        sum[i + 1][3] = sum[i][3] + (c[1] > 0);
    }
    for (int i = 0; i < n; i++) {
        const float *a = sum[i > PAVED_REACH ? i - PAVED_REACH : 0];
        const float *e = sum[i + PAVED_REACH < n ? i + PAVED_REACH + 1 : n];
        float red = e[0] - a[0], green = e[1] - a[1], blue = e[2] - a[2], some = e[3] - a[3];
        float soft = (fmaxf(red, green) - blue) / (red + green + blue + 0.01f * some + 1e-6f);
        bool there = albedo[3 * i + 1] > 0;
        ret[i] = there ? (uint8_t)(255.5 - 255 * clamp_unit((double)soft * 12 - 1.4)) : 0;
    }
}

/* Looks at FAR_STEP pixels of a row; `to`, `paved`: the first of them. */
static uint8_t look_down(struct raster *r, const struct backdrop *b, const struct view *v, int y,
                         int x0, uint16_t *const to[3], uint8_t *paved)
{
    float albedo[FAR_STEP * 3];
    struct ground_ray g;
    int x1 = x0 + FAR_STEP < v->width ? x0 + FAR_STEP : v->width;
    uint8_t some = 0;
    if (!ground_ray_begin(r, v, r->ground_z, y, &g))
        return 0;
    const float *far = far_row(r, b, v, y, x0, x1);
    backdrop_albedo_row(b, v, y, x0, x1, albedo);
    for (int x = x0; x < x1; x++) {
        double z = ground_ray_reach(&g, x) * v->f;
        bool seen = z > 0 && fabs((double)far[x] - z) <= far_tolerance(z);
        for (int k = 0; k < 3; k++) {
            float *a = &albedo[(x - x0) * 3 + k];
            *a = seen ? *a : 0;
            to[k][x - x0] = (uint16_t)(*a * 65535 + 0.5f);
            some |= (uint8_t)((to[k][x - x0] > 0) << ((x - x0) / EIGHT));
        }
    }
    find_pavement(x1 - x0, albedo, paved);
    return some;
}

/* Whether any of eight pixels of a row are such ground. */
static bool ground_at(struct raster *r, const struct backdrop *b, const struct view *v, int y,
                      int eight)
{
    size_t across = ((size_t)v->width + FAR_STEP - 1) / FAR_STEP;
    size_t step = (size_t)y * across + (size_t)(eight * EIGHT / FAR_STEP);
    if (!r->ground_known[step]) {
        uint16_t *first = r->ground + 3 * step * FAR_STEP;
        uint16_t *const to[3] = {first, first + FAR_STEP, first + 2 * (size_t)FAR_STEP};
        r->ground_some[step] = look_down(r, b, v, y, eight * EIGHT / FAR_STEP * FAR_STEP, to,
                                         r->paved + step * FAR_STEP);
        r->ground_known[step] = 1;
    }
    return r->ground_some[step] >> eight % (FAR_STEP / EIGHT) & 1;
}

/* ---- beams upon it ---- */

/* From where to where something is lit, in EIGHTs of pixels. */
struct lit_part {
    int first, end;
};

/* Light on a row of pixels, of all beams that meet the ground at its height. */
static struct lit_part beams_row(const struct raster *r, const struct view *v,
                                 const struct beam *beam, size_t n, int y, float *energy)
{
    struct lit_part ret = {v->width, 0};
    struct ground_ray g;
    memset(energy, 0, ((size_t)v->width / EIGHT + 2 * EIGHT) * sizeof(*energy));
    if (!ground_ray_begin(r, v, r->ground_z, y, &g))
        return ret;
    for (size_t i = 0; i < n; i++) {
        const struct placed *p = beam[i].p;
        int x0 = beam[i].box.x0, x1 = beam[i].box.x1;
        if (p->who->at.z != r->ground_z || y < beam[i].box.y0 - 1 || y > beam[i].box.y1)
            continue;
        if (!beam[i].box.cut)
            ground_quad_row(beam[i].at, y, &beam[i].box, &x0, &x1);
        if (x0 >= x1)
            continue;
        struct raster_ground row = ground_row(&g, v, p);
        row.sine = (float)p->sine;
        row.cosine = (float)p->cosine;
        row.half_l = (float)(p->hi[1] * p->scale);
        row.strength = beam[i].strength;
        row.reach = beam[i].reach;
        int first = x0 / EIGHT;
        r->k->beam(&row, first * EIGHT, x1 / EIGHT + 1 - first, energy + first);
        /* It is lit in blocks, a little farther than asked for. */
        ret.first = first < ret.first ? first : ret.first;
        ret.end = x1 / EIGHT + 1 + EIGHT > ret.end ? x1 / EIGHT + 1 + EIGHT : ret.end;
    }
    return ret;
}

/* Adds it where ground is to be seen; only what is lit is touched. */
static void shine_row(struct raster *r, const struct backdrop *b, const struct view *v, int y,
                      int x0, int x1, const float *energy)
{
    int end = (x1 + EIGHT - 1) / EIGHT;
    for (int i = x0 / EIGHT, from; i < end; i++) {
        for (from = i; i < end && (energy[i] > BEAM_LEAST || energy[i + 1] > BEAM_LEAST) &&
                       ground_at(r, b, v, y, i);
             i++) {
        }
        if (i == from)
            continue;
        int a = from * EIGHT, e = i * EIGHT < v->width ? i * EIGHT : v->width;
        uint16_t *to = lay_row(r, LAY_SHINE, a, e);
        if (!to)
            continue;
        memcpy(to, energy + from, (size_t)(i - from + 1) * sizeof(*energy));
        lay_put(r, y);
    }
}

static void beams_at(struct raster *r, const struct backdrop *b, const struct view *v,
                     const struct beam *beam, size_t n)
{
    struct box all = {v->width, v->height, 0, 0, false};
    for (size_t i = 0; i < n; i++) {
        const struct box *q = &beam[i].box;
        if (beam[i].p->who->at.z != r->ground_z)
            continue;
        all.x0 = q->x0 < all.x0 ? q->x0 : all.x0;
        all.y0 = q->y0 < all.y0 ? q->y0 : all.y0;
        all.x1 = q->x1 > all.x1 ? q->x1 : all.x1;
        all.y1 = q->y1 > all.y1 ? q->y1 : all.y1;
    }
    /* Beams are smooth: every second row, every eighth pixel, and straight between them. */
    size_t room = (size_t)v->width / EIGHT + 2 * EIGHT;
    float *row = r->energy, *next = row + room, *between = next + room;
    int first = all.y0 & ~1;
    struct lit_part now = beams_row(r, v, beam, n, first, row);
    for (int y = first; y < all.y1; y += 2) {
        struct lit_part then = beams_row(r, v, beam, n, y + 2, next);
        int x0 = now.first < then.first ? now.first : then.first;
        int x1 = now.end > then.end ? now.end : then.end;
        x0 = (x0 - 1) * EIGHT > all.x0 ? (x0 - 1) * EIGHT : all.x0;
        x1 = x1 * EIGHT < all.x1 ? x1 * EIGHT : all.x1;
        if (y >= all.y0)
            shine_row(r, b, v, y, x0, x1, row);
        for (int i = x0 / EIGHT; i <= x1 / EIGHT + 1; i++)
            between[i] = (row[i] + next[i]) * 0.5f;
        if (y + 1 < all.y1)
            shine_row(r, b, v, y + 1, x0, x1, between);
        float *was = row;
        row = next;
        next = was;
        now = then;
    }
}

/* ---- streaks on wet pavement ----
 *
 * Water on rough ground is facets that lean all ways, their slopes spread as a Gaussian. Ground
 * shows a lamp by those that halve the angle between it and the eye: most of them where still water
 * would show it, fewer and fewer towards the eye. Low over the ground a facet that leans aside
 * turns the ray by less than one that leans along: so it is a streak. */

#define ROUGH 0.14   /* slope at which there are a third as many facets */
#define FILM 0.08    /* share of wet pavement that a film of water makes smooth */
#define STREAK_GAP 8 /* rows without pavement that end it: beyond a hedge there is none of it */
#define STREAK_LEAST 80.0 /* samples: less is lost in the noise of a street that is lit at all */

struct streak {
    double radiance[3]; /* of the lamp times its area, samples · m² */
    double gloss;       /* how wet */
    double radius;      /* of the lamp, metres */
    double height, eye; /* of both above the ground */
    double far;         /* level, from the eye to the lamp */
    double middle[2];   /* in the picture: pixel in row 0, and more in each row */
    double wide;        /* pixels to the right of a ray that is one pixel aside: level */
};

/* What a row of pixels shows of it: as a share of radiance, and how wide, in pixels. */
struct streak_part {
    double share, width;
};

/* Share of the facets that are not lost behind others (Smith). */
static double not_hidden(double sine, double cosine)
{
    double a = sine / (ROUGH * fmax(cosine, 1e-6));
    return a < 1.6 ? a * (3.535 + 2.181 * a) / (1 + a * (2.276 + 2.577 * a)) : 1;
}

/* At the ground that lies where a ray `ahead` meets it; false: nothing. */
static bool streak_part(const struct streak *s, struct vec ahead, struct streak_part *ret)
{
    double k = ahead.z < -1e-3 ? s->eye / -ahead.z : INFINITY;
    double level = k * sqrt(ahead.x * ahead.x + ahead.y * ahead.y), way = s->far - level;
    if (!(way > 0))
        return false;
    double to_eye = 1 / sqrt(level * level + s->eye * s->eye);
    double to_lamp = 1 / sqrt(way * way + s->height * s->height);
    double eye_sine = s->eye * to_eye, eye_cosine = level * to_eye;
    double lamp_sine = s->height * to_lamp, lamp_cosine = way * to_lamp;
    double up = eye_sine + lamp_sine, along = eye_cosine - lamp_cosine;
    double lean = along / (up * ROUGH), left = 1 - lean * lean / STREAK_END;
    if (left <= 0)
        return false;
    double steep = 1 - 0.5 * sqrt(up * up + along * along);
    double mirrors = 0.015 + 0.9 * steep * steep * steep * steep * steep; /* as mixing.c has it */
    double facets = left * left * left * left * 5 / (STREAK_END * M_PI * ROUGH * ROUGH);
    ret->share = s->gloss * mirrors * facets * not_hidden(eye_sine, eye_cosine) *
                 not_hidden(lamp_sine, lamp_cosine) * to_lamp * to_lamp / (4 * eye_sine);
    /* The lamp's own picture is as wide as it is. */
    double width = ROUGH * up * sqrt(left) / ((to_eye + to_lamp) * k * s->wide);
    double lamp = fmax(0.7, s->radius / k), both = sqrt(width * width + lamp * lamp);
    ret->share *= width / both;
    ret->width = both;
    return true;
}

static bool is_paved(const struct raster *r, const struct view *v, int y, int x0, int x1)
{
    size_t across = ((size_t)v->width + FAR_STEP - 1) / FAR_STEP;
    const uint8_t *row = r->paved + (size_t)y * across * FAR_STEP;
    while (x0 < x1 && !row[x0])
        x0++;
    return x0 < x1;
}

/* Lays it upon a row. False: there is no pavement to show it. */
static bool streak_row(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct streak *s, int y, const struct streak_part *part)
{
    double most = part->share * s->radiance[0], middle = s->middle[0] + s->middle[1] * y;
    if (most < STREAK_LEAST)
        return false;
    double half = part->width * sqrt(STREAK_END * (1 - sqrt(sqrt(STREAK_LEAST / most))));
    int x0 = (int)fmax(0, ceil(middle - half)), x1 = (int)fmin(v->width, floor(middle + half) + 1);
    bool some = false;
    for (int i = x0 / EIGHT; i * EIGHT < x1; i++)
        some |= ground_at(r, b, v, y, i);
    if (!some || !is_paved(r, v, y, x0, x1))
        return false;
    struct raster_streak *to = (struct raster_streak *)(void *)lay_row(r, LAY_STREAK, x0, x1);
    if (!to)
        return false;
    to->first = (float)(x0 - middle);
    to->inv = (float)(1 / (STREAK_END * part->width * part->width));
    for (int c = 0; c < 3; c++)
        to->radiance[c] = (float)(part->share * s->radiance[c]);
    lay_put(r, y);
    return true;
}

/* Where in the picture it may be, from row to row; false: nowhere. way: level, from the lamp. */
static bool streak_rows(const struct view *v, const struct streak *s, struct vec at,
                        const double way[2], int ret[2])
{
    double x, first, last, a = 1 - way[0] / s->far, e = 1 - way[1] / s->far;
    if (!view_point(v, vec(at.x * a, at.y * a, -s->eye), &x, &first))
        return false;
    if (!view_point(v, vec(at.x * e, at.y * e, -s->eye), &x, &last))
        last = v->height;
    ret[0] = (int)fmax(0, floor(first));
    ret[1] = (int)fmin(v->height, ceil(last));
    return true;
}

static void streak_of(struct raster *r, const struct backdrop *b, const struct view *v,
                      const struct light *l, double eye, const struct burning *lamp)
{
    double far = sqrt(lamp->at.x * lamp->at.x + lamp->at.y * lamp->at.y);
    struct streak s = {.gloss = FILM * l->wet * (1 - l->lying),
                       .radius = lamp->radius,
                       .height = lamp->at.z + eye,
                       .eye = eye,
                       .far = far};
    if (eye < 0.5 || s.height < 0.1 || far < 1 || lamp_seen(r, b, v, lamp->at) == SEEN_HIDDEN)
        return;
    lamp_colour(lamp,
                lamp->level * (lamp->tail ? lamp->facing : pow(lamp->facing, 6)) * M_PI *
                    lamp->radius * lamp->radius * exp(-l->extinction * lamp->far) * l->unit,
                s.radiance);
    /* The upright plane of eye and lamp is a line of the picture. */
    struct vec aside = vec(-lamp->at.y / far, lamp->at.x / far, 0);
    double right = vec_dot(aside, v->right);
    s.wide = fabs(right);
    s.middle[0] = -vec_dot(aside, view_ray(v, 0.5, 0.5)) / right;
    s.middle[1] = vec_dot(aside, v->up) / right;
    /* Where still water would show it; where facets that lean as much as any would. */
    double still = far * s.height / (s.height + eye), slope = eye / (far - still), way[2];
    struct streak_part part;
    if (!streak_part(&s, vec(far - still, 0, -eye), &part) ||
        part.share * s.radiance[0] < STREAK_LEAST)
        return;
    double lean = atan(slope) + 2 * atan(ROUGH * sqrt((double)STREAK_END));
    way[0] = s.height / tan(fmin(lean, 1.5));
    way[1] = far - eye / tan(fmin(lean, 1.5));
    /* A low thing between lamp and ground hides it from there on. */
    struct vec onward = to_axes(v, vec(-lamp->at.x / far, -lamp->at.y / far, 0));
    struct vec from = to_axes(v, vec(lamp->at.x, lamp->at.y, RAY_HIGH_M - eye));
    int most = (int)(2 * still / RAY_STEP_M) + 1, rows[2];
    int free = ray_steps(r, b, v, from, vec_mul(onward, RAY_STEP_M), most);
    if (free < most)
        way[1] = fmin(way[1], free * RAY_STEP_M);
    if (!(way[1] > way[0]) || !streak_rows(v, &s, lamp->at, way, rows))
        return;
    int last = rows[1]; /* that may show it */
    for (int y = rows[0]; y < rows[1] && y < last; y++) {
        double x = s.middle[0] + s.middle[1] * y + 0.5;
        if ((y - rows[0]) % 2 == 0 && !streak_part(&s, view_ray(v, x, y + 0.5), &part))
            part.share = 0; /* it changes little from row to row */
        if (streak_row(r, b, v, &s, y, &part))
            last = y + 1 + STREAK_GAP;
    }
}

static void ground_streaks(struct raster *r, const struct backdrop *b, const struct view *v,
                           const struct light *l, const struct placed *p)
{
    struct burning lamp;
    for (uint32_t i = 0; i < p->model->n_lamps; i++)
        if (lamp_burns(p, &p->model->lamp[i], &lamp) && ground_begin(r, b, v, p->who->at.z))
            streak_of(r, b, v, l, r->eye.z - p->who->at.z, &lamp);
}

void ground_headlights(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct light *l, const struct placed *p, size_t n)
{
    struct beam beam[CAST_MOST];
    size_t lit = 0;
    for (size_t i = 0; i < n; i++)
        lit += beam_of(r, b, v, l, &p[i], &beam[lit]);
    for (size_t i = 0, k; i < lit; i++) {
        double z = beam[i].p->who->at.z;
        for (k = 0; k < i && beam[k].p->who->at.z != z; k++) {
        }
        if (k == i && ground_begin(r, b, v, z)) /* the first of those at this height */
            beams_at(r, b, v, beam, lit);
    }
    for (size_t i = 0; i < n && l->wet >= 0.01; i++)
        ground_streaks(r, b, v, l, &p[i]);
}

/* ---- into the lens ---- */

#define GLARE 1.2e-3f       /* of what a lamp gives: what the lens throws beside it */
#define GLARE_LEAST 120.0   /* samples: less is lost in the noise */
#define GLARE_WIDEST 0.045f /* of the picture's width */

/* A pixel in which its head is, too, if it is. */
static void put_head(const struct raster_glare *g, float dx, float dy2, size_t at,
                     uint16_t *const add[3])
{
    float d2 = (dx * dx + dy2) * g->inv, rest = 1 - d2 * g->end;
    rest = rest > 0 ? rest * g->dim : 0;
    float k = g->glare * rest * rest / (1 + d2) + (d2 < 9 ? expf(-d2) * rest : 0);
    for (int c = 0; c < 3; c++) {
        float light = g->radiance[c] * k + 0.5f;
        add[c][at] = (uint16_t)(light < 65535 ? light : 65535);
    }
}

/* A lamp's head and what the lens makes of it: light that falls off with the square of the
 * distance, and ends smoothly where it would be lost. */
static void spot(struct raster *r, const struct view *v, struct vec at, double radius_m,
                 const double radiance[3], double halo)
{
    double x, y, z = vec_dot(at, v->ahead);
    if (!view_point(v, at, &x, &y))
        return;
    double core = fmax(0.7, radius_m * v->f / z), dim = fmin(1, radius_m * v->f / z / core);
    dim *= dim;
    double power = fmax(fmax(radiance[0], radiance[1]), radiance[2]) * dim * halo * GLARE;
    double reach = core * fmax(2.2, sqrt(power / GLARE_LEAST));
    reach = fmin(reach, core * 2.2 + v->width * GLARE_WIDEST);
    int y0 = (int)fmax(0, floor(y - reach)), y1 = (int)fmin(v->height - 1, ceil(y + reach));
    struct raster_glare g = {.inv = (float)(1 / (core * core)),
                             .end = (float)(core * core / (reach * reach)),
                             .dim = (float)dim,
                             .glare = (float)halo * GLARE};
    for (int c = 0; c < 3; c++)
        g.radiance[c] = (float)radiance[c];
    for (int py = y0; py <= y1; py++) {
        double dy = py + 0.5 - y, half = sqrt(fmax(0, reach * reach - dy * dy));
        int x0 = (int)fmax(0, floor(x - half)), x1 = (int)fmin(v->width - 1, ceil(x + half));
        uint16_t *to = x0 <= x1 ? lay_row(r, LAY_ADD, x0, x1 + 1) : NULL;
        size_t step = lay_stride(x1 + 1 - x0);
        if (!to)
            continue;
        float dy2 = (float)(dy * dy), left = (float)(x0 + 0.5 - x);
        uint16_t *const add[3] = {to, to + step, to + 2 * step};
        r->k->glare(&g, x1 + 1 - x0, left, dy2, add);
        double head = sqrt(fmax(0, 9 * core * core - dy * dy)) + 1;
        int first = (int)fmax(0, floor(-(double)left - head)),
            last = (int)fmin(x1 - x0, ceil(-(double)left + head));
        for (int i = first; i <= last; i++)
            put_head(&g, left + (float)i, dy2, (size_t)i, add);
        lay_put(r, py);
    }
}

void lamp_glare(struct raster *r, const struct backdrop *b, const struct view *v,
                const struct light *l, const struct placed *p)
{
    struct burning lamp;
    for (uint32_t i = 0; i < p->model->n_lamps; i++) {
        if (!lamp_burns(p, &p->model->lamp[i], &lamp) || lamp_seen(r, b, v, lamp.at) != SEEN)
            continue;
        double facing = lamp.tail ? lamp.facing : 0.15 + 0.85 * pow(lamp.facing, 6), radiance[3];
        lamp_colour(&lamp, lamp.level * facing * exp(-l->extinction * lamp.far) * l->unit,
                    radiance);
        spot(r, v, lamp.at, lamp.radius, radiance, lamp.tail ? 0.3 : 1);
    }
}
