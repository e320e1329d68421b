#include "image/mask_settings.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "conf/param.h"

const char *const mask_colour_names[] = {"black", "grey",    "white",  "red",    "green",  "blue",
                                         "cyan",  "magenta", "yellow", "mosaic", "custom", NULL};
enum { COLOUR_MOSAIC = 9, COLOUR_CUSTOM };
static const uint8_t colours[COLOUR_MOSAIC][3] = {
    {0, 0, 0},   {128, 128, 128}, {255, 255, 255}, {255, 0, 0},   {0, 255, 0},
    {0, 0, 255}, {0, 255, 255},   {255, 0, 255},   {255, 255, 0},
};

#define FIELD(f) PARAM_FIELD(struct mask_settings, f), .read = ROLE_OPERATOR, .write = ROLE_ADMIN
#define MASK(word, f)                                                                              \
    .name = MASK_GROUP ".M#." word, FIELD(mask[0].f), .stride = sizeof(struct mask_row),           \
    .count = MASK_MAX, .used_offset = offsetof(struct mask_settings, mask[0].used),                \
    .template_name = MASK_TEMPLATE

static const struct param_row rows[] = {
    {.name = MASK_GROUP ".Enabled",
     FIELD(shown),
     .type = PARAM_BOOL,
     .standard = "yes",
     .doc = "no: no privacy mask covers anything, whatever its own switch says"},
    {.name = MASK_GROUP ".Color",
     FIELD(colour),
     .type = PARAM_ENUM,
     .choices = mask_colour_names,
     .standard = "black",
     .doc = "How all masks look: one colour, CustomColor, or a mosaic of what is beneath"},
    {.name = MASK_GROUP ".CustomColor",
     FIELD(rgb),
     .type = PARAM_STRING,
     .standard = "#808080",
     .doc = "#rrggbb: the colour of all masks while Color is custom"},
    {.name = MASK_GROUP ".MosaicScale",
     FIELD(blocks),
     .type = PARAM_INT,
     .min = MASK_LEAST_BLOCKS,
     .max = MASK_MOST_BLOCKS,
     .standard = "8",
     .doc = "Blocks of the mosaic along the longer side of each mask; fewer hide more"},
    {MASK("Enabled", enabled), .type = PARAM_BOOL, .standard = "yes",
     .doc = "no: this mask covers nothing"},
    {MASK("Name", name), .type = PARAM_STRING, .standard = "", .doc = "Name of the mask"},
    {MASK("Polygon", polygon), .type = PARAM_STRING, .standard = "",
     .doc = "3 to 10 directions, PAN,TILT:PAN,TILT:… in degrees"},
    {MASK("ZoomLowLimit", zoom_low), .type = PARAM_INT, .min = 0, .max = MASK_ZOOM_MOST,
     .standard = "0", .doc = "It covers from this zoom on (VAPIX, 1 to 9999); 0: always"},
};

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool parse_rgb(const char *text, uint8_t ret[3])
{
    if (strlen(text) != 7 || *text != '#')
        return false;
    for (int i = 0; i < 3; i++) {
        int high = hex(text[1 + 2 * i]), low = hex(text[2 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(16 * high + low);
    }
    return true;
}

struct strictness {
    bool on;
};
static struct strictness strict; /* set once, before the doors open */

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct mask_settings *s = candidate;
    const struct strictness *is = arg;
    uint8_t rgb[3];
    struct mask m;
    if (!is->on)
        return 0;
    if (!parse_rgb(s->rgb, rgb))
        return fault_set(why, FAULT_INVALID, MASK_GROUP ".CustomColor",
                         "a colour is written #rrggbb, such as #808080");
    for (int i = 0; i < MASK_MAX; i++) {
        if (!s->mask[i].used)
            continue;
        int rc = mask_parse(s->mask[i].polygon, &m, why);
        if (rc < 0)
            return rc;
        for (int k = 0; k < i && *s->mask[i].name; k++)
            if (s->mask[k].used && !strcmp(s->mask[k].name, s->mask[i].name))
                return fault_set(why, FAULT_CONFLICT, "Name",
                                 "there is a mask named \"%.60s\" already: choose another name",
                                 s->mask[i].name);
    }
    return 0;
}

const struct room_desc mask_room_desc = {.name = "masks",
                                         .size = sizeof(struct mask_settings),
                                         .rows = rows,
                                         .n_rows = sizeof(rows) / sizeof(*rows),
                                         .check = check,
                                         .arg = &strict};

void mask_settings_strict(void)
{
    strict.on = true;
}

static uint8_t byte(double v)
{
    return (uint8_t)lrint(fmin(fmax(v, 1), 254));
}

static void to_709(const uint8_t rgb[3], uint8_t ret[3])
{
    double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0;
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    ret[0] = byte(16 + 219 * y);
    ret[1] = byte(128 + 224 * (b - y) / 1.8556);
    ret[2] = byte(128 + 224 * (r - y) / 1.5748);
}

void mask_settings_set(const struct mask_settings *s, double (*magnification)(int zoom, void *arg),
                       void *arg, struct mask_set *ret)
{
    uint8_t rgb[3] = {0, 0, 0};
    memset(ret, 0, sizeof(*ret));
    ret->look = s->colour == COLOUR_MOSAIC ? MASK_MOSAIC : MASK_SOLID;
    ret->blocks = s->blocks;
    if (s->colour == COLOUR_CUSTOM)
        parse_rgb(s->rgb, rgb); /* unreadable: black */
    else if (s->colour < COLOUR_MOSAIC)
        memcpy(rgb, colours[s->colour], sizeof(rgb));
    to_709(rgb, ret->colour);
    for (int i = 0; i < MASK_MAX && s->shown; i++) {
        const struct mask_row *row = &s->mask[i];
        struct fault why = {0};
        if (!row->used || !row->enabled)
            continue;
        struct mask *m = &ret->mask[ret->n];
        if (mask_parse(row->polygon, m, &why) < 0) {
            log_error("image", "privacy mask M%d cannot be read, so everything is covered: %s", i,
                      why.text);
            ret->everything = true;
            continue;
        }
        m->index = i;
        m->least_zoom = row->zoom_low > 0 && magnification ? magnification(row->zoom_low, arg) : 0;
        ret->n++;
    }
}
