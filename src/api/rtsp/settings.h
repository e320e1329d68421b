/* Where multicast goes: parameters Network.RTP.R0.*, one group of rows a view. Loop-bound. */
#ifndef API_RTSP_SETTINGS_H
#define API_RTSP_SETTINGS_H

struct room_desc;

#define GROUP_ADDRESS_MAX 45 /* of text */

struct rtp_settings {
    int groups;
    char video_address[GROUP_ADDRESS_MAX + 1], audio_address[GROUP_ADDRESS_MAX + 1];
    int video_port, audio_port; /* of RTP, RTCP is the next; 0: chosen */
    int hops;
};
extern const struct room_desc rtp_room_desc;
#define RTP_VIDEO_ADDRESS "Network.RTP.R0.VideoAddress"
#define RTP_VIDEO_PORT "Network.RTP.R0.VideoPort"
#define RTP_AUDIO_ADDRESS "Network.RTP.R0.AudioAddress"
#define RTP_AUDIO_PORT "Network.RTP.R0.AudioPort"

/* Before conf_add_room(): cameras of one network begin with groups of their own, which the
 * serial number (a MAC address) tells. */
void rtp_settings_standard(const char *serial);

#endif
