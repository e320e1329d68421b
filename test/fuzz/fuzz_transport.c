/* Transport headers and request targets of the RTSP door. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/rtsp/transport.h"
#include "api/rtsp/uri.h"
#include "base/buf.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = strndup((const char *)data, size);
    struct arena *arena = arena_new(1 << 20);
    if (!s || !arena)
        abort();
    for (int udp = 0; udp < 2; udp++) {
        struct transport t;
        int status = transport_pick(s, udp, "192.0.2.7", &t);
        assert(status == 0 || status == 400 || status == 461);
        if (status)
            continue;
        assert(t.tcp || udp);
        assert(t.channel >= 0 && t.channel < 255);
        if (!t.tcp)
            assert(t.rtp_port > 0 && t.rtp_port < 65536 && t.rtcp_port > 0 && t.rtcp_port < 65536);
    }
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
