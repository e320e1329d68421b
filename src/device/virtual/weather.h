/* What falls: rain and snow in front of the lens, as streaks and flakes that are a pure
 * function of (seed, time, view), lit by the light. Fog is mixed into the backdrop, wind
 * into its trees. One thread. */
#ifndef DEVICE_VIRTUAL_WEATHER_H
#define DEVICE_VIRTUAL_WEATHER_H

#include "device/virtual/backdrop.h"

struct weather;

struct weather *weather_new(uint64_t seed);
struct weather *weather_free(struct weather *w);
/* Draws over the whole picture, for an exposure of that length. Returns whether any pixel
 * changed. What it covers can be undone by weather_restore() (the backdrop is kept). */
bool weather_paint(struct weather *w, const struct view *v, const struct light *l,
                   const struct set *s, int64_t time_ns, int64_t exposure_ns,
                   struct radiance *into, bool keep);
void weather_restore(struct weather *w, struct radiance *into);
/* How far the wind pushes something light at this place and time: −1…1, gusts included. */
double weather_gust(const struct set *s, uint64_t seed, int64_t time_ns, double x, double y);

#endif
