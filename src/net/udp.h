/* RTP's sockets: an even/odd UDP pair, and trains of packets sent with
 * UDP_SEGMENT where the kernel has it. Owner thread. */
#ifndef NET_UDP_H
#define NET_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct fault;

/* Non-blocking pair bound to local_addr, port even and port+1, within
 * [first, last]; tries upwards from a rotating start. */
int udp_pair(const struct sockaddr *local_addr, socklen_t len, int first, int last, int ret_fds[2],
             int *ret_port, struct fault *why);

/* Sends `n` equal packets of `segment` bytes (the last may be shorter) that lie
 * one after another, in trains of up to 64 KB. Returns packets sent (maybe fewer
 * on -EAGAIN) or negative errno. */
int udp_send_train(int fd, const struct sockaddr *to, socklen_t to_len, const uint8_t *bytes,
                   size_t len, size_t segment);

/* Packets that one UDP_SEGMENT send carries: all of one size, the last may be shorter. */
struct udp_train {
    const uint8_t *bytes;
    uint32_t len;
    uint16_t segment, packets;
};
/* Sends the first of n trains (at least 1) on a connected socket, and with the same system call as
 * many of the others as go. Returns how many trains went, or negative errno. */
int udp_send_trains(int fd, const struct udp_train *t, unsigned n);

#endif
