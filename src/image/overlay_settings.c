#include "image/overlay_settings.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "media/frame.h"

#define LINE_MOST 80 /* characters of Image.I0.Text.String, as VAPIX has it */

static const char *const line_colours[] = {"white", "black", NULL};
static const char *const line_grounds[] = {"white", "black", "transparent", "semitransparent",
                                           NULL};
static const char *const line_places[] = {"top", "bottom", NULL};
static const char *const line_sizes[] = {"small", "medium", "large", NULL};
static const char *const kinds[] = {"text", "image", NULL};
const char *const overlay_places[] = {"topLeft",     "top",    "topRight",   "left",
                                      "center",      "right",  "bottomLeft", "bottom",
                                      "bottomRight", "custom", NULL};
static const char *const aligns[] = {"left", "center", "right", NULL};
static const char *const references[] = {"channel", "scene", NULL};
const char *const overlay_indicators[] = {"", "circle", "cross", "square", NULL};
static const char *const styles[] = {"strip", "rose", NULL};
static const char *const names[] = {"none", "presets", "streets", "all", NULL};
const char *const overlay_mark_sizes[] = {"H1",    "H2",     "H3",    "H4", "H5",
                                          "small", "medium", "large", NULL};

#define FIELD(f) PARAM_FIELD(struct overlay_settings, f)
#define ROLES .read = ROLE_VIEWER, .write = ROLE_OPERATOR
#define ENUM(row, f, list, value, ...)                                                             \
    {                                                                                              \
        .name = row, FIELD(f), .type = PARAM_ENUM, .choices = list, .standard = value, ROLES,      \
        .doc = __VA_ARGS__                                                                         \
    }
#define BOOL(row, f, value, ...)                                                                   \
    {                                                                                              \
        .name = row, FIELD(f), .type = PARAM_BOOL, .standard = value, ROLES, .doc = __VA_ARGS__    \
    }
#define NUMBER(row, f, kind, least, most, value, in, ...)                                          \
    {                                                                                              \
        .name = row, FIELD(f), .type = kind, .min = least, .max = most, .standard = value, ROLES,  \
        .unit = in, .doc = __VA_ARGS__                                                             \
    }
#define STRING(row, f, value, ...)                                                                 \
    {                                                                                              \
        .name = row, FIELD(f), .type = PARAM_STRING, .standard = value, ROLES, .doc = __VA_ARGS__  \
    }
/* Of each channel. */
#define OF_LINE .stride = sizeof(struct overlay_line), .count = VIEWS_MOST, ROLES
#define LINE(row, f, kind, from, value, ...)                                                       \
    {                                                                                              \
        .name = "Image.I#." row, FIELD(line[0].f), .type = kind, .standard = value, OF_LINE,       \
        .first = from, .doc = __VA_ARGS__                                                          \
    }
#define LINE_ENUM(row, f, list, value, ...)                                                        \
    {                                                                                              \
        .name = "Image.I#." row, FIELD(line[0].f), .type = PARAM_ENUM, .choices = list,            \
        .standard = value, OF_LINE, .doc = __VA_ARGS__                                             \
    }
#define LINE_PIXELS(row, f, ...)                                                                   \
    {                                                                                              \
        .name = "Image.I#." row, FIELD(line[0].f), .type = PARAM_INT, .min = 0, .max = 8192,       \
        .standard = "0", .unit = "px", OF_LINE, .doc = __VA_ARGS__                                 \
    }
#define OF_ROW                                                                                     \
    .stride = sizeof(struct overlay_row), .count = OVERLAYS_MOST,                                  \
    .used_offset = offsetof(struct overlay_settings, row[0].used),                                 \
    .template_name = "dynamicoverlay", ROLES
#define ROW_ENUM(row_, f, list, value, ...)                                                        \
    {                                                                                              \
        .name = "DynamicOverlay.O#." row_, FIELD(row[0].f), .type = PARAM_ENUM, .choices = list,   \
        .standard = value, OF_ROW, .doc = __VA_ARGS__                                              \
    }
#define ROW_BOOL(row_, f, value, ...)                                                              \
    {                                                                                              \
        .name = "DynamicOverlay.O#." row_, FIELD(row[0].f), .type = PARAM_BOOL, .standard = value, \
        OF_ROW, .doc = __VA_ARGS__                                                                 \
    }
#define ROW_NUMBER(row_, f, kind_, least, most, value, in, ...)                                    \
    {                                                                                              \
        .name = "DynamicOverlay.O#." row_, FIELD(row[0].f), .type = kind_, .min = least,           \
        .max = most, .standard = value, OF_ROW, .unit = in, .doc = __VA_ARGS__                     \
    }
#define ROW_STRING(row_, f, value, ...)                                                            \
    {                                                                                              \
        .name = "DynamicOverlay.O#." row_, FIELD(row[0].f), .type = PARAM_STRING,                  \
        .standard = value, OF_ROW, .doc = __VA_ARGS__                                              \
    }
#define OF_STREET                                                                                  \
    .stride = sizeof(struct compass_street), .count = STREETS_MOST,                                \
    .used_offset = offsetof(struct overlay_settings, compass.street[0].used),                      \
    .template_name = "street", ROLES

static const struct param_row rows[] = {
    LINE("Text.TextEnabled", text_enabled, PARAM_BOOL, 0, "no",
         "Shows the text of Image.I#.Text.String in the picture"),
    LINE("Text.String", string, PARAM_STRING, 0, "",
         "Text in the picture; modifiers (docs/overlays.md) become time, figures, names"),
    BOOL("Image.I0.Text.ClockEnabled", line[0].clock_enabled, "yes",
         "Shows the time of day in the picture"),
    LINE("Text.ClockEnabled", clock_enabled, PARAM_BOOL, 1, "no",
         "Shows the time of day in the picture"),
    BOOL("Image.I0.Text.DateEnabled", line[0].date_enabled, "yes", "Shows the date in the picture"),
    LINE("Text.DateEnabled", date_enabled, PARAM_BOOL, 1, "no", "Shows the date in the picture"),
    LINE_ENUM("Text.Color", color, line_colours, "white", "Colour of the text in the picture"),
    LINE_ENUM("Text.BGColor", background, line_grounds, "black", "What lies behind the text"),
    LINE_ENUM("Text.Position", position, line_places, "top",
              "Edge of the picture at which the text stands"),
    LINE_ENUM("Text.TextSize", size, line_sizes, "medium",
              "Height of the text, relative to the picture"),
    LINE("Overlay.Enabled", image_enabled, PARAM_BOOL, 0, "no",
         "Shows the standard picture (Image.OverlayPath) in the picture"),
    LINE_PIXELS("Overlay.XPos", image_x,
                "Left edge of the standard picture, at the reference height"),
    LINE_PIXELS("Overlay.YPos", image_y,
                "Upper edge of the standard picture, at the reference height"),
    STRING("Image.OverlayPath", image_path, "", "The standard picture of overlays"),

    NUMBER("DynamicOverlay.ReferenceHeight", reference_height, PARAM_INT, 120, 4320, "1080", "px",
           "Height of the picture (of its short side) at which sizes of overlays are as they say"),
    ROW_ENUM("Type", kind, kinds, "text", "Text or a picture"),
    ROW_NUMBER("Camera", camera, PARAM_INT, 0, VIEWS_MOST, "1", NULL, "Channel it is on; 0: all"),
    ROW_STRING("Text", text, "", "Text with modifiers; \\n is a new line, \\\\ a backslash"),
    ROW_STRING("OverlayPath", path, "", "Picture, as the picture manager names it"),
    ROW_ENUM("Position", place, overlay_places, "topLeft", "Where it stands"),
    ROW_NUMBER("X", x, PARAM_DOUBLE, -1, 1, "0", NULL,
               "Position custom: where its middle is, −1 left … 1 right; kept inside the picture"),
    ROW_NUMBER("Y", y, PARAM_DOUBLE, -1, 1, "0", NULL,
               "Position custom: where its middle is, −1 top … 1 bottom"),
    ROW_NUMBER("FontSize", font_size, PARAM_INT, 0, OVERLAY_FONT_MOST, "32", "px",
               "Size of the text at the reference height"),
    ROW_NUMBER("Scale", scale, PARAM_INT, 5, 400, "100", "%",
               "Size of a picture, of what it is at the reference height"),
    ROW_BOOL("Scalable", scalable, "yes",
             "Its size follows the stream's resolution; no: the same pixels in every stream"),
    ROW_STRING("TextColor", colour, "white", "Colour of the text, by name or #rrggbb"),
    ROW_STRING("BGColor", ground, "black", "What lies behind the text; also transparent"),
    ROW_STRING("OutlineColor", outline, "transparent", "Outline of the letters"),
    ROW_NUMBER("Opacity", opacity, PARAM_INT, 0, 100, "100", "%", "Of the whole overlay"),
    ROW_NUMBER("Rotation", rotation, PARAM_DOUBLE, -180, 180, "0", "deg", "Clockwise"),
    ROW_NUMBER("ScrollSpeed", scroll, PARAM_INT, -20, 20, "0", NULL,
               "Text runs to the left (to the right when negative); 0: it stands"),
    ROW_NUMBER("WrapWidth", wrap, PARAM_INT, 0, 100, "0", "%",
               "Lines break at this share of the picture's width; 0: at its edge"),
    ROW_ENUM("Align", align, aligns, "left", "How lines of unlike length stand"),
    ROW_BOOL("Visible", visible, "yes", "Shown or kept for later"),
    ROW_NUMBER("ZIndex", z, PARAM_INT, -1000, 1000, "0", NULL, "Higher ones cover lower ones"),
    ROW_ENUM("Reference", reference, references, "channel",
             "Tied to the picture, or to a point of the scene"),
    ROW_NUMBER("Pan", pan_deg, PARAM_DOUBLE, -180, 180, "0", "deg", "Of the point of the scene"),
    ROW_NUMBER("Tilt", tilt_deg, PARAM_DOUBLE, -180, 180, "0", "deg", "Of the point of the scene"),
    ROW_NUMBER("ZoomLow", zoom_low, PARAM_INT, 1, 19999, "1", NULL,
               "Tied to the scene: shown from this zoom on"),
    ROW_NUMBER("ZoomHigh", zoom_high, PARAM_INT, 1, 19999, "19999", NULL,
               "Tied to the scene: shown up to this zoom"),
    ROW_ENUM("Indicator", indicator, overlay_indicators, "",
             "Tied to the scene: a mark on the point itself"),
    ROW_NUMBER("IndicatorSize", indicator_size, PARAM_INT, 0, 200, "24", "px", "Of that mark"),
    ROW_STRING("IndicatorColor", indicator_colour, "white", "Of that mark"),
    ROW_STRING("IndicatorBGColor", indicator_ground, "transparent", "Inside of that mark"),
    ROW_STRING("IndicatorOutlineColor", indicator_outline, "transparent", "Around that mark"),

    BOOL("Image.I0.StreamingIndicator.Enabled", mark.enabled, "no",
         "A mark that moves with every picture: shows that the picture is live"),
    ENUM("Image.I0.StreamingIndicator.Size", mark.size, overlay_mark_sizes, "H2",
         "H1 smallest … H5; small, medium and large are H1 to H3"),
    ENUM("Image.I0.StreamingIndicator.Position", mark.place, overlay_places, "bottomRight",
         "Where the streaming indicator stands"),
    NUMBER("Image.I0.StreamingIndicator.X", mark.x, PARAM_DOUBLE, -1, 1, "0", NULL,
           "Position custom: where its middle is, −1 left … 1 right"),
    NUMBER("Image.I0.StreamingIndicator.Y", mark.y, PARAM_DOUBLE, -1, 1, "0", NULL,
           "Position custom: where its middle is, −1 top … 1 bottom"),
    STRING("Image.I0.StreamingIndicator.Color", mark.colour, "white", "Of what moves"),
    STRING("Image.I0.StreamingIndicator.BGColor", mark.ground, "semiTransparent",
           "What lies behind it"),

    BOOL("Image.I0.OrientationAid.Enabled", compass.enabled, "no",
         "Shows a compass with the direction of view in all streams"),
    ENUM("Image.I0.OrientationAid.Style", compass.style, styles, "strip",
         "A strip of bearings or a compass rose"),
    ENUM("Image.I0.OrientationAid.Position", compass.place, overlay_places, "bottom",
         "Where the compass stands"),
    ENUM("Image.I0.OrientationAid.Names", compass.names, names, "all",
         "Names of presets and streets at their bearings"),
    NUMBER("Image.I0.OrientationAid.North", compass.north_deg, PARAM_DOUBLE, -180, 180, "0", "deg",
           "Pan at which north lies"),
    NUMBER("Image.I0.OrientationAid.Size", compass.size, PARAM_INT, 50, 200, "100", "%",
           "Of the compass"),
    NUMBER("Image.I0.OrientationAid.Opacity", compass.opacity, PARAM_INT, 10, 100, "85", "%",
           "Of the compass"),
    STRING("Image.I0.OrientationAid.Color", compass.colour, "white", "Of letters and lines"),
    {.name = "Image.I0.OrientationAid.S#.Name",
     FIELD(compass.street[0].name),
     .type = PARAM_STRING,
     .standard = "",
     OF_STREET,
     .doc = "Name of a street or whatever lies there"},
    {.name = "Image.I0.OrientationAid.S#.Bearing",
     FIELD(compass.street[0].bearing_deg),
     .type = PARAM_DOUBLE,
     .min = 0,
     .max = 360,
     .standard = "0",
     OF_STREET,
     .unit = "deg",
     .doc = "Where it lies, from north, clockwise"},
};

/* ---- colours ---- */

static const struct {
    const char *name;
    struct rgba is;
} colours[] = {
    {"black", {0, 0, 0, 1}},
    {"white", {1, 1, 1, 1}},
    {"red", {0.86, 0.1, 0.1, 1}},
    {"green", {0.1, 0.65, 0.2, 1}},
    {"blue", {0.12, 0.35, 0.9, 1}},
    {"yellow", {0.98, 0.85, 0.1, 1}},
    {"orange", {0.98, 0.55, 0.05, 1}},
    {"grey", {0.5, 0.5, 0.5, 1}},
    {"gray", {0.5, 0.5, 0.5, 1}},
    {"transparent", {0, 0, 0, 0}},
    {"semiTransparent", {0, 0, 0, 0.5}},
};

int overlay_colour(const char *text, struct rgba *ret)
{
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
        if (text_iequal(text, colours[i].name)) {
            *ret = colours[i].is;
            return 0;
        }
    }
    const char *hex = *text == '#' ? text + 1 : text;
    size_t n = strlen(hex);
    unsigned v[4] = {0, 0, 0, 255};
    if (n != 6 && n != 8)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (!isxdigit((unsigned char)hex[i]))
            return -EINVAL;
        unsigned digit = (unsigned)(hex[i] <= '9' ? hex[i] - '0' : (hex[i] | 32) - 'a' + 10);
        v[i / 2] = i % 2 ? v[i / 2] * 16 + digit : digit;
    }
    *ret = (struct rgba){v[0] / 255.0, v[1] / 255.0, v[2] / 255.0, v[3] / 255.0};
    return 0;
}

int overlay_mark_side(const struct mark_settings *m, int width, int height)
{
    static const double share[] = {0.03, 0.045, 0.065, 0.09, 0.12, 0.03, 0.045, 0.065};
    int side = (int)((width < height ? width : height) * share[m->size]) & ~1;
    return side < 12 ? 12 : side > 512 ? 512 : side;
}

/* ---- check ---- */

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

/* Of an overlay's text, in which \n and \\ stand for one. */
static size_t text_characters(const char *s)
{
    size_t n = characters(s);
    for (; *s; s++)
        if (*s == '\\' && (s[1] == 'n' || s[1] == '\\')) {
            s++;
            n--;
        }
    return n;
}

static int check_colour(const char *name, int index, const char *value, struct fault *why)
{
    struct rgba c;
    char full[64];
    if (!overlay_colour(value, &c))
        return 0;
    if (index >= 0)
        snprintf(full, sizeof full, "DynamicOverlay.O%d.%s", index, name);
    else
        snprintf(full, sizeof full, "%s", name);
    return fault_set(why, FAULT_INVALID, full,
                     "%s must be black, white, grey, red, green, blue, yellow, orange, "
                     "transparent, semiTransparent or #rrggbb",
                     full);
}

/* "logo.ovl" or with the folder that VAPIX has for them. */
static int check_path(const char *name, const char *value, struct fault *why)
{
    const char *last = strrchr(value, '/');
    bool folder = last && strncmp(value, "/etc/overlays/", sizeof "/etc/overlays/" - 1);
    if (!*value || (!folder && (!last || last == value + sizeof "/etc/overlays/" - 2)))
        return 0;
    return fault_set(why, FAULT_INVALID, name,
                     "must be the name of a picture, such as manageoverlayimages.cgi lists");
}

static int check_row(const struct overlay_row *r, int i, struct fault *why)
{
    char name[64];
    snprintf(name, sizeof name, "DynamicOverlay.O%d.Text", i);
    size_t n = text_characters(r->text);
    if (n > OVERLAY_TEXT_CHARACTERS)
        return fault_set(why, FAULT_INVALID, name, "has %zu characters; at most %d fit", n,
                         OVERLAY_TEXT_CHARACTERS);
    const struct {
        const char *name, *value;
    } all[] = {{"TextColor", r->colour},
               {"BGColor", r->ground},
               {"OutlineColor", r->outline},
               {"IndicatorColor", r->indicator_colour},
               {"IndicatorBGColor", r->indicator_ground},
               {"IndicatorOutlineColor", r->indicator_outline}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        int err = check_colour(all[k].name, i, all[k].value, why);
        if (err)
            return err;
    }
    snprintf(name, sizeof name, "DynamicOverlay.O%d.ZoomLow", i);
    if (r->zoom_low > r->zoom_high)
        return fault_set(why, FAULT_INVALID, name, "must not be more than ZoomHigh, %d",
                         r->zoom_high);
    snprintf(name, sizeof name, "DynamicOverlay.O%d.OverlayPath", i);
    return check_path(name, r->path, why);
}

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct overlay_settings *s = candidate;
    for (int i = 0; i < VIEWS_MOST; i++) {
        char name[32];
        size_t n = characters(s->line[i].string);
        snprintf(name, sizeof name, "Image.I%d.Text.String", i);
        if (n > LINE_MOST)
            return fault_set(why, FAULT_INVALID, name, "has %zu characters; at most %d fit", n,
                             LINE_MOST);
    }
    int err = check_path("Image.OverlayPath", s->image_path, why);
    for (int i = 0; !err && i < OVERLAYS_MOST; i++)
        err = s->row[i].used ? check_row(&s->row[i], i, why) : 0;
    if (!err)
        err = check_colour("Image.I0.StreamingIndicator.Color", -1, s->mark.colour, why);
    if (!err)
        err = check_colour("Image.I0.StreamingIndicator.BGColor", -1, s->mark.ground, why);
    if (!err)
        err = check_colour("Image.I0.OrientationAid.Color", -1, s->compass.colour, why);
    return err;
}

const struct room_desc overlay_room_desc = {.name = "overlay",
                                            .size = sizeof(struct overlay_settings),
                                            .rows = rows,
                                            .n_rows = sizeof rows / sizeof *rows,
                                            .check = check};
