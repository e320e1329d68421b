/* RTCP (RFC 3550 section 6): reports that we send, and a strict reader of those that
 * receivers send. Pure functions. */
#ifndef DELIVER_RTCP_H
#define DELIVER_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_MAX 400 /* of what we write, encrypted (srtp.h) */

struct rtcp_source {
    uint32_t ssrc;
    const char *cname; /* cut at 63 bytes */
};
/* Sender report and SDES. Returns the length (a multiple of 4). */
size_t rtcp_sender_report(uint8_t ret[RTCP_MAX], const struct rtcp_source *src, int64_t utc_ns,
                          uint32_t rtp_time, uint32_t packets, uint32_t octets);
/* Empty receiver report, SDES and BYE. */
size_t rtcp_bye(uint8_t ret[RTCP_MAX], const struct rtcp_source *src);

struct rtcp_news {
    bool report;          /* a report block about our source */
    double loss_fraction; /* with report */
    bool key_wanted;      /* PLI or FIR */
};
/* False: not a well-formed compound packet of version 2 that begins with a report. */
bool rtcp_read(const uint8_t *bytes, size_t len, uint32_t our_ssrc, struct rtcp_news *ret);

#endif
