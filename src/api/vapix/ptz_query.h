/* The questions of com/ptz.cgi, and its scale of zoom: 1 at the widest to 9999 at the
 * longest, linear in focal length. */
#ifndef API_VAPIX_PTZ_QUERY_H
#define API_VAPIX_PTZ_QUERY_H

#include <stdbool.h>

struct buf;
struct camera;
struct exchange;
struct fault;
struct ptz;

#define PTZ_ZOOM_MIN 1
#define PTZ_ZOOM_MAX 9999
double ptz_zoom_to_magnification(struct ptz *p, double zoom);
double ptz_zoom_of_magnification(struct ptz *p, double magnification);

/* Answers whoami, info and query about a channel that has a head; *ret_asked: there was one. */
int ptz_query(struct buf *out, struct exchange *ex, struct camera *cam, int channel,
              bool *ret_asked, struct fault *why);
bool ptz_query_is_json(struct exchange *ex);

#endif
