/* The parameters of presets. A row has one index: the presets of each channel are a room of their
 * own. */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "ptz/presets.h"

#define AHEAD "pan=0.000000:tilt=0.000000:zoom=1.000000"
#define ROWS 5
#define ARRAY                                                                                      \
    .stride = sizeof(struct preset), .used_offset = offsetof(struct preset_settings, preset[0].used)

/* What is common to all; the last two are of channel 1 alone. */
static const struct {
    const char *name;
    struct param_row row;
} kinds[ROWS] = {
    {"HomePosition",
     {PARAM_FIELD(struct preset_settings, home), .type = PARAM_INT, .min = -1, .standard = "1",
      .read = ROLE_VIEWER, .write = ROLE_ADMIN, .doc = "Which preset is home; -1: straight ahead"}},
    {"Position.P#.Name",
     {PARAM_FIELD(struct preset_settings, preset[0].name), .type = PARAM_STRING, .standard = "",
      .read = ROLE_VIEWER, .write = ROLE_ADMIN, ARRAY, .doc = "Name of a preset"}},
    {"Position.P#.Data",
     {PARAM_FIELD(struct preset_settings, preset[0].data), .type = PARAM_STRING, .standard = AHEAD,
      .read = ROLE_VIEWER, .write = ROLE_ADMIN, ARRAY,
      .doc = "Where a preset looks: degrees; zoom and focus 1 to 9999"}},
    {"Position.P#.Image",
     {PARAM_FIELD(struct preset_settings, preset[0].image), .type = PARAM_STRING, .standard = "",
      .read = ROLE_VIEWER, .write = ROLE_ADMIN, ARRAY,
      .doc = "The picture's own settings at a preset; empty: it has none"}},
    {"ImageBefore",
     {PARAM_FIELD(struct preset_settings, before), .type = PARAM_STRING, .standard = "",
      .read = ROLE_ADMIN, .write = ROLE_SYSTEM, .hidden = true,
      .doc = "What held before a preset's own settings of the picture"}},
};

static struct channel_room {
    int channel, most;
    struct room_desc desc;
    struct param_row rows[ROWS];
    char names[ROWS][48], template_name[16];
} rooms[VIEWS_MOST];

int preset_check_name(const char *name, struct fault *why)
{
    if (!*name || strpbrk(name, "\"<>~:") || !text_is_utf8(name, strlen(name)))
        return fault_set(why, FAULT_INVALID, "name",
                         "A preset's name has 1 to %d bytes, without \" < > ~ and :.",
                         PRESET_NAME_SIZE - 1);
    return 0;
}

static int check_preset(const struct channel_room *r, const struct preset_settings *s, int i,
                        struct fault *why)
{
    struct preset_data data;
    const struct preset *p = &s->preset[i];
    int err = preset_check_name(p->name, why);
    for (int k = 1; !err && k < i; k++)
        if (s->preset[k].used && !strcmp(s->preset[k].name, p->name))
            err = fault_set(why, FAULT_CONFLICT, "name",
                            "There is a preset \"%.64s\" already: number %d.", p->name, k);
    if (!err)
        err = preset_data_parse(p->data, &data, why);
    return err || r->channel > 1 ? err : preset_image_check(p->image, why);
}

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct channel_room *r = arg;
    const struct preset_settings *s = candidate;
    int err = s->preset[0].used ? fault_set(why, FAULT_INVALID, "number",
                                            "Presets have the numbers 1 to %d.", r->most)
                                : 0;
    if (!err && s->home == 0)
        err = fault_set(why, FAULT_INVALID, r->names[0], "Home is 1 to %d, or -1.", r->most);
    for (int i = 1; !err && i <= r->most; i++)
        err = s->preset[i].used ? check_preset(r, s, i, why) : 0;
    return err;
}

const char *presets_template(int channel)
{
    return rooms[channel - 1].template_name;
}

const struct room_desc *presets_room(int channel)
{
    struct channel_room *r = &rooms[channel - 1];
    r->channel = channel;
    r->most = channel == 1 ? PRESETS_MOST : VIEW_PRESETS_MOST;
    snprintf(r->template_name, sizeof r->template_name, channel == 1 ? "ptzpreset" : "ptzpreset%d",
             channel);
    r->desc = (struct room_desc){
        .name = "presets",
        .size = offsetof(struct preset_settings, preset) +
                (size_t)(1 + r->most) * sizeof(struct preset),
        .rows = r->rows,
        .n_rows = channel == 1 ? ROWS : ROWS - 2,
        .check = check,
        .arg = r,
    };
    for (size_t i = 0; i < r->desc.n_rows; i++) {
        struct param_row *row = &r->rows[i];
        snprintf(r->names[i], sizeof r->names[i], "PTZ.Preset.P%d.%s", channel - 1, kinds[i].name);
        *row = kinds[i].row;
        row->name = r->names[i];
        if (row->stride) {
            row->count = 1 + (unsigned)r->most;
            row->template_name = r->template_name;
        } else if (row->type == PARAM_INT) {
            row->max = r->most;
        }
    }
    return &r->desc;
}
