/* Accounts: who may log in and in which groups. Passwords go to the key agent and
 * cannot be read back. A change is saved when the call returns 0. No account at
 * all is the factory-default state, in which the first administrator may be made
 * by anybody, once. Loop-bound. */
#ifndef TRUST_ACCOUNTS_H
#define TRUST_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct fault;
struct trust;

#define ACCOUNT_NAME_MAX 64     /* A-Z a-z 0-9 . _ - */
#define ACCOUNT_PASSWORD_MAX 64 /* 1..64 of 0x20..0x7e */
#define ACCOUNT_COMMENT_MAX 64  /* printable ASCII */

struct account {
    char name[ACCOUNT_NAME_MAX + 1];
    char comment[ACCOUNT_COMMENT_MAX + 1];
    unsigned groups; /* OR of enum group; made cumulative: admin has operator and viewer */
};

bool accounts_empty(struct trust *t); /* factory default */
size_t accounts_count(struct trust *t);
/* NULL: unknown. Borrowed until the next change. Names are case-sensitive. */
const struct account *accounts_find(struct trust *t, const char *name);
/* In the order of making; i < accounts_count(). Borrowed until the next change. */
const struct account *accounts_at(struct trust *t, size_t i);

/* The first administrator: FAULT_CONFLICT once any account exists, FAULT_INVALID
 * without the admin group. Of two racing requests one wins. comment may be NULL. */
int accounts_add_first(struct trust *t, const char *name, const char *password, unsigned groups,
                       const char *comment, struct fault *why);
/* FAULT_CONFLICT: the name exists; FAULT_LIMIT: LIMIT_ACCOUNTS; in the factory
 * default only an administrator (as accounts_add_first). */
int accounts_add(struct trust *t, const char *name, const char *password, unsigned groups,
                 const char *comment, struct fault *why);
/* password, groups, comment: NULL leaves it. The last administrator keeps the
 * admin group (FAULT_CONFLICT). Sessions of the account end. */
int accounts_update(struct trust *t, const char *name, const char *password, const unsigned *groups,
                    const char *comment, struct fault *why);
int accounts_remove(struct trust *t, const char *name, struct fault *why);
/* All of them: back to the factory default. */
int accounts_reset(struct trust *t, struct fault *why);

/* "admin:operator:viewer:ptz", any order, to groups; -EINVAL. Empty gives 0. */
int accounts_parse_groups(const char *text, unsigned *ret_groups);

/* Told after each change that takes rights away (removal, groups, password), so
 * that whoever serves this user for long can end it. name NULL: all accounts; "": strangers,
 * when the first account was made. */
struct account_listener {
    void (*changed)(struct account_listener *l, const char *name);
    struct account_listener *next;
};
void accounts_listen(struct trust *t, struct account_listener *l);
void accounts_unlisten(struct trust *t, struct account_listener *l);

#endif
