#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RAD (M_PI / 180)

/* World direction of a vector in model space. */
static struct vec turned(const struct placed *p, double x, double y, double z)
{
    return vec(x * p->cosine + y * p->sine, y * p->cosine - x * p->sine, z);
}

static void find_pose(struct placed *p)
{
    const struct model_clip *c = model_gait(p->model, p->who->gait);
    p->pose_a = p->pose_b = 0;
    p->mix = 0;
    if (!c)
        return;
    double phase = p->who->phase;
    if (p->who->gait == GAIT_RIDE) /* phase counts turns of the wheel; pedals turn slower */
        phase *= 0.42;
    double at = (phase - floor(phase)) * c->frames;
    uint32_t a = (uint32_t)at % c->frames;
    p->pose_a = c->first + a;
    p->pose_b = c->first + (a + 1) % c->frames;
    p->mix = (float)(at - floor(at));
}

/* What turns slowly (an arm) may stand outside the box of the pose at rest. */
static void find_box(struct placed *p)
{
    const struct model_clip *c = model_gait(p->model, p->who->gait);
    memcpy(p->lo, c ? c->lo : p->model->lo, sizeof(p->lo));
    memcpy(p->hi, c ? c->hi : p->model->hi, sizeof(p->hi));
    for (uint32_t i = 0; i < p->model->n_parts; i++) {
        const struct model_part *part = &p->model->part[i];
        if (fabsf(part->turns) > 0.9f)
            continue;
        double a = fabs(part->turns * p->who->phase) * 2 * M_PI;
        float reach = fmaxf(p->model->hi[1] - part->pivot[1], part->pivot[1] - p->model->lo[1]);
        p->hi[2] = fmaxf(p->hi[2], part->pivot[2] + reach * (float)sin(a) + 0.2f);
        p->lo[2] = fminf(p->lo[2], part->pivot[2] - 0.8f * (float)sin(a));
    }
}

int place_lod(const struct model *m, double pixels)
{
    /* So many triangles are worth their cost: a car 120 pixels wide has 900, one of 230
     * pixels 2,600; with fewer its body looks crumpled. Soft bodies bear fewer. */
    double worth = (m->n_parts ? 9 : 5) * pow(pixels, 0.6);
    int lod = 0;
    while (lod + 1 < (int)m->n_lods && m->lod[lod].n_triangles > worth)
        lod++;
    return lod;
}

/* People of the cast who share a model: another height, and what raster_look.c makes of them. */
static const struct {
    const char *name, *model;
    double scale;
} shared[] = {
    {"woman", "woman", 0.925}, {"woman-2", "woman", 0.945}, {"woman-3", "woman", 0.905},
    {"man-2", "man", 1.02},    {"man-3", "man", 0.97},      {"worker", "man", 1},
    {"child", "woman", 0.70},
};

const struct model *place_model(const struct models *m, const char *name, double *ret_scale)
{
    *ret_scale = 1;
    for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
        if (!strcmp(shared[i].name, name)) {
            *ret_scale = shared[i].scale;
            return models_named(m, shared[i].model);
        }
    return models_named(m, name);
}

bool place_member(struct placed *p, const struct raster *r, const struct view *v,
                  const struct member *m)
{
    memset(p, 0, sizeof(*p));
    p->who = m;
    p->squeeze = 1;
    p->scale = m->scale > 0.05 && m->scale < 20 ? m->scale : 1;
    double own;
    p->model = place_model(r->models, m->model, &own);
    if (!p->model)
        return false;
    p->scale *= own;
    p->sine = sin(m->heading_deg * RAD);
    p->cosine = cos(m->heading_deg * RAD);
    p->feet = vec_sub(m->at, r->eye);
    find_pose(p);
    find_box(p);
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    int behind = 0;
    for (int i = 0; i < 8; i++) {
        struct vec c = turned(p, i & 1 ? p->hi[0] : p->lo[0], i & 2 ? p->hi[1] : p->lo[1],
                              i & 4 ? p->hi[2] : p->lo[2]);
        c = vec_add(p->feet, vec_mul(c, p->scale));
        double z = vec_dot(c, v->ahead);
        if (z < NEAR_M) {
            behind++;
            continue;
        }
        double x = v->width / 2.0 + v->f * vec_dot(c, v->right) / z;
        double y = v->height / 2.0 - v->f * vec_dot(c, v->up) / z;
        x0 = fmin(x0, x);
        x1 = fmax(x1, x);
        y0 = fmin(y0, y);
        y1 = fmax(y1, y);
    }
    struct vec middle = vec_add(p->feet, vec(0, 0, p->scale * (p->lo[2] + p->hi[2]) / 2));
    p->depth = vec_dot(middle, v->ahead);
    p->reach =
        p->scale * hypot(hypot(p->hi[0] - p->lo[0], p->hi[1] - p->lo[1]), p->hi[2] - p->lo[2]) / 2;
    if (behind == 8)
        return true;
    p->cut = behind > 0;
    if (p->cut) {
        x0 = y0 = -1e4;
        x1 = v->width + 1e4;
        y1 = v->height + 1e4;
    }
    p->x0 = x0;
    p->x1 = x1;
    p->y0 = y0;
    p->y1 = y1;
    p->in_view = x1 > 0 && y1 > 0 && x0 < v->width && y0 < v->height;
    p->lod = place_lod(p->model, p->cut ? 1e9 : (x1 - x0) * (y1 - y0));
    return true;
}

static bool vertex_room(struct raster *r, size_t n)
{
    n = (n + RASTER_CLIPPED + 15) & ~(size_t)15;
    if (n <= r->v_room)
        return true;
    float *m = aligned_alloc(64, n * 14 * sizeof(float));
    if (!m)
        return false;
    free(r->v_memory);
    r->v_memory = m;
    r->v_room = n;
    float **const array[14] = {&r->v.x,  &r->v.y,        &r->v.iz,       &r->v.cx,       &r->v.cy,
                               &r->v.cz, &r->v.light[0], &r->v.light[1], &r->v.light[2], &r->v.u,
                               &r->v.v,  &r->v.up,       &r->v.glint,    &r->v.facing};
    for (int i = 0; i < 14; i++)
        *array[i] = m + n * (size_t)i;
    return true;
}

/* The turn of a part about its axis, as a matrix. */
static void part_turn(const struct model_part *part, double phase, double m[3][3])
{
    double a = part->turns * (phase - floor(fabs(part->turns) > 0.9f ? phase : 0)) * 2 * M_PI;
    double c = cos(a), s = sin(a), x = part->axis[0], y = part->axis[1], z = part->axis[2];
    double t[3][3] = {{c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s},
                      {y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s},
                      {z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)}};
    memcpy(m, t, sizeof(t));
}

static void set_part(struct raster_stand *s, const struct model *m, int part, double phase)
{
    double turn[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, pivot[3] = {0};
    if (part) {
        part_turn(&m->part[part - 1], phase, turn);
        for (int k = 0; k < 3; k++)
            pivot[k] = m->part[part - 1].pivot[k];
    }
    for (int i = 0; i < 3; i++) {
        double at = pivot[i];
        for (int k = 0; k < 3; k++) {
            double step = (m->hi[k] - m->lo[k]) / 65535.0;
            s->to_model[i][k] = (float)(turn[i][k] * step);
            s->turn[i][k] = (float)(turn[i][k] / 127);
            at += turn[i][k] * (m->lo[k] + 32768 * step - pivot[k]);
        }
        s->to_model[i][3] = (float)at;
    }
}

/* lean_x, lean_y: how far each metre of height is moved, and flattened; 0 with `flat` false. */
static bool to_picture(struct raster *r, const struct placed *p, const struct view *v, int lod,
                       struct raster_stand *s, bool flat, double lean_x, double lean_y)
{
    const struct model_lod *l = &p->model->lod[lod];
    if (!vertex_room(r, l->n_vertices))
        return false;
    const struct vec axis[3] = {turned(p, 1, 0, 0), turned(p, 0, 1, 0), vec(0, 0, 1)};
    const struct vec to[3] = {vec_mul(v->right, v->f / p->squeeze), vec_mul(v->up, -v->f),
                              v->ahead};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++)
            s->camera[i][k] = (float)(vec_dot(to[i], axis[k]) * p->scale);
        s->camera[i][3] = (float)vec_dot(to[i], p->feet);
        if (flat)
            s->camera[i][2] = (float)(-s->camera[i][0] * lean_x - s->camera[i][1] * lean_y);
    }
    s->cx = r->cx = (float)((v->width / 2.0 - r->shift_x) / p->squeeze);
    s->cy = r->cy = (float)(v->height / 2.0 - r->shift_y);
    s->near = NEAR_M;
    s->flat = flat;
    s->mix = p->mix;
    for (int k = 0; k < 3; k++)
        s->eye[k] = (float)(-vec_dot(p->feet, axis[k]) / p->scale);
    const uint8_t *base = r->models->base;
    const uint8_t *a = base + l->frames + model_frame_size(l) * p->pose_a;
    const uint8_t *b = base + l->frames + model_frame_size(l) * p->pose_b;
    for (uint32_t part = 0; part <= p->model->n_parts; part++) {
        if (!l->run[part].n)
            continue;
        set_part(s, p->model, (int)part, p->who->phase);
        r->k->vertices(s, l, a, b, base + l->ao, (const void *)(base + l->uv), l->run[part].first,
                       l->run[part].n, &r->v);
    }
    return true;
}

bool place_vertices(struct raster *r, const struct placed *p, const struct view *v, int lod,
                    struct raster_stand *s)
{
    return to_picture(r, p, v, lod, s, false, 0, 0);
}

bool place_flat(struct raster *r, const struct placed *p, const struct view *v, int lod,
                struct raster_stand *s, double lean_x, double lean_y)
{
    return to_picture(r, p, v, lod, s, true, lean_x, lean_y);
}

/* A vertex where the side from a (behind) to b meets the near plane. */
static void cut_side(const struct raster *r, int a, int b, int to)
{
    const struct raster_vertices *o = &r->v;
    float t = (NEAR_M * 1.01f - o->cz[a]) / (o->cz[b] - o->cz[a]);
#define MIX(array) (o->array[to] = o->array[a] + t * (o->array[b] - o->array[a]))
    MIX(cx);
    MIX(cy);
    MIX(cz);
    for (int k = 0; k < 3; k++)
        MIX(light[k]);
    MIX(u);
    MIX(v);
    MIX(up);
    MIX(glint);
    MIX(facing);
#undef MIX
    o->iz[to] = 1 / o->cz[to];
    o->x[to] = r->cx + o->cx[to] * o->iz[to];
    o->y[to] = r->cy + o->cy[to] * o->iz[to];
}

static void draw_batch(struct raster *r, const struct raster_batch *b, int number,
                       enum draw_what what)
{
    bool holed = b->alpha && b->levels;
    (what == DRAW_COLOURS || (what == DRAW_DEPTH && holed) ? r->k->triangles
     : what == DRAW_DEPTH                                  ? r->k->outline
                          : r->k->mask)(&r->v, b, number, &r->patch);
}

/* Draws what the near plane leaves of a triangle. */
static void draw_cut(struct raster *r, const struct raster_batch *b, int number, const uint16_t *t,
                     size_t first, enum draw_what what)
{
    int poly[4], n = 0;
    int extra = (int)first;
    for (int i = 0; i < 3; i++) {
        int a = t[i], c = t[(i + 1) % 3];
        bool in = r->v.iz[a] > 0, next = r->v.iz[c] > 0;
        if (in)
            poly[n++] = a;
        if (in != next) {
            cut_side(r, in ? c : a, in ? a : c, extra);
            poly[n++] = extra++;
        }
    }
    struct raster_batch one = *b;
    one.holes = NULL;
    for (int i = 1; i + 1 < n; i++) {
        const uint16_t tri[3] = {(uint16_t)poly[0], (uint16_t)poly[i], (uint16_t)poly[i + 1]};
        one.triangle = tri;
        one.n = 1;
        draw_batch(r, &one, number, what);
    }
}

static bool is_drawn(const struct placed *p, const struct model_material *m)
{
    return (!(m->flags & MATERIAL_CARRIED) || p->who->gait == GAIT_CARRY) &&
           (!(m->flags & MATERIAL_LONG_HAIR) || look_long_hair(p->who));
}

void place_borders(const struct raster *r, const struct placed *p, int lod, double ret[4])
{
    const struct model_lod *l = &p->model->lod[lod];
    const struct model_batch *batch = (const void *)(r->models->base + l->batches);
    const uint16_t *triangle = (const void *)(r->models->base + l->triangles);
    double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (uint32_t i = 0; i < l->n_batches; i++) {
        if (!is_drawn(p, &p->model->material[batch[i].material]))
            continue;
        for (size_t k = (size_t)batch[i].first * 3; k < ((size_t)batch[i].first + batch[i].n) * 3;
             k++) {
            uint16_t at = triangle[k];
            if (r->v.iz[at] <= 0)
                continue;
            x0 = fmin(x0, r->v.x[at]);
            x1 = fmax(x1, r->v.x[at]);
            y0 = fmin(y0, r->v.y[at]);
            y1 = fmax(y1, r->v.y[at]);
        }
    }
    ret[0] = x0;
    ret[1] = y0;
    ret[2] = x1;
    ret[3] = y1;
}

static bool face_room(struct raster *r, const struct model_lod *l, bool cut)
{
    /* Each triangle is one face, or two where the near plane cuts it. */
    int most = (int)l->n_triangles * (cut ? 3 : 1) + 1;
    r->patch.n_faces = 0;
    if (most <= r->patch.faces_room)
        return true;
    free(r->patch.face);
    r->patch.faces_room = 0;
    r->patch.face = malloc((size_t)most * sizeof(*r->patch.face));
    if (!r->patch.face)
        return false;
    r->patch.faces_room = most;
    return true;
}

/* What is known of a batch's holes; NULL: out of memory. */
static uint8_t *holes_of(struct raster *r, const struct raster_batch *b)
{
    for (size_t i = 0; i < r->n_holes; i++)
        if (r->holes[i].triangle == b->triangle)
            return r->holes[i].known;
    struct holes *all = realloc(r->holes, (r->n_holes + 1) * sizeof(*all));
    if (!all)
        return NULL;
    r->holes = all;
    uint8_t *known = calloc(b->n, MODEL_FACTORS);
    if (known)
        all[r->n_holes++] = (struct holes){b->triangle, known};
    return known;
}

void place_draw(struct raster *r, const struct placed *p, int lod, enum draw_what what,
                place_batch fill, void *ctx)
{
    const struct model_lod *l = &p->model->lod[lod];
    const struct model_batch *batch = (const void *)(r->models->base + l->batches);
    const uint16_t *triangle = (const void *)(r->models->base + l->triangles);
    if (!face_room(r, l, p->cut))
        return;
    for (uint32_t i = 0; i < l->n_batches; i++) {
        const struct model_material *m = &p->model->material[batch[i].material];
        if (!is_drawn(p, m))
            continue;
        struct raster_batch *b = &r->batch[i];
        memset(b, 0, sizeof(*b));
        b->triangle = triangle + (size_t)batch[i].first * 3;
        b->n = batch[i].n;
        b->two_sided = m->flags & MATERIAL_TWO_SIDED;
        if (what != DRAW_MASK) {
            if (batch[i].texture >= 0) {
                const struct model_texture *t = &r->models->texture[batch[i].texture];
                for (int k = 0; k < t->levels; k++)
                    b->level[k] = (const void *)(r->models->base + t->level[k]);
                b->log2_w = t->log2_w;
                b->log2_h = t->log2_h;
                b->levels = t->levels;
                b->alpha = m->flags & MATERIAL_ALPHA;
            }
            if (fill)
                fill(p, m, &batch[i], ctx, b);
            if (b->alpha && b->levels)
                b->holes = holes_of(r, b);
        }
        draw_batch(r, b, (int)i, what);
        if (!p->cut)
            continue;
        for (size_t k = 0; k < b->n; k++) {
            const uint16_t *t = b->triangle + 3 * k;
            int out = !(r->v.iz[t[0]] > 0) + !(r->v.iz[t[1]] > 0) + !(r->v.iz[t[2]] > 0);
            if (out == 1 || out == 2)
                draw_cut(r, b, (int)i, t, l->n_vertices, what);
        }
    }
}

/* Eleven rows; a multiple of the alignment, as aligned_alloc() asks. */
#define ROWS_BYTES ((ROW_STRIDE * 11 * sizeof(float) + 63) / 64 * 64)

static bool patch_room(struct raster *r)
{
    struct raster_patch *p = &r->patch;
    if (r->seen)
        return true;
    if (!p->mask)
        p->mask = malloc(RASTER_TILES * sizeof(*p->mask));
    if (!p->touched)
        p->touched = malloc(RASTER_TILES);
    const size_t samples = (size_t)RASTER_TILES * RASTER_SAMPLES * 8;
    if (!p->depth && (p->depth = aligned_alloc(64, samples * sizeof(*p->depth))))
        memset(p->depth, 0, samples * sizeof(*p->depth));
    if (!p->who && (p->who = aligned_alloc(64, samples * sizeof(*p->who))))
        memset(p->who, 0xff, samples * sizeof(*p->who));
    if (!r->row_memory)
        r->row_memory = aligned_alloc(64, ROWS_BYTES);
    if (!p->mask || !p->touched || !p->depth || !p->who || !r->row_memory)
        return false;
    float *m = r->row_memory + ROW_MARGIN;
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++, m += ROW_STRIDE)
            r->rgb[i][k] = m;
        r->cover[i] = m;
        r->depth[i] = m + ROW_STRIDE;
        m += 2 * ROW_STRIDE;
    }
    r->seen = m;
    return true;
}

bool patch_begin(struct raster *r, int x0, int y0, int x1, int y1)
{
    struct raster_patch *p = &r->patch;
    if (!patch_room(r))
        return false;
    p->x0 = x0 & ~(RASTER_TILE_W - 1);
    p->y0 = y0 & ~(RASTER_TILE_H - 1);
    p->across = (x1 - p->x0 + RASTER_TILE_W - 1) / RASTER_TILE_W;
    p->down = (y1 - p->y0 + RASTER_TILE_H - 1) / RASTER_TILE_H;
    p->squeeze = 1;
    memset(p->touched, 0, (size_t)p->across * (size_t)p->down);
    memset(p->mask, 0, (size_t)p->across * (size_t)p->down * sizeof(*p->mask));
    return true;
}
