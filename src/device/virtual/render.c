#include "device/virtual/canvas.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void row_done(struct row *row)
{
    for (int k = 0; k < 3; k++)
        free(row->rgb[k]);
    free(row->through);
    free(row->shadow);
    free(row->state);
    memset(row, 0, sizeof(*row));
}

static int row_init(struct row *row, int width)
{
    row_done(row);
    size_t n = ((size_t)width + CHUNK) / CHUNK * CHUNK;
    bool ok = true;
    for (int k = 0; k < 3; k++)
        ok = (row->rgb[k] = calloc(n, sizeof(float))) && ok;
    row->through = calloc(n, sizeof(float));
    row->shadow = calloc(n, sizeof(float));
    row->state = calloc(n / CHUNK, 1);
    return ok && row->through && row->shadow && row->state ? 0 : -ENOMEM;
}

struct canvas *canvas_new(const struct place *place)
{
    struct canvas *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->place = place;
    c->kernels = kernels_best();
    c->list = calloc(place->n_surfaces, sizeof(*c->list));
    return c->list ? c : canvas_free(c);
}

struct canvas *canvas_free(struct canvas *c)
{
    if (!c)
        return NULL;
    row_done(&c->row);
    row_done(&c->mask);
    free(c->list);
    free(c->store);
    free(c->scratch);
    free(c->half_planes);
    free(c);
    return NULL;
}

void canvas_use(struct canvas *c, const struct kernels *k)
{
    c->kernels = k;
}

const struct kernels *canvas_kernels(const struct canvas *c)
{
    return c->kernels;
}

int canvas_paint(struct canvas *c, const struct view *v, struct radiance *into)
{
    if (c->row_room < v->width) {
        c->row_room = 0;
        if (row_init(&c->row, v->width) < 0 || row_init(&c->mask, v->width) < 0)
            return -ENOMEM;
        c->row_room = v->width;
    }
    c->n_list = 0;
    for (size_t i = 0; i < c->place->n_surfaces; i++)
        c->n_list += view_surface(v, &c->place->surface[i], &c->list[c->n_list]);
    const struct kernels *k = c->kernels;
    for (int y = 0; y < v->height; y++) {
        k->row_begin(&c->row, 0, v->width);
        for (size_t i = 0; i < c->n_list && c->row.open; i++)
            if (y >= c->list[i].y0 && y <= c->list[i].y1)
                k->row_paint(&c->row, &c->list[i], &v->lens, y);
        size_t at = (size_t)y * into->stride;
        k->row_store(&c->row, 0, v->width, into->r + at, into->g + at, into->b + at);
    }
    c->n_patches = 0;
    return 0;
}

/* ---- actors ---- */

/* Whether a thing of the place stands between the eye and the actor. */
static bool before(const struct surface *s, const struct actor *a)
{
    struct vec middle = vec_sub(vec_add(a->at, vec(0, 0, 0.9)), place_eye());
    return !s->ground && s->n_verts && vec_dot(s->normal, middle) > s->plane;
}

static bool put_aside(struct canvas *c, const struct radiance *from, struct patch p)
{
    size_t used = 0, w = (size_t)(p.x1 - p.x0), n = w * (size_t)(p.y1 - p.y0) * 3;
    if (c->n_patches) {
        const struct patch *last = &c->patch[c->n_patches - 1];
        used = last->at + (size_t)(last->x1 - last->x0) * (size_t)(last->y1 - last->y0) * 3;
    }
    size_t most = (size_t)from->width * (size_t)from->height; /* a third of the picture */
    if (c->n_patches == ACTORS || used + n > most)
        return false;
    if (used + n > c->store_room) {
        size_t room = used + n < most / 4 ? most / 4 : most;
        uint16_t *bigger = realloc(c->store, room * sizeof(*bigger));
        if (!bigger)
            return false;
        c->store = bigger;
        c->store_room = room;
    }
    p.at = used;
    c->patch[c->n_patches++] = p;
    uint16_t *to = c->store + used;
    uint16_t *const plane[3] = {from->r, from->g, from->b};
    for (int k = 0; k < 3; k++)
        for (int y = p.y0; y < p.y1; y++, to += w)
            memcpy(to, plane[k] + (size_t)y * from->stride + p.x0, w * sizeof(*to));
    return true;
}

void canvas_restore(struct canvas *c, struct radiance *into)
{
    uint16_t *const plane[3] = {into->r, into->g, into->b};
    while (c->n_patches) {
        const struct patch *p = &c->patch[--c->n_patches];
        const uint16_t *from = c->store + p->at;
        size_t w = (size_t)(p->x1 - p->x0);
        for (int k = 0; k < 3; k++)
            for (int y = p->y0; y < p->y1; y++, from += w)
                memcpy(plane[k] + (size_t)y * into->stride + p->x0, from, w * sizeof(*from));
    }
}

#define PARTS (ACTOR_SURFACES + ACTOR_TUBES + ACTOR_SHADOWS)

/* False when what it covers should have been put aside and was not. */
static bool paint_actor(struct canvas *c, const struct view *v, const struct actor *a,
                        struct radiance *into, bool keep)
{
    struct drawn part[PARTS];
    int n = 0;
    for (int i = 0; i < a->n_surfaces; i++)
        n += view_surface(v, &a->surface[i], &part[n]);
    for (int i = 0; i < a->n_tubes; i++)
        n += view_tube(v, &a->tube[i], &part[n]);
    for (int i = 0; i < a->n_shadows; i++)
        n += view_surface(v, &a->shadow[i], &part[n]);
    if (!n)
        return true;
    struct patch p = {.x0 = v->width, .y0 = v->height};
    for (int i = 0; i < n; i++) {
        p.x0 = part[i].x0 < p.x0 ? part[i].x0 : p.x0;
        p.x1 = part[i].x1 + 1 > p.x1 ? part[i].x1 + 1 : p.x1;
        p.y0 = part[i].y0 < p.y0 ? part[i].y0 : p.y0;
        p.y1 = part[i].y1 + 1 > p.y1 ? part[i].y1 + 1 : p.y1;
    }
    p.x0 &= ~(CHUNK - 1);
    if (p.x0 >= p.x1 || p.y0 >= p.y1)
        return true;
    bool kept = !keep || put_aside(c, into, p);
    const struct drawn **hides = malloc(sizeof(*hides) * (c->n_list ? c->n_list : 1));
    size_t n_hides = 0;
    for (size_t i = 0; hides && i < c->n_list; i++)
        if (c->list[i].y0 < p.y1 && c->list[i].y1 >= p.y0 && before(c->list[i].from, a))
            hides[n_hides++] = &c->list[i];
    const struct kernels *k = c->kernels;
    for (int y = p.y0; y < p.y1; y++) {
        k->row_begin(&c->row, p.x0, p.x1);
        for (int i = 0; i < n; i++)
            if (y >= part[i].y0 && y <= part[i].y1)
                k->row_paint(&c->row, &part[i], &v->lens, y);
        k->row_begin(&c->mask, p.x0, p.x1);
        for (size_t i = 0; i < n_hides && c->mask.open; i++)
            if (y >= hides[i]->y0 && y <= hides[i]->y1)
                k->row_paint(&c->mask, hides[i], &v->lens, y);
        size_t at = (size_t)y * into->stride + (size_t)p.x0;
        k->row_over(&c->row, &v->lens, c->mask.through, p.x0, p.x1, into->r + at, into->g + at,
                    into->b + at);
    }
    free(hides);
    return kept;
}

bool canvas_actors(struct canvas *c, const struct view *v, const struct actor *actors, int n,
                   struct radiance *into, bool keep)
{
    int order[ACTORS];
    for (int i = 0; i < n; i++) { /* the farthest first */
        int j = i;
        for (; j > 0 && vec_len(actors[order[j - 1]].at) < vec_len(actors[i].at); j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    bool kept = true;
    for (int i = 0; i < n; i++)
        kept = paint_actor(c, v, &actors[order[i]], into, keep && kept) && kept;
    return kept;
}
