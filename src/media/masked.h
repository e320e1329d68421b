/* Where a picture is covered by privacy masks: for whoever looks for something in it. Immutable,
 * refcounted. Any thread. */
#ifndef MEDIA_MASKED_H
#define MEDIA_MASKED_H

#include <stdbool.h>

#define MASKED_POINTS 24
struct masked_area {
    int index;         /* of the mask's row; -1: the pose is not known, all is covered */
    unsigned n_points; /* a polygon, 0…1 from the top left; may reach beyond the picture */
    float x[MASKED_POINTS], y[MASKED_POINTS];
};
struct masked {
    int refs; /* atomic */
    unsigned n;
    struct masked_area area[];
};

struct masked *masked_new(unsigned room);    /* NULL: out of memory */
struct masked *masked_ref(struct masked *m); /* NULL-safe, as below */
struct masked *masked_unref(struct masked *m);
bool masked_at(const struct masked *m, double x, double y);
/* Which share of a box (x, y, width, height) is covered, 0…1, to about a hundredth. */
double masked_share(const struct masked *m, const double box[4]);

#endif
