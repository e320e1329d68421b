/* Scaling, cropping, rotating and range conversion of 4:2:0 pictures (swscale
 * where it serves). One scaler belongs to one thread. */
#ifndef MEDIA_SCALE_H
#define MEDIA_SCALE_H

#include <stdbool.h>

#include "media/picture.h"

struct scaler;
struct scaler *scaler_new(void);
struct scaler *scaler_free(struct scaler *s);
/* Crop rectangle in source pixels (fractions allowed), scaled to the whole of
 * `to`, then rotated and mirrored. 0 or negative errno. */
int scale_picture(struct scaler *s, struct picture *to, const struct picture *from, double crop_x,
                  double crop_y, double crop_w, double crop_h, int rotation_deg, bool mirror);

#endif
