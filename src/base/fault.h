/* Why something was refused, in words for the user who asked.
 *
 * A function that can fail because of what a user wants takes `struct fault *why`
 * as its last parameter (NULL when nobody listens), fills it in and returns the
 * negative errno that fault_set() returns. Each door translates the kinds into
 * its own numbers in one table. The text says what was wrong and what to do; it
 * never holds a secret. Any thread. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

enum fault_kind {
    FAULT_NONE,
    FAULT_INVALID,     /* a value is malformed or out of range     -EINVAL */
    FAULT_UNKNOWN,     /* no such name, path, id                   -ENOENT */
    FAULT_MISSING,     /* a required argument is absent            -EINVAL */
    FAULT_DENIED,      /* the user may not                         -EACCES */
    FAULT_CONFLICT,    /* exists already, or the state forbids it  -EEXIST */
    FAULT_LIMIT,       /* a named limit is reached                 -ENOSPC */
    FAULT_BUSY,        /* try again later                          -EBUSY  */
    FAULT_UNSUPPORTED, /* this machine or build cannot             -ENOTSUP */
    FAULT_TIMEOUT,     /*                                          -ETIMEDOUT */
    FAULT_IO,          /* disk, socket, device failed              -EIO    */
    FAULT_INTERNAL,    /* our mistake, or out of memory            -ENOMEM */
};

struct fault {
    enum fault_kind kind;
    char name[96];  /* the parameter, argument or path at fault; may be empty */
    char text[256]; /* one sentence */
};

/* Returns the negative errno of the kind. why may be NULL; name may be NULL. */
int fault_set(struct fault *why, enum fault_kind kind, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

const char *fault_kind_name(enum fault_kind kind);

#endif
