#include "device/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "device/alsa/alsa.h"
#include "device/file/file.h"
#include "device/head/driven.h"
#include "device/rtsp/rtsp.h"
#include "device/v4l2/v4l2.h"
#include "device/virtual/stage/faults.h"
#include "device/virtual/virtual.h"

/* One line a backend. */
const struct device_backend *const device_table[] = {
    &virtual_backend, &file_backend, &rtsp_backend,  &rtsps_backend,
    &http_backend,    &v4l2_backend, &https_backend, NULL,
};

#define SPEC_MAX 2048

/* "@FILE": what stands in its first line, so that no list of processes shows a password. */
static const char *read_spec(const char *spec, const char *what, char buffer[SPEC_MAX],
                             struct fault *why)
{
    if (*spec != '@')
        return spec;
    FILE *f = fopen(spec + 1, "re");
    size_t n = f ? fread(buffer, 1, SPEC_MAX - 1, f) : 0;
    if (f)
        fclose(f);
    buffer[n] = 0;
    buffer[strcspn(buffer, "\r\n")] = 0;
    if (*buffer && n < SPEC_MAX - 1)
        return buffer;
    fault_set(why, FAULT_INVALID, what, "%.128s cannot be read, or its first line is no SPEC",
              spec + 1);
    return NULL;
}

struct device *device_open(const char *spec, uint64_t seed, struct clock *clock,
                           struct events *events, struct fault *why)
{
    char buffer[SPEC_MAX];
    if (!(spec = read_spec(spec, "source", buffer, why)))
        return NULL;
    size_t len = strcspn(spec, ":");
    for (int i = 0; device_table[i]; i++) {
        const struct device_backend *b = device_table[i];
        if (strlen(b->scheme) != len || strncmp(b->scheme, spec, len))
            continue;
        const char *rest = spec[len] ? spec + len + 1 : "";
        struct device *d = b->open(b->whole ? spec : rest, seed, clock, events, why);
        return d && d->world ? faults_wrap(d, clock, seed) : d; /* what is real is not broken */
    }
    fault_set(why, FAULT_UNKNOWN, "source",
              "there is no source \"%.*s\"; it is virtual, file:PATH, v4l2:/dev/videoN, or "
              "rtsp://, rtsps://, http:// or https:// of another camera",
              (int)(len < 32 ? len : 32), spec);
    return NULL;
}

int device_use_head(struct device *d, const char *spec, struct clock *clock, struct fault *why)
{
    char buffer[SPEC_MAX];
    if (!d->set_head)
        return fault_set(why, FAULT_CONFLICT, "head",
                         "this source has a head of its own: leave --head out");
    if (!(spec = read_spec(spec, "head", buffer, why)))
        return -EINVAL;
    if (!strcmp(spec, "digital"))
        return 0; /* as it is */
    if (!strcmp(spec, "none")) {
        d->set_head(d, NULL);
        return 0;
    }
    d->driven = driven_head_open(spec, clock, why);
    if (!d->driven)
        return -EIO;
    d->set_head(d, driven_head_port(d->driven));
    return 0;
}

int device_use_audio(struct device *d, const char *spec, struct clock *clock, struct fault *why)
{
    char buffer[SPEC_MAX];
    if (!(spec = read_spec(spec, "audio", buffer, why)))
        return -EINVAL;
    d->heard_in_pictures = false;
    d->mic = NULL;
    d->speaker = NULL;
    if (!strcmp(spec, "none"))
        return 0;
    if (strncmp(spec, "alsa:", 5) != 0)
        return fault_set(why, FAULT_UNKNOWN, "audio", "\"%.64s\" is neither none nor alsa:NAME",
                         spec);
    d->alsa = alsa_open(spec + 5, clock, why);
    if (!d->alsa)
        return -EIO;
    d->mic = alsa_mic(d->alsa);
    d->speaker = alsa_speaker(d->alsa);
    return 0;
}

struct device *device_close(struct device *d)
{
    if (!d)
        return NULL;
    struct driven_head *driven = d->driven;
    alsa_close(d->alsa);
    d->close(d);
    driven_head_free(driven);
    return NULL;
}
