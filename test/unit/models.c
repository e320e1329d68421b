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
              UNIT_ROW(a_damaged_pack_is_refused))
