#include "media/encode.h"

extern const struct encoder_ops encoder_h264, encoder_jpeg, encoder_h265, encoder_av1;

const struct encoder_ops *const encoder_table[] = {&encoder_h264, &encoder_jpeg, &encoder_h265,
                                                   &encoder_av1, NULL};

bool encoding_equal(const struct encoding *a, const struct encoding *b)
{
    return a->codec == b->codec && rendition_key_equal(&a->key, &b->key) && a->fps == b->fps &&
           a->compression == b->compression && a->gop == b->gop &&
           rate_plan_equal(&a->rate, &b->rate) && a->profile == b->profile && a->stamp == b->stamp;
}
