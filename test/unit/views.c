#include "unit.h"

#include <math.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "ptz/ptz.h"
#include "ptz/views.h"

static struct clock *clk;
static struct loop *loop;
static struct conf *conf;
static struct room *room;
static struct views *views;

static void begin(void)
{
    struct fault why = {0};
    clk = clock_new_sim();
    loop = loop_new(clk, "test");
    conf = conf_new(loop, NULL, NULL);
    CHECK_INT(conf_add_room(conf, &views_room_desc, &room, &why), 0);
    views = views_new(loop, room);
}

static void end(void)
{
    views_free(views);
    conf_free(conf);
    loop_free(loop);
    clock_free(clk);
}

static void is_part(const struct frame_part *p, double x, double y, double w, double h)
{
    CHECK_NEAR(p->x, x, 1e-9);
    CHECK_NEAR(p->y, y, 1e-9);
    CHECK_NEAR(p->width, w, 1e-9);
    CHECK_NEAR(p->height, h, 1e-9);
}

TEST(standard)
{
    begin();
    struct fault why = {0};
    const struct views_settings *s = room_ref(room);
    CHECK(views_have(views, 1) && !views_have(views, 2) && !views_have(views, 0));
    CHECK(!views_have(views, VIEWS_MOST + 1) && !views_have(views, -1));
    CHECK_STR(s->view[0].name, "View Area 1");
    CHECK_STR(s->view[8].name, "View Area 9");
    CHECK(s->view[0].enabled);
    struct frame_part part;
    views_area(s, 2, &part);
    is_part(&part, VIEW_STANDARD.x, VIEW_STANDARD.y, VIEW_STANDARD.width, VIEW_STANDARD.height);
    room_unref(s);
    CHECK(views_require(views, 3, &why) < 0);
    CHECK_INT(why.kind, FAULT_UNKNOWN);
    CHECK(!views_ptz(views, 2) && !views_ptz(views, 1));
    CHECK(views_have(NULL, 1) && !views_have(NULL, 2));
    end();
}

TEST(part_is_clipped_and_turned)
{
    begin();
    conf_set(conf, "Image.I1.Enabled", "yes");
    conf_set(conf, "Image.I1.Geometry.X", "0.8");
    conf_set(conf, "Image.I1.Geometry.Y", "1");
    conf_set(conf, "Image.I1.Geometry.Width", "0.5");
    struct frame_part part[VIEWS_MOST];
    views_parts(views, 0, part);
    is_part(&part[1], 0.8, 1 - VIEW_LEAST, 0.2, VIEW_LEAST);
    views_set_turned(views, true);
    views_parts(views, 0, part);
    is_part(&part[1], 0, 0, 0.2, VIEW_LEAST);
    is_part(&part[8], 0.25, 0.25, 0.5, 0.5);
    end();
}

TEST(moves_within_its_area)
{
    begin();
    conf_set(conf, "Image.I1.Enabled", "yes");
    struct ptz *ptz = views_ptz(views, 2);
    CHECK(ptz);
    CHECK_INT(ptz_absolute(ptz, 0, 0, 4, 1, NULL), 0);
    const int64_t later = 60 * NSEC_PER_SEC;
    struct frame_part part[VIEWS_MOST];
    views_parts(views, later, part);
    is_part(&part[1], 0.5 - 0.0625, 0.5 - 0.0625, 0.125, 0.125);
    is_part(&part[2], 0.25, 0.25, 0.5, 0.5); /* its neighbour stays */
    /* however far it is sent, it stays within */
    CHECK_INT(ptz_absolute(ptz, 90, -90, NAN, 1, NULL), 0);
    views_parts(views, later, part);
    is_part(&part[1], 0.75 - 0.125, 0.75 - 0.125, 0.125, 0.125);
    /* switched off it shows the whole area, and has no moves */
    conf_set(conf, "PTZ.ImageSource.I1.PTZEnabled", "false");
    CHECK(!views_ptz(views, 2));
    views_parts(views, later, part);
    is_part(&part[1], 0.25, 0.25, 0.5, 0.5);
    end();
}

UNIT_MAIN(UNIT_ROW(standard) UNIT_ROW(part_is_clipped_and_turned) UNIT_ROW(moves_within_its_area))
