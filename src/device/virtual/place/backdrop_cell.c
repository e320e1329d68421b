/* Cells of the picture: where their texels are, and their painting. */
#include <math.h>
#include <string.h>

#include "device/virtual/place/backdrop_inside.h"

#define RAD (M_PI / 180)
#define LOST 2    /* of the noise's sigma: leaves that differ less are not seen to move */
#define BESIDE 10 /* texels that they come from */

/* Texels x0…, y0… of a sheet, gathered from several tiles; what is beyond its borders
 * repeats them, or goes on round the sphere. */
static void patchwork(struct backdrop *b, const struct plan_use *u, const struct sheet *s, int x0,
                      int y0, int w, int h, struct cell *cell)
{
    int width = (int)s->width, height = (int)s->height;
    int around = u->patch->round ? (int)lrint(360 * s->density) : 0;
    around = around > width ? width : around;
    for (int y = y0, rows; y < y0 + h; y += rows) {
        int sy = y < 0 ? 0 : y >= height ? height - 1 : y;
        rows = TILE - sy % TILE < y0 + h - y ? TILE - sy % TILE : y0 + h - y;
        rows = sy != y ? 1 : rows > height - sy ? height - sy : rows;
        for (int x = x0, run; x < x0 + w; x += run) {
            int sx = around ? ((x % around) + around) % around : x;
            bool out = sx < 0 || sx >= width;
            sx = sx < 0 ? 0 : sx >= width ? width - 1 : sx;
            run = TILE - sx % TILE;
            run = around && run > around - sx ? around - sx : run;
            run = run > width - sx ? width - sx : run;
            run = run > x0 + w - x ? x0 + w - x : run;
            run = out ? 1 : run;
            uint32_t index = s->first + (uint32_t)(sy / TILE) * s->across + (uint32_t)(sx / TILE);
            const uint16_t *from = lit_tile(b, u->patch, s, index, cell);
            if (from)
                from += ((size_t)(sy % TILE) * TILE + (size_t)(sx % TILE)) * 4;
            uint64_t *to = (uint64_t *)(void *)b->patchwork + (y - y0) * w + (x - x0);
            for (int j = 0; j < rows; j++, to += w) {
                if (from)
                    memcpy(to, from + (size_t)j * TILE * 4, (size_t)run * sizeof(*to));
                for (int i = 0; i < run && !from; i++)
                    to[i] = UINT64_C(0x8000800080008000);
            }
        }
    }
}

/* ---- where its texels are ---- */

/* What is to be read, on its way to the processor while the cell before is painted. */
RADIANCE_FETCHES void fetch(const uint16_t *row, int w, int h, int stride)
{
    for (; h > 0; h--, row += (ptrdiff_t)stride * 4) {
        for (int k = 0; k < w * 4; k += 32)
            __builtin_prefetch(row + k);
        __builtin_prefetch(row + w * 4 - 1);
    }
}

/* The same of what is written. */
RADIANCE_FETCHES void fetch_planes(const struct radiance *into, int x, int y)
{
    uint16_t *const to[3] = {into->r, into->g, into->b};
    for (int k = 0; k < 3; k++)
        for (int j = y; j < y + CELL && j < into->height; j++)
            __builtin_prefetch(to[k] + (size_t)j * into->stride + x, 1);
}

/* The same of texels that lie in several tiles of a sheet, as far as those are lit. */
static void fetch_several(const struct backdrop *b, const struct cell_layer *l)
{
    const struct sheet *s = l->sheet;
    int right = l->x + l->w < (int)s->width ? l->x + l->w : (int)s->width;
    int low = l->y + l->h < (int)s->height ? l->y + l->h : (int)s->height;
    for (int y = l->y < 0 ? 0 : l->y, h; y < low; y += h) {
        h = TILE - y % TILE < low - y ? TILE - y % TILE : low - y;
        for (int x = l->x < 0 ? 0 : l->x, w; x < right; x += w) {
            w = TILE - x % TILE < right - x ? TILE - x % TILE : right - x;
            uint32_t slot =
                b->where[s->first + (uint32_t)(y / TILE) * s->across + (uint32_t)(x / TILE)];
            if (slot)
                fetch(b->slot[slot - 1].texels + (y % TILE * TILE + x % TILE) * 4, w, h, TILE);
        }
    }
}

static double least(const double v[4])
{
    double a = v[0] < v[1] ? v[0] : v[1], b = v[2] < v[3] ? v[2] : v[3];
    return a < b ? a : b;
}

static double most(const double v[4])
{
    double a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];
    return a > b ? a : b;
}

/* Where a cell lies in a patch: to->texels of to->sheet, and its corners there. False: too far
 * apart. */
static bool find_sheet(const struct backdrop *b, const struct look at[4], struct cell_layer *to,
                       double x[4], double y[4])
{
    const struct patch *p = to->use->patch;
    const struct sheet *s = to->use->sheet, *last = &b->tiles->sheet[p->first + p->n - 1];
    for (;; s++) {
        for (int i = 0; i < 4; i++) {
            plan_texel(p, s, &at[i], &x[i], &y[i]);
            if (i && p->projection == PROJECTION_ROUND)
                x[i] = x[0] + pose_wrap_pan(at[i].pan - at[0].pan) * s->density;
        }
        double x0 = least(x) - 0.5, x1 = most(x) - 0.5, y0 = least(y) - 0.5, y1 = most(y) - 0.5;
        /* A little more than the least, for roundings. */
        to->sheet = s;
        to->x = (int)floor(x0 - 0.01);
        to->y = (int)floor(y0 - 0.01);
        to->w = (int)floor(x1 + 0.01) - to->x + 2;
        to->h = (int)floor(y1 + 0.01) - to->y + 2;
        to->large = x1 - x0 < CELL * 0.7 && y1 - y0 < CELL * 0.7;
        if (to->w <= PATCHWORK && to->h <= PATCHWORK)
            return true;
        if (s == last)
            return false;
    }
}

/* One patch's part of a cell. False: nothing of it is there. */
static bool find_layer(struct backdrop *b, const struct look at[4], struct cell *cell,
                       struct cell_layer *to)
{
    double x[4], y[4];
    if (!find_sheet(b, at, to, x, y))
        return false;
    /* What moves is painted often: that must be cheap. */
    to->large = to->large && !b->quick && !b->beam && !(cell->flags & CELL_SWAY) &&
                MAGNIFY_MOST >= CELL * 0.7 + 6;
    if (to->large) {
        to->x -= 2;
        to->y -= 2;
        to->w += 4;
        to->h += 4;
    }
    const struct sheet *s = to->sheet;
    int ox = to->x, oy = to->y, right = to->x + to->w, low = to->y + to->h;
    to->several =
        !(ox >= 0 && oy >= 0 && ox / TILE == (right - 1) / TILE && oy / TILE == (low - 1) / TILE &&
          right <= (int)s->width && low <= (int)s->height);
    if (to->several) {
        fetch_several(b, to);
        to->remap.from = b->patchwork;
        to->remap.stride = to->w;
    } else {
        uint32_t index = s->first + (uint32_t)(oy / TILE) * s->across + (uint32_t)(ox / TILE);
        const uint16_t *from = lit_tile(b, to->use->patch, s, index, cell);
        if (!from)
            return false;
        to->remap.from = from;
        to->remap.stride = TILE;
        from += ((size_t)(oy % TILE) * TILE + (size_t)(ox % TILE)) * 4;
        fetch(from, to->w, to->h, TILE);
        ox = ox / TILE * TILE;
        oy = oy / TILE * TILE;
    }
    for (int i = 0; i < 4; i++) {
        to->remap.u[i] = (int32_t)lrint((x[i] - ox) * 65536);
        to->remap.v[i] = (int32_t)lrint((y[i] - oy) * 65536);
    }
    return true;
}

/* What lies on top first, until something hides the rest. */
static void find_layers(struct backdrop *b, struct cell *cell, struct cell_job *to)
{
    const struct knot *const *k = to->knot;
    uint64_t some = k[0]->patches | k[1]->patches | k[2]->patches | k[3]->patches;
    to->n = 0;
    for (; some; some &= some - 1) {
        struct cell_layer *l = &to->layer[to->n];
        int sum = 0;
        l->use = &b->plan.use[__builtin_ctzll(some)];
        for (int c = 0; c < 4; c++)
            sum += l->weight[c] = plan_weight(&b->plan, l->use, &k[c]->look);
        if (!sum)
            continue;
        l->whole = sum == 4 * PLAN_FULL;
        l->there = find_layer(b, to->at, cell, l);
        to->n++;
        if (l->whole)
            break;
    }
}

void cell_find(struct backdrop *b, int i, int j, const struct radiance *into, struct cell_job *to)
{
    struct knot *row = b->knot + (size_t)j * (size_t)b->across + i;
    struct knot *const k[4] = {row, row + 1, row + b->across, row + b->across + 1};
    struct cell *cell = &b->cell[(size_t)j * (size_t)(b->across - 1) + (size_t)i];
    fetch_planes(into, i * CELL, j * CELL);
    to->i = i;
    to->j = j;
    to->cell = cell;
    cell->flags = cell->rhythm ? CELL_SWAY : 0;
    cell->phases = 0;
    for (int c = 0; c < 4; c++) {
        to->knot[c] = k[c];
        to->at[c] = k[c]->look;
        if (!cell->rhythm)
            continue;
        sway_move(b, k[c], b->sway_time[cell->rhythm]);
        to->at[c].pan += k[c]->aside;
        to->at[c].tilt += k[c]->lift;
    }
    find_layers(b, cell, to);
}

/* Of these texels: whether nothing but place is there, so dark and so even that it is lost in the
 * noise of a picture of 1/30 s. */
static bool lost(const uint16_t *row, int w, int h, int stride, double unit)
{
    int low = UINT16_MAX, high = 0, cover = UINT16_MAX;
    for (int y = 0; y < h; y += 2, row += (ptrdiff_t)stride * 8)
        for (int x = 0; x < w; x += 2) {
            int green = row[4 * x + 1] ^ 0x8000, here = row[4 * x + 3] ^ 0x8000;
            low = green < low ? green : low;
            high = green > high ? green : high;
            cover = here < cover ? here : cover;
        }
    double each = LIGHT_DARK_ELECTRONS / unit; /* electrons for a step of a sample */
    double noise = sqrt(low * each + LIGHT_DARK_READ * LIGHT_DARK_READ) / each;
    return cover > UINT16_MAX / 128 * 127 && high - low < LOST * noise;
}

bool cell_faint(struct backdrop *b, const struct knot *const k[4], uint16_t *ret_phases)
{
    struct cell rest = {.flags = CELL_SWAY};
    struct cell_job job;
    for (int c = 0; c < 4; c++) {
        job.knot[c] = k[c];
        job.at[c] = k[c]->look;
    }
    find_layers(b, &rest, &job);
    struct cell_layer *l = &job.layer[0];
    bool faint = false;
    if (job.n == 1 && l->whole && l->there && l->several) {
        patchwork(b, l->use, l->sheet, l->x, l->y, l->w, l->h, &rest);
        faint = lost(b->patchwork, l->w, l->h, l->w, b->phase[0].light.unit);
    } else if (job.n == 1 && l->whole && l->there) {
        /* With what the wind brings there. */
        int x0 = l->x % TILE - BESIDE, x1 = l->x % TILE + l->w + BESIDE;
        int y0 = l->y % TILE - BESIDE, y1 = l->y % TILE + l->h + BESIDE;
        x0 = x0 < 0 ? 0 : x0;
        y0 = y0 < 0 ? 0 : y0;
        x1 = x1 > TILE ? TILE : x1;
        y1 = y1 > TILE ? TILE : y1;
        faint = lost(l->remap.from + ((size_t)y0 * TILE + (size_t)x0) * 4, x1 - x0, y1 - y0, TILE,
                     b->phase[0].light.unit);
    }
    *ret_phases = rest.phases;
    return faint;
}

/* ---- painting ---- */

static void clear(uint16_t *cell)
{
    for (int i = 0; i < CELL_SAMPLES; i++)
        cell[i] = 0x8000;
}

static void paint_layer(struct backdrop *b, struct cell_layer *l, struct cell *cell, uint16_t *to)
{
    if (!l->there) {
        clear(to);
        return;
    }
    if (l->several)
        patchwork(b, l->use, l->sheet, l->x, l->y, l->w, l->h, cell);
    (l->large ? b->kernels->magnify : b->kernels->remap)(&l->remap, to);
}

/* Detail that nobody has baked, where texels have become large. */
static void add_grain(struct backdrop *b, const struct plan_use *u, const struct look at[4],
                      uint16_t *cell)
{
    double wide = b->view.f * RAD / u->sheet->density; /* pixels per texel */
    if (u->patch->projection == PROJECTION_DOWN || wide < 2)
        return;
    /* The table is smooth over two of its samples, which are finer than a pixel. */
    double k = exp2(ceil(log2(wide / 1.4))), x0 = 0, y0 = 0;
    struct grain g = {.table = b->grain};
    g.amount = (int)(1 + fmin((wide - 2) / 4, 1) * 3);
    for (int i = 0; i < 4; i++) {
        double x, y;
        plan_texel(u->patch, u->sheet, &at[i], &x, &y);
        x *= k;
        y *= k;
        if (i == 0) {
            x0 = floor(x / GRAIN) * GRAIN;
            y0 = floor(y / GRAIN) * GRAIN;
        }
        if (fabs(x - x0) > 3 * GRAIN || fabs(y - y0) > 3 * GRAIN)
            return; /* the seam of the sphere */
        g.u[i] = (int32_t)lrint((x - x0) * 65536);
        g.v[i] = (int32_t)lrint((y - y0) * 65536);
    }
    b->kernels->grain(cell, &g);
}

void cell_paint(struct backdrop *b, struct cell_job *job, struct radiance *into)
{
    struct cell *cell = job->cell;
    const struct knot *const *k = job->knot;
    uint16_t *out = b->buffer[0];
    bool whole = false;
    for (int p = job->n - 1; p >= 0; p--) {
        struct cell_layer *l = &job->layer[p];
        if (!l->whole && p == job->n - 1)
            clear(out);
        paint_layer(b, l, cell, l->whole ? out : b->buffer[1]);
        if (!l->whole)
            b->kernels->over(out, b->buffer[1], l->weight);
        whole = whole || l->whole;
    }
    if (!job->n)
        clear(out);
    else
        add_grain(b, job->layer[0].use, job->at, out);
    if (b->beam)
        b->kernels->dim(out, (const int[]){k[0]->beam, k[1]->beam, k[2]->beam, k[3]->beam});
    if ((cell->flags & CELL_SKY || !whole) && !b->kernels->covered(out)) {
        cell->flags |= CELL_SKY;
        sky_add(b, k, job->j, cell, out);
    } else {
        cell->flags &= (uint8_t)~CELL_SKY;
    }
    if (b->n_lettered)
        cell->phases |= lettering_paint(b, job->i * CELL, job->j * CELL, out);
    if (into->touched)
        into->touched[cell - b->cell] = 1;
    size_t at = (size_t)job->j * CELL * into->stride + (size_t)job->i * CELL;
    int w = into->width - job->i * CELL, h = into->height - job->j * CELL;
    b->kernels->store(out, w < CELL ? w : CELL, h < CELL ? h : CELL, into->r + at, into->g + at,
                      into->b + at, into->stride);
}
