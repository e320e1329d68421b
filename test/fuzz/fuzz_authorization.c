#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "net/digest.h"

/* What is accepted is complete and within its limits; judging it does no harm. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct nonces *nonces;
    if (!nonces)
        nonces = nonces_new(INT64_C(1000000000));
    struct arena *arena = arena_new(1 << 20);
    char *text = arena_strndup(arena, (const char *)data, size);
    struct authorization a;
    authorization_parse(&a, arena, text);
    if (a.scheme == AUTH_BASIC)
        assert(strlen(a.user) <= 64 && strlen(a.password) <= 256 && !strchr(a.user, ':'));
    if (a.scheme == AUTH_DIGEST) {
        char response[2 * HASH_MAX + 1];
        assert(strlen(a.user) <= 64 && a.realm && a.nonce && a.uri);
        assert(strlen(a.response) == 2 * hash_len(a.algorithm));
        assert(!a.qop || (strlen(a.nc) == 8 && a.cnonce[0]));
        digest_response(a.algorithm, "00", &a, "GET", response);
        assert(nonce_judge(nonces, 0, 1, &a) == NONCE_UNKNOWN);
    }
    arena_free(arena);
    return 0;
}
