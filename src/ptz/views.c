#include "ptz/views.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "device/digital/head.h"
#include "ptz/presets.h"
#include "ptz/ptz.h"

/* The head's units of an angle are those of a picture of this shape, whatever the area's is: so
 * an area may change while its head stays. */
#define HEAD_ASPECT (16 / 9.0)

struct views {
    struct loop *loop;
    struct room *room;
    struct events *events; /* NULL at first */
    atomic_bool turned;
    struct view {
        struct digital_head *head;
        struct ptz *ptz;
        struct presets *presets; /* NULL: not opened */
    } view[VIEWS_MOST];          /* none for channel 1 */
};

static const char *const no_yes[] = {"false", "true", NULL};

#define FIELD(f) PARAM_FIELD(struct views_settings, view[0].f)
#define ARRAY .stride = sizeof(struct view_settings), .count = VIEWS_MOST, .read = ROLE_VIEWER
#define SHARE(row_name, f, least, value, ...)                                                      \
    {                                                                                              \
        .name = "Image.I#.Geometry." row_name, FIELD(f), .type = PARAM_DOUBLE, .min = least,       \
        .max = 1, .standard = value, .write = ROLE_ADMIN, .first = 1, ARRAY, .doc = __VA_ARGS__    \
    }

static const struct param_row rows[] = {
    {.name = "Image.I0.Enabled",
     FIELD(enabled),
     .type = PARAM_BOOL,
     .standard = "yes",
     .read = ROLE_VIEWER,
     .write = ROLE_SYSTEM,
     .doc = "The whole picture can always be asked for"},
    {.name = "Image.I#.Enabled",
     FIELD(enabled),
     .type = PARAM_BOOL,
     .standard = "no",
     .write = ROLE_ADMIN,
     .first = 1,
     ARRAY,
     .doc = "There is this view area: a channel of its own, camera=# + 1"},
    {.name = "Image.I#.Name",
     FIELD(name),
     .type = PARAM_STRING,
     .standard = "View Area #",
     .write = ROLE_OPERATOR,
     ARRAY,
     .doc = "Name of the channel"},
    {.name = "Image.I#.Source",
     FIELD(source),
     .type = PARAM_INT,
     .min = 0,
     .max = 0,
     .standard = "0",
     .write = ROLE_SYSTEM,
     ARRAY,
     .doc = "Picture source of the channel"},
    SHARE("X", x, 0, "0.25", "Left edge of the view area, as a share of the picture's width"),
    SHARE("Y", y, 0, "0.25", "Upper edge of the view area, as a share of the picture's height"),
    SHARE("Width", width, VIEW_LEAST, "0.5",
          "Of the view area, as a share of the picture's; what would lie outside is left out"),
    SHARE("Height", height, VIEW_LEAST, "0.5",
          "Of the view area, as a share of the picture's; what would lie outside is left out"),
    {.name = "PTZ.ImageSource.I#.PTZEnabled",
     FIELD(ptz),
     .type = PARAM_ENUM,
     .choices = no_yes,
     .standard = "true",
     .write = ROLE_ADMIN,
     .first = 1,
     ARRAY,
     .doc = "The view area has digital pan, tilt and zoom"},
};
const struct room_desc views_room_desc = {
    .name = "views",
    .size = sizeof(struct views_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
};

struct views *views_new(struct loop *loop, struct room *room)
{
    struct views *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->loop = loop;
    v->room = room;
    for (int i = 1; i < VIEWS_MOST; i++) {
        struct view *w = &v->view[i];
        w->head = digital_head_new(loop_clock(loop), HEAD_ASPECT);
        if (w->head)
            w->ptz = ptz_new(loop, digital_head_port(w->head), NULL, HEAD_ASPECT);
        if (!w->ptz)
            return views_free(v);
    }
    return v;
}

struct views *views_free(struct views *v)
{
    if (!v)
        return NULL;
    for (int i = 1; i < VIEWS_MOST; i++) {
        presets_free(v->view[i].presets);
        ptz_free(v->view[i].ptz);
        digital_head_free(v->view[i].head);
    }
    free(v);
    return NULL;
}

/* What is switched off shows all of its area when it is switched on again. */
void views_settings_changed(struct views *v)
{
    const struct views_settings *s = room_ref(v->room);
    for (int i = 1; i < VIEWS_MOST; i++) {
        struct pose at;
        ptz_pose(v->view[i].ptz, &at);
        if ((!s->view[i].enabled || !s->view[i].ptz) && at.zoom > 1)
            (void)ptz_absolute(v->view[i].ptz, 0, 0, 1, 1, NULL);
        bool used = s->view[i].enabled && s->view[i].ptz;
        if (used && v->events)
            ptz_use_events(v->view[i].ptz, v->events, i + 1);
        if (v->view[i].presets)
            presets_use(v->view[i].presets, used);
    }
    room_unref(s);
}

int views_open_presets(struct views *v, struct conf *conf, struct room *const rooms[VIEWS_MOST],
                       struct events *events)
{
    static const struct preset_hooks none = {0};
    for (int i = 1; i < VIEWS_MOST; i++) {
        struct view *w = &v->view[i];
        w->presets = presets_new(v->loop, conf, rooms[i], i + 1, events, w->ptz, &none);
        if (!w->presets)
            return -ENOMEM;
    }
    v->events = events;
    views_settings_changed(v);
    return 0;
}

struct presets *views_presets(struct views *v, int channel)
{
    return views_ptz(v, channel) ? v->view[channel - 1].presets : NULL;
}

void views_set_turned(struct views *v, bool turned)
{
    v->turned = turned;
    for (int i = 1; i < VIEWS_MOST; i++)
        ptz_set_turned(v->view[i].ptz, turned);
}

bool views_have(const struct views *v, int channel)
{
    if (!v || channel <= 1 || channel > VIEWS_MOST)
        return channel == 1;
    const struct views_settings *s = room_ref(v->room);
    bool there = s->view[channel - 1].enabled;
    room_unref(s);
    return there;
}

int views_require(const struct views *v, int channel, struct fault *why)
{
    char list[4 * VIEWS_MOST] = "1";
    size_t n = 1;
    if (views_have(v, channel))
        return 0;
    for (int i = 2; i <= VIEWS_MOST; i++)
        if (views_have(v, i))
            n += (size_t)snprintf(list + n, sizeof list - n, ", %d", i);
    return fault_set(why, FAULT_UNKNOWN, "camera",
                     "there is no camera=%d; there %s %s (view areas are switched on with "
                     "Image.I#.Enabled)",
                     channel, n > 1 ? "are" : "is", list);
}

struct ptz *views_ptz(struct views *v, int channel)
{
    struct ptz *ptz = NULL;
    if (!v || channel < 2 || channel > VIEWS_MOST)
        return NULL;
    const struct views_settings *s = room_ref(v->room);
    if (s->view[channel - 1].enabled && s->view[channel - 1].ptz)
        ptz = v->view[channel - 1].ptz;
    room_unref(s);
    return ptz;
}

void views_area(const struct views_settings *s, int channel, struct frame_part *ret)
{
    const struct view_settings *w = &s->view[channel - 1];
    *ret = FRAME_WHOLE;
    if (channel == 1)
        return;
    ret->x = fmin(w->x, 1 - VIEW_LEAST);
    ret->y = fmin(w->y, 1 - VIEW_LEAST);
    ret->width = fmin(w->width, 1 - ret->x);
    ret->height = fmin(w->height, 1 - ret->y);
}

/* What the head looks at of its area. */
static void look(struct digital_head *head, int64_t time_ns, struct frame_part *p)
{
    enum { ACROSS = 1600, DOWN = 900 }; /* in the head's own shape */
    struct head *port = digital_head_port(head);
    struct pose pose;
    double x, y, w, h;
    port->ops->pose(port, time_ns, &pose);
    digital_head_crop(&pose, ACROSS, DOWN, &x, &y, &w, &h);
    *p = (struct frame_part){p->x + p->width * (x / ACROSS), p->y + p->height * (y / DOWN),
                             p->width * (w / ACROSS), p->height * (h / DOWN)};
}

void views_parts(struct views *v, int64_t time_ns, struct frame_part part[VIEWS_MOST])
{
    bool turned = v->turned;
    const struct views_settings *s = room_ref(v->room);
    for (int i = 1; i < VIEWS_MOST; i++) {
        struct frame_part *p = &part[i];
        views_area(s, i + 1, p);
        if (turned) {
            p->x = 1 - p->x - p->width;
            p->y = 1 - p->y - p->height;
        }
        if (s->view[i].ptz)
            look(v->view[i].head, time_ns, p);
    }
    room_unref(s);
}
