/* VAPIX scales. Zoom and focus run from 1 to 9999; zoom is linear in focal length between the
 * widest and the longest. Pure functions; any thread. */
#ifndef PTZ_SCALE_H
#define PTZ_SCALE_H

#define SCALE_MIN 1
#define SCALE_MAX 9999

/* most: the longest magnification; up to 1: there is no zoom. */
double zoom_of_step(double step, double most);
double step_of_zoom(double magnification, double most);
double share_of_step(double step); /* 0 … 1, as focus and iris */
double step_of_share(double share);

#endif
