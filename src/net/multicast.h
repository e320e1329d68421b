/* Groups of IP multicast: which addresses a camera may send to, and sockets that do
 * (RFC 5771, 2365, 4607; IPv6: 4291, 3307). Any thread. */
#ifndef NET_MULTICAST_H
#define NET_MULTICAST_H

#include <stdbool.h>
#include <sys/socket.h>

struct fault;

/* "239.192.1.2", "ff15::1234" (port 0). -EINVAL: no group, or one that protocols and
 * registries have for themselves; why->name is `name`. */
int multicast_parse(const char *text, const char *name, struct sockaddr_storage *ret,
                    struct fault *why);
/* 232/8, ff3x::/96: receivers must name the sender. */
bool multicast_wants_source(const struct sockaddr_storage *group);
socklen_t multicast_len(const struct sockaddr_storage *address);

/* The interface that has the address `at` (IPv4 may be mapped into IPv6): its index, and its
 * address of the family AF_INET or AF_INET6 (`at` itself where that fits; port 0). */
int multicast_interface(const struct sockaddr_storage *at, int family, unsigned *ret_index,
                        struct sockaddr_storage *ret_address, struct fault *why);
/* A bound datagram socket sends to groups from now on through that interface, over so many
 * hops, also to receivers on this machine. */
int multicast_sends(int fd, int family, unsigned interface, int hops, struct fault *why);

#endif
