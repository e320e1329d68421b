/* The orientation aid: a strip of bearings or a rose, the direction of view, and names. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "image/overlay_items.h"

#define STRIP_DEG 120 /* that a strip shows */

/* Into [0, 360). */
static double bearing(double deg)
{
    double b = fmod(deg, 360);
    return b < 0 ? b + 360 : b;
}

static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return h;
}

struct shape {
    char what[8]; /* "strip", "frame", "ground", "rose", "disc", "wedge" */
    int width, height, turn_px, view_px;
    double bearing_deg, view_deg, opacity;
    struct rgba colour;
    uint64_t names; /* of what stands at the bearings */
    struct sprite_colours colours;
};

static uint64_t names_hash(const struct setting_out *w)
{
    const struct compass_settings *c = &w->s->compass;
    uint64_t h = 0xcbf29ce484222325u;
    if (c->names & NAMES_PRESETS) {
        h = hash(h, &w->told->marks_serial, sizeof w->told->marks_serial);
        h = hash(h, &c->north_deg, sizeof c->north_deg);
    }
    for (int i = 0; c->names & NAMES_STREETS && i < STREETS_MOST; i++)
        if (c->street[i].used) {
            h = hash(h, c->street[i].name, strlen(c->street[i].name) + 1);
            h = hash(h, &c->street[i].bearing_deg, sizeof c->street[i].bearing_deg);
        }
    return h;
}

static int collect(const struct setting_out *w, struct bearing_mark *ret)
{
    const struct compass_settings *c = &w->s->compass;
    int n = 0;
    for (size_t i = 0; c->names & NAMES_PRESETS && i < w->told->n_marks; i++) {
        text_copy(ret[n].name, sizeof ret[n].name, w->told->mark[i].name);
        ret[n].street = false;
        ret[n++].bearing_deg = bearing(w->told->mark[i].pan_deg - c->north_deg);
    }
    for (int i = 0; c->names & NAMES_STREETS && i < STREETS_MOST; i++) {
        if (!c->street[i].used || !c->street[i].name[0])
            continue;
        text_copy(ret[n].name, sizeof ret[n].name, c->street[i].name);
        ret[n].street = true;
        ret[n++].bearing_deg = bearing(c->street[i].bearing_deg);
    }
    return n;
}

static struct sprite *make(struct setting_out *w, const void *key)
{
    const struct shape *k = key;
    const struct sprite_colours *to = &k->colours;
    if (!strcmp(k->what, "disc"))
        return overlay_draw_disc(k->width, k->opacity, to);
    if (!strcmp(k->what, "wedge"))
        return overlay_draw_wedge(k->width, k->bearing_deg, k->view_deg, k->colour, k->opacity, to);
    if (!strcmp(k->what, "frame") || !strcmp(k->what, "ground"))
        return overlay_draw_strip_frame(k->width, k->height, k->view_px, k->colour, k->opacity,
                                        k->what[0] == 'g', to);
    struct bearing_mark *marks = calloc(COMPASS_MARKS_MOST + STREETS_MOST, sizeof *marks);
    if (!marks)
        return NULL;
    int n = collect(w, marks);
    struct sprite *s =
        !strcmp(k->what, "rose")
            ? overlay_draw_rose(w->painter, k->width, marks, n, k->colour, k->opacity, to)
            : overlay_draw_strip(w->painter, k->turn_px, k->width, k->height, marks, n, k->colour,
                                 k->opacity, to);
    free(marks);
    return s;
}

static struct sprite *shape(struct setting_out *w, const struct shape *like, const char *what)
{
    struct shape k;
    memcpy(&k, like, sizeof k); /* with its padding, which is zero */
    strncpy(k.what, what, sizeof k.what - 1);
    return item_sprite(w, &k, sizeof k, make);
}

static void strip(struct setting_out *w, struct shape *k, double heading, double view_deg)
{
    const struct compass_settings *c = &w->s->compass;
    double share = w->height > w->width ? 0.9 : 0.5;
    k->width = (int)fmin(w->width * share * c->size / 100, w->width) & ~3;
    k->height = (int)(k->width / (w->height > w->width ? 10.0 : 15.0)) & ~1;
    k->turn_px = k->width * 360 / STRIP_DEG & ~1;
    struct sprite *scale = shape(w, k, "strip");
    k->names = 0;
    struct sprite *ground = shape(w, k, "ground");
    k->view_px = (int)lrint(view_deg / 360 * k->turn_px) & ~1;
    struct sprite *frame = shape(w, k, "frame");
    if (!ground || !scale || !frame) {
        sprite_unref(ground);
        sprite_unref(scale);
        sprite_unref(frame);
        return;
    }
    item_at_place(w, ground, c->place == PLACE_FREE ? PLACE_BOTTOM : c->place, 0, 0, Z_COMPASS,
                  ITEM_COMPASS, 0);
    const struct item at = w->item[w->n - 1];
    int right = at.x + k->width;
    int shift = (int)(bearing(heading - STRIP_DEG / 2.0) / 360 * k->turn_px) & ~1;
    item_at(w, scale, at.x - shift, at.y, at.x, right, Z_COMPASS, ITEM_OTHER, 0);
    item_at(w, frame, at.x, at.y, at.x, right, Z_COMPASS, ITEM_OTHER, 0);
}

static void rose(struct setting_out *w, struct shape *k, double heading, double view_deg)
{
    const struct compass_settings *c = &w->s->compass;
    int side = w->height < w->width ? w->height : w->width;
    k->width = k->height = (int)(side * 0.3 * c->size / 100) & ~1;
    struct sprite *face = shape(w, k, "rose");
    k->names = 0;
    int side_px = k->width, inner = (int)(side_px * 0.57) & ~1;
    k->width = k->height = inner;
    struct sprite *disc = shape(w, k, "disc");
    k->bearing_deg = bearing(round(heading));
    k->view_deg = fmax(2, round(view_deg));
    struct sprite *wedge = shape(w, k, "wedge");
    if (!face || !disc || !wedge) {
        sprite_unref(face);
        sprite_unref(disc);
        sprite_unref(wedge);
        return;
    }
    item_at_place(w, face, c->place == PLACE_FREE ? PLACE_BOTTOM : c->place, 0, 0, Z_COMPASS + 1,
                  ITEM_COMPASS, 0);
    const struct item at = w->item[w->n - 1];
    int x = at.x + (side_px - inner) / 2, y = at.y + (side_px - inner) / 2;
    const struct wedge_box box = overlay_wedge_box(inner, k->bearing_deg, k->view_deg);
    item_at(w, disc, x, y, 0, w->width, Z_COMPASS - 1, ITEM_OTHER, 0); /* beneath the face */
    item_at(w, wedge, x + box.x, y + box.y, 0, w->width, Z_COMPASS, ITEM_OTHER, 0);
}

/* The pan of the middle of what the channel shows, and how wide that is. */
static double looks_to(const struct setting_out *w, double *ret_view_deg)
{
    const struct pose *p = &w->how->pose_start;
    const struct frame_part *part = w->part;
    double aspect = w->told->facts.frame_aspect, y = part->y + part->height / 2, pan, left, right;
    double whole_deg = p->hfov_deg > 0 ? p->hfov_deg : 60, tilt;
    *ret_view_deg = whole_deg;
    if (w->key->view == 1 || !(p->hfov_deg > 0))
        return p->pan_deg;
    pose_unproject(p, aspect, part->x + part->width / 2, y, &pan, &tilt);
    pose_unproject(p, aspect, part->x, y, &left, &tilt);
    pose_unproject(p, aspect, part->x + part->width, y, &right, &tilt);
    *ret_view_deg = fabs(pose_wrap_pan(right - left));
    return pan;
}

void compass_set_out(struct setting_out *w)
{
    const struct compass_settings *c = &w->s->compass;
    if (!c->enabled || w->width < 160 || w->height < 90 || w->n + 3 > ITEMS_MOST)
        return;
    struct shape k;
    memset(&k, 0, sizeof k);
    k.opacity = c->opacity / 100.0;
    k.names = names_hash(w);
    k.colours = w->colours;
    overlay_colour(c->colour, &k.colour);
    double view_deg, heading = bearing(looks_to(w, &view_deg) - c->north_deg);
    if (c->style == COMPASS_STRIP)
        strip(w, &k, heading, view_deg);
    else
        rose(w, &k, heading, view_deg);
}
