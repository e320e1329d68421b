/* Builds a place file from layers: sheets, the view down, light on the ground, exposure. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpack.h"

#define DOWN_FROM (-45.0)   /* degrees: from there on the view down takes over … */
#define ROUND_UNTIL (-58.0) /* … and there it certainly has */
#define GLOW 0.3            /* lit panes would be white, else */
#define GROUND_X 60.0
#define GROUND_Y0 (-45.0)
#define GROUND_Y1 105.0
#define GROUND_STEP 0.5

static void add_sheet(struct build *b, const struct layers *l)
{
    if (b->head.n_sheets == SHEETS)
        die("more than %d sheets", SHEETS);
    struct sheet *s = &b->sheet[b->head.n_sheets++];
    sheet_size(s, l);
    s->first = b->head.n_tiles;
    size_t n = (size_t)s->across * s->down;
    if (b->head.n_tiles + n > b->tile_room) {
        b->tile_room = 2 * (b->head.n_tiles + n);
        b->tile = realloc(b->tile, b->tile_room * sizeof(*b->tile));
        if (!b->tile)
            die("not enough memory");
    }
    sheet_cut(&b->out, l, b->tile + s->first);
    b->head.n_tiles += (uint32_t)n;
}

/* Where a direction lies in the layers of a patch. */
static bool find(const struct layers *l, const struct patch *p, double pan, double tilt, int div,
                 int *ret_x, int *ret_y)
{
    double across = pan - p->pan0;
    across -= 360 * floor(across / 360);
    int x = (int)(across * l->density / div), y = (int)((p->tilt1 - tilt) * l->density / div);
    *ret_x = x;
    *ret_y = y;
    return y >= 0 && y < (l->h + div - 1) / div && x < (l->w + div - 1) / div && tilt < p->tilt1;
}

/* Exposure is judged by means over cells of a few degrees. */
static void make_meter(struct build *b, const struct layers *l, const struct patch *p)
{
    for (int j = 0; j < METER_DOWN; j++)
        for (int i = 0; i < METER_ACROSS; i++) {
            struct meter_cell *c = &b->meter[j * METER_ACROSS + i];
            int n = 0;
            double share = 0, inverse = 0;
            for (int k = 0; k < 64; k++) {
                double pan = (i + (k % 8 + 0.5) / 8) * 360 / METER_ACROSS - 180;
                double tilt = 90 - (j + (k / 8 + 0.5) / 8) * 180 / METER_DOWN;
                int x, y;
                n++;
                if (!find(l, p, pan, tilt, 1, &x, &y)) {
                    c->sky += 1;
                    continue;
                }
                float albedo[3];
                layers_albedo(l, x, y, albedo);
                size_t at2 = (size_t)(y / 2) * (size_t)l->w2 + (size_t)(x / 2);
                size_t at4 = (size_t)(y / 4) * (size_t)l->w4 + (size_t)(x / 4);
                float cover = l->cover[(size_t)y * (size_t)l->w + (size_t)x] / 255.0f;
                c->sky += 1 - cover;
                for (int s = 0; s < LIGHT_SOFT; s++) {
                    float v[3];
                    tiles_soft(l->soft[s][at4], v);
                    for (int q = 0; q < 3; q++)
                        c->soft[s][q] += albedo[q] * cover * v[q];
                }
                for (int s = 0; s < LIGHT_SUNS; s++)
                    for (int q = 0; q < 3; q++)
                        c->sun[s][q] +=
                            albedo[q] * cover * l->sun[at2 * LIGHT_SUNS + (size_t)s] / 255.0f;
                inverse += (double)cover / tiles_metres(l->depth[at2]);
                share += (double)cover;
            }
            for (int q = 0; q < 3; q++) {
                for (int s = 0; s < LIGHT_SOFT; s++)
                    c->soft[s][q] /= (float)n;
                for (int s = 0; s < LIGHT_SUNS; s++)
                    c->sun[s][q] /= (float)n;
            }
            c->sky /= (float)n;
            c->distance = inverse > 0 ? (float)(share / inverse) : 1e6f;
        }
}

/* What falls on the ground, seen from the eye; what is hidden takes its neighbours'. */
static void make_ground(struct build *b, const struct layers *l, const struct patch *p)
{
    int w = (int)(2 * GROUND_X / GROUND_STEP), h = (int)((GROUND_Y1 - GROUND_Y0) / GROUND_STEP);
    b->head.ground_across = (uint32_t)w;
    b->head.ground_down = (uint32_t)h;
    b->head.ground_x = -GROUND_X;
    b->head.ground_y = GROUND_Y0;
    b->head.ground_step = GROUND_STEP;
    size_t n = (size_t)w * (size_t)h;
    free(b->ground);
    b->ground = take(n, sizeof(*b->ground));
    uint8_t *known = take(n, 1), *next = take(n, 1);
    size_t left = n;
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            double dx = -GROUND_X + (i + 0.5) * GROUND_STEP - b->head.eye[0];
            double dy = GROUND_Y0 + (j + 0.5) * GROUND_STEP - b->head.eye[1], flat = hypot(dx, dy);
            int x, y;
            size_t at = (size_t)j * (size_t)w + (size_t)i;
            if (!find(l, p, atan2(dx, dy) * 180 / M_PI, atan2(-b->head.eye[2], flat) * 180 / M_PI,
                      1, &x, &y))
                continue;
            size_t at2 = (size_t)(y / 2) * (size_t)l->w2 + (size_t)(x / 2);
            size_t at4 = (size_t)(y / 4) * (size_t)l->w4 + (size_t)(x / 4);
            double far = hypot(flat, b->head.eye[2]), seen = tiles_metres(l->depth[at2]);
            if (fabs(seen - far) > 0.3 + 0.04 * far)
                continue;
            known[at] = 1;
            left--;
            for (int s = 0; s < LIGHT_SOFT; s++)
                b->ground[at].soft[s] = l->soft[s][at4];
            memcpy(b->ground[at].sun, &l->sun[at2 * LIGHT_SUNS], LIGHT_SUNS);
        }
    for (size_t before = n + 1; left && left < before;) {
        before = left;
        memcpy(next, known, n);
        for (int j = 0; j < h; j++)
            for (int i = 0; i < w; i++) {
                size_t at = (size_t)j * (size_t)w + (size_t)i;
                size_t from = i > 0 && known[at - 1]               ? at - 1
                              : i + 1 < w && known[at + 1]         ? at + 1
                              : j > 0 && known[at - (size_t)w]     ? at - (size_t)w
                              : j + 1 < h && known[at + (size_t)w] ? at + (size_t)w
                                                                   : at;
                if (!known[at] && from != at) {
                    b->ground[at] = b->ground[from];
                    next[at] = 1;
                    left--;
                }
            }
        memcpy(known, next, n);
    }
    free(known);
    free(next);
}

/* Sheets of one patch, finest first, until one is smaller than a tile or coarser than is
 * ever asked for. */
static void add_sheets(struct build *b, struct patch *p, struct layers *l, double coarsest)
{
    p->first = b->head.n_sheets;
    for (;;) {
        add_sheet(b, l);
        p->n++;
        if (l->w <= 2 * TILE || l->density < coarsest)
            return;
        struct layers half = {0};
        layers_halve(&half, l);
        layers_done(l);
        *l = half;
    }
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Lamps were baked in watts; here they get the brightness that the place is said to have:
 * the mean of the ground that they light. */
static double lamp_scale(const struct build *b)
{
    size_t n = (size_t)b->head.ground_across * b->head.ground_down, lit = 0;
    float *v = take(n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        float c[3];
        tiles_soft(b->ground[i].soft[SOFT_LAMPS], c);
        v[i] = 0.2126f * c[0] + 0.7152f * c[1] + 0.0722f * c[2];
    }
    qsort(v, n, sizeof(*v), by_size);
    double least = 0.1 * (double)v[n - 1 - n / 500], sum = 0;
    for (size_t i = 0; i < n; i++)
        if ((double)v[i] > least) {
            sum += (double)v[i];
            lit++;
        }
    free(v);
    return sum > 0 ? b->head.lamp_lux / 100e3 * (double)lit / sum : 1;
}

void build_open(struct build *b, const char *path)
{
    memset(b, 0, sizeof(*b));
    b->meter = take(METER_ACROSS * METER_DOWN, sizeof(*b->meter));
    snprintf(b->path, sizeof(b->path), "%s", path);
    snprintf(b->part, sizeof(b->part), "%s.part", path);
    b->out.f = fopen(b->part, "wb");
    if (!b->out.f)
        die("%s: %s", b->part, strerror(errno));
    out_table(&b->out, &b->head, sizeof(b->head));
}

void build_patch(struct build *b, const struct patch *as, struct layers *l, bool base)
{
    if (b->head.n_patches + 2 > PATCHES)
        die("more than %d patches", PATCHES - 2);
    struct patch *p = &b->patch[b->head.n_patches++];
    *p = *as;
    p->round = p->pan1 - p->pan0 >= 359.9;
    l->round = p->round;
    p->projection = PROJECTION_ROUND;
    p->feather = fmin(p->tilt1 - p->tilt0, p->pan1 - p->pan0) * (p->round ? 0.03 : 0.08);
    if (base && (!p->round || p->tilt0 > -89))
        die("the first patch must go all the way round and down to -90 degrees");
    if (base) {
        make_ground(b, l, p);
        b->lamp_scale = lamp_scale(b);
    }
    layers_scale(l, SOFT_LAMPS, b->lamp_scale);
    layers_scale(l, SOFT_WINDOWS, b->lamp_scale);
    layers_scale(l, SOFT_EMIT, b->lamp_scale * GLOW);
    if (base) {
        make_ground(b, l, p);
        make_meter(b, l, p);
        struct patch *down = &b->patch[b->head.n_patches++];
        *down = (struct patch){.name = "down",
                               .projection = PROJECTION_DOWN,
                               .pan0 = -180,
                               .pan1 = 180,
                               .tilt0 = -90,
                               .tilt1 = DOWN_FROM,
                               .feather = 2};
        struct layers foot = {0};
        layers_down(&foot, l, p->pan0, p->tilt1, 1 / tan(-DOWN_FROM * M_PI / 180) * 1.02);
        add_sheets(b, down, &foot, 0);
        layers_done(&foot);
        /* What the view down covers is not needed twice. */
        int from = ((int)((p->tilt1 - ROUND_UNTIL) * l->density) / TILE + 1) * TILE;
        if (from < l->h)
            memset(l->cover + (size_t)from * (size_t)l->w, 0, (size_t)(l->h - from) * (size_t)l->w);
    }
    add_sheets(b, p, l, base ? 0 : p->round ? l->density / 8 : 12);
    layers_done(l);
}

void build_close(struct build *b)
{
    struct tiles_head *h = &b->head;
    struct out *o = &b->out;
    memcpy(h->magic, TILES_MAGIC, sizeof(h->magic));
    h->version = TILES_VERSION;
    h->size_of_tile = sizeof(struct tile);
    h->patches = out_table(o, b->patch, sizeof(*b->patch) * h->n_patches);
    h->sheets = out_table(o, b->sheet, sizeof(*b->sheet) * h->n_sheets);
    h->tiles = out_table(o, b->tile, sizeof(*b->tile) * h->n_tiles);
    h->meter = out_table(o, b->meter, sizeof(*b->meter) * METER_ACROSS * METER_DOWN);
    h->ground =
        out_table(o, b->ground, sizeof(*b->ground) * h->ground_across * (size_t)h->ground_down);
    h->size = o->at;
    if (fseek(o->f, 0, SEEK_SET) < 0 || fwrite(h, sizeof(*h), 1, o->f) != 1 || fclose(o->f) != 0)
        die("cannot write: is the disk full?");
    if (rename(b->part, b->path) < 0)
        die("%s: %s", b->path, strerror(errno));
    free(o->part);
    free(b->tile);
    free(b->meter);
    free(b->ground);
}
