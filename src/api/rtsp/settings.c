#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "conf/param.h"
#include "net/multicast.h"

#define PORT_MIN 1024

static char standard_address[GROUP_ADDRESS_MAX + 1] = "239.192.0.1";

void rtp_settings_standard(const char *serial)
{
    size_t len = strlen(serial);
    unsigned long n = len >= 6 ? strtoul(serial + len - 6, NULL, 16) : 1;
    /* RFC 2365: the scope of an organization, 239.192.0.0/14 */
    snprintf(standard_address, sizeof standard_address, "239.%lu.%lu.%lu", 192 + (n >> 16 & 3),
             n >> 8 & 255, n & 255);
}

#define RTP(row_name, field, ...)                                                                  \
    {                                                                                              \
        .name = "Network.RTP." row_name, PARAM_FIELD(struct rtp_settings, field),                  \
        .read = ROLE_VIEWER, __VA_ARGS__                                                           \
    }

static const struct param_row rows[] = {
    RTP("NbrOfRTPGroups", groups, .type = PARAM_INT, .min = 1, .max = 1, .standard = "1",
        .write = ROLE_SYSTEM, .doc = "Number of views that have multicast parameters"),
    RTP("R0.VideoAddress", video_address, .type = PARAM_STRING, .standard = standard_address,
        .write = ROLE_ADMIN,
        .doc = "Multicast: the group that the video of view 1 is sent to, IPv4 or IPv6"),
    RTP("R0.VideoPort", video_port, .type = PARAM_INT, .min = 0, .max = 65534, .standard = "0",
        .write = ROLE_ADMIN,
        .doc =
            "Multicast: even port of RTP, RTCP takes the next; 0: one for each stream is chosen"),
    RTP("R0.TTL", hops, .type = PARAM_INT, .min = 1, .max = 255, .standard = "5",
        .write = ROLE_ADMIN, .doc = "Multicast: over so many routers, less one, packets go"),
};

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct rtp_settings *s = candidate;
    struct sockaddr_storage group;
    if (s->video_port && (s->video_port % 2 || s->video_port < PORT_MIN))
        return fault_set(why, FAULT_INVALID, "Network.RTP.R0.VideoPort",
                         "must be even and at least %d, or 0 for one that is chosen", PORT_MIN);
    return multicast_parse(s->video_address, "Network.RTP.R0.VideoAddress", &group, why);
}

const struct room_desc rtp_room_desc = {
    .name = "rtp",
    .size = sizeof(struct rtp_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
    .check = check,
};
