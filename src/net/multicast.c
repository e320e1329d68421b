#include "net/multicast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fault.h"

/* IPv4: blocks that are not for a camera, most of them since others listen there. */
static const struct {
    uint32_t first, last;
    const char *why;
} reserved[] = {
    {0xe0000000, 0xe00000ff, "224.0.0.0/24 is for routing protocols and never leaves a network"},
    {0xe0000100, 0xe00001ff, "224.0.1.0/24 is for protocols as NTP and PTP"},
    {0xe8000000, 0xe80000ff, "232.0.0.0/24 is reserved"},
    {0xefffff00, 0xefffffff, "239.255.255.0/24 is for protocols as SSDP and WS-Discovery"},
};

static int check_ip4(uint32_t a, const char *text, const char *name, struct fault *why)
{
    if (a >> 28 != 0xe)
        return fault_set(why, FAULT_INVALID, name,
                         "%s is no multicast address; take one from 239.192.0.0 to 239.195.255.255",
                         text);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (a >= reserved[i].first && a <= reserved[i].last)
            return fault_set(why, FAULT_INVALID, name,
                             "%s; take one from 239.192.0.0 to 239.195.255.255", reserved[i].why);
    }
    return 0;
}

static bool is_ip6_ssm(const struct in6_addr *a)
{
    static const uint8_t none[10];
    return a->s6_addr[0] == 0xff && a->s6_addr[1] >> 4 == 3 && !memcmp(a->s6_addr + 2, none, 10);
}

static int check_ip6(const struct in6_addr *a, const char *text, const char *name,
                     struct fault *why)
{
    unsigned flags = a->s6_addr[1] >> 4, scope = a->s6_addr[1] & 15;
    if (a->s6_addr[0] != 0xff)
        return fault_set(why, FAULT_INVALID, name,
                         "%s is no multicast address; take one as ff15::1", text);
    if (flags & 8)
        return fault_set(why, FAULT_INVALID, name, "%s has a reserved flag; take one as ff15::1",
                         text);
    if (!(flags & 1))
        return fault_set(why, FAULT_INVALID, name,
                         "%s is of those that are assigned to protocols; take one as ff15::1",
                         text);
    if (scope == 0 || scope == 15)
        return fault_set(why, FAULT_INVALID, name, "%s has a reserved scope; take one as ff15::1",
                         text);
    if (is_ip6_ssm(a) && !(a->s6_addr[12] & 0x80))
        return fault_set(why, FAULT_INVALID, name,
                         "%s is reserved; take one from ff35::8000:0 to ff35::ffff:ffff", text);
    return 0;
}

int multicast_parse(const char *text, const char *name, struct sockaddr_storage *ret,
                    struct fault *why)
{
    struct in_addr four;
    struct in6_addr six;
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &four) == 1) {
        struct sockaddr_in *a = (struct sockaddr_in *)ret;
        a->sin_family = AF_INET;
        a->sin_addr = four;
        return check_ip4(ntohl(four.s_addr), text, name, why);
    }
    if (inet_pton(AF_INET6, text, &six) == 1) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)ret;
        a->sin6_family = AF_INET6;
        a->sin6_addr = six;
        return check_ip6(&six, text, name, why);
    }
    return fault_set(why, FAULT_INVALID, name, "must be a multicast address as 239.192.1.2");
}

bool multicast_wants_source(const struct sockaddr_storage *group)
{
    if (group->ss_family == AF_INET6)
        return is_ip6_ssm(&((const struct sockaddr_in6 *)group)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)group)->sin_addr.s_addr) >> 24 == 232;
}

socklen_t multicast_len(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

/* Without port, flow and what IPv6 wraps around IPv4. */
static struct sockaddr_storage bare(const struct sockaddr *a)
{
    struct sockaddr_storage ret = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&ret;
    if (a->sa_family == AF_INET) {
        four->sin_family = AF_INET;
        four->sin_addr = ((const struct sockaddr_in *)a)->sin_addr;
    } else if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
            four->sin_family = AF_INET;
            memcpy(&four->sin_addr, six->sin6_addr.s6_addr + 12, 4);
        } else {
            struct sockaddr_in6 *own = (struct sockaddr_in6 *)&ret;
            own->sin6_family = AF_INET6;
            own->sin6_addr = six->sin6_addr;
            own->sin6_scope_id = six->sin6_scope_id;
        }
    }
    return ret;
}

int multicast_interface(const struct sockaddr_storage *at, int family, unsigned *ret_index,
                        struct sockaddr_storage *ret_address, struct fault *why)
{
    struct ifaddrs *all = NULL;
    struct sockaddr_storage wanted = bare((const struct sockaddr *)at);
    const char *name = NULL;
    if (getifaddrs(&all) < 0)
        return fault_set(why, FAULT_IO, NULL, "no network interfaces: %s", strerror(errno));
    for (const struct ifaddrs *i = all; i && !name; i = i->ifa_next) {
        struct sockaddr_storage have = {0};
        if (i->ifa_addr)
            have = bare(i->ifa_addr);
        if (i->ifa_addr && !memcmp(&have, &wanted, sizeof have))
            name = i->ifa_name;
    }
    *ret_index = name ? if_nametoindex(name) : 0;
    bool found = *ret_index && wanted.ss_family == family;
    if (found)
        *ret_address = wanted;
    for (const struct ifaddrs *i = all; i && *ret_index && !found; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family || strcmp(i->ifa_name, name))
            continue;
        *ret_address = bare(i->ifa_addr);
        found = true;
    }
    freeifaddrs(all);
    if (!*ret_index)
        return fault_set(why, FAULT_IO, NULL, "the address that was called is of no interface");
    if (!found)
        return fault_set(why, FAULT_UNSUPPORTED, NULL,
                         "the network interface has no address of the multicast group's kind, %s",
                         family == AF_INET6 ? "IPv6" : "IPv4");
    return 0;
}

int multicast_sends(int fd, int family, unsigned interface, int hops, struct fault *why)
{
    int on = 1, index = (int)interface;
    struct ip_mreqn way = {.imr_ifindex = index};
    bool six = family == AF_INET6;
    if (setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MULTICAST_IF : IP_MULTICAST_IF,
                   six ? (void *)&index : (void *)&way, six ? sizeof index : sizeof way) < 0 ||
        setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP,
                   six ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL, &hops, sizeof hops) < 0 ||
        setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP,
                   six ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP, &on, sizeof on) < 0)
        return fault_set(why, FAULT_IO, NULL, "no multicast from here: %s", strerror(errno));
    return 0;
}
