/* What others ask of the place: distances, colours, the light on somebody, exposure. All
 * from the mapped tiles alone, hence from any thread. */
#include <math.h>
#include <string.h>

#include "device/virtual/place/backdrop_inside.h"

#define DEG (180 / M_PI)
#define SPAN 32 /* pixels between directions that are worked out */

static const struct tile *texel_at(const struct tiles *t, const struct plan_use *u,
                                   const struct look *at, int *x, int *y)
{
    double fx, fy;
    if (!u)
        return NULL;
    plan_texel(u->patch, u->sheet, at, &fx, &fy);
    return plan_tile(t, u->patch, u->sheet, fx, fy, x, y);
}

static float metres(const struct tiles *t, const struct tile *tile, int x, int y)
{
    const uint16_t *depth = tiles_part(t, tile->depth);
    return tiles_far(t, depth[(y / 2 + 1) * TILE_HALF + x / 2 + 1]);
}

double backdrop_distance(const struct backdrop *b, struct vec direction)
{
    struct look at;
    int x, y;
    look_at(&at, direction);
    const struct tile *tile = texel_at(b->tiles, plan_find(&b->finest, &at), &at, &x, &y);
    return tile ? (double)metres(b->tiles, tile, x, y) : INFINITY;
}

/* Directions of SPAN pixels of a row, nearly linear between both ends. */
struct stretch {
    const struct plan_use *use;
    double x, y, dx, dy; /* texel of the first pixel's middle, and from pixel to pixel */
};

/* From direction a to b. */
static struct stretch stretch(const struct plan *p, const struct look *a, const struct look *b)
{
    double across = pose_wrap_pan(b->pan - a->pan);
    struct look m = {a->pan + across / 2, (a->tilt + b->tilt) / 2, vec_unit(vec_add(a->to, b->to)),
                     (a->narrow + b->narrow) / 2};
    struct stretch s = {.use = plan_find(p, &m)};
    if (!s.use)
        return s;
    double bx, by;
    plan_texel(s.use->patch, s.use->sheet, a, &s.x, &s.y);
    plan_texel(s.use->patch, s.use->sheet, b, &bx, &by);
    if (s.use->patch->projection == PROJECTION_ROUND)
        bx = s.x + across * s.use->sheet->density;
    s.dx = (bx - s.x) / SPAN;
    s.dy = (by - s.y) / SPAN;
    return s;
}

static const struct tile *of_stretch(const struct tiles *t, const struct stretch *s, int i, int *x,
                                     int *y)
{
    if (!s->use)
        return NULL;
    const struct sheet *sheet = s->use->sheet;
    double fx = s->x + s->dx * i;
    if (fx < 0 && s->use->patch->round)
        fx += 360 * sheet->density;
    return plan_tile(t, s->use->patch, sheet, fx, s->y + s->dy * i, x, y);
}

void backdrop_distance_row(const struct backdrop *b, const struct view *v, int y, int x0, int x1,
                           float *ret_m)
{
    struct plan p;
    plan_init(&p, b->tiles, v, SPAN, PLAN_SHARP);
    struct look a, next;
    look_at(&next, view_ray(v, x0 + 0.5, y + 0.5));
    for (int from = x0; from < x1; from += SPAN) {
        a = next;
        look_at(&next, view_ray(v, from + SPAN + 0.5, y + 0.5));
        struct stretch s = stretch(&p, &a, &next);
        for (int i = 0; i < SPAN && from + i < x1; i++) {
            int tx, ty;
            const struct tile *tile = of_stretch(b->tiles, &s, i, &tx, &ty);
            *ret_m++ = tile ? metres(b->tiles, tile, tx, ty) : INFINITY;
        }
    }
}

static float linear(float v)
{
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    return v * (v * (v * 0.305306011f + 0.682171111f) + 0.012522878f);
}

void backdrop_albedo_row(const struct backdrop *b, const struct view *v, int y, int x0, int x1,
                         float *ret_rgb)
{
    struct plan p;
    plan_init(&p, b->tiles, v, SPAN, PLAN_SHARP);
    struct look a, next;
    look_at(&next, view_ray(v, x0 + 0.5, y + 0.5));
    for (int from = x0; from < x1; from += SPAN) {
        a = next;
        look_at(&next, view_ray(v, from + SPAN + 0.5, y + 0.5));
        struct stretch s = stretch(&p, &a, &next);
        for (int i = 0; i < SPAN && from + i < x1; i++, ret_rgb += 3) {
            int tx, ty;
            const struct tile *tile = of_stretch(b->tiles, &s, i, &tx, &ty);
            ret_rgb[0] = ret_rgb[1] = ret_rgb[2] = 0;
            const uint8_t *cover = tile && tile->cover ? tiles_part(b->tiles, tile->cover) : NULL;
            if (!tile || (cover && cover[ty * TILE + tx] < 128))
                continue;
            const uint8_t *luma = tiles_part(b->tiles, tile->albedo);
            size_t half = (size_t)(ty / 2 + 1) * TILE_HALF + (size_t)(tx / 2 + 1);
            float c = (float)luma[ty * TILE + tx] / 255;
            float cb = ((float)luma[TILE * TILE + half] - 128) / 255;
            float cr = ((float)luma[TILE * TILE + TILE_HALF * TILE_HALF + half] - 128) / 255;
            ret_rgb[0] = linear(c + 1.5748f * cr);
            ret_rgb[1] = linear(c - 0.187324f * cb - 0.468124f * cr);
            ret_rgb[2] = linear(c + 1.8556f * cb);
        }
    }
}

/* ---- light ---- */

static void add_soft(const struct light *l, int layer, uint32_t v, float ret[3])
{
    float c[3];
    tiles_soft(v, c);
    for (int k = 0; k < 3; k++)
        ret[k] += c[k] * l->soft[layer][k];
}

void ask_light(const struct backdrop *b, const struct light *l, struct vec direction, float ret[3])
{
    const struct tiles *t = b->tiles;
    struct look at;
    int x, y;
    look_at(&at, direction);
    memset(ret, 0, 3 * sizeof(*ret));
    const struct tile *tile = texel_at(t, plan_find(&b->finest, &at), &at, &x, &y);
    if (!tile)
        return;
    size_t quarter = (size_t)(y / 4 + 1) * TILE_QUARTER + (size_t)(x / 4 + 1);
    for (int s = 0; s < LIGHT_SOFT; s++)
        if (tile->soft[s] && s != SOFT_EMIT)
            add_soft(l, s, ((const uint32_t *)tiles_part(t, tile->soft[s]))[quarter], ret);
    if (!tile->suns)
        return;
    const uint8_t *sun = (const uint8_t *)tiles_part(t, tile->suns) +
                         4 * ((size_t)(y / 2 + 1) * TILE_HALF + (size_t)(x / 2 + 1));
    for (int s = 0; s < LIGHT_SUNS; s++)
        for (int k = 0; k < 3; k++)
            ret[k] += sun[s] / 255.0f * l->sun_share[s] * l->sun_colour[k];
}

void backdrop_lit(const struct backdrop *b, const struct light *l, struct vec at, struct lit *ret)
{
    memset(ret, 0, sizeof(*ret));
    const struct tiles *t = b->tiles;
    const struct tiles_head *h = t->head;
    if (!t->ground) {
        memcpy(ret->sun, l->sun_colour, sizeof(ret->sun));
        return;
    }
    double x = (at.x - h->ground_x) / h->ground_step - 0.5;
    double y = (at.y - h->ground_y) / h->ground_step - 0.5;
    x = x < 0 ? 0 : x > h->ground_across - 1.001 ? h->ground_across - 1.001 : x;
    y = y < 0 ? 0 : y > h->ground_down - 1.001 ? h->ground_down - 1.001 : y;
    int ix = (int)x, iy = (int)y;
    float fx = (float)(x - ix), fy = (float)(y - iy);
    float up = (float)fmax(l->sun.z, 0.05);
    for (int k = 0; k < 4; k++) {
        const struct ground_cell *g =
            &t->ground[(size_t)(iy + k / 2) * h->ground_across + (size_t)(ix + k % 2)];
        float w = (k % 2 ? fx : 1 - fx) * (k / 2 ? fy : 1 - fy), soft[3] = {0}, lamp[3] = {0};
        for (int s = 0; s < LIGHT_SOFT; s++)
            if (s == SOFT_LAMPS || s == SOFT_WINDOWS)
                add_soft(l, s, g->soft[s], lamp);
            else if (s != SOFT_EMIT && s != SOFT_IR)
                add_soft(l, s, g->soft[s], soft);
        float sun = 0;
        for (int s = 0; s < LIGHT_SUNS; s++)
            sun += g->sun[s] / 255.0f * l->sun_share[s];
        /* The ground has it at a slant; in the open, all of it. */
        sun /= up;
        sun = sun > 1 ? 1 : sun;
        for (int q = 0; q < 3; q++) {
            ret->sun[q] += w * sun * l->sun_colour[q];
            ret->ambient[q] += w * (soft[q] + lamp[q]);
            ret->lamp[q] += w * lamp[q];
        }
    }
}

/* Lamps themselves may be white: they hardly count. `ret_veil`: how much the air hides. */
static double meter_at(const struct tiles *t, const struct light *l, struct vec d, double *ret_veil)
{
    struct look at;
    look_at(&at, d);
    int i = (int)((at.pan + 180) / 360 * METER_ACROSS),
        j = (int)((90 - at.tilt) / 180 * METER_DOWN);
    i = i < 0 ? 0 : i >= METER_ACROSS ? METER_ACROSS - 1 : i;
    j = j < 0 ? 0 : j >= METER_DOWN ? METER_DOWN - 1 : j;
    const struct meter_cell *c = &t->meter[j * METER_ACROSS + i];
    static const double luma[3] = {0.2126, 0.7152, 0.0722};
    double clear = exp(-l->extinction * (double)c->distance);
    *ret_veil = 1 - clear * (1 - (double)c->sky);
    double sum = 0, up = fmax(at.to.z, 0);
    double high = up / (up + 0.28) * 1.28;
    /* Snow is four times as bright as what it lies on. */
    double white = 1 + 2.5 * l->lying * fmin(fmax(-at.to.z * 6, 0), 1);
    for (int k = 0; k < 3; k++) {
        double v = 0;
        for (int s = 0; s < LIGHT_SOFT; s++)
            v += (double)(c->soft[s][k] * l->soft[s][k]) * (s == SOFT_EMIT ? 0.2 : 1);
        for (int s = 0; s < LIGHT_SUNS; s++)
            v += (double)(c->sun[s][k] * l->sun_share[s] * l->sun_colour[k]);
        double sky = (double)l->horizon[k] + (double)(l->zenith[k] - l->horizon[k]) * high;
        sky += (0.5 * (double)(l->cloud_lit[k] + l->cloud_dark[k]) - sky) *
               fmin((double)l->cloud * 1.2, 1) * 0.7;
        double share = (double)c->sky;
        v *= white;
        v = v * clear + (double)l->haze[k] * (1 - clear) * (1 - share) + sky * share;
        sum += luma[k] * v;
    }
    return sum;
}

double ask_meter(const struct tiles *t, const struct light *l, const struct view *v)
{
    const int across = 11, down = 7;
    double sum = 0, squares = 0, weight = 0, veiled = 0;
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            double fx = (i + 0.5) / across, fy = (j + 0.5) / down;
            double dx = fx - 0.5, dy = fy - 0.5, k = 1.2 - dx * dx - dy * dy; /* middle first */
            double veil;
            double here =
                fmin(meter_at(t, l, view_ray(v, fx * v->width, fy * v->height), &veil), 4);
            veiled += k * veil;
            sum += k * here;
            squares += k * here * here;
            weight += k;
        }
    /* A camera knows fog by its want of contrast, and leaves it bright. */
    double foggy = l->extinction * 400 < 1 ? 0 : fmin(l->extinction * 400 - 1, 1);
    double bright = 1 / (1 - 0.4 * foggy * (1 - l->lamps) * veiled / weight);
    /* Dusk is to look like dusk. */
    double low = (l->disc.z + 0.2) * 10;
    bright /= 1 + 0.4 * fmin(fmax(low, 0), 1) * fmin(fmax((0.08 - l->disc.z) * 12, 0), 1);
    /* Between the mean and the mean of squares: bright parts are worth more. */
    return sqrt(sum / weight * sqrt(squares / weight)) / bright;
}

void backdrop_shares(const struct backdrop *b, const struct light *all, const struct light *part,
                     const struct pose *pose, double aspect, int across, int down, float *ret)
{
    struct view v;
    view_init(&v, pose, 1000, (int)(1000 / aspect));
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            double unused;
            struct vec d = view_ray(&v, (i + 0.5) / across * v.width, (j + 0.5) / down * v.height);
            double whole = meter_at(b->tiles, all, d, &unused);
            *ret++ = whole > 0 ? (float)(meter_at(b->tiles, part, d, &unused) / whole) : 1;
        }
}

double backdrop_meter(const struct backdrop *b, const struct light *l, const struct pose *pose,
                      double aspect)
{
    struct view v;
    view_init(&v, pose, 1000, (int)(1000 / aspect));
    return ask_meter(b->tiles, l, &v);
}
