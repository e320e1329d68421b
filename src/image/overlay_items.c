#include "image/overlay_items.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MOST 8192

struct sprite *item_sprite(struct setting_out *w, const void *key, size_t len,
                           struct sprite *(*make)(struct setting_out *w, const void *key))
{
    struct sprite *s = sprite_cache_find(w->cache, key, len);
    if (!s && (s = make(w, key)))
        sprite_cache_put(w->cache, key, len, s);
    return s;
}

void item_at(struct setting_out *w, struct sprite *take_s, int x, int y, int left, int right, int z,
             enum item_what what, int row)
{
    if (!take_s)
        return;
    if (w->n == ITEMS_MOST) {
        sprite_unref(take_s);
        return;
    }
    w->item[w->n++] = (struct item){take_s, x & ~1, y & ~1, left & ~1, right & ~1, z, what, row};
}

static int within(int v, int least, int most)
{
    return v > most && most >= least ? most : v < least ? least : v;
}

void item_at_place(struct setting_out *w, struct sprite *take_s, int place, double x, double y,
                   int z, enum item_what what, int row)
{
    if (!take_s)
        return;
    int width = take_s->width, height = take_s->height, left, top;
    if (place == PLACE_FREE) {
        left = within((int)lrint((x + 1) / 2 * w->width - width / 2.0), 0, w->width - width);
        top = within((int)lrint((y + 1) / 2 * w->height - height / 2.0), 0, w->height - height);
    } else {
        int column = place % 3, line = place / 3, taken = w->edge[place];
        left = column * (w->width - width) / 2;
        top = line == 0   ? taken
              : line == 1 ? (w->height - height) / 2 + taken
                          : w->height - height - taken;
        w->edge[place] += height;
    }
    item_at(w, take_s, left, top, 0, w->width, z, what, row);
}

/* ---- text ---- */

struct text_key {
    struct text_look look;
    struct sprite_colours colours;
    int most;
    char text[OVERLAY_EXPANDED_MOST];
};
static struct sprite *make_text(struct setting_out *w, const void *key)
{
    const struct text_key *k = key;
    return overlay_draw_text(w->painter, k->text, &k->look, k->most, &k->colours);
}

static struct sprite *text_sprite(struct setting_out *w, struct text_key *k, const char *text,
                                  const struct overlay_speech *speech)
{
    size_t n = overlay_expand(text, speech, k->text, sizeof k->text);
    if (k->text[strspn(k->text, " \n")] == 0)
        return NULL;
    k->colours = w->colours;
    return item_sprite(w, k, offsetof(struct text_key, text) + n + 1, make_text);
}

/* As the parameter has it: \n and \\. */
static void unescape(const char *s, char *ret)
{
    for (; *s; s++) {
        if (*s == '\\' && (s[1] == 'n' || s[1] == '\\'))
            *ret++ = *++s == 'n' ? '\n' : '\\';
        else
            *ret++ = *s;
    }
    *ret = 0;
}

/* Date, time and text of the old settings as one template. */
bool overlay_line_of(const struct overlay_line *s, char *ret, size_t size)
{
    bool text = s->text_enabled && s->string[0];
    snprintf(ret, size, "%s%s%s%s%s", s->date_enabled ? "%F" : "",
             s->date_enabled && s->clock_enabled ? " " : "", s->clock_enabled ? "%T" : "",
             text && (s->date_enabled || s->clock_enabled) ? " " : "", text ? s->string : "");
    return ret[0];
}

void item_line(struct setting_out *w, const struct overlay_speech *speech)
{
    static const int per_mille[] = {25, 37, 55}; /* small, medium, large */
    static const struct rgba white = {1, 1, 1, 1}, black = {0, 0, 0, 1};
    const struct overlay_line *s = &w->s->line[w->key->view - 1];
    char text[sizeof s->string + 16];
    struct text_key k;
    if (!overlay_line_of(s, text, sizeof text) || w->width < 32)
        return;
    memset(&k, 0, offsetof(struct text_key, text));
    int line = w->height * per_mille[s->size] / 1000;
    k.look.line_height = line < 10 ? 10 : line;
    k.look.size_px = k.look.line_height * 0.75;
    k.look.width_most = w->width;
    k.look.opacity = 1;
    k.look.colour = s->color == 0 ? white : black;
    k.look.ground = s->background == 0 ? white : black;
    if (s->background == 3) /* semitransparent: what the letters stand out from */
        k.look.ground = s->color == 0 ? black : white;
    k.look.ground.a = s->background == 2 ? 0 : s->background == 3 ? 0.5 : 1;
    k.most = SIDE_MOST;
    item_at_place(w, text_sprite(w, &k, text, speech),
                  s->position ? PLACE_BOTTOM_LEFT : PLACE_TOP_LEFT, 0, 0, Z_LINE, ITEM_LINE, 0);
}

/* ---- rows ---- */

/* Where a point of the scene is in the picture; false: it does not show there. */
static bool scene_point(const struct setting_out *w, const struct overlay_row *r, int *ret_x,
                        int *ret_y)
{
    struct pose p = w->how->pose_start;
    const struct pose *end = &w->how->pose_end;
    const struct overlay_facts *f = &w->told->facts;
    double zoom = f->most_zoom > 1 ? 1 + (p.zoom - 1) / (f->most_zoom - 1) * 9998 : 1, x, y;
    if (!p.known || zoom < r->zoom_low || zoom > r->zoom_high)
        return false;
    p.pan_deg = pose_wrap_pan(p.pan_deg + pose_wrap_pan(end->pan_deg - p.pan_deg) / 2);
    p.tilt_deg = (p.tilt_deg + end->tilt_deg) / 2;
    if (!pose_project(&p, f->frame_aspect, r->pan_deg, r->tilt_deg, &x, &y))
        return false;
    rendition_from_frame(w->key, w->part, f->frame_aspect, &x, &y);
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1))
        return false;
    *ret_x = (int)lrint(x * w->width);
    *ret_y = (int)lrint(y * w->height);
    return true;
}

struct mark_key {
    int size, kind;
    struct rgba colour, ground, outline;
    struct sprite_colours colours;
};
static struct sprite *make_mark(struct setting_out *w, const void *key)
{
    const struct mark_key *k = key;
    return overlay_draw_mark((enum overlay_indicator)k->kind, k->size, k->colour, k->ground,
                             k->outline, &k->colours);
}

/* On the point itself; how much room it takes above. */
static int set_out_mark(struct setting_out *w, const struct overlay_row *r, int x, int y)
{
    struct mark_key k;
    memset(&k, 0, sizeof k);
    k.size = (int)lrint(r->indicator_size * (r->scalable ? w->factor : 1)) & ~1;
    if (r->indicator == INDICATOR_NONE || k.size < 4)
        return 0;
    k.kind = r->indicator;
    overlay_colour(r->indicator_colour, &k.colour);
    overlay_colour(r->indicator_ground, &k.ground);
    overlay_colour(r->indicator_outline, &k.outline);
    k.colours = w->colours;
    item_at(w, item_sprite(w, &k, sizeof k, make_mark), x - k.size / 2, y - k.size / 2, 0, w->width,
            r->z, ITEM_OTHER, 0);
    return k.size / 2;
}

static void place_row(struct setting_out *w, struct sprite *take_s, int i)
{
    const struct overlay_row *r = &w->s->row[i];
    int x, y;
    if (r->reference == REFERENCE_CHANNEL) {
        item_at_place(w, take_s, r->place, r->x, r->y, r->z, ITEM_ROW, i);
        return;
    }
    if (!scene_point(w, r, &x, &y)) {
        sprite_unref(take_s);
        return;
    }
    int above = set_out_mark(w, r, x, y);
    if (take_s)
        item_at(w, take_s, x - take_s->width / 2,
                above ? y - above - take_s->height : y - take_s->height / 2, 0, w->width, r->z,
                ITEM_ROW, i);
}

/* Runs through the picture: it comes in at one side and goes out at the other. */
static void scroll_row(struct setting_out *w, struct sprite *take_s, int i)
{
    const struct overlay_row *r = &w->s->row[i];
    if (!take_s)
        return;
    double way = w->width + take_s->width;
    double speed = abs(r->scroll) * w->width / 60.0; /* pixels a second */
    double at = fmod((double)(w->how->utc_ns / 1000) / 1e6 * speed, way);
    int x = (int)lrint(r->scroll > 0 ? w->width - at : at - take_s->width);
    int n = w->n;
    item_at_place(w, take_s, r->place, r->x, r->y, r->z, ITEM_ROW, i);
    if (w->n > n)
        w->item[n].x = x & ~1;
}

void item_text(struct setting_out *w, int i, struct overlay_speech *speech)
{
    const struct overlay_row *r = &w->s->row[i];
    char text[sizeof r->text];
    struct text_key k;
    double factor = r->scalable ? w->factor : 1;
    memset(&k, 0, offsetof(struct text_key, text));
    k.look.size_px =
        fmax((r->font_size < OVERLAY_FONT_LEAST ? OVERLAY_FONT_LEAST : r->font_size) * factor, 5);
    k.look.width_most = r->scroll ? SIDE_MOST : r->wrap ? w->width * r->wrap / 100 : w->width;
    k.look.align = (enum overlay_align)r->align;
    overlay_colour(r->colour, &k.look.colour);
    overlay_colour(r->ground, &k.look.ground);
    overlay_colour(r->outline, &k.look.outline);
    k.look.opacity = r->opacity / 100.0;
    k.look.rotation_deg = r->rotation;
    k.most = r->scroll ? SIDE_MOST : w->width > w->height ? w->width : w->height;
    unescape(r->text, text);
    struct sprite *s = text_sprite(w, &k, text, speech);
    if (r->scroll)
        scroll_row(w, s, i);
    else
        place_row(w, s, i);
}

/* ---- pictures ---- */

struct picture_key {
    uint64_t id; /* of the picture: another one may come under its name */
    int width, height;
    double opacity, rotation_deg;
    struct sprite_colours colours;
    struct overlay_pictures *from;
};
static struct sprite *make_picture(struct setting_out *w, const void *key)
{
    const struct picture_key *k = key;
    struct overlay_pixels px;
    if (overlay_pictures_load(k->from, k->id, &px) < 0)
        return NULL;
    struct sprite *s = overlay_draw_picture(px.argb, px.width, px.height, k->width, k->height,
                                            k->opacity, k->rotation_deg, &k->colours);
    free(px.argb);
    return s;
}

static struct sprite *picture_sprite(struct setting_out *w, struct overlay_pictures *from,
                                     const char *path, double scale, bool scalable, double opacity,
                                     double rotation_deg)
{
    struct overlay_picture_info info;
    struct picture_key k;
    if (!from || overlay_pictures_find(from, path, &info) < 0)
        return NULL;
    double factor = scale * (scalable ? w->factor : 1);
    memset(&k, 0, sizeof k);
    k.id = info.id;
    k.width = within((int)lrint(info.width * factor), 1, SIDE_MOST);
    k.height = within((int)lrint(info.height * factor), 1, SIDE_MOST);
    k.opacity = opacity;
    k.rotation_deg = rotation_deg;
    k.colours = w->colours;
    k.from = from;
    return item_sprite(w, &k, sizeof k, make_picture);
}

void item_image(struct setting_out *w, struct overlay_pictures *from, int i)
{
    const struct overlay_row *r = &w->s->row[i];
    place_row(w,
              picture_sprite(w, from, r->path, r->scale / 100.0, r->scalable, r->opacity / 100.0,
                             r->rotation),
              i);
}

/* The picture overlay of the old settings. */
void item_old_image(struct setting_out *w, struct overlay_pictures *from)
{
    const struct overlay_line *s = &w->s->line[w->key->view - 1];
    if (!s->image_enabled || !w->s->image_path[0])
        return;
    item_at(w, picture_sprite(w, from, w->s->image_path, 1, true, 1, 0),
            (int)lrint(s->image_x * w->factor), (int)lrint(s->image_y * w->factor), 0, w->width,
            -2000, ITEM_OTHER, 0);
}

/* ---- the streaming indicator ---- */

struct live_key {
    int size, inner;
    unsigned phase;
    struct rgba colour, ground;
    struct sprite_colours colours;
};
static struct sprite *make_live(struct setting_out *w, const void *key)
{
    const struct live_key *k = key;
    return overlay_draw_live(k->size, k->inner, k->phase, k->colour, k->ground, &k->colours);
}

void item_live(struct setting_out *w)
{
    const struct mark_settings *m = &w->s->mark;
    struct live_key k;
    if (!m->enabled && w->how->start_ns >= w->told->mark_until_ns)
        return;
    memset(&k, 0, sizeof k);
    k.size = overlay_mark_side(m, w->width, w->height);
    k.phase = (unsigned)(w->how->serial % MARK_PHASES);
    overlay_colour(m->colour, &k.colour);
    overlay_colour(m->ground, &k.ground);
    k.colours = w->colours;
    int n = w->n;
    item_at_place(w, item_sprite(w, &k, sizeof k, make_live), m->place, m->x, m->y, Z_MARK,
                  ITEM_MARK, 0);
    if (w->n == n)
        return;
    k.inner = 1;
    k.phase = (unsigned)(w->how->serial / MARK_PHASES % MARK_INNER_PHASES);
    item_at(w, item_sprite(w, &k, sizeof k, make_live), w->item[n].x, w->item[n].y, 0, w->width,
            Z_MARK, ITEM_OTHER, 0);
}
