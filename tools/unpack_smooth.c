/* What baking with few samples leaves: edges of colour that are ragged by a texel, and specks
 * in the layers of light. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

#define PAD 8 /* samples beyond each border */
#define ROWS 64

/* ---- edges ---- */

/* Rows of a plane round those that are worked on. */
struct rows {
    int w, n; /* samples without and rows with their padding */
    float *value, *xx, *xy, *yy, *sum;
};

static size_t at(const struct rows *r, int x, int y)
{
    return (size_t)(y + PAD) * (size_t)(r->w + 2 * PAD) + (size_t)(x + PAD);
}

static void take_rows(struct rows *r, const uint8_t *from, int h, int y0, int n, bool round)
{
    r->n = n;
    for (int y = -PAD; y < n + PAD; y++) {
        int sy = y0 + y < 0 ? 0 : y0 + y >= h ? h - 1 : y0 + y;
        for (int x = -PAD; x < r->w + PAD; x++) {
            int sx = x < 0 ? (round ? x + r->w : 0) : x;
            sx = sx >= r->w ? (round ? sx - r->w : r->w - 1) : sx;
            r->value[at(r, x, y)] = from[(size_t)sy * (size_t)r->w + (size_t)sx];
        }
    }
}

static void find_slopes(struct rows *r)
{
    const int s = r->w + 2 * PAD;
    for (int y = -PAD + 1; y < r->n + PAD - 1; y++)
        for (int x = -PAD + 1; x < r->w + PAD - 1; x++) {
            const float *v = r->value + at(r, x, y);
            float gx = 2 * (v[1] - v[-1]) + v[1 - s] - v[-1 - s] + v[1 + s] - v[s - 1];
            float gy = 2 * (v[s] - v[-s]) + v[s - 1] - v[-1 - s] + v[s + 1] - v[1 - s];
            r->xx[at(r, x, y)] = gx * gx;
            r->xy[at(r, x, y)] = gx * gy;
            r->yy[at(r, x, y)] = gy * gy;
        }
}

/* Over seven samples each way. */
static void spread_slopes(struct rows *r, float *v)
{
    static const float k[4] = {20, 15, 6, 1};
    const int s = r->w + 2 * PAD;
    for (int y = -PAD + 1; y < r->n + PAD - 1; y++)
        for (int x = -PAD + 4; x < r->w + PAD - 4; x++) {
            const float *p = v + at(r, x, y);
            float sum = k[0] * p[0];
            for (int i = 1; i < 4; i++)
                sum += k[i] * (p[i] + p[-i]);
            r->sum[at(r, x, y)] = sum / 64;
        }
    for (int y = 0; y < r->n; y++)
        for (int x = 0; x < r->w; x++) {
            const float *p = r->sum + at(r, x, y);
            float sum = k[0] * p[0];
            for (int i = 1; i < 4; i++)
                sum += k[i] * (p[i * s] + p[-i * s]);
            v[at(r, x, y)] = sum / 64;
        }
}

static float between(const struct rows *r, float x, float y)
{
    int ix = (int)floorf(x), iy = (int)floorf(y);
    const float *v = r->value + at(r, ix, iy);
    const int s = r->w + 2 * PAD;
    x -= (float)ix;
    y -= (float)iy;
    float a = v[0] + (v[1] - v[0]) * x, b = v[s] + (v[s + 1] - v[s]) * x;
    return a + (b - a) * y;
}

static float clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* The mean along the edge, where there is one that runs straight for some texels. */
static uint8_t along_edge(const struct rows *r, int x, int y)
{
    static const float k[4] = {1, 0.85f, 0.55f, 0.2f};
    float a = r->xx[at(r, x, y)], b = r->xy[at(r, x, y)], c = r->yy[at(r, x, y)];
    float here = r->value[at(r, x, y)], all = a + c, apart = hypotf(a - c, 2 * b);
    float share = clamp01((apart / (all + 1) - 0.5f) * 3) * clamp01((all - 900) / 3000);
    if (share <= 0)
        return (uint8_t)here;
    float angle = 0.5f * atan2f(2 * b, a - c), dx = -sinf(angle), dy = cosf(angle);
    float sum = k[0] * here, weight = k[0];
    for (int i = 1; i < 4; i++) {
        float f = (float)i;
        sum += k[i] * (between(r, (float)x + dx * f, (float)y + dy * f) +
                       between(r, (float)x - dx * f, (float)y - dy * f));
        weight += 2 * k[i];
    }
    return (uint8_t)lrintf(here + (sum / weight - here) * share);
}

static void straighten(uint8_t *plane, int w, int h, bool round)
{
    size_t room = (size_t)(w + 2 * PAD) * (ROWS + 2 * PAD), n = (size_t)w * (size_t)h;
    uint8_t *from = take(n, 1);
    float *block = take(room * 5, sizeof(*block));
    struct rows r = {
        w, 0, block, block + room, block + 2 * room, block + 3 * room, block + 4 * room};
    memcpy(from, plane, n);
    for (int y0 = 0; y0 < h; y0 += ROWS) {
        take_rows(&r, from, h, y0, h - y0 < ROWS ? h - y0 : ROWS, round);
        find_slopes(&r);
        spread_slopes(&r, r.xx);
        spread_slopes(&r, r.xy);
        spread_slopes(&r, r.yy);
        for (int y = 0; y < r.n; y++)
            for (int x = 0; x < w; x++)
                plane[(size_t)(y0 + y) * (size_t)w + (size_t)x] = along_edge(&r, x, y);
    }
    free(block);
    free(from);
}

/* ---- specks ---- */

/* No more than the second most, no less than the second least of its eight neighbours: lines
 * stay, single texels go. */
static float unspecked(const float v[9])
{
    float least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < 9; i++) {
        if (i == 4)
            continue;
        if (v[i] < least[0]) {
            least[1] = least[0];
            least[0] = v[i];
        } else if (v[i] < least[1])
            least[1] = v[i];
        if (v[i] > most[0]) {
            most[1] = most[0];
            most[0] = v[i];
        } else if (v[i] > most[1])
            most[1] = v[i];
    }
    return v[4] > most[1] ? most[1] : v[4] < least[1] ? least[1] : v[4];
}

static void clean_suns(uint8_t *suns, int w, int h)
{
    size_t n = (size_t)w * (size_t)h * LIGHT_SUNS;
    uint8_t *from = take(n, 1);
    memcpy(from, suns, n);
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++)
            for (int s = 0; s < LIGHT_SUNS; s++) {
                float v[9];
                for (int i = 0; i < 9; i++)
                    v[i] = from[((size_t)(y + i / 3 - 1) * (size_t)w + (size_t)(x + i % 3 - 1)) *
                                    LIGHT_SUNS +
                                (size_t)s];
                suns[((size_t)y * (size_t)w + (size_t)x) * LIGHT_SUNS + (size_t)s] =
                    (uint8_t)unspecked(v);
            }
    free(from);
}

static void clean_soft(uint32_t *soft, int w, int h)
{
    size_t n = (size_t)w * (size_t)h;
    float(*from)[3] = take(n, sizeof(*from));
    for (size_t i = 0; i < n; i++)
        tiles_soft(soft[i], from[i]);
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            float rgb[3];
            for (int k = 0; k < 3; k++) {
                float v[9];
                for (int i = 0; i < 9; i++)
                    v[i] = from[(size_t)(y + i / 3 - 1) * (size_t)w + (size_t)(x + i % 3 - 1)][k];
                rgb[k] = unspecked(v);
            }
            soft[(size_t)y * (size_t)w + (size_t)x] = soft_pack(rgb);
        }
    free(from);
}

/* What a cell of a quarter's density looks like: mean luma, and its depth. */
static void look_of(const struct layers *l, int x, int y, float ret[2])
{
    float sum = 0;
    int n = 0;
    for (int j = 4 * y; j < 4 * y + 4 && j < l->h; j++)
        for (int i = 4 * x; i < 4 * x + 4 && i < l->w; i++, n++)
            sum += l->y[(size_t)j * (size_t)l->w + (size_t)i];
    ret[0] = sum / (float)n;
    ret[1] = l->depth[(size_t)(2 * y) * (size_t)l->w2 + (size_t)(2 * x)];
}

static float unlike(const float a[2], const float b[2])
{
    return fabsf(a[0] - b[0]) + fminf(fabsf(a[1] - b[1]) * 0.3f, 60);
}

/* Whether most of what is round a cell is as bright: a window, not a tube. */
static bool solid(const float *bright, int w, int h, size_t cell)
{
    int x = (int)(cell % (size_t)w), y = (int)(cell / (size_t)w), n = 0;
    if (x < 1 || y < 1 || x >= w - 1 || y >= h - 1)
        return false;
    for (int i = 0; i < 9; i++)
        n += bright[cell + (size_t)((i / 3 - 1) * w + i % 3 - 1)] > 0.5f * bright[cell];
    return n >= 6;
}

/* A cell that is partly a lit window becomes all of it or nothing, whichever it is more
 * like: half of a window's light on a wall is more than the wall ever had. */
static void clean_emit(struct layers *l)
{
    int w = l->w4, h = l->h4;
    size_t n = (size_t)w * (size_t)h;
    uint32_t *from = take(n, sizeof(*from)), *to = l->soft[SOFT_EMIT];
    float *bright = take(n, sizeof(*bright));
    memcpy(from, to, n * sizeof(*from));
    for (size_t i = 0; i < n; i++) {
        float v[3];
        tiles_soft(from[i], v);
        bright[i] = v[0] + v[1] + v[2];
    }
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            size_t here = (size_t)y * (size_t)w + (size_t)x, most = here, least = here;
            /* A window between leaves would light the leaves. */
            if (l->sway[(size_t)(y / 2) * (size_t)l->w8 + (size_t)(x / 2)] > 64) {
                to[here] = 0;
                continue;
            }
            for (int i = 0; i < 9; i++) {
                size_t k = (size_t)(y + i / 3 - 1) * (size_t)w + (size_t)(x + i % 3 - 1);
                most = bright[k] > bright[most] ? k : most;
                least = bright[k] < bright[least] ? k : least;
            }
            if (bright[most] <= 0 || bright[here] > 0.8f * bright[most] ||
                bright[here] <= bright[least] + 0.1f * bright[most])
                continue;
            if (!solid(bright, w, h, most))
                continue;
            float own[2], lit[2], dark[2];
            look_of(l, x, y, own);
            look_of(l, (int)(most % (size_t)w), (int)(most / (size_t)w), lit);
            look_of(l, (int)(least % (size_t)w), (int)(least / (size_t)w), dark);
            to[here] = unlike(own, lit) < unlike(own, dark) ? from[most] : from[least];
        }
    free(bright);
    free(from);
}

void layers_smooth(struct layers *l)
{
    clean_emit(l);
    straighten(l->y, l->w, l->h, l->round);
    straighten(l->cb, l->w2, l->h2, l->round);
    straighten(l->cr, l->w2, l->h2, l->round);
    straighten(l->cover, l->w, l->h, l->round);
    clean_suns(l->sun, l->w2, l->h2);
    for (int i = 0; i < LIGHT_SOFT; i++)
        if (i != SOFT_EMIT)
            clean_soft(l->soft[i], l->w4, l->h4);
}

static void blank_plane(uint8_t *plane, int width, int x0, int y0, int x1, int y1)
{
    for (int y = y0; y < y1; y++) {
        uint8_t *row = plane + (size_t)y * (size_t)width;
        int left = row[x0 - 1], right = row[x1];
        for (int x = x0; x < x1; x++)
            row[x] = (uint8_t)((left * (x1 - x) + right * (x - x0 + 1)) / (x1 - x0 + 1));
    }
}

void layers_blank(struct layers *l, int x0, int y0, int x1, int y1)
{
    blank_plane(l->y, l->w, x0, y0, x1, y1);
    blank_plane(l->cb, l->w2, x0 / 2, y0 / 2, (x1 + 1) / 2, (y1 + 1) / 2);
    blank_plane(l->cr, l->w2, x0 / 2, y0 / 2, (x1 + 1) / 2, (y1 + 1) / 2);
}
