/* MIKEY (RFC 3830) as cameras and their clients say it over TLS (RFC 4567): one SRTP key in a
 * message of the pre-shared-key kind whose key is not encrypted again. Pure. */
#ifndef API_RTSP_MIKEY_H
#define API_RTSP_MIKEY_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/srtp.h"

#define MIKEY_MAX 176      /* of what we write */
#define MIKEY_READ_MAX 512 /* of what we read */
/* AES_CM_128_HMAC_SHA1_80 for one stream. random: of the message. Its length. */
size_t mikey_write(uint8_t ret[MIKEY_MAX], uint32_t ssrc, const struct srtp_key *key,
                   int64_t utc_ns, const uint8_t random[16]);
/* The key in a message. -EBADMSG: malformed; -ENOTSUP: another cipher, another length of key or
 * tag, a key that is encrypted or only leads to one. */
int mikey_read(const uint8_t *bytes, size_t len, struct srtp_key *ret);

/* The header of SETUP (RFC 4567, 4): KeyMgmt: prot=mikey;uri="…";data="base64". Errors as above. */
int mikey_read_header(const char *value, struct srtp_key *ret);

#endif
