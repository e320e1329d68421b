#include "image/measure.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define SAMPLES 6        /* of a zone, across and down, where pixels are looked at */
#define WHITE 250        /* luma (full range) from which on a sample counts as clipped */
#define FULL_SCALE 10000 /* of boxes */

double exposure_stops(double exposure_ns, double gain_db, double iris_f)
{
    return log2(exposure_ns * 1e-9) + gain_db / (20 * log10(2)) - 2 * log2(iris_f);
}

static double luminance(const float rgb[3])
{
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
}

/* ---- from the sensor ---- */

static void take_light(const struct shot_light *l, struct measured *ret)
{
    memcpy(ret->rgb, l->mean, sizeof(ret->rgb));
    memcpy(ret->clipped, l->clipped, sizeof(ret->clipped));
    for (int i = 0; i < ZONES; i++)
        ret->light[i] = (float)luminance(ret->rgb[i]);
    double sum = 0;
    for (int i = 0; i < SHOT_BINS; i++)
        sum += l->bin[i];
    for (int i = 0; i < SHOT_BINS; i++)
        ret->bins[i] = sum > 0 ? l->bin[i] / sum : 0;
}

/* ---- from pixels ---- */

static float linear[256]; /* of a full-range signal */
static unsigned char bin_of[256];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (int i = 0; i < 256; i++) {
        double v = i / 255.0; /* ITU-R BT.709-6, inverse of 1.2 */
        linear[i] = (float)(v < 0.081 ? v / 4.5 : pow((v + 0.099) / 1.099, 1 / 0.45));
        double bin = 4 * (log2(fmax(linear[i], 1e-6)) + 16);
        bin_of[i] = (unsigned char)fmin(fmax(bin, 0), SHOT_BINS - 1);
    }
}

static int to_byte(float v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (int)(v + 0.5f);
}

struct colours { /* from YCbCr to full-range RGB */
    float offset, scale, chroma, red, green_cb, green_cr, blue;
};

static struct colours colours_of(const struct picture *p)
{
    bool full = p->range == RANGE_FULL, old = p->matrix == COLOUR_BT601;
    float kr = old ? 0.299f : 0.2126f, kb = old ? 0.114f : 0.0722f, kg = 1 - kr - kb;
    return (struct colours){.offset = full ? 0 : 16,
                            .scale = full ? 1 : 255.0f / 219,
                            .chroma = full ? 1 : 255.0f / 224,
                            .red = 2 * (1 - kr),
                            .green_cb = -2 * kb * (1 - kb) / kg,
                            .green_cr = -2 * kr * (1 - kr) / kg,
                            .blue = 2 * (1 - kb)};
}

static void look_at_zone(const struct picture *p, const struct colours *c, int zone,
                         struct measured *ret, unsigned bins[SHOT_BINS])
{
    int x0 = zone % ZONES_ACROSS * p->width / ZONES_ACROSS;
    int x1 = (zone % ZONES_ACROSS + 1) * p->width / ZONES_ACROSS;
    int y0 = zone / ZONES_ACROSS * p->height / ZONES_DOWN;
    int y1 = (zone / ZONES_ACROSS + 1) * p->height / ZONES_DOWN;
    float sum[3] = {0};
    int white = 0;
    for (int j = 0; j < SAMPLES; j++) {
        int y = y0 + (2 * j + 1) * (y1 - y0) / (2 * SAMPLES);
        const uint8_t *luma = p->plane[0] + (ptrdiff_t)y * p->stride[0];
        const uint8_t *cb = p->plane[1] + (ptrdiff_t)(y / 2) * p->stride[1];
        const uint8_t *cr = p->plane[2] + (ptrdiff_t)(y / 2) * p->stride[2];
        for (int i = 0; i < SAMPLES; i++) {
            int x = x0 + (2 * i + 1) * (x1 - x0) / (2 * SAMPLES);
            float v = ((float)luma[x] - c->offset) * c->scale;
            float u = ((float)cb[x / 2] - 128) * c->chroma,
                  w = ((float)cr[x / 2] - 128) * c->chroma;
            int green = to_byte(v + c->green_cb * u + c->green_cr * w);
            sum[0] += linear[to_byte(v + c->red * w)];
            sum[1] += linear[green];
            sum[2] += linear[to_byte(v + c->blue * u)];
            white += v >= WHITE;
            bins[bin_of[green]]++;
        }
    }
    for (int k = 0; k < 3; k++)
        ret->rgb[zone][k] = sum[k] / (SAMPLES * SAMPLES);
    ret->clipped[zone] = (float)white / (SAMPLES * SAMPLES);
    ret->light[zone] = (float)luminance(ret->rgb[zone]);
}

static void look_at_pixels(const struct shot *s, struct measured *ret)
{
    pthread_once(&tables_made, make_tables);
    const struct picture *p = s->pixels;
    const struct colours c = colours_of(p);
    unsigned bins[SHOT_BINS] = {0};
    for (int zone = 0; zone < ZONES; zone++)
        look_at_zone(p, &c, zone, ret, bins);
    for (int i = 0; i < SHOT_BINS; i++)
        ret->bins[i] = bins[i] / (double)(ZONES * SAMPLES * SAMPLES);
    if (s->how.red > 0 && s->how.blue > 0)
        for (int i = 0; i < ZONES; i++) {
            ret->rgb[i][0] /= (float)s->how.red;
            ret->rgb[i][2] /= (float)s->how.blue;
        }
}

void measure_shot(const struct shot *s, const struct capture *fixed, struct measured *ret)
{
    const struct capture *how = &s->how;
    double ns = (double)(how->end_ns - how->start_ns);
    ret->stops = exposure_stops(ns > 0 ? ns : (double)(fixed->end_ns - fixed->start_ns),
                                how->gain_db, how->iris_f > 0 ? how->iris_f : fixed->iris_f);
    if (s->light)
        take_light(s->light, ret);
    else
        look_at_pixels(s, ret);
}

/* ---- boxes ---- */

static double overlap(double a0, double a1, double b0, double b1)
{
    return fmax(fmin(a1, b1) - fmax(a0, b0), 0) / (a1 - a0);
}

/* Share of each cell of a grid that is inside of the box. */
static void cover(const struct picture_box *box, bool turned, int across, int down, float *ret)
{
    double left = box->left, right = box->right + 1, top = box->top, bottom = box->bottom + 1;
    if (turned) {
        left = FULL_SCALE - (box->right + 1);
        right = FULL_SCALE - box->left;
        top = FULL_SCALE - (box->bottom + 1);
        bottom = FULL_SCALE - box->top;
    }
    double w = (double)FULL_SCALE / across, h = (double)FULL_SCALE / down;
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++)
            *ret++ = (float)(overlap(x * w, (x + 1) * w, left, right) *
                             overlap(y * h, (y + 1) * h, top, bottom));
}

void measure_box(const struct picture_box *box, bool turned, float ret_weight[ZONES])
{
    cover(box, turned, ZONES_ACROSS, ZONES_DOWN, ret_weight);
}

void sharpness_weights(const struct picture_box *box, bool turned, float ret[SHARP_FIELDS])
{
    cover(box, turned, SHARP_ACROSS, SHARP_DOWN, ret);
}

/* ---- sharpness ---- */

#define ROWS_APART 8 /* every so many rows are looked at */
#define FINE 2       /* pixels between what is compared */
#define MIDDLE 8
#define COARSE 32

/* Squared differences at three distances, of means over as many pixels: noise counts the less
 * the coarser. Integers, so that the loops become vector code and the sum is the same
 * anywhere. */
static void look_at_row(const uint8_t *row, const uint8_t *next, int n, float ret[SHARP_SCALES])
{
    uint16_t pair[2048];
    uint32_t fine = 0, light = 0;
    uint64_t middle = 0, coarse = 0;
    int pairs = n / 2 < 2048 ? n / 2 : 2048;
    for (int i = 0; i < pairs; i++) /* 2×2 pixels */
        pair[i] = (uint16_t)(row[2 * i] + row[2 * i + 1] + next[2 * i] + next[2 * i + 1]);
    for (int i = 0; i + FINE / 2 < pairs; i++) {
        int d = pair[i + FINE / 2] - pair[i];
        fine += (uint32_t)(d * d) >> 4;
        light += pair[i];
    }
    uint32_t eight[512], n_eight = (uint32_t)pairs * 2 / MIDDLE;
    for (uint32_t i = 0; i < n_eight; i++)
        eight[i] = (uint32_t)pair[4 * i] + pair[4 * i + 1] + pair[4 * i + 2] + pair[4 * i + 3];
    for (uint32_t i = 1; i < n_eight; i++) {
        int d = (int)eight[i] - (int)eight[i - 1];
        middle += (uint32_t)(d * d);
    }
    for (uint32_t i = 0; i + 8 <= n_eight; i += 4) {
        uint32_t a = eight[i] + eight[i + 1] + eight[i + 2] + eight[i + 3];
        uint32_t b = eight[i + 4] + eight[i + 5] + eight[i + 6] + eight[i + 7];
        int64_t d = (int64_t)b - a;
        coarse += (uint64_t)(d * d);
    }
    /* a mean of k pixels of a picture of light L is 4·k/2·L */
    float mean = (float)light / (float)(pairs ? pairs : 1) / 4 + 1;
    float unit = mean * mean * (float)(pairs ? pairs : 1);
    ret[0] = (float)fine / unit;
    ret[1] = (float)middle / unit / 64;  /* (16 pixels)², and 4 times fewer of them */
    ret[2] = (float)coarse / unit / 256; /* likewise */
}

void measure_sharpness(const struct picture *p, struct sharpness *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (int fy = 0; fy < SHARP_DOWN; fy++) {
        int y0 = fy * p->height / SHARP_DOWN, y1 = (fy + 1) * p->height / SHARP_DOWN, rows = 0;
        for (int y = y0; y + 1 < y1; y += ROWS_APART, rows++) {
            const uint8_t *row = p->plane[0] + (ptrdiff_t)y * p->stride[0];
            for (int fx = 0; fx < SHARP_ACROSS; fx++) {
                int x0 = fx * p->width / SHARP_ACROSS, x1 = (fx + 1) * p->width / SHARP_ACROSS;
                float seen[SHARP_SCALES];
                look_at_row(row + x0, row + x0 + p->stride[0], x1 - x0, seen);
                for (int k = 0; k < SHARP_SCALES; k++)
                    ret->field[fy * SHARP_ACROSS + fx][k] += seen[k];
            }
        }
        for (int fx = 0; fx < SHARP_ACROSS && rows; fx++)
            for (int k = 0; k < SHARP_SCALES; k++)
                ret->field[fy * SHARP_ACROSS + fx][k] /= (float)rows;
    }
}

double sharpness_sum(const struct sharpness *s, const float weight[SHARP_FIELDS])
{
    /* Pictures have by far the most structure where it is coarse: what counts is by which
     * factor each scale changes. */
    static const double share[SHARP_SCALES] = {0.6, 0.25, 0.15};
    double product = 1, weights = 0;
    for (int i = 0; i < SHARP_FIELDS; i++)
        weights += weight[i];
    for (int k = 0; k < SHARP_SCALES && weights > 0; k++) {
        double sum = 0;
        for (int i = 0; i < SHARP_FIELDS; i++)
            sum += weight[i] * s->field[i][k];
        product *= pow(fmax(sum / weights, 1e-9), share[k]);
    }
    return weights > 0 ? product : 0;
}

bool sharpness_crisp(const struct sharpness *s, const float weight[SHARP_FIELDS])
{
    double fine = 0, middle = 0, weights = 0;
    for (int i = 0; i < SHARP_FIELDS; i++) {
        fine += weight[i] * s->field[i][0];
        middle += weight[i] * s->field[i][1];
        weights += weight[i];
    }
    /* Edges give 1/4, more of them more; blur over two pixels takes half of that away. White
     * noise would give 4. */
    return middle > 0.01 * weights && fine > 0.3 * middle && fine < middle;
}
