#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/tree.h"

#define MAX_STEPS 65536

enum step_kind { STEP_SET, STEP_ADD, STEP_REMOVE };

/* Steps are kept as asked for and carried out at commit, on what others have
 * committed meanwhile. */
struct step {
    enum step_kind kind;
    struct leaf *leaf; /* of an array: any leaf of the element */
    char *text;
};

struct txn {
    struct conf *conf;
    unsigned groups;
    struct step *steps;
    size_t n_steps, steps_cap;
    json_t *unknown; /* of a reset: what stays of the unknown names */
    void (*done)(int err, const struct fault *why, void *arg);
    void *arg;
    struct txn *next;
};

/* A save on its way. The conf may go before it is back. */
struct save {
    struct conf *conf;
    struct file_port *files;
    char *text;
    size_t len;
    int err;
};

struct txn *txn_new(struct conf *c, unsigned groups)
{
    struct txn *t = calloc(1, sizeof(*t));
    if (t) {
        t->conf = c;
        t->groups = groups;
    }
    return t;
}

struct txn *txn_abort(struct txn *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < t->n_steps; i++)
        free(t->steps[i].text);
    free(t->steps);
    json_decref(t->unknown);
    free(t);
    return NULL;
}

static int add_step(struct txn *t, enum step_kind kind, struct leaf *leaf, const char *text,
                    struct fault *why)
{
    if (t->n_steps == MAX_STEPS)
        return fault_set(why, FAULT_LIMIT, leaf->name, "One change holds at most %d parameters.",
                         MAX_STEPS);
    if (t->n_steps == t->steps_cap) {
        size_t cap = t->steps_cap ? t->steps_cap * 2 : 8;
        struct step *steps = realloc(t->steps, cap * sizeof(*steps));
        if (!steps)
            return fault_set(why, FAULT_INTERNAL, leaf->name, "Out of memory.");
        t->steps = steps;
        t->steps_cap = cap;
    }
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return fault_set(why, FAULT_INTERNAL, leaf->name, "Out of memory.");
    t->steps[t->n_steps++] = (struct step){kind, leaf, copy};
    return 0;
}

static bool same_element(const struct leaf *a, const struct leaf *b)
{
    return a->room == b->room && a->index == b->index && a->group_len == b->group_len &&
           !strncmp(a->name, b->name, a->group_len);
}

static bool exists_after(const struct txn *t, const struct leaf *leaf, bool exists)
{
    for (size_t i = 0; i < t->n_steps; i++)
        if (t->steps[i].kind != STEP_SET && same_element(t->steps[i].leaf, leaf))
            exists = t->steps[i].kind == STEP_ADD;
    return exists;
}

/* Once t, and what waits before it, is committed. */
static bool will_exist(const struct txn *t, const struct leaf *leaf)
{
    bool exists = leaf_exists(leaf, leaf->room->current->data);
    if (!leaf->is_dynamic)
        return exists;
    for (const struct txn *q = t->conf->queue; q; q = q->next)
        exists = exists_after(q, leaf, exists);
    return exists_after(t, leaf, exists);
}

int txn_set(struct txn *t, const char *name, const char *value, struct fault *why)
{
    struct leaf *leaf = conf_find(t->conf, name);
    if (!leaf || !will_exist(t, leaf))
        return fault_set(why, FAULT_UNKNOWN, name, "There is no parameter %.96s.", name);
    if (!conf_allows(leaf->row->write, t->groups))
        return fault_set(why, FAULT_DENIED, name, "%s",
                         leaf->row->write == ROLE_SYSTEM ? "The parameter is read-only."
                                                         : "You may not change this parameter.");
    /* tried on a scratch copy, so that the user hears at once */
    struct snapshot *scratch = snapshot_copy(leaf->room);
    if (!scratch)
        return fault_set(why, FAULT_INTERNAL, name, "Out of memory.");
    int r = value_set(leaf, scratch->data, value, why);
    snapshot_unref(scratch);
    return r < 0 ? r : add_step(t, STEP_SET, leaf, value, why);
}

int txn_add(struct txn *t, const char *template_name, unsigned *ret_index, struct fault *why)
{
    struct conf *c = t->conf;
    const struct param_row *row = NULL;
    struct leaf *least = NULL;
    for (size_t i = 0; i < c->n_leaves; i++) {
        struct leaf *leaf = &c->leaves[i];
        if (leaf->index < 0 || !leaf->row->template_name ||
            strcmp(leaf->row->template_name, template_name))
            continue;
        row = row ? row : leaf->row;
        if (leaf->row == row && (!least || leaf->index < least->index) && !will_exist(t, leaf))
            least = leaf;
    }
    if (!row)
        return fault_set(why, FAULT_UNKNOWN, template_name, "There is no template %.96s.",
                         template_name);
    if (!conf_allows(row->write, t->groups))
        return fault_set(why, FAULT_DENIED, template_name, "You may not add %.96s.", template_name);
    if (!least)
        return fault_set(why, FAULT_LIMIT, template_name, "There can be at most %u of %.96s.",
                         row->count, template_name);
    int r = add_step(t, STEP_ADD, least, NULL, why);
    if (!r)
        *ret_index = (unsigned)least->index;
    return r;
}

int txn_add_at(struct txn *t, const char *template_name, unsigned index, struct fault *why)
{
    struct conf *c = t->conf;
    for (size_t i = 0; i < c->n_leaves; i++) {
        struct leaf *leaf = &c->leaves[i];
        if (leaf->index != (int)index || !leaf->row->template_name ||
            strcmp(leaf->row->template_name, template_name))
            continue;
        if (!conf_allows(leaf->row->write, t->groups))
            return fault_set(why, FAULT_DENIED, template_name, "You may not add %.96s.",
                             template_name);
        if (will_exist(t, leaf))
            return fault_set(why, FAULT_CONFLICT, template_name, "%.*s exists already.",
                             (int)leaf->group_len, leaf->name);
        return add_step(t, STEP_ADD, leaf, NULL, why);
    }
    return fault_set(why, FAULT_UNKNOWN, template_name, "There is no %.96s %u.", template_name,
                     index);
}

int txn_remove(struct txn *t, const char *group, struct fault *why)
{
    struct conf *c = t->conf;
    size_t len = strlen(group);
    for (size_t i = 0; i < c->n_leaves; i++) {
        struct leaf *leaf = &c->leaves[i];
        if (!leaf->is_dynamic || leaf->group_len != len || strncmp(leaf->name, group, len) ||
            !will_exist(t, leaf))
            continue;
        if (!conf_allows(leaf->row->write, t->groups))
            return fault_set(why, FAULT_DENIED, group, "You may not remove %.96s.", group);
        return add_step(t, STEP_REMOVE, leaf, NULL, why);
    }
    return fault_set(why, FAULT_UNKNOWN, group, "There is no group %.96s.", group);
}

/* ---- commit ---- */

static bool *used_flag(const struct leaf *leaf, void *data)
{
    return (bool *)((char *)data + leaf->row->used_offset +
                    (size_t)leaf->index * leaf->row->stride);
}

static int carry_out(struct conf *c, const struct step *s, struct fault *why)
{
    struct room *r = s->leaf->room;
    if (!r->candidate && !(r->candidate = snapshot_copy(r)))
        return fault_set(why, FAULT_INTERNAL, s->leaf->name, "Out of memory.");
    void *data = r->candidate->data;
    bool exists = leaf_exists(s->leaf, data);
    if (s->kind == STEP_ADD ? exists : !exists)
        return fault_set(why, s->kind == STEP_ADD ? FAULT_CONFLICT : FAULT_UNKNOWN, s->leaf->name,
                         "%.*s was %s meanwhile.", (int)s->leaf->group_len, s->leaf->name,
                         exists ? "added" : "removed");
    if (s->kind == STEP_SET)
        return value_set(s->leaf, data, s->text, why);
    for (size_t i = 0; i < c->n_leaves; i++)
        if (same_element(&c->leaves[i], s->leaf))
            value_copy(&c->leaves[i], data, r->defaults);
    *used_flag(s->leaf, data) = s->kind == STEP_ADD;
    return 0;
}

static bool changed(const struct leaf *leaf)
{
    const struct room *r = leaf->room;
    if (!r->candidate)
        return false;
    bool was = leaf_exists(leaf, r->current->data), is = leaf_exists(leaf, r->candidate->data);
    return was != is || (is && !value_same(leaf, r->current->data, r->candidate->data));
}

static void drop_candidates(struct conf *c)
{
    for (struct room *r = c->rooms; r; r = r->next)
        r->candidate = snapshot_unref(r->candidate);
}

/* Swaps, tells, and answers the first txn of the queue. */
static void finish(struct conf *c, int err, const struct fault *why)
{
    struct txn *t = c->queue;
    size_t n = 0;
    if (err) {
        drop_candidates(c);
    } else {
        for (size_t i = 0; i < c->n_leaves; i++)
            if (changed(&c->leaves[i]))
                c->changed_names[n++] = c->leaves[i].name;
        for (struct room *r = c->rooms; r; r = r->next) {
            if (!r->candidate)
                continue;
            pthread_mutex_lock(&r->lock);
            struct snapshot *old = r->current;
            r->current = r->candidate;
            r->candidate = NULL;
            pthread_mutex_unlock(&r->lock);
            snapshot_unref(old);
        }
        if (t->unknown) {
            json_decref(c->unknown);
            c->unknown = json_incref(t->unknown);
        }
    }
    c->queue = t->next;
    if (n) {
        c->generation++;
        conf_tell(c, c->changed_names, n);
    }
    if (t->done)
        t->done(err, err ? why : NULL, t->arg);
    txn_abort(t);
}

static struct save *save_free(struct save *s)
{
    if (s) {
        free(s->text);
        free(s);
    }
    return NULL;
}

static void save_work(void *arg)
{
    struct save *s = arg;
    s->err = file_save_small(s->files, STORE_NAME, s->text, s->len);
}

static void step(struct conf *c);

static int save_fault(const struct save *s, struct fault *why)
{
    if (!s->err)
        return 0;
    return fault_set(why, s->err == -ENOSPC ? FAULT_LIMIT : FAULT_IO, STORE_NAME,
                     "The parameters could not be saved: %s.", strerror(-s->err));
}

static void save_done(void *arg)
{
    struct save *s = arg;
    struct conf *c = s->conf;
    if (c) {
        struct fault why;
        int err = save_fault(s, &why);
        c->saving = NULL;
        c->stepping = true; /* what is committed from inside waits for step() */
        finish(c, err, &why);
        c->stepping = false;
        step(c);
    }
    save_free(s);
}

/* 1: the save is on its way and save_done() will finish. */
static int save(struct conf *c, struct txn *t, struct fault *why)
{
    struct save *s = calloc(1, sizeof(*s));
    if (!s || store_write(c, t->unknown ? t->unknown : c->unknown, &s->text, &s->len) < 0) {
        save_free(s);
        return fault_set(why, FAULT_INTERNAL, STORE_NAME, "Out of memory.");
    }
    s->files = c->files;
    s->conf = c;
    int r = c->jobs ? jobs_submit(c->jobs, "params", save_work, save_done, s) : -ESHUTDOWN;
    if (!r) {
        c->saving = s;
        return 1;
    }
    if (r == -ESHUTDOWN) { /* no jobs, or none any more */
        save_work(s);
        r = save_fault(s, why);
    } else {
        r = fault_set(why, FAULT_BUSY, STORE_NAME, "The camera is busy saving; try again.");
    }
    save_free(s);
    return r;
}

static int follow(struct room *r, const struct txn *t, struct fault *why)
{
    bool *was_set = calloc(r->desc.n_rows, sizeof(*was_set));
    if (!was_set)
        return fault_set(why, FAULT_INTERNAL, r->desc.name, "Out of memory.");
    for (size_t i = 0; i < t->n_steps; i++)
        if (t->steps[i].kind == STEP_SET && t->steps[i].leaf->room == r)
            was_set[t->steps[i].leaf->row - r->desc.rows] = true;
    r->desc.follow(r->candidate->data, was_set);
    free(was_set);
    return 0;
}

/* 0: done with the first of the queue; 1: it is being saved; negative: refused. */
static int commit_first(struct conf *c, struct fault *why)
{
    struct txn *t = c->queue;
    bool persistent = t->unknown && !json_equal(t->unknown, c->unknown);
    int r = 0;
    for (size_t i = 0; !r && i < t->n_steps; i++)
        r = carry_out(c, &t->steps[i], why);
    for (struct room *room = c->rooms; !r && room; room = room->next)
        if (room->candidate && room->desc.follow)
            r = follow(room, t, why);
    for (struct room *room = c->rooms; !r && room; room = room->next)
        if (room->candidate && room->desc.check)
            r = room->desc.check(room->candidate->data, room->desc.arg, why);
    for (size_t i = 0; !r && !persistent && i < c->n_leaves; i++)
        persistent = !c->leaves[i].row->fleeting && changed(&c->leaves[i]);
    if (r < 0)
        return r;
    return persistent && c->files ? save(c, t, why) : 0;
}

static void step(struct conf *c)
{
    if (c->stepping)
        return;
    c->stepping = true;
    while (c->queue && !c->saving) {
        struct fault why = {0};
        int r = commit_first(c, &why);
        if (r <= 0)
            finish(c, r, &why);
    }
    c->stepping = false;
}

void txn_commit(struct txn *t, void (*done)(int err, const struct fault *why, void *arg), void *arg)
{
    struct conf *c = t->conf;
    struct txn **at = &c->queue;
    while (*at)
        at = &(*at)->next;
    t->done = done;
    t->arg = arg;
    *at = t;
    step(c);
}

void conf_drop_queue(struct conf *c)
{
    struct fault why;
    int err = fault_set(&why, FAULT_BUSY, NULL, "The camera is being stopped.");
    if (c->saving)
        c->saving->conf = NULL;
    c->saving = NULL;
    c->stepping = true; /* whoever commits now joins the queue that is dropped */
    while (c->queue)
        finish(c, err, &why);
}

static void log_failure(int err, const struct fault *why, void *arg)
{
    if (err)
        log_error("conf", "a parameter could not be changed: %s", why->text);
}

void conf_set(struct conf *c, const char *name, const char *value)
{
    struct fault why = {0};
    struct txn *t = txn_new(c, ~0u);
    if (!t || txn_set(t, name, value, &why) < 0) {
        log_error("conf", "%s could not be set: %s", name, t ? why.text : "out of memory");
        txn_abort(t);
        return;
    }
    txn_commit(t, log_failure, NULL);
}

/* ---- reset ---- */

static bool is_kept(const char *name, const char *const *keep)
{
    for (; keep && *keep; keep++)
        if (text_glob(*keep, name))
            return true;
    return false;
}

/* An element of an array goes as a whole, or stays when any of its names is kept. */
static bool element_is_kept(struct conf *c, const struct leaf *leaf, const char *const *keep)
{
    for (size_t i = 0; i < c->n_leaves; i++)
        if (same_element(&c->leaves[i], leaf) && is_kept(c->leaves[i].name, keep))
            return true;
    return false;
}

static int reset_steps(struct txn *t, const char *const *keep, struct fault *why)
{
    struct conf *c = t->conf;
    char made[STANDARD_MAX];
    int r = 0;
    for (size_t i = 0; !r && i < c->n_leaves; i++) {
        struct leaf *leaf = &c->leaves[i];
        if (is_kept(leaf->name, keep))
            continue;
        if (!leaf->is_dynamic)
            r = add_step(t, STEP_SET, leaf, value_standard(leaf, made), why);
        else if (will_exist(t, leaf) && !element_is_kept(c, leaf, keep))
            r = add_step(t, STEP_REMOVE, leaf, NULL, why);
    }
    const char *name;
    json_t *value;
    t->unknown = json_object();
    if (!r && !t->unknown)
        r = -ENOMEM;
    json_object_foreach(c->unknown, name, value) if (!r && is_kept(name, keep) &&
                                                     json_object_set(t->unknown, name, value)) r =
        -ENOMEM;
    return r == -ENOMEM ? fault_set(why, FAULT_INTERNAL, NULL, "Out of memory.") : r;
}

void conf_reset(struct conf *c, const char *const *keep,
                void (*done)(int err, const struct fault *why, void *arg), void *arg)
{
    struct fault why = {0};
    struct txn *t = txn_new(c, ~0u);
    int r =
        t ? reset_steps(t, keep, &why) : fault_set(&why, FAULT_INTERNAL, NULL, "Out of memory.");
    if (!r) {
        txn_commit(t, done, arg);
        return;
    }
    txn_abort(t);
    if (done)
        done(r, &why, arg);
}
