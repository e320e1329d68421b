/* What a kind of head must be able to do, and what its SPEC says (docs/sources.md).
 *
 * A driver opens a link; connect, go, move and poll are called by the head's own thread,
 * which they may keep waiting for a second or two; they end soon once link_given_up(). */
#ifndef DEVICE_HEAD_DRIVER_H
#define DEVICE_HEAD_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "device/ports.h"
#include "device/trajectory.h"

struct clock;
struct fault;
struct waker;

#define HEAD_ADDRESS_MAX 512

/* SCHEME:ADDRESS#name=value&… ; what is not said is NAN or -1. */
struct head_spec {
    char scheme[16];
    char address[HEAD_ADDRESS_MAX]; /* behind "SCHEME:", without a user: "//host:80/path", "/dev/x"
                                     */
    char user[64], password[128];   /* decoded; empty: none */
    char shown[HEAD_ADDRESS_MAX];   /* for words and logs */
    double min_pan_deg, max_pan_deg, min_tilt_deg, max_tilt_deg, max_zoom;
    double wide_hfov_deg, pan_speed, tilt_speed, zoom_speed;
    double units; /* VISCA: of a degree */
    int baud, number;
    bool pan_reversed, tilt_reversed, udp;
};
int head_spec_parse(struct head_spec *ret, const char *text, struct fault *why);
/* What SPEC says wins over what the driver knows or the head told. */
void head_spec_apply(const struct head_spec *s, struct head_caps *caps);

/* What every driver is given; outlives it. */
struct head_host {
    struct clock *clock; /* real */
    struct waker *quit;  /* never taken back once it is awake */
};
bool head_given_up(void *host); /* a struct head_host */
/* Until fd is ready for `events` (POLLIN …) or the time is over. 1, 0 (time), -ECANCELED. */
int head_wait(const struct head_host *host, int fd, int events, int timeout_ms);

struct head_link; /* of the driver */
struct head_driver {
    const char *scheme;
    const char *form; /* of SPEC, for words */
    bool remote;      /* ADDRESS is "//host…" */
    bool either;      /* …, or a device node */
    bool paired;      /* pan and tilt are told together: both are numbers, or both NAN */
    struct head_caps caps;
    double resolution[AXES]; /* of what poll() answers */
    int rest_ms, move_ms;    /* between polls */
    /* Opens device nodes (still privileged); no talk yet. NULL and why. */
    struct head_link *(*open)(const struct head_spec *spec, const struct head_host *host,
                              struct fault *why);
    /* Says hello, asks what it can do; again after any error. Whose words why are goes to the
     * log. */
    int (*connect)(struct head_link *l, struct head_caps *caps, struct fault *why);
    /* Degrees and the logarithm of the magnification; NAN leaves an axis. */
    int (*go)(struct head_link *l, const double to[AXES], double share);
    int (*move)(struct head_link *l, const double speed[AXES]); /* 0 stops that axis */
    int (*poll)(struct head_link *l, double ret[AXES]);
    void (*close)(struct head_link *l);
};

#endif
