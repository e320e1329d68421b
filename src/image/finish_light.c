#include "image/finish_light.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Haze is found by the dark channel: without it nearly every area has something dark or
 * strongly coloured in it, so that what is darkest there is the light of the haze (He, Sun,
 * Tang: Single Image Haze Removal Using Dark Channel Prior, 2009). */
#define KEEP_HAZE 0.95 /* all of it looks unreal */
#define CLEAREST 0.30  /* no more than that many times amplified: noise */
#define DIM 60.0       /* grey levels: air that shines less is night, not haze */
#define HAZE_FROM 0.22 /* automatic: from that share … */
#define HAZE_FULL 0.50 /* … to that one it sets in */
#define FOLLOW 0.15    /* of a change, each picture */
#define MOST_LIFT 1.4

struct area {
    float luma, dark; /* mean; darkest channel; grey levels above black, 0…219 */
    float tint[2];    /* mean chroma, from grey; only while haze is looked for */
    float haze;       /* share of the light that is haze, followed */
};

struct line {
    float gain, offset; /* of luma above black */
    float colour;       /* gain of chroma: local contrast must not paint */
    float tint[2];      /* offsets of chroma: haze has a colour */
};

struct finish_light {
    int across, down;
    struct area *area;
    struct line *line; /* of each area */
    struct line *knot; /* at the areas' corners: (across + 1) · (down + 1) */
    int32_t *gain, *offset, *colour, *tint[2]; /* a row of knots, in 4096ths */
    double air, air_tint[2], haze;
    bool fresh; /* nothing is known of earlier pictures */
};

struct finish_light *finish_light_new(void)
{
    struct finish_light *l = calloc(1, sizeof(*l));
    if (l)
        l->fresh = true;
    return l;
}

struct finish_light *finish_light_free(struct finish_light *l)
{
    if (!l)
        return NULL;
    free(l->area);
    free(l->line);
    free(l->knot);
    free(l->gain);
    free(l);
    return NULL;
}

void finish_light_forget(struct finish_light *l)
{
    l->fresh = true;
}

double finish_light_haze(const struct finish_light *l)
{
    return l->haze;
}

static int make_room(struct finish_light *l, const struct picture *p)
{
    int across = (p->width + AREA - 1) / AREA, down = (p->height + AREA - 1) / AREA;
    if (across == l->across && down == l->down)
        return 0;
    size_t n = (size_t)across * (size_t)down;
    free(l->area);
    free(l->line);
    free(l->knot);
    free(l->gain);
    l->area = calloc(n, sizeof(*l->area));
    l->line = calloc(n, sizeof(*l->line));
    l->knot = calloc(((size_t)across + 1) * ((size_t)down + 1), sizeof(*l->knot));
    l->gain = calloc(5 * ((size_t)across + 1), sizeof(*l->gain));
    if (!l->area || !l->line || !l->knot || !l->gain) {
        l->across = l->down = 0;
        return -ENOMEM;
    }
    l->offset = l->gain + across + 1;
    l->colour = l->offset + across + 1;
    l->tint[0] = l->colour + across + 1;
    l->tint[1] = l->tint[0] + across + 1;
    l->across = across;
    l->down = down;
    l->fresh = true;
    return 0;
}

static float darkest(const struct picture *p, int x, int y)
{
    float v = (float)p->plane[0][(ptrdiff_t)y * p->stride[0] + x] - 16;
    float cb = (float)p->plane[1][(ptrdiff_t)(y / 2) * p->stride[1] + x / 2] - 128;
    float cr = (float)p->plane[2][(ptrdiff_t)(y / 2) * p->stride[2] + x / 2] - 128;
    float r = v + 1.540f * cr, b = v + 1.816f * cb, g = v - 0.459f * cr - 0.183f * cb;
    return fminf(fmaxf(fminf(r, fminf(g, b)), 0), 219);
}

static void look(struct finish_light *l, const struct picture *p, bool haze)
{
    for (int j = 0; j < l->down; j++)
        for (int i = 0; i < l->across; i++) {
            struct area *a = &l->area[j * l->across + i];
            int x1 = (i + 1) * AREA < p->width ? (i + 1) * AREA : p->width;
            int y1 = (j + 1) * AREA < p->height ? (j + 1) * AREA : p->height, sum = 0, n = 0;
            int tint[2] = {0, 0};
            float dark = 219, second = 219; /* the second darkest: one may be noise */
            for (int y = j * AREA; y < y1; y += 4)
                for (int x = i * AREA; x < x1; x += 4) {
                    sum += p->plane[0][(ptrdiff_t)y * p->stride[0] + x];
                    n++;
                    if (!haze)
                        continue;
                    for (int c = 0; c < 2; c++)
                        tint[c] += p->plane[1 + c][(ptrdiff_t)(y / 2) * p->stride[1 + c] + x / 2];
                    float d = darkest(p, x, y);
                    second = fminf(second, fmaxf(dark, d));
                    dark = fminf(dark, d);
                }
            a->luma = fmaxf((float)sum / (float)n - 16, 0);
            a->dark = second;
            for (int c = 0; c < 2 && haze; c++)
                a->tint[c] = (float)tint[c] / (float)n - 128;
        }
}

static int brighter(const void *a, const void *b)
{
    float x = ((const struct area *)a)->dark, y = ((const struct area *)b)->dark;
    return (x < y) - (x > y);
}

/* The light of the air itself, luma and chroma: of the areas without anything dark in them. */
static void air_light(const struct finish_light *l, double ret[3])
{
    ret[0] = ret[1] = ret[2] = 0;
    size_t n = (size_t)l->across * (size_t)l->down, most = n / 40 + 1;
    struct area *sorted = malloc(n * sizeof(*sorted));
    if (!sorted)
        return;
    memcpy(sorted, l->area, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), brighter);
    for (size_t i = 0; i < most; i++) {
        ret[0] += (double)sorted[i].luma / (double)most;
        for (int c = 0; c < 2; c++)
            ret[1 + c] += (double)sorted[i].tint[c] / (double)most;
    }
    free(sorted);
}

static double smoothstep(double from, double to, double v)
{
    double t = fmin(fmax((v - from) / (to - from), 0), 1);
    return t * t * (3 - 2 * t);
}

/* How much of each area is haze, and lines that take `effect` of it away. */
static void clear_haze(struct finish_light *l, const struct finish_settings *s)
{
    size_t n = (size_t)l->across * (size_t)l->down;
    double now[3], follow = l->fresh ? 1 : FOLLOW, dark = 0;
    air_light(l, now);
    l->air += (now[0] - l->air) * follow;
    for (int c = 0; c < 2; c++)
        l->air_tint[c] += (now[1 + c] - l->air_tint[c]) * follow;
    for (size_t i = 0; i < n; i++)
        dark += (double)l->area[i].dark;
    double share = l->air > DIM ? dark / (double)n / l->air : 0;
    l->haze += (fmin(share, 1) - l->haze) * follow;
    double effect = s->defog_effect * KEEP_HAZE;
    if (s->defog == DEFOG_AUTO)
        effect *= smoothstep(HAZE_FROM, HAZE_FULL, l->haze);
    if (l->air <= DIM)
        effect = 0;
    double before = 0, after = 0;
    for (size_t i = 0; i < n; i++) {
        struct area *a = &l->area[i];
        double wanted = l->air > 1 ? fmin((double)a->dark / l->air, 1) : 0;
        a->haze += (float)((wanted - (double)a->haze) * follow);
        double through = fmax(1 - effect * (double)a->haze, CLEAREST);
        float k = (float)(1 / through);
        l->line[i] = (struct line){
            .gain = k,
            .offset = (float)l->air * (1 - k),
            .colour = k,
            .tint = {(float)l->air_tint[0] * (1 - k), (float)l->air_tint[1] * (1 - k)}};
        before += (double)a->luma;
        after += fmax((double)(a->luma * l->line[i].gain + l->line[i].offset), 0);
    }
    /* Without its haze a picture is darker than it need be. */
    float lift = (float)fmin(sqrt(before / fmax(after, 1)), MOST_LIFT);
    for (size_t i = 0; i < n && lift > 1; i++) {
        l->line[i].gain *= lift;
        l->line[i].offset *= lift;
        l->line[i].colour *= lift;
        l->line[i].tint[0] *= lift;
        l->line[i].tint[1] *= lift;
    }
}

/* Away from the mean of the surroundings, least where these are black or white. */
static struct line local(float mean, double contrast)
{
    float b = fminf(fmaxf(mean, 0), 219), side = 2 * b / 219 - 1;
    float k = (float)(contrast > 0 ? 0.9 * contrast : 0.6 * contrast);
    k *= 1 - side * side * side * side;
    return (struct line){.gain = 1 + k, .offset = -k * b, .colour = 1 + 0.4f * k};
}

/* A knot is the mean of the areas about it. */
static struct line knot(const struct finish_light *l, int i, int j, double contrast)
{
    struct line sum = {0};
    float luma = 0, n = 0;
    for (int y = j - 1; y <= j; y++)
        for (int x = i - 1; x <= i; x++) {
            if (x < 0 || y < 0 || x >= l->across || y >= l->down)
                continue;
            const struct line *a = &l->line[y * l->across + x];
            float m = l->area[y * l->across + x].luma;
            sum.gain += a->gain;
            sum.offset += a->offset;
            sum.colour += a->colour;
            sum.tint[0] += a->tint[0];
            sum.tint[1] += a->tint[1];
            luma += m * a->gain + a->offset;
            n++;
        }
    sum.gain /= n;
    sum.offset /= n;
    sum.colour /= n;
    sum.tint[0] /= n;
    sum.tint[1] /= n;
    if (contrast == 0)
        return sum;
    struct line more = local(luma / n, contrast);
    return (struct line){.gain = sum.gain * more.gain,
                         .offset = sum.offset * more.gain + more.offset,
                         .colour = sum.colour * more.colour,
                         .tint = {sum.tint[0] * more.colour, sum.tint[1] * more.colour}};
}

static int32_t between(float a, float b, float t)
{
    return (int32_t)((a + (b - a) * t) * 4096);
}

static void apply(struct finish_light *l, const struct finish_settings *s,
                  const struct image_kernels *k, struct picture *p)
{
    int n = l->across + 1;
    for (int j = 0; j <= l->down; j++)
        for (int i = 0; i < n; i++)
            l->knot[j * n + i] = knot(l, i, j, s->local_contrast);
    for (int y = 0; y < p->height; y++) {
        if (y % 2 == 0) { /* two rows of luma, one of each chroma, have the same line */
            const struct line *a = l->knot + y / AREA * n, *b = a + n;
            float t = ((float)(y % AREA) + 1) / AREA;
            for (int i = 0; i < n; i++) {
                l->gain[i] = between(a[i].gain, b[i].gain, t);
                l->offset[i] = between(a[i].offset, b[i].offset, t);
                l->colour[i] = between(a[i].colour, b[i].colour, t);
                for (int c = 0; c < 2; c++)
                    l->tint[c][i] = between(a[i].tint[c], b[i].tint[c], t);
            }
            for (int c = 1; c < 3; c++)
                k->affine(p->plane[c] + (ptrdiff_t)(y / 2) * p->stride[c], (size_t)p->width / 2,
                          AREA / 2, l->colour, l->tint[c - 1], 128);
        }
        k->affine(p->plane[0] + (ptrdiff_t)y * p->stride[0], (size_t)p->width, AREA, l->gain,
                  l->offset, 16);
    }
}

int finish_light_apply(struct finish_light *l, const struct finish_settings *s,
                       const struct image_kernels *k, struct picture *p)
{
    int rc = make_room(l, p);
    if (rc < 0)
        return rc;
    bool haze = s->defog != DEFOG_OFF;
    look(l, p, haze);
    if (haze) {
        clear_haze(l, s);
    } else {
        l->haze = 0;
        for (int i = 0; i < l->across * l->down; i++)
            l->line[i] = (struct line){.gain = 1, .colour = 1};
    }
    l->fresh = false;
    apply(l, s, k, p);
    return 0;
}
