/* Ports: what is physical, as tables of functions. A backend (virtual, file,
 * v4l2 …) fills in what it has; caps() says what exists and the doors show only
 * that. A backend embeds the port struct and comes back from it by container_of.
 *
 * Threads: sensor_ops run on the source thread, mic_ops on the sound thread; head and lens
 * commands come from the loop, pose() from any thread. */
#ifndef DEVICE_PORTS_H
#define DEVICE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/capture.h"
#include "media/tone.h"

struct fault;
struct shot;
struct sensor;
struct head;
struct lens;
struct light_source;
struct led;
struct io;
struct body;
struct mic;
struct speaker;

/* ---- sensor ---- */

/* What a sensor lets be set; bits of sensor_caps.can. */
enum sensor_can {
    SENSOR_EXPOSURE = 1 << 0, /* exposure_ns */
    SENSOR_GAIN = 1 << 1,     /* gain_db */
    SENSOR_BALANCE = 1 << 2,  /* red, blue */
    SENSOR_FILTER = 1 << 3,   /* ir_cut */
    SENSOR_TONE = 1 << 4,     /* tone: linear light is at hand, the curve is ours to choose */
    SENSOR_RANGE = 1 << 5,    /* range: a long and a short exposure in one picture */
    SENSOR_CLEAN = 1 << 6,    /* temporal, spatial: its own noise reduction */
};

struct sensor_mode {
    int width, height;
    double fps;
};

struct sensor_caps {
    int width, height; /* now */
    double fps;
    unsigned can; /* 0: it takes pictures as it likes (file, RTSP) */
    int64_t shortest_ns, longest_ns;
    double most_gain_db;
    double most_range;              /* 1: none; else how much longer the long exposure may be */
    const struct sensor_mode *mode; /* capture modes, best first; immutable */
    unsigned n_modes;               /* 0: only what it does now */
};

/* How the next pictures are to be taken. What the sensor cannot do it leaves; what is out
 * of its range it clamps. What it did stands in shot.how. */
struct sensor_settings {
    int64_t exposure_ns;
    double gain_db;
    double red, blue; /* white balance: factors, green 1 */
    bool ir_cut;      /* the filter that keeps infrared away is in (day) */
    bool mono;        /* black and white */
    double range;     /* 1: one exposure; n: bright parts from one n times shorter */
    struct tone tone; /* from linear light to signal */
    /* Its own noise reduction, from picture to picture and within one: 0 none … 1 all it has. */
    double temporal, spatial;
};

struct sensor_ops {
    void (*caps)(struct sensor *s, struct sensor_caps *ret);
    /* Takes the picture whose exposure starts at `start_ns` (a tick k/fps that has
     * come). Blocks as long as the hardware does. 0 and a shot; -EAGAIN: this one is
     * missing, the next may come; -ENODATA: no signal (the source then shows the
     * placeholder); other errors likewise. */
    int (*take)(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot);
    /* Pictures are wanted, or no longer (release buffers, stop hardware). */
    void (*start)(struct sensor *s);
    void (*stop)(struct sensor *s);
    /* From the next take() on. Source thread. NULL: nothing can be set. */
    void (*set)(struct sensor *s, const struct sensor_settings *settings);
    /* Loop, before the first start(): one of caps().mode, and the frequency of the mains that
     * lamps flicker with. NULL: there is one mode. */
    int (*use_mode)(struct sensor *s, unsigned mode, double mains_hz);
};
struct sensor {
    const struct sensor_ops *ops;
    bool wants_spread; /* somebody reads shot.spread; source thread */
};

struct head_caps {
    bool pan, tilt, zoom;
    bool digital;                    /* crops a larger picture */
    double min_pan_deg, max_pan_deg; /* -180, 180: endless */
    double min_tilt_deg, max_tilt_deg;
    double max_zoom;                      /* magnification; min is 1 */
    double max_pan_speed, max_tilt_speed; /* deg/s */
    double max_zoom_speed;                /* factor per second, as ln(zoom)/s */
    double wide_hfov_deg;                 /* at zoom 1 */
    double tele_hfov_deg;                 /* at max_zoom */
};

/* What a head is kept to by its user, within what it can. */
struct head_limits {
    /* 360 apart or more: pan is endless. max may lie above 180: the range passes behind. */
    double min_pan_deg, max_pan_deg;
    double min_tilt_deg, max_tilt_deg;
    double min_zoom, max_zoom; /* magnification */
};

struct head_ops {
    void (*caps)(struct head *h, struct head_caps *ret);
    /* Goes there along the shortest allowed way; speed 0…1 of the maximum. NAN leaves
     * an axis as it is (its motion goes on). Out of range is clamped. */
    int (*go)(struct head *h, double pan_deg, double tilt_deg, double zoom, double speed);
    /* Moves on until told otherwise: deg/s, deg/s, ln(zoom)/s; NAN leaves an axis. */
    int (*move)(struct head *h, double pan_speed, double tilt_speed, double zoom_speed);
    int (*stop)(struct head *h, bool pan_tilt, bool zoom);
    /* Where it was or will be at this time: for the virtual head a pure function of
     * the planned trajectory, for real ones an estimate with its uncertainty. */
    void (*pose)(struct head *h, int64_t time_ns, struct pose *ret);
    bool (*moving)(struct head *h, int64_t time_ns);
    /* From the next order on it plans its ways within these, and stops at them by itself. NULL:
     * whoever orders has to watch it. */
    void (*limit)(struct head *h, const struct head_limits *l);
};
struct head {
    const struct head_ops *ops;
};

/* ---- lens ---- */

struct lens_caps {
    bool focus, iris;
    double widest_f, narrowest_f; /* iris, at zoom 1 */
    double nearest_m;             /* what focus 0 is sharp at; focus 1: infinity */
};
struct lens_state {
    double focus;  /* 0 near … 1 far */
    double iris_f; /* f-number */
    bool moving;   /* focus is on its way */
};
/* Loop or source thread (autofocus, exposure); state() any. */
struct lens_ops {
    void (*caps)(struct lens *l, struct lens_caps *ret);
    int (*focus)(struct lens *l, double focus, double speed); /* goes there; speed 0…1 */
    int (*iris)(struct lens *l, double iris_f);
    void (*state)(struct lens *l, int64_t time_ns, struct lens_state *ret);
};
struct lens {
    const struct lens_ops *ops;
};

/* ---- lamps of the camera's own ---- */

struct light_caps {
    double most_intensity;      /* 0…1 of it can be set; W/sr, or 0: unknown */
    double least_deg, most_deg; /* beam; equal: fixed */
};
struct light_state {
    double intensity; /* 0 off … 1 */
    double beam_deg;
};
/* Infrared. Loop or source thread; state() any. */
struct light_ops {
    void (*caps)(struct light_source *l, struct light_caps *ret);
    int (*set)(struct light_source *l, double intensity, double beam_deg);
    void (*state)(struct light_source *l, int64_t time_ns, struct light_state *ret);
};
struct light_source {
    const struct light_ops *ops;
};

/* ---- LED, terminals, box ---- */

enum led_colour { LED_OFF, LED_GREEN, LED_AMBER, LED_RED };
/* Loop; get() any. */
struct led_ops {
    void (*set)(struct led *l, enum led_colour c, double blink_hz /* 0: steady */);
    enum led_colour (*get)(struct led *l, double *ret_blink_hz);
};
struct led {
    const struct led_ops *ops;
};

/* Terminals for buttons, detectors, relays of others. Loop-bound. */
struct io_listener {
    void (*changed)(struct io_listener *l, int input);
    struct io_listener *next; /* of the port */
};
struct io_ops {
    int (*inputs)(struct io *io);            /* how many; counted from 0 */
    bool (*level)(struct io *io, int input); /* true: high, as it is now */
    void (*listen)(struct io *io, struct io_listener *l);
    void (*unlisten)(struct io *io, struct io_listener *l);
};
struct io {
    const struct io_ops *ops;
};

/* The box around it all and what it feels. Loop-bound, but for accel(). */
enum body_part { BODY_HOUSING, BODY_CARD, BODY_BUTTON, BODY_TEMPERATURE, BODY_POWER };
struct body_listener {
    void (*changed)(struct body_listener *l, enum body_part part);
    struct body_listener *next; /* of the port */
};
struct body_ops {
    bool (*housing)(struct body *b);       /* the cover is attached */
    bool (*card)(struct body *b);          /* a memory card is in its slot */
    bool (*button)(struct body *b);        /* the control button is pressed */
    double (*temperature)(struct body *b); /* inside, degrees Celsius */
    /* Acceleration in g, rest included, at a time: x to the right, y ahead, z up. Any
     * thread. */
    void (*accel)(struct body *b, int64_t time_ns, double ret_g[3]);
    /* BODY_POWER is told when the power was off: the camera has to start anew. Temperature is
     * told once a second while it changes. */
    void (*listen)(struct body *b, struct body_listener *l);
    void (*unlisten)(struct body *b, struct body_listener *l);
};
struct body {
    const struct body_ops *ops;
};

/* ---- sound ---- */

struct mic_caps {
    int inputs; /* that can be chosen from; counted from 0 */
    bool stereo;
};
/* What was heard, as the device gives it. */
struct mic_block {
    int64_t time_ns; /* of the first sample; monotonic */
    double rate_hz;  /* as the device's clock really runs, estimated against ours */
    int channels;    /* 1 or 2; samples lie side by side */
    size_t frames;   /* a sample of each channel */
};
#define MIC_FRAMES_MOST 9600 /* of one take(): 200 ms at 48,000 a second */

/* The sound thread. Silence is told as samples, not as an error. */
struct mic_ops {
    void (*caps)(struct mic *m, struct mic_caps *ret);
    int (*start)(struct mic *m, int input); /* 0, or why nothing is heard; NULL: nothing to do */
    void (*stop)(struct mic *m);
    /* What came since the last call, from about start_ns on, up to start_ns + 20 ms, which has
     * passed. Never blocks. 0; -EAGAIN: nothing yet; -ENODATA: no signal. */
    int (*take)(struct mic *m, int64_t start_ns, int16_t ret_sample[2 * MIC_FRAMES_MOST],
                struct mic_block *ret);
};
struct mic {
    const struct mic_ops *ops;
};

/* Loop. One channel of 48,000 samples a second in blocks of 20 ms (media/sound.h). */
struct speaker_ops {
    int (*start)(struct speaker *s); /* 0, or why nothing is heard */
    void (*stop)(struct speaker *s); /* what was given is played to its end */
    /* Never blocks; -EAGAIN: it has enough. */
    int (*play)(struct speaker *s, const int16_t *sample, size_t n, int64_t time_ns);
};
struct speaker {
    const struct speaker_ops *ops;
};

#endif
