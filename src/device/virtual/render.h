/* The renderer: a place and actors become radiance. Used by one thread. */
#ifndef DEVICE_VIRTUAL_RENDER_H
#define DEVICE_VIRTUAL_RENDER_H

#include "device/virtual/actors.h"
#include "device/virtual/kernels.h"
#include "device/virtual/place.h"
#include "device/virtual/view.h"
#include "device/virtual/world.h"

struct canvas; /* row buffers and lists, kept between pictures */

struct canvas *canvas_new(const struct place *place);
struct canvas *canvas_free(struct canvas *c);
void canvas_use(struct canvas *c, const struct kernels *k);
const struct kernels *canvas_kernels(const struct canvas *c);

/* The place alone, every pixel. 0 or -ENOMEM. Leaves the list of what is in view. */
int canvas_paint(struct canvas *c, const struct view *v, struct radiance *into);
/* Actors over it (the list must be of the same view). With `keep`, what they cover is put
 * aside for canvas_restore(); false when that was too much. */
bool canvas_actors(struct canvas *c, const struct view *v, const struct actor *actors, int n,
                   struct radiance *into, bool keep);
void canvas_restore(struct canvas *c, struct radiance *into);
/* The longest way that a place of the picture takes between both poses, in pixels of a
 * picture of that size. */
double canvas_smear(const struct pose *start, const struct pose *end, int width, int height);
/* Smears the picture along the way that each place of it took between both poses. */
int canvas_blur(struct canvas *c, const struct pose *start, const struct pose *end,
                struct radiance *into);
/* A picture of half the size (even width and height of `into`) to paint first, and its
 * enlargement. NULL: out of memory. */
struct radiance *canvas_half(struct canvas *c, const struct radiance *into);
void canvas_widen(struct canvas *c, struct radiance *into);

#endif
