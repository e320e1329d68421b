#include "back.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "deliver/rtp_in.h"
#include "door.h"
#include "net/udp.h"
#include "sound/mouth.h"

#define PACKETS_A_TURN 16

struct rtsp_back {
    struct rtsp_session *session;
    struct talk *talk;
    struct rtp_order order;
    struct loop_fd rtp, rtcp; /* fd -1: over TCP */
    bool told;                /* that it was not let speak */
};

static const struct {
    uint8_t type;
    struct sound_code code;
} types[] = {
    {0, {.codec = CODEC_PCMU, .rate_hz = 8000, .channels = 1}},
    {8, {.codec = CODEC_PCMA, .rate_hz = 8000, .channels = 1}},
    {BACK_PT_AAC,
     {.codec = CODEC_AAC,
      .rate_hz = 16000,
      .channels = 1,
      .config = {0x14, 0x08},
      .config_len = 2}},
    {BACK_PT_OPUS, {.codec = CODEC_OPUS, .rate_hz = 48000, .channels = 1}},
    {BACK_PT_G726, {.codec = CODEC_G726, .rate_hz = 8000, .channels = 1, .bitrate = 32000}},
};

struct rtsp_back *rtsp_back_new(struct rtsp_session *s)
{
    struct rtsp_back *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->session = s;
    b->rtp.fd = b->rtcp.fd = -1;
    return b;
}

static void close_socket(struct loop_fd *w)
{
    if (w->fd < 0)
        return;
    loop_unwatch(w);
    close(w->fd);
    w->fd = -1;
}

struct rtsp_back *rtsp_back_free(struct rtsp_back *b)
{
    if (!b)
        return NULL;
    close_socket(&b->rtp);
    close_socket(&b->rtcp);
    talk_end(b->talk);
    free(b);
    return NULL;
}

/* ---- what comes ---- */

static void on_lost(struct talk *t, void *arg)
{
    struct rtsp_back *b = arg;
    b->talk = talk_end(t);
}

static void say(void *arg, const uint8_t *bytes, size_t len)
{
    talk_say(arg, bytes, len);
}

static bool may_speak(struct rtsp_back *b)
{
    struct fault why = {0};
    const struct rtsp_session *s = b->session;
    if (b->talk || !mouth_talk(s->door->cam->mouth, s->user, on_lost, b, &b->talk, &why)) {
        b->told = false;
        return true;
    }
    if (!b->told)
        log_info("rtsp", "%s of %s is not heard: %s", *s->user ? s->user : "a viewer", s->peer,
                 why.text);
    b->told = true;
    return false;
}

static void in_order(void *arg, const struct rtp_in *p)
{
    struct rtsp_back *b = arg;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (types[i].type != p->type || !p->len || !may_speak(b))
            continue;
        talk_code(b->talk, &types[i].code);
        if (types[i].code.codec == CODEC_AAC)
            rtp_in_aac(p->payload, p->len, say, b->talk);
        else
            talk_say(b->talk, p->payload, p->len);
    }
}

void rtsp_back_hear(struct rtsp_back *b, const uint8_t *bytes, size_t len)
{
    if (b->session->playing)
        rtp_order_put(&b->order, bytes, len, in_order, b);
}

/* ---- over UDP ---- */

static bool from_client(const struct rtsp_back *b, const struct sockaddr_storage *from)
{
    char text[64];
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
    const struct sockaddr_in *four = (const struct sockaddr_in *)from;
    bool is_six = from->ss_family == AF_INET6;
    const void *address = is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr;
    if (is_six && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        address = six->sin6_addr.s6_addr + 12;
        is_six = false;
    }
    return inet_ntop(is_six ? AF_INET6 : AF_INET, address, text, sizeof(text)) &&
           !strcmp(text, b->session->peer);
}

static void take_datagrams(struct rtsp_back *b, int fd, bool sound)
{
    for (int i = 0; i < PACKETS_A_TURN; i++) { /* a flood waits */
        uint8_t bytes[2048];
        struct sockaddr_storage from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t n =
            recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        if (n < 0)
            return;
        if (!from_client(b, &from))
            continue;
        rtsp_session_alive(b->session);
        if (sound)
            rtsp_back_hear(b, bytes, (size_t)n);
    }
}

static void rtp_ready(struct loop_fd *w, uint32_t events)
{
    take_datagrams(container_of(w, struct rtsp_back, rtp), w->fd, true);
}

static void rtcp_ready(struct loop_fd *w, uint32_t events)
{
    take_datagrams(container_of(w, struct rtsp_back, rtcp), w->fd, false);
}

int rtsp_back_listen(struct rtsp_back *b, const struct sockaddr_storage *local, socklen_t len,
                     int *ret_port, struct fault *why)
{
    int fds[2];
    struct loop *loop = b->session->door->cam->loop;
    int err = udp_pair((const struct sockaddr *)local, len, UDP_PORT_FIRST, UDP_PORT_LAST, fds,
                       ret_port, why);
    if (err < 0)
        return err;
    b->rtp = (struct loop_fd){
        .fd = fds[0], .events = EPOLLIN, .name = "back channel", .ready = rtp_ready};
    b->rtcp = (struct loop_fd){
        .fd = fds[1], .events = EPOLLIN, .name = "back channel rtcp", .ready = rtcp_ready};
    if (loop_watch(loop, &b->rtp) < 0 || loop_watch(loop, &b->rtcp) < 0)
        return fault_set(why, FAULT_INTERNAL, NULL, "no room in the loop");
    return 0;
}
