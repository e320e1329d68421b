/* A set of ports that belong together: one camera's hardware, chosen by --source. */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <stdint.h>

#include "device/ports.h"

struct alsa;
struct cast;
struct clock;
struct driven_head;
struct events;
struct fault;
struct faults;
struct scenario_library;
struct stage;
struct world;
struct device;

struct device_backend {
    const char *scheme; /* "virtual", "file": what stands before ':' in SPEC */
    bool whole;         /* open() is told all of SPEC instead of what stands behind ':' */
    struct device *(*open)(const char *rest, uint64_t seed, struct clock *clock,
                           struct events *events, struct fault *why);
};
extern const struct device_backend *const device_table[]; /* NULL-terminated */

struct device {
    struct sensor *sensor;         /* never NULL */
    struct head *head;             /* NULL: fixed */
    struct driven_head *driven;    /* it is of metal, chosen by --head; else NULL */
    struct lens *lens;             /* NULL: neither focus nor iris can be moved */
    struct light_source *infrared; /* NULL: no lamp of its own */
    struct led *led;               /* NULL: no status LED */
    struct io *io;                 /* NULL: no terminals */
    struct body *body;             /* NULL: nothing is known of the box */
    struct mic *mic;               /* NULL: it hears nothing */
    bool heard_in_pictures;        /* sound comes with the pictures alone: both are wanted then */
    struct speaker *speaker;       /* NULL: it is dumb */
    struct world *world;           /* the virtual world, for the stage; NULL elsewhere */
    struct stage *stage;           /* likewise */
    struct cast *cast;             /* likewise */
    struct scenario_library *library; /* likewise */
    struct alsa *alsa;                /* chosen by --audio; else NULL */
    struct faults *faults;            /* faults on purpose; NULL: there are none to switch on */
    /* Lets what changes by itself be told to those who listen; returns when to do so again.
     * On the loop. NULL: nothing does. */
    int64_t (*run)(struct device *d, int64_t now_ns);
    /* Puts another head under the sensor; NULL: it stands still. Before the first picture.
     * NULL here: the source has a head of its own that cannot be changed. */
    void (*set_head)(struct device *d, struct head *head);
    void (*close)(struct device *d);
};

/* SPEC as in the run contract, or "@FILE" with it in the first line. Called before privileges are
 * dropped: opens what it needs (device nodes, folders). */
struct device *device_open(const char *spec, uint64_t seed, struct clock *clock,
                           struct events *events, struct fault *why);
/* --head: "digital", "none", or a head of metal (docs/sources.md). Likewise, before anything
 * asked for the device's head. */
int device_use_head(struct device *d, const char *spec, struct clock *clock, struct fault *why);
/* --audio: "none", or "alsa:NAME" with a name of ALSA ("hw:0", "default") for microphone and
 * loudspeaker, "alsa:MICROPHONE,LOUDSPEAKER" (either may be left out). Instead of what the source
 * has. */
int device_use_audio(struct device *d, const char *spec, struct clock *clock, struct fault *why);
struct device *device_close(struct device *d); /* with its head; NULL-safe */

#endif
