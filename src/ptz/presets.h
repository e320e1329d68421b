/* Presets: up to 256 positions with names, kept as parameters PTZ.Preset.P0.Position.P#; a view
 * area, channel C, has up to 32 of its own, PTZ.Preset.P(C-1).Position.P#, which keep its digital
 * pan, tilt and zoom only. A
 * preset keeps pan, tilt, zoom and focus, the iris where it is set by hand, and the picture's
 * own settings where that was asked for. One of them is home.
 *
 * A preset's focus holds, whatever autofocus and focus recall want, until the next move.
 * Loop-bound. Changes go through a transaction of the caller's, who commits. */
#ifndef PTZ_PRESETS_H
#define PTZ_PRESETS_H

#include <stdbool.h>
#include <stddef.h>

#include "media/frame.h"
#include "ptz/preset_data.h"
#include "ptz/preset_image.h"

struct conf;
struct events;
struct fault;
struct loop;
struct ptz;
struct room;
struct room_desc;
struct txn;
struct presets;

#define PRESETS_MOST 256
#define VIEW_PRESETS_MOST 32
#define PRESET_NAME_SIZE 96

struct preset {
    bool used;
    char name[PRESET_NAME_SIZE];
    char data[PRESET_DATA_SIZE];   /* preset_data.h */
    char image[PRESET_IMAGE_SIZE]; /* preset_image.h; "": none of its own */
};
struct preset_settings {
    int home;                       /* number, or -1: straight ahead, widest */
    char before[PRESET_IMAGE_SIZE]; /* what held before a preset's own settings */
    struct preset
        preset[1 + PRESETS_MOST]; /* by number; 0 is none. Of a view area fewer are there */
};
/* preset_rows.c: of a channel, 1 … VIEWS_MOST; to be added in any order, each once. */
const struct room_desc *presets_room(int channel);
const char *presets_template(int channel); /* for txn_add() */
int preset_check_name(const char *name, struct fault *why);

/* Connected by main: the focus is the eye's, and overlays tell of presets. */
struct preset_hooks {
    double (*focus)(void *eye);            /* 0 near … 1 far; NAN: it cannot be moved */
    void (*hold)(double focus, void *eye); /* there, whatever else wants */
    void (*release)(void *eye);            /* as without presets */
    void *eye;
    /* What there is, or at which it stands, has changed. */
    void (*changed)(struct presets *p, void *arg);
    void *arg;
};

struct presets *presets_new(struct loop *loop, struct conf *conf, struct room *room, int channel,
                            struct events *events, struct ptz *ptz,
                            const struct preset_hooks *hooks);
struct presets *presets_free(struct presets *p);
/* Is the channel there? Channel 1 always is; a view area gets its Home once it is. */
void presets_use(struct presets *p, bool used);

/* A name is 1 to 95 bytes without " < > ~ : and control characters, each of its own. */
int presets_find(struct presets *p, const char *name);        /* number, or 0 */
const struct preset_settings *presets_ref(struct presets *p); /* room_unref() it */
bool presets_has(struct presets *p, int number);

/* speed 0…1, NAN: the default set by ptz_set_speed. */
int presets_go(struct presets *p, int number, double speed, struct fault *why);
int presets_go_home(struct presets *p, double speed, struct fault *why);
int presets_home(struct presets *p); /* number, or -1 */
int presets_on(struct presets *p);   /* at which the camera stands, or 0 */
int presets_to(struct presets *p);   /* to which it is on its way, or 0 */

/* What is seen now, under this number (0: that of the name, else the least that is free) and
 * name (NULL: as it was, else "Preset n"). image: with the picture's own settings. */
int presets_store(struct presets *p, struct txn *t, int number, const char *name, bool image,
                  int *ret_number, struct fault *why);
int presets_rename(struct presets *p, struct txn *t, int number, const char *name,
                   struct fault *why);
/* Home too: then straight ahead becomes home. */
int presets_remove(struct presets *p, struct txn *t, int number, struct fault *why);
/* All; home is number 1, straight ahead, then. */
int presets_remove_all(struct presets *p, struct txn *t, struct fault *why);
/* There is always one, unless somebody wants none: adds it where it is missing; 1, or 0: nothing
 * to do, or the fault. */
int presets_add_home(struct presets *p, struct txn *t, struct fault *why);
int presets_set_home(struct presets *p, struct txn *t, int number, struct fault *why);
/* The same for one that this transaction adds. */
int presets_point_home(struct presets *p, struct txn *t, int number, struct fault *why);

#endif
