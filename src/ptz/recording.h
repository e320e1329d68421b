/* What a head was told, and when, and where it was then: a recorded tour's content, and its text
 * form, which is kept as a file. A head that is told the same goes the same way; where it rests,
 * what has crept in is put right. Plain values and pure functions; owner thread. */
#ifndef PTZ_RECORDING_H
#define PTZ_RECORDING_H

#include <stddef.h>

struct buf;
struct fault;
struct pose;
struct ptz_order;

#define RECORDING_MOST_STEPS 9000
#define RECORDING_MOST_MS 3600000.0 /* an hour */
#define RECORDING_TEXT_MOST ((size_t)1 << 20)

enum recording_kind { RECORDING_RESTS, RECORDING_GOES, RECORDING_MOVES };
struct recording_step {
    double t_ms;              /* since the start; never less than the one before */
    float pan, tilt, zoom;    /* where it was: degrees, magnification */
    float a, b, c;            /* where to, or how fast: as ptz_order; NAN: that axis was let be */
    float speed;              /* of going, 0…1 */
    enum recording_kind kind; /* resting: a, b, c and speed mean nothing */
};
struct recording {
    size_t n;
    struct recording_step step[RECORDING_MOST_STEPS];
};

/* order NULL: it rests. What was told last and is told again is left out. -ENOSPC: it is full,
 * by steps or by time. */
int recording_add(struct recording *r, double t_ms, const struct pose *at,
                  const struct ptz_order *order);
int recording_print(const struct recording *r, struct buf *ret);
int recording_parse(const char *text, size_t len, struct recording *ret, struct fault *why);

#endif
