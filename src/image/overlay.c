#include "image/overlay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/overlay_label.h"

#define TEXT_MAX 80      /* characters of the setting, as VAPIX has it */
#define EXPANDED_MAX 512 /* expanded */
#define CACHED 8         /* labels: one a picture height and stream in use */

struct overlay_settings {
    bool text_enabled, clock_enabled, date_enabled;
    char string[TEXT_MAX * 4 + 1]; /* UTF-8 */
    int color, background, position, size;
};

static const char *const colors[] = {"white", "black", NULL};
static const char *const backgrounds[] = {"white", "black", "transparent", "semitransparent", NULL};
static const char *const positions[] = {"top", "bottom", NULL};
static const char *const sizes[] = {"small", "medium", "large", NULL};

#define FIELD(f) PARAM_FIELD(struct overlay_settings, f)
#define ROLES .read = ROLE_VIEWER, .write = ROLE_OPERATOR
static const struct param_row rows[] = {
    {.name = "Image.I0.Text.TextEnabled",
     .type = PARAM_BOOL,
     FIELD(text_enabled),
     .standard = "no",
     ROLES,
     .doc = "Shows the text of Image.I0.Text.String in the picture"},
    {.name = "Image.I0.Text.String",
     .type = PARAM_STRING,
     FIELD(string),
     .standard = "",
     ROLES,
     .doc = "Text in the picture; %-forms of time, #r #b #x #y #Z #s become figures"},
    {.name = "Image.I0.Text.ClockEnabled",
     .type = PARAM_BOOL,
     FIELD(clock_enabled),
     .standard = "yes",
     ROLES,
     .doc = "Shows the time of day in the picture"},
    {.name = "Image.I0.Text.DateEnabled",
     .type = PARAM_BOOL,
     FIELD(date_enabled),
     .standard = "yes",
     ROLES,
     .doc = "Shows the date in the picture"},
    {.name = "Image.I0.Text.Color",
     .type = PARAM_ENUM,
     FIELD(color),
     .choices = colors,
     .standard = "white",
     ROLES,
     .doc = "Colour of the text in the picture"},
    {.name = "Image.I0.Text.BGColor",
     .type = PARAM_ENUM,
     FIELD(background),
     .choices = backgrounds,
     .standard = "black",
     ROLES,
     .doc = "What lies behind the text"},
    {.name = "Image.I0.Text.Position",
     .type = PARAM_ENUM,
     FIELD(position),
     .choices = positions,
     .standard = "top",
     ROLES,
     .doc = "Edge of the picture at which the text stands"},
    {.name = "Image.I0.Text.TextSize",
     .type = PARAM_ENUM,
     FIELD(size),
     .choices = sizes,
     .standard = "medium",
     ROLES,
     .doc = "Height of the text, relative to the picture"},
};

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct overlay_settings *s = candidate;
    size_t n = 0;
    for (const char *c = s->string; *c; c++)
        n += (*c & 0xc0) != 0x80;
    if (n > TEXT_MAX)
        return fault_set(why, FAULT_INVALID, "Image.I0.Text.String",
                         "has %zu characters; at most %d fit", n, TEXT_MAX);
    if (!text_is_utf8(s->string, strlen(s->string)))
        return fault_set(why, FAULT_INVALID, "Image.I0.Text.String", "must be UTF-8");
    return 0;
}

const struct room_desc overlay_room_desc = {.name = "overlay",
                                            .size = sizeof(struct overlay_settings),
                                            .rows = rows,
                                            .n_rows = sizeof(rows) / sizeof(*rows),
                                            .check = check};

struct cached {
    struct label *label;
    int refs; /* being blended, plus one while in the cache */
    char text[EXPANDED_MAX];
    int line_px, max_width;
    uint64_t used;
};

struct overlays {
    struct room *room;
    long (*tz_offset)(int64_t utc_ns, void *arg);
    void *arg;
    pthread_mutex_t lock; /* the cache */
    struct cached *cache[CACHED];
    uint64_t clock;
};

static void cached_unref(struct overlays *o, struct cached *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&o->lock);
    bool last = --c->refs == 0;
    pthread_mutex_unlock(&o->lock);
    if (last) {
        label_free(c->label);
        free(c);
    }
}

struct overlays *overlays_free(struct overlays *o)
{
    if (!o)
        return NULL;
    for (int i = 0; i < CACHED; i++)
        cached_unref(o, o->cache[i]);
    pthread_mutex_destroy(&o->lock);
    free(o);
    return NULL;
}

static struct cached *find(struct overlays *o, const char *text, int line_px, int max_width)
{
    struct cached *found = NULL;
    pthread_mutex_lock(&o->lock);
    for (int i = 0; i < CACHED; i++) {
        struct cached *c = o->cache[i];
        if (c && c->line_px == line_px && c->max_width == max_width && !strcmp(c->text, text)) {
            found = c;
            c->refs++;
            c->used = ++o->clock;
            break;
        }
    }
    pthread_mutex_unlock(&o->lock);
    return found;
}

static struct cached *make(struct overlays *o, const char *text, int line_px, int max_width)
{
    struct cached *c = calloc(1, sizeof(*c)), *old;
    if (!c)
        return NULL;
    c->label = label_new(text, line_px, max_width);
    if (!c->label) {
        free(c);
        return NULL;
    }
    c->refs = 2;
    text_copy(c->text, sizeof(c->text), text);
    c->line_px = line_px;
    c->max_width = max_width;
    pthread_mutex_lock(&o->lock);
    int at = 0;
    for (int i = 0; i < CACHED; i++) {
        if (!o->cache[i]) {
            at = i;
            break;
        }
        if (o->cache[i]->used < o->cache[at]->used)
            at = i;
    }
    old = o->cache[at];
    o->cache[at] = c;
    c->used = ++o->clock;
    pthread_mutex_unlock(&o->lock);
    cached_unref(o, old);
    return c;
}

struct overlays *overlays_new(struct room *room, long (*tz_offset)(int64_t utc_ns, void *arg),
                              void *arg)
{
    struct overlays *o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->room = room;
    o->tz_offset = tz_offset;
    o->arg = arg;
    pthread_mutex_init(&o->lock, NULL);
    /* finding fonts for the first time takes long: not with the first picture */
    cached_unref(o, make(o, "0", 16, 64));
    return o;
}

/* Date, time and text of the settings as one template. */
static void template_of(const struct overlay_settings *s, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s%s%s%s", s->date_enabled ? "%F" : "",
             s->date_enabled && s->clock_enabled ? " " : "", s->clock_enabled ? "%T" : "",
             s->text_enabled && s->string[0] && (s->date_enabled || s->clock_enabled) ? " " : "",
             s->text_enabled ? s->string : "");
}

static bool names_a_stream(const char *text)
{
    for (; *text; text++)
        if (*text == '#' && text[1] && strchr("rRbB", text[1]))
            return true;
    return false;
}

bool overlays_paints(const struct rendition_key *key, bool *ret_per_stream, void *arg)
{
    struct overlays *o = arg;
    char text[EXPANDED_MAX];
    const struct overlay_settings *s = room_ref(o->room);
    template_of(s, text, sizeof(text));
    room_unref(s);
    *ret_per_stream = names_a_stream(text);
    return key->overlays && text[0];
}

static int line_height(int size, int height)
{
    static const int per_mille[] = {25, 37, 55}; /* small, medium, large */
    int px = height * per_mille[size] / 1000;
    return px < 10 ? 10 : px;
}

bool overlays_paint(struct picture *canvas, const struct rendition_key *key,
                    const struct capture *how, const struct stream_stats *stats, void *arg)
{
    struct overlays *o = arg;
    char text[EXPANDED_MAX], line[EXPANDED_MAX];
    const struct overlay_settings *s = room_ref(o->room);
    template_of(s, text, sizeof(text));
    bool white = s->color == 0, bottom = s->position == 1;
    enum label_back back = (enum label_back)s->background;
    int line_px = line_height(s->size, canvas->height);
    room_unref(s);
    if (!text[0] || canvas->width < 32)
        return false;
    long tz = o->tz_offset ? o->tz_offset(how->utc_ns, o->arg) : 0;
    overlay_expand(text, how, stats, tz, line, sizeof(line));
    struct cached *c = find(o, line, line_px, canvas->width);
    if (!c)
        c = make(o, line, line_px, canvas->width);
    if (!c)
        return false;
    int y = bottom ? (canvas->height - c->label->height) & ~1 : 0;
    label_blend(c->label, canvas, 0, y < 0 ? 0 : y, white, back);
    picture_painted(canvas, y < 0 ? 0 : y, c->label->height);
    cached_unref(o, c);
    return true;
}
