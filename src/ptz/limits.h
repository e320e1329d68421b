/* Limits of pan, tilt and zoom that the user sets: parameters PTZ.Limit.L1.*, in degrees and in
 * steps of zoom (scale.h). The defaults are those of the mechanics. On a head that turns
 * endlessly MinPan above MaxPan means the range that passes behind, through 180 degrees.
 * (PTZ.Limit.L1.MinFocus is the eye's.) Loop-bound. */
#ifndef PTZ_LIMITS_H
#define PTZ_LIMITS_H

struct head_caps;
struct head_limits;
struct ptz;
struct room;
struct room_desc;

struct ptz_limit_settings {
    double min_pan_deg, max_pan_deg, min_tilt_deg, max_tilt_deg;
    double min_zoom, max_zoom; /* steps */
};

/* The room of this head; its rows live as long as the program. NULL: it cannot move. */
const struct room_desc *ptz_limits_room(const struct head_caps *c);
void ptz_limits_effective(const struct ptz_limit_settings *s, const struct head_caps *c,
                          struct head_limits *ret);
/* What is set holds from now on; who stands outside is brought in. */
void ptz_limits_apply(struct ptz *p, struct room *room);

#endif
