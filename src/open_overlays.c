#include "open_overlays.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/camera.h"
#include "base/text.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/overlay.h"
#include "image/overlay_pictures.h"
#include "media/pipeline.h"
#include "ptz/ptz.h"
#include "system/identity.h"
#include "system/time.h"

struct overlay_news {
    struct camera *camera;
    struct body_listener body; /* for the temperature */
};

static long local_time(int64_t utc_ns, char *ret_zone, size_t size, void *arg)
{
    struct camera *c = arg;
    const struct time_settings *t = room_ref(c->time_room);
    long offset = time_local_offset(t->zone, utc_ns);
    time_local_name(t->zone, utc_ns, ret_zone, size);
    room_unref(t);
    return offset;
}

static const char *language(void *arg)
{
    struct camera *c = arg;
    const struct time_settings *t = room_ref(c->time_room);
    const char *code = time_languages[t->language];
    room_unref(t);
    return code;
}

static void on_overlays(void *arg)
{
    struct pipeline *p = ((struct camera *)arg)->pipeline;
    if (p) /* while it starts there is none */
        pipeline_repaint(p);
}

struct overlay_news *open_overlays(struct camera *c)
{
    const struct overlays_hooks hooks = {
        .local_time = local_time, .language = language, .changed = on_overlays, .arg = c};
    char worker[PATH_MAX];
    bool has_worker = !overlay_worker_path(worker, sizeof worker);
    struct overlay_news *n = calloc(1, sizeof *n);
    c->overlay_pictures =
        overlay_pictures_new(c->loop, c->jobs, c->files, has_worker ? worker : NULL);
    c->overlays = overlays_new(c->loop, c->overlay_room, c->overlay_pictures, &hooks);
    if (!n || !c->overlays) {
        free(n);
        return NULL;
    }
    n->camera = c;
    return n;
}

/* The first address that others can reach. */
static void first_address(char *ret, size_t size)
{
    struct ifaddrs *all = NULL;
    text_copy(ret, size, "127.0.0.1");
    if (getifaddrs(&all))
        return;
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
            i->ifa_flags & IFF_LOOPBACK)
            continue;
        const struct sockaddr_in *in = (const void *)i->ifa_addr;
        inet_ntop(AF_INET, &in->sin_addr, ret, (socklen_t)size);
        break;
    }
    freeifaddrs(all);
}

static void on_body(struct body_listener *l, enum body_part part)
{
    struct overlay_news *n =
        (struct overlay_news *)((char *)l - offsetof(struct overlay_news, body));
    struct body *b = n->camera->device->body;
    struct overlay_facts f;
    if (part != BODY_TEMPERATURE)
        return;
    overlays_facts(n->camera->overlays, &f);
    f.temperature_c = b->ops->temperature(b);
    overlays_set_facts(n->camera->overlays, &f);
}

void overlays_learn(struct overlay_news *n, const struct sensor_caps *sensor)
{
    struct camera *c = n->camera;
    struct body *body = c->device->body;
    struct overlay_facts f;
    struct head_caps head;
    struct lens_caps lens = {0};
    ptz_caps(c->ptz, &head);
    if (c->device->lens)
        c->device->lens->ops->caps(c->device->lens, &lens);
    overlays_facts(c->overlays, &f);
    text_copy(f.mac, sizeof f.mac, c->identity->mac);
    snprintf(f.host, sizeof f.host, "vedette-%s", c->identity->serial);
    for (char *at = f.host; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    first_address(f.ip, sizeof f.ip);
    f.most_zoom = head.max_zoom;
    f.sensor_width_mm = c->device->lens ? 5.37 : 0; /* 1/2.8": what the virtual one is made as */
    f.widest_f = lens.widest_f;
    f.narrowest_f = lens.narrowest_f;
    f.most_gain_db = sensor->most_gain_db;
    f.shortest_ns = sensor->shortest_ns;
    f.longest_ns = sensor->longest_ns;
    f.frame_aspect = (double)sensor->width / sensor->height;
    if (body) {
        f.temperature_c = body->ops->temperature(body);
        n->body.changed = on_body;
        body->ops->listen(body, &n->body);
    }
    overlays_set_facts(c->overlays, &f);
}

void close_overlays(struct camera *c, struct overlay_news *n)
{
    if (n && n->body.changed)
        c->device->body->ops->unlisten(c->device->body, &n->body);
    c->overlays = overlays_free(c->overlays);
    overlay_pictures_free(c->overlay_pictures);
    free(n);
}
