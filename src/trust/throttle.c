#include "trust/throttle.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/conn.h"
#include "net/limits.h"

#define SOURCES 1024
#define REFILL_NS (60 * NSEC_PER_SEC / LIMIT_GUESSES_PER_MINUTE) /* one guess */
#define BUCKET_NS (REFILL_NS * LIMIT_GUESSES_PER_MINUTE)

/* What a source has used of its bucket, as the time at which all is refilled. */
struct source {
    uint8_t address[16];
    int surface;
    int64_t clean_ns;
};

struct throttle {
    struct source sources[SOURCES];
    unsigned n;
};

struct throttle *throttle_new(void)
{
    return calloc(1, sizeof(struct throttle));
}

struct throttle *throttle_free(struct throttle *t)
{
    free(t);
    return NULL;
}

static void source_address(const struct conn *c, uint8_t ret[16])
{
    const struct sockaddr *peer = conn_peer(c);
    memset(ret, 0, 16);
    if (peer->sa_family == AF_INET) {
        ret[10] = ret[11] = 0xff;
        memcpy(ret + 12, &((const struct sockaddr_in *)peer)->sin_addr, 4);
    } else if (peer->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)peer)->sin6_addr;
        memcpy(ret, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8); /* a /64 is one source */
    }
}

/* Drops whoever has a clean record by now, on the way. */
static struct source *find(struct throttle *t, int64_t now_ns, int surface,
                           const uint8_t address[16])
{
    for (unsigned i = 0; i < t->n;) {
        struct source *s = &t->sources[i];
        if (s->clean_ns <= now_ns) {
            *s = t->sources[--t->n];
            continue;
        }
        if (s->surface == surface && !memcmp(s->address, address, 16))
            return s;
        i++;
    }
    return NULL;
}

int64_t throttle_wait_ns(struct throttle *t, int64_t now_ns, int surface, const struct conn *c)
{
    uint8_t address[16];
    source_address(c, address);
    const struct source *s = find(t, now_ns, surface, address);
    if (!s)
        return 0;
    int64_t wait = s->clean_ns - now_ns - (BUCKET_NS - REFILL_NS);
    return wait > 0 ? wait : 0;
}

bool throttle_note(struct throttle *t, int64_t now_ns, int surface, const struct conn *c)
{
    uint8_t address[16];
    source_address(c, address);
    struct source *s = find(t, now_ns, surface, address);
    if (!s) {
        if (t->n < SOURCES) {
            s = &t->sources[t->n++];
        } else {
            s = &t->sources[0];
            for (unsigned i = 1; i < SOURCES; i++)
                if (t->sources[i].clean_ns < s->clean_ns)
                    s = &t->sources[i];
        }
        *s = (struct source){.surface = surface, .clean_ns = now_ns};
        memcpy(s->address, address, 16);
    }
    s->clean_ns += REFILL_NS;
    return s->clean_ns - now_ns > BUCKET_NS - REFILL_NS;
}
