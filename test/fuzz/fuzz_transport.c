/* Transport headers and request targets of the RTSP door. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/rtsp/transport.h"
#include "api/rtsp/uri.h"
#include "base/buf.h"
#include "fuzz.h"
#include "net/multicast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = strndup((const char *)data, size);
    struct arena *arena = arena_new(1 << 20);
    if (!s || !arena)
        abort();
    for (int i = 0; i < 16; i++) {
        struct transport t;
        bool unicast = i & 1, udp = i & 2;
        const struct transport_offer offer = {.unicast = unicast,
                                              .udp = udp,
                                              .srtp = i & 8,
                                              .peer = "192.0.2.7",
                                              .group = i & 4 ? "239.192.1.2" : NULL};
        int status = transport_pick(s, &offer, &t);
        assert(status == 0 || status == 400 || status == 461);
        if (status)
            continue;
        assert(t.tcp ? unicast : t.multicast ? offer.group != NULL : udp);
        assert(!t.savp || (i & 8));
        assert(t.channel >= 0 && t.channel < 255);
        assert(!t.tcp || !t.multicast);
        if (!t.tcp && !t.multicast)
            assert(t.rtp_port > 0 && t.rtp_port < 65536 && t.rtcp_port > 0 && t.rtcp_port < 65536);
    }
    struct sockaddr_storage group;
    if (!multicast_parse(s, "", &group, NULL))
        assert(multicast_len(&group) &&
               (group.ss_family == AF_INET || group.ss_family == AF_INET6));
    struct rtsp_uri uri;
    int status = rtsp_uri_parse(&uri, arena, s);
    assert(status == 0 || status == 400 || status == 404);
    if (status != 400)
        assert(uri.base && uri.query && uri.track >= -1 && uri.track < 100 &&
               !strpbrk(uri.query, "\r\n "));
    arena_free(arena);
    free(s);
    return 0;
}
