/* SRTP (RFC 3711): AES_CM_128_HMAC_SHA1_80, one master key a track and direction; a master key
 * identifier in each packet where the key has one.
 *
 * The key belongs to one viewer's track and encrypts one stream for it, whose packets are told
 * apart by their number in the stream: the same number is always the same packet, so that no
 * keystream is used for two. Roll-over counters count from the first packet that is sent.
 * Made on any thread, then used by one at a time. */
#ifndef DELIVER_SRTP_H
#define DELIVER_SRTP_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/rtp.h"

#define SRTP_KEY 30 /* master key (16), master salt (14) */
#define SRTP_SALT 14
#define SRTP_TAG 10
#define SRTP_MKI_MAX 8
#define SRTCP_MORE (4 + SRTP_MKI_MAX + SRTP_TAG) /* what a report grows by at most */

struct srtp_key {
    uint8_t bytes[SRTP_KEY];
    uint8_t mki[SRTP_MKI_MAX];
    size_t mki_len; /* 0: none */
};

struct srtp;
struct srtp *srtp_new(const struct srtp_key *key); /* NULL: out of memory */
/* Reports that come back are encrypted with this key of the receiver's. Once, before any comes.
 * -ENOMEM. */
int srtp_hear_with(struct srtp *s, const struct srtp_key *theirs);
struct srtp *srtp_ref(struct srtp *s);
struct srtp *srtp_unref(struct srtp *s); /* NULL-safe, returns NULL; atomic */

/* The RTP packets of `p` encrypted, on an interleaved channel: a form of its own, which the
 * caller frees (base.free). NULL: out of memory. */
struct rtp_form *srtp_form(struct srtp *s, const struct rtp_form *form, const struct packet *p,
                           int channel);
/* Encrypts a compound RTCP packet in place (3.4). Its new length, up to SRTCP_MORE longer; 0: it
 * could not be. */
size_t srtp_report(struct srtp *s, uint8_t *rtcp, size_t len);
/* A receiver's report, authenticated and decrypted in place; its length. 0: it is not of who has
 * the key, has been here before, or there is no key. Thread: one at a time, not that of the others.
 */
size_t srtp_hear_report(struct srtp *s, uint8_t *rtcp, size_t len);

#endif
