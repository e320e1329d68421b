#include "trust/accounts.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/role.h"
#include "base/text.h"
#include "trust/keys.h"
#include "trust/trust_private.h"
#include "trust/wire.h"

static const struct {
    const char *name;
    enum group group;
} group_names[] = {
    {"viewer", GROUP_VIEWER},
    {"operator", GROUP_OPERATOR},
    {"admin", GROUP_ADMIN},
    {"ptz", GROUP_PTZ},
};

int accounts_parse_groups(const char *text, unsigned *ret_groups)
{
    unsigned groups = 0;
    while (*text) {
        size_t n = strcspn(text, ":");
        unsigned group = 0;
        for (size_t i = 0; i < sizeof(group_names) / sizeof(*group_names); i++)
            if (strlen(group_names[i].name) == n && !strncmp(group_names[i].name, text, n))
                group = group_names[i].group;
        if (!group)
            return -EINVAL;
        groups |= group;
        text += n + (text[n] == ':');
    }
    *ret_groups = groups;
    return 0;
}

static unsigned cumulative(unsigned groups)
{
    if (groups & GROUP_ADMIN)
        groups |= GROUP_OPERATOR;
    if (groups & GROUP_OPERATOR)
        groups |= GROUP_VIEWER;
    return groups;
}

int accounts_load(struct trust *t)
{
    struct account all[LIMIT_ACCOUNTS];
    size_t n = 0;
    int err = 0;
    while (n < LIMIT_ACCOUNTS && !(err = keys_list(t->keys, n, &all[n])))
        n++;
    if (err && err != -ENOENT)
        return err;
    memcpy(t->accounts, all, n * sizeof(*all));
    t->n_accounts = n;
    return 0;
}

bool accounts_empty(struct trust *t)
{
    return t->n_accounts == 0;
}

size_t accounts_count(struct trust *t)
{
    return t->n_accounts;
}

const struct account *accounts_find(struct trust *t, const char *name)
{
    for (size_t i = 0; i < t->n_accounts; i++)
        if (!strcmp(t->accounts[i].name, name))
            return &t->accounts[i];
    return NULL;
}

const struct account *accounts_at(struct trust *t, size_t i)
{
    return i < t->n_accounts ? &t->accounts[i] : NULL;
}

static int check_name(const char *name, struct fault *why)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    if (!name || !*name)
        return fault_set(why, FAULT_MISSING, "user", "an account needs a name");
    if (strlen(name) > ACCOUNT_NAME_MAX || name[strspn(name, allowed)])
        return fault_set(why, FAULT_INVALID, "user",
                         "a name has 1 to %d characters of A-Z a-z 0-9 . _ -", ACCOUNT_NAME_MAX);
    return 0;
}

static int check_password(const char *password, struct fault *why)
{
    if (!password || !*password)
        return fault_set(why, FAULT_MISSING, "pwd", "an account needs a password");
    if (strlen(password) > ACCOUNT_PASSWORD_MAX || !text_is_ascii_print(password))
        return fault_set(why, FAULT_INVALID, "pwd", "a password has 1 to %d ASCII characters",
                         ACCOUNT_PASSWORD_MAX);
    return 0;
}

static int check_comment(const char *comment, struct fault *why)
{
    if (comment && (strlen(comment) > ACCOUNT_COMMENT_MAX || !text_is_ascii_print(comment)))
        return fault_set(why, FAULT_INVALID, "comment", "a comment has up to %d ASCII characters",
                         ACCOUNT_COMMENT_MAX);
    return 0;
}

static int check_groups(unsigned groups, struct fault *why)
{
    if (!(groups & GROUP_VIEWER) ||
        groups > (GROUP_VIEWER | GROUP_OPERATOR | GROUP_ADMIN | GROUP_PTZ))
        return fault_set(why, FAULT_INVALID, "sgrp", "an account is at least a viewer");
    return 0;
}

static int agent_fault(int err, const char *name, struct fault *why)
{
    switch (err) {
    case -EEXIST:
        return fault_set(why, FAULT_CONFLICT, "user", "the account %s exists already", name);
    case -ENOENT:
        return fault_set(why, FAULT_UNKNOWN, "user", "there is no account %s", name);
    case -ENOSPC:
        return fault_set(why, FAULT_LIMIT, "user", "there are %d accounts already", LIMIT_ACCOUNTS);
    default:
        return fault_set(why, FAULT_IO, "user", "the account could not be saved: %s",
                         strerror(-err));
    }
}

/* After every change, also a failed one: the agent's list is the truth. */
static void reload(struct trust *t)
{
    int err = accounts_load(t);
    if (err)
        log_error("trust", "the accounts cannot be listed: %s", strerror(-err));
}

static void rights_changed(struct trust *t, const char *name)
{
    sessions_drop(t, name);
    basic_drop(t);
    for (struct account_listener *l = t->listeners, *next; l; l = next) {
        next = l->next;
        l->changed(l, name);
    }
}

static int add(struct trust *t, const char *name, const char *password, unsigned groups,
               const char *comment, bool first, struct fault *why)
{
    int err;
    groups = cumulative(groups);
    if ((err = check_name(name, why)) || (err = check_password(password, why)) ||
        (err = check_comment(comment, why)) || (err = check_groups(groups, why)))
        return err;
    if (first && !accounts_empty(t))
        return fault_set(why, FAULT_CONFLICT, "user", "the first account was made already");
    if (accounts_empty(t) && !(groups & GROUP_ADMIN))
        return fault_set(why, FAULT_INVALID, "sgrp", "the first account must be an administrator");
    unsigned flags = WIRE_SET_NEW | WIRE_SET_PASSWORD | WIRE_SET_GROUPS | WIRE_SET_COMMENT;
    bool was_empty = accounts_empty(t);
    if (was_empty)
        flags |= WIRE_SET_FIRST;
    err = keys_set(t->keys, flags, name, password, groups, comment);
    reload(t);
    if (err)
        return agent_fault(err, name, why);
    log_info("trust", "account %s was made", name);
    if (was_empty)
        rights_changed(t, ""); /* strangers have none any more */
    return 0;
}

int accounts_add_first(struct trust *t, const char *name, const char *password, unsigned groups,
                       const char *comment, struct fault *why)
{
    return add(t, name, password, groups, comment, true, why);
}

int accounts_add(struct trust *t, const char *name, const char *password, unsigned groups,
                 const char *comment, struct fault *why)
{
    return add(t, name, password, groups, comment, false, why);
}

static bool is_last_admin(struct trust *t, const struct account *a)
{
    if (!(a->groups & GROUP_ADMIN))
        return false;
    for (size_t i = 0; i < t->n_accounts; i++)
        if (&t->accounts[i] != a && t->accounts[i].groups & GROUP_ADMIN)
            return false;
    return true;
}

int accounts_update(struct trust *t, const char *name, const char *password, const unsigned *groups,
                    const char *comment, struct fault *why)
{
    int err;
    if ((err = check_name(name, why)) || (err = check_comment(comment, why)) ||
        (password && (err = check_password(password, why))))
        return err;
    const struct account *a = accounts_find(t, name);
    if (!a)
        return agent_fault(-ENOENT, name, why);
    unsigned wanted = groups ? cumulative(*groups) : a->groups;
    if ((err = check_groups(wanted, why)))
        return err;
    if (!(wanted & GROUP_ADMIN) && is_last_admin(t, a))
        return fault_set(why, FAULT_CONFLICT, "sgrp",
                         "%s is the last administrator and must stay one", name);
    bool rights = password || wanted != a->groups;
    unsigned flags = (password ? WIRE_SET_PASSWORD : 0) | (groups ? WIRE_SET_GROUPS : 0) |
                     (comment ? WIRE_SET_COMMENT : 0);
    if (!flags)
        return 0;
    err = keys_set(t->keys, flags, name, password, wanted, comment);
    reload(t);
    if (err)
        return agent_fault(err, name, why);
    log_info("trust", "account %s was changed", name);
    if (rights)
        rights_changed(t, name);
    return 0;
}

int accounts_remove(struct trust *t, const char *name, struct fault *why)
{
    int err = check_name(name, why);
    if (err)
        return err;
    const struct account *a = accounts_find(t, name);
    if (!a)
        return agent_fault(-ENOENT, name, why);
    if (is_last_admin(t, a))
        return fault_set(why, FAULT_CONFLICT, "user",
                         "%s is the last administrator and cannot be removed", name);
    err = keys_remove(t->keys, name);
    reload(t);
    if (err)
        return agent_fault(err, name, why);
    log_info("trust", "account %s was removed", name);
    rights_changed(t, name);
    return 0;
}

int accounts_reset(struct trust *t, struct fault *why)
{
    int err = keys_clear(t->keys);
    reload(t);
    if (err)
        return fault_set(why, FAULT_IO, NULL, "the accounts could not be removed: %s",
                         strerror(-err));
    rights_changed(t, NULL);
    return 0;
}

void accounts_listen(struct trust *t, struct account_listener *l)
{
    l->next = t->listeners;
    t->listeners = l;
}

void accounts_unlisten(struct trust *t, struct account_listener *l)
{
    for (struct account_listener **at = &t->listeners; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            return;
        }
}
