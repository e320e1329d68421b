/* What the raster tells of the cast is what it shows. */
#include <string.h>

#include "raster_set.h"
#include "unit.h"

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

UNIT_MAIN(UNIT_ROW(truth_is_what_is_shown) UNIT_ROW(truth_holds_at_every_zoom)
              UNIT_ROW(truth_ends_at_the_frame) UNIT_ROW(the_place_hides)
                  UNIT_ROW(members_hide_each_other))
