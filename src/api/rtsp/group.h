/* Multicast: one viewer of deliver sends a stream to a group for all sessions that asked.
 *
 * The group begins to exist with its first session and sends while one of them plays. What is
 * sent is one stream on one pair of ports; other streams to the same address have other ports.
 * Sessions that came in through another network interface have a sender of their own there.
 * Receivers' reports go to the group and are not heard: RTSP alone keeps a session alive.
 * Loop-bound. */
#ifndef API_RTSP_GROUP_H
#define API_RTSP_GROUP_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/list.h"
#include "settings.h"

#define GROUP_PORT_FIRST 55000 /* chosen ones; apart from those of unicast */
#define GROUP_PORT_LAST 55998

struct fault;
struct feed;
struct rtsp_conn;
struct rtsp_door;
struct rtsp_session;
struct rtsp_track;
struct stream;
struct viewer;
struct viewer_desc;

/* Where a stream goes, or would go. */
struct group_plan {
    struct sockaddr_storage group, source; /* without ports */
    unsigned interface;
    int port, hops;
    char group_text[GROUP_ADDRESS_MAX + 1], source_text[GROUP_ADDRESS_MAX + 1];
};

struct rtsp_group {
    struct list in_door;
    struct rtsp_door *door;
    struct group_plan plan;
    struct stream *stream; /* of the viewer's feed */
    struct viewer *viewer;
    unsigned members;
    bool sending;
};

/* The address of pictures as set, or "" where there is no multicast. */
void group_address(const struct rtsp_door *d, char ret[GROUP_ADDRESS_MAX + 1]);
/* By the parameters, or of the group that sends the stream already. */
int group_plan(struct rtsp_conn *c, struct stream *s, struct group_plan *ret, struct fault *why);
/* Makes a track of the session a member of the stream's group. The feed is taken, also on
 * failure. */
int group_join(struct rtsp_session *s, struct rtsp_track *t, struct feed *take_feed,
               const struct viewer_desc *desc, struct fault *why);
void group_leave(struct rtsp_track *t, bool bye);
/* For a member that plays from now on. -EPIPE: the stream has ended. */
int group_play(struct rtsp_group *g);
/* After one has stopped: nothing is sent when none plays. */
void group_rest(struct rtsp_group *g);

#endif
