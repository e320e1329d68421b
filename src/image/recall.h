/* Focus recall areas: parts of the world whose focus is known. Pure functions; any thread. */
#ifndef IMAGE_RECALL_H
#define IMAGE_RECALL_H

#include "image/settings.h"
#include "media/pose.h"

/* Share of the area that is in the picture: 0 … 1. */
double recall_share(const struct eye_recall *area, const struct pose *view, double aspect);
/* The area that the camera looks at: of those of which at least half is in the picture, the
 * one of which most is; −1: none. `now` (or −1) stays a little longer. */
int recall_find(const struct eye_settings *s, const struct pose *view, double aspect, int now);

#endif
