/* The picture manager: pictures for overlays, as their owners uploaded them.
 *
 * A stranger's file is decoded by a short-lived worker process (workers/), which may open nothing
 * and reach nobody; what comes back are pixels, kept in the state folder as overlays/NAME.ovl.
 * Loop-bound, but for find and load. */
#ifndef IMAGE_OVERLAY_PICTURES_H
#define IMAGE_OVERLAY_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct file_port;
struct jobs;
struct loop;
struct overlay_pictures;

#define PICTURES_MOST 64
#define PICTURE_NAME_BYTES 64
#define PICTURE_WIDTH_MOST 1920
#define PICTURE_HEIGHT_MOST 1080
#define PICTURE_FILE_BYTES ((size_t)4 << 20)
#define PICTURE_FOLDER "/etc/overlays/" /* as VAPIX names them */

struct overlay_picture_info {
    uint64_t id;                   /* new with each upload */
    char name[PICTURE_NAME_BYTES]; /* "gate.ovl" */
    int width, height;             /* pixels at the reference height */
    bool scalable;                 /* its size is to follow the resolution */
    bool has_alpha;
};
struct overlay_pixels {
    uint32_t *argb; /* premultiplied; to be freed */
    int width, height;
};

/* worker: the program, NULL: none (no uploads). Reads what was kept. NULL: out of memory. */
struct overlay_pictures *overlay_pictures_new(struct loop *loop, struct jobs *jobs,
                                              struct file_port *files, const char *worker);
struct overlay_pictures *overlay_pictures_free(struct overlay_pictures *p);
/* Beside the camera or in its build tree; -ENOENT. */
int overlay_worker_path(char *ret, size_t size);

/* By "gate.ovl" or PICTURE_FOLDER and that. -ENOENT. Any thread. */
int overlay_pictures_find(struct overlay_pictures *p, const char *path,
                          struct overlay_picture_info *ret);
/* Reads its pixels from the disk; any thread. -ENOENT, -EBADMSG, -ENOMEM. */
int overlay_pictures_load(struct overlay_pictures *p, uint64_t id, struct overlay_pixels *ret);
/* In the order of their names; false: there are no more. */
bool overlay_pictures_at(struct overlay_pictures *p, size_t i, struct overlay_picture_info *ret);

/* A file of a stranger becomes a picture. name: what he calls it; without folder and ending, and
 * with '_' for what is no letter, digit, '-' or '.', it becomes NAME.ovl. alpha: "rrggbb" that
 * becomes transparent, or NULL. The bytes are copied.
 *
 * done() on the loop, once, unless cancelled: 0 and what it has become, or
 *   FAULT_LIMIT       too large (name "size") or too many pictures (name "count")
 *   FAULT_CONFLICT    there is one of that name
 *   FAULT_UNSUPPORTED, FAULT_INVALID  no such format; damaged, or with what is not allowed
 *   FAULT_IO          the disk (name "disk")
 *   FAULT_TIMEOUT, FAULT_INTERNAL     the worker hung; died
 * Returns such a fault at once when it is known at once. */
struct picture_upload;
struct picture_wish {
    const char *name, *alpha;
    const void *bytes;
    size_t len;
    bool scalable;
};
int overlay_pictures_add(struct overlay_pictures *p, const struct picture_wish *wish,
                         void (*done)(int err, const struct overlay_picture_info *info,
                                      const struct fault *why, void *arg),
                         void *arg, struct picture_upload **ret_upload, struct fault *why);
void picture_upload_cancel(struct picture_upload *u); /* nobody waits any more */

/* FAULT_UNKNOWN, FAULT_IO. That nobody uses it is the caller's to know. */
int overlay_pictures_remove(struct overlay_pictures *p, const char *path, struct fault *why);

#endif
