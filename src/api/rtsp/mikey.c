#include "api/rtsp/mikey.h"

#include <string.h>

#include "base/clock.h"

#define NTP_FROM_UNIX 2208988800u /* seconds from 1900 to 1970 */

enum { NEXT_NONE = 0, NEXT_KEMAC = 1, NEXT_TIME = 5, NEXT_POLICY = 10, NEXT_RANDOM = 11 };

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    return p + bytes;
}

size_t mikey_write(uint8_t ret[MIKEY_MAX], uint32_t ssrc, const uint8_t key[30], int64_t utc_ns,
                   const uint8_t random[16])
{
    /* type, value; all of one byte (6.10.1). The tag's length is told as that of the session
     * authentication key, too: GStreamer goes by that one. */
    static const uint8_t policy[][2] = {{0, 1},          /* AES-CM */
                                        {1, 16}, {2, 1}, /* HMAC-SHA-1 */
                                        {3, 10}, {4, 14}, {7, 1}, {8, 1}, {10, 1}, {11, 10}};
    uint64_t fraction = ((uint64_t)(utc_ns % NSEC_PER_SEC) << 32) / NSEC_PER_SEC;
    uint64_t seconds = (uint64_t)(utc_ns / NSEC_PER_SEC) + NTP_FROM_UNIX;
    uint8_t *p = ret;
    /* header (6.1): version 1, initiator's pre-shared key, no answer wanted, one session */
    *p++ = 1;
    *p++ = 0;
    *p++ = NEXT_TIME;
    *p++ = 0;
    memcpy(p, random, 4);
    p += 4;
    *p++ = 1;
    *p++ = 0; /* map: SRTP */
    *p++ = 0; /* its policy, SSRC and roll-over counter */
    p = put(p, ssrc, 4);
    p = put(p, 0, 4);
    /* time (6.6) */
    *p++ = NEXT_RANDOM;
    *p++ = 0;
    p = put(p, seconds << 32 | fraction, 8);
    /* random bytes (6.11) */
    *p++ = NEXT_POLICY;
    *p++ = 16;
    memcpy(p, random, 16);
    p += 16;
    /* security policy (6.10) */
    *p++ = NEXT_KEMAC;
    *p++ = 0;
    *p++ = 0; /* SRTP */
    p = put(p, sizeof(policy) / sizeof(*policy) * 3, 2);
    for (size_t i = 0; i < sizeof(policy) / sizeof(*policy); i++) {
        *p++ = policy[i][0];
        *p++ = 1;
        *p++ = policy[i][1];
    }
    /* key data (6.2, 6.13): not encrypted, no code over it */
    *p++ = NEXT_NONE;
    *p++ = 0;
    p = put(p, 4 + 30, 2);
    *p++ = NEXT_NONE;
    *p++ = 2 << 4; /* TEK, valid for good */
    p = put(p, 30, 2);
    memcpy(p, key, 30);
    p += 30;
    *p++ = 0;
    return (size_t)(p - ret);
}
