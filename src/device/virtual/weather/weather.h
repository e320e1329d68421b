/* What falls: rain and snow in front of the lens, as streaks and flakes that are a pure
 * function of (seed, time, view), lit by the light. Fog is mixed into the backdrop, wind
 * into its trees.
 *
 * Drops and flakes live in lattices of the world that fall and drift as a whole: a camera
 * that pans or zooms sees the same ones. One thread; weather_gust() any. */
#ifndef DEVICE_VIRTUAL_WEATHER_WEATHER_H
#define DEVICE_VIRTUAL_WEATHER_WEATHER_H

#include "device/virtual/place/backdrop.h"

struct kernels;
struct weather;

/* A lamp that lights drops and flakes near it. */
struct weather_lamp {
    struct vec at;   /* world metres */
    float colour[3]; /* radiance of a white card that faces it at 1 m, fully on */
    bool always;     /* not dimmed with light.lamps: headlights */
};
#define WEATHER_LAMPS 64

/* What weather must know of the place. All may be left out. */
struct weather_place {
    struct vec eye; /* of the camera; z = height above the ground */
    /* How far one sees in that direction; for what is hidden, and for splashes. */
    double (*distance)(const void *of, struct vec direction);
    const void *of;
    const struct weather_lamp *lamps; /* copied by weather_place(), WEATHER_LAMPS at most */
    size_t n_lamps;
};

struct weather *weather_new(uint64_t seed); /* NULL: out of memory */
struct weather *weather_free(struct weather *w);
/* Without: an eye at (0, 0, 6), nothing in the way, no lamps but the camera's own IR. */
void weather_place(struct weather *w, const struct weather_place *p);
/* Nobody watches: gives memory back. */
void weather_rest(struct weather *w);
/* For tests. */
void weather_use(struct weather *w, const struct kernels *k);

/* Draws over the whole picture, for an exposure of that length. Returns whether any pixel
 * changed. With `keep`, what it covers can be undone by weather_restore(), exactly; the
 * picture is the same with and without. Pictures less than 16 pixels wide stay dry. */
bool weather_paint(struct weather *w, const struct view *v, const struct light *l,
                   const struct set *s, int64_t time_ns, int64_t exposure_ns, struct radiance *into,
                   bool keep);
void weather_restore(struct weather *w, struct radiance *into);
/* The same for a picture of v->width × v->height that is made in bands. */
void weather_prepare(struct weather *w, const struct view *v, const struct light *l,
                     const struct set *s, int64_t time_ns, int64_t exposure_ns);
/* What has been prepared over the whole of it after all, as by weather_paint(). */
void weather_whole(struct weather *w, struct radiance *into, bool keep);
/* Of one that has been prepared: marks the cells of the rows of a cell's height from y on that
 * weather_lay() writes in; draws over a band (band->top, …) of them. */
void weather_mark(const struct weather *w, int y, uint8_t *cells);
void weather_lay(const struct weather *w, struct radiance *band);
/* How far the wind pushes something light at this place and time: −1…1, gusts included. */
double weather_gust(const struct set *s, uint64_t seed, int64_t time_ns, double x, double y);

#endif
