/* Where multicast goes: parameters Network.RTP.R0.*, one group of rows a view. Loop-bound. */
#ifndef API_RTSP_SETTINGS_H
#define API_RTSP_SETTINGS_H

struct room_desc;

#define GROUP_ADDRESS_MAX 45 /* of text */

struct rtp_settings {
    int groups;
    char video_address[GROUP_ADDRESS_MAX + 1];
    int video_port; /* of RTP, RTCP is the next; 0: chosen */
    int hops;
};
extern const struct room_desc rtp_room_desc;

/* Before conf_add_room(): cameras of one network begin with groups of their own, which the
 * serial number (a MAC address) tells. */
void rtp_settings_standard(const char *serial);

#endif
