/* Who stands is not drawn again: the rows that were laid for somebody are kept as long as nothing
 * that they come from changes, and laid again. */
#include "device/virtual/raster/inside.h"

#include <stdlib.h>
#include <string.h>

#define MOST (1u << 20) /* samples of all that are kept */

struct still_row {
    uint16_t x, n, y, kind;
};
struct still_point {
    size_t at;
    float metres;
};
struct still {
    struct still_key key;
    bool used, failed; /* in this picture; there was no room for all of it */
    struct still_row *row;
    uint16_t *data;
    struct still_point *point; /* where distances are told */
    size_t n_rows, rows_room, n_data, data_room, n_points, points_room;
};

static void drop(struct still *s)
{
    free(s->row);
    free(s->data);
    free(s->point);
}

void still_begin(struct raster *r, bool same)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_stills; i++) {
        struct still *s = &r->still[i];
        if (same && s->used && !s->failed) {
            s->used = false;
            r->still[n++] = *s;
        } else {
            drop(s);
        }
    }
    r->n_stills = n;
    r->recorded = NULL;
    r->still_samples = 0;
    for (size_t i = 0; i < n; i++)
        r->still_samples += r->still[i].n_data;
}

void still_rest(struct raster *r)
{
    still_begin(r, false);
    free(r->still);
    r->still = NULL;
}

bool still_again(struct raster *r, const struct still_key *k)
{
    struct still *s = r->still, *end = s + r->n_stills;
    while (s < end && memcmp(&s->key, k, sizeof(*k)) != 0)
        s++;
    if (s == end || s->failed)
        return false;
    s->used = true;
    const uint16_t *from = s->data;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct still_row *row = &s->row[i];
        size_t n = lay_samples((enum lay_kind)row->kind, row->n);
        uint16_t *to = lay_row(r, (enum lay_kind)row->kind, row->x, row->x + row->n);
        if (to) {
            memcpy(to, from, n * sizeof(*to));
            lay_put(r, row->y);
        }
        from += n;
    }
    for (size_t i = 0; i < s->n_points; i++)
        r->watch.metres[s->point[i].at] = s->point[i].metres;
    return true;
}

void still_record(struct raster *r, const struct still_key *k)
{
    if (!r->still)
        r->still = calloc(CAST_MOST, sizeof(*r->still));
    if (!r->still || r->n_stills == CAST_MOST)
        return;
    r->recorded = &r->still[r->n_stills++];
    *r->recorded = (struct still){.used = true};
    memcpy(&r->recorded->key, k, sizeof(*k));
}

void still_end(struct raster *r)
{
    r->recorded = NULL;
}

/* Room for one more of so many bytes. */
static bool more(void *list, size_t *room, size_t wanted, size_t size)
{
    if (wanted <= *room)
        return true;
    size_t n = wanted + wanted / 2 + 16;
    void *p = realloc(*(void **)list, n * size);
    if (!p)
        return false;
    *(void **)list = p;
    *room = n;
    return true;
}

void still_row(struct raster *r, const struct lay_row *row, int y)
{
    struct still *s = r->recorded;
    size_t n = lay_samples((enum lay_kind)row->kind, row->n);
    if (!s || s->failed)
        return;
    r->still_samples += n;
    if (r->still_samples > MOST || !more(&s->row, &s->rows_room, s->n_rows + 1, sizeof(*s->row)) ||
        !more(&s->data, &s->data_room, s->n_data + n, sizeof(*s->data))) {
        s->failed = true;
        return;
    }
    s->row[s->n_rows++] = (struct still_row){row->x, row->n, (uint16_t)y, (uint16_t)row->kind};
    memcpy(s->data + s->n_data, r->lay.data + row->at, n * sizeof(*s->data));
    s->n_data += n;
}

void still_point(struct raster *r, size_t at, float metres)
{
    struct still *s = r->recorded;
    if (!s || s->failed)
        return;
    if (more(&s->point, &s->points_room, s->n_points + 1, sizeof(*s->point)))
        s->point[s->n_points++] = (struct still_point){at, metres};
    else
        s->failed = true;
}

void still_fail(struct raster *r)
{
    if (r->recorded)
        r->recorded->failed = true;
}
