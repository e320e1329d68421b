/* From light to samples: the curve that pixels follow, its twins, and what is developed anew. */
#include "device/virtual/camera/silicon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/clean.h"
#include "device/virtual/kernels.h"
#include "device/virtual/radiance.h"
#include "looks.h"
#include "media/picture.h"
#include "unit.h"

/* A sample's luma, by the best kernels' lines or, with tone->local, by the curve. */
static void luma_of(const struct silicon *s, const struct tone *tone, double unit, int first,
                    uint16_t y[256])
{
    enum { N = 256 };
    static struct sensor_curve curve;
    static struct sensor_table table;
    const struct kernels *k = kernels_best();
    uint16_t row[2 * N], below[N], cb[N / 2], cr[N / 2], both[2 * N];
    float ones[N];
    const uint16_t *const in[6] = {row, row, row, row, row, row};
    const float *const gain[2] = {ones, ones};
    silicon_curve(s, tone, unit, &curve);
    CHECK(curve.lines == !tone->local);
    for (int i = 0; i < N; i++) {
        row[i] = row[N + i] = (uint16_t)(first + i);
        ones[i] = 1;
    }
    if (tone->local) {
        k->develop2(&curve, in, gain, N, y, below, cb, cr);
        return;
    }
    const struct developed_at to = {both, {cb, cr}, N};
    if (k->tabulate)
        k->tabulate(&curve, &table);
    k->develop(&curve, &table, in, N, N, 2, &to);
    memcpy(y, both, N * sizeof(*y));
}

/* Lines are drawn over the curve, with gains it is followed itself: nobody sees which. */
TEST(lines_are_the_curve)
{
    enum { N = 256 };
    uint16_t y[2][N];
    struct tone tone;
    tone_plain(&tone);
    for (double clip = 100; clip < 300000; clip *= 2.9) {
        const struct silicon s = {16384 / clip, 1, 1, 1.7, 0.8, 0};
        for (int first = 0; first < 65280; first += N * (first < 8192 ? 1 : 5)) {
            for (int k = 0; k < 2; k++) {
                tone.local = k;
                luma_of(&s, &tone, 16384, first, y[k]);
            }
            for (int i = 0; i < N; i++)
                if (abs(y[0][i] - y[1][i]) > DEVELOPED_STEPS / 2)
                    unit_fail(__FILE__, __LINE__,
                              "clip %g, sample %d: %d by lines, %d by the curve", clip, first + i,
                              y[0][i], y[1][i]);
        }
    }
}

/* With little of the light in few samples no lines are drawn. */
TEST(steep_curves_have_no_lines)
{
    struct sensor_curve curve;
    struct tone tone;
    struct silicon s = {16384 / 20.0, 1, 1, 1, 1, 0};
    tone_plain(&tone);
    silicon_curve(&s, &tone, 16384, &curve);
    CHECK(curve.lines);
    for (int i = 0; i < TONE_POINTS; i++) /* eight stops brighter */
        tone.signal[i] = tone.signal[i + 32 < TONE_POINTS ? i + 32 : TONE_POINTS - 1];
    s = (struct silicon){16384 / 40.0, 1, 256, 1, 1, 0};
    silicon_curve(&s, &tone, 16384, &curve);
    CHECK(!curve.lines);
    CHECK(curve.gained[1][0] != 0);
}

TEST(twins_develop_alike)
{
    enum { N = 200, H = 6 };
    static uint16_t rows[3][H * N];
    static int8_t noise[4][N];
    static float gains[2][N];
    static struct sensor_table table;
    static uint16_t y[3][H * N], c[3][2][H / 2 * N / 2];
    uint8_t luma[3][2][N], cb[3][N / 2], cr[3][N / 2];
    static struct sensor_curve curve;
    static struct sensor_noise size[GRAINS];
    struct silicon s;
    struct tone tone;
    const uint8_t which[(N + 15) / 16] = {0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1};
    const uint16_t *const in[3] = {rows[0], rows[1], rows[2]};
    const uint16_t *const two[6] = {rows[0],     rows[1],     rows[2],
                                    rows[0] + N, rows[1] + N, rows[2] + N};
    uint32_t x = 1;
    tone_plain(&tone);
    silicon_expose(10000000, 2, 30, &s);
    s.red = 1.7;
    silicon_grains(&s, &tone, size);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < H * N; i++) {
            x = x * 1664525 + 1013904223;
            rows[k][i] = (uint16_t)(x >> 16 >> (x >> 8 & 7));
        }
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < N; i++) {
            x = x * 1664525 + 1013904223;
            noise[k][i] = (int8_t)(x >> 8);
            gains[k & 1][i] = exp2f((float)(x >> 20) / 256 - 8);
        }
    const struct kernels *twin[3] = {&kernels_plain, kernels_best(), kernels_best()};
#if defined(__x86_64__)
    if (kernels_best() != &kernels_plain)
        twin[1] = &kernels_avx2;
#endif
    for (int local = 0; local < 2; local++) {
        const float *const gain[2] = {gains[0], gains[1]};
        tone.local = local;
        silicon_curve(&s, &tone, 16384 * 60, &curve);
        memset(y, 0, sizeof(y));
        memset(c, 0, sizeof(c));
        for (int k = 0; k < 3; k++) {
            const int8_t *const grain[4] = {noise[0], noise[1], noise[2], noise[3]};
            uint8_t *const to[4] = {luma[k][0], luma[k][1], cb[k], cr[k]};
            const struct developed_at at = {y[k], {c[k][0], c[k][1]}, N};
            const struct developed_at of[2] = {at, {y[k] + 2 * N, {c[k][1], c[k][0]}, N}};
            if (twin[k]->tabulate)
                twin[k]->tabulate(&curve, &table);
            if (local)
                twin[k]->develop2(&curve, two, gain, N, y[k], y[k] + N, c[k][0], c[k][1]);
            else
                twin[k]->develop(&curve, &table, in, N, N, H, &at);
            twin[k]->noise(&size[GRAIN_PLAIN], of, which, grain, N, to);
        }
        for (int k = 1; k < 3; k++) {
            CHECK(!memcmp(y[0], y[k], sizeof(y[0])) && !memcmp(c[0], c[k], sizeof(c[0])));
            CHECK(!memcmp(luma[0], luma[k], sizeof(luma[0])));
            CHECK(!memcmp(cb[0], cb[k], N / 2) && !memcmp(cr[0], cr[k], N / 2));
        }
        for (int i = 0; i < (local ? 2 : H) * N; i++)
            CHECK(y[0][i] >= 16 * DEVELOPED_STEPS && y[0][i] <= 235 * DEVELOPED_STEPS);
    }
}

/* What has not been touched is not looked at; what has been is. */
TEST(develops_what_was_touched)
{
    enum { W = 200, H = 90 };
    struct radiance l = planes(W, H);
    uint8_t touched[13 * 6], seen[2][W * H];
    struct picture_pool *pool = picture_pool_new(W, H, false, 1);
    struct picture *p = picture_get(pool);
    static struct sensor_curve curve;
    static const struct sensor_noise none[GRAINS];
    struct silicon s = {1, 1, 1, 1, 1};
    struct tone tone;
    tone_plain(&tone);
    struct clean *c = clean_new(W, H);
    l.touched = touched;
    memset(touched, 1, sizeof(touched));
    for (int round = 0; round < 6; round++) {
        for (int y = 30; y < 50; y++)
            for (int x = 150; x < W; x++)
                l.g[y * W + x] = (uint16_t)(round * 9000);
        if (round != 2)
            radiance_touch(&l, 150, 30, W, 50);
        s.light *= round == 4 ? 1.5 : 1;
        silicon_curve(&s, &tone, 65535, &curve);
        clean_develop(c, kernels_best(), &curve, &tone, false, &l);
        CHECK(!memchr(touched, 1, sizeof(touched)));
        struct clean *fresh = clean_new(W, H);
        for (int k = 0; k < 2; k++) {
            if (k)
                clean_develop(fresh, kernels_best(), &curve, &tone, false, &l);
            clean_print(k ? fresh : c, kernels_best(), none, 1, false, p);
            for (int y = 0; y < H; y++)
                memcpy(seen[k] + y * W, p->plane[0] + (long)y * p->stride[0], W);
        }
        CHECK(!memcmp(seen[0], seen[1], W * H) == (round != 2));
        clean_free(fresh);
    }
    picture_unref(p);
    picture_pool_unref(pool);
    clean_free(c);
    free(l.r);
}

UNIT_MAIN(UNIT_ROW(lines_are_the_curve) UNIT_ROW(steep_curves_have_no_lines)
              UNIT_ROW(twins_develop_alike) UNIT_ROW(develops_what_was_touched))
