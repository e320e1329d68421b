/* The Transport header of SETUP (RFC 2326 12.39): what a client asks for. Pure. */
#ifndef API_RTSP_TRANSPORT_H
#define API_RTSP_TRANSPORT_H

#include <stdbool.h>

struct transport {
    bool tcp;
    int channel;             /* interleaved: of RTP, RTCP is the next; 0 when not asked for */
    int rtp_port, rtcp_port; /* UDP: the client's */
};

/* Picks the first alternative that can be served: unicast RTP/AVP over TCP, or over UDP
 * (when udp is allowed) to the peer itself. `peer`: its address, the only destination.
 * 0, or the status: 400 (no header), 461. */
int transport_pick(const char *header, bool udp, const char *peer, struct transport *ret);

#endif
