/* Paints what overlays consist of into sprites: text in all scripts, pictures, the shapes of
 * indicator and compass. Slow (tens of microseconds and more): only for what has changed.
 *
 * One set of fonts serves all threads, under a lock; a font is found for the first time when the
 * painter is made. Any thread. */
#ifndef IMAGE_OVERLAY_DRAW_H
#define IMAGE_OVERLAY_DRAW_H

#include <stdbool.h>

#include "image/overlay_settings.h"
#include "image/overlay_sprite.h"

struct overlay_painter;
struct overlay_painter *overlay_painter_new(void);
struct overlay_painter *overlay_painter_free(struct overlay_painter *p);

/* Of pictures that the sprite is for. */
struct sprite_colours {
    enum colour_matrix matrix;
    enum colour_range range;
};

struct text_look {
    double size_px;  /* of the font */
    int width_most;  /* pixels at which lines break */
    int line_height; /* 0: as the font has it; else one line, this high, cut at width_most */
    enum overlay_align align;
    struct rgba colour, ground, outline;
    double opacity; /* 0…1 */
    double rotation_deg;
};
/* NULL: out of memory, or nothing to see. most: pixels of a side; more is cut off. */
struct sprite *overlay_draw_text(struct overlay_painter *p, const char *text,
                                 const struct text_look *look, int most,
                                 const struct sprite_colours *colours);

/* premultiplied 0xAARRGGBB of from_w × from_h becomes width × height. */
struct sprite *overlay_draw_picture(const uint32_t *argb, int from_w, int from_h, int width,
                                    int height, double opacity, double rotation_deg,
                                    const struct sprite_colours *colours);

/* A mark on a point of the scene. */
struct sprite *overlay_draw_mark(enum overlay_indicator kind, int size, struct rgba colour,
                                 struct rgba ground, struct rgba outline,
                                 const struct sprite_colours *colours);

/* The streaming indicator: a dot on its way around, and within a smaller, slower one; their
 * places together are others in each picture, whichever of them a stream leaves out. */
#define MARK_PHASES 13
#define MARK_INNER_PHASES 11
struct sprite *overlay_draw_live(int size, bool inner, unsigned phase, struct rgba colour,
                                 struct rgba ground, const struct sprite_colours *colours);

/* A name at a bearing. */
struct bearing_mark {
    char name[64];
    double bearing_deg; /* from north, 0…360 */
    bool street;
};

/* The whole turn as a strip, 0° at its left edge: 360 · px_per_deg wide and once more
 * `window` wide, so that any window of it can be shown. Without ground. */
struct sprite *overlay_draw_strip(struct overlay_painter *p, int px_per_turn, int window,
                                  int height, const struct bearing_mark *marks, int n,
                                  struct rgba colour, double opacity,
                                  const struct sprite_colours *colours);
/* What stands still: ground, pointer, and the width of the view in pixels. */
struct sprite *overlay_draw_strip_frame(int window, int height, int view_px, struct rgba colour,
                                        double opacity, bool ground,
                                        const struct sprite_colours *colours);
/* North is up. The rose lies upon the view's wedge, which is drawn as far as its box within a
 * square of that size, and that upon a disc: what turns is small. */
struct sprite *overlay_draw_rose(struct overlay_painter *p, int size,
                                 const struct bearing_mark *marks, int n, struct rgba colour,
                                 double opacity, const struct sprite_colours *colours);
struct sprite *overlay_draw_disc(int size, double opacity, const struct sprite_colours *colours);
struct wedge_box {
    int x, y, width, height; /* even */
};
struct wedge_box overlay_wedge_box(int size, double bearing_deg, double view_deg);
struct sprite *overlay_draw_wedge(int size, double bearing_deg, double view_deg, struct rgba colour,
                                  double opacity, const struct sprite_colours *colours);

#endif
