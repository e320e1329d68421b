/* Inside of the weather: weather.c, find.c, bands.c, sight.c. */
#ifndef DEVICE_VIRTUAL_WEATHER_INSIDE_H
#define DEVICE_VIRTUAL_WEATHER_INSIDE_H

#include "device/virtual/kernels.h"
#include "device/virtual/weather/weather.h"

#define MOST_CAPSULES 8000

/* How far one sees in squares of a picture, as far as it has been asked (0: not yet). */
struct sight {
    float *metres; /* NULL: nothing is known */
    size_t room;
    struct view view;
    int step, across, down;
};

/* How far one sees in the middle of the square of a pixel, and which way that is (any length);
 * outside of the picture: at its border. */
double sight_find(struct sight *s, const struct weather_place *p, const struct view *v, double x,
                  double y, struct vec *ret_ray);
void sight_rest(struct sight *s); /* gives its memory back, and forgets */

struct weather {
    uint64_t seed;
    const struct kernels *kernels;
    struct weather_place place;
    struct weather_lamp lamp[WEATHER_LAMPS];
    size_t n_lamps;
    struct sight sight;
    struct capsule *list; /* MOST_CAPSULES, or NULL at rest */
    struct capsule_aside *aside;
    size_t aside_room, n_aside;
    /* Of the list, those of each band: sorted[first[k]] … before sorted[first[k + 1]]. */
    uint16_t *sorted;
    uint32_t *first;
    size_t sorted_room, bands_room, n_bands, n_list, n_blocks;
    int width; /* of the picture that they are of */
};

/* Wind that carries what falls: velocity, and how far it has carried since time 0. */
void weather_carry(const struct set *s, uint64_t seed, int64_t time_ns, struct vec *ret_speed,
                   struct vec *ret_way);
/* What is to be drawn, into w->list. Returns how many; ret_blocks (then): no fewer blocks of
 * pixels. */
size_t weather_find(struct weather *w, const struct view *v, const struct light *l,
                    const struct set *s, int64_t time_ns, int64_t exposure_ns, size_t *ret_blocks);
/* Draws n of w->list, which have no more blocks than that. Returns whether any pixel changed. */
bool weather_lay_list(struct weather *w, size_t n, size_t blocks, struct radiance *into, bool keep);

#endif
