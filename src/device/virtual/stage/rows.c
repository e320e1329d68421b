/* The table of what one can do on the stage, and the one parser of it as text. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "device/virtual/stage/stage.h"

#define MOST_TEXT 120
#define MOST_WORDS 8

static const struct stage_word off_on[] = {{"off", 0}, {"on", 1}, {0}};
static const struct stage_word automatic[] = {{"auto", -1}, {"off", 0}, {"on", 1}, {0}};
static const struct stage_word lamp_lights[] = {{"led", 0}, {"sodium", 1}, {0}};
static const struct stage_word mains[] = {{"off", 0}, {"50", 50}, {"60", 60}, {0}};
static const struct stage_word weathers[] = {
    {"clear", 0}, {"cloudy", 1}, {"overcast", 2}, {"fog", 3},
    {"rain", 4},  {"storm", 5},  {"snow", 6},     {0}};
static const struct stage_word unlimited[] = {{"unlimited", 100000}, {0}};
static const struct stage_word wind[] = {{"auto", -1}, {0}};
static const struct stage_word lid[] = {{"removed", 0}, {"attached", 1}, {0}};
static const struct stage_word card[] = {{"out", 0}, {"in", 1}, {0}};
static const struct stage_word power[] = {{"cycle", 1}, {0}};

#define INPUT(n, number)                                                                           \
    [n] = {.name = "input" number,                                                                 \
           .words = "input " number,                                                               \
           .group = "device",                                                                      \
           .doc = "Level at I/O port " number,                                                     \
           .word = off_on,                                                                         \
           .lasting = LASTS_FOR}

const struct stage_row stage_rows[STAGE_KEYS] = {
    [STAGE_HOUR] = {.name = "hour",
                    .words = "hour",
                    .group = "time",
                    .doc = "Local solar time: where the sun stands",
                    .unit = "h",
                    .numbers = true,
                    .max = 24,
                    .standard = 12},
    [STAGE_SPEED] = {.name = "speed",
                     .words = "speed",
                     .group = "time",
                     .doc = "How fast the sun moves: 0 stands still, 1 as in life, 60 an hour a "
                            "minute",
                     .unit = "x",
                     .numbers = true,
                     .max = 3600},
    [STAGE_WEATHER] = {.name = "weather",
                       .words = "weather",
                       .group = "weather",
                       .doc = "Clouds, fog, rain, snow and wetness in one; wind, too, where that "
                              "is automatic",
                       .word = weathers,
                       .lasting = LASTS_OVER,
                       .over_s = 5},
    [STAGE_CLOUD] = {.name = "cloud",
                     .words = "cloud",
                     .group = "weather",
                     .doc = "Share of the sky that is covered",
                     .numbers = true,
                     .max = 1,
                     .lasting = LASTS_OVER,
                     .over_s = 5},
    [STAGE_VISIBILITY] = {.name = "visibility",
                          .words = "visibility",
                          .group = "weather",
                          .doc = "How far one sees in the fog",
                          .unit = "m",
                          .word = unlimited,
                          .numbers = true,
                          .min = 20,
                          .max = 100000,
                          .standard = 100000,
                          .lasting = LASTS_OVER,
                          .over_s = 5},
    [STAGE_RAIN] = {.name = "rain",
                    .words = "rain",
                    .group = "weather",
                    .doc = "2 is light, 10 heavy, 30 a cloudburst",
                    .unit = "mm/h",
                    .numbers = true,
                    .max = 50,
                    .lasting = LASTS_OVER,
                    .over_s = 5},
    [STAGE_SNOW] = {.name = "snow",
                    .words = "snow",
                    .group = "weather",
                    .doc = "Snow that falls, as water",
                    .unit = "mm/h",
                    .numbers = true,
                    .max = 20,
                    .lasting = LASTS_OVER,
                    .over_s = 5},
    [STAGE_WET] = {.name = "wet",
                   .words = "wet",
                   .group = "weather",
                   .doc = "How wet the ground is",
                   .numbers = true,
                   .max = 1,
                   .lasting = LASTS_OVER,
                   .over_s = 5},
    [STAGE_WIND] = {.name = "wind",
                    .words = "wind",
                    .group = "weather",
                    .doc = "Mean speed of the wind; auto follows the weather",
                    .unit = "m/s",
                    .word = wind,
                    .numbers = true,
                    .max = 40,
                    .standard = -1,
                    .lasting = LASTS_OVER,
                    .over_s = 5},
    [STAGE_WIND_TO] = {.name = "windTo",
                       .words = "wind to",
                       .group = "weather",
                       .doc = "Where the wind blows to, as pan",
                       .unit = "deg",
                       .numbers = true,
                       .min = -180,
                       .max = 180,
                       .standard = 70},
    [STAGE_LAMPS] = {.name = "lamps",
                     .words = "lamps",
                     .group = "light",
                     .doc = "Street lamps and windows; auto burns when it is dark",
                     .word = automatic,
                     .numbers = true,
                     .max = 1,
                     .standard = -1},
    [STAGE_LAMP_LIGHT] = {.name = "lampLight",
                          .words = "lamp light",
                          .group = "light",
                          .doc = "What street lamps are: warm white, or orange with much infrared",
                          .word = lamp_lights},
    [STAGE_MAINS] = {.name = "mains",
                     .words = "mains",
                     .group = "light",
                     .doc = "Hz of the current that lamps flicker with, twice a period; off: they "
                            "burn evenly",
                     .word = mains},
    [STAGE_IR] = {.name = "ir",
                  .words = "ir",
                  .group = "light",
                  .doc = "The camera's own infrared lamp; auto: as the camera will",
                  .word = automatic,
                  .numbers = true,
                  .max = 1,
                  .standard = -1},
    [STAGE_IR_BEAM] = {.name = "irBeam",
                       .words = "ir beam",
                       .group = "light",
                       .doc = "Full width of its beam, where it is not auto",
                       .unit = "deg",
                       .numbers = true,
                       .min = 5,
                       .max = 120,
                       .standard = 60},
    [STAGE_SPRAY] = {.name = "spray",
                     .words = "lens spray",
                     .group = "lens",
                     .doc = "Paint on the dome: share of the picture",
                     .numbers = true,
                     .max = 1,
                     .lasting = LASTS_OVER,
                     .over_s = 1},
    [STAGE_COVER] = {.name = "cover",
                     .words = "lens cover",
                     .group = "lens",
                     .doc = "A dark cloth over the dome: share of the picture",
                     .numbers = true,
                     .max = 1,
                     .lasting = LASTS_OVER,
                     .over_s = 1},
    [STAGE_BLUR] = {.name = "blur",
                    .words = "lens blur",
                    .group = "lens",
                    .doc = "Out of focus: 1 makes discs of a tenth of the picture's width",
                    .numbers = true,
                    .max = 1,
                    .lasting = LASTS_OVER,
                    .over_s = 1},
    [STAGE_CLEAN] = {.name = "clean",
                     .words = "lens clean",
                     .group = "lens",
                     .doc = "Takes spray, cover, blur and drops off the dome",
                     .bare = true,
                     .lasting = LASTS_NOT},
    [STAGE_TURN_PAN] = {.name = "turnPan",
                        .words = "turn pan",
                        .group = "mount",
                        .doc = "The whole camera, turned on its mount; the head does not know",
                        .unit = "deg",
                        .numbers = true,
                        .min = -180,
                        .max = 180,
                        .lasting = LASTS_OVER,
                        .over_s = 1},
    [STAGE_TURN_TILT] = {.name = "turnTilt",
                         .words = "turn tilt",
                         .group = "mount",
                         .doc = "The same, up or down",
                         .unit = "deg",
                         .numbers = true,
                         .min = -60,
                         .max = 60,
                         .lasting = LASTS_OVER,
                         .over_s = 1},
    [STAGE_SHAKE] = {.name = "shake",
                     .words = "shake",
                     .group = "mount",
                     .doc = "The mount vibrates: amplitude",
                     .unit = "deg",
                     .numbers = true,
                     .max = 5,
                     .lasting = LASTS_FOR},
    [STAGE_KNOCK] = {.name = "knock",
                     .words = "knock",
                     .group = "mount",
                     .doc = "A blow against the housing: its peak",
                     .unit = "g",
                     .numbers = true,
                     .bare = true,
                     .min = 0.1,
                     .max = 16,
                     .standard = 3,
                     .lasting = LASTS_NOT},
    [STAGE_CLAP] = {.name = "clap",
                    .words = "clap",
                    .group = "mount",
                    .doc = "A clapperboard before the camera: it clacks, and its lamp lights up at "
                           "the picture's left edge",
                    .bare = true,
                    .lasting = LASTS_NOT},
    [STAGE_HOUSING] = {.name = "housing",
                       .words = "housing",
                       .group = "device",
                       .doc = "The cover of the housing; the camera restarts when it comes off or "
                              "on",
                       .word = lid,
                       .standard = 1},
    [STAGE_CARD] = {.name = "card",
                    .words = "card",
                    .group = "device",
                    .doc = "The memory card",
                    .word = card,
                    .standard = 1},
    INPUT(STAGE_INPUT1, "1"),
    INPUT(STAGE_INPUT2, "2"),
    INPUT(STAGE_INPUT3, "3"),
    INPUT(STAGE_INPUT4, "4"),
    [STAGE_BUTTON] = {.name = "button",
                      .words = "button",
                      .group = "device",
                      .doc = "The control button, held for so long",
                      .unit = "s",
                      .numbers = true,
                      .bare = true,
                      .max = 120,
                      .standard = 1,
                      .lasting = LASTS_NOT},
    [STAGE_POWER] = {.name = "power",
                     .words = "power",
                     .group = "device",
                     .doc = "Power off and on again: the camera restarts",
                     .word = power,
                     .lasting = LASTS_NOT},
    [STAGE_TEMPERATURE] = {.name = "temperature",
                           .words = "temperature",
                           .group = "device",
                           .doc = "Inside the housing",
                           .unit = "deg C",
                           .numbers = true,
                           .min = -60,
                           .max = 120,
                           .standard = 35,
                           .lasting = LASTS_OVER},
};

int stage_row_by_name(const char *name, enum stage_key *ret, struct fault *why)
{
    for (int i = 0; i < STAGE_KEYS; i++)
        if (!strcmp(stage_rows[i].name, name)) {
            *ret = (enum stage_key)i;
            return 0;
        }
    return fault_set(why, FAULT_UNKNOWN, name, "The stage has no \"%.40s\".", name);
}

const char *stage_value_word(enum stage_key key, double value)
{
    for (const struct stage_word *w = stage_rows[key].word; w && w->word; w++)
        if (w->value == value)
            return w->word;
    return NULL;
}

static int refuse(const struct stage_row *r, struct fault *why)
{
    char words[128] = "";
    size_t len = 0;
    for (const struct stage_word *w = r->word; w && w->word && len < sizeof words; w++)
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", len ? ", " : "", w->word);
    if (!r->numbers && !r->word)
        return fault_set(why, FAULT_INVALID, r->name, "%s takes no value.", r->name);
    if (!r->numbers)
        return fault_set(why, FAULT_INVALID, r->name, "%s is one of %s.", r->name, words);
    return fault_set(why, FAULT_INVALID, r->name, "%s is %.9g to %.9g%s%s%s%s.", r->name, r->min,
                     r->max, r->unit ? " " : "", r->unit ? r->unit : "", *words ? ", or " : "",
                     words);
}

int stage_value_ok(enum stage_key key, double value, struct fault *why)
{
    const struct stage_row *r = &stage_rows[key];
    bool bare = !r->numbers && !r->word; /* its deed has one value */
    if ((bare && value == 1) || (r->numbers && value >= r->min && value <= r->max) ||
        stage_value_word(key, value))
        return 0;
    return refuse(r, why);
}

int stage_value(enum stage_key key, const char *text, double *ret, struct fault *why)
{
    const struct stage_row *r = &stage_rows[key];
    for (const struct stage_word *w = r->word; w && w->word; w++)
        if (!strcmp(w->word, text)) {
            *ret = w->value;
            return 0;
        }
    if (r->numbers && !text_double(text, r->min, r->max, ret))
        return 0;
    return refuse(r, why);
}

/* "5s", "0.5s" */
static int parse_seconds(const char *text, double *ret, struct fault *why)
{
    char number[32];
    size_t len = strlen(text);
    if (len > 1 && len < sizeof number && text[len - 1] == 's') {
        memcpy(number, text, len - 1);
        number[len - 1] = '\0';
        if (!text_double(number, 0, STAGE_LONGEST_S, ret))
            return 0;
    }
    return fault_set(why, FAULT_INVALID, "seconds",
                     "A time is 0s to %.0fs, such as 5s, not \"%.30s\".", STAGE_LONGEST_S, text);
}

/* Takes the blanks out: words in ret[]. How many, or -1: too many, or no plain text. */
static int split(const char *text, char copy[MOST_TEXT + 1], char *ret[MOST_WORDS])
{
    int n = 0;
    if (!text_is_ascii_print(text) || !text_copy(copy, MOST_TEXT + 1, text))
        return -1;
    for (char *at = copy; *(at += strspn(at, " "));) {
        if (n == MOST_WORDS)
            return -1;
        ret[n++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    return n;
}

/* How many of the words are this row's; 0: it is another. */
static int matches(const struct stage_row *r, char *const word[], int n)
{
    int used = 0;
    for (const char *at = r->words; *at; used++) {
        size_t len = strcspn(at, " ");
        if (used == n || strlen(word[used]) != len || strncmp(word[used], at, len) != 0)
            return 0;
        at += len + (at[len] == ' ');
    }
    return used;
}

int stage_parse(const char *text, struct stage_change *ret, struct fault *why)
{
    char copy[MOST_TEXT + 1], *word[MOST_WORDS];
    int n = split(text, copy, word), used = 0, key = 0;
    if (n <= 0)
        return fault_set(why, FAULT_INVALID, NULL,
                         "A command is one to %d words of plain text, %d characters at most.",
                         MOST_WORDS, MOST_TEXT);
    for (int i = 0; i < STAGE_KEYS; i++) {
        int m = matches(&stage_rows[i], word, n);
        if (m > used) { /* "wind to" goes before "wind" */
            used = m;
            key = i;
        }
    }
    if (!used)
        return fault_set(why, FAULT_UNKNOWN, word[0], "The stage knows no command \"%.40s\".",
                         word[0]);
    const struct stage_row *r = &stage_rows[key];
    bool takes = r->numbers || r->word;
    struct stage_change c = {
        .key = (enum stage_key)key, .value = takes ? r->standard : 1, .seconds = NAN};
    int err = 0;
    if (used < n && takes)
        err = stage_value(c.key, word[used++], &c.value, why);
    else if (!r->bare)
        return fault_set(why, FAULT_MISSING, r->name, "%s wants a value.", r->words);
    if (!err && used < n && (r->lasting == LASTS_OVER || r->lasting == LASTS_FOR))
        err = parse_seconds(word[used++], &c.seconds, why);
    if (err)
        return err;
    if (used < n)
        return fault_set(why, FAULT_INVALID, r->name, "%s: \"%.40s\" is too much.", r->words,
                         word[used]);
    *ret = c;
    return 0;
}
