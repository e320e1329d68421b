/* Unpacks a place for the camera:
 *
 *     unpack assets/places/NAME OUT.place
 *
 * Reads place.json and the layers beside it (docs/places.md has the format), makes the
 * coarser sheets and the tables of src/device/virtual/place/tiles.h, and writes the file in one
 * go: OUT exists when it is whole. */
#include "unpack.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libavutil/log.h>

#include "unpack_signs.h"

static const char *const soft_name[LIGHT_SOFT] = {"sky",     "overcast", "bounce0", "bounce1",
                                                  "bounce2", "bounce3",  "lamps",   "windows",
                                                  "ir",      "emit"};

void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "unpack: ");
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void *take(size_t n, size_t each)
{
    void *p = calloc(n ? n : 1, each);
    if (!p)
        die("not enough memory");
    return p;
}

/* ---- place.json ---- */

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v))
        die("place.json: '%s' must be a number", key);
    return json_number_value(v);
}

static const char *string(const json_t *o, const char *key)
{
    const char *v = json_string_value(json_object_get(o, key));
    if (!v)
        die("place.json: '%s' must be a text", key);
    return v;
}

static bool vector(const json_t *o, const char *key, float ret[3])
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_array(v))
        return false;
    if (json_array_size(v) != 3)
        die("place.json: '%s' must be three numbers", key);
    for (size_t i = 0; i < 3; i++)
        ret[i] = (float)json_number_value(json_array_get(v, i));
    return true;
}

/* "#rrggbb", sRGB, to linear; false: there is none. */
static bool colour(const json_t *o, const char *key, float ret[3])
{
    const char *text = json_string_value(json_object_get(o, key));
    if (!text || !*text)
        return false;
    char *end;
    unsigned long v = strtoul(text + 1, &end, 16);
    if (text[0] != '#' || *end || strlen(text) != 7)
        die("place.json: '%s' must be a colour such as #20a0ff", key);
    for (int i = 0; i < 3; i++) {
        double c = (double)(v >> (16 - 8 * i) & 255) / 255;
        ret[i] = (float)(c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return true;
}

static void copy(char *to, size_t room, const char *from)
{
    if (strlen(from) >= room)
        die("place.json: '%s' is longer than %zu", from, room - 1);
    strcpy(to, from);
}

/* Makers' badges and the like, which the models brought along: painted over from their left
 * and right borders. */
static void blank(struct layers *l, const struct patch *p, const json_t *list)
{
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o)
    {
        int x0 = (int)lrint((number(o, "pan0") - p->pan0) * l->density);
        int x1 = (int)lrint((number(o, "pan1") - p->pan0) * l->density);
        int y0 = (int)lrint((p->tilt1 - number(o, "tilt1")) * l->density);
        int y1 = (int)lrint((p->tilt1 - number(o, "tilt0")) * l->density);
        if (x0 >= 2 && y0 >= 0 && x1 < l->w - 2 && y1 < l->h && x1 > x0 && y1 > y0)
            layers_blank(l, x0, y0, x1, y1);
    }
}

static void add_patch(struct build *b, const char *dir, const json_t *o, const json_t *blanks,
                      bool base)
{
    struct patch p = {0};
    struct layers l = {0};
    copy(p.name, sizeof(p.name), string(o, "name"));
    p.pan0 = number(o, "pan0");
    p.pan1 = number(o, "pan1");
    p.tilt0 = number(o, "tilt0");
    p.tilt1 = number(o, "tilt1");
    double density = number(o, "px_per_deg");
    layers_init(&l, (int)lrint((p.pan1 - p.pan0) * density),
                (int)lrint((p.tilt1 - p.tilt0) * density));
    l.density = density;
    layers_load(&l, dir, p.name, soft_name);
    l.round = p.pan1 - p.pan0 >= 359.9;
    blank(&l, &p, blanks);
    layers_smooth(&l);
    build_patch(b, &p, &l, base);
}

static void add_lamps(struct build *b, const json_t *list)
{
    struct lamp *lamps = take(json_array_size(list), sizeof(*lamps));
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o)
    {
        if (!vector(o, "at", lamps[i].at))
            die("place.json: a lamp without 'at'");
        if (!vector(o, "colour", lamps[i].colour))
            lamps[i].colour[0] = lamps[i].colour[1] = lamps[i].colour[2] = 1;
        lamps[i].power = (float)(number(o, "power") * b->lamp_scale);
    }
    b->head.n_lamps = (uint32_t)json_array_size(list);
    b->head.lamps = out_table(&b->out, lamps, json_array_size(list) * sizeof(*lamps));
    free(lamps);
}

static void add_signs(struct build *b, const json_t *list)
{
    struct sign *signs = take(json_array_size(list), sizeof(*signs));
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o)
    {
        struct sign *s = &signs[i];
        if (!vector(o, "corner", s->corner) || !vector(o, "right", s->right) ||
            !vector(o, "down", s->down))
            die("place.json: a sign without 'corner', 'right', 'down'");
        copy(s->text, sizeof(s->text), string(o, "text"));
        if (!colour(o, "ink", s->ink))
            die("place.json: a sign without 'ink'");
        /* The board itself has been baked; what is drawn is its writing. */
        s->bare = 1;
        colour(o, "ground", s->paper);
        uint8_t *field = sign_field(s);
        s->field = out_part(&b->out, field, (size_t)s->width * s->height);
        free(field);
    }
    b->head.n_signs = (uint32_t)json_array_size(list);
    b->head.signs = out_table(&b->out, signs, json_array_size(list) * sizeof(*signs));
    free(signs);
}

static void add_place(struct build *b, const char *dir, const json_t *o)
{
    const json_t *suns = json_object_get(o, "suns"), *patches = json_object_get(o, "patches");
    const json_t *soft = json_object_get(o, "soft"), *p;
    float eye[3];
    size_t i;
    copy(b->head.name, sizeof(b->head.name), string(o, "name"));
    if (!vector(o, "eye", eye) || json_array_size(suns) != LIGHT_SUNS ||
        json_array_size(soft) != LIGHT_SOFT || !json_array_size(patches))
        die("place.json: needs 'eye', %d 'suns', %d 'soft' layers and 'patches'", LIGHT_SUNS,
            LIGHT_SOFT);
    for (i = 0; i < LIGHT_SOFT; i++)
        if (strcmp(json_string_value(json_array_get(soft, i)), soft_name[i]) != 0)
            die("place.json: soft layer %zu is not '%s'", i, soft_name[i]);
    for (i = 0; i < LIGHT_SUNS; i++) {
        b->head.sun_pan[i] = number(json_array_get(suns, i), "pan");
        b->head.sun_elevation[i] = number(json_array_get(suns, i), "elevation");
    }
    for (i = 0; i < 3; i++)
        b->head.eye[i] = (double)eye[i];
    b->head.lamp_lux = json_object_get(o, "lamp_lux") ? number(o, "lamp_lux") : 15;
    b->head.front = json_object_get(o, "front") ? number(o, "front") - (double)eye[1] : 0;
    const json_t *blanks = json_object_get(o, "blanks");
    json_array_foreach(patches, i, p) add_patch(b, dir, p, blanks, i == 0);
    add_lamps(b, json_object_get(o, "lamps"));
    add_signs(b, json_object_get(o, "signs"));
}

int main(int argc, char **argv)
{
    char path[1024];
    json_error_t e;
    if (argc != 3)
        die("usage: unpack assets/places/NAME OUT.place");
    av_log_set_level(AV_LOG_ERROR);
    snprintf(path, sizeof(path), "%s/place.json", argv[1]);
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!o)
        die("%s:%d: %s", path, e.line, e.text);
    struct build *b = take(1, sizeof(*b));
    build_open(b, argv[2]);
    add_place(b, argv[1], o);
    build_close(b);
    printf("%s: %u patches, %u tiles, %.0f MB (%.0f MB more without what is equal)\n", b->head.name,
           b->head.n_patches, b->head.n_tiles, (double)b->out.at / 1e6, (double)b->out.saved / 1e6);
    json_decref(o);
    return 0;
}
