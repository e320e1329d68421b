/* The Transport header of SETUP (RFC 2326 12.39): what a client asks for. Pure. */
#ifndef API_RTSP_TRANSPORT_H
#define API_RTSP_TRANSPORT_H

#include <stdbool.h>

struct transport {
    bool tcp, multicast;
    bool savp;               /* asked for as RTP/SAVP */
    bool srtp;               /* media is encrypted; set by SETUP */
    int channel;             /* interleaved: of RTP, RTCP is the next; 0 when not asked for */
    int rtp_port, rtcp_port; /* UDP: the client's */
};

/* What can be served. */
struct transport_offer {
    bool unicast, udp; /* unicast over TCP, over UDP */
    bool srtp;         /* media is encrypted: RTP/SAVP, too */
    const char *peer;  /* its address, the only destination of unicast */
    const char *group; /* the only one of multicast; NULL: no multicast */
};
/* Picks the first alternative that can be served: RTP/AVP (and RTP/SAVP) over TCP or UDP.
 * Addresses, ports and TTL of multicast are ours, whatever ports the client names. 0, or the
 * status: 400 (no header), 461. */
int transport_pick(const char *header, const struct transport_offer *offer, struct transport *ret);

#endif
