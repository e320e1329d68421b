/* The composition root: the one file that knows everybody. It opens what needs
 * privileges, connects the rooms, drops the privileges and runs the loop. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/hls/hls.h"
#include "api/hls/settings.h"
#include "api/request.h"
#include "api/rtsp/rtsp.h"
#include "api/rtsp/settings.h"
#include "api/stage/stage.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_query.h"
#include "api/vapix/vapix.h"
#include "api/web/web.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "base/privilege.h"
#include "base/text.h"
#include "conf/param.h"
#include "deliver/deliver.h"
#include "deliver/rtp.h"
#include "device/device.h"
#include "event/event.h"
#include "image/develop.h"
#include "image/eye.h"
#include "image/mask_settings.h"
#include "image/overlay.h"
#include "image/overlay_pictures.h"
#include "image/settings.h"
#include "image/source.h"
#include "media/capacity.h"
#include "media/pipeline.h"
#include "media/sounds.h"
#include "net/conn.h"
#include "net/handover.h"
#include "net/limits.h"
#include "net/server.h"
#include "open_overlays.h"
#include "open_ptz.h"
#include "options.h"
#include "ptz/ptz.h"
#include "ptz/views.h"
#include "sound/ear.h"
#include "sound/mouth.h"
#include "sound/settings.h"
#include "system/identity.h"
#include "system/limits.h"
#include "system/time.h"
#include "trust/trust.h"

#define STILL_PATIENCE_NS (3 * NSEC_PER_SEC / 2) /* of a snapshot, while the camera focuses */

struct app {
    struct options opt;
    struct camera camera;
    struct file_port *files;
    struct identity_info identity;
    struct masks *masks;
    bool masks_unknown; /* what was saved cannot be read */
    struct gate *gate;
    struct vapix_door *vapix;
    struct rtsp_door *rtsp;
    struct web_door *web;
    struct hls_door *hls;
    struct stage_door *stage;
    struct room *limit_room;
    struct ptz_rooms ptz_rooms;
    struct conf_listener settings;
    struct overlay_news *overlay_news;
    char web_dir[PATH_MAX];
    atomic_bool pictures_wanted, sound_wanted;
};

/* The page lies beside the program in the build folder, else in its prefix: what was
 * installed may be moved as a whole. */
static void find_web(struct app *a)
{
    static const char *const places[] = {"web", "../share/vedette/web"};
    char exe[PATH_MAX - 32];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash)
        slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(a->web_dir, sizeof a->web_dir, "%s%s", exe, places[i]);
        if (!access(a->web_dir, R_OK))
            return;
    }
}

/* Pictures, or sound that comes with them alone. */
static void demand(struct app *a)
{
    source_demand(a->camera.source, a->pictures_wanted || a->sound_wanted);
}

static void on_demand(bool wanted, void *arg)
{
    struct app *a = arg;
    eye_watched(a->camera.eye);
    a->pictures_wanted = wanted;
    demand(a);
}

static bool on_take_sound(struct sound *ret, void *arg)
{
    return ear_take(ret, ((struct app *)arg)->camera.ear);
}

/* The sound thread. */
static void on_sound_demand(bool wanted, void *arg)
{
    struct app *a = arg;
    ear_demand(wanted, a->camera.ear);
    if (a->camera.device->heard_in_pictures) {
        a->sound_wanted = wanted;
        demand(a);
    }
}

static void on_glance(bool wanted, void *arg)
{
    pipeline_keep(((struct app *)arg)->camera.pipeline, wanted);
}

static int on_paint(struct picture *canvas, const struct rendition_key *key,
                    const struct frame_part *part, const struct capture *how,
                    const struct stream_stats *stats, void *arg)
{
    return overlays_paint(canvas, key, part, how, stats, ((struct app *)arg)->camera.overlays);
}

static void on_parts(int64_t start_ns, struct frame_part part[VIEWS_MOST], void *arg)
{
    views_parts(((struct app *)arg)->camera.views, start_ns, part);
}

static unsigned on_paints(const struct rendition_key *key, bool *ret_per_stream, void *arg)
{
    return overlays_paints(key, ret_per_stream, ((struct app *)arg)->camera.overlays);
}

static void apply_limits(struct app *a)
{
    struct camera *c = &a->camera;
    const struct limit_settings *s = room_ref(a->limit_room);
    const struct server_limits connections = {.connections = (unsigned)s->connections,
                                              .per_address = (unsigned)s->per_address,
                                              .unauthenticated = (unsigned)s->unauthenticated};
    const struct pipeline_limits encoders = {
        .effort = (enum effort)s->effort, .encoders = (unsigned)s->encoders, .cores = s->cores};
    server_set_limits(c->server, &connections);
    pipeline_set_limits(c->pipeline, &encoders);
    deliver_set_limits(c->deliver, (unsigned)s->viewers);
    room_unref(s);
}

static void turn(struct app *a)
{
    const struct eye_settings *s = room_ref(a->camera.eye_room);
    ptz_set_turned(a->camera.ptz, s->rotation != 0);
    views_set_turned(a->camera.views, s->rotation != 0);
    pipeline_set_mounting(a->camera.pipeline, s->rotation ? 180 : 0);
    room_unref(s);
}

static double magnification(int zoom, void *arg)
{
    return ptz_zoom_to_magnification(((struct app *)arg)->camera.ptz, zoom);
}

/* From the next shot on, and what was taken before leaves no more: the client who changed the
 * masks is told only after this. */
static void apply_masks(struct app *a)
{
    const struct mask_settings *s = room_ref(a->camera.mask_room);
    struct mask_set *set = malloc(sizeof *set);
    if (set) {
        mask_settings_set(s, magnification, a, set);
        set->everything |= a->masks_unknown;
    }
    const struct mask_set blind = {.everything = true, .colour = {16, 128, 128}};
    pipeline_forget(a->camera.pipeline, masks_set(a->masks, set ? set : &blind));
    source_retake(a->camera.source);
    hls_door_forget(a->hls);
    free(set);
    room_unref(s);
}

static void on_change(struct conf_listener *l, const char *const *names, size_t n)
{
    struct app *a = (struct app *)((char *)l - offsetof(struct app, settings));
    bool painted = false, limited = false, turned = false, masked = false;
    for (size_t i = 0; i < n; i++) {
        masked |= text_glob(MASK_GROUP ".*", names[i]);
        painted |= overlays_heed(names[i]);
        turned |= !strcmp("ImageSource.I0.SourceRotation", names[i]);
        limited |= text_glob("Image.Max*", names[i]) || text_glob("Image.H265.*", names[i]) ||
                   text_glob("Network.Connections.*", names[i]);
    }
    if (masked) {
        a->masks_unknown = false;
        apply_masks(a);
    }
    if (turned)
        turn(a);
    ptz_heed(&a->camera, &a->ptz_rooms, names, n);
    if (painted)
        pipeline_repaint(a->camera.pipeline);
    if (limited) {
        apply_limits(a);
        facts_codecs(&a->camera);
    }
}

static void on_stop_signal(int signo, void *arg)
{
    loop_stop(arg);
}

static int open_rooms(struct app *a, struct fault *why)
{
    struct camera *c = &a->camera;
    struct room *trust_room;
    const struct {
        const struct room_desc *desc;
        struct room **room;
    } rooms[] = {
        {&brand_room_desc, &c->brand_room},     {&time_room_desc, &c->time_room},
        {&image_room_desc, &c->image_room},     {&profile_room_desc, &c->profile_room},
        {&overlay_room_desc, &c->overlay_room}, {&trust_params, &trust_room},
        {&limit_room_desc, &a->limit_room},     {&eye_room_desc, &c->eye_room},
        {&rtp_room_desc, &c->rtp_room},         {&audio_room_desc, &c->audio_room},
        {&mask_room_desc, &c->mask_room},       {&hls_room_desc, &c->hls_room},
        {&views_room_desc, &c->views_room},
    };
    rtp_settings_standard(c->identity->serial);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        int err = conf_add_room(c->conf, rooms[i].desc, rooms[i].room, why);
        if (err)
            return err;
    }
    int err = ptz_add_rooms(c, &a->ptz_rooms, why);
    if (err)
        return err;
    err = conf_load(c->conf, why);
    if (err) { /* never a dead start: the defaults stand */
        log_error("main", "the settings cannot be read, so the defaults hold: %s", why->text);
        log_error("main", "nobody knows which privacy masks there were: everything is covered "
                          "until an administrator sets " MASK_GROUP);
        a->masks_unknown = true;
    }
    mask_settings_strict();
    trust_use_params(c->trust, trust_room);
    return 0;
}

/* What is set of these holds from start to start. */
static void choose_mode(struct camera *c)
{
    const struct eye_settings *s = room_ref(c->eye_room);
    struct sensor *sensor = c->device->sensor;
    struct sensor_caps caps;
    sensor->ops->caps(sensor, &caps);
    double mains_hz = s->mains == MAINS_60HZ ? 60 : 50;
    if (s->capture_mode >= 0 && (unsigned)s->capture_mode < caps.n_modes && sensor->ops->use_mode &&
        sensor->ops->use_mode(sensor, (unsigned)s->capture_mode, mains_hz))
        log_warn("main", "the sensor does not take pictures as CaptureMode %d asks",
                 s->capture_mode);
    room_unref(s);
}

/* Before the rooms: what can be set of it follows from what it can. */
static int open_device(struct app *a, struct fault *why)
{
    struct camera *c = &a->camera;
    c->device = device_open(a->opt.source, a->opt.seed, c->clock, c->events, why);
    if (!c->device || (a->opt.head && device_use_head(c->device, a->opt.head, c->clock, why)) ||
        (a->opt.audio && device_use_audio(c->device, a->opt.audio, c->clock, why)))
        return -EIO;
    return 0;
}

static int open_picture(struct app *a, struct fault *why)
{
    struct camera *c = &a->camera;
    struct sensor_caps caps;
    choose_mode(c);
    c->device->sensor->ops->caps(c->device->sensor, &caps);
    stream_set_rtp_count(rtp_count);

    const struct pipeline_hooks hooks = {
        .demand = on_demand, .paint = on_paint, .paints = on_paints, .parts = on_parts, .arg = a};
    a->masks = masks_new();
    a->overlay_news = open_overlays(c);
    c->views = views_new(c->loop, c->views_room);
    c->source = source_new(c->clock, c->device->sensor, c->events, a->masks, c->eye_room);
    c->pipeline = pipeline_new(c->loop, &hooks, caps.width, caps.height, caps.fps);
    c->ptz = ptz_new(c->loop, c->device->head, c->events, (double)caps.width / caps.height);
    c->ear = ear_new(c->device->mic, c->audio_room);
    const struct sounds_hooks sounds = {.take = on_take_sound, .demand = on_sound_demand, .arg = a};
    c->sounds = c->ear ? sounds_new(c->loop, &sounds) : NULL;
    c->mouth = c->ear ? mouth_new(c->loop, c->device->speaker, c->ear, c->audio_room) : NULL;
    c->deliver = deliver_new(c->loop, 0);
    const struct device *d = c->device;
    const struct eye_ports eye = {d->sensor, d->head, d->lens, d->infrared, d->led, d->body};
    c->eye = eye_new(c->loop, c->clock, c->conf, c->eye_room, c->events, &eye);
    if (!a->masks || !a->overlay_news || !c->views || !c->eye || !c->sounds || !c->mouth ||
        !c->source || !c->pipeline || !c->ptz || !c->deliver)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory at start");
    overlays_learn(a->overlay_news, &caps);
    source_set_pipeline(c->source, c->pipeline);
    source_set_eye(c->source, c->eye);
    eye_on_glance(c->eye, on_glance, a);
    /* Simulated time stands still until it is told to go on: nothing is waited for. */
    pipeline_set_patience(c->pipeline, clock_is_sim(c->clock) ? 0 : STILL_PATIENCE_NS);
    return open_ptz(c, &a->ptz_rooms, a->opt.seed, why);
}

static int listen_all(struct app *a, struct fault *why)
{
    struct camera *c = &a->camera;
    const struct options *o = &a->opt;
    struct tls_server *tls = trust_tls(c->trust);
    const struct {
        const char *option;
        int port, *ret_port;
        struct tls_server *tls;
        bool rtsp;
    } doors[] = {
        {"--http-port", o->http_port, &c->http_port, NULL, false},
        {"--https-port", o->https_port, &c->https_port, tls, false},
        {"--rtsp-port", o->rtsp_port, &c->rtsp_port, NULL, true},
        {"--rtsps-port", o->rtsps_port, &c->rtsps_port, tls, true},
    };
    int err = 0;
    for (size_t i = 0; !err && i < sizeof doors / sizeof *doors; i++) {
        err = doors[i].rtsp ? server_listen_raw(c->server, o->bind, doors[i].port, doors[i].tls,
                                                rtsp_door_accept, a->rtsp, doors[i].ret_port, why)
                            : server_listen(c->server, o->bind, doors[i].port, doors[i].tls,
                                            doors[i].ret_port, why);
        if (err && (why->kind == FAULT_CONFLICT || why->kind == FAULT_DENIED))
            text_copy(why->name, sizeof why->name, doors[i].option); /* what to change */
    }
    return err;
}

static int open_doors(struct app *a, struct fault *why)
{
    struct camera *c = &a->camera;
    const struct server_limits at_first = {.connections = LIMIT_CONNECTIONS,
                                           .per_address = LIMIT_CONNECTIONS_PER_ADDRESS,
                                           .unauthenticated = LIMIT_CONNECTIONS_UNAUTHENTICATED};
    a->gate = gate_new(c);
    struct server_hooks hooks = gate_hooks;
    hooks.arg = a->gate;
    c->server = a->gate ? server_new(c->loop, &hooks, &at_first) : NULL;
    if (!c->server)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory at start");
    a->vapix = vapix_door_new(c, a->gate);
    a->rtsp = rtsp_door_new(c, a->gate);
    a->web = web_door_new(c, a->gate);
    a->hls = hls_door_new(c, a->gate);
    a->stage = c->device->world ? stage_door_new(c, a->gate) : NULL;
    if (!a->vapix || !a->rtsp || !a->web || !a->hls || (c->device->world && !a->stage))
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory at start");
    apply_limits(a);
    a->settings.changed = on_change;
    turn(a);
    apply_masks(a);
    conf_listen(c->conf, &a->settings);
    return listen_all(a, why);
}

/* Tells scripts that the camera serves (the run contract). */
static int write_ready(struct app *a, struct fault *why)
{
    const struct camera *c = &a->camera;
    BUF(text, 512);
    buf_addf(&text, "{\"http\":%d,\"https\":%d,\"rtsp\":%d,\"rtsps\":%d,\"pid\":%ld}\n",
             c->http_port, c->https_port, c->rtsp_port, c->rtsps_port, (long)getpid());
    struct file *f = NULL;
    int err = file_open(a->files, "run/ready.tmp", O_WRONLY | O_CREAT | O_TRUNC, &f);
    if (!err)
        err = file_write(f, text.data, text.len, 0);
    file_close(f);
    if (!err)
        err = file_rename(a->files, "run/ready.tmp", "run/ready.json");
    return err ? fault_set(why, FAULT_IO, "run/ready.json", "cannot be written: %s", strerror(-err))
               : 0;
}

static void print_addresses(const struct app *a)
{
    const struct camera *c = &a->camera;
    bool any = !strcmp(a->opt.bind, "::") || !strcmp(a->opt.bind, "0.0.0.0");
    char text[INET6_ADDRSTRLEN];
    printf("Vedette %s is ready.\n", VEDETTE_VERSION);
    struct ifaddrs *all = NULL;
    if (any && !getifaddrs(&all)) {
        for (struct ifaddrs *i = all; i; i = i->ifa_next) {
            if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP))
                continue;
            const struct sockaddr_in *in = (const void *)i->ifa_addr;
            inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
            printf("  http://%s:%d/  https://%s:%d/  rtsp://%s:%d/axis-media/media.amp\n", text,
                   c->http_port, text, c->https_port, text, c->rtsp_port);
        }
        freeifaddrs(all);
    } else {
        const char *open = strchr(a->opt.bind, ':') ? "[" : "", *close = *open ? "]" : "";
        printf("  http://%s%s%s:%d/  https://%s%s%s:%d/  rtsp://%s%s%s:%d/axis-media/media.amp\n",
               open, a->opt.bind, close, c->http_port, open, a->opt.bind, close, c->https_port,
               open, a->opt.bind, close, c->rtsp_port);
    }
    fflush(stdout);
}

static int start(struct app *a, struct fault *why)
{
    struct camera *c = &a->camera;
    char state[PATH_MAX], agent[PATH_MAX];
    int err = a->opt.state ? 0 : options_default_state(state, sizeof state);
    if (err)
        return fault_set(why, FAULT_IO, "--state", "no folder for the state: %s", strerror(-err));
    a->files = file_port_open(a->opt.state ? a->opt.state : state, &err);
    if (!a->files)
        return fault_set(why, FAULT_IO, "--state", "cannot use %s: %s",
                         a->opt.state ? a->opt.state : state, strerror(-err));
    c->files = a->files;
    if ((err = file_mkdir(a->files, "run")))
        return fault_set(why, FAULT_IO, "--state", "cannot write there: %s", strerror(-err));
    file_remove(a->files, "run/ready.json");

    c->clock = a->opt.simulated ? clock_new_sim() : clock_new_real();
    log_init(c->clock, a->opt.verbose ? LOG_DEBUG_LEVEL : LOG_INFO_LEVEL);
    c->loop = c->clock ? loop_new(c->clock, "control") : NULL;
    if (c->loop) { /* before any other thread starts: it inherits the blocked signals */
        struct sigaction hangup;
        loop_on_signal(c->loop, SIGTERM, on_stop_signal, c->loop);
        loop_on_signal(c->loop, SIGINT, on_stop_signal, c->loop);
        /* under nohup a closed terminal is no reason to end */
        if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
            loop_on_signal(c->loop, SIGHUP, on_stop_signal, c->loop);
    }
    c->jobs = c->loop ? jobs_new(c->loop, 2) : NULL;
    c->events = c->loop ? events_new(c->loop) : NULL;
    c->conf = c->jobs ? conf_new(c->loop, c->jobs, a->files) : NULL;
    if (!c->jobs || !c->events || !c->conf)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory at start");
    c->started_utc_ns = clock_utc(c->clock);
    find_web(a);
    c->web_dir = a->web_dir;
    c->identity = &a->identity;

    capacity_keep(a->files);
    if ((err = identity_load(a->files, a->opt.seeded, a->opt.seed, &a->identity, why)))
        return err;
    if ((err = trust_agent_path(agent, sizeof agent)))
        return fault_set(why, FAULT_IO, "vedette-agent", "the key agent is missing: %s",
                         strerror(-err));
    if (!(c->trust = trust_new(c->loop, c->jobs, a->files, a->identity.serial, agent, why)))
        return -EIO;
    if ((err = open_device(a, why)) || (err = open_rooms(a, why)) || (err = open_picture(a, why)) ||
        (err = open_doors(a, why)))
        return err;
    int state_fd = file_port_dirfd(a->files);
    if ((err = privilege_drop(&state_fd, 1, why)))
        return err;
    return write_ready(a, why);
}

/* In the reverse order of start(), but for the jobs, whose last answers are still
 * wanted; copes with a half-made camera. */
static void stop(struct app *a)
{
    struct camera *c = &a->camera;
    if (a->files)
        file_remove(a->files, "run/ready.json");
    c->jobs = jobs_free(c->jobs);
    if (a->settings.changed)
        conf_unlisten(c->conf, &a->settings);
    server_free(c->server);
    stage_door_free(a->stage);
    web_door_free(a->web);
    hls_door_free(a->hls);
    rtsp_door_free(a->rtsp);
    vapix_door_free(a->vapix);
    gate_free(a->gate);
    close_ptz(c);
    deliver_free(c->deliver);
    sounds_free(c->sounds); /* its thread asks the source for pictures */
    source_free(c->source);
    eye_free(c->eye);
    pipeline_free(c->pipeline);
    mouth_free(c->mouth);
    ear_free(c->ear);
    ptz_free(c->ptz);
    views_free(c->views);
    close_overlays(c, a->overlay_news);
    masks_free(a->masks);
    device_close(c->device);
    trust_free(c->trust);
    conf_free(c->conf);
    events_free(c->events);
    loop_free(c->loop);
    conns_done();
    log_init(NULL, LOG_INFO_LEVEL);
    clock_free(c->clock);
    file_port_free(a->files);
}

int main(int argc, char **argv)
{
    static struct app app;
    int err = options_parse(argc, argv, &app.opt);
    if (err)
        return err > 0 ? 0 : 2;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* `ulimit -f`: the write says so */
    umask(077);
    handover_find();
    privilege_raise_files();
    memory_set_up();

    struct fault why = {0};
    err = start(&app, &why);
    if (err) {
        fprintf(stderr, "vedetted: %s%s%s\n", why.name, *why.name ? ": " : "",
                *why.text ? why.text : strerror(-err));
        stop(&app);
        return 1;
    }
    print_addresses(&app);
    err = loop_run(app.camera.loop);
    if (!err && app.camera.restart)
        server_hand_over(app.camera.server);
    stop(&app);
    if (!err && app.camera.restart) { /* the same process: whoever watches it need not know */
        execv("/proc/self/exe", argv);
        fprintf(stderr, "vedetted: cannot start anew: %s\n", strerror(errno));
        return 1;
    }
    return err ? 1 : 0;
}
