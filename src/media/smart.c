#include "media/smart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define CALM_S 0.5    /* without activity, before pictures are left out */
#define CODED_LOOKS 3 /* looks for which a block is not still yet after its last activity */
#define NOISY 2 /* steps; from so much noise on it is not sure what moves, and what lies beside */
#define NEW_LOOKS 6     /* what moves is new for so long … */
#define FORGET_LOOKS 15 /* … and so long after it left a block may be another's */
#define NEW_MOST 4      /* of the picture, 1/n: what is bigger is not one mover */
#define BESIDE 0.87     /* of what a still block is coarser by, where something only may come */
#define DETAIL_FLAT 2   /* of activity.detail: below it a block shows nothing … */
#define DETAIL_RICH 12  /* … and from here on what somebody may want to read */

struct smart_place {
    uint16_t x0, y0, x1, y1; /* the cells that a block shows */
    uint32_t last;           /* look of its newest activity, what lies around included */
    uint32_t known;          /* look at which what follows was last so */
    uint32_t born;           /* look at which what moves here began to; 0: not of a mover */
    bool sure, taken;        /* around something active, as leaves have nothing; in a mover */
    bool shown;              /* coded finely since */
};

bool smart_plan_equal(const struct smart_plan *a, const struct smart_plan *b)
{
    return a->strength == b->strength && a->dynamic_gop == b->dynamic_gop &&
           a->max_gop == b->max_gop && a->dynamic_fps == b->dynamic_fps &&
           a->min_fps == b->min_fps && a->storage == b->storage;
}

void smart_plan_normalise(struct smart_plan *p)
{
    if (!p->dynamic_gop)
        p->max_gop = 0;
    if (!p->dynamic_fps)
        p->min_fps = 0;
}

bool smart_plan_looks(const struct smart_plan *p)
{
    return p->strength || p->dynamic_gop || p->dynamic_fps;
}

/* ---- which pictures ---- */

bool smart_spares(const struct smart_plan *p, const struct activity *a, double fps,
                  int64_t passed_ns)
{
    if (!p->dynamic_fps || !a)
        return false;
    if (a->look - a->last_any <= (uint32_t)(CALM_S * fps))
        return false;
    double least = fmax(p->min_fps, SMART_FPS_LEAST);
    /* a millisecond: ticks are rounded */
    return (double)(passed_ns + NSEC_PER_MSEC) < (double)NSEC_PER_SEC / least;
}

bool smart_wants_key(const struct smart_plan *p, const struct activity *a, uint32_t sent, int gop,
                     int since_key)
{
    return p->dynamic_gop && a && sent && a->last_whole > sent && since_key + 1 >= gop;
}

/* ---- which blocks ---- */

void smart_blocks_init(struct smart_blocks *b, int strength)
{
    *b = (struct smart_blocks){.strength = strength};
}

void smart_blocks_done(struct smart_blocks *b)
{
    free(b->offset);
    free(b->kind);
    free(b->place);
    free(b->todo);
    *b = (struct smart_blocks){0};
}

static void to_frame(const struct rendition_key *k, const struct frame_part *part, double aspect,
                     double x, double y, double *ret_x, double *ret_y)
{
    *ret_x = x;
    *ret_y = y;
    rendition_to_frame(k, part, aspect, ret_x, ret_y);
}

static uint16_t cell_of(double v, int n)
{
    int i = (int)floor(v);
    return (uint16_t)(i < 0 ? 0 : i >= n ? n - 1 : i);
}

static int lay_out(struct smart_blocks *b, const struct rendition_key *k,
                   const struct frame_part *part, const struct activity *a)
{
    int across = (k->width + SMART_BLOCK - 1) / SMART_BLOCK;
    int down = (k->height + SMART_BLOCK - 1) / SMART_BLOCK;
    size_t n = (size_t)across * (size_t)down;
    if (!b->across) {
        b->offset = calloc(n, sizeof(*b->offset));
        b->kind = calloc(n, sizeof(*b->kind));
        b->place = calloc(n, sizeof(*b->place));
        b->todo = calloc(n, sizeof(*b->todo));
    }
    if (!b->offset || !b->kind || !b->place || !b->todo)
        return -1;
    double aspect = (double)a->width / a->height;
    double per_x = (double)a->width / ACTIVITY_CELL, per_y = (double)a->height / ACTIVITY_CELL;
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++) {
            double ax, ay, bx, by;
            to_frame(k, part, aspect, (double)x * SMART_BLOCK / k->width,
                     (double)y * SMART_BLOCK / k->height, &ax, &ay);
            to_frame(k, part, aspect, fmin((double)(x + 1) * SMART_BLOCK / k->width, 1),
                     fmin((double)(y + 1) * SMART_BLOCK / k->height, 1), &bx, &by);
            b->place[y * across + x] =
                (struct smart_place){cell_of(fmin(ax, bx) * per_x + 0.01, a->across),
                                     cell_of(fmin(ay, by) * per_y + 0.01, a->down),
                                     cell_of(fmax(ax, bx) * per_x - 0.01, a->across),
                                     cell_of(fmax(ay, by) * per_y - 0.01, a->down)};
        }
    b->part = *part;
    b->across = across;
    b->down = down;
    return 0;
}

/* What is still costs the more the stronger; less so where there is detail, which shows it. */
static int offset_of(int strength, uint8_t detail, bool restless)
{
    double most = strength * 0.36 + 2.5;
    if (restless) /* it does move, though always */
        most *= 0.75;
    if (detail >= DETAIL_RICH)
        most *= 0.7;
    else if (detail > DETAIL_FLAT)
        most *= 0.85;
    return (int)lrint(most);
}

/* What is finer than strong noise need not be kept. An encoder that makes up its quantizer from
 * what pictures cost does the same; what moves is then as good as without the smart codec
 * (docs/codecs.md). */
static int lively_offset(double noise)
{
    return (int)lrint(fmin(fmax(1.3 * log2(fmax(noise, 0.01) / 2), 0), 6));
}

/* A picture that shows another part of the frame shares no block with those before it. */
static int follow_part(struct smart_blocks *b, const struct rendition_key *key,
                       const struct frame_part *part, const struct activity *a)
{
    if (b->across && frame_part_equal(&b->part, part))
        return 0;
    b->part_look = b->across ? a->look : 0;
    return lay_out(b, key, part, a);
}

/* ---- what has just begun to move ---- */

struct mover {
    int x0, y0, x1, y1; /* blocks */
    int n;              /* of them, in todo */
    uint32_t born;      /* 0: not before */
    bool sure;
};

static void take_block(struct smart_blocks *b, struct mover *m, int x, int y, uint32_t sent)
{
    struct smart_place *p = &b->place[y * b->across + x];
    if (p->taken || p->last <= sent)
        return;
    p->taken = true;
    b->todo[m->n++] = y * b->across + x;
    m->x0 = x < m->x0 ? x : m->x0;
    m->x1 = x > m->x1 ? x : m->x1;
    m->y0 = y < m->y0 ? y : m->y0;
    m->y1 = y > m->y1 ? y : m->y1;
    m->sure |= p->sure;
    if (p->born && (!m->born || p->born < m->born))
        m->born = p->born;
}

/* All active blocks that hang together with this one. */
static struct mover gather(struct smart_blocks *b, int first, uint32_t sent)
{
    struct mover m = {.x0 = b->across, .y0 = b->down};
    take_block(b, &m, first % b->across, first / b->across, sent);
    for (int k = 0; k < m.n; k++) {
        int x = b->todo[k] % b->across, y = b->todo[k] / b->across;
        for (int ny = y > 0 ? y - 1 : 0; ny <= y + 1 && ny < b->down; ny++)
            for (int nx = x > 0 ? x - 1 : 0; nx <= x + 1 && nx < b->across; nx++)
                take_block(b, &m, nx, ny, sent);
    }
    return m;
}

/* Each block once. */
static void show_box(struct smart_blocks *b, const struct mover *m, uint32_t look)
{
    for (int y = m->y0; y <= m->y1; y++)
        for (int x = m->x0; x <= m->x1; x++) {
            int i = y * b->across + x;
            if (!b->place[i].shown) {
                b->kind[i] = BLOCK_NEW;
                b->offset[i] = 0;
                b->fresh++;
            }
            b->place[i].shown = true;
            b->place[i].known = look;
        }
}

/* Who looks at what begins to move looks at what is around it, too, which was good enough while
 * nothing happened: the whole box of a new mover is coded well, once. */
static void show_new(struct smart_blocks *b, uint32_t look, uint32_t sent)
{
    int n = b->across * b->down;
    for (int i = 0; i < n; i++) {
        struct smart_place *p = &b->place[i];
        p->taken = false;
        if (look - p->known > FORGET_LOOKS) {
            p->born = 0;
            p->shown = false;
        }
    }
    for (int i = 0; i < n; i++) {
        if (b->place[i].taken || b->place[i].last <= sent)
            continue;
        struct mover m = gather(b, i, sent);
        uint32_t born = m.born ? m.born : m.sure ? look : 0;
        for (int k = 0; k < m.n; k++) {
            b->place[b->todo[k]].born = born;
            b->place[b->todo[k]].known = look;
        }
        if (born && look - born < NEW_LOOKS && (m.x1 - m.x0 + 1) * (m.y1 - m.y0 + 1) * NEW_MOST < n)
            show_box(b, &m, look);
    }
}

bool smart_blocks_set(struct smart_blocks *b, const struct rendition_key *key,
                      const struct frame_part *part, const struct activity *a, uint32_t sent)
{
    b->still = b->fresh = 0;
    if (!a || !b->strength || !sent || a->last_whole + CODED_LOOKS > sent)
        return false;
    if (follow_part(b, key, part, a) < 0 || (b->part_look && b->part_look + CODED_LOOKS > sent))
        return false;
    b->noise = a->noise;
    b->lively = lively_offset(a->noise);
    uint32_t since = sent > CODED_LOOKS ? sent - CODED_LOOKS : 0;
    for (int i = 0; i < b->across * b->down; i++) {
        struct smart_place *p = &b->place[i];
        uint32_t last = 0, self = 0;
        uint8_t detail = 0, restless = 0;
        for (int y = p->y0; y <= p->y1; y++)
            for (int x = p->x0; x <= p->x1; x++) {
                size_t at = (size_t)(y * a->across + x);
                last = a->last[at] > last ? a->last[at] : last;
                self = a->self[at] > self ? a->self[at] : self;
                detail = a->detail[at] > detail ? a->detail[at] : detail;
                restless |= a->restless[at];
            }
        bool still = last <= since;
        /* What lies around something and what it just left hardly changes. */
        b->kind[i] = still ? BLOCK_STILL : self > sent ? BLOCK_LIVELY : BLOCK_BESIDE;
        int offset = offset_of(b->strength, detail, still && restless);
        bool alike = self > sent || b->lively >= NOISY;
        b->offset[i] = (int8_t)(still ? offset : alike ? 0 : lrint(BESIDE * offset));
        b->still += still;
        p->last = last;
        p->sure = last > sent && self <= sent;
    }
    show_new(b, a->look, sent);
    return true;
}
