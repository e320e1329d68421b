/* What lamps of vehicles throw upon the ground, wet and dry. */
#include "device/virtual/raster/inside.h"
#include "raster_set.h"

#define W 960
#define H 540

/* Unsaturated: the brightest of a streak is a hundred times what a street is lit with. */
#define UNIT (16384.0 * 64)

/* A picture of who is not drawn himself, under lamps, and with all that wet ground throws back. */
static void wet_and_dry(struct stage *s, struct member *who, size_t n, uint16_t *ret[2])
{
    s->l.unit = UNIT;
    for (int wet = 0; wet < 2; wet++) {
        s->l.wet = wet;
        stub_paint(&s->b, &s->v, &s->l, &s->p);
        raster_hide(s->r, who[0].id);
        raster_cast(s->r, &s->b, &s->v, &s->l, who, n, &s->p, false);
        ret[wet] = copied(s);
    }
}

static size_t brighter(const struct stage *s, uint16_t *const pictures[2])
{
    size_t ret = 0;
    for (size_t i = 0; i < s->n; i++)
        ret += pictures[1][i] > pictures[0][i];
    return ret;
}

TEST(wet_pavement_shows_a_lamp_where_still_water_would)
{
    static const struct {
        const char *model;
        double x, y, heading, tilt;
    } row[] = {{"car-hatch", 0, 26, 180, -15},
               {"car-hatch", -6, 34, 170, -12},
               {"car-estate", 3, 30, 0, -13}, /* red */
               {"bus", 5, 40, 190, -10}};
    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct stage s;
        begin(&s, W, H, 0, row[i].tilt, 40, true);
        struct member who = standing(row[i].model, row[i].x, row[i].y, row[i].heading);
        who.headlights = who.brake_lights = true;
        uint16_t *picture[2];
        wet_and_dry(&s, &who, 1, picture);
        struct placed p;
        CHECK(place_member(&p, s.r, &s.v, &who));
        size_t seen = 0;
        for (uint32_t k = 0; k < p.model->n_lamps; k++) {
            const float *at = p.model->lamp[k].at;
            double ahead = at[1] * p.scale, aside = at[0] * p.scale, x, y, lamp_y;
            struct vec mirrored =
                vec_add(p.feet, vec(aside * p.cosine + ahead * p.sine,
                                    ahead * p.cosine - aside * p.sine, -at[2] * p.scale));
            struct vec lamp = vec_add(mirrored, vec(0, 0, 2 * (double)at[2] * p.scale));
            bool tail = p.model->lamp[k].kind == 1;
            if (tail != (fabs(row[i].heading) < 90))
                continue;
            CHECK(view_point(&s.v, lamp, &x, &lamp_y) && view_point(&s.v, mirrored, &x, &y));
            int best = 0;
            size_t best_at = 0;
            for (int q = (int)y - 60; q < (int)y + 60 && q < H; q++)
                for (int c = (int)x - 10; c <= (int)x + 10; c++) {
                    size_t place = (size_t)q * W + (size_t)c;
                    int more = picture[1][place] - picture[0][place];
                    best_at = more > best ? place : best_at;
                    best = more > best ? more : best;
                }
            /* Nearer to the lamp it is a little brighter: its light comes from less far. */
            double off_x = (double)(best_at % W) + 0.5 - x, off_y = (double)(best_at / W) + 0.5 - y;
            if (!(best > 200 && best < 60000 && fabs(off_x) < 1.6 && off_y < 2 &&
                  off_y > -0.3 * (y - lamp_y)))
                unit_fail(__FILE__, __LINE__, "row %zu lamp %u: %d, %g and %g off", i, k, best,
                          off_x, off_y);
            size_t under = best_at + (size_t)14 * W, beside = best_at + 14;
            CHECK(picture[1][under] - picture[0][under] > /* longer than wide */
                  2 * (picture[1][beside] - picture[0][beside]));
            seen++;
        }
        CHECK(seen >= 2);
        for (int k = 0; k < 2; k++)
            free(picture[k]);
        end(&s);
    }
}

TEST(grass_and_what_is_hidden_show_none)
{
    for (int i = 0; i < 3; i++) {
        struct stage s;
        begin(&s, W, H, 0, -13, 40, true);
        struct member who = standing("car-hatch", 3.5, 24, 188);
        who.headlights = true;
        s.b.grass = i == 1;
        s.b.wall = i == 2;
        uint16_t *picture[2];
        wet_and_dry(&s, &who, 1, picture);
        if (i == 0)
            CHECK(brighter(&s, picture) > 1000);
        else
            CHECK_INT(brighter(&s, picture), 0);
        for (int k = 0; k < 2; k++)
            free(picture[k]);
        end(&s);
    }
}

/* On ground of two heights, so that one's look at it is lost before bands are laid. */
TEST(bands_and_twins_are_the_same_light)
{
    struct stage s;
    begin(&s, W, H, 0, -14, 60, true);
    s.l.wet = 1;
    stub_paint(&s.b, &s.v, &s.l, &s.p);
    uint16_t *bare = copied(&s);
    struct member who[4];
    for (int i = 0; i < 4; i++) {
        who[i] = standing("car-hatch", i * 4 - 6, 24 + i, 170 + i * 8);
        who[i].at.z = i % 2 * 0.2;
        who[i].headlights = who[i].brake_lights = true;
    }
    raster_cast(s.r, &s.b, &s.v, &s.l, who, 4, &s.p, false);
    uint16_t *whole = copied(&s);
    CHECK(memcmp(whole, bare, s.n * sizeof(*bare)) != 0);
    for (int plain = 0; plain < 2; plain++) {
        raster_use_plain_kernels(s.r, plain);
        memcpy(s.p.r, bare, s.n * sizeof(*bare));
        CHECK(raster_cast_bands(s.r, &s.b, &s.v, &s.l, who, 4, &s.p, NULL));
        CHECK(!memcmp(s.p.r, bare, s.n * sizeof(*bare)));
        raster_lay(s.r, &s.p);
        CHECK(!memcmp(s.p.r, whole, s.n * sizeof(*whole)));
    }
    free(whole);
    free(bare);
    end(&s);
}

UNIT_MAIN(UNIT_ROW(wet_pavement_shows_a_lamp_where_still_water_would)
              UNIT_ROW(grass_and_what_is_hidden_show_none)
                  UNIT_ROW(bands_and_twins_are_the_same_light))
