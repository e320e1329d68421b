/* Drawing of the cast, over a backdrop that is known exactly (raster_stub.h), with the real
 * models. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "device/virtual/raster/inside.h"
#include "device/virtual/raster/models.h"
#include "device/virtual/scenario/kinds.h"
#include "raster_stub.h"
#include "unit.h"

static const char *const names[] = {
    "man",         "woman",       "car-hatch",   "car-estate",  "car-suv",     "car-small",
    "car-sedan",   "van",         "bus",         "truck",       "motorcycle",  "bicycle",
    "dog",         "parcel",      "barrier",     "cone",        "bystander-1", "bystander-2",
    "bystander-3", "bystander-4", "bystander-5", "bystander-6", "bystander-7", "bystander-8",
};
#define NAMES (sizeof(names) / sizeof(*names))

struct stage {
    struct models *m;
    struct backdrop b;
    struct light l;
    struct view v;
    struct raster *r;
    struct radiance p;
    size_t n; /* samples of a picture's planes */
};

static struct models *pack(void)
{
    static struct models *m;
    struct fault why;
    if (!m)
        m = models_find(&why);
    if (!m)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    return m;
}

static void begin(struct stage *s, int w, int h, double pan, double tilt, double hfov, bool night)
{
    memset(s, 0, sizeof(*s));
    s->m = pack();
    s->b.eye = vec(0, 0, 6);
    stub_light(&s->l, night);
    struct pose pose = {
        .pan_deg = pan, .tilt_deg = tilt, .hfov_deg = hfov, .zoom = 1, .known = true};
    view_init(&s->v, &pose, w, h);
    s->r = raster_new(s->m, s->b.eye);
    CHECK(s->r);
    CHECK(stub_radiance(&s->p, w, h));
    s->n = (size_t)w * (size_t)h * 3;
    stub_paint(&s->b, &s->v, &s->l, &s->p);
}

static void end(struct stage *s)
{
    free(s->p.r);
    raster_free(s->r);
}

static uint16_t *copied(const struct stage *s)
{
    uint16_t *p = malloc(s->n * sizeof(*p));
    CHECK(p);
    memcpy(p, s->p.r, s->n * sizeof(*p));
    return p;
}

static struct member standing(const char *model, double x, double y, double heading)
{
    struct member m = {
        .model = model, .class_name = "person", .heading_deg = heading, .scale = 1, .look = 5};
    snprintf(m.id, sizeof(m.id), "%s", model);
    m.at = vec(x, y, 0);
    m.phase = 0.3;
    if (strstr(model, "cycle"))
        m.gait = GAIT_RIDE;
    return m;
}

/* Every kind of member, near and far, over one another. */
static size_t gathering(struct member *who)
{
    size_t n = 0;
    for (size_t i = 0; i < NAMES; i++) {
        who[n] = standing(names[i], -9 + (double)(i % 6) * 3.4, 11 + (double)(i / 6) * 7,
                          (double)i * 51);
        who[n].gait = i % 3 ? GAIT_WALK : who[n].gait;
        who[n].headlights = i % 2;
        who[n].brake_lights = i % 3 == 0;
        who[n].look = (uint32_t)i * 77;
        who[n].speed_m_s = (double)(i % 5) * 1.4 - 1.4;
        snprintf(who[n].plate, sizeof(who[n].plate), "AB %zu", 100 + i);
        n++;
    }
    return n;
}

TEST(models_are_there)
{
    for (size_t i = 0; i < NAMES; i++) {
        const struct model *m = models_named(pack(), names[i]);
        if (!m)
            unit_fail(__FILE__, __LINE__, "no model '%s'", names[i]);
        CHECK(m->n_lods >= 1);
        CHECK(m->lod[0].n_triangles > m->lod[m->n_lods - 1].n_triangles || m->n_lods == 1);
    }
    CHECK(!models_named(pack(), "zeppelin"));
    for (unsigned g = GAIT_STAND; g <= GAIT_CARRY; g++)
        for (size_t i = 0; i < 2; i++) {
            const struct model_clip *c = model_gait(models_named(pack(), names[i]), g);
            CHECK(c);
            CHECK_INT(c->gait, g);
            CHECK(c->frames >= 16);
        }
}

static void near_to(const char *name, const char *what, double said, double is, double share)
{
    if (fabs(said - is) > share * is)
        unit_fail(__FILE__, __LINE__, "%s: %s %.3f, its mesh %.3f", name, what, said, is);
}

/* What the drivers and walkers go by is what is drawn: else feet slide and wheels slip. */
TEST(kinds_are_as_large_as_their_meshes)
{
    for (size_t i = 0; i < NAMES; i++) {
        double scale;
        const struct cast_kind *k = cast_kind_find(names[i], 0);
        const struct model *m = place_model(pack(), names[i], &scale);
        if (!k)
            unit_fail(__FILE__, __LINE__, "%s is of no kind", names[i]);
        double side[3];
        for (int c = 0; c < 3; c++)
            side[c] = scale * ((double)m->hi[c] - (double)m->lo[c]);
        near_to(names[i], "height", k->height_m,
                scale * ((double)m->hi[2] - fmax(0, (double)m->lo[2])), 0.02);
        const struct model_clip *walk = model_gait(m, GAIT_WALK), *run = model_gait(m, GAIT_RUN);
        if (k->sort == KIND_WALKER) {
            near_to(names[i], "cycle", k->cycle_m, scale * (double)walk->stride, 0.01);
            near_to(names[i], "running", k->run_m, scale * (double)run->stride, 0.01);
            continue; /* their boxes hold their strides */
        }
        near_to(names[i], "length", k->length_m, side[1], k->class_name ? 0.25 : 0.02);
        near_to(names[i], "width", k->width_m, side[0], k->sort == KIND_VEHICLE ? 0.2 : 0.03);
        if (k->sort != KIND_VEHICLE)
            continue;
        near_to(names[i], "length", k->length_m, side[1], 0.02);
        double front = -1e9, rear = 1e9, wheel = 0;
        for (uint32_t p = 0; p < m->n_parts; p++) {
            front = fmax(front, (double)m->part[p].pivot[1]);
            rear = fmin(rear, (double)m->part[p].pivot[1]);
            wheel = fmax(wheel, (double)m->part[p].pivot[2]);
        }
        if (m->n_parts) {
            near_to(names[i], "axles", k->axles_m, front - rear, 0.02);
            near_to(names[i], "a wheel's way", k->cycle_m, 2 * M_PI * wheel, 0.03);
        }
    }
}

TEST(a_damaged_pack_is_refused)
{
    char path[] = "/tmp/models-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    struct fault why;
    CHECK(!models_open("/nowhere/models.pack", &why));
    CHECK(strstr(why.text, "make build"));
    /* the first model's first triangle names a vertex that is not there */
    size_t size = pack()->size;
    uint8_t *data = malloc(size);
    CHECK(data);
    for (int damage = 0; damage < 4; damage++) {
        memcpy(data, pack()->base, size);
        struct models_head *h = (void *)data;
        struct model *m = (void *)(data + h->models);
        size_t n = size;
        if (damage == 0)
            memset(data + m[0].lod[0].triangles, 0xff, 2);
        else if (damage == 1)
            m[0].lod[0].frames = size - 16;
        else if (damage == 2)
            n = size / 2;
        else
            h->version++;
        CHECK(ftruncate(fd, 0) == 0);
        CHECK_INT(pwrite(fd, data, n, 0), (long long)n);
        CHECK(!models_open(path, &why));
        CHECK(strstr(why.text, "damaged"));
    }
    free(data);
    close(fd);
    unlink(path);
}

TEST(twins_give_the_same_bytes)
{
    if (kernels_raster_best() == &kernels_raster_plain)
        return; /* there is but one */
    for (int night = 0; night < 2; night++) {
        struct stage s;
        struct member who[CAST_MOST];
        size_t n = gathering(who);
        begin(&s, 960, 540, 0, -16, 70, night);
        raster_open(s.r, night ? 0.1 : 0);
        uint16_t *bare = copied(&s);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
        uint16_t *best = copied(&s);
        CHECK(memcmp(bare, best, s.n * sizeof(*best)));
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        raster_use_plain_kernels(s.r, true);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
        CHECK(!memcmp(best, s.p.r, s.n * sizeof(*best)));
        free(best);
        free(bare);
        end(&s);
    }
}

/* Who stands is kept from picture to picture, unless something of what he is drawn from changes. */
TEST(who_stands_is_as_if_drawn_anew)
{
    for (int night = 0; night < 2; night++) {
        struct stage s, fresh;
        struct member who[CAST_MOST];
        static float told[64 * 36], anew[64 * 36];
        size_t n = gathering(who);
        begin(&s, 640, 360, 0, -14, 60, night);
        for (int i = 0; i < 9; i++) {
            struct pose pose = {.tilt_deg = i < 7 ? -14 : -15, .hfov_deg = 60, .zoom = 1};
            begin(&fresh, 640, 360, 0, -14, 60, night);
            view_init(&s.v, &pose, 640, 360);
            fresh.v = s.v;
            for (size_t k = 0; k < n; k++) {
                who[k].speed_m_s = k % 3 ? 0 : who[k].speed_m_s;
                who[k].at.x += 0.1 * who[k].speed_m_s;
            }
            if (i == 2)
                who[1].look++;
            if (i == 3)
                who[2].phase += 0.1;
            if (i > 3)
                s.l.zenith[1] *= 1.5f;
            fresh.l = s.l;
            struct stage *const both[2] = {&s, &fresh};
            for (int k = 0; k < 2; k++) {
                struct stage *q = both[k];
                raster_watch(q->r,
                             &(struct raster_watch){i & 1 ? k ? anew : told : NULL, 10, 64, 36});
                raster_open(q->r, night ? 0.1 : 0);
                raster_hide(q->r, i == 5 ? who[4].id : NULL);
                stub_paint(&q->b, &q->v, &q->l, &q->p);
                raster_cast(q->r, &q->b, &q->v, &q->l, who, n, &q->p, false);
            }
            if (memcmp(s.p.r, fresh.p.r, s.n * sizeof(*s.p.r)) != 0)
                unit_fail(__FILE__, __LINE__, "picture %d differs", i);
            CHECK(!memcmp(told, anew, sizeof(told)));
            end(&fresh);
        }
        CHECK(s.r->n_stills > n / 3);
        end(&s);
    }
}

static void check_what_came_before(bool night)
{
    struct stage s;
    struct member who[CAST_MOST];
    size_t n = gathering(who);
    begin(&s, 640, 360, 5, -16, 50, night);
    raster_open(s.r, night ? 0.2 : 0);
    raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
    uint16_t *first = copied(&s);
    struct pose pose = {.pan_deg = -20, .tilt_deg = -30, .hfov_deg = 20, .zoom = 3, .known = true};
    struct view other;
    view_init(&other, &pose, 640, 360);
    stub_paint(&s.b, &other, &s.l, &s.p);
    raster_cast(s.r, &s.b, &other, &s.l, who, n / 2, &s.p, true);
    CHECK(memcmp(first, s.p.r, s.n * sizeof(*first)));
    stub_paint(&s.b, &s.v, &s.l, &s.p);
    raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, true);
    CHECK(!memcmp(first, s.p.r, s.n * sizeof(*first)));
    raster_rest(s.r);
    stub_paint(&s.b, &s.v, &s.l, &s.p);
    raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, false);
    CHECK(!memcmp(first, s.p.r, s.n * sizeof(*first)));
    free(first);
    end(&s);
}

TEST(what_came_before_does_not_matter)
{
    check_what_came_before(false);
    check_what_came_before(true); /* what the ground throws back is remembered */
}

TEST(restore_gives_the_backdrop_back)
{
    for (int night = 0; night < 2; night++) {
        struct stage s;
        struct member who[CAST_MOST];
        size_t n = gathering(who);
        begin(&s, 1280, 720, 0, -14, 60, night);
        raster_open(s.r, night ? 0.1 : 0);
        uint16_t *bare = copied(&s);
        for (int i = 0; i < 3; i++) {
            for (size_t k = 0; k < n; k++)
                who[k].at.x += 0.4;
            CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, true));
            CHECK(memcmp(bare, s.p.r, s.n * sizeof(*bare)));
            raster_restore(s.r, &s.p);
            CHECK(!memcmp(bare, s.p.r, s.n * sizeof(*bare)));
        }
        free(bare);
        end(&s);
    }
}

/* Are the cells whose pixels differ from `was` all marked? Returns how many are. */
static size_t marked(const struct stage *s, const uint16_t *was)
{
    size_t across = (size_t)radiance_across(&s->p), n = across * (size_t)radiance_down(&s->p);
    size_t plane = s->n / 3, width = (size_t)s->v.width, count = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t x = i % plane % width, y = i % plane / width;
        if (was[i] != s->p.r[i] && !s->p.touched[y / RADIANCE_CELL * across + x / RADIANCE_CELL])
            unit_fail(__FILE__, __LINE__, "pixel %zu %zu was written unmarked", x, y);
    }
    for (size_t i = 0; i < n; i++)
        count += s->p.touched[i] != 0;
    return count;
}

TEST(what_is_written_is_marked)
{
    for (int night = 0; night < 2; night++) {
        struct stage s;
        struct member who[CAST_MOST];
        begin(&s, 1270, 710, 0, -14, 60, night);
        raster_open(s.r, night ? 0.1 : 0);
        size_t cells = (size_t)radiance_across(&s.p) * (size_t)radiance_down(&s.p);
        s.p.touched = calloc(1, cells);
        CHECK(s.p.touched);
        uint16_t *bare = copied(&s);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, 0, &s.p, true);
        CHECK_INT(marked(&s, bare), 0);
        who[0] = standing("man", 0, 30, 40);
        CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, 1, &s.p, true));
        size_t few = marked(&s, bare);
        CHECK(few > 0 && few < 60); /* he is 30 pixels high: not the box of far more */
        uint16_t *with = copied(&s);
        memset(s.p.touched, 0, cells);
        raster_restore(s.r, &s.p);
        CHECK_INT(marked(&s, with), (long long)few);
        free(with);
        size_t n = gathering(who);
        memset(s.p.touched, 0, cells);
        CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, n, &s.p, true));
        CHECK(marked(&s, bare) > few);
        with = copied(&s);
        memset(s.p.touched, 0, cells);
        raster_restore(s.r, &s.p);
        marked(&s, with);
        free(with);
        free(bare);
        free(s.p.touched);
        end(&s);
    }
}

/* Columns in which the ground is not seen as it is, above a row, and how much light is missing or
 * too much in all of them. */
static int columns(const struct stage *s, const uint16_t *bare, int end, double *ret_light)
{
    int n = 0, w = s->v.width;
    double all[1280], most = 0;
    *ret_light = 0;
    CHECK(w <= 1280);
    for (int x = 0; x < w; x++) {
        double off = 0;
        for (int y = 0; y < end; y++) {
            size_t i = (size_t)y * (size_t)w + (size_t)x, g = s->n / 3 + i;
            off += (double)s->p.r[g] - (double)bare[g];
        }
        all[x] = fabs(off);
        most = fmax(most, all[x]);
        *ret_light += off;
    }
    for (int x = 0; x < w; x++)
        n += all[x] > 0.02 * most;
    return n;
}

/* Who walks across is as much wider as he goes while the shutter is open, and takes as much light
 * away as before; who stands is as sharp as ever. */
TEST(a_slow_shutter_smears_who_moves)
{
    struct stage s;
    begin(&s, 1280, 720, 0, -14, 60, true); /* no sun: no shadow that stands */
    struct member who[1] = {standing("man", 0, 16, 90)};
    uint16_t *bare = copied(&s);
    double sharp_light, light, x, hip;
    CHECK(view_point(&s.v, vec(0, 16, 0.9 - 6), &x, &hip)); /* his shadow lies below */
    raster_cast(s.r, &s.b, &s.v, &s.l, who, 1, &s.p, true);
    int sharp = columns(&s, bare, (int)hip, &sharp_light);
    CHECK(sharp > 10);
    for (int i = 0; i < 2; i++) {
        raster_restore(s.r, &s.p);
        who[0].speed_m_s = i ? 1.5 : 0;
        raster_open(s.r, 0.5);
        raster_cast(s.r, &s.b, &s.v, &s.l, who, 1, &s.p, true);
        int wide = columns(&s, bare, (int)hip, &light);
        double moved = who[0].speed_m_s * 0.5 * s.v.f / 16;
        CHECK_NEAR(wide - sharp, moved, 0.12 * moved);
        CHECK_NEAR(light / sharp_light, 1, 0.03);
    }
    free(bare);
    end(&s);
}

/* What is smeared looks like the mean of all the places it was at, also where it is drawn coarser
 * along its way. */
TEST(a_smear_is_the_mean_of_where_it_was)
{
    static const double pixels[] = {5, 9, 11};
    for (size_t i = 0; i < sizeof(pixels) / sizeof(*pixels); i++) {
        struct stage s;
        begin(&s, 1280, 720, 0, -14, 60, true);
        struct member who = standing("van", 0, 24, i % 2 ? 90 : 270);
        uint16_t *bare = copied(&s);
        double x, below, *mean = calloc(s.n, sizeof(*mean)), off = 0, all = 0;
        const int steps = 24;
        size_t width = (size_t)s.v.width;
        CHECK(mean && view_point(&s.v, vec(0, 24, 0.5 - 6), &x, &below)); /* its shadow is */
        who.speed_m_s = pixels[i] * 24 / s.v.f / 0.03;
        raster_open(s.r, 0.03);
        raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, true);
        uint16_t *smeared = copied(&s);
        raster_open(s.r, 0);
        for (int k = 0; k < steps; k++) {
            raster_restore(s.r, &s.p);
            who.at.x = ((k + 0.5) / steps - 0.5) * who.speed_m_s * 0.03;
            raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, true);
            for (size_t q = 0; q < s.n; q++)
                mean[q] += (double)s.p.r[q] / steps;
        }
        for (size_t q = 0; q < s.n; q++) {
            if ((double)(q % (s.n / 3) / width) >= below)
                continue;
            off += fabs(smeared[q] - mean[q]);
            all += fabs(bare[q] - mean[q]);
        }
        if (!(all > 0 && off < 0.06 * all))
            unit_fail(__FILE__, __LINE__, "%g pixels: %g of it is amiss", pixels[i], off / all);
        free(smeared);
        free(mean);
        free(bare);
        end(&s);
    }
}

TEST(too_much_to_keep_is_said)
{
    struct stage s;
    begin(&s, 640, 360, 0, -40, 40, false);
    struct member who[8];
    for (int i = 0; i < 8; i++)
        who[i] = standing("bus", 0, 6 + i * 0.4, 90);
    CHECK(!raster_cast(s.r, &s.b, &s.v, &s.l, who, 8, &s.p, true));
    uint16_t *drawn = copied(&s);
    raster_restore(s.r, &s.p); /* nothing was kept */
    CHECK(!memcmp(drawn, s.p.r, s.n * sizeof(*drawn)));
    free(drawn);
    end(&s);
}

/* The box of what differs between a picture with the first member and one without. */
static bool shown_box(struct stage *s, const struct member *who, size_t n, double box[4])
{
    stub_paint(&s->b, &s->v, &s->l, &s->p);
    raster_hide(s->r, NULL);
    raster_cast(s->r, &s->b, &s->v, &s->l, who, n, &s->p, false);
    uint16_t *with = copied(s);
    stub_paint(&s->b, &s->v, &s->l, &s->p);
    raster_hide(s->r, who[0].id);
    raster_cast(s->r, &s->b, &s->v, &s->l, who, n, &s->p, false);
    raster_hide(s->r, NULL);
    size_t plane = s->n / 3;
    box[0] = box[1] = 1e9;
    box[2] = box[3] = -1;
    for (size_t i = 0; i < s->n; i++) {
        int d = (int)with[i] - (int)s->p.r[i];
        if (abs(d) < 40)
            continue;
        int x = (int)(i % plane % (size_t)s->v.width), y = (int)(i % plane / (size_t)s->v.width);
        box[0] = fmin(box[0], x);
        box[1] = fmin(box[1], y);
        box[2] = fmax(box[2], x + 1);
        box[3] = fmax(box[3], y + 1);
    }
    free(with);
    return box[2] > box[0];
}

static double iou(const struct silhouette *a, const double b[4])
{
    double w = fmin(a->x1, b[2]) - fmax(a->x0, b[0]), h = fmin(a->y1, b[3]) - fmax(a->y0, b[1]);
    if (w <= 0 || h <= 0)
        return 0;
    return w * h / ((a->x1 - a->x0) * (a->y1 - a->y0) + (b[2] - b[0]) * (b[3] - b[1]) - w * h);
}

static void agree(struct stage *s, const struct member *who, size_t n, double least,
                  const char *what)
{
    struct silhouette t[CAST_MOST];
    double box[4];
    raster_truth(s->r, &s->b, &s->v, who, n, t);
    bool shown = shown_box(s, who, n, box);
    double same = shown ? iou(&t[0], box) : 0;
    if (same < least)
        unit_fail(
            __FILE__, __LINE__,
            "%s: truth %.1f,%.1f %.1f,%.1f (%.2f visible), shown %.0f,%.0f %.0f,%.0f: %.3f alike",
            what, t[0].x0, t[0].y0, t[0].x1, t[0].y1, t[0].visible, box[0], box[1], box[2], box[3],
            same);
}

TEST(truth_is_what_is_shown)
{
    struct stage s;
    begin(&s, 960, 540, 0, -17, 40, false);
    for (size_t i = 0; i < NAMES; i++)
        for (int h = 0; h < 3; h++) {
            struct member who = standing(names[i], 0.3, 21, 20 + h * 77);
            agree(&s, &who, 1, 0.9, names[i]);
            struct silhouette t;
            raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
            if (t.y0 > 0 && t.x0 > 0 && t.x1 < 960 &&
                strcmp(names[i], "barrier")) /* the whole of it is in the frame */
                if (t.visible <= 0.97)
                    unit_fail(__FILE__, __LINE__, "%s: %.3f visible", names[i], t.visible);
        }
    end(&s);
}

TEST(truth_holds_at_every_zoom)
{
    const double hfov[] = {90, 60, 30, 8, 2.5};
    for (size_t z = 0; z < sizeof(hfov) / sizeof(*hfov); z++) {
        struct stage s;
        begin(&s, 960, 540, 0, -8, hfov[z], false);
        struct member who = standing("man", 0, 35, 130);
        who.gait = GAIT_WALK;
        agree(&s, &who, 1, z ? 0.9 : 0.85, "man");
        who = standing("car-hatch", 0.2, 36, 60);
        agree(&s, &who, 1, 0.9, "car");
        end(&s);
    }
}

TEST(truth_ends_at_the_frame)
{
    struct stage s;
    begin(&s, 640, 360, 0, -17, 30, false);
    struct member who = standing("car-suv", -5.5, 20, 90);
    struct silhouette t;
    raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
    CHECK(t.x0 == 0);
    CHECK(t.visible > 0.2 && t.visible < 0.9);
    agree(&s, &who, 1, 0.9, "half a car");
    who.at = vec(-40, 20, 0);
    raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
    CHECK(t.x1 <= t.x0 && t.visible == 0);
    who.at = vec(0, -20, 0); /* behind the camera */
    raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
    CHECK(t.x1 <= t.x0 && t.visible == 0);
    end(&s);
}

TEST(the_place_hides)
{
    struct stage s;
    begin(&s, 960, 540, 8, -14, 30, false);
    s.b.wall = true;
    struct member who = standing("man", 4, 23, 200);
    struct silhouette t;
    double box[4];
    raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
    CHECK(t.visible < 0.01);
    CHECK(!shown_box(&s, &who, 1, box));
    who.at = vec(6.95, 23, 0); /* the wall's edge cuts him */
    raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
    CHECK(t.visible > 0.05 && t.visible < 0.95);
    agree(&s, &who, 1, 0.85, "man behind the wall's edge");
    who.at = vec(4, 18, 0); /* before it */
    raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
    CHECK(t.visible > 0.97);
    agree(&s, &who, 1, 0.9, "man before the wall");
    end(&s);
}

TEST(members_hide_each_other)
{
    struct stage s;
    begin(&s, 960, 540, 0, -14, 40, false);
    struct member who[2] = {standing("man", 0.2, 22, 180), standing("van", 0, 18, 90)};
    struct silhouette t[2];
    raster_truth(s.r, &s.b, &s.v, who, 2, t);
    CHECK(t[0].visible < 0.6);
    CHECK(t[1].visible > 0.97);
    if (t[0].visible > 0.1)
        agree(&s, who, 2, 0.85, "man behind a van");
    /* He stands close before its side: his middle is farther than the van's front end. */
    who[1] = standing("bus", 3, 22, 75);
    who[0].at = vec(3, 19.5, 0);
    raster_truth(s.r, &s.b, &s.v, who, 2, t);
    CHECK(t[0].visible > 0.97);
    agree(&s, who, 2, 0.9, "man before a bus");
    end(&s);
}

TEST(shadows_darken_the_ground_only)
{
    struct stage s;
    begin(&s, 960, 540, 0, -17, 40, false);
    struct member who = standing("car-sedan", 0, 20, 60);
    uint16_t *bare = copied(&s);
    raster_hide(s.r, who.id);
    raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
    size_t darker = 0, lighter = 0;
    for (size_t i = 0; i < s.n; i++) {
        darker += s.p.r[i] < bare[i];
        lighter += s.p.r[i] > bare[i];
    }
    CHECK(darker > 3000);
    CHECK_INT(lighter, 0);
    /* Where the sun is gone, the sky's light is left. */
    double least = 1;
    for (size_t i = 0; i < s.n; i++)
        least = fmin(least, (double)s.p.r[i] / bare[i]);
    CHECK(least < 0.35);
    free(bare);
    end(&s);
}

TEST(headlights_light_the_ground_at_night)
{
    struct stage s;
    begin(&s, 960, 540, 0, -17, 40, true);
    struct member who = standing("car-hatch", 0, 26, 180);
    double sum[2];
    for (int on = 0; on < 2; on++) {
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        who.headlights = on;
        raster_hide(s.r, who.id);
        raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
        sum[on] = 0;
        for (int y = 330; y < 500; y++)
            for (int x = 400; x < 560; x++)
                sum[on] += s.p.g[(size_t)y * s.p.stride + (size_t)x];
    }
    CHECK(sum[1] > sum[0] * 1.2);
    end(&s);
}

TEST(the_own_lamp_has_a_beam)
{
    /* He is as bright before the lens and beside it, but for the beam. */
    double sum[2][2];
    for (int narrow = 0; narrow < 2; narrow++)
        for (int aside = 0; aside < 2; aside++) {
            struct stage s;
            begin(&s, 640, 360, aside ? -28 : 0, -10, 80, true);
            s.l.soft[SOFT_IR][0] = s.l.soft[SOFT_IR][1] = s.l.soft[SOFT_IR][2] = 2;
            s.l.ir_edge = narrow ? 1 - cos(10 * M_PI / 180) : 0;
            struct member who = standing("man", 0, 19, 180);
            struct silhouette t;
            uint16_t *bare = copied(&s);
            raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
            raster_truth(s.r, &s.b, &s.v, &who, 1, &t);
            sum[narrow][aside] = 0;
            for (int y = (int)t.y0; y < (int)t.y1; y++)
                for (int x = (int)t.x0; x < (int)t.x1; x++) {
                    size_t at = (size_t)y * s.p.stride + (size_t)x;
                    sum[narrow][aside] += fmax(0, (double)s.p.g[at] - bare[at]);
                }
            free(bare);
            end(&s);
        }
    CHECK(sum[0][0] > 0 && sum[0][1] > sum[0][0] * 0.5);
    CHECK(sum[1][0] > sum[0][0] * 0.5);
    CHECK(sum[1][1] < sum[1][0] * 0.1);
}

TEST(close_by_and_beside_the_eye)
{
    /* The near plane cuts them; nothing is read or written outside. */
    for (int h = 0; h < 6; h++) {
        struct stage s;
        begin(&s, 320, 180, 0, -5, 60, h & 1);
        s.b.eye = vec(0, 0, 1.5);
        raster_free(s.r);
        s.r = raster_new(s.m, s.b.eye);
        struct member who[4] = {standing("bus", 0.5, 2, h * 60), standing("man", 0.1, 0.3, 0),
                                standing("barrier", -0.2, -1, h * 31),
                                standing("car-suv", 0, 0, h * 45)};
        struct silhouette t[4];
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        who[0].headlights = who[3].headlights = true;
        raster_cast(s.r, &s.b, &s.v, &s.l, who, 4, &s.p, true);
        raster_truth(s.r, &s.b, &s.v, who, 4, t);
        for (int i = 0; i < 4; i++)
            CHECK(t[i].visible >= 0 && t[i].visible <= 1 && t[i].x1 <= 320 && t[i].y1 <= 180 &&
                  t[i].x0 >= 0);
        end(&s);
    }
}

TEST(a_crowd)
{
    struct stage s;
    struct member who[CAST_MOST];
    struct silhouette t[CAST_MOST];
    begin(&s, 960, 540, 0, -14, 60, false);
    uint16_t *bare = copied(&s);
    for (size_t i = 0; i < CAST_MOST; i++) {
        who[i] = standing(i % 2 ? "woman" : "man", -8 + (double)(i % 16),
                          14 + (double)(i / 16) * 1.5, (double)i * 37);
        who[i].gait = GAIT_WALK;
        who[i].look = (uint32_t)i;
        snprintf(who[i].id, sizeof(who[i].id), "person-%zu", i);
    }
    who[7].model = "zeppelin"; /* unknown: left out */
    CHECK(raster_cast(s.r, &s.b, &s.v, &s.l, who, CAST_MOST, &s.p, true));
    raster_truth(s.r, &s.b, &s.v, who, CAST_MOST, t);
    size_t seen = 0;
    for (size_t i = 0; i < CAST_MOST; i++)
        seen += t[i].visible > 0.3;
    CHECK(seen > 60);
    CHECK(t[7].visible == 0 && t[7].x1 <= t[7].x0);
    for (size_t i = 0; i < 8; i++) /* all that the cast may name */
        who[i].model = (const char *[]){"man-2",  "man-3", "woman-2", "woman-3",
                                        "worker", "child", "man",     "woman"}[i];
    raster_truth(s.r, &s.b, &s.v, who, 8, t);
    for (size_t i = 0; i < 8; i++)
        CHECK(t[i].visible > 0.2 || t[i].x1 <= t[i].x0 || who[i].at.x < -7);
    raster_restore(s.r, &s.p);
    CHECK(!memcmp(bare, s.p.r, s.n * sizeof(*bare)));
    free(bare);
    end(&s);
}

TEST(looks_differ)
{
    /* Twelve looks, twelve pictures. */
    struct stage s;
    begin(&s, 200, 300, 0, -15, 10, false);
    uint16_t *seen[12];
    for (uint32_t i = 0; i < 12; i++) {
        struct member who = standing("man", 0, 19.5, 160);
        who.look = i;
        stub_paint(&s.b, &s.v, &s.l, &s.p);
        raster_cast(s.r, &s.b, &s.v, &s.l, &who, 1, &s.p, false);
        seen[i] = copied(&s);
        for (uint32_t k = 0; k < i; k++) {
            size_t differ = 0;
            for (size_t q = 0; q < s.n; q++)
                differ += abs((int)seen[i][q] - (int)seen[k][q]) > 200;
            CHECK(differ > 600);
        }
    }
    for (int i = 0; i < 12; i++)
        free(seen[i]);
    end(&s);
}

UNIT_MAIN(
    UNIT_ROW(models_are_there) UNIT_ROW(kinds_are_as_large_as_their_meshes)
        UNIT_ROW(a_damaged_pack_is_refused) UNIT_ROW(twins_give_the_same_bytes)
            UNIT_ROW(a_slow_shutter_smears_who_moves) UNIT_ROW(a_smear_is_the_mean_of_where_it_was)
                UNIT_ROW(who_stands_is_as_if_drawn_anew) UNIT_ROW(what_came_before_does_not_matter)
                    UNIT_ROW(restore_gives_the_backdrop_back) UNIT_ROW(what_is_written_is_marked)
                        UNIT_ROW(too_much_to_keep_is_said) UNIT_ROW(truth_is_what_is_shown)
                            UNIT_ROW(truth_holds_at_every_zoom) UNIT_ROW(truth_ends_at_the_frame)
                                UNIT_ROW(the_place_hides) UNIT_ROW(members_hide_each_other)
                                    UNIT_ROW(shadows_darken_the_ground_only)
                                        UNIT_ROW(headlights_light_the_ground_at_night)
                                            UNIT_ROW(the_own_lamp_has_a_beam)
                                                UNIT_ROW(close_by_and_beside_the_eye)
                                                    UNIT_ROW(a_crowd) UNIT_ROW(looks_differ))
