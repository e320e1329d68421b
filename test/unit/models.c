/* The pack of models: what is in it, and that damage is seen. */
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "device/virtual/raster/inside.h"
#include "device/virtual/raster/models.h"
#include "device/virtual/scenario/kinds.h"
#include "raster_set.h"
#include "unit.h"

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

/* ---- levels of detail: what stands far away has the outline of what stands close by ---- */

#define SIDE 96 /* squares of an outline */

/* What is outlined: squares of `size` metres from (u0, v0) on. Seen along an axis. */
struct outline {
    int along;
    double u0, v0, size;
    bool in[SIDE][SIDE];
};

static void fill(struct outline *o, double p[3][2])
{
    double lo[2] = {SIDE, SIDE}, hi[2] = {0, 0};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            p[i][k] = (p[i][k] - (k ? o->v0 : o->u0)) / o->size;
            lo[k] = fmax(0, fmin(lo[k], p[i][k] - 1));
            hi[k] = fmin(SIDE, fmax(hi[k], p[i][k] + 1));
        }
    double area =
        (p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) - (p[2][0] - p[0][0]) * (p[1][1] - p[0][1]);
    for (int y = (int)lo[1]; y < (int)hi[1]; y++)
        for (int x = (int)lo[0]; x < (int)hi[0]; x++) {
            bool in = fabs(area) > 1e-9;
            for (int i = 0; i < 3 && in; i++) {
                const double *a = p[i], *b = p[(i + 1) % 3];
                double side = (b[0] - a[0]) * (y + 0.5 - a[1]) - (b[1] - a[1]) * (x + 0.5 - a[0]);
                in = side * area >= 0;
            }
            o->in[y][x] |= in;
        }
}

/* All of a level in its first pose, but what is only carried. */
static void outline_of(const struct model *m, const struct model_lod *l, struct outline *o)
{
    const uint8_t *base = pack()->base;
    const int16_t *at = (const void *)(base + l->frames);
    const uint16_t *triangle = (const void *)(base + l->triangles);
    const struct model_batch *batch = (const void *)(base + l->batches);
    const int u = o->along == 0 ? 1 : 0, v = o->along == 2 ? 1 : 2, axis[2] = {u, v};
    memset(o->in, 0, sizeof(o->in));
    for (uint32_t i = 0; i < l->n_batches; i++) {
        if (m->material[batch[i].material].flags & MATERIAL_CARRIED)
            continue;
        for (uint32_t t = batch[i].first; t < batch[i].first + batch[i].n; t++) {
            double p[3][2];
            for (int c = 0; c < 3; c++)
                for (int k = 0; k < 2; k++) {
                    int d = axis[k];
                    double q = at[(size_t)d * l->n_vertices + triangle[3 * t + (uint32_t)c]];
                    p[c][k] = m->lo[d] + (q + 32768) / 65535 * (m->hi[d] - m->lo[d]);
                }
            fill(o, p);
        }
    }
}

/* Squares of both by squares of either, above a row; 1 where there are none. */
static double alike(const struct outline *a, const struct outline *b, int from)
{
    int both = 0, either = 0;
    for (int y = from; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            both += a->in[y][x] && b->in[y][x];
            either += a->in[y][x] || b->in[y][x];
        }
    return either ? (double)both / either : 1;
}

static void compare(const struct model *m, uint32_t level, int along)
{
    struct outline fine = {.along = along}, coarse;
    const int u = along == 0 ? 1 : 0, v = along == 2 ? 1 : 2;
    fine.size = fmax(m->hi[u] - m->lo[u], m->hi[v] - m->lo[v]) / (SIDE - 2);
    fine.u0 = m->lo[u] - fine.size;
    fine.v0 = m->lo[v] - fine.size;
    coarse = fine;
    outline_of(m, &m->lod[0], &fine);
    outline_of(m, &m->lod[level], &coarse);
    double whole = alike(&fine, &coarse, 0), least = m->n_clips || m->n_parts < 4 ? 0.75 : 0.87;
    int head = (int)((1.58 - fine.v0) / fine.size); /* of people: above the shoulders */
    double top = m->n_clips && along != 2 && m->hi[2] < 2 ? alike(&fine, &coarse, head) : 1;
    if (whole < least || top < 0.72)
        unit_fail(__FILE__, __LINE__, "%s, level %u (%u triangles), seen along %c: %.2f, head %.2f",
                  m->name, level, m->lod[level].n_triangles, "xyz"[along], whole, top);
}

TEST(coarse_levels_have_the_outline_of_fine_ones)
{
    for (uint32_t i = 0; i < pack()->head->n_models; i++)
        for (uint32_t level = 1; level < pack()->model[i].n_lods; level++)
            for (int along = 0; along < 3; along++)
                compare(&pack()->model[i], level, along);
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

UNIT_MAIN(UNIT_ROW(models_are_there) UNIT_ROW(kinds_are_as_large_as_their_meshes)
              UNIT_ROW(coarse_levels_have_the_outline_of_fine_ones)
                  UNIT_ROW(a_damaged_pack_is_refused))
