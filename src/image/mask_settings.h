/* Rows Image.I0.Overlay.MaskWindows.*: what privacy masks there are. Administrators set them;
 * operators may look. Read from a snapshot (room_ref); any thread. */
#ifndef IMAGE_MASK_SETTINGS_H
#define IMAGE_MASK_SETTINGS_H

#include <stdbool.h>

#include "image/mask.h"

struct room_desc;

#define MASK_GROUP "Image.I0.Overlay.MaskWindows"
#define MASK_TEMPLATE "0_maskwindows"
#define MASK_ZOOM_MOST 19999 /* VAPIX zoom */

struct mask_row {
    bool used, enabled;
    char name[MASK_NAME_MAX + 1];
    int zoom_low; /* VAPIX zoom, from which on it covers; 0: always */
    char polygon[MASK_TEXT_MAX];
};

struct mask_settings {
    bool shown;  /* all of them */
    int colour;  /* of mask_colours, then mosaic, then custom */
    char rgb[8]; /* custom: "#rrggbb" */
    int blocks;
    struct mask_row mask[MASK_MAX];
};

extern const struct room_desc mask_room_desc;
extern const char *const mask_colour_names[]; /* NULL-terminated */

/* After the saved settings were read: from now on what is no mask is refused. What is saved and
 * unreadable must not make the others vanish; it covers everything instead (below). */
void mask_settings_strict(void);

/* The set that these settings ask for. magnification(): of a VAPIX zoom. A mask whose polygon
 * cannot be read covers everything. */
void mask_settings_set(const struct mask_settings *s, double (*magnification)(int zoom, void *arg),
                       void *arg, struct mask_set *ret);

#endif
