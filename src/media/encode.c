#include "media/encode.h"

extern const struct encoder_ops encoder_h264, encoder_jpeg, encoder_h265, encoder_av1;

const struct encoder_ops *const encoder_table[] = {&encoder_h264, &encoder_jpeg, &encoder_h265,
                                                   &encoder_av1, NULL};

bool encoding_equal(const struct encoding *a, const struct encoding *b)
{
    return a->codec == b->codec && rendition_key_equal(&a->key, &b->key) && a->fps == b->fps &&
           a->compression == b->compression && a->gop == b->gop &&
           rate_plan_equal(&a->rate, &b->rate) && smart_plan_equal(&a->smart, &b->smart) &&
           a->profile == b->profile && a->stamp == b->stamp;
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
