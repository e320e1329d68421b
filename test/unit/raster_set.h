/* What tests of the raster stand on: the real models, a picture of a backdrop that is known exactly
 * (raster_stub.h), somebody to stand in it. */
#ifndef TEST_RASTER_SET_H
#define TEST_RASTER_SET_H

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "device/virtual/raster/models.h"
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

static inline struct models *pack(void)
{
    static struct models *m;
    struct fault why;
    if (!m)
        m = models_find(&why);
    if (!m)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    return m;
}

static inline void begin(struct stage *s, int w, int h, double pan, double tilt, double hfov,
                         bool night)
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

static inline void end(struct stage *s)
{
    free(s->p.r);
    raster_free(s->r);
}

static inline uint16_t *copied(const struct stage *s)
{
    uint16_t *p = malloc(s->n * sizeof(*p));
    CHECK(p);
    memcpy(p, s->p.r, s->n * sizeof(*p));
    return p;
}

static inline struct member standing(const char *model, double x, double y, double heading)
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

#endif
