#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "conf/tree.h"

static const void *data_of(const struct room *r)
{
    return r->candidate ? r->candidate->data : r->current->data;
}

/* Elements of an array are saved whole: that they exist is worth keeping too. */
static bool worth_saving(const struct leaf *leaf, const void *data)
{
    if (leaf->row->fleeting || !leaf_exists(leaf, data))
        return false;
    return leaf->is_dynamic || !value_same(leaf, data, leaf->room->defaults);
}

static int add_to_json(json_t *all, const struct leaf *leaf, const void *data)
{
    BUF(text, VALUE_MAX);
    int r = value_print(leaf, data, &text);
    if (r < 0)
        return r;
    return json_object_set_new(all, leaf->name, json_string(buf_str(&text))) ? -ENOMEM : 0;
}

int store_write(struct conf *c, const json_t *unknown, char **ret_text, size_t *ret_len)
{
    JSON_AUTO *all = json_copy((json_t *)(uintptr_t)unknown);
    int r = all ? 0 : -ENOMEM;
    for (size_t i = 0; !r && i < c->n_leaves; i++) {
        const void *data = data_of(c->leaves[i].room);
        if (worth_saving(&c->leaves[i], data))
            r = add_to_json(all, &c->leaves[i], data);
    }
    if (r < 0)
        return r;
    char *text = json_dumps(all, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (!text)
        return -ENOMEM;
    *ret_text = text;
    *ret_len = strlen(text);
    return 0;
}

static int take_over(struct conf *c, json_t *saved)
{
    const char *name;
    json_t *value;
    json_object_foreach(saved, name, value)
    {
        struct leaf *leaf = conf_find(c, name);
        if (!leaf || !json_is_string(value)) {
            if (json_object_set(c->unknown, name, value))
                return -ENOMEM;
            continue;
        }
        struct room *r = leaf->room;
        if (!r->candidate && !(r->candidate = snapshot_copy(r)))
            return -ENOMEM;
        struct fault why;
        if (value_set(leaf, r->candidate->data, json_string_value(value), &why) < 0)
            log_warn("conf", "saved value is not used: %s", why.text);
        if (leaf->is_dynamic)
            *(bool *)(r->candidate->data + leaf->row->used_offset +
                      (size_t)leaf->index * leaf->row->stride) = true;
    }
    return 0;
}

static void swap_checked(struct room *r)
{
    struct fault why = {0};
    if (!r->candidate)
        return;
    if (r->desc.check && r->desc.check(r->candidate->data, r->desc.arg, &why) < 0) {
        log_warn("conf", "saved values of %s are not used: %s", r->desc.name, why.text);
        r->candidate = snapshot_unref(r->candidate);
        return;
    }
    pthread_mutex_lock(&r->lock);
    struct snapshot *old = r->current;
    r->current = r->candidate;
    r->candidate = NULL;
    pthread_mutex_unlock(&r->lock);
    snapshot_unref(old);
}

int conf_load(struct conf *c, struct fault *why)
{
    bool old = false;
    BUF(text, STORE_MAX);
    if (!c->files)
        return 0;
    int r = file_load_small(c->files, STORE_NAME, STORE_MAX, &text, &old);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return fault_set(why, FAULT_IO, STORE_NAME, "The saved parameters cannot be read: %s.",
                         strerror(-r));
    if (old)
        log_warn("conf", "the saved parameters were damaged; the copy before them is used");
    JSON_AUTO *saved = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(saved))
        return fault_set(why, FAULT_IO, STORE_NAME, "The saved parameters are not a JSON object.");
    r = take_over(c, saved);
    for (struct room *room = c->rooms; room; room = room->next) {
        if (r < 0)
            room->candidate = snapshot_unref(room->candidate);
        swap_checked(room);
    }
    return r < 0 ? fault_set(why, FAULT_INTERNAL, STORE_NAME, "Out of memory.") : 0;
}
