#include "device/rtsp/address.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "net/message.h"

#define LATENCY_MS 500 /* of most cameras, with their encoder and ours to decode */
#define MIN_SIDE 64
#define MAX_SIDE 4096

static int bad(struct fault *why, const char *what)
{
    return fault_set(why, FAULT_INVALID, "source", "%s; see docs/sources.md", what);
}

static int parse_size(struct address *a, const char *value)
{
    char text[16];
    int64_t w, h;
    if (!text_copy(text, sizeof(text), value))
        return -1;
    char *x = strchr(text, 'x');
    if (!x)
        return -1;
    *x = 0;
    if (text_int(text, MIN_SIDE, MAX_SIDE, &w) || text_int(x + 1, MIN_SIDE, MAX_SIDE, &h))
        return -1;
    a->width = (int)w & ~1;
    a->height = (int)h & ~1;
    return 0;
}

static int take_option(struct address *a, const struct arg *o, struct fault *why)
{
    int64_t ms;
    if (!strcmp(o->name, "size"))
        return parse_size(a, o->value) ? bad(why, "size is WIDTHxHEIGHT, 64 to 4096 each") : 0;
    if (!strcmp(o->name, "fps"))
        return text_double(o->value, 1, 60, &a->fps) ? bad(why, "fps is a number from 1 to 60") : 0;
    if (!strcmp(o->name, "latency")) {
        if (text_int(o->value, 0, 10000, &ms))
            return bad(why, "latency is a number of milliseconds, at most 10000");
        a->latency_ns = ms * NSEC_PER_MSEC;
        return 0;
    }
    if (!strcmp(o->name, "transport")) {
        a->transport = !strcmp(o->value, "tcp")   ? TRANSPORT_TCP
                       : !strcmp(o->value, "udp") ? TRANSPORT_UDP
                                                  : TRANSPORT_EITHER;
        return a->transport ? 0 : bad(why, "transport is tcp or udp");
    }
    return bad(why, "after # may stand size, fps, transport and latency");
}

static int take_options(struct address *a, const char *text, struct fault *why)
{
    struct arg options[LIMIT_ARGS];
    size_t n = 0;
    struct arena *arena = arena_new(16384);
    if (!arena)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    int err = strlen(text) > 200 || args_parse(options, &n, arena, text, strlen(text))
                  ? bad(why, "what stands after # cannot be read")
                  : 0;
    for (size_t i = 0; !err && i < n; i++)
        err = take_option(a, &options[i], why);
    arena_free(arena);
    return err;
}

int address_parse(struct address *ret, const char *spec, struct fault *why)
{
    struct address a = {.latency_ns = LATENCY_MS * NSEC_PER_MSEC};
    const char *host = strstr(spec, "://");
    if (!host || !text_is_ascii_print(spec) || strchr(spec, ' '))
        return bad(why, "the address is SCHEME://[USER:PASSWORD@]HOST[:PORT]/PATH, without blanks");
    size_t len = strcspn(spec, "#");
    if (len >= sizeof(a.url))
        return bad(why, "the address is too long");
    memcpy(a.url, spec, len);
    host += 3;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority), *bare = at ? at + 1 : host;
    if (bare == host + authority)
        return bad(why, "the address names no host");
    snprintf(a.shown, sizeof(a.shown), "%.*s%.*s", (int)(host - spec), spec,
             (int)strcspn(bare, "?#"), bare);
    int err = spec[len] ? take_options(&a, spec + len + 1, why) : 0;
    if (!err)
        *ret = a;
    return err;
}
