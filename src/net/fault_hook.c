#include "net/fault_hook.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/text.h"

static struct {
    pthread_mutex_t lock; /* all below */
    struct net_fault fault[NET_FAULTS];
    int number[NET_FAULTS]; /* 0: free */
    int last;
    unsigned changes;
    const char *spared, *datagrams;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

_Atomic unsigned net_fault_generation;

static void changed_locked(void)
{
    bool any = false;
    for (int i = 0; i < NET_FAULTS; i++)
        any = any || table.number[i];
    if (++table.changes == 0)
        table.changes = 1;
    atomic_store(&net_fault_generation, any ? table.changes : 0);
}

int net_fault_add(const struct net_fault *f)
{
    int number = -ENOSPC;
    pthread_mutex_lock(&table.lock);
    for (int i = 0; i < NET_FAULTS && number < 0; i++) {
        if (table.number[i])
            continue;
        table.fault[i] = *f;
        table.number[i] = number = ++table.last;
        changed_locked();
    }
    pthread_mutex_unlock(&table.lock);
    return number;
}

void net_fault_remove(int number)
{
    pthread_mutex_lock(&table.lock);
    for (int i = 0; i < NET_FAULTS && number > 0; i++) {
        if (table.number[i] != number)
            continue;
        table.number[i] = 0;
        changed_locked();
    }
    pthread_mutex_unlock(&table.lock);
}

void net_fault_rules(const char *spared, const char *datagrams)
{
    pthread_mutex_lock(&table.lock);
    table.spared = spared;
    table.datagrams = datagrams;
    pthread_mutex_unlock(&table.lock);
}

static void add(struct net_plan *p, const struct net_fault *f)
{
    switch (f->kind) {
    case NET_DELAY:
        p->delay_ns += (int64_t)(f->value * 1e9);
        p->jitter_ns += (int64_t)(f->jitter * 1e9);
        break;
    case NET_SLOW:
        p->bytes_per_s = p->bytes_per_s > 0 ? fmin(p->bytes_per_s, f->value) : f->value;
        break;
    case NET_STALL:
        p->stall = true;
        break;
    case NET_CUT: {
        uint64_t after = (uint64_t)f->value;
        p->cut_after = p->cut && p->cut_after < after ? p->cut_after : after;
        p->cut = true;
        p->reset = p->reset || f->reset;
        break;
    }
    case NET_LENGTH:
        p->length_by += (int64_t)f->value;
        break;
    case NET_LOSS:
        p->loss = 1 - (1 - p->loss) * (1 - f->value);
        break;
    }
}

unsigned net_plan_for(const char *path, struct net_plan *ret)
{
    *ret = (struct net_plan){0};
    pthread_mutex_lock(&table.lock);
    unsigned generation = atomic_load(&net_fault_generation);
    const char *about = path ? path : table.datagrams;
    if (about && *about && !(table.spared && text_glob(table.spared, about)))
        for (int i = 0; i < NET_FAULTS; i++)
            if (table.number[i] && text_glob(table.fault[i].path, about))
                add(ret, &table.fault[i]);
    pthread_mutex_unlock(&table.lock);
    return generation;
}
