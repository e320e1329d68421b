#include "audio.h"

#include "api/camera.h"
#include "conf/param.h"
#include "media/sounds.h"
#include "reply.h"
#include "sound/ear.h"
#include "sound/mouth.h"
#include "sound/settings.h"

void audio_serve(struct camera *cam, struct exchange *ex)
{
    struct ear_level level;
    struct mouth_state mouth;
    const struct audio_settings *s = room_ref(cam->audio_room);
    bool allowed = s->support;
    bool loud = false;
    if (allowed)
        sounds_keep(cam->sounds);
    ear_level(cam->ear, &level);
    mouth_state(cam->mouth, &mouth);
    /* 0 to 100 as the meter shows it: 60 dB below full scale to full scale */
    loud = (level.rms_db + 60) / 60 * 100 >= s->alarm_level;
    room_unref(s);
    web_reply(ex, 200,
              json_pack("{s:b, s:{s:i, s:b, s:f, s:f, s:b}, s:{s:b, s:b, s:b, s:s, s:f}}",
                        "allowed", allowed, "input", "inputs", ear_inputs(cam->ear), "signal",
                        level.signal, "rms", level.rms_db, "peak", level.peak_db, "loud", loud,
                        "output", "exists", mouth.exists, "allowed", mouth_may(cam->mouth),
                        "talking", mouth.talking, "user", mouth.user, "rms", mouth.rms_db));
}
