#include "api/commit.h"

#include <errno.h>
#include <stdlib.h>

#include "api/camera.h"
#include "base/fault.h"
#include "conf/param.h"
#include "net/exchange.h"

struct commit {
    struct exchange *ex; /* NULL: the client has left */
    void (*reply)(struct exchange *ex, int err, const struct fault *why, void *arg);
    void *arg;
};

static void on_committed(int err, const struct fault *why, void *arg)
{
    struct commit *c = arg;
    if (c->ex) {
        c->ex->cancel = NULL;
        c->reply(c->ex, err, why, c->arg);
    }
    free(c);
}

static void on_cancel(struct exchange *ex)
{
    ((struct commit *)ex->user)->ex = NULL;
}

void commit_then(struct camera *cam, struct exchange *ex, struct txn *take_t,
                 void (*reply)(struct exchange *ex, int err, const struct fault *why, void *arg),
                 void *arg)
{
    struct commit *c = malloc(sizeof *c);
    struct txn *t = take_t ? take_t : txn_new(cam->conf, 0);
    if (!c || !t) {
        struct fault why = {.kind = FAULT_INTERNAL, .text = "out of memory"};
        if (t)
            txn_abort(t);
        free(c);
        reply(ex, -ENOMEM, &why, arg);
        return;
    }
    *c = (struct commit){ex, reply, arg};
    ex->user = c;
    ex->cancel = on_cancel;
    txn_commit(t, on_committed, c);
}
