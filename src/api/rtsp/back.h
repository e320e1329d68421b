/* The back channel of a session (ONVIF streaming specification, "www.onvif.org/ver20/backchannel"):
 * RTP from the client to the loudspeaker. Who sends has the word while nobody else has; who pauses
 * for ReceiverTimeout gives it back and takes it again with the next packet. Loop-bound. */
#ifndef API_RTSP_BACK_H
#define API_RTSP_BACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct fault;
struct rtsp_back;
struct rtsp_session;

#define RTSP_BACKCHANNEL "www.onvif.org/ver20/backchannel"

/* Payload types as described: 0 and 8 are G.711; these are ours. */
#define BACK_PT_AAC 100 /* 16,000 a second, one channel */
#define BACK_PT_OPUS 101
#define BACK_PT_G726 102 /* 32 kbit/s */

struct rtsp_back *rtsp_back_new(struct rtsp_session *s); /* NULL: out of memory */
struct rtsp_back *rtsp_back_free(struct rtsp_back *b);   /* NULL-safe */
/* Hears at ports of its own: at the address where the client came in, from its address only. */
int rtsp_back_listen(struct rtsp_back *b, const struct sockaddr_storage *local, socklen_t len,
                     int *ret_port, struct fault *why);
/* One RTP packet; others than we described are ignored. */
void rtsp_back_hear(struct rtsp_back *b, const uint8_t *bytes, size_t len);

#endif
