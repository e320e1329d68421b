/* The zoom lens of the virtual camera, before a sensor of 1/2.8 inch (5.57 mm wide): 4.8 mm
 * f/1.6 to 145 mm f/4.4.
 *
 * Focus 1 is infinity, 0 the nearest, which is farther away at tele; between them the steps are
 * fine where the lens is far (the inverse of the distance goes as the square). Focus and iris
 * take their time; where they were is kept for a while, so that a time in the past is still
 * right. Any thread; one leaf mutex.
 *
 * Until somebody moves its focus all is sharp, as through a pinhole: nobody is at work who
 * would focus it. */
#ifndef DEVICE_VIRTUAL_CAMERA_LENS_H
#define DEVICE_VIRTUAL_CAMERA_LENS_H

#include <stdint.h>

#include "device/ports.h"

struct clock;

#define LENS_SENSOR_MM 5.57 /* width of what it draws the picture on */
#define LENS_WIDEST_F 1.6   /* at zoom 1 */
#define LENS_NARROWEST_F 16.0
#define LENS_NEAREST_M 0.3      /* at zoom 1 */
#define LENS_BREATHES 0.04      /* share of the field of view that is lost when focused nearest */
#define LENS_FOCUS_TRAVEL_S 0.5 /* from end to end, as fast as it can */

/* How a lens stands: what is in focus, and how much is not. */
struct optics {
    double focal_m;
    double f_number;
    double focus_m; /* INFINITY; 0: all is sharp */
};

struct lens *virtual_lens_new(struct clock *clock); /* NULL: out of memory */
struct lens *virtual_lens_free(struct lens *l);
/* The head that zooms it: the iris opens less at tele. Before anybody asks. NULL: zoom 1. */
void virtual_lens_mount(struct lens *l, struct head *head);
/* Focus alone, 0…1: what a head may ask for its pose. NULL: 1. */
double virtual_lens_focus(struct lens *l, int64_t time_ns);
void virtual_lens_optics(struct lens *l, int64_t time_ns, double zoom, struct optics *ret);

/* Pure functions. */
double lens_widest_f(double zoom);
double lens_focus_distance(double focus, double zoom); /* metres */
double lens_focus_for(double distance_m, double zoom); /* its inverse, 0…1 */
/* What is left of an angle of view (degrees) when focused so. */
double lens_breathe(double hfov_deg, double focus);
/* Diameter in pixels of the disc that a point at this distance becomes. */
double optics_disc(const struct optics *o, double distance_m, int width);

#endif
