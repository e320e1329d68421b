/* Drawing of the cast, over a backdrop that is known exactly, with the real models
 * (raster_set.h). */
#include <stdio.h>
#include <string.h>

#include "device/virtual/raster/inside.h"
#include "raster_set.h"
#include "unit.h"

/* Every kind of member, near and far, over one another. */
static size_t gathering(struct member *who)
{
    size_t n = 0;
    for (size_t i = 0; i < NAMES; i++) {
        who[n] = standing(names[i], -9 + (double)(i % 6) * 3.4, 11 + (double)(i / 6) * 7,
                          (double)i * 51);
        who[n].gait = i % 3 ? GAIT_WALK : who[n].gait;
        who[n].headlights = i % 2;
        who[n].brake_lights = i % 3 == 0;
        who[n].look = (uint32_t)i * 77;
        who[n].speed_m_s = (double)(i % 5) * 1.4 - 1.4;
        snprintf(who[n].plate, sizeof(who[n].plate), "AB %zu", 100 + i);
        n++;
    }
    return n;
}

TEST(twins_give_the_same_bytes)
{
    const struct kernels_raster *twin[3] = {kernels_raster_best(), &kernels_raster_plain,
                                            &kernels_raster_plain};
    if (twin[0] == &kernels_raster_plain)
        return; /* there is but one */
#if defined(__x86_64__)
    twin[2] = &kernels_raster_avx2;
#endif
    for (int night = 0; night < 2; night++) {
        struct stage s;
        struct member who[CAST_MOST];
        size_t n = gathering(who);
        begin(&s, 960, 540, 0, -16, 70, night);
        raster_open(s.r, night ? 0.1 : 0);
        uint16_t *bare = copied(&s);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
        uint16_t *best = copied(&s);
        struct silhouette outline[CAST_MOST], same[CAST_MOST];
        raster_truth(s.r, &s.b, &s.v, who, n, outline);
        CHECK(memcmp(bare, best, s.n * sizeof(*best)));
        for (int i = 1; i < 3; i++) {
            stub_paint(&s.b, &s.v, &s.l, &s.p);
            still_rest(s.r); /* else those who stand are not drawn again */
            s.r->k = twin[i];
            raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
            CHECK(!memcmp(best, s.p.r, s.n * sizeof(*best)));
            raster_truth(s.r, &s.b, &s.v, who, n, same);
            CHECK(!memcmp(outline, same, n * sizeof(*same)));
        }
        free(best);
        free(bare);
        end(&s);
    }
}

/* Who stands is kept from picture to picture, unless something of what he is drawn from changes. */
TEST(who_stands_is_as_if_drawn_anew)
{
    for (int night = 0; night < 2; night++) {
        struct stage s, fresh;
        struct member who[CAST_MOST];
        static float told[64 * 36], anew[64 * 36];
        size_t n = gathering(who);
        begin(&s, 640, 360, 0, -14, 60, night);
        for (int i = 0; i < 9; i++) {
            struct pose pose = {.tilt_deg = i < 7 ? -14 : -15, .hfov_deg = 60, .zoom = 1};
            begin(&fresh, 640, 360, 0, -14, 60, night);
            view_init(&s.v, &pose, 640, 360);
            fresh.v = s.v;
            for (size_t k = 0; k < n; k++) {
                who[k].speed_m_s = k % 3 ? 0 : who[k].speed_m_s;
                who[k].at.x += 0.1 * who[k].speed_m_s;
            }
            if (i == 2)
                who[1].look++;
            if (i == 3)
                who[2].phase += 0.1;
            if (i > 3)
                s.l.zenith[1] *= 1.5f;
            fresh.l = s.l;
            struct stage *const both[2] = {&s, &fresh};
            for (int k = 0; k < 2; k++) {
                struct stage *q = both[k];
                raster_watch(q->r,
                             &(struct raster_watch){i & 1 ? k ? anew : told : NULL, 10, 64, 36});
                raster_open(q->r, night ? 0.1 : 0);
                raster_hide(q->r, i == 5 ? who[4].id : NULL);
                stub_paint(&q->b, &q->v, &q->l, &q->p);
                raster_cast(q->r, &q->b, &q->v, &q->l, who, n, &q->p, false);
            }
            if (memcmp(s.p.r, fresh.p.r, s.n * sizeof(*s.p.r)) != 0)
                unit_fail(__FILE__, __LINE__, "picture %d differs", i);
            CHECK(!memcmp(told, anew, sizeof(told)));
            end(&fresh);
        }
        CHECK(s.r->n_stills > n / 3);
        end(&s);
    }
}

static void check_what_came_before(bool night)
{
    struct stage s;
    struct member who[CAST_MOST];
    size_t n = gathering(who);
    begin(&s, 640, 360, 5, -16, 50, night);
    raster_open(s.r, night ? 0.2 : 0);
    raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
    uint16_t *first = copied(&s);
    struct pose pose = {.pan_deg = -20, .tilt_deg = -30, .hfov_deg = 20, .zoom = 3, .known = true};
    struct view other;
    view_init(&other, &pose, 640, 360);
    stub_paint(&s.b, &other, &s.l, &s.p);
    raster_cast(s.r, &s.b, &other, &s.l, who, n / 2, &s.p, true);
    CHECK(memcmp(first, s.p.r, s.n * sizeof(*first)));
    stub_paint(&s.b, &s.v, &s.l, &s.p);
    raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, true);
    CHECK(!memcmp(first, s.p.r, s.n * sizeof(*first)));
    raster_rest(s.r);
    stub_paint(&s.b, &s.v, &s.l, &s.p);
    raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
    CHECK(!memcmp(first, s.p.r, s.n * sizeof(*first)));
    free(first);
    end(&s);
}

TEST(what_came_before_does_not_matter)
{
    check_what_came_before(false);
    check_what_came_before(true); /* what the ground throws back is remembered */
}

TEST(restore_gives_the_backdrop_back)
{
    for (int night = 0; night < 2; night++) {
        struct stage s;
        struct member who[CAST_MOST];
        size_t n = gathering(who);
        begin(&s, 1280, 720, 0, -14, 60, night);
        raster_open(s.r, night ? 0.1 : 0);
        uint16_t *bare = copied(&s);
        for (int i = 0; i < 3; i++) {
            for (size_t k = 0; k < n; k++)
                who[k].at.x += 0.4;
            CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, true));
            CHECK(memcmp(bare, s.p.r, s.n * sizeof(*bare)));
            raster_restore(s.r, &s.p);
            CHECK(!memcmp(bare, s.p.r, s.n * sizeof(*bare)));
        }
        free(bare);
        end(&s);
    }
}

/* Are the cells whose pixels differ from `was` all marked? Returns how many are. */
static size_t marked(const struct stage *s, const uint16_t *was)
{
    size_t across = (size_t)radiance_across(&s->p), n = across * (size_t)radiance_down(&s->p);
    size_t plane = s->n / 3, width = (size_t)s->v.width, count = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t x = i % plane % width, y = i % plane / width;
        if (was[i] != s->p.r[i] && !s->p.touched[y / RADIANCE_CELL * across + x / RADIANCE_CELL])
            unit_fail(__FILE__, __LINE__, "pixel %zu %zu was written unmarked", x, y);
    }
    for (size_t i = 0; i < n; i++)
        count += s->p.touched[i] != 0;
    return count;
}

TEST(what_is_written_is_marked)
{
    for (int night = 0; night < 2; night++) {
        struct stage s;
        struct member who[CAST_MOST];
        begin(&s, 1270, 710, 0, -14, 60, night);
        raster_open(s.r, night ? 0.1 : 0);
        size_t cells = (size_t)radiance_across(&s.p) * (size_t)radiance_down(&s.p);
        s.p.touched = calloc(1, cells);
        CHECK(s.p.touched);
        uint16_t *bare = copied(&s);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, 0, &s.p, true);
        CHECK_INT(marked(&s, bare), 0);
        who[0] = standing("man", 0, 30, 40);
        CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, 1, &s.p, true));
        size_t few = marked(&s, bare);
        CHECK(few > 0 && few < 60); /* he is 30 pixels high: not the box of far more */
        uint16_t *with = copied(&s);
        memset(s.p.touched, 0, cells);
        raster_restore(s.r, &s.p);
        CHECK_INT(marked(&s, with), (long long)few);
        free(with);
        size_t n = gathering(who);
        memset(s.p.touched, 0, cells);
        CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, true));
        CHECK(marked(&s, bare) > few);
        with = copied(&s);
        memset(s.p.touched, 0, cells);
        raster_restore(s.r, &s.p);
        marked(&s, with);
        free(with);
        free(bare);
        free(s.p.touched);
        end(&s);
    }
}

/* Columns in which the ground is not seen as it is, above a row, and how much light is missing or
 * too much in all of them. */
static int columns(const struct stage *s, const uint16_t *bare, int end, double *ret_light)
{
    int n = 0, w = s->v.width;
    double all[1280], most = 0;
    *ret_light = 0;
    CHECK(w <= 1280);
    for (int x = 0; x < w; x++) {
        double off = 0;
        for (int y = 0; y < end; y++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x, g = s->n / 3 + i;
            off += (double)s->p.r[g] - (double)bare[g];
        }
        all[x] = fabs(off);
        most = fmax(most, all[x]);
        *ret_light += off;
    }
    for (int x = 0; x < w; x++)
        n += all[x] > 0.02 * most;
    return n;
}

/* Who walks across is as much wider as he goes while the shutter is open, and takes as much light
 * away as before; who stands is as sharp as ever. */
TEST(a_slow_shutter_smears_who_moves)
{
    struct stage s;
    begin(&s, 1280, 720, 0, -14, 60, true); /* no sun: no shadow that stands */
    struct member who[1] = {standing("man", 0, 16, 90)};
    uint16_t *bare = copied(&s);
    double sharp_light, light, x, hip;
    CHECK(view_point(&s.v, vec(0, 16, 0.9 - 6), &x, &hip)); /* his shadow lies below */
    raster_cast(s.r, &s.b, &s.v, &s.l, who, 1, &s.p, true);
    int sharp = columns(&s, bare, (int)hip, &sharp_light);
    CHECK(sharp > 10);
    for (int i = 0; i < 2; i++) {
        raster_restore(s.r, &s.p);
        who[0].speed_m_s = i ? 1.5 : 0;
        raster_open(s.r, 0.5);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, 1, &s.p, true);
        int wide = columns(&s, bare, (int)hip, &light);
        double moved = who[0].speed_m_s * 0.5 * s.v.f / 16;
        CHECK_NEAR(wide - sharp, moved, 0.12 * moved);
        CHECK_NEAR(light / sharp_light, 1, 0.03);
    }
    free(bare);
    end(&s);
}

/* What is smeared looks like the mean of all the places it was at, also where it is drawn coarser
 * along its way. */
TEST(a_smear_is_the_mean_of_where_it_was)
{
    static const double pixels[] = {5, 9, 11};
    for (size_t i = 0; i < sizeof(pixels) / sizeof(*pixels); i++) {
        struct stage s;
        begin(&s, 1280, 720, 0, -14, 60, true);
        struct member who = standing("van", 0, 24, i % 2 ? 90 : 270);
        uint16_t *bare = copied(&s);
        double x, below, *mean = calloc(s.n, sizeof(*mean)), off = 0, all = 0;
        const int steps = 24;
        size_t width = (size_t)s.v.width;
        CHECK(mean && view_point(&s.v, vec(0, 24, 0.5 - 6), &x, &below)); /* its shadow is */
        who.speed_m_s = pixels[i] * 24 / s.v.f / 0.03;
        raster_open(s.r, 0.03);
        raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, true);
        uint16_t *smeared = copied(&s);
        raster_open(s.r, 0);
        for (int k = 0; k < steps; k++) {
            raster_restore(s.r, &s.p);
            who.at.x = ((k + 0.5) / steps - 0.5) * who.speed_m_s * 0.03;
            raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, true);
            for (size_t q = 0; q < s.n; q++)
                mean[q] += (double)s.p.r[q] / steps;
        }
        for (size_t q = 0; q < s.n; q++) {
            if ((double)(q % (s.n / 3) / width) >= below)
                continue;
            off += fabs(smeared[q] - mean[q]);
            all += fabs(bare[q] - mean[q]);
        }
        if (!(all > 0 && off < 0.06 * all))
            unit_fail(__FILE__, __LINE__, "%g pixels: %g of it is amiss", pixels[i], off / all);
        free(smeared);
        free(mean);
        free(bare);
        end(&s);
    }
}

TEST(too_much_to_keep_is_said)
{
    struct stage s;
    begin(&s, 640, 360, 0, -40, 40, false);
    struct member who[8];
    for (int i = 0; i < 8; i++)
        who[i] = standing("bus", 0, 6 + i * 0.4, 90);
    CHECK(!raster_cast(s.r, &s.b, &s.v, &s.l, who, 8, &s.p, true));
    uint16_t *drawn = copied(&s);
    raster_restore(s.r, &s.p); /* nothing was kept */
    CHECK(!memcmp(drawn, s.p.r, s.n * sizeof(*drawn)));
    free(drawn);
    end(&s);
}

TEST(shadows_darken_the_ground_only)
{
    struct stage s;
    begin(&s, 960, 540, 0, -17, 40, false);
    struct member who = standing("car-sedan", 0, 20, 60);
    uint16_t *bare = copied(&s);
    raster_hide(s.r, who.id);
    raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
    size_t darker = 0, lighter = 0;
    for (size_t i = 0; i < s.n; i++) {
        darker += s.p.r[i] < bare[i];
        lighter += s.p.r[i] > bare[i];
    }
    CHECK(darker > 3000);
    CHECK_INT(lighter, 0);
    /* Where the sun is gone, the sky's light is left. */
    double least = 1;
    for (size_t i = 0; i < s.n; i++)
        least = fmin(least, (double)s.p.r[i] / bare[i]);
    CHECK(least < 0.35);
    free(bare);
    end(&s);
}

TEST(headlights_light_the_ground_at_night)
{
    struct stage s;
    begin(&s, 960, 540, 0, -17, 40, true);
    struct member who = standing("car-hatch", 0, 26, 180);
    double sum[2];
    for (int on = 0; on < 2; on++) {
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        who.headlights = on;
        raster_hide(s.r, who.id);
        raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
        sum[on] = 0;
        for (int y = 330; y < 500; y++)
            for (int x = 400; x < 560; x++)
                sum[on] += s.p.g[(size_t)y * s.p.stride + (size_t)x];
    }
    CHECK(sum[1] > sum[0] * 1.2);
    end(&s);
}

TEST(the_own_lamp_has_a_beam)
{
    /* He is as bright before the lens and beside it, but for the beam. */
    double sum[2][2];
    for (int narrow = 0; narrow < 2; narrow++)
        for (int aside = 0; aside < 2; aside++) {
            struct stage s;
            begin(&s, 640, 360, aside ? -28 : 0, -10, 80, true);
            s.l.soft[SOFT_IR][0] = s.l.soft[SOFT_IR][1] = s.l.soft[SOFT_IR][2] = 2;
            s.l.ir_edge = narrow ? 1 - cos(10 * M_PI / 180) : 0;
            struct member who = standing("man", 0, 19, 180);
            struct silhouette t;
            uint16_t *bare = copied(&s);
            raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
            raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
            sum[narrow][aside] = 0;
            for (int y = (int)t.y0; y < (int)t.y1; y++)
                for (int x = (int)t.x0; x < (int)t.x1; x++) {
                    size_t at = (size_t)y * s.p.stride + (size_t)x;
                    sum[narrow][aside] += fmax(0, (double)s.p.g[at] - bare[at]);
                }
            free(bare);
            end(&s);
        }
    CHECK(sum[0][0] > 0 && sum[0][1] > sum[0][0] * 0.5);
    CHECK(sum[1][0] > sum[0][0] * 0.5);
    CHECK(sum[1][1] < sum[1][0] * 0.1);
}

TEST(close_by_and_beside_the_eye)
{
    /* The near plane cuts them; nothing is read or written outside. */
    for (int h = 0; h < 6; h++) {
        struct stage s;
        begin(&s, 320, 180, 0, -5, 60, h & 1);
        s.b.eye = vec(0, 0, 1.5);
        raster_free(s.r);
        s.r = raster_new(s.m, s.b.eye);
        struct member who[4] = {standing("bus", 0.5, 2, h * 60), standing("man", 0.1, 0.3, 0),
                                standing("barrier", -0.2, -1, h * 31),
                                standing("car-suv", 0, 0, h * 45)};
        struct silhouette t[4];
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        who[0].headlights = who[3].headlights = true;
        raster_cast(s.r, &s.b, &s.v, &s.l, who, 4, &s.p, true);
        raster_truth(s.r, &s.b, &s.v, who, 4, t);
        for (int i = 0; i < 4; i++)
            CHECK(t[i].visible >= 0 && t[i].visible <= 1 && t[i].x1 <= 320 && t[i].y1 <= 180 &&
                  t[i].x0 >= 0);
        end(&s);
    }
}

TEST(a_crowd)
{
    struct stage s;
    struct member who[CAST_MOST];
    struct silhouette t[CAST_MOST];
    begin(&s, 960, 540, 0, -14, 60, false);
    uint16_t *bare = copied(&s);
    for (size_t i = 0; i < CAST_MOST; i++) {
        who[i] = standing(i % 2 ? "woman" : "man", -8 + (double)(i % 16),
                          14 + (double)(i / 16) * 1.5, (double)i * 37);
        who[i].gait = GAIT_WALK;
        who[i].look = (uint32_t)i;
        snprintf(who[i].id, sizeof(who[i].id), "person-%zu", i);
    }
    who[7].model = "zeppelin"; /* unknown: left out */
    CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, CAST_MOST, &s.p, true));
    raster_truth(s.r, &s.b, &s.v, who, CAST_MOST, t);
    size_t seen = 0;
    for (size_t i = 0; i < CAST_MOST; i++)
        seen += t[i].visible > 0.3;
    CHECK(seen > 60);
    CHECK(t[7].visible == 0 && t[7].x1 <= t[7].x0);
    for (size_t i = 0; i < 8; i++) /* all that the cast may name */
        who[i].model = (const char *[]){"man-2",  "man-3", "woman-2", "woman-3",
                                        "worker", "child", "man",     "woman"}[i];
    raster_truth(s.r, &s.b, &s.v, who, 8, t);
    for (size_t i = 0; i < 8; i++)
        CHECK(t[i].visible > 0.2 || t[i].x1 <= t[i].x0 || who[i].at.x < -7);
    raster_restore(s.r, &s.p);
    CHECK(!memcmp(bare, s.p.r, s.n * sizeof(*bare)));
    free(bare);
    end(&s);
}

TEST(looks_differ)
{
    /* Twelve looks, twelve pictures. */
    struct stage s;
    begin(&s, 200, 300, 0, -15, 10, false);
    uint16_t *seen[12];
    for (uint32_t i = 0; i < 12; i++) {
        struct member who = standing("man", 0, 19.5, 160);
        who.look = i;
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
        seen[i] = copied(&s);
        for (uint32_t k = 0; k < i; k++) {
            size_t differ = 0;
            for (size_t q = 0; q < s.n; q++)
                differ += abs((int)seen[i][q] - (int)seen[k][q]) > 200;
            CHECK(differ > 600);
        }
    }
    for (int i = 0; i < 12; i++)
        free(seen[i]);
    end(&s);
}

UNIT_MAIN(UNIT_ROW(twins_give_the_same_bytes) UNIT_ROW(a_slow_shutter_smears_who_moves)
              UNIT_ROW(a_smear_is_the_mean_of_where_it_was) UNIT_ROW(who_stands_is_as_if_drawn_anew)
                  UNIT_ROW(what_came_before_does_not_matter)
                      UNIT_ROW(restore_gives_the_backdrop_back) UNIT_ROW(what_is_written_is_marked)
                          UNIT_ROW(too_much_to_keep_is_said)
                              UNIT_ROW(shadows_darken_the_ground_only)
                                  UNIT_ROW(headlights_light_the_ground_at_night)
                                      UNIT_ROW(the_own_lamp_has_a_beam)
                                          UNIT_ROW(close_by_and_beside_the_eye) UNIT_ROW(a_crowd)
                                              UNIT_ROW(looks_differ))
