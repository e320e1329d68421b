#include "image/overlay.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/overlay_items.h"
#include "image/overlay_pictures.h"

#define CACHE_BYTES ((size_t)48 << 20)

struct overlays {
    struct loop *loop;
    struct room *room;
    struct overlay_pictures *pictures;
    struct overlays_hooks hooks;
    struct overlay_painter *painter;
    struct sprite_cache *cache;
    struct loop_timer over; /* a slot's time */
    pthread_mutex_t lock;   /* the pointer */
    struct told *told;
};

/* ---- what was told ---- */

static struct told *told_unref(struct told *t)
{
    if (t && !__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL))
        free(t);
    return NULL;
}

static struct told *told_ref(struct overlays *o)
{
    pthread_mutex_lock(&o->lock);
    struct told *t = o->told;
    __atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&o->lock);
    return t;
}

/* A copy to be changed, then told_swap(). Loop, the only one that writes. */
static struct told *told_copy(const struct overlays *o)
{
    struct told *t = malloc(sizeof *t);
    if (t) {
        memcpy(t, o->told, sizeof *t);
        t->refs = 1;
    }
    return t;
}

static void told_swap(struct overlays *o, struct told *take_t)
{
    pthread_mutex_lock(&o->lock);
    struct told *old = o->told;
    o->told = take_t;
    pthread_mutex_unlock(&o->lock);
    told_unref(old);
}

static void changed(struct overlays *o)
{
    if (o->hooks.changed)
        o->hooks.changed(o->hooks.arg);
}

bool overlays_heed(const char *parameter)
{
    static const char *const all[] = {"Image.I*.Text.*",
                                      "Image.I*.Overlay.*",
                                      "Image.OverlayPath",
                                      "DynamicOverlay.*",
                                      "Image.I0.StreamingIndicator.*",
                                      "Image.I0.OrientationAid.*",
                                      "System.Language"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (text_glob(all[i], parameter))
            return true;
    return false;
}

void overlays_facts(struct overlays *o, struct overlay_facts *ret)
{
    *ret = o->told->facts;
}

void overlays_set_facts(struct overlays *o, const struct overlay_facts *facts)
{
    struct told *t = told_copy(o);
    if (!t)
        return;
    t->facts = *facts;
    t->facts.preset = o->told->facts.preset;
    memcpy(t->facts.preset_name, o->told->facts.preset_name, sizeof t->facts.preset_name);
    told_swap(o, t);
}

void overlays_set_preset(struct overlays *o, int number, const char *name)
{
    if (number == o->told->facts.preset && !strcmp(name ? name : "", o->told->facts.preset_name))
        return;
    struct told *t = told_copy(o);
    if (!t)
        return;
    t->facts.preset = number;
    text_copy(t->facts.preset_name, sizeof t->facts.preset_name, name ? name : "");
    told_swap(o, t);
}

void overlays_set_marks(struct overlays *o, const struct compass_mark *marks, size_t n)
{
    n = n < COMPASS_MARKS_MOST ? n : COMPASS_MARKS_MOST;
    if (n == o->told->n_marks && (!n || !memcmp(marks, o->told->mark, n * sizeof *marks)))
        return; /* the same ones: nothing is laid out anew */
    struct told *t = told_copy(o);
    if (!t)
        return;
    t->n_marks = n;
    t->marks_serial++;
    if (t->n_marks)
        memcpy(t->mark, marks, t->n_marks * sizeof *marks);
    told_swap(o, t);
    changed(o);
}

/* ---- event text ---- */

static bool slot_shows(const struct told *t, int slot, int view, int64_t now_ns)
{
    uint32_t channels = t->slot[slot].channels;
    return t->slot[slot].text[0] && now_ns < t->slot[slot].until_ns &&
           (!channels || !view || (view <= 32 && channels >> (view - 1) & 1));
}

static void set_timer(struct overlays *o)
{
    int64_t next = o->told->mark_until_ns ? o->told->mark_until_ns : TIME_NEVER;
    for (int i = 0; i < OVERLAY_SLOTS; i++)
        if (o->told->slot[i].text[0] && o->told->slot[i].until_ns < next)
            next = o->told->slot[i].until_ns;
    if (next == TIME_NEVER)
        loop_timer_cancel(&o->over);
    else
        (void)loop_timer_at(o->loop, &o->over, next);
}

static void slots_over(struct loop_timer *timer)
{
    struct overlays *o =
        (struct overlays *)(void *)((char *)timer - offsetof(struct overlays, over));
    int64_t now_ns = loop_now(o->loop);
    struct told *t = told_copy(o);
    if (!t)
        return;
    for (int i = 0; i < OVERLAY_SLOTS; i++)
        if (t->slot[i].until_ns <= now_ns)
            t->slot[i].text[0] = 0;
    if (t->mark_until_ns <= now_ns)
        t->mark_until_ns = 0;
    told_swap(o, t);
    set_timer(o);
    changed(o);
}

int overlays_set_slot(struct overlays *o, int slot, uint32_t channels, const char *text,
                      double seconds, struct fault *why)
{
    size_t n = 0;
    if (slot < 0 || slot >= OVERLAY_SLOTS)
        return fault_set(why, FAULT_INVALID, "text_index", "text_index must be within 1 and %d",
                         OVERLAY_SLOTS - 1);
    if (!(seconds >= 0) || seconds > 1e7)
        return fault_set(why, FAULT_INVALID, "duration",
                         "duration must be seconds, at most 10000000");
    text = text ? text : "";
    if (!text_is_utf8(text, strlen(text)))
        return fault_set(why, FAULT_INVALID, "text", "the text must be UTF-8");
    for (const char *c = text; *c; c++) {
        n += (*c & 0xc0) != 0x80;
        if ((unsigned char)*c < 0x20 && *c != '\n')
            return fault_set(why, FAULT_INVALID, "text", "control characters have no picture");
    }
    if (n > OVERLAY_TEXT_CHARACTERS)
        return fault_set(why, FAULT_INVALID, "text", "the text has %zu characters; at most %d fit",
                         n, OVERLAY_TEXT_CHARACTERS);
    struct told *t = told_copy(o);
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    text_copy(t->slot[slot].text, sizeof t->slot[slot].text, text);
    t->slot[slot].channels = channels;
    t->slot[slot].until_ns =
        seconds > 0 ? loop_now(o->loop) + (int64_t)(seconds * NSEC_PER_SEC) : TIME_NEVER;
    told_swap(o, t);
    set_timer(o);
    changed(o);
    return 0;
}

int overlays_show_mark(struct overlays *o, double seconds, struct fault *why)
{
    struct told *t = told_copy(o);
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    t->mark_until_ns = loop_now(o->loop) + (int64_t)(seconds * NSEC_PER_SEC);
    told_swap(o, t);
    set_timer(o);
    changed(o);
    return 0;
}

bool overlays_mark_shows(struct overlays *o)
{
    const struct overlay_settings *s = room_ref(o->room);
    bool enabled = s->mark.enabled;
    room_unref(s);
    return enabled || loop_now(o->loop) < o->told->mark_until_ns;
}

void overlays_slot(struct overlays *o, int slot, char *ret, size_t size)
{
    bool there =
        slot >= 0 && slot < OVERLAY_SLOTS && slot_shows(o->told, slot, 0, loop_now(o->loop));
    text_copy(ret, size, there ? o->told->slot[slot].text : "");
}

/* ---- life ---- */

struct overlays *overlays_free(struct overlays *o)
{
    if (!o)
        return NULL;
    loop_timer_cancel(&o->over);
    overlay_painter_free(o->painter);
    sprite_cache_free(o->cache);
    told_unref(o->told);
    pthread_mutex_destroy(&o->lock);
    free(o);
    return NULL;
}

/* Finding fonts for the first time takes long: not with the first picture. */
static void warm_up(struct overlays *o)
{
    const struct text_look look = {.size_px = 16, .width_most = 64, .opacity = 1};
    const struct sprite_colours colours = {COLOUR_BT709, RANGE_LIMITED};
    sprite_unref(overlay_draw_text(o->painter, "0", &look, 64, &colours));
}

struct overlays *overlays_new(struct loop *loop, struct room *room,
                              struct overlay_pictures *pictures, const struct overlays_hooks *hooks)
{
    struct overlays *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->loop = loop;
    o->room = room;
    o->pictures = pictures;
    o->hooks = *hooks;
    o->over = (struct loop_timer){.name = "event text", .fire = slots_over};
    pthread_mutex_init(&o->lock, NULL);
    o->told = calloc(1, sizeof *o->told);
    o->painter = overlay_painter_new();
    o->cache = sprite_cache_new(CACHE_BYTES);
    if (!o->told || !o->painter || !o->cache)
        return overlays_free(o);
    o->told->refs = 1;
    o->told->facts.temperature_c = NAN;
    o->told->facts.frame_aspect = 16 / 9.0;
    warm_up(o);
    return o;
}

/* ---- all together ---- */

static bool on_view(const struct overlay_row *r, int view)
{
    return r->used && r->visible && r->opacity > 0 && (!r->camera || r->camera == view);
}

static void set_out(struct overlays *o, struct setting_out *w, const struct stream_stats *stats)
{
    char zone[16] = "UTC";
    unsigned classes = w->key->overlays;
    struct overlay_speech speech = {
        .how = w->how, .stats = stats, .facts = &w->told->facts, .zone = zone, .source = 1};
    if (o->hooks.local_time)
        speech.tz_offset_s = o->hooks.local_time(w->how->utc_ns, zone, sizeof zone, o->hooks.arg);
    if (o->hooks.language)
        speech.language = o->hooks.language(o->hooks.arg);
    for (int i = 0; i < OVERLAY_SLOTS; i++)
        if (slot_shows(w->told, i, w->key->view, w->how->start_ns))
            speech.slot[i] = w->told->slot[i].text;
    int side = w->width < w->height ? w->width : w->height;
    w->factor = (double)side / w->s->reference_height;
    /* In this order they come from the edge inwards. */
    if (classes & OVERLAYS_TEXT)
        item_line(w, &speech);
    if (classes & OVERLAYS_APPLICATION) {
        compass_set_out(w);
        item_live(w);
    }
    if (classes & OVERLAYS_IMAGE)
        item_old_image(w, o->pictures);
    for (int i = 0; i < OVERLAYS_MOST; i++) {
        const struct overlay_row *r = &w->s->row[i];
        if (!on_view(r, w->key->view))
            continue;
        if (r->kind == OVERLAY_OF_TEXT && classes & OVERLAYS_TEXT)
            item_text(w, i, &speech);
        else if (r->kind == OVERLAY_OF_IMAGE && classes & OVERLAYS_IMAGE)
            item_image(w, o->pictures, i);
    }
    /* stable: equal ones stay in the order of their numbers */
    for (int i = 1; i < w->n; i++)
        for (int k = i; k > 0 && w->item[k - 1].z > w->item[k].z; k--) {
            struct item t = w->item[k];
            w->item[k] = w->item[k - 1];
            w->item[k - 1] = t;
        }
}

static void begin(struct overlays *o, struct setting_out *w, const struct rendition_key *key,
                  const struct frame_part *part, const struct capture *how, int width, int height,
                  enum colour_matrix matrix, enum colour_range range)
{
    w->s = room_ref(o->room);
    w->told = told_ref(o);
    w->key = key;
    w->part = part;
    w->how = how;
    w->painter = o->painter;
    w->cache = o->cache;
    memset(&w->colours, 0, sizeof w->colours);
    w->colours.matrix = matrix;
    w->colours.range = range;
    w->width = width;
    w->height = height;
    w->n = 0;
    memset(w->edge, 0, sizeof w->edge);
}

static void end(struct setting_out *w)
{
    for (int i = 0; i < w->n; i++)
        sprite_unref(w->item[i].sprite);
    room_unref(w->s);
    told_unref((struct told *)(uintptr_t)w->told);
}

/* Tells which rows were painted on, neighbouring ones as one; how many. */
static int tell_painted(struct picture *canvas, const struct setting_out *w)
{
    struct {
        int top, bottom;
    } band[ITEMS_MOST];
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        const struct item *it = &w->item[i];
        int top = it->y < 0 ? 0 : it->y, bottom = it->y + it->sprite->height;
        bottom = bottom > canvas->height ? canvas->height : bottom;
        for (int k = 0; k < n;) { /* takes in those that it touches */
            if (top > band[k].bottom || bottom < band[k].top) {
                k++;
                continue;
            }
            top = band[k].top < top ? band[k].top : top;
            bottom = band[k].bottom > bottom ? band[k].bottom : bottom;
            band[k] = band[--n];
            k = 0;
        }
        if (top < bottom) {
            band[n].top = top;
            band[n++].bottom = bottom;
        }
    }
    int rows = 0;
    for (int i = 0; i < n; i++) {
        picture_painted(canvas, band[i].top, band[i].bottom - band[i].top);
        rows += band[i].bottom - band[i].top;
    }
    if (!n)
        picture_painted(canvas, 0, 0);
    return rows;
}

int overlays_paint(struct picture *canvas, const struct rendition_key *key,
                   const struct frame_part *part, const struct capture *how,
                   const struct stream_stats *stats, void *arg)
{
    struct overlays *o = arg;
    struct setting_out w;
    begin(o, &w, key, part, how, canvas->width, canvas->height, canvas->matrix, canvas->range);
    set_out(o, &w, stats);
    for (int i = 0; i < w.n; i++) {
        const struct item *it = &w.item[i];
        sprite_blend(it->sprite, canvas, it->x, it->y, it->left, it->right);
    }
    int rows = tell_painted(canvas, &w);
    end(&w);
    return rows;
}

void overlays_layout(struct overlays *o, const struct rendition_key *key,
                     const struct frame_part *part, const struct capture *how,
                     struct overlay_layout *ret)
{
    struct setting_out w;
    struct stream_stats none = {0};
    *ret = (struct overlay_layout){0};
    begin(o, &w, key, part, how, key->width, key->height, COLOUR_BT709, RANGE_LIMITED);
    set_out(o, &w, &none);
    for (int i = 0; i < w.n; i++) {
        const struct item *it = &w.item[i];
        struct overlay_box *to = it->what == ITEM_ROW       ? &ret->row[it->row]
                                 : it->what == ITEM_LINE    ? &ret->line
                                 : it->what == ITEM_MARK    ? &ret->mark
                                 : it->what == ITEM_COMPASS ? &ret->compass
                                                            : NULL;
        if (to)
            *to = (struct overlay_box){it->x, it->y, it->sprite->width, it->sprite->height};
    }
    end(&w);
}

/* ---- what would be painted at all ---- */

/* Would this text ever show now? */
static bool text_shows(const struct told *t, const char *text, int view, int64_t now_ns,
                       bool *per_stream)
{
    struct overlay_needs n = overlay_text_needs(text);
    bool shows = text[strspn(text, " ")] && !n.slot_only;
    for (int i = 0; i < OVERLAY_SLOTS && !shows; i++)
        shows = n.slots >> i & 1 && slot_shows(t, i, view, now_ns);
    *per_stream |= shows && n.stream;
    return shows;
}

unsigned overlays_paints(const struct rendition_key *key, bool *ret_per_stream, void *arg)
{
    struct overlays *o = arg;
    unsigned classes = 0;
    bool per_stream = false;
    const struct overlay_settings *s = room_ref(o->room);
    struct told *t = told_ref(o);
    int64_t now_ns = clock_now(loop_clock(o->loop));
    const struct overlay_line *l = &s->line[key->view - 1];
    char line[sizeof l->string + 16];
    struct overlay_picture_info info;
    if (key->overlays & OVERLAYS_TEXT && overlay_line_of(l, line, sizeof line) &&
        text_shows(t, line, key->view, now_ns, &per_stream))
        classes |= OVERLAYS_TEXT;
    if (key->overlays & OVERLAYS_APPLICATION &&
        (s->compass.enabled || s->mark.enabled || now_ns < t->mark_until_ns))
        classes |= OVERLAYS_APPLICATION;
    if (key->overlays & OVERLAYS_IMAGE && l->image_enabled && s->image_path[0] && o->pictures &&
        !overlay_pictures_find(o->pictures, s->image_path, &info))
        classes |= OVERLAYS_IMAGE;
    for (int i = 0; i < OVERLAYS_MOST; i++) {
        const struct overlay_row *r = &s->row[i];
        if (!on_view(r, key->view))
            continue;
        if (r->kind == OVERLAY_OF_TEXT && key->overlays & OVERLAYS_TEXT &&
            (text_shows(t, r->text, key->view, now_ns, &per_stream) ||
             (r->reference == REFERENCE_SCENE && r->indicator)))
            classes |= OVERLAYS_TEXT;
        if (r->kind == OVERLAY_OF_IMAGE && key->overlays & OVERLAYS_IMAGE && o->pictures &&
            !overlay_pictures_find(o->pictures, r->path, &info))
            classes |= OVERLAYS_IMAGE;
    }
    told_unref(t);
    room_unref(s);
    *ret_per_stream = per_stream;
    return classes;
}
