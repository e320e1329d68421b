#include "media/encode.h"

#include "base/fault.h"

#define MIN_SIDE 16
#define MAX_SIDE 4096

extern const struct encoder_ops encoder_h264, encoder_jpeg, encoder_h265, encoder_av1;

const struct encoder_ops *const encoder_table[] = {&encoder_h264, &encoder_jpeg, &encoder_h265,
                                                   &encoder_av1, NULL};

const struct encoder_ops *encoder_find(enum codec codec)
{
    for (int i = 0; encoder_table[i]; i++)
        if (encoder_table[i]->codec == codec)
            return encoder_table[i];
    return NULL;
}

bool encoding_equal(const struct encoding *a, const struct encoding *b)
{
    return a->codec == b->codec && rendition_key_equal(&a->key, &b->key) && a->fps == b->fps &&
           a->compression == b->compression && a->gop == b->gop &&
           rate_plan_equal(&a->rate, &b->rate) && smart_plan_equal(&a->smart, &b->smart) &&
           a->thorough == b->thorough && a->profile == b->profile && a->stamp == b->stamp;
}

int encoding_gop(const struct encoding *e)
{
    return e->smart.dynamic_gop ? e->smart.max_gop : e->gop;
}

bool encoding_rate_varies(const struct encoding *e)
{
    return e->smart.dynamic_fps || (e->rate.max_kbps > 0 && e->rate.priority != PRIORITY_FRAMERATE);
}

bool encoding_reorders(const struct encoding *e)
{
    return e->smart.storage && (e->codec == CODEC_H265 || (e->codec == CODEC_H264 && e->profile));
}

int encoding_normalise(struct encoding *e, double source_fps, struct fault *why)
{
    const struct rendition_key *k = &e->key;
    if (!encoder_find(e->codec))
        return fault_set(why, FAULT_UNSUPPORTED, "videocodec", "%s cannot be encoded here",
                         codec_name(e->codec));
    if (k->width < MIN_SIDE || k->height < MIN_SIDE || k->width > MAX_SIDE ||
        k->height > MAX_SIDE || k->width % 2 || k->height % 2)
        return fault_set(why, FAULT_INVALID, "resolution",
                         "%dx%d: width and height must be even and within %d and %d", k->width,
                         k->height, MIN_SIDE, MAX_SIDE);
    if (k->view < 1 || k->view > VIEWS_MOST)
        return fault_set(why, FAULT_UNKNOWN, "camera", "there is no channel %d", k->view);
    if (k->rotation_deg % 90 || k->rotation_deg < 0 || k->rotation_deg > 270)
        return fault_set(why, FAULT_INVALID, "rotation", "must be 0, 90, 180 or 270");
    if (e->compression < 0 || e->compression > 100)
        return fault_set(why, FAULT_INVALID, "compression", "must be within 0 and 100");
    if (!(e->fps >= 0) || e->fps > 1000)
        return fault_set(why, FAULT_INVALID, "fps", "must be within 0 and 1000");
    if (e->fps >= source_fps - 1e-6)
        e->fps = 0;
    e->key.stream_tag = 0;
    if (e->codec == CODEC_JPEG) {
        e->gop = e->profile = 0;
        e->smart = (struct smart_plan){0};
        e->rate = (struct rate_plan){.mode = RATE_VBR};
        return 0;
    }
    if (e->gop < 1 || e->gop > 1023)
        return fault_set(why, FAULT_INVALID, "videokeyframeinterval", "must be within 1 and 1023");
    struct smart_plan *smart = &e->smart;
    if (smart->strength < 0 || smart->strength > 50 || smart->strength % 10)
        return fault_set(why, FAULT_INVALID, "videozstrength", "must be off, 10, 20, 30, 40 or 50");
    if (smart->dynamic_gop && (smart->max_gop < 1 || smart->max_gop > SMART_GOP_MAX))
        return fault_set(why, FAULT_INVALID, "videozmaxgoplength", "must be within 1 and %d",
                         SMART_GOP_MAX);
    if (smart->dynamic_fps && !(smart->min_fps >= 0 && smart->min_fps <= 1000))
        return fault_set(why, FAULT_INVALID, "videozminfps", "must be within 0 and 1000");
    smart->storage = encoding_reorders(e);
    smart_plan_normalise(smart);
    if (e->profile < 0 || e->profile > 2)
        return fault_set(why, FAULT_INVALID, "h264profile", "must be baseline, main or high");
    const struct rate_plan *rate = &e->rate;
    bool limited = rate->mode == RATE_MBR || rate->mode == RATE_CBR;
    if ((limited && rate->max_kbps < 1) || rate->max_kbps > 1000000 ||
        (rate->mode == RATE_ABR && rate->target_kbps < 1))
        return fault_set(why, FAULT_INVALID, "videomaxbitrate", "must be a rate in kbit/s");
    if (rate->mode == RATE_VBR)
        e->rate = (struct rate_plan){.mode = RATE_VBR};
    return 0;
}
