/* SRTP (RFC 3711): AES_CM_128_HMAC_SHA1_80, no MKI, one master key a track.
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
#define SRTP_TAG 10
#define SRTCP_MORE (4 + SRTP_TAG) /* what a report grows by */

struct srtp;
struct srtp *srtp_new(const uint8_t key[SRTP_KEY]); /* NULL: out of memory */
struct srtp *srtp_ref(struct srtp *s);
struct srtp *srtp_unref(struct srtp *s); /* NULL-safe, returns NULL; atomic */

/* The RTP packets of `p` encrypted, on an interleaved channel: a form of its own, which the
 * caller frees (base.free). NULL: out of memory. */
struct rtp_form *srtp_form(struct srtp *s, const struct rtp_form *form, const struct packet *p,
                           int channel);
/* Encrypts a compound RTCP packet in place (3.4). Its new length, SRTCP_MORE longer; 0: it
 * could not be. */
size_t srtp_report(struct srtp *s, uint8_t *rtcp, size_t len);

#endif
