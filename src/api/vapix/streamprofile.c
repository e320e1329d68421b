/* streamprofile.cgi: image arguments under names, the same as the parameters
 * StreamProfile.S#. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"

static const char *name_of(const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    return name && *name ? name : NULL;
}

/* Index of a profile, or -1. */
static int find(const struct profile_settings *s, const char *name)
{
    for (int i = 0; i < PROFILES_MAX; i++) {
        if (s->profile[i].used && !strcmp(s->profile[i].name, name))
            return i;
    }
    return -1;
}

static json_t *profile_json(const struct profile *p)
{
    return json_pack("{s:s, s:s, s:s}", "name", p->name, "description", p->description,
                     "parameters", p->parameters);
}

static int fault_no_profile(const char *name, struct fault *why)
{
    return fault_set(why, FAULT_UNKNOWN, "name", "There is no stream profile \"%.64s\"", name);
}

/* The array under `key`, whose every item has a name. */
static int get_items(struct json_call *c, const char *key, json_t **ret, struct fault *why)
{
    json_t *items = json_object_get(c->params, key);
    if (!json_is_array(items))
        return fault_set(why, FAULT_MISSING, key, "The parameter %s is missing", key);
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        if (!name_of(item))
            return fault_set(why, FAULT_MISSING, "name", "Each stream profile needs a name");
    }
    *ret = items;
    return 0;
}

static int list_profiles(struct json_call *c, const struct profile_settings *s, json_t *into,
                         struct fault *why)
{
    json_t *names = NULL;
    int err = get_items(c, "streamProfileName", &names, why);
    if (err)
        return err;
    for (int i = 0; !json_array_size(names) && i < PROFILES_MAX; i++) {
        if (s->profile[i].used)
            json_array_append_new(into, profile_json(&s->profile[i]));
    }
    size_t i;
    json_t *item;
    json_array_foreach(names, i, item)
    {
        int at = find(s, name_of(item));
        if (at < 0)
            return fault_no_profile(name_of(item), why);
        json_array_append_new(into, profile_json(&s->profile[at]));
    }
    return 0;
}

static void list(struct json_call *c)
{
    struct fault why = {0};
    json_t *profiles = json_array();
    const struct profile_settings *s = room_ref(c->door->cam->profile_room);
    int err = list_profiles(c, s, profiles, &why);
    room_unref(s);
    if (err) {
        json_decref(profiles);
        json_call_fault(c, &why);
        return;
    }
    json_call_reply(
        c, json_pack("{s:o, s:i}", "streamProfile", profiles, "maxProfiles", PROFILES_MAX));
}

static int set_member(struct txn *t, const json_t *item, int index, const char *key,
                      const char *leaf, struct fault *why)
{
    const char *value = NULL;
    char name[64];
    int err = json_get_string(item, key, &value, why);
    if (err || !value)
        return err;
    snprintf(name, sizeof name, "StreamProfile.S%d.%s", index, leaf);
    return txn_set(t, name, value, why);
}

static int set_profile(struct txn *t, const json_t *item, int index, struct fault *why)
{
    int err = set_member(t, item, index, "name", "Name", why);
    if (!err)
        err = set_member(t, item, index, "description", "Description", why);
    if (!err)
        err = set_member(t, item, index, "parameters", "Parameters", why);
    return err;
}

static int create_one(struct txn *t, const struct profile_settings *s, const json_t *item,
                      struct fault *why)
{
    unsigned index = 0;
    if (find(s, name_of(item)) >= 0)
        return fault_set(why, FAULT_CONFLICT, "name", "There is a stream profile \"%.64s\" already",
                         name_of(item));
    int err = txn_add(t, "streamprofile", &index, why);
    return err ? err : set_profile(t, item, (int)index, why);
}

static int update_one(struct txn *t, const struct profile_settings *s, const json_t *item,
                      struct fault *why)
{
    int at = find(s, name_of(item));
    return at < 0 ? fault_no_profile(name_of(item), why) : set_profile(t, item, at, why);
}

static int remove_one(struct txn *t, const struct profile_settings *s, const json_t *item,
                      struct fault *why)
{
    char group[64];
    int at = find(s, name_of(item));
    if (at < 0)
        return fault_no_profile(name_of(item), why);
    snprintf(group, sizeof group, "StreamProfile.S%d", at);
    return txn_remove(t, group, why);
}

/* One transaction: all of the items or none. */
static void change(struct json_call *c, const char *key,
                   int (*one)(struct txn *t, const struct profile_settings *s, const json_t *item,
                              struct fault *why))
{
    struct fault why = {0};
    json_t *items = NULL, *item;
    struct txn *t = NULL;
    size_t i;
    int err = get_items(c, key, &items, &why);
    if (!err && !(t = txn_new(c->door->cam->conf, c->ex->who.groups)))
        err = fault_set(&why, FAULT_INTERNAL, NULL, "Out of memory");
    const struct profile_settings *s = room_ref(c->door->cam->profile_room);
    json_array_foreach(items, i, item)
    {
        if (!err)
            err = one(t, s, item, &why);
    }
    room_unref(s);
    if (err) {
        txn_abort(t);
        json_call_fault(c, &why);
        return;
    }
    json_call_commit(c, t, json_object());
}

static void create(struct json_call *c)
{
    change(c, "streamProfile", create_one);
}

static void update(struct json_call *c)
{
    change(c, "streamProfile", update_one);
}

static void remove_profiles(struct json_call *c)
{
    change(c, "streamProfileName", remove_one);
}

static const struct json_method methods[] = {
    {"list", ROLE_VIEWER, list},
    {"create", ROLE_OPERATOR, create},
    {"update", ROLE_OPERATOR, update},
    {"remove", ROLE_OPERATOR, remove_profiles},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_c, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/streamprofile.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER, /* changes: operator */
     .changes_state = true,
     .serve = serve,
     .doc = "image arguments under names (JSON)"},
};
const struct cgi cgi_streamprofile = {CGI_ROWS(rows)};
