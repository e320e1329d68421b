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
    RTP("R0.AudioAddress", audio_address, .type = PARAM_STRING, .standard = standard_address,
        .write = ROLE_ADMIN,
        .doc = "Multicast: the group that the sound of view 1 is sent to, IPv4 or IPv6"),
    RTP("R0.AudioPort", audio_port, .type = PARAM_INT, .min = 0, .max = 65534, .standard = "0",
        .write = ROLE_ADMIN,
        .doc =
            "Multicast: even port of RTP, RTCP takes the next; 0: one for each stream is chosen"),
    RTP("R0.TTL", hops, .type = PARAM_INT, .min = 1, .max = 255, .standard = "5",
        .write = ROLE_ADMIN, .doc = "Multicast: over so many routers, less one, packets go"),
};

static int check_port(int port, const char *name, struct fault *why)
{
    if (port && (port % 2 || port < PORT_MIN))
        return fault_set(why, FAULT_INVALID, name,
                         "must be even and at least %d, or 0 for one that is chosen", PORT_MIN);
    return 0;
}

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct rtp_settings *s = candidate;
    struct sockaddr_storage group;
    int err = check_port(s->video_port, RTP_VIDEO_PORT, why);
    if (!err)
        err = check_port(s->audio_port, RTP_AUDIO_PORT, why);
    if (!err)
        err = multicast_parse(s->audio_address, RTP_AUDIO_ADDRESS, &group, why);
    return err ? err : multicast_parse(s->video_address, RTP_VIDEO_ADDRESS, &group, why);
}

const struct room_desc rtp_room_desc = {
    .name = "rtp",
    .size = sizeof(struct rtp_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
    .check = check,
};
