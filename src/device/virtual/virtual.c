/* The virtual camera as a set of ports: a world seen through head, lens and sensor. */
#include "device/virtual/virtual.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "device/virtual/camera/head.h"
#include "device/virtual/camera/lamp.h"
#include "device/virtual/camera/led.h"
#include "device/virtual/camera/lens.h"
#include "device/virtual/camera/sensor.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/cast/library.h"
#include "device/virtual/kernels.h"
#include "device/virtual/place/tiles.h"
#include "device/virtual/raster/models.h"
#include "device/virtual/sound/mic.h"
#include "device/virtual/sound/speaker.h"
#include "device/virtual/stage/body.h"
#include "device/virtual/stage/stage.h"
#include "device/virtual/world.h"

#define CUES 32                          /* taken at once */
#define CUES_AHEAD_NS (2 * NSEC_PER_SEC) /* the stage gets them so long before their time */

/* The device, and what is mapped for it. */
struct virtual_device {
    struct device device;
    struct tiles *tiles;
    struct models *models;
    struct mic *mic; /* also when the device has another */
    struct speaker *speaker;
};

static struct virtual_device *of(struct device *d)
{
    return (struct virtual_device *)((char *)d - offsetof(struct virtual_device, device));
}

static void virtual_close(struct device *d)
{
    if (!d)
        return;
    virtual_mic_free(of(d)->mic);
    virtual_speaker_free(of(d)->speaker);
    virtual_sensor_free(d->sensor);
    virtual_head_free(d->head);
    virtual_lens_free(d->lens);
    world_free(d->world);
    virtual_lamp_free(d->infrared);
    virtual_led_free(d->led);
    virtual_body_free(d->body);
    stage_free(d->stage);
    cast_free(d->cast);
    library_free(d->library);
    models_close(of(d)->models);
    tiles_close(of(d)->tiles);
    free(of(d));
}

/* What the scenario tells the stage. */
static int64_t run_cues(struct device *d, int64_t now_ns)
{
    struct cast_cue cue[CUES];
    size_t n;
    do {
        n = cast_take_cues(d->cast, now_ns + CUES_AHEAD_NS, cue, CUES);
        for (size_t i = 0; i < n; i++) {
            struct fault why = {0};
            if (stage_command_text(d->stage, cue[i].at_ns, cue[i].text, &why))
                log_warn("cast", "the scenario's \"%s\": %s", cue[i].text, why.text);
        }
    } while (n == CUES);
    int64_t next = cast_next_cue(d->cast, now_ns + CUES_AHEAD_NS);
    return next == INT64_MAX ? TIME_NEVER : next - CUES_AHEAD_NS;
}

static int64_t virtual_run(struct device *d, int64_t now_ns)
{
    int64_t cues = run_cues(d, now_ns), body = virtual_body_run(d->body, now_ns);
    return cues < body ? cues : body;
}

static void play_default(struct device *d, const char *place)
{
    struct fault why = {0};
    const char *name = strcmp(place, "hall") == 0 ? "hall-day" : "default";
    const struct scenario_text *t = library_find(d->library, name);
    if (t && cast_load(d->cast, 0, t->text, t->len, &why))
        log_warn("cast", "default scenario: %s", why.text);
    run_cues(d, 0);
}

#define PLACE_NAME 24
#define PLACE_STANDARD "street"

struct mode {
    char place[PLACE_NAME];
    int width, height;
    double fps;
    bool fixed; /* it was asked for: no other is offered */
};

/* "WIDTHxHEIGHT" or "WIDTHxHEIGHT@FPS". */
static int parse_size(char *text, struct mode *m)
{
    char *x = strchr(text, 'x'), *at;
    int64_t width, height;
    if (!x)
        return -1;
    *x++ = 0;
    if ((at = strchr(x, '@')))
        *at++ = 0;
    if (text_int(text, 160, 3840, &width) < 0 || text_int(x, 90, 2160, &height) < 0 ||
        (at && text_double(at, 1, 60, &m->fps) < 0) || width % 2 || height % 2)
        return -1;
    m->width = (int)width;
    m->height = (int)height;
    m->fixed = true;
    return 0;
}

static bool is_name(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return n > 0 && n < PLACE_NAME && !text[n] && text[0] >= 'a' && text[0] <= 'z';
}

/* "PLACE", a size, or "PLACE,SIZE"; what is left out: street, 1920x1080@30. */
static int parse_mode(const char *rest, struct mode *ret)
{
    char text[64];
    *ret = (struct mode){.place = PLACE_STANDARD, .width = 1920, .height = 1080, .fps = 30};
    if (!rest || !*rest)
        return 0;
    if (!text_copy(text, sizeof(text), rest))
        return -1;
    char *size = text, *comma = strchr(text, ',');
    if (comma || (text[0] >= 'a' && text[0] <= 'z')) {
        if (comma)
            *comma = 0;
        if (!is_name(text))
            return -1;
        memcpy(ret->place, text, strlen(text) + 1);
        size = comma ? comma + 1 : NULL;
    }
    return size ? parse_size(size, ret) : 0;
}

static struct device *virtual_open(const char *rest, uint64_t seed, struct clock *clock,
                                   struct events *events, struct fault *why)
{
    struct mode m;
    if (parse_mode(rest, &m) < 0) {
        fault_set(why, FAULT_INVALID, "source",
                  "virtual takes a place, a picture size or both, such as virtual:hall or "
                  "virtual:street,1920x1080@30 (160x90 to 3840x2160, even; 1 to 60 pictures a "
                  "second)");
        return NULL;
    }
    struct virtual_device *v = calloc(1, sizeof(*v));
    if (!v) {
        fault_set(why, FAULT_INTERNAL, NULL, "not enough memory for the virtual camera");
        return NULL;
    }
    struct device *d = &v->device;
    d->close = virtual_close;
    d->run = virtual_run;
    if (!(v->tiles = tiles_find(m.place, why)) || !(v->models = models_find(why))) {
        virtual_close(d);
        return NULL;
    }
    d->stage = stage_new(seed);
    d->body = d->stage ? virtual_body_new(d->stage, clock, events) : NULL;
    d->io = virtual_body_io(d->body);
    d->cast = cast_new(seed);
    d->library = library_new();
    if (d->stage && d->cast && d->library)
        play_default(d, m.place);
    d->infrared = virtual_lamp_new(clock);
    d->led = virtual_led_new();
    const struct world_parts parts = {v->tiles, v->models, d->stage, d->cast, d->infrared};
    if (d->stage && d->cast)
        d->world = world_new(&parts, seed);
    d->head = virtual_head_new(clock);
    d->lens = virtual_lens_new(clock);
    if (d->head && d->lens) {
        virtual_head_carry(d->head, d->lens);
        virtual_lens_mount(d->lens, d->head);
    }
    const struct tiles_head *place = v->tiles->head;
    const struct virtual_ears ears = {d->cast, d->stage, d->head,
                                      vec(place->eye[0], place->eye[1], place->eye[2]),
                                      place->front > 0};
    d->mic = v->mic = d->cast && d->stage && d->head ? virtual_mic_new(&ears, seed) : NULL;
    d->speaker = v->speaker = virtual_speaker_new();
    if (d->mic && d->speaker && d->body && d->world && d->head && d->lens && d->infrared &&
        d->led && d->library)
        d->sensor =
            virtual_sensor_new(d->world, d->head, d->lens, clock, seed, m.width, m.height, m.fps);
    if (d->sensor && !m.fixed)
        virtual_sensor_offer_modes(d->sensor);
    if (d->sensor) {
        log_info("virtual", "inner loops: %s", kernels_best()->name);
        return d;
    }
    virtual_close(d);
    fault_set(why, FAULT_INTERNAL, NULL, "not enough memory for the virtual camera");
    return NULL;
}

const struct device_backend virtual_backend = {.scheme = "virtual", .open = virtual_open};
