/* The header and the message by which a client tells its SRTP key. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/rtsp/mikey.h"
#include "base/crypto.h"
#include "fuzz.h"

static void check(int err, const struct srtp_key *key)
{
    assert(err == 0 || err == -EBADMSG || err == -ENOTSUP);
    assert(err || key->mki_len <= SRTP_MKI_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct srtp_key key = {0};
    char *s = strndup((const char *)data, size);
    if (!s)
        abort();
    check(mikey_read(data, size, &key), &key);
    check(mikey_read_header(s, &key), &key);
    /* what was read can be written, and is read as the same */
    if (!mikey_read(data, size, &key)) {
        uint8_t message[MIKEY_MAX];
        const uint8_t random[16] = {0};
        struct srtp_key again = {0};
        size_t len = mikey_write(message, 1, &key, 0, random);
        assert(len <= sizeof(message) && !mikey_read(message, len, &again));
        assert(!memcmp(&key, &again, sizeof(key)));
    }
    free(s);
    return 0;
}
