/* How far one sees, kept while the view stands: what falls asks at the same places again and
 * again, and to know it sharply takes as long as all else about a drop. */
#include <stdlib.h>
#include <string.h>

#include "device/virtual/weather/inside.h"

#define ACROSS 240 /* squares of a picture: of 8 pixels in 1080p, so that drops hardly tell */

/* False: there is no room. */
static bool begin(struct sight *s, const struct view *v)
{
    int step = v->width / ACROSS > 1 ? v->width / ACROSS : 1;
    int across = (v->width + step - 1) / step, down = (v->height + step - 1) / step;
    size_t n = (size_t)across * (size_t)down;
    if (n > s->room) {
        free(s->metres);
        s->metres = malloc(n * sizeof(*s->metres));
        s->room = s->metres ? n : 0;
    }
    s->view = *v;
    s->step = step;
    s->across = across;
    s->down = down;
    if (s->metres)
        memset(s->metres, 0, n * sizeof(*s->metres));
    return s->metres != NULL;
}

double sight_find(struct sight *s, const struct weather_place *p, const struct view *v, double x,
                  double y, struct vec *ret_ray)
{
    if ((!s->metres || !view_same(v, &s->view)) && !begin(s, v)) {
        *ret_ray = view_ray(v, x, y);
        return p->distance(p->of, *ret_ray);
    }
    int i = (int)fmin(fmax(x / s->step, 0), s->across - 1);
    int j = (int)fmin(fmax(y / s->step, 0), s->down - 1);
    float *at = &s->metres[(size_t)j * (size_t)s->across + (size_t)i];
    *ret_ray = view_ray(v, (i + 0.5) * s->step, (j + 0.5) * s->step);
    if (!(*at > 0))
        *at = (float)p->distance(p->of, *ret_ray);
    return (double)*at;
}

void sight_rest(struct sight *s)
{
    free(s->metres);
    *s = (struct sight){0};
}
