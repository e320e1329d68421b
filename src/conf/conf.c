#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/tree.h"

#define NAME_MAX_BYTES 96
#define ARRAY_MAX 4096

struct conf *conf_new(struct loop *loop, struct jobs *jobs, struct file_port *files)
{
    struct conf *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->loop = loop;
    c->jobs = jobs;
    c->files = files;
    c->unknown = json_object();
    if (!c->unknown) {
        free(c);
        return NULL;
    }
    return c;
}

bool conf_allows(enum role need, unsigned groups)
{
    return groups == ~0u || role_allows(need, groups);
}

/* ---- snapshots ---- */

static struct snapshot *snapshot_new(size_t size, const void *data)
{
    struct snapshot *s = malloc(sizeof(*s) + size);
    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    memcpy(s->data, data, size);
    return s;
}

struct snapshot *snapshot_copy(struct room *r)
{
    return snapshot_new(r->desc.size, r->current->data);
}

struct snapshot *snapshot_unref(struct snapshot *s)
{
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        free(s);
    return NULL;
}

const void *room_ref(struct room *r)
{
    pthread_mutex_lock(&r->lock);
    struct snapshot *s = r->current;
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
    return s->data;
}

void room_unref(const void *snapshot)
{
    if (snapshot)
        snapshot_unref((struct snapshot *)(void *)((char *)(uintptr_t)snapshot -
                                                   offsetof(struct snapshot, data)));
}

/* ---- names ---- */

static bool row_is_dynamic(const struct room_desc *d, const struct param_row *row)
{
    const char *mark = strchr(row->name, '#');
    for (size_t i = 0; mark && i < d->n_rows; i++)
        if (d->rows[i].template_name &&
            !strncmp(d->rows[i].name, row->name, (size_t)(mark - row->name) + 1))
            return true;
    return false;
}

bool leaf_exists(const struct leaf *leaf, const void *data)
{
    if (!leaf->is_dynamic)
        return true;
    return *(const bool *)((const char *)data + leaf->row->used_offset +
                           (size_t)leaf->index * leaf->row->stride);
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

/* Part by part: a leaf before a group, else by letters without case. */
static int listing_order(const void *pa, const void *pb)
{
    const char *a = ((const struct leaf *)pa)->name, *b = ((const struct leaf *)pb)->name;
    size_t part = 0, i = 0;
    for (; a[i] && lower(a[i]) == lower(b[i]); i++)
        if (a[i] == '.')
            part = i + 1;
    bool group_a = strchr(a + part, '.'), group_b = strchr(b + part, '.');
    if (group_a != group_b)
        return group_a ? 1 : -1;
    int ca = a[i] == '.' ? 0 : lower(a[i]), cb = b[i] == '.' ? 0 : lower(b[i]);
    return ca != cb ? ca - cb : strcmp(a, b);
}

static int name_order(const void *a, const void *b)
{
    return strcmp((*(struct leaf *const *)a)->name, (*(struct leaf *const *)b)->name);
}

static int name_is(const void *name, const void *leaf)
{
    return strcmp(name, (*(struct leaf *const *)leaf)->name);
}

struct leaf *conf_find(struct conf *c, const char *name)
{
    struct leaf **at =
        c->n_leaves ? bsearch(name, c->by_name, c->n_leaves, sizeof(*c->by_name), name_is) : NULL;
    return at ? *at : NULL;
}

/* ---- rooms ---- */

static int bad_row(struct fault *why, const struct param_row *row, const char *text)
{
    return fault_set(why, FAULT_INVALID, row->name, "Row %s: %s.", row->name, text);
}

static int check_row(const struct room_desc *d, const struct param_row *row, struct fault *why)
{
    static const size_t sizes[] = {[PARAM_BOOL] = sizeof(bool),
                                   [PARAM_INT] = sizeof(int),
                                   [PARAM_DOUBLE] = sizeof(double),
                                   [PARAM_ENUM] = sizeof(int)};
    const char *mark = row->name ? strchr(row->name, '#') : NULL;
    size_t extra = mark && row->count ? (row->count - 1) * row->stride : 0;
    if (!row->name || !*row->name || strlen(row->name) > NAME_MAX_BYTES - 12)
        return fault_set(why, FAULT_INVALID, d->name, "Room %s has a row without a fit name.",
                         d->name);
    if (row->name[0] == '.' || row->name[strlen(row->name) - 1] == '.' || strstr(row->name, ".."))
        return bad_row(why, row, "the name has an empty part");
    if (row->read == ROLE_NONE || row->write == ROLE_NONE)
        return bad_row(why, row, "a role is not set");
    if (row->type < PARAM_STRING ? row->size != sizes[row->type] : !row->size)
        return bad_row(why, row, "the field's size does not fit its type");
    if (mark && (row->first >= row->count || row->count > ARRAY_MAX || !row->stride ||
                 strchr(mark + 1, '#')))
        return bad_row(why, row, "the array is not well described");
    if (row->offset + row->size + extra > d->size ||
        (mark && row->used_offset + sizeof(bool) + extra > d->size))
        return bad_row(why, row, "the field lies outside of the room's struct");
    if (row->type == PARAM_ENUM && (!row->choices || !row->choices[0]))
        return bad_row(why, row, "there are no choices");
    if (row->min > row->max)
        return bad_row(why, row, "the limits are in the wrong order");
    return 0;
}

static size_t leaves_of(const struct room_desc *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_rows; i++)
        n += strchr(d->rows[i].name, '#') ? d->rows[i].count - d->rows[i].first : 1;
    return n;
}

static int init_leaf(struct leaf *leaf, struct room *r, const struct param_row *row, int index)
{
    const char *mark = strchr(row->name, '#');
    *leaf = (struct leaf){.room = r, .row = row, .index = mark ? index : -1};
    if (!mark) {
        leaf->name = strdup(row->name);
        return leaf->name ? 0 : -ENOMEM;
    }
    size_t prefix = (size_t)(mark - row->name);
    if (asprintf(&leaf->name, "%.*s%d%s", (int)prefix, row->name, index, mark + 1) < 0) {
        leaf->name = NULL;
        return -ENOMEM;
    }
    leaf->is_dynamic = row_is_dynamic(&r->desc, row);
    leaf->group_len = prefix + strspn(leaf->name + prefix, "0123456789");
    return 0;
}

/* Sorted leaves `from` between those of c, which are sorted as well, into `to`; by_name likewise.
 */
static void merge_leaves(const struct conf *c, const struct leaf *from, struct leaf **from_by_name,
                         size_t n, struct leaf **moved, struct leaf *to, struct leaf **by_name)
{
    size_t old = 0, come = 0;
    for (size_t i = 0; i < c->n_leaves + n; i++) {
        bool take =
            old == c->n_leaves || (come < n && listing_order(&from[come], &c->leaves[old]) < 0);
        moved[take ? c->n_leaves + come : old] = &to[i];
        to[i] = take ? from[come++] : c->leaves[old++];
    }
    old = come = 0;
    for (size_t i = 0; i < c->n_leaves + n; i++) {
        bool take = old == c->n_leaves ||
                    (come < n && name_order(&from_by_name[come], &c->by_name[old]) < 0);
        by_name[i] = take ? moved[c->n_leaves + (size_t)(from_by_name[come++] - from)]
                          : moved[c->by_name[old++] - c->leaves];
    }
}

/* Adds the leaves of r and writes the defaults. */
static int grow_leaves(struct conf *c, struct room *r, struct fault *why)
{
    const struct room_desc *d = &r->desc;
    const size_t n = leaves_of(d), all = c->n_leaves + n;
    struct leaf *leaves = calloc(all + 1, sizeof(*leaves));
    struct leaf **by_name = calloc(all + 1, sizeof(*by_name));
    const char **names = calloc(all + 1, sizeof(*names));
    struct leaf *own = calloc(n + 1, sizeof(*own));
    struct leaf **own_by_name = calloc(n + 1, sizeof(*own_by_name));
    struct leaf **moved = calloc(all + 1, sizeof(*moved));
    size_t at = 0;
    int e = leaves && by_name && names && own && own_by_name && moved ? 0 : -ENOMEM;
    for (size_t i = 0; !e && i < d->n_rows; i++) {
        bool array = strchr(d->rows[i].name, '#');
        for (unsigned k = array ? d->rows[i].first : 0; !e && k < (array ? d->rows[i].count : 1);
             k++) {
            struct leaf *leaf = &own[at++];
            struct fault inner = {0};
            char made[STANDARD_MAX];
            if (init_leaf(leaf, r, &d->rows[i], (int)k) < 0)
                e = -ENOMEM;
            else if (conf_find(c, leaf->name))
                e = bad_row(why, &d->rows[i], "the name exists already");
            else if (value_set(leaf, r->defaults, value_standard(leaf, made), &inner) < 0)
                e = fault_set(why, FAULT_INVALID, d->rows[i].name, "Default of %s", inner.text);
        }
    }
    if (!e) {
        qsort(own, n, sizeof(*own), listing_order);
        for (size_t i = 0; i < n; i++)
            own_by_name[i] = &own[i];
        qsort(own_by_name, n, sizeof(*own_by_name), name_order);
        for (size_t i = 1; !e && i < n; i++)
            if (!strcmp(own_by_name[i - 1]->name, own_by_name[i]->name))
                e = bad_row(why, own_by_name[i]->row, "the name exists twice");
    }
    if (!e)
        merge_leaves(c, own, own_by_name, n, moved, leaves, by_name);
    for (size_t i = 0; e && own && i < n; i++)
        free(own[i].name);
    free(own);
    free(own_by_name);
    free(moved);
    if (e < 0) {
        free(leaves);
        free(by_name);
        free(names);
        if (e == -ENOMEM)
            fault_set(why, FAULT_INTERNAL, d->name, "Out of memory.");
        return e;
    }
    free(c->leaves);
    free(c->by_name);
    c->leaves = leaves;
    c->by_name = by_name;
    free(c->changed_names);
    c->changed_names = names;
    c->n_leaves = all;
    return 0;
}

static struct room *room_free(struct room *r)
{
    if (!r)
        return NULL;
    snapshot_unref(r->current);
    snapshot_unref(r->candidate);
    free(r->defaults);
    pthread_mutex_destroy(&r->lock);
    free(r);
    return NULL;
}

int conf_add_room(struct conf *c, const struct room_desc *desc, struct room **ret_room,
                  struct fault *why)
{
    for (size_t i = 0; i < desc->n_rows; i++) {
        int e = check_row(desc, &desc->rows[i], why);
        if (e < 0)
            return e;
    }
    struct room *r = calloc(1, sizeof(*r));
    if (!r)
        return fault_set(why, FAULT_INTERNAL, desc->name, "Out of memory.");
    r->conf = c;
    r->desc = *desc;
    pthread_mutex_init(&r->lock, NULL);
    r->defaults = calloc(1, desc->size ? desc->size : 1);
    if (r->defaults)
        r->current = snapshot_new(desc->size, r->defaults);
    int e = r->current ? grow_leaves(c, r, why)
                       : fault_set(why, FAULT_INTERNAL, desc->name, "Out of memory.");
    if (e < 0) {
        room_free(r);
        return e;
    }
    memcpy(r->current->data, r->defaults, desc->size);
    r->next = c->rooms;
    c->rooms = r;
    *ret_room = r;
    return 0;
}

/* ---- reading ---- */

static int print_masked(const struct leaf *leaf, struct buf *ret)
{
    if (leaf->row->type == PARAM_SECRET)
        return buf_adds(ret, "*****");
    return value_print(leaf, leaf->room->current->data, ret);
}

int conf_each(struct conf *c, unsigned groups, int (*each)(const struct param_view *v, void *arg),
              void *arg)
{
    int r = 0;
    BUF(value, VALUE_MAX);
    for (size_t i = 0; !r && i < c->n_leaves; i++) {
        const struct leaf *leaf = &c->leaves[i];
        if (leaf->row->hidden || !conf_allows(leaf->row->read, groups) ||
            !leaf_exists(leaf, leaf->room->current->data))
            continue;
        buf_reset(&value);
        r = print_masked(leaf, &value);
        struct param_view v = {leaf->name, leaf->row, buf_str(&value)};
        if (!r)
            r = each(&v, arg);
    }
    return r;
}

int conf_get(struct conf *c, const char *name, unsigned groups, struct buf *ret_value,
             struct fault *why)
{
    struct leaf *leaf = conf_find(c, name);
    if (!leaf || !leaf_exists(leaf, leaf->room->current->data))
        return fault_set(why, FAULT_UNKNOWN, name, "There is no parameter %.96s.", name);
    if (!conf_allows(leaf->row->read, groups))
        return fault_set(why, FAULT_DENIED, name, "You may not read %s.", leaf->name);
    return print_masked(leaf, ret_value);
}

bool conf_may_read(struct conf *c, const char *name, unsigned groups)
{
    struct leaf *leaf = conf_find(c, name);
    return leaf && conf_allows(leaf->row->read, groups);
}

uint64_t conf_generation(struct conf *c)
{
    return c->generation;
}

/* ---- listeners ---- */

void conf_listen(struct conf *c, struct conf_listener *l)
{
    struct conf_listener **at = &c->listeners;
    while (*at)
        at = &(*at)->next;
    l->next = NULL;
    *at = l;
}

void conf_unlisten(struct conf *c, struct conf_listener *l)
{
    if (c->telling == l)
        c->telling = l->next;
    for (struct conf_listener **at = &c->listeners; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
}

void conf_tell(struct conf *c, const char *const *names, size_t n)
{
    for (struct conf_listener *l = c->listeners; l; l = c->telling) {
        c->telling = l->next;
        l->changed(l, names, n);
    }
}

struct conf *conf_free(struct conf *c)
{
    if (!c)
        return NULL;
    c->closing = true;
    conf_drop_queue(c);
    while (c->rooms) {
        struct room *r = c->rooms;
        c->rooms = r->next;
        room_free(r);
    }
    for (size_t i = 0; i < c->n_leaves; i++)
        free(c->leaves[i].name);
    free(c->leaves);
    free(c->by_name);
    free(c->changed_names);
    json_decref(c->unknown);
    free(c);
    return NULL;
}
