/* A part of the composition root: overlays, and what their texts may speak of. Loop-bound. */
#ifndef OPEN_OVERLAYS_H
#define OPEN_OVERLAYS_H

struct camera;
struct overlay_news;
struct sensor_caps;

/* Makes c->overlays and c->overlay_pictures; NULL: out of memory. */
struct overlay_news *open_overlays(struct camera *c);
/* Address, optics and temperature; head, lens and identity are there. */
void overlays_learn(struct overlay_news *n, const struct sensor_caps *sensor);
/* Before the device; the overlays themselves go, too. NULL-safe. */
void close_overlays(struct camera *c, struct overlay_news *n);

#endif
