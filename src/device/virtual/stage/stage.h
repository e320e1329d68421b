/* The stage: everything that a person could do to the place or the device, as a log of
 * commands with the world time from which each holds. What is so at a time is a pure
 * function of that log (and the seed), so that any picture can be made again. Changes may
 * lie in the future, as the commands of a scenario do.
 *
 * Who is where is not here but in the cast (cast.h). Any thread; one leaf mutex. */
#ifndef DEVICE_VIRTUAL_STAGE_STAGE_H
#define DEVICE_VIRTUAL_STAGE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/virtual/set.h"

struct fault;
struct stage;

/* When what is done now begins to hold: just after now, since the picture of this very
 * moment has been taken or is being taken. What is asked is answered as of then. */
static inline int64_t stage_just_after(int64_t now_ns)
{
    return now_ns + 1;
}

/* What has been done to the lens and the housing. */
struct mess {
    double spray; /* paint on the dome, 0…1 of the picture */
    double cover; /* a cloth over it, 0…1 of the picture, from above */
    double blur;  /* out of focus: radius, 0…1 of 5 % of the picture's width */
    double turn_pan_deg, turn_tilt_deg; /* the whole camera was turned on its mount; the head
                                         * does not know */
    double shake_deg;                   /* amplitude of the mount's vibration */
    int64_t cleaned_ns; /* world time at which the dome was last wiped; drops are younger */
};

/* What one can do: a row of a table (stage_rows.c), from which the page, the command line
 * and the documentation are made. */
enum stage_key {
    STAGE_HOUR,
    STAGE_SPEED,
    STAGE_WEATHER,
    STAGE_CLOUD,
    STAGE_VISIBILITY,
    STAGE_RAIN,
    STAGE_SNOW,
    STAGE_WET,
    STAGE_WIND,
    STAGE_WIND_TO,
    STAGE_LAMPS,
    STAGE_LAMP_LIGHT,
    STAGE_MAINS,
    STAGE_IR,
    STAGE_IR_BEAM,
    STAGE_SPRAY,
    STAGE_COVER,
    STAGE_BLUR,
    STAGE_CLEAN,
    STAGE_TURN_PAN,
    STAGE_TURN_TILT,
    STAGE_SHAKE,
    STAGE_KNOCK,
    STAGE_CLAP,
    STAGE_HOUSING,
    STAGE_CARD,
    STAGE_INPUT1, /* and the others behind it */
    STAGE_INPUT2,
    STAGE_INPUT3,
    STAGE_INPUT4,
    STAGE_BUTTON,
    STAGE_POWER,
    STAGE_TEMPERATURE,
    STAGE_KEYS
};
#define STAGE_INPUTS 4

struct stage_word {
    const char *word;
    double value;
};

enum stage_lasting {
    LASTS,      /* until changed */
    LASTS_OVER, /* until changed, and comes about over some seconds */
    LASTS_FOR,  /* for some seconds, if they are named, else until changed */
    LASTS_NOT,  /* is done and over; there is no state */
};

struct stage_row {
    const char *name;              /* "windTo": the key in JSON */
    const char *words;             /* "wind to": as text */
    const char *group;             /* "time", "weather", "light", "lens", "mount", "device" */
    const char *doc;               /* for people */
    const char *unit;              /* NULL: none */
    const struct stage_word *word; /* values that have names; ends with NULL; NULL: none */
    bool numbers;                  /* min … max is taken */
    bool bare;                     /* may stand without a value: then `standard` */
    double min, max;
    double standard; /* at the start */
    enum stage_lasting lasting;
    double over_s; /* of LASTS_OVER, unless said */
};
extern const struct stage_row stage_rows[STAGE_KEYS];
#define STAGE_LONGEST_S 86400.0 /* that a change may take or last */

/* ---- changes ---- */

struct stage_change {
    enum stage_key key;
    double value;
    double seconds; /* it takes or lasts; NAN: as the row says */
};

/* The row of that name, or FAULT_UNKNOWN (-ENOENT). */
int stage_row_by_name(const char *name, enum stage_key *ret, struct fault *why);
/* A word or a number of that row; FAULT_INVALID. */
int stage_value(enum stage_key key, const char *text, double *ret, struct fault *why);
int stage_value_ok(enum stage_key key, double value, struct fault *why);
/* The word for a value of that row; NULL: it is a plain number. */
const char *stage_value_word(enum stage_key key, double value);
/* One change as text, words apart by blanks: "weather rain 5s", "lens clean", "input 2 on 3s".
 * Strict: what is not understood is FAULT_INVALID or FAULT_UNKNOWN. */
int stage_parse(const char *text, struct stage_change *ret, struct fault *why);

struct stage *stage_new(uint64_t seed); /* NULL: out of memory */
struct stage *stage_free(struct stage *s);

/* All of them at that time, or none: FAULT_INVALID; FAULT_LIMIT when too many changes are
 * waiting for their time. Of two of one time the later call counts. Not before 0. */
int stage_change(struct stage *s, int64_t time_ns, const struct stage_change *c, size_t n,
                 struct fault *why);
/* The hook for scenarios: one command as stage_parse() reads it. */
int stage_command_text(struct stage *s, int64_t time_ns, const char *text, struct fault *why);
/* Forgets what lies in the future of that time: another scenario begins. */
void stage_forget_after(struct stage *s, int64_t time_ns);

/* When the last change of those that hold at that time began to; 0: none has. The revision is
 * another one after each change and after forgetting. */
int64_t stage_since(struct stage *s, int64_t time_ns, uint64_t *ret_revision);

/* ---- what is so at a time ---- */

void stage_at(struct stage *s, int64_t time_ns, struct set *ret_set, struct mess *ret_mess);
/* Values of all rows, as they would be told (wind: -1 when automatic); what lasts not: 0. */
void stage_values(struct stage *s, int64_t time_ns, double ret[STAGE_KEYS]);
/* How the whole camera stands apart from where its head believes to look: turned, shaken,
 * knocked, in a strong wind. Degrees, to be added to the head's pose. */
void stage_mount(struct stage *s, int64_t time_ns, double *ret_dpan, double *ret_dtilt,
                 double *ret_droll);

/* How far it has been shaken out of where it stands, degrees: all axes together. */
double stage_shake(struct stage *s, int64_t time_ns);

/* Blows against the housing, and claps: how long a clap's lamp burns, and how long any of both
 * is heard at most. */
#define STAGE_CLAP_NS INT64_C(100000000)
#define STAGE_NOISE_NS INT64_C(800000000)
#define STAGE_NOISES 8
struct stage_noise {
    int64_t at_ns;
    double g; /* of a blow */
    bool clap;
};
/* Those that began within STAGE_NOISE_NS before that time. Returns how many. */
unsigned stage_noises(struct stage *s, int64_t time_ns, struct stage_noise ret[STAGE_NOISES]);
/* Whether a clap's lamp burns at some time in [start_ns, end_ns]. */
bool stage_flashes(struct stage *s, int64_t start_ns, int64_t end_ns);

/* What the device feels. */
struct stage_body {
    bool housing; /* attached */
    bool card, button;
    bool input[STAGE_INPUTS];
    double temperature_c;
    uint32_t power_cycles; /* so far */
};
void stage_body_at(struct stage *s, int64_t time_ns, struct stage_body *ret);
/* Acceleration in g, rest included: x to the right, y ahead, z up, of the housing. */
void stage_accel(struct stage *s, int64_t time_ns, double ret_g[3]);
/* The next time after that one at which stage_body_at() may change by itself; TIME_NEVER. */
int64_t stage_next(struct stage *s, int64_t after_ns);

/* The commands that make a new stage like this one, one a line; returns the length, which
 * is ≥ size when it did not fit. What passes by itself (a knock) is left out. */
size_t stage_as_text(struct stage *s, int64_t time_ns, char *ret, size_t size);

#endif
