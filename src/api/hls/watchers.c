#include "api/hls/watchers.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "net/conn.h"
#include "net/exchange.h"

struct watcher {
    struct list in_watchers;
    struct guest guest;
    int64_t asked_ns;
    char user[65], agent[128];
};

void watchers_init(struct watchers *w, struct deliver *d, struct feed *pictures, struct feed *sound)
{
    *w = (struct watchers){.deliver = d, .pictures = pictures, .sound = sound};
    list_init(&w->all);
}

static void watcher_free(struct watcher *one)
{
    deliver_remove_guest(&one->guest);
    list_remove(&one->in_watchers);
    free(one);
}

void watchers_done(struct watchers *w)
{
    list_for_each_safe(it, &w->all) watcher_free(container_of(it, struct watcher, in_watchers));
}

struct watcher *watchers_meet(struct watchers *w, const struct exchange *ex, int64_t now_ns,
                              struct fault *why)
{
    char peer[sizeof(((struct viewer_stats *)0)->peer)],
        agent[sizeof(((struct watcher *)0)->agent)];
    const char *given = exchange_header(ex, "User-Agent");
    text_copy(agent, sizeof agent, given ? given : "");
    conn_peer_text(ex->conn, peer, sizeof peer);
    list_for_each(it, &w->all)
    {
        struct watcher *one = container_of(it, struct watcher, in_watchers);
        if (strcmp(one->user, ex->who.user) || strcmp(one->agent, agent) ||
            strcmp(one->guest.stats.peer, peer))
            continue;
        one->asked_ns = now_ns;
        return one;
    }
    struct watcher *one = calloc(1, sizeof *one);
    if (!one) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    one->asked_ns = now_ns;
    text_copy(one->user, sizeof one->user, ex->who.user);
    text_copy(one->agent, sizeof one->agent, agent);
    one->guest.stats = (struct viewer_stats){
        .user = one->user,
        .user_agent = one->agent,
        .path = "/hls/live.m3u8",
        .transport = "HTTP",
        .peer_port = conn_peer_port(ex->conn),
        .encrypted = conn_secure(ex->conn),
        .feeds = {w->pictures, w->sound},
    };
    text_copy(one->guest.stats.peer, sizeof one->guest.stats.peer, peer);
    if (deliver_add_guest(w->deliver, &one->guest, why)) {
        free(one);
        return NULL;
    }
    list_append(&w->all, &one->in_watchers);
    return one;
}

void watcher_got(struct watcher *one, uint64_t bytes)
{
    if (one)
        one->guest.stats.bytes += bytes;
}

void watchers_leave(struct watchers *w, int64_t since_ns)
{
    list_for_each_safe(it, &w->all)
    {
        struct watcher *one = container_of(it, struct watcher, in_watchers);
        if (one->asked_ns < since_ns)
            watcher_free(one);
    }
}
