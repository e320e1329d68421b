#include "device/virtual/camera/mess.h"
#include "device/virtual/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

#define W 480
#define H 270
#define NEVER (INT64_MIN / 2)

static struct radiance make(int width, int height)
{
    size_t n = (size_t)width * (size_t)height;
    uint16_t *planes = malloc(sizeof(*planes) * 3 * n);
    CHECK(planes);
    struct radiance r = {width,      height,         (size_t)width, planes,
                         planes + n, planes + 2 * n, 16384,         5};
    for (size_t i = 0; i < n; i++) {
        size_t x = i % (size_t)width, y = i / (size_t)width;
        bool tile = (x / 8 + y / 8) % 2;
        r.r[i] = (uint16_t)(tile ? 9000 : 2000);
        r.g[i] = (uint16_t)(tile ? 8000 : 3000);
        r.b[i] = (uint16_t)(1000 + 20 * y);
    }
    return r;
}

static double mean(const struct radiance *r, int y0, int y1)
{
    double sum = 0;
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < r->width; x++)
            sum += r->g[(size_t)y * r->stride + (size_t)x];
    return sum / ((double)(y1 - y0) * r->width);
}

/* Share of the pixels that differ by more than a third. */
static double unlike(const struct radiance *a, const struct radiance *b)
{
    int n = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            double u = a->g[(size_t)y * a->stride + (size_t)x];
            double v = b->g[(size_t)y * b->stride + (size_t)x];
            n += fabs(u - v) > u / 3;
        }
    return (double)n / a->width / a->height;
}

static uint64_t sum_of(const struct radiance *r)
{
    const uint16_t *plane[3] = {r->r, r->g, r->b};
    uint64_t h = 14695981039346656037u;
    for (int k = 0; k < 3; k++)
        for (int y = 0; y < r->height; y++)
            for (int x = 0; x < r->width; x++)
                h = (h ^ plane[k][(size_t)y * r->stride + (size_t)x]) * 1099511628211u;
    return h;
}

static struct radiance *look(struct pane *p, struct mess m, double rain, int64_t t,
                             struct radiance *in)
{
    struct radiance *out = NULL;
    struct set s = {.rain_mm_h = rain};
    if (!m.cleaned_ns)
        m.cleaned_ns = NEVER;
    CHECK(pane_look(p, &m, &s, 1, t, in, &out) == 0);
    CHECK(out && out->width == in->width && out->height == in->height && out->unit == in->unit);
    return out;
}

TEST(a_clean_pane_is_not_there)
{
    struct radiance in = make(W, H);
    struct pane *p = pane_new(1);
    CHECK(look(p, (struct mess){0}, 0, 0, &in) == &in);
    pane_free(p);
    free(in.r);
}

TEST(paint_covers_its_share)
{
    struct radiance in = make(W, H);
    uint64_t before = sum_of(&in);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct pane *p = pane_new(seed);
        for (double share = 0.05; share < 1; share += 0.15) {
            struct mess m = {.spray = share};
            const struct radiance *out = look(p, m, 0, 0, &in);
            CHECK_NEAR(unlike(&in, out), share, 0.06);
            CHECK_NEAR(mean(out, 0, H) / mean(&in, 0, H), 1 - m.spray * 0.9, 0.07);
        }
        CHECK(unlike(&in, look(p, (struct mess){.spray = 1}, 0, 0, &in)) == 1);
        pane_free(p);
    }
    CHECK(sum_of(&in) == before);
    free(in.r);
}

TEST(more_paint_covers_what_less_did)
{
    struct radiance in = make(W, H);
    struct pane *p = pane_new(1), *q = pane_new(1);
    const struct radiance *a = look(p, (struct mess){.spray = 0.3}, 0, 0, &in);
    const struct radiance *b = look(q, (struct mess){.spray = 0.6}, 0, 0, &in);
    int lost = 0;
    for (size_t i = 0; i < (size_t)W * H; i++)
        lost += a->g[i] < in.g[i] / 2 && b->g[i] > in.g[i] * 0.9;
    CHECK(lost == 0);
    pane_free(p);
    pane_free(q);
    free(in.r);
}

TEST(a_cloth_hangs_from_above)
{
    struct radiance in = make(W, H);
    struct pane *p = pane_new(4);
    const struct mess half = {.cover = 0.5}, whole = {.cover = 1};
    const struct radiance *out = look(p, half, 0, 0, &in);
    CHECK(mean(out, 0, H / 4) < 0.06 * mean(&in, 0, H / 4));
    CHECK_NEAR(mean(out, H - H / 4, H), mean(&in, H - H / 4, H), 1);
    CHECK_NEAR(mean(out, 0, H) / mean(&in, 0, H), 0.51, 0.07);
    out = look(p, whole, 0, 0, &in);
    CHECK(mean(out, 0, H) < 0.05 * mean(&in, 0, H) && mean(out, 0, H) > 0.005 * mean(&in, 0, H));
    /* Some light leaks in from below, and it has a texture. */
    CHECK(mean(out, H - 5, H) > 1.5 * mean(out, 0, H / 2));
    int first = out->g[0], other = 0;
    for (int x = 0; x < W; x++)
        other += abs(out->g[x] - first) > first / 10;
    CHECK(other > W / 20);
    pane_free(p);
    free(in.r);
}

TEST(out_of_focus_keeps_the_light_and_loses_the_lines)
{
    struct radiance in = make(W, H);
    struct pane *p = pane_new(1);
    double sharp = 5000.0 / 8 * (W - 40) * (H - 40), last = 0;
    for (double amount = 0.04; amount <= 1; amount *= 1.5) {
        const struct radiance *out = look(p, (struct mess){.blur = amount}, 0, 0, &in);
        CHECK_NEAR(mean(out, 0, H) / mean(&in, 0, H), 1, 0.01);
        double edges = 0;
        for (int y = 20; y < H - 20; y++)
            for (int x = 20; x < W - 20; x++) {
                const uint16_t *at = out->g + (size_t)y * out->stride + (size_t)x;
                edges += abs(at[0] - at[1]);
            }
        CHECK(edges < sharp * (amount > 0.3 ? 0.1 : 0.95));
        last = edges;
    }
    CHECK(last < sharp / 20);
    pane_free(p);
    free(in.r);
}

TEST(drops_come_with_the_rain_and_go_with_the_cloth)
{
    struct radiance in = make(W, H), clean = make(W, H);
    struct pane *p = pane_new(1);
    struct mess m = {0};
    int64_t t = 100 * NSEC_PER_SEC;
    const struct radiance *out = look(p, m, 10, t, &in);
    double share = unlike(&clean, out);
    CHECK(share > 0.0005 && share < 0.06);
    CHECK_NEAR(mean(out, 0, H) / mean(&clean, 0, H), 1, 0.02);
    uint64_t then = sum_of(out);
    pane_restore(p);
    CHECK(sum_of(&in) == sum_of(&clean));
    CHECK(sum_of(look(p, m, 10, t + 5 * NSEC_PER_SEC, &in)) != then);
    pane_restore(p);
    m.cleaned_ns = t;
    CHECK(unlike(&clean, look(p, m, 10, t, &in)) == 0);
    pane_restore(p);
    CHECK(unlike(&clean, look(p, m, 10, t + 30 * NSEC_PER_SEC, &in)) > 0);
    pane_free(p);
    free(in.r);
    free(clean.r);
}

TEST(a_picture_does_not_depend_on_those_before)
{
    struct radiance in = make(W, H), odd = make(322, 182);
    struct pane *p = pane_new(9);
    static const struct mess all[] = {{.spray = 0.4},
                                      {.cover = 0.3, .spray = 0.2},
                                      {.blur = 0.5, .spray = 0.7},
                                      {.blur = 0.01},
                                      {.spray = 0.41},
                                      {.cover = 1}};
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            struct radiance *from = (i + (size_t)round) % 2 ? &in : &odd;
            struct pane *fresh = pane_new(9);
            uint64_t a = sum_of(look(p, all[i], 4, (int64_t)i * NSEC_PER_SEC, from));
            uint64_t b = sum_of(look(fresh, all[i], 4, (int64_t)i * NSEC_PER_SEC, from));
            CHECK(a == b);
            pane_free(fresh);
            if (i == 3)
                pane_rest(p);
        }
    pane_free(p);
    free(in.r);
    free(odd.r);
}

/* Only what has been touched is looked at, and only what may differ is made anew: as if all
 * had been, and by either set of inner loops. */
TEST(what_is_touched_is_enough)
{
    struct radiance in = make(W, H), whole = in;
    uint8_t touched[((W + 15) / 16) * ((H + 15) / 16)];
    static uint16_t was[3 * W * H];
    static const struct mess all[] = {{0},
                                      {.spray = 0.4},
                                      {.spray = 0.4, .cover = 0.5},
                                      {.blur = 0.01},
                                      {.blur = 0.1},
                                      {.blur = 0.25, .spray = 0.3},
                                      {.blur = 0.5},
                                      {.blur = 1},
                                      {0}};
    struct pane *p = pane_new(9);
    in.touched = touched;
    memset(touched, 1, sizeof touched);
    for (int i = 0; i < 54; i++) {
        struct mess m = all[i / 6];
        int x = 40 + i * 5, y = 10 + i * 3 % (H - 40);
        for (int k = 0; i % 3 && k < 20; k++)
            for (int q = 0; q < 20; q++)
                in.g[(size_t)(y + k) * in.stride + (size_t)(x + q)] ^= (uint16_t)(i * 77);
        if (i % 3)
            radiance_touch(&in, x, y, x + 20, y + 20);
        int64_t t = 50 * NSEC_PER_SEC + i * NSEC_PER_SEC / 30;
        pane_restore(p);
        struct pane *fresh = pane_new(9), *plain = pane_new(9);
        pane_use(plain, &kernels_plain);
        uint64_t clean = sum_of(&in), sum = sum_of(look(fresh, m, 6, t, &whole));
        pane_restore(fresh);
        CHECK(sum_of(&in) == clean);
        CHECK(sum == sum_of(look(plain, m, 6, t, &whole)));
        pane_restore(plain);
        struct radiance *out = look(p, m, 6, t, &in);
        CHECK(sum == sum_of(out));
        int across = radiance_across(out);
        for (size_t k = 0; i && k < 3 * (size_t)W * H; k++)
            if (was[k] != out->r[k] && i % 6)
                CHECK(out->touched[k % (W * H) / W / 16 * (size_t)across + k % W / 16]);
        memcpy(was, out->r, sizeof was);
        memset(out->touched, 0, sizeof touched);
        memset(touched, 0, sizeof touched);
        pane_free(fresh);
        pane_free(plain);
    }
    pane_free(p);
    free(in.r);
}

UNIT_MAIN(UNIT_ROW(what_is_touched_is_enough) UNIT_ROW(a_clean_pane_is_not_there)
              UNIT_ROW(paint_covers_its_share) UNIT_ROW(more_paint_covers_what_less_did)
                  UNIT_ROW(a_cloth_hangs_from_above)
                      UNIT_ROW(out_of_focus_keeps_the_light_and_loses_the_lines)
                          UNIT_ROW(drops_come_with_the_rain_and_go_with_the_cloth)
                              UNIT_ROW(a_picture_does_not_depend_on_those_before))
