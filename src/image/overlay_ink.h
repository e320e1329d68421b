/* A surface to paint on, and fonts: what overlay_draw.c and compass_draw.c share; nobody else
 * includes this. */
#ifndef IMAGE_OVERLAY_INK_H
#define IMAGE_OVERLAY_INK_H

#include <cairo.h>
#include <pango/pangocairo.h>

#include "image/overlay_draw.h"

struct ink {
    cairo_surface_t *surface;
    cairo_t *cr;
    int width, height; /* even, 2 and more */
};
struct ink ink_new(int width, int height); /* empty; errors show in ink_take() */
void ink_source(struct ink *k, struct rgba c, double opacity);
struct sprite *ink_take(struct ink *k, const struct sprite_colours *colours); /* ends it */

/* The fonts are locked from here to painter_layout_done(). */
PangoLayout *painter_layout(struct overlay_painter *p, const char *text, double size_px, bool bold);
void painter_layout_done(struct overlay_painter *p, PangoLayout *l);

#endif
