#include "api/hls/segments.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define PART_S 0.3          /* wanted: more parts are more requests, fewer more delay */
#define LEAST_S 1.0         /* a segment lasts so long at least */
#define LISTED_TARGETS 7    /* target durations that the playlist shows: deltas begin behind six */
#define BETWEEN_NUMBERS 0.1 /* of a picture: what rounding may do */

/* ---- bytes ---- */

static struct blob *blob_alloc(size_t len)
{
    struct blob *b = malloc(sizeof(*b) + len);
    if (b)
        *b = (struct blob){.refs = 1, .len = len};
    return b;
}

struct blob *blob_new(const void *bytes, size_t len)
{
    struct blob *b = blob_alloc(len);
    if (b && len)
        memcpy(b->bytes, bytes, len);
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    b->refs++;
    return b;
}

struct blob *blob_unref(struct blob *b)
{
    if (b && !--b->refs)
        free(b);
    return NULL;
}

/* ---- plan ---- */

void segment_plan(struct segment_plan *ret, double fps, int gop)
{
    if (!(fps > 0))
        fps = 30;
    if (gop < 1)
        gop = 1;
    double frame_s = 1 / fps;
    int pictures = (int)floor(PART_S * fps + BETWEEN_NUMBERS);
    int gops = (int)ceil(LEAST_S * fps / gop - BETWEEN_NUMBERS);
    *ret = (struct segment_plan){
        .frame_ns = (int64_t)(frame_s * (double)NSEC_PER_SEC),
        .part_pictures = pictures > 0 ? pictures : 1,
        .segment_pictures = gop * (gops > 0 ? gops : 1),
        .least_ns = (int64_t)((LEAST_S - BETWEEN_NUMBERS * frame_s) * (double)NSEC_PER_SEC),
    };
    /* a little more than it will be: cameras are not exactly as fast as they say */
    ret->part_ns = ret->part_pictures * ret->frame_ns * 51 / 50;
    /* keys on demand come between the others: then a segment may last up to so long */
    double longest_s = LEAST_S + gop * frame_s;
    ret->segment_ns = (int64_t)ceil(longest_s - BETWEEN_NUMBERS) * NSEC_PER_SEC;
}

/* ---- segments ---- */

static struct segment *segment_free(struct segment *g)
{
    if (!g)
        return NULL;
    for (int i = 0; i < g->n_parts; i++)
        blob_unref(g->part[i].bytes);
    blob_unref(g->whole);
    free(g);
    return NULL;
}

static size_t segment_bytes(const struct segment *g)
{
    size_t n = g->whole ? g->whole->len : 0;
    for (int i = 0; i < g->n_parts; i++)
        n += g->part[i].bytes->len;
    return n;
}

void segments_init(struct segments *s, const struct segment_plan *plan, size_t max_bytes)
{
    *s = (struct segments){.plan = *plan, .max_bytes = max_bytes};
}

void segments_done(struct segments *s)
{
    for (int i = 0; i < SEGMENTS_MAX; i++)
        s->at[i] = segment_free(s->at[i]);
    free(s->growing);
    s->growing = NULL;
}

struct segment *segments_find(const struct segments *s, uint64_t number)
{
    return number >= s->first && number < s->next ? s->at[number % SEGMENTS_MAX] : NULL;
}

struct segment *segments_newest(const struct segments *s)
{
    return s->next > s->first ? s->at[(s->next - 1) % SEGMENTS_MAX] : NULL;
}

uint64_t segments_first_listed(const struct segments *s)
{
    int64_t behind_ns = 0;
    uint64_t n = s->next;
    while (n > s->first && behind_ns < LISTED_TARGETS * s->plan.segment_ns)
        behind_ns += segments_find(s, --n)->duration_ns;
    return n;
}

static void drop_first(struct segments *s)
{
    struct segment **at = &s->at[s->first % SEGMENTS_MAX];
    *at = segment_free(*at);
    s->first++;
}

void segments_forget(struct segments *s)
{
    uint64_t next;
    int part;
    segments_next(s, &next, &part); /* that was told of beforehand, too */
    while (s->first < s->next)
        drop_first(s);
    s->first = s->next = next + 1;
    s->bytes = 0;
    s->growing_len = 0;
    s->growing_pictures = 0;
}

/* What players can have no use for any more. */
static void forget_old(struct segments *s)
{
    size_t bytes = 0;
    int64_t behind_ns = 0;
    uint64_t keep = s->next;
    while (keep > s->first) {
        const struct segment *g = segments_find(s, keep - 1);
        bytes += segment_bytes(g);
        if (s->next - keep >= 4 &&
            (bytes > s->max_bytes || behind_ns > 2 * LISTED_TARGETS * s->plan.segment_ns))
            break;
        behind_ns += g->duration_ns;
        keep--;
    }
    while (s->first < keep)
        drop_first(s);
    s->bytes = bytes;
}

static int begin_segment(struct segments *s, int64_t time_ns, int64_t utc_ns)
{
    struct segment *g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    if (s->next - s->first == SEGMENTS_MAX)
        drop_first(s);
    g->number = s->next;
    g->start_ns = time_ns;
    g->utc_ns = utc_ns;
    s->at[s->next++ % SEGMENTS_MAX] = g;
    forget_old(s);
    return 0;
}

/* The part that has grown is told from now on. */
static int end_part(struct segments *s, struct segment *g)
{
    if (!s->growing_pictures)
        return 0;
    struct blob *b = g->n_parts < SEGMENT_PARTS_MAX ? blob_new(s->growing, s->growing_len) : NULL;
    int64_t duration_ns = s->last_ns - s->growing_start_ns + s->plan.frame_ns;
    if (b)
        g->part[g->n_parts++] = (struct part){
            .bytes = b, .duration_ns = duration_ns, .independent = s->growing_independent};
    g->duration_ns = s->last_ns - g->start_ns + s->plan.frame_ns;
    s->growing_len = 0;
    s->growing_pictures = 0;
    return b ? 1 : -ENOMEM;
}

static void end_segment(struct segments *s, struct segment *g, int64_t end_ns)
{
    end_part(s, g);
    g->duration_ns = end_ns - g->start_ns;
    g->complete = true;
}

static int grow(struct segments *s, const void *piece, size_t len)
{
    if (s->growing_len + len > s->growing_cap) {
        size_t cap = (s->growing_len + len) * 2;
        char *more = realloc(s->growing, cap);
        if (!more)
            return -ENOMEM;
        s->growing = more;
        s->growing_cap = cap;
    }
    memcpy(s->growing + s->growing_len, piece, len);
    s->growing_len += len;
    return 0;
}

int segments_add(struct segments *s, const void *piece, size_t len, int64_t time_ns, int64_t utc_ns,
                 bool key)
{
    struct segment *g = segments_newest(s);
    const struct segment_plan *plan = &s->plan;
    bool told = false;
    if (!g && !key)
        return 0;
    if (g &&
        ((key && time_ns - g->start_ns >= plan->least_ns) || g->n_parts == SEGMENT_PARTS_MAX)) {
        end_segment(s, g, time_ns);
        told = true;
        g = NULL;
    } else if (s->growing_pictures &&
               time_ns - s->growing_start_ns + plan->frame_ns > plan->part_ns) {
        /* pictures were left out: with this one the part would be too long */
        told = end_part(s, g) > 0;
    }
    if (!g) {
        if (begin_segment(s, time_ns, utc_ns) < 0)
            return -ENOMEM;
        g = segments_newest(s);
    }
    if (!s->growing_pictures) {
        s->growing_start_ns = time_ns;
        s->growing_independent = key;
    }
    if (grow(s, piece, len) < 0)
        return -ENOMEM;
    s->last_ns = time_ns;
    s->growing_pictures++;
    g->pictures++;
    if (s->growing_pictures == plan->part_pictures || g->pictures == plan->segment_pictures)
        told = end_part(s, g) > 0 || told;
    return told;
}

int segments_add_sound(struct segments *s, const void *piece, size_t len)
{
    return segments_newest(s) ? grow(s, piece, len) : 0; /* it begins with a picture */
}

bool segments_want_key(const struct segments *s)
{
    const struct segment *g = segments_newest(s);
    return g && s->last_ns - g->start_ns > s->plan.segment_ns - NSEC_PER_SEC / 2;
}

bool segments_have(const struct segments *s, uint64_t number, int part)
{
    const struct segment *g = segments_find(s, number);
    if (!g)
        return number < s->first;
    if (part < 0 || g->complete)
        return g->complete && (part < g->n_parts || segments_have(s, number + 1, 0));
    return part < g->n_parts;
}

bool segments_any(const struct segments *s)
{
    const struct segment *g = segments_newest(s);
    return g && (g->n_parts || s->next - s->first > 1);
}

void segments_next(const struct segments *s, uint64_t *ret_number, int *ret_part)
{
    const struct segment *g = segments_newest(s);
    bool fresh = !g || g->complete || g->pictures >= s->plan.segment_pictures;
    *ret_number = fresh ? s->next : g->number;
    *ret_part = fresh ? 0 : g->n_parts;
}

struct blob *segment_whole(struct segment *g)
{
    if (!g->complete)
        return NULL;
    if (!g->whole) {
        size_t len = 0;
        for (int i = 0; i < g->n_parts; i++)
            len += g->part[i].bytes->len;
        struct blob *b = blob_alloc(len);
        if (!b)
            return NULL;
        uint8_t *at = b->bytes;
        for (int i = 0; i < g->n_parts; i++) {
            memcpy(at, g->part[i].bytes->bytes, g->part[i].bytes->len);
            at += g->part[i].bytes->len;
        }
        g->whole = b;
    }
    return blob_ref(g->whole);
}
