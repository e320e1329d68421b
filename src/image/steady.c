#include "image/steady.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 1280 /* the small copy of such a picture is a quarter as wide, of others half … */
#define COARSE 4  /* … and the coarse one a quarter of that */
#define SEARCH 6  /* coarse pixels: 96, or 48, of the picture */
#define BORDER 2  /* coarse pixels that are not compared, beside the search */
#define ROUNDS 5  /* of least squares */
#define EVERY 2   /* small pixels */
#define STRANGE 10.0f /* grey levels: what differs by more moves by itself */
#define LOST 24.0     /* mean difference, grey levels: this is another scene */
#define FORGET_S 4.0  /* a mount that stays where it was pushed is followed in that time */
#define REFRESH_NS INT64_C(2000000000) /* light changes and people walk: the reference ages */
#define TRAVEL 0.08 /* of the width: a head that went so far asks for a new reference */

struct level {
    int width, height;
    float *at;
};

struct steady {
    struct level small[2], coarse[2]; /* the reference, and the newest */
    float *gx, *gy;                   /* slopes of the small reference */
    int width, height, by;            /* of the picture; by: how much wider than the small one */
    struct pose pose;                 /* of the reference */
    double base[2];                   /* where the scene stood in the reference, pixels */
    double shake[2], calm[2];         /* newest, and its slow mean */
    int64_t time_ns, reference_ns;
    bool known;
};

struct steady *steady_new(void)
{
    return calloc(1, sizeof(struct steady));
}

void steady_rest(struct steady *s)
{
    for (int i = 0; i < 2; i++) {
        free(s->small[i].at);
        free(s->coarse[i].at);
    }
    free(s->gx);
    free(s->gy);
    memset(s, 0, sizeof(*s));
}

struct steady *steady_free(struct steady *s)
{
    if (s)
        steady_rest(s);
    free(s);
    return NULL;
}

static int make_level(struct level *l, int width, int height)
{
    l->width = width;
    l->height = height;
    l->at = malloc((size_t)width * (size_t)height * sizeof(*l->at));
    return l->at ? 0 : -ENOMEM;
}

static int make_room(struct steady *s, int width, int height)
{
    if (s->width == width && s->height == height)
        return 0;
    steady_rest(s);
    int small = width >= WIDE ? 4 : 2, w = width / small, h = height / small, rc = 0;
    for (int i = 0; i < 2 && !rc; i++) {
        rc = make_level(&s->small[i], w, h);
        if (!rc)
            rc = make_level(&s->coarse[i], w / COARSE, h / COARSE);
    }
    s->gx = malloc((size_t)w * (size_t)h * sizeof(*s->gx));
    s->gy = malloc((size_t)w * (size_t)h * sizeof(*s->gy));
    if (rc || !s->gx || !s->gy) {
        steady_rest(s);
        return -ENOMEM;
    }
    s->width = width;
    s->height = height;
    s->by = small;
    return 0;
}

/* Means of squares of luma, and of 4 × 4 of those. */
static void shrink(const struct picture *p, int by, struct level *small, struct level *coarse)
{
    for (int y = 0; y < small->height; y++) {
        float *to = small->at + (size_t)y * (size_t)small->width;
        const uint8_t *row = p->plane[0] + (ptrdiff_t)y * by * p->stride[0];
        for (int x = 0; x < small->width; x++, row += by) {
            int sum = 0;
            for (int k = 0; k < by; k++)
                for (int n = 0; n < by; n++)
                    sum += row[(ptrdiff_t)k * p->stride[0] + n];
            to[x] = (float)sum / (float)(by * by);
        }
    }
    for (int y = 0; y < coarse->height; y++)
        for (int x = 0; x < coarse->width; x++) {
            float sum = 0;
            for (int k = 0; k < COARSE * COARSE; k++)
                sum += small->at[(size_t)(y * COARSE + k / COARSE) * (size_t)small->width +
                                 (size_t)(x * COARSE + k % COARSE)];
            coarse->at[(size_t)y * (size_t)coarse->width + (size_t)x] = sum / (COARSE * COARSE);
        }
}

static void slopes(struct steady *s)
{
    const struct level *l = &s->small[0];
    memset(s->gx, 0, (size_t)l->width * (size_t)l->height * sizeof(*s->gx));
    memset(s->gy, 0, (size_t)l->width * (size_t)l->height * sizeof(*s->gy));
    for (int y = 1; y < l->height - 1; y++)
        for (int x = 1; x < l->width - 1; x++) {
            size_t i = (size_t)y * (size_t)l->width + (size_t)x;
            s->gx[i] = (l->at[i + 1] - l->at[i - 1]) / 2;
            s->gy[i] = (l->at[i + (size_t)l->width] - l->at[i - (size_t)l->width]) / 2;
        }
}

/* Mean difference of the coarse pictures when the newest is shifted back by (dx, dy). */
static double apart(const struct level *a, const struct level *b, int dx, int dy)
{
    int edge = SEARCH + BORDER, n = 0;
    double sum = 0;
    for (int y = edge; y < a->height - edge; y++) {
        const float *p = a->at + (size_t)y * (size_t)a->width;
        const float *q = b->at + (ptrdiff_t)(y + dy) * b->width + dx;
        float row = 0;
        for (int x = edge; x < a->width - edge; x++)
            row += fabsf(p[x] - q[x]);
        sum += (double)row;
        n += a->width - 2 * edge;
    }
    return n > 0 ? sum / n : 255;
}

static double search(const struct steady *s, const double guess[2], int ret[2])
{
    double best = 1e9;
    int gx = (int)lrint(guess[0] / (s->by * COARSE)), gy = (int)lrint(guess[1] / (s->by * COARSE));
    for (int dy = -SEARCH; dy <= SEARCH; dy++)
        for (int dx = -SEARCH; dx <= SEARCH; dx++) {
            /* Equal differences: the nearer to what was expected. */
            double far = 1e-4 * (abs(dx - gx) + abs(dy - gy));
            double d = apart(&s->coarse[0], &s->coarse[1], dx, dy) + far;
            if (d < best) {
                best = d;
                ret[0] = dx;
                ret[1] = dy;
            }
        }
    return best;
}

static float sample(const struct level *l, float x, float y)
{
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const float *p = l->at + (size_t)iy * (size_t)l->width + ix, *q = p + l->width;
    return (p[0] * (1 - fx) + p[1] * fx) * (1 - fy) + (q[0] * (1 - fx) + q[1] * fx) * fy;
}

static float brightness(const struct level *l)
{
    double sum = 0;
    for (size_t i = 0; i < (size_t)l->width * (size_t)l->height; i++)
        sum += (double)l->at[i];
    return (float)(sum / l->width / l->height);
}

/* One round of least squares on the small pictures; d in small pixels. False: nothing to hold
 * on to. */
static bool refine(const struct steady *s, float brighter, float d[2])
{
    const struct level *a = &s->small[0], *b = &s->small[1];
    double xx = 0, xy = 0, yy = 0, xr = 0, yr = 0;
    int edge = 2 + (int)fmaxf(fabsf(d[0]), fabsf(d[1]));
    for (int y = edge; y < a->height - edge - 1; y += EVERY)
        for (int x = edge; x < a->width - edge - 1; x += EVERY) {
            size_t i = (size_t)y * (size_t)a->width + (size_t)x;
            float gx = s->gx[i], gy = s->gy[i];
            if (gx * gx + gy * gy < 4)
                continue;
            float r = sample(b, (float)x + d[0], (float)y + d[1]) - a->at[i] - brighter;
            float w = STRANGE / (STRANGE + fabsf(r));
            w *= w;
            xx += (double)(w * gx * gx);
            xy += (double)(w * gx * gy);
            yy += (double)(w * gy * gy);
            xr += (double)(w * gx * r);
            yr += (double)(w * gy * r);
        }
    double det = xx * yy - xy * xy;
    if (det < 1e-3 * (xx + yy) * (xx + yy) || xx + yy < 100)
        return false;
    d[0] -= (float)((yy * xr - xy * yr) / det);
    d[1] -= (float)((xx * yr - xy * xr) / det);
    return true;
}

/* Where what was in the middle of the reference is to be seen now, by the poses alone. */
static bool expected(const struct steady *s, const struct pose *now, double ret[2])
{
    double x, y, aspect = (double)s->width / s->height;
    if (!now->known || fabs(now->hfov_deg - s->pose.hfov_deg) > 0.002 * s->pose.hfov_deg ||
        !pose_project(now, aspect, s->pose.pan_deg, s->pose.tilt_deg, &x, &y))
        return false;
    ret[0] = (x - 0.5) * s->width;
    ret[1] = (y - 0.5) * s->height;
    return hypot(ret[0], ret[1]) < TRAVEL * s->width;
}

static void keep_reference(struct steady *s, const struct pose *pose)
{
    struct level l = s->small[0];
    s->small[0] = s->small[1];
    s->small[1] = l;
    l = s->coarse[0];
    s->coarse[0] = s->coarse[1];
    s->coarse[1] = l;
    slopes(s);
    s->pose = *pose;
    memcpy(s->base, s->shake, sizeof(s->base));
    s->known = true;
}

static double within(double v, double most)
{
    return fmin(fmax(v, -most), most);
}

int steady_look(struct steady *s, const struct picture *seen, const struct capture *how,
                double most_px, double ret_px[2])
{
    int rc = make_room(s, seen->width, seen->height);
    if (rc < 0)
        return rc;
    shrink(seen, s->by, &s->small[1], &s->coarse[1]);
    double seconds = (double)(how->start_ns - s->time_ns) / 1e9, by_head[2] = {0, 0};
    bool moved = !s->known || !expected(s, &how->pose_start, by_head);
    s->time_ns = how->start_ns;
    if (!moved) {
        int at[2] = {0, 0};
        double guess[2] = {by_head[0] + s->shake[0] - s->base[0],
                           by_head[1] + s->shake[1] - s->base[1]};
        moved = search(s, guess, at) > LOST;
        float d[2] = {(float)(at[0] * COARSE), (float)(at[1] * COARSE)};
        float brighter = brightness(&s->coarse[1]) - brightness(&s->coarse[0]);
        for (int i = 0; i < ROUNDS && !moved; i++)
            moved = !refine(s, brighter, d);
        for (int i = 0; i < 2 && !moved; i++)
            s->shake[i] = s->base[i] + (double)d[i] * s->by - by_head[i];
    }
    if (moved) { /* on its way, or another scene: nothing is known of the shaking */
        memset(s->shake, 0, sizeof(s->shake));
        memset(s->calm, 0, sizeof(s->calm));
    }
    if (moved || how->start_ns - s->reference_ns > REFRESH_NS) {
        keep_reference(s, &how->pose_start);
        s->reference_ns = how->start_ns;
    }
    double k = 1 - exp(-fmin(fmax(seconds, 0), 1) / FORGET_S);
    for (int i = 0; i < 2; i++) {
        s->calm[i] += (s->shake[i] - s->calm[i]) * k;
        ret_px[i] = within(s->shake[i] - s->calm[i], most_px);
    }
    return 0;
}
