/* Names of months and days in the languages that the camera speaks on its pictures. Constant; any
 * thread. */
#ifndef IMAGE_OVERLAY_NAMES_H
#define IMAGE_OVERLAY_NAMES_H

struct overlay_names {
    const char *code; /* ISO 639-1 */
    const char *month[12], *short_month[12];
    const char *day[7], *short_day[7]; /* from Sunday on */
};

/* English where code is NULL or not known. */
const struct overlay_names *overlay_names_of(const char *code);

#endif
