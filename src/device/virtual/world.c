#include "device/virtual/world.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "device/ports.h"
#include "device/virtual/camera/blur.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/decal.h"
#include "device/virtual/kernels.h"
#include "device/virtual/place/backdrop.h"
#include "device/virtual/place/tiles.h"
#include "device/virtual/raster/raster.h"
#include "device/virtual/stage/stage.h"
#include "device/virtual/weather/weather.h"

#define EVEN 1e-6 /* of the light: no flicker that anybody sees */
#define REMEMBERED 4096
#define COARSE_SMEAR 3.0
#define TRUTH_WIDTH 1920 /* of the picture that silhouettes are found in */

/* A picture that is being made in bands. */
struct scene {
    struct view view;
    struct light light;
    struct set set;
    int64_t start_ns, end_ns;
};

struct world {
    struct world_parts parts;
    uint64_t seed;
    struct light_place lights;
    struct vec eye;
    struct backdrop *backdrop;
    struct raster *raster; /* NULL: nobody is to be seen */
    struct weather *weather;
    struct blur *blur;
    atomic_bool bare; /* no filter keeps infrared away */
    float *metres;    /* borrowed: who wants to know how far all is … */
    float *place;     /* … without members; of that view */
    size_t place_room;
    struct view place_view;
    struct member *members; /* CAST_MOST */
    struct scene scene;
    uint64_t held;         /* which picture of the place the last radiance has … */
    uint64_t place_held;   /* … and what the backdrop calls it */
    atomic_bool has_decal; /* decal.n > 0 */
    pthread_mutex_t lock;  /* leaf: guards what follows */
    struct decal decal;
    struct truth_shot shot[REMEMBERED];
    uint64_t n_shots;
};

/* ---- light ---- */

void world_set(struct world *w, int64_t time_ns, struct set *ret_set, struct mess *ret_mess)
{
    time_ns = time_ns < 0 ? 0 : time_ns;
    if (w->parts.stage) {
        stage_at(w->parts.stage, time_ns, ret_set, ret_mess);
    } else {
        *ret_set = (struct set){.hour = 12, .visibility_m = INFINITY, .lamps = -1, .ir = -1};
        if (ret_mess)
            memset(ret_mess, 0, sizeof(*ret_mess));
    }
    if (ret_set->ir < 0) {
        struct light_state lamp = {.beam_deg = 60};
        if (w->parts.lamp)
            w->parts.lamp->ops->state(w->parts.lamp, time_ns, &lamp);
        ret_set->ir = lamp.intensity;
        ret_set->ir_beam_deg = lamp.beam_deg;
    }
    ret_set->bare = w->bare;
    if (w->lights.indoor) /* a roof is over the lens and all that is near it */
        ret_set->rain_mm_h = ret_set->snow_mm_h = 0;
}

bool world_clap(struct world *w, int64_t start_ns, int64_t end_ns)
{
    return w->parts.stage && stage_flashes(w->parts.stage, start_ns, end_ns);
}

static void light_at(void *ctx, int64_t time_ns, struct light *ret)
{
    world_light(ctx, time_ns, ret);
}

void world_bare(struct world *w, bool bare)
{
    if (w->bare == bare)
        return;
    w->bare = bare;
    backdrop_follow(w->backdrop, light_at, w); /* what it knows of the past was seen otherwise */
}

void world_light(struct world *w, int64_t time_ns, struct light *ret)
{
    struct set s;
    world_set(w, time_ns, &s, NULL);
    light_of(&s, &w->lights, ret);
}

static double distance(const void *backdrop, struct vec direction)
{
    return backdrop_distance(backdrop, direction);
}

static void place_weather(struct world *w)
{
    const struct tiles *t = w->parts.tiles;
    struct weather_lamp lamp[WEATHER_LAMPS];
    struct weather_place p = {
        .eye = w->eye, .distance = distance, .of = w->backdrop, .lamps = lamp};
    for (; p.n_lamps < t->head->n_lamps && p.n_lamps < WEATHER_LAMPS; p.n_lamps++) {
        const struct lamp *l = &t->lamp[p.n_lamps];
        lamp[p.n_lamps] =
            (struct weather_lamp){.at = vec((double)l->at[0], (double)l->at[1], (double)l->at[2])};
        for (int k = 0; k < 3; k++)
            lamp[p.n_lamps].colour[k] = l->colour[k] * l->power;
    }
    weather_place(w->weather, &p);
}

struct world *world_new(const struct world_parts *p, uint64_t seed)
{
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    pthread_mutex_init(&w->lock, NULL);
    const struct tiles_head *h = p->tiles->head;
    w->parts = *p;
    w->seed = seed;
    w->eye = vec(h->eye[0], h->eye[1], h->eye[2]);
    w->lights = (struct light_place){.lamp_lux = h->lamp_lux, .indoor = h->front > 0};
    memcpy(w->lights.sun_pan, h->sun_pan, sizeof(h->sun_pan));
    memcpy(w->lights.sun_elevation, h->sun_elevation, sizeof(h->sun_elevation));
    w->backdrop = backdrop_new(p->tiles);
    w->weather = weather_new(seed);
    w->blur = blur_new();
    w->members = calloc(CAST_MOST, sizeof(*w->members));
    if (p->models && !(w->raster = raster_new(p->models, w->eye)))
        return world_free(w);
    if (!w->backdrop || !w->weather || !w->blur || !w->members)
        return world_free(w);
    backdrop_follow(w->backdrop, light_at, w);
    place_weather(w);
    return w;
}

struct world *world_free(struct world *w)
{
    if (!w)
        return NULL;
    raster_free(w->raster);
    weather_free(w->weather);
    backdrop_free(w->backdrop);
    blur_free(w->blur);
    free(w->place);
    free(w->members);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

void world_rest(struct world *w)
{
    w->held++;
    if (w->raster)
        raster_rest(w->raster);
    weather_rest(w->weather);
    backdrop_rest(w->backdrop);
    blur_rest(w->blur);
}

void world_use_plain_kernels(struct world *w, bool plain)
{
    const struct kernels *k = plain ? &kernels_plain : kernels_best();
    w->held++;
    backdrop_use_plain_kernels(w->backdrop, plain);
    if (w->raster)
        raster_use_plain_kernels(w->raster, plain);
    weather_use(w->weather, k);
    blur_use(w->blur, k);
}

void world_decal(struct world *w, const struct decal *p)
{
    pthread_mutex_lock(&w->lock);
    w->decal = *p;
    pthread_mutex_unlock(&w->lock);
    w->has_decal = p->n > 0;
}

double world_shake(struct world *w, int64_t start_ns, int64_t end_ns)
{
    double most = 0;
    for (int i = 0; i < 3 && w->parts.stage; i++)
        most = fmax(most, stage_shake(w->parts.stage, start_ns + (end_ns - start_ns) * i / 2));
    return most;
}

void world_hide(struct world *w, const char *id)
{
    if (w->raster)
        raster_hide(w->raster, id);
}

/* ---- pictures ---- */

/* What a pose of the head sees, on a mount that may have been turned or shaken. */
static void aim(struct world *w, const struct pose *pose, int64_t time_ns, int width, int height,
                struct view *ret)
{
    double pan = 0, tilt = 0, roll = 0;
    struct pose p = *pose;
    if (w->parts.stage)
        stage_mount(w->parts.stage, time_ns, &pan, &tilt, &roll);
    p.pan_deg += pan;
    p.tilt_deg += tilt;
    view_init(ret, &p, width, height);
    if (roll != 0)
        view_roll(ret, roll);
}

static size_t present(struct world *w, int64_t time_ns, struct member *ret)
{
    return w->parts.cast ? cast_at(w->parts.cast, time_ns, ret, CAST_MOST) : 0;
}

/* The start, the middle and the end of an exposure. */
struct move {
    struct view start, middle, end;
};

static void move_of(struct world *w, const struct pose *start, const struct pose *end,
                    int64_t start_ns, int64_t end_ns, int width, int height, struct move *ret)
{
    struct pose p = *start;
    p.pan_deg += pose_wrap_pan(end->pan_deg - start->pan_deg) / 2;
    p.tilt_deg += (end->tilt_deg - start->tilt_deg) / 2;
    p.hfov_deg += (end->hfov_deg - start->hfov_deg) / 2;
    aim(w, start, start_ns, width, height, &ret->start);
    aim(w, end, end_ns, width, height, &ret->end);
    aim(w, &p, start_ns + (end_ns - start_ns) / 2, width, height, &ret->middle);
}

void world_watch(struct world *w, float *metres)
{
    w->metres = metres;
    if (metres)
        return;
    free(w->place);
    w->place = NULL;
    w->place_room = 0;
}

/* How far the place is; members come upon it as they are drawn. 0 or -ENOMEM. */
static int tell_distances(struct world *w, const struct view *v, const struct radiance *into)
{
    struct raster_watch watch = {.metres = w->metres,
                                 .step = WORLD_STEP * v->width / into->width,
                                 .across = (into->width + WORLD_STEP - 1) / WORLD_STEP,
                                 .down = (into->height + WORLD_STEP - 1) / WORLD_STEP};
    if (w->raster)
        raster_watch(w->raster, &watch);
    if (!w->metres)
        return 0;
    size_t n = (size_t)watch.across * (size_t)watch.down;
    if (w->place_room != n || !view_same(v, &w->place_view)) {
        if (w->place_room != n) {
            free(w->place);
            w->place = malloc(n * sizeof(*w->place));
            w->place_room = w->place ? n : 0;
        }
        if (!w->place)
            return -ENOMEM;
        struct view small = *v;
        small.f = v->f * into->width / WORLD_STEP / v->width;
        small.width = watch.across;
        small.height = watch.down;
        for (int y = 0; y < watch.down; y++)
            backdrop_distance_row(w->backdrop, &small, y, 0, watch.across,
                                  w->place + (size_t)y * (size_t)watch.across);
        w->place_view = *v;
    }
    memcpy(w->metres, w->place, n * sizeof(*w->place));
    return 0;
}

/* What was drawn over the place is taken off again; the place itself mostly stays. */
static void take_off(struct world *w, struct radiance *into)
{
    if (into->held && into->held == w->held) {
        weather_restore(w->weather, into);
        if (w->raster)
            raster_restore(w->raster, into);
        into->held = w->place_held;
    } else {
        into->held = 0;
    }
    w->held++;
}

static void tell_stage(struct world *w, int64_t start_ns)
{
    uint64_t revision;
    if (!w->parts.stage)
        return;
    int64_t since = stage_since(w->parts.stage, start_ns, &revision);
    backdrop_told(w->backdrop, since, revision);
}

int world_render(struct world *w, const struct pose *start, const struct pose *end,
                 int64_t start_ns, int64_t end_ns, struct radiance *into)
{
    struct move m;
    struct set set;
    struct light light;
    world_set(w, start_ns, &set, NULL);
    light_of(&set, &w->lights, &light);
    move_of(w, start, end, start_ns, end_ns, into->width, into->height, &m);
    bool still = view_same(&m.start, &m.end);
    /* What is smeared over many pixels anyway is painted with half as many. */
    struct radiance *on = into;
    double smear = still ? 0 : blur_length(&m.start, &m.middle, &m.end);
    tell_stage(w, start_ns);
    backdrop_quick(w->backdrop, !still);
    if (into->width % 2 == 0 && into->height % 2 == 0 && smear > COARSE_SMEAR) {
        on = blur_half(w->blur, into);
        if (!on)
            return -ENOMEM;
        move_of(w, start, end, start_ns, end_ns, on->width, on->height, &m);
    }
    const struct view *v = still ? &m.start : &m.middle;
    if (on != into)
        into->held = 0;
    take_off(w, into);
    int rc = backdrop_paint(w->backdrop, v, &light, &set, start_ns, on);
    w->place_held = on->held;
    into->held = 0;
    if (rc < 0)
        return rc;
    rc = tell_distances(w, v, into);
    if (rc < 0)
        return rc;
    bool kept = true;
    if (w->raster) {
        size_t n = present(w, start_ns + (end_ns - start_ns) / 2, w->members);
        /* A smear of the whole picture by the head's move is enough. */
        raster_open(w->raster, on == into ? (double)(end_ns - start_ns) / 1e9 : 0);
        kept = raster_cast(w->raster, w->backdrop, v, &light, w->members, n, on, still);
    }
    weather_paint(w->weather, v, &light, &set, start_ns, end_ns - start_ns, on, still && kept);
    if (still && kept)
        into->held = w->held;
    if (w->has_decal) {
        struct decal decal;
        pthread_mutex_lock(&w->lock);
        decal = w->decal;
        pthread_mutex_unlock(&w->lock);
        decal_paint(&decal, v, on);
        radiance_touch(into, 0, 0, into->width, into->height);
        into->held = 0;
    }
    if (!still)
        rc = blur_move(w->blur, &m.start, &m.middle, &m.end, on);
    if (rc == 0 && on != into)
        blur_widen(w->blur, into);
    return rc;
}

/* ---- pictures in bands ---- */

int world_place_only(struct world *w, const struct pose *start, const struct pose *end,
                     int64_t start_ns, int64_t end_ns, struct radiance *into)
{
    struct scene *c = &w->scene;
    struct move m;
    move_of(w, start, end, start_ns, end_ns, into->width, into->height, &m);
    if (!view_same(&m.start, &m.end) || w->has_decal)
        return 0;
    c->view = m.start;
    c->start_ns = start_ns;
    c->end_ns = end_ns;
    world_set(w, start_ns, &c->set, NULL);
    light_of(&c->set, &w->lights, &c->light);
    tell_stage(w, start_ns);
    backdrop_quick(w->backdrop, false);
    take_off(w, into);
    int rc = backdrop_paint(w->backdrop, &c->view, &c->light, &c->set, start_ns, into);
    w->place_held = into->held;
    into->held = 0;
    if (rc == 0)
        rc = tell_distances(w, &c->view, into);
    return rc < 0 ? rc : 1;
}

bool world_people(struct world *w, struct radiance *into, const struct raster_small *small)
{
    const struct scene *c = &w->scene;
    const int64_t exposure_ns = c->end_ns - c->start_ns;
    bool bands = true;
    if (w->raster) {
        size_t n = present(w, c->start_ns + exposure_ns / 2, w->members);
        raster_open(w->raster, (double)exposure_ns / 1e9);
        bands = raster_cast_bands(w->raster, w->backdrop, &c->view, &c->light, w->members, n, into,
                                  small);
    }
    weather_prepare(w->weather, &c->view, &c->light, &c->set, c->start_ns, exposure_ns);
    if (bands)
        into->held = w->held;
    else
        weather_whole(w->weather, into, false);
    return bands;
}

void world_whole(struct world *w, struct radiance *into)
{
    bool kept = !w->raster || raster_whole(w->raster);
    weather_whole(w->weather, into, kept);
    into->held = kept ? w->held : 0;
}

void world_mark(const struct world *w, int y, uint8_t *cells)
{
    if (w->raster)
        raster_mark(w->raster, y, y + RADIANCE_CELL, cells);
    weather_mark(w->weather, y, cells);
}

void world_lay(struct world *w, struct radiance *band)
{
    if (w->raster)
        raster_lay(w->raster, band);
    weather_lay(w->weather, band);
}

double world_meter(struct world *w, const struct pose *pose, double aspect, int64_t time_ns)
{
    struct light l;
    world_light(w, time_ns, &l);
    return backdrop_meter(w->backdrop, &l, pose, aspect);
}

bool world_flicker(struct world *w, const struct pose *pose, double aspect, int64_t start_ns,
                   int64_t end_ns, int across, int down, float *ret)
{
    struct set s;
    struct light all, rest;
    world_set(w, start_ns, &s, NULL);
    double now = s.mains_hz > 0 ? light_flicker(s.mains_hz, start_ns, end_ns) : 1;
    if (fabs(now - 1) < EVEN)
        return false;
    light_of(&s, &w->lights, &all);
    rest = all;
    light_without_lamps(&rest);
    backdrop_shares(w->backdrop, &all, &rest, pose, aspect, across, down, ret);
    for (int i = 0; i < across * down; i++)
        ret[i] = 1 + (1 - fminf(ret[i], 1)) * (float)(now - 1);
    return true;
}

/* ---- truth ---- */

static void tell(const struct member *m, const struct silhouette *s, const struct view *v,
                 struct truth_object *ret)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->id, m->id, sizeof(ret->id));
    ret->class_name = m->class_name;
    ret->box[0] = s->x0 / v->width;
    ret->box[1] = s->y0 / v->height;
    ret->box[2] = (s->x1 - s->x0) / v->width;
    ret->box[3] = (s->y1 - s->y0) / v->height;
    ret->world[0] = m->at.x;
    ret->world[1] = m->at.y;
    ret->world[2] = m->at.z;
    ret->visible = s->visible;
}

size_t world_truth(struct world *w, const struct pose *pose, double aspect, int64_t time_ns,
                   int64_t exposure_ns, struct truth_object *ret, size_t most)
{
    if (!w->parts.models)
        return 0;
    struct member *members = malloc(sizeof(*members) * CAST_MOST);
    struct silhouette *seen = malloc(sizeof(*seen) * CAST_MOST);
    struct raster *raster = raster_new(w->parts.models, w->eye);
    size_t found = 0;
    if (members && seen && raster) {
        struct view v;
        aim(w, pose, time_ns, TRUTH_WIDTH, (int)lround(TRUTH_WIDTH / aspect), &v);
        size_t n = present(w, time_ns, members);
        raster_open(raster, (double)exposure_ns / 1e9);
        raster_truth(raster, w->backdrop, &v, members, n, seen);
        for (size_t i = 0; i < n && found < most; i++)
            if (members[i].class_name && seen[i].visible > 0 && seen[i].x1 > seen[i].x0)
                tell(&members[i], &seen[i], &v, &ret[found++]);
    }
    raster_free(raster);
    free(seen);
    free(members);
    return found;
}

/* ---- what was taken ---- */

void world_remember(struct world *w, const struct truth_shot *s)
{
    pthread_mutex_lock(&w->lock);
    w->shot[w->n_shots++ % REMEMBERED] = *s;
    pthread_mutex_unlock(&w->lock);
}

static bool find(struct world *w, int64_t wanted, bool by_serial, struct truth_shot *ret)
{
    const struct truth_shot *best = NULL;
    uint64_t least = UINT64_MAX;
    pthread_mutex_lock(&w->lock);
    size_t n = w->n_shots < REMEMBERED ? (size_t)w->n_shots : REMEMBERED;
    for (size_t i = 0; i < n; i++) {
        int64_t at = by_serial ? (int64_t)w->shot[i].serial : w->shot[i].utc_ns;
        uint64_t away =
            at > wanted ? (uint64_t)at - (uint64_t)wanted : (uint64_t)wanted - (uint64_t)at;
        if (away < least) {
            least = away;
            best = &w->shot[i];
        }
    }
    bool ok = best && (!by_serial || least == 0);
    if (ok)
        *ret = *best;
    pthread_mutex_unlock(&w->lock);
    return ok;
}

bool world_shot_by_serial(struct world *w, uint64_t serial, struct truth_shot *ret)
{
    return find(w, (int64_t)serial, true, ret);
}

bool world_shot_by_utc(struct world *w, int64_t utc_ns, struct truth_shot *ret)
{
    return find(w, utc_ns, false, ret);
}

bool world_shot_newest(struct world *w, struct truth_shot *ret)
{
    pthread_mutex_lock(&w->lock);
    bool ok = w->n_shots > 0;
    if (ok)
        *ret = w->shot[(w->n_shots - 1) % REMEMBERED];
    pthread_mutex_unlock(&w->lock);
    return ok;
}

const char *world_place(const struct world *w)
{
    return w->parts.tiles->head->name;
}
