#include "api/vapix/definitions.h"

#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "base/buf.h"
#include "base/text.h"
#include "conf/param.h"
#include "system/identity.h"

#define NAME_MAX_BYTES 128

/* One level up to the next dot; false when it does not fit. */
static bool take_level(const char **at, char ret[NAME_MAX_BYTES])
{
    size_t len = strcspn(*at, ".");
    if (len >= NAME_MAX_BYTES)
        return false;
    memcpy(ret, *at, len);
    ret[len] = '\0';
    *at += len + ((*at)[len] == '.');
    return true;
}

bool param_matches(const char *pattern, const char *name)
{
    char want[NAME_MAX_BYTES], have[NAME_MAX_BYTES];
    while (*pattern) {
        if (!*name || !take_level(&pattern, want) || !take_level(&name, have) ||
            !text_glob(want, have))
            return false;
    }
    return true;
}

struct writer {
    struct buf *out;
    const char *const *patterns;
    char group[NAME_MAX_BYTES]; /* the group that is open: "Image.I0" */
};

static void add_escaped(struct buf *out, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        default:
            if ((unsigned char)*s >= 0x20) /* others have no place in XML 1.0 */
                buf_add(out, s, 1);
        }
    }
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, " %s=\"", name);
    add_escaped(out, value);
    buf_adds(out, "\"");
}

/* Closes and opens groups until `group` is the open one. */
static void enter_group(struct writer *w, const char *group)
{
    size_t same = 0;
    for (size_t i = 0; w->group[i] == group[i] || !w->group[i] || !group[i]; i++) {
        bool end_open = !w->group[i] || w->group[i] == '.';
        bool end_new = !group[i] || group[i] == '.';
        if (end_open && end_new)
            same = i;
        if (!w->group[i] || !group[i])
            break;
    }
    for (const char *s = w->group + same; *s; s++) {
        if (s == w->group || *s == '.')
            buf_adds(w->out, "</group>");
    }
    for (const char *s = group + same + (group[same] == '.'); *s;) {
        char level[NAME_MAX_BYTES];
        if (!take_level(&s, level))
            break;
        buf_adds(w->out, "<group");
        add_attribute(w->out, "name", level);
        buf_adds(w->out, ">\n");
    }
    text_copy(w->group, sizeof w->group, group);
}

static int level_of(enum role role)
{
    switch (role) {
    case ROLE_ANYONE:
        return 0;
    case ROLE_USER:
    case ROLE_VIEWER:
    case ROLE_PTZ:
        return 1;
    case ROLE_OPERATOR:
        return 4;
    case ROLE_ADMIN:
        return 6;
    case ROLE_NONE:
    case ROLE_SYSTEM:
        break;
    }
    return 7;
}

static void add_type(struct buf *out, const struct param_row *row)
{
    buf_adds(out, row->write == ROLE_SYSTEM ? "<type readonly=\"true\">" : "<type>");
    switch (row->type) {
    case PARAM_BOOL:
        buf_adds(out, "<bool true=\"yes\" false=\"no\" />");
        break;
    case PARAM_INT:
        buf_addf(out, "<int min=\"%.0f\" max=\"%.0f\" maxlen=\"%d\" />", row->min, row->max,
                 snprintf(NULL, 0, "%.0f", row->max));
        break;
    case PARAM_DOUBLE:
        buf_addf(out, "<float min=\"%g\" max=\"%g\" />", row->min, row->max);
        break;
    case PARAM_ENUM:
        buf_adds(out, "<enum>");
        for (const char *const *c = row->choices; *c; c++) {
            buf_adds(out, "<entry");
            add_attribute(out, "value", *c);
            add_attribute(out, "niceValue", *c);
            buf_adds(out, " />");
        }
        buf_adds(out, "</enum>");
        break;
    case PARAM_STRING:
        buf_addf(out, "<string maxlen=\"%zu\" />", row->size - 1);
        break;
    case PARAM_SECRET:
        buf_addf(out, "<password maxlen=\"%zu\" />", row->size - 1);
        break;
    }
    buf_adds(out, "</type>");
}

static int write_one(const struct param_view *v, void *arg)
{
    struct writer *w = arg;
    bool wanted = false;
    for (const char *const *p = w->patterns; *p && !wanted; p++)
        wanted = param_matches(strcmp(*p, "root") ? *p : "", v->name);
    const char *leaf = strrchr(v->name, '.');
    if (!wanted || !leaf || (size_t)(leaf - v->name) >= sizeof w->group)
        return 0;
    char group[NAME_MAX_BYTES];
    memcpy(group, v->name, (size_t)(leaf - v->name));
    group[leaf - v->name] = '\0';
    enter_group(w, group);
    buf_adds(w->out, "<parameter");
    add_attribute(w->out, "name", leaf + 1);
    add_attribute(w->out, "value", v->value);
    int make = v->row->template_name ? level_of(v->row->write) : 7;
    buf_addf(w->out, " securityLevel=\"%d%d%d%d\"", make, make, level_of(v->row->read),
             level_of(v->row->write));
    add_attribute(w->out, "niceName", leaf + 1);
    buf_adds(w->out, ">");
    add_type(w->out, v->row);
    buf_adds(w->out, "</parameter>\n");
    return w->out->err;
}

int definitions_write(struct buf *out, struct camera *cam, unsigned groups,
                      const char *const *patterns)
{
    const struct brand_settings *b = room_ref(cam->brand_room);
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"
                  "<parameterDefinitions xmlns=\"http://www.axis.com/ParameterDefinitionsSchema\" "
                  "version=\"1.0\">\n<model>");
    add_escaped(out, b->short_name);
    buf_adds(out, "</model>\n<firmwareVersion>");
    add_escaped(out, b->version);
    buf_adds(out, "</firmwareVersion>\n<group name=\"root\">\n");
    room_unref(b);
    struct writer w = {.out = out, .patterns = patterns};
    conf_each(cam->conf, groups, write_one, &w);
    enter_group(&w, "");
    buf_adds(out, "</group>\n</parameterDefinitions>\n");
    return out->err;
}
