/* Faults on purpose, of the network: what people who test their clients against us can
 * switch on. One table for the whole process, as there is one network; it is looked into
 * where bytes leave (conn_hold.c, udp.c) and where an answer tells its length (http.c).
 * While the table is empty that costs one relaxed read.
 *
 * Connections know by conn_about() what was asked on them last; faults go by that path.
 * Any thread; one leaf mutex. */
#ifndef NET_FAULT_HOOK_H
#define NET_FAULT_HOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NET_FAULTS 32     /* at a time */
#define NET_FAULT_PATH 96 /* bytes of a pattern */

enum net_fault_kind {
    NET_DELAY,  /* what is sent arrives later; the order stays */
    NET_SLOW,   /* so many bytes a second and connection */
    NET_STALL,  /* nothing is sent or read; afterwards it goes on, as on a cable pulled */
    NET_CUT,    /* the connection ends after so many bytes of an answer or stream */
    NET_LENGTH, /* answers claim a length that is wrong by so many bytes */
    NET_LOSS,   /* this share of the datagrams is lost */
};

struct net_fault {
    enum net_fault_kind kind;
    char path[NET_FAULT_PATH]; /* pattern with '*' */
    double value;              /* NET_DELAY: s; NET_SLOW: bytes/s, > 0; NET_CUT, NET_LENGTH:
                                * bytes; NET_LOSS: 0…1 */
    double jitter;             /* NET_DELAY: up to so many s more */
    bool reset;                /* NET_CUT: with a reset instead of an orderly end */
};

/* Number of the fault, > 0, or -ENOSPC. */
int net_fault_add(const struct net_fault *f);
void net_fault_remove(int number); /* no-op when it is gone */
/* Paths that no fault touches (a pattern), and the path that datagrams belong to; both
 * static. */
void net_fault_rules(const char *spared, const char *datagrams);

/* ---- for net itself ---- */

/* All faults that concern a path, together. */
struct net_plan {
    bool stall, cut, reset;
    int64_t delay_ns, jitter_ns;
    double bytes_per_s; /* 0: no limit */
    uint64_t cut_after; /* bytes */
    int64_t length_by;
    double loss;
};

/* 0: there are none; else changes whenever one comes or goes. */
extern _Atomic unsigned net_fault_generation;
static inline bool net_faults_on(void)
{
    return atomic_load_explicit(&net_fault_generation, memory_order_relaxed) != 0;
}
/* path NULL: datagrams. Returns the generation it is of. */
unsigned net_plan_for(const char *path, struct net_plan *ret);

#endif
