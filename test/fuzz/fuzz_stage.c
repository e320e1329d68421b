/* Commands of the stage, one a line: what is taken must hold its promises at any time. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/virtual/stage/stage.h"

#define LINE 160

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void look(struct stage *s, int64_t at_ns)
{
    struct set set;
    struct mess mess;
    struct stage_body body;
    double pan, tilt, roll, g[3];
    stage_at(s, at_ns, &set, &mess);
    must(set.hour >= 0 && set.hour < 24 + 1e-9 && set.cloud >= 0 && set.cloud <= 1);
    must(set.visibility_m >= 19.9 && set.wet >= 0 && set.wet <= 1 && set.wind_m_s >= 0);
    must(set.rain_mm_h >= 0 && set.rain_mm_h <= 50 && set.ir >= -1 && set.ir <= 1);
    must(mess.spray >= 0 && mess.spray <= 1 && mess.cover >= 0 && mess.cover <= 1);
    stage_mount(s, at_ns, &pan, &tilt, &roll);
    must(isfinite(pan) && isfinite(tilt) && isfinite(roll));
    stage_accel(s, at_ns, g);
    must(isfinite(g[0]) && isfinite(g[1]) && isfinite(g[2]));
    stage_body_at(s, at_ns, &body);
    must(body.temperature_c >= -60 && body.temperature_c <= 120);
    must(stage_next(s, at_ns) > at_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stage *s = stage_new(1);
    struct fault why;
    char line[LINE];
    int64_t at_ns = 0;
    must(s != NULL);
    for (size_t i = 0; i < size && i < 4000; i++) {
        size_t len = 0;
        for (; i < size && data[i] != '\n'; i++)
            if (len + 1 < sizeof line)
                line[len++] = (char)data[i];
        line[len] = '\0';
        why.text[0] = '\0';
        int err = stage_command_text(s, at_ns, line, &why);
        must(!err || why.text[0]);
        look(s, at_ns + NSEC_PER_SEC / 2);
        /* mostly onwards, sometimes back */
        at_ns += (int64_t)(len % 7) * NSEC_PER_SEC - (len % 5 == 4 ? 2 * NSEC_PER_SEC : 0);
        if (at_ns < 0)
            at_ns = 0;
    }
    look(s, at_ns + 100 * NSEC_PER_SEC);
    stage_forget_after(s, at_ns / 2);
    look(s, at_ns);

    char text[4096], *next;
    must(stage_as_text(s, at_ns, text, sizeof text) < sizeof text);
    struct stage *other = stage_new(1);
    must(other != NULL);
    for (char *l = text; *l; l = next) {
        next = strchr(l, '\n');
        *next++ = '\0';
        must(!stage_command_text(other, 0, l, &why));
    }
    look(other, 0);
    stage_free(other);
    stage_free(s);
    return 0;
}
