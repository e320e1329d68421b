/* Rain and snow over a picture that is made in bands: each has a list of its own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/weather/inside.h"

#define UNSURE_PX 0.02f /* of where a strip is, as it is rounded */

_Static_assert(MOST_CAPSULES <= UINT16_MAX, "numbers of capsules are short");

/* Which of the list each band has: sorted by bands, in the list's order within one. */
void weather_prepare(struct weather *w, const struct view *v, const struct light *l,
                     const struct set *s, int64_t time_ns, int64_t exposure_ns)
{
    size_t n = weather_find(w, v, l, s, time_ns, exposure_ns, &w->n_blocks);
    size_t bands = ((size_t)v->height + RADIANCE_CELL - 1) / RADIANCE_CELL, all = 0;
    w->n_aside = 0;
    w->n_bands = 0;
    w->n_list = n;
    w->width = v->width;
    for (size_t i = 0; i < n; i++)
        all += (size_t)((w->list[i].y1 - 1) / RADIANCE_CELL - w->list[i].y0 / RADIANCE_CELL + 1);
    if (all + 1 > w->sorted_room || bands > w->bands_room) {
        free(w->sorted);
        free(w->first);
        w->sorted_room = all + all / 4 + 1;
        w->bands_room = bands;
        w->sorted = malloc(w->sorted_room * sizeof(*w->sorted));
        w->first = malloc((bands + 1) * sizeof(*w->first));
    }
    if (!w->sorted || !w->first) {
        w->sorted_room = w->bands_room = 0;
        return; /* dry, but whole */
    }
    memset(w->first, 0, (bands + 1) * sizeof(*w->first));
    for (size_t i = 0; i < n; i++)
        for (int k = w->list[i].y0 / RADIANCE_CELL; k <= (w->list[i].y1 - 1) / RADIANCE_CELL; k++)
            w->first[k + 1]++;
    for (size_t k = 0; k < bands; k++)
        w->first[k + 1] += w->first[k];
    for (size_t i = n; i-- > 0;) /* from behind: each band is filled from its end */
        for (int k = w->list[i].y0 / RADIANCE_CELL; k <= (w->list[i].y1 - 1) / RADIANCE_CELL; k++)
            w->sorted[--w->first[k + 1]] = (uint16_t)i;
    /* Where each band began is now where the one after it was told to; shift that back. */
    memmove(w->first, w->first + 1, bands * sizeof(*w->first));
    w->first[bands] = (uint32_t)all;
    w->n_bands = bands;
}

void weather_whole(struct weather *w, struct radiance *into, bool keep)
{
    weather_lay_list(w, w->n_list, w->n_blocks, into, keep);
}

void weather_mark(const struct weather *w, int y, uint8_t *cells)
{
    size_t band = (size_t)(y / RADIANCE_CELL);
    for (size_t i = band < w->n_bands ? w->first[band] : 0;
         band < w->n_bands && i < w->first[band + 1]; i++) {
        const struct capsule *c = &w->list[w->sorted[i]];
        float x0 = fmaxf(c->x0 - UNSURE_PX, 0), x1 = c->x1 + UNSURE_PX;
        if (c->uy > 0.01f) { /* its strip on the first and the last row that it has of the band */
            int top = y > c->y0 ? y : c->y0;
            int end = y + RADIANCE_CELL < c->y1 ? y + RADIANCE_CELL : c->y1;
            float a = c->x + ((float)top - c->y) * c->lean;
            float b = c->x + ((float)(end - 1) - c->y) * c->lean;
            x0 = fmaxf(x0, fminf(a, b) - c->half - UNSURE_PX);
            x1 = fminf(x1, fmaxf(a, b) + c->half + UNSURE_PX);
        }
        int first = (int)ceilf(x0), last = (int)x1; /* columns */
        last = last < w->width - 1 ? last : w->width - 1;
        if (last < first)
            continue;
        first /= RADIANCE_CELL;
        last /= RADIANCE_CELL;
        memset(cells + first, 1, (size_t)(last - first + 1));
    }
}

void weather_lay(const struct weather *w, struct radiance *band)
{
    size_t k = (size_t)(band->top / RADIANCE_CELL);
    int end = band->top + band->height;
    for (size_t i = k < w->n_bands ? w->first[k] : 0; k < w->n_bands && i < w->first[k + 1]; i++) {
        struct capsule part = w->list[w->sorted[i]];
        part.y0 = part.y0 > band->top ? part.y0 : band->top;
        part.y1 = part.y1 < end ? part.y1 : end;
        w->kernels->capsules(&part, 1, band, NULL);
    }
}
