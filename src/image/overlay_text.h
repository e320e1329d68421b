/* Modifiers of overlay text: %-forms of time, #-forms of the camera. One table tells them all;
 * a new one is one row. The same text serves file names and mails. Any thread. */
#ifndef IMAGE_OVERLAY_TEXT_H
#define IMAGE_OVERLAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OVERLAY_SLOTS 17           /* #D, #D1 … #D16 */
#define OVERLAY_EXPANDED_MOST 4096 /* bytes; the rest is cut off, at a character */

struct capture;
struct stream_stats;

/* What of the camera does not come with the picture. Zero: unknown, or there is none. */
struct overlay_facts {
    char ip[48], mac[18], host[64], lens[32];
    double temperature_c; /* NAN: no sensor */
    double most_zoom, sensor_width_mm;
    double widest_f, narrowest_f;
    double most_gain_db;
    int64_t shortest_ns, longest_ns; /* exposure */
    double frame_aspect;             /* width / height of the source's pictures */
    int preset;                      /* the one it stands at; 0: none */
    char preset_name[96];
};

/* What a text may speak of. */
struct overlay_speech {
    const struct capture *how;
    const struct stream_stats *stats; /* NULL: no one stream */
    const struct overlay_facts *facts;
    long tz_offset_s;                /* seconds east of UTC */
    const char *zone;                /* "CEST" */
    const char *language;            /* of the names of months and days: "de"; NULL: English */
    int source;                      /* #v */
    const char *slot[OVERLAY_SLOTS]; /* #D, #D1 …; NULL: empty */
};

/* size > 0; always ends in NUL, never within a character. Unknown modifiers stay as typed.
 * The length. */
size_t overlay_expand(const char *text, const struct overlay_speech *s, char *ret, size_t size);

/* What a text needs, without expanding it. */
struct overlay_needs {
    bool stream;    /* it names figures of one stream: #r #R #b #B */
    bool slot_only; /* nothing but event text and blanks: is there any, it shows */
    uint32_t slots; /* bit i: #Di */
};
struct overlay_needs overlay_text_needs(const char *text);

/* For lists: rows in order, grouped. false: no such row. */
struct overlay_modifier {
    const char *name, *group;
    bool has_index;
};
bool overlay_modifier_at(size_t i, struct overlay_modifier *ret);

#endif
