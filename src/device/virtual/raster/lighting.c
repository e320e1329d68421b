/* The light upon members, and what their faces make of it. */
#include "device/virtual/raster/inside.h"

#include <math.h>
#include <string.h>

static void light_member(const struct scene *c, const struct placed *p, struct lighting *g)
{
    const struct light *l = c->l;
    struct raster_stand *s = &g->stand;
    memset(g, 0, sizeof(*g));
    struct vec at = p->who->at, sun = l->sun;
    double half = p->scale * (p->hi[1] - p->lo[1]) / 2, high = p->scale * p->hi[2];
    struct lit low, front, rear, top;
    backdrop_lit(c->b, l, at, &low);
    front = rear = top = low;
    struct vec ahead = vec(p->sine, p->cosine, 0);
    if (half > 1) {
        backdrop_lit(c->b, l, vec_add(at, vec_mul(ahead, half * 0.8)), &front);
        backdrop_lit(c->b, l, vec_add(at, vec_mul(ahead, -half * 0.8)), &rear);
    }
    if (sun.z > 0.05) { /* the ray that meets its top goes on to the ground */
        double way = high * 0.9 / sun.z;
        backdrop_lit(c->b, l, vec_add(at, vec(-sun.x * way, -sun.y * way, 0)), &top);
    }
    float most = 1e-9f, ambient = 0, unit = c->unit, beam = 1;
    if (l->ir_edge > 0) { /* as the place dims beside the own lamp's beam */
        struct vec to = vec_unit(vec_add(p->feet, vec(0, 0, high / 2)));
        beam = (float)exp2((vec_dot(to, c->v->ahead) - 1) / l->ir_edge);
    }
    for (int k = 0; k < 3; k++) {
        most = fmaxf(most, l->sun_colour[k]);
        s->sun_colour[k] = l->sun_colour[k] * unit;
        float a = (low.ambient[k] + front.ambient[k] + rear.ambient[k]) / 3;
        float lamp = fminf(low.lamp[k], a);
        ambient += a / 3;
        s->lamp[k] = lamp * unit;
        s->sky[k] = (a - lamp) * unit;
        s->bounce[k] = 0.2f * (a + low.sun[k] * (float)fmax(sun.z, 0)) * unit;
        s->ir[k] = l->soft[SOFT_IR][k] * beam * unit;
        g->ground[k] = s->bounce[k] * 0.8f;
    }
    float share = 0;
    if (sun.z > 0) {
        const struct lit *const three[3] = {&front, &rear, &top};
        float *const to[3] = {&s->sun_front, &s->sun_rear, &s->sun_high};
        for (int i = 0; i < 3; i++) {
            float lum = fmaxf(three[i]->sun[0], fmaxf(three[i]->sun[1], three[i]->sun[2]));
            *to[i] = fminf(1, lum / most);
            share += *to[i] / 3;
        }
    }
    /* Mirrored sky: as much as the place lets in (a hall: little). */
    float sky = 0;
    for (int k = 0; k < 3; k++)
        sky += (l->horizon[k] + l->zenith[k]) / 6;
    float open = fminf(1.2f, ambient / fmaxf(sky, 1e-9f));
    for (int k = 0; k < 3; k++) {
        g->horizon[k] = l->horizon[k] * open * unit;
        g->zenith[k] = l->zenith[k] * open * unit;
        g->sun[k] = l->sun_colour[k] * share * 25 * unit;
    }
    struct vec m =
        vec(sun.x * p->cosine - sun.y * p->sine, sun.x * p->sine + sun.y * p->cosine, sun.z);
    s->sun[0] = (float)m.x;
    s->sun[1] = (float)m.y;
    s->sun[2] = (float)m.z;
    s->half_length = (float)fmax(0.05, half / p->scale);
    s->height = fmaxf(0.05f, p->hi[2]);
    for (uint32_t i = 0; i < p->model->n_materials; i++)
        if (p->model->material[i].kind != MATERIAL_MATTE)
            s->shiny = true;
}

/* Coarse clothes may dip into what they cover: the shirt lies over trousers, both over skin, as
 * hair does. */
static float give_way(const struct placed *p, const struct model_material *m)
{
    if (!p->model->n_clips)
        return 0;
    return m->slot == SLOT_SHIRT                              ? -0.03f
           : m->slot == SLOT_TROUSERS || m->slot == SLOT_HAIR ? -0.012f
                                                              : 0;
}

void lighting_outline(const struct placed *p, const struct model_material *m,
                      const struct model_batch *batch, void *ctx, struct raster_batch *b)
{
    (void)batch;
    (void)ctx;
    b->back = give_way(p, m);
}

void lighting_fill(const struct placed *p, const struct model_material *m,
                   const struct model_batch *batch, void *ctx, struct raster_batch *b)
{
    const struct lighting *g = ctx;
    look_tint(p->who, p->model, m->slot, b->tint);
    if (m->slot == SLOT_SLEEVE && look_long_sleeves(p->who)) {
        static const float skin[3] = {0.40f, 0.24f, 0.17f};
        b->levels = 0; /* no skin to be seen, nor its colour where corners have it */
        for (int k = 0; k < 3 && batch->texture < 0; k++)
            b->tint[k] /= skin[k];
    }
    b->back = give_way(p, m);
    b->diffuse = 1;
    for (int k = 0; k < 3; k++)
        b->mirror_tint[k] = 1;
    switch (m->kind) {
    case MATERIAL_PAINT:
        b->shiny = true;
        b->f0 = 0.05f;
        break;
    case MATERIAL_GLASS:
        b->shiny = true;
        b->f0 = 0.07f;
        break;
    case MATERIAL_CHROME:
        b->shiny = true;
        b->f0 = 0.5f;
        b->diffuse = 0.5f;
        break;
    case MATERIAL_PLATE:
        if (g->plate) {
            memcpy(b->level, g->plate->level, sizeof(g->plate->level));
            b->log2_w = 8;
            b->log2_h = 6;
            b->levels = PLATE_LEVELS;
            b->alpha = false;
        }
        break;
    default:
        break;
    }
    memcpy(b->horizon, g->horizon, sizeof(b->horizon));
    memcpy(b->zenith, g->zenith, sizeof(b->zenith));
    memcpy(b->ground, g->ground, sizeof(b->ground));
    memcpy(b->sun, g->sun, sizeof(b->sun));
}

void lighting_of(const struct scene *c, const struct placed *p, struct lighting *g,
                 float *ret_clear, float ret_haze[3])
{
    light_member(c, p, g);
    double width = p->scale * 0.52 * c->v->f / fmax(p->depth, 0.5);
    g->plate = p->who->plate[0] && width > 14 ? look_plate(c->r, p->who->plate) : NULL;
    *ret_clear = (float)exp(-c->l->extinction * vec_len(p->feet));
    for (int k = 0; k < 3; k++)
        ret_haze[k] = c->l->haze[k] * (1 - *ret_clear) * c->unit;
}
