/* The parts that the parameter tree is made of; inside conf only. Loop-bound,
 * except a room's lock and what it guards. */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/json.h"
#include "conf/param.h"

/* What room_ref() gives out is `data`. */
struct snapshot {
    atomic_uint refs;
    _Alignas(max_align_t) unsigned char data[];
};

struct room {
    struct conf *conf;
    struct room_desc desc;
    unsigned char *defaults; /* a whole struct */
    pthread_mutex_t lock;    /* guards `current` against the swap */
    struct snapshot *current;
    struct snapshot *candidate; /* of the commit that is being carried out */
    struct room *next;
};

/* One parameter by its full name: a row, or a row in one element of an array. */
struct leaf {
    char *name;
    struct room *room;
    const struct param_row *row;
    int index;        /* -1: not in an array */
    bool is_dynamic;  /* its element of an array comes and goes */
    size_t group_len; /* "StreamProfile.S4" of "StreamProfile.S4.Name"; 0 outside of arrays */
};

struct conf {
    struct loop *loop;
    struct jobs *jobs;
    struct file_port *files;
    struct room *rooms;
    struct leaf *leaves; /* in listing order */
    struct leaf **by_name;
    const char **changed_names; /* room for all: a swap cannot fail */
    size_t n_leaves;
    json_t *unknown; /* saved by a version that knew more; kept */
    struct conf_listener *listeners;
    struct conf_listener *telling; /* the next one to be told */
    uint64_t generation;
    struct txn *queue; /* to be committed, in order */
    struct save *saving;
    bool stepping, closing;
};

/* ---- values.c: text forms and fields ---- */
/* The default's text; `ret` is where it is made up if it must be. */
#define STANDARD_MAX 128
const char *value_standard(const struct leaf *leaf, char ret[STANDARD_MAX]);
int value_set(const struct leaf *leaf, void *data, const char *text, struct fault *why);
int value_print(const struct leaf *leaf, const void *data, struct buf *ret);
bool value_same(const struct leaf *leaf, const void *a, const void *b);
void value_copy(const struct leaf *leaf, void *to, const void *from);

/* ---- conf.c ---- */
bool conf_allows(enum role need, unsigned groups);
struct leaf *conf_find(struct conf *c, const char *name);
bool leaf_exists(const struct leaf *leaf, const void *data);
struct snapshot *snapshot_copy(struct room *r); /* a candidate, like the current one */
struct snapshot *snapshot_unref(struct snapshot *s);
void conf_tell(struct conf *c, const char *const *names, size_t n);

/* ---- txn.c ---- */
void conf_drop_queue(struct conf *c); /* whoever waits is told -EBUSY */

/* ---- store.c: params.json ---- */
int store_write(struct conf *c, const json_t *unknown, char **ret_text, size_t *ret_len);

#define STORE_NAME "params.json"
#define STORE_MAX ((size_t)8 << 20)
#define VALUE_MAX 65536

#endif
