/* MIKEY (RFC 3830) as a camera says it over TLS (RFC 4567): one SRTP key in a message of
 * the pre-shared-key kind whose key is not encrypted again. Pure. */
#ifndef API_RTSP_MIKEY_H
#define API_RTSP_MIKEY_H

#include <stddef.h>
#include <stdint.h>

#define MIKEY_MAX 160
/* AES_CM_128_HMAC_SHA1_80 for one stream; key: master key and salt. random: of the message.
 * Its length. */
size_t mikey_write(uint8_t ret[MIKEY_MAX], uint32_t ssrc, const uint8_t key[30], int64_t utc_ns,
                   const uint8_t random[16]);

#endif
