/* The parameter tree: what can be set.
 *
 * A room describes its settings as one plain struct and a table of rows; each row
 * is the only place that gives a parameter its name, type, limits, default, roles
 * and documentation, and the field that holds it. Doors set by name through a
 * transaction; rooms read by field from an immutable snapshot:
 *
 *     const struct image_settings *s = room_ref(image_room);
 *     ... s->compression ...
 *     room_unref(s);
 *
 * Names are VAPIX names without "root." (reference: VAPIX param.cgi). A '#' in a
 * name makes the row an array of groups ("StreamProfile.S#.Name"): element i lies
 * i * `stride` bytes further, exists while the bool at `used_offset` (same stride)
 * is true, and is added and removed by transactions. An array none of whose rows
 * names a template is fixed: all its elements exist always.
 *
 * The tree is loop-bound; room_ref()/room_unref() work on any thread. */
#ifndef CONF_PARAM_H
#define CONF_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"

struct buf;
struct conf;
struct fault;
struct file_port;
struct jobs;
struct loop;
struct room;
struct txn;

enum param_type {
    PARAM_BOOL,   /* bool, written yes/no */
    PARAM_INT,    /* int */
    PARAM_DOUBLE, /* double */
    PARAM_ENUM,   /* int: index into choices */
    PARAM_STRING, /* char[size] */
    PARAM_SECRET, /* char[size]; listed as ***** */
};

struct param_row {
    const char *name;
    enum param_type type;
    size_t offset, size;        /* in the room's struct; PARAM_FIELD sets both */
    double min, max;            /* PARAM_INT, PARAM_DOUBLE; both 0: no limits */
    const char *const *choices; /* PARAM_ENUM: NULL-terminated */
    const char *standard;       /* default, in text form; in a string of an array '#' stands for
                                   the element's number, from 1 */
    enum role read, write;      /* write ROLE_SYSTEM: read-only */
    bool hidden;                /* not listed */
    bool fleeting;              /* not saved */
    size_t stride, used_offset; /* rows with '#' */
    unsigned first, count;      /* rows with '#': elements first … count - 1 can be */
    const char *template_name;  /* rows with '#': template= of param.cgi add, or NULL */
    const char *unit;           /* "deg", "kbit/s" … or NULL */
    const char *doc;            /* one line: what it does to the picture */
};
#define PARAM_FIELD(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

/* What a room adds; the hooks may be NULL. `check` judges a whole candidate struct (cross-field
 * rules). `follow`, before that, sets what follows from what a transaction sets: was_set[i]
 * tells that it sets rows[i] (of an array: in any element). */
struct room_desc {
    const char *name;
    size_t size;
    const struct param_row *rows;
    size_t n_rows;
    int (*check)(const void *candidate, void *arg, struct fault *why);
    void *arg;
    void (*follow)(void *candidate, const bool *was_set);
};

/* files may be NULL (nothing is kept: tests). Saved to "params.json". A damaged
 * file falls back to the previous copy; unknown saved names are kept, not lost. */
struct conf *conf_new(struct loop *loop, struct jobs *jobs, struct file_port *files);
struct conf *conf_free(struct conf *c);
int conf_add_room(struct conf *c, const struct room_desc *desc, struct room **ret_room,
                  struct fault *why);
int conf_load(struct conf *c, struct fault *why); /* after all rooms were added */

const void *room_ref(struct room *r);  /* the current snapshot; never NULL */
void room_unref(const void *snapshot); /* NULL-safe */

/* Told after each commit that changed something, on the loop. */
struct conf_listener {
    void (*changed)(struct conf_listener *l, const char *const *names, size_t n);
    struct conf_listener *next;
};
void conf_listen(struct conf *c, struct conf_listener *l);
void conf_unlisten(struct conf *c, struct conf_listener *l);

/* A change of several parameters: all or nothing. set() checks name, role, type
 * and limits at once (why->name is the parameter). Commit checks whole rooms,
 * saves (on a job thread), then swaps the snapshots, then calls done(0) on the
 * loop; on failure nothing has changed and done gets the error. Commits are
 * carried out one after another. commit and abort consume the txn. done may be called
 * before txn_commit() returns (nothing to save, or refused); why is NULL on success. */
struct txn *txn_new(struct conf *c, unsigned groups /* of the user; ~0u: the system */);
/* (Not before all rooms were added: a transaction knows them.) */
int txn_set(struct txn *t, const char *name, const char *value, struct fault *why);
int txn_add(struct txn *t, const char *template_name, unsigned *ret_index, struct fault *why);
/* The element of this index, which must not exist yet. */
int txn_add_at(struct txn *t, const char *template_name, unsigned index, struct fault *why);
int txn_remove(struct txn *t, const char *group /* "StreamProfile.S4" */, struct fault *why);
void txn_commit(struct txn *take_t, void (*done)(int err, const struct fault *why, void *arg),
                void *arg);
struct txn *txn_abort(struct txn *take_t);

/* Walks the tree in listing order: leaves of a group (case-insensitive order),
 * then its subgroups. */
struct param_view {
    const char *name; /* "Image.I0.Appearance.Compression" */
    const struct param_row *row;
    const char *value; /* text; secrets already masked */
};
int conf_each(struct conf *c, unsigned groups, int (*each)(const struct param_view *v, void *arg),
              void *arg);
/* -ENOENT, -EACCES. Secrets are masked. */
int conf_get(struct conf *c, const char *name, unsigned groups, struct buf *ret_value,
             struct fault *why);
/* Also where its group is not there now. */
bool conf_may_read(struct conf *c, const char *name, unsigned groups);
/* The system's own short cut for one value (no role check), committed as above. */
void conf_set(struct conf *c, const char *name, const char *value);
uint64_t conf_generation(struct conf *c);
/* Everything but names in `keep` (globs, NULL-terminated; may be NULL) to default. */
void conf_reset(struct conf *c, const char *const *keep,
                void (*done)(int err, const struct fault *why, void *arg), void *arg);

#endif
