/* The sky behind what is not covered, of each cell: clouds move now and then, what lamps add to the
 * air before them stays. */
#include <math.h>

#include "device/virtual/place/backdrop_inside.h"

#define SECOND INT64_C(1000000000)
#define SKY_M 500 /* how far lamps light the air before the sky */

/* When clouds were last moved: they need not move with every picture. */
void sky_choose(struct backdrop *b, int64_t t, uint16_t stale)
{
    /* Seconds that a cloud takes for two pixels: it is softer than that. By night for eight, which
     * is a tenth of the noise. */
    double step = (b->dark ? 8 : 2) / (b->view.f * SKY_DRIFT);
    const int64_t most = b->dark ? 2 * SECOND : SECOND;
    int64_t every = step < 0.04 ? 1 : (int64_t)(fmin(step, 2) * (double)SECOND);
    every = every > most ? most : every;
    for (int i = 0; i < PHASES; i++) {
        int64_t offset = every / PHASES * ((i * 5) % PHASES);
        int64_t then = (t + offset) / every * every;
        then = b->phase[0].light.cloud > 0.01f ? then : 0;
        if (then != b->sky_time[i]) {
            b->sky_time[i] = then;
            b->sky_moved |= 1u << i;
        }
        if ((b->sky_moved | stale) >> i & 1)
            b->sky_id[i] = ++b->sky_ids;
        if (stale >> i & 1)
            b->air_id[i] = b->sky_ids;
    }
}

/* What lamps add to the air before the sky. */
static void air_before(const struct backdrop *b, const struct light *l, struct vec to, float ret[3])
{
    mixing_glow(b->tiles, b->kernels, l, to, SKY_M, ret);
}

static void look_through(const struct light *l, int64_t t, struct vec to, const float air[3],
                         float ret[3])
{
    sky_radiance(l, t, to, ret);
    for (int k = 0; k < 3; k++)
        ret[k] += air[k];
}

/* From corner to corner: where the picture is narrow, clouds are smooth. */
static void sky_smooth(const struct backdrop *b, const struct light *l, int64_t t,
                       const struct knot *const k[4], struct cell_sky *to)
{
    float corner[4][3], air[3];
    for (int i = 0; i < 4; i++) {
        air_before(b, l, k[i]->look.to, air);
        look_through(l, t, k[i]->look.to, air, corner[i]);
    }
    for (int j = 0; j < SKY_SIDE; j++)
        for (int i = 0; i < SKY_SIDE; i++) {
            double fx = (double)i / (SKY_SIDE - 1), fy = (double)j / (SKY_SIDE - 1);
            for (int q = 0; q < 3; q++) {
                float c = (float)((corner[0][q] * (1 - fx) + corner[1][q] * fx) * (1 - fy) +
                                  (corner[2][q] * (1 - fx) + corner[3][q] * fx) * fy);
                to->all[q][j * SKY_SIDE + i] = fminf(c * (float)l->unit, 65535);
            }
        }
}

/* The right column of a cell is the left one of the next: to the bit. */
static struct vec sky_way(const struct knot *const k[4], int i, int j)
{
    double fx = (double)i / (SKY_SIDE - 1), fy = (double)j / (SKY_SIDE - 1);
    bool last = i == SKY_SIDE - 1;
    const struct vec left = k[last]->look.to, low = k[2 + last]->look.to;
    return vec_unit(
        last ? vec_mix(left, low, fy)
             : vec_mix(vec_mix(left, k[1]->look.to, fx), vec_mix(low, k[3]->look.to, fx), fy));
}

/* Clouds move, what lamps add does not. */
static void sky_sharp(const struct backdrop *b, int row, const struct knot *const k[4],
                      const struct cell *cell, struct cell_sky *to)
{
    const struct light *l = &b->phase[row % PHASES].light;
    const uint32_t id = b->sky_id[row % PHASES], air_id = b->air_id[row % PHASES];
    const bool airy = cell->air_id == air_id; /* that is known */
    /* The left column has been made for the cell before, if that has. */
    bool beside = (cell - b->cell) % (b->across - 1) > 0;
    bool follows = beside && cell[-1].sky_id == id && cell[-1].air_id == air_id;
    for (int j = 0; j < SKY_SIDE; j++)
        for (int i = 0; i < SKY_SIDE; i++) {
            int at = j * SKY_SIDE + i;
            if (i == 0 && follows) {
                for (int q = 0; q < 3; q++) {
                    to->all[q][at] = to[-1].all[q][at + SKY_SIDE - 1];
                    to->air[q][at] = to[-1].air[q][at + SKY_SIDE - 1];
                }
                continue;
            }
            struct vec way = sky_way(k, i, j);
            float air[3], c[3];
            for (int q = 0; q < 3 && airy; q++)
                air[q] = to->air[q][at];
            if (!airy)
                air_before(b, l, way, air);
            look_through(l, b->sky_time[row % PHASES], way, air, c);
            for (int q = 0; q < 3; q++) {
                to->air[q][at] = air[q];
                to->all[q][at] = fminf(c[q] * (float)l->unit, 65535);
            }
        }
}

void sky_add(struct backdrop *b, const struct knot *const k[4], int row, struct cell *cell,
             uint16_t *to)
{
    struct cell_sky *kept = &b->sky[cell - b->cell];
    if (cell->sky_id != b->sky_id[row % PHASES]) {
        if (b->view.f > 8000) {
            sky_smooth(b, &b->phase[row % PHASES].light, b->sky_time[row % PHASES], k, kept);
            cell->air_id = 0;
        } else {
            sky_sharp(b, row, k, cell, kept);
            cell->air_id = b->air_id[row % PHASES];
        }
        cell->sky_id = b->sky_id[row % PHASES];
    }
    b->kernels->sky(to, (const float(*)[SKY_SIDE * SKY_SIDE]) kept->all);
}
