/* What one picture gets: sprites and where they go. Inside of the overlay files only. */
#ifndef IMAGE_OVERLAY_ITEMS_H
#define IMAGE_OVERLAY_ITEMS_H

#include "image/overlay_cache.h"
#include "image/overlay_draw.h"
#include "image/overlay_pictures.h"
#include "image/overlay_told.h"

#define ITEMS_MOST (2 * OVERLAYS_MOST + 8)
#define Z_COMPASS 2000 /* above all rows */
#define Z_LINE 3000
#define Z_MARK 4000

enum item_what { ITEM_ROW, ITEM_LINE, ITEM_MARK, ITEM_COMPASS, ITEM_OTHER };

struct item {
    struct sprite *sprite; /* a reference */
    int x, y, left, right;
    int z;
    enum item_what what;
    int row; /* ITEM_ROW */
};

/* The work on one picture; belongs to the painting thread. */
struct setting_out {
    const struct overlay_settings *s;
    const struct told *told;
    const struct rendition_key *key;
    const struct frame_part *part; /* of the frame that the channel shows */
    const struct capture *how;
    struct overlay_painter *painter;
    struct sprite_cache *cache;
    struct sprite_colours colours;
    int width, height;
    double factor; /* pixels per pixel at the reference height */
    int edge[9];   /* how much of each place is taken */
    struct item item[ITEMS_MOST];
    int n;
};

/* Finds the sprite or has it made; NULL: nothing to see. */
struct sprite *item_sprite(struct setting_out *w, const void *key, size_t len,
                           struct sprite *(*make)(struct setting_out *w, const void *key));
/* Takes the sprite; at one of the nine places they stand one beyond the other. */
void item_at_place(struct setting_out *w, struct sprite *take_s, int place, double x, double y,
                   int z, enum item_what what, int row);
void item_at(struct setting_out *w, struct sprite *take_s, int x, int y, int left, int right, int z,
             enum item_what what, int row);

/* Date, time and text of the old settings as one template; false: it is empty. */
bool overlay_line_of(const struct overlay_line *s, char *ret, size_t size);
void item_line(struct setting_out *w, const struct overlay_speech *speech);
/* Row i of the settings, which is one of text, or of a picture. */
void item_text(struct setting_out *w, int i, struct overlay_speech *speech);
void item_image(struct setting_out *w, struct overlay_pictures *from, int i);
void item_old_image(struct setting_out *w, struct overlay_pictures *from); /* of the old settings */
void item_live(struct setting_out *w); /* the streaming indicator */

/* compass.c */
void compass_set_out(struct setting_out *w);

#endif
