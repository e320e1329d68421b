/* The virtual world: a baked place, who is in it, the light and the weather upon it, and
 * the truth about all of that.
 *
 * Everything is a pure function of (place, seed, scenario, what the stage was told, world
 * time); world time is the clock's time since start, so that a run repeats exactly.
 *
 * World axes in metres: x east, y north, z up; pan 0 looks north (+y), pan 90 east.
 * render() and rest() belong to one thread; all else may be asked from any. */
#ifndef DEVICE_VIRTUAL_WORLD_H
#define DEVICE_VIRTUAL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/pose.h"

struct cast;
struct light;
struct light_source;
struct mess;
struct models;
struct radiance;
struct set;
struct stage;
struct tiles;
struct world;

struct world_parts { /* borrowed; must outlive it */
    const struct tiles *tiles;
    const struct models *models; /* NULL: nobody is to be seen */
    struct stage *stage;         /* NULL: a fine day at noon */
    struct cast *cast;           /* NULL: nobody comes */
    struct light_source *lamp;   /* the camera's own; NULL: it has none */
};
struct world *world_new(const struct world_parts *p, uint64_t seed); /* NULL: out of memory */
struct world *world_free(struct world *w);
void world_rest(struct world *w); /* nobody watches: gives back what pictures need */

/* Renders what falls through the lens while it moves from pose_start to pose_end
 * during [start_ns, end_ns] (world time): motion blur included. */
int world_render(struct world *w, const struct pose *pose_start, const struct pose *pose_end,
                 int64_t start_ns, int64_t end_ns, struct radiance *into);

/* The same for a picture that is made in bands, each while it is in the processor's cache: first
 * the place alone is rendered into `into`. 1: go on with world_people(); 0: such a picture cannot
 * be (the head moves, a decal is to be painted), and nothing was done. Or
 * -ENOMEM. */
int world_place_only(struct world *w, const struct pose *pose_start, const struct pose *pose_end,
                     int64_t start_ns, int64_t end_ns, struct radiance *into);
/* Then who is there and what falls is found, and laid over `small` (raster/raster.h). False: it was
 * too much for bands; then `into` is as world_render() leaves it. */
struct raster_small;
bool world_people(struct world *w, struct radiance *into, const struct raster_small *small);
/* After that, instead of what follows: the whole picture after all, as world_render() leaves it. */
void world_whole(struct world *w, struct radiance *into);
/* Then, for each band: which of its cells (RADIANCE_CELL rows from y on) are drawn over; and, where
 * those of `into` have been copied there, they are. */
void world_mark(const struct world *w, int y, uint8_t *cells);
void world_lay(struct world *w, struct radiance *band);

/* From now on world_render() tells how far away is what it shows: `metres` takes one number for
 * each WORLD_STEP × WORLD_STEP pixels, (width + WORLD_STEP - 1) / WORLD_STEP to a row; INFINITY:
 * sky. Borrowed. NULL: no longer. The thread that renders. */
#define WORLD_STEP 4
void world_watch(struct world *w, float *metres);
/* Light and weather at that time, the camera's own lamp and filter included, and what has been
 * done to the lens. Where the place has a roof nothing falls, whatever the stage says. */
void world_set(struct world *w, int64_t time_ns, struct set *ret_set, struct mess *ret_mess);
/* Whether the lamp of the stage's clap burns while a picture is taken. */
bool world_clap(struct world *w, int64_t start_ns, int64_t end_ns);
/* From now on the sensor sees infrared (true), or its filter is in, as at first. The thread that
 * renders. */
void world_bare(struct world *w, bool bare);
void world_light(struct world *w, int64_t time_ns, struct light *ret);
/* Mean radiance (in units of the white card) of what this pose sees then, coarsely and
 * without the actors: a pure function, for exposure control. */
double world_meter(struct world *w, const struct pose *pose, double aspect, int64_t time_ns);
/* How much of its mean light an exposure gets because lamps flicker: in the middles of a grid over
 * the picture, row by row, 1 where no lamp shines. False, and nothing is written: they do not, or
 * not for so long an exposure. A pure function. */
bool world_flicker(struct world *w, const struct pose *pose, double aspect, int64_t start_ns,
                   int64_t end_ns, int across, int down, float *ret);
/* For tests: the plain C twin of the inner loops, or the fastest of this machine. */
void world_use_plain_kernels(struct world *w, bool plain);
/* For tests: leaves somebody (by id) out of pictures, but for his shadow and the light of
 * his lamps; NULL: nobody. */
void world_hide(struct world *w, const char *id);

/* For tests: paints a polygon over what is there; n 0: none. Any thread; from the next picture. */
struct decal;
void world_decal(struct world *w, const struct decal *p);
/* How far the mount has been shaken between these times at most, degrees: what a gyroscope in the
 * housing would tell. That somebody turned it is not in it. */
double world_shake(struct world *w, int64_t start_ns, int64_t end_ns);

struct truth_object {
    char id[32];            /* "person-1" */
    const char *class_name; /* "person", "car", "dog" … (cast.h) */
    double box[4];          /* x, y, w, h in the frame, 0…1, clipped to it */
    double world[3];        /* metres */
    double visible;         /* share of its projected area that is in the frame and not hidden */
};
/* Objects at least partly in the frame, as a picture shows them that is taken around that time
 * for so long (0: an instant). Returns how many (≤ most). */
size_t world_truth(struct world *w, const struct pose *pose, double aspect, int64_t time_ns,
                   int64_t exposure_ns, struct truth_object *ret, size_t most);

/* The last few thousand pictures taken, for truth by serial or time. Any thread. */
struct truth_shot {
    uint64_t serial;
    int64_t start_ns, utc_ns, exposure_ns;
    struct pose pose;   /* at the start of the exposure, as in the picture's stamp */
    struct pose middle; /* half-way through it: where a smeared picture has its weight */
};
void world_remember(struct world *w, const struct truth_shot *s);
bool world_shot_by_serial(struct world *w, uint64_t serial, struct truth_shot *ret);
bool world_shot_by_utc(struct world *w, int64_t utc_ns, struct truth_shot *ret); /* nearest */
bool world_shot_newest(struct world *w, struct truth_shot *ret);
const char *world_place(const struct world *w);

#endif
