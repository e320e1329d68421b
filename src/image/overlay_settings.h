/* What the picture says, as parameters: the line of date, time and text (Image.I0.Text.*),
 * overlays of one's own (DynamicOverlay.O#.*), streaming indicator and orientation aid.
 * Immutable snapshots of the room "overlay"; any thread. */
#ifndef IMAGE_OVERLAY_SETTINGS_H
#define IMAGE_OVERLAY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "media/frame.h"

struct fault;
struct room_desc;

#define OVERLAYS_MOST 32
#define OVERLAY_TEXT_CHARACTERS 512
#define OVERLAY_FONT_LEAST 8
#define OVERLAY_FONT_MOST 200 /* pixels at the reference height */
#define OVERLAY_PATH_BYTES 96
#define STREETS_MOST 64

enum overlay_kind { OVERLAY_OF_TEXT, OVERLAY_OF_IMAGE };

/* Nine places, in reading order, and a free one. */
enum overlay_place {
    PLACE_TOP_LEFT,
    PLACE_TOP,
    PLACE_TOP_RIGHT,
    PLACE_LEFT,
    PLACE_CENTER,
    PLACE_RIGHT,
    PLACE_BOTTOM_LEFT,
    PLACE_BOTTOM,
    PLACE_BOTTOM_RIGHT,
    PLACE_FREE
};
extern const char *const overlay_places[]; /* "topLeft" … "bottomRight", "custom" */

enum overlay_align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };
enum overlay_reference { REFERENCE_CHANNEL, REFERENCE_SCENE };
enum overlay_indicator { INDICATOR_NONE, INDICATOR_CIRCLE, INDICATOR_CROSS, INDICATOR_SQUARE };
extern const char *const overlay_indicators[]; /* "", "circle", "cross", "square" */

/* Straight (not premultiplied), 0…1. */
struct rgba {
    double r, g, b, a;
};
#define COLOUR_BYTES 20
/* A name ("white", "semiTransparent" …), rrggbb or #rrggbb[aa]. 0 or -EINVAL. */
int overlay_colour(const char *text, struct rgba *ret);

struct overlay_row {
    bool used;
    int kind;                                   /* enum overlay_kind */
    int camera;                                 /* channel it is on; 0: all */
    char text[OVERLAY_TEXT_CHARACTERS * 4 + 1]; /* UTF-8; \n is a new line, \\ a backslash */
    char path[OVERLAY_PATH_BYTES];              /* of the picture */
    int place;                                  /* enum overlay_place */
    double x, y;   /* PLACE_FREE: of its middle, −1 left, top … 1 */
    int font_size; /* pixels at the reference height */
    int scale;     /* of the picture, percent */
    bool scalable; /* its size follows the stream's resolution */
    char colour[COLOUR_BYTES], ground[COLOUR_BYTES], outline[COLOUR_BYTES];
    int opacity;     /* percent */
    double rotation; /* degrees, clockwise */
    int scroll;      /* −20 … 20, leftwards positive; 0: it stands */
    int wrap;        /* percent of the picture's width at which lines break; 0: at its edge */
    int align;       /* enum overlay_align */
    bool visible;
    int z;         /* higher ones cover lower ones */
    int reference; /* enum overlay_reference: tied to the picture or to a point of the scene */
    double pan_deg, tilt_deg;
    int zoom_low, zoom_high; /* tied to the scene: shown within these, 1…19999 */
    int indicator, indicator_size;
    char indicator_colour[COLOUR_BYTES], indicator_ground[COLOUR_BYTES],
        indicator_outline[COLOUR_BYTES];
};

struct compass_street {
    bool used;
    char name[64];
    double bearing_deg; /* from north, clockwise */
};

enum compass_style { COMPASS_STRIP, COMPASS_ROSE };
enum compass_names { NAMES_NONE, NAMES_PRESETS, NAMES_STREETS, NAMES_ALL };

struct compass_settings {
    bool enabled;
    int style, place, names;
    double north_deg; /* pan at which north lies */
    int size, opacity;
    char colour[COLOUR_BYTES];
    struct compass_street street[STREETS_MOST];
};

struct mark_settings {
    bool enabled;
    int size; /* index of overlay_mark_sizes */
    int place;
    double x, y;
    char colour[COLOUR_BYTES], ground[COLOUR_BYTES];
};

extern const char *const overlay_mark_sizes[]; /* "H1" … "H5", "small", "medium", "large" */
/* Side of the streaming indicator in pixels, in a picture of this size. */
int overlay_mark_side(const struct mark_settings *m, int width, int height);

/* What each channel has of its own. */
struct overlay_line {
    bool text_enabled, clock_enabled, date_enabled;
    char string[80 * 4 + 1];
    int color, background, position, size;
    /* the old picture overlay: the standard picture at pixels of the reference height */
    bool image_enabled;
    int image_x, image_y;
};

struct overlay_settings {
    struct overlay_line line[VIEWS_MOST]; /* [channel - 1] */
    char image_path[OVERLAY_PATH_BYTES];

    int reference_height;
    struct overlay_row row[OVERLAYS_MOST];
    struct mark_settings mark;
    struct compass_settings compass;
};

extern const struct room_desc overlay_room_desc;

#endif
