/* White balance: the gains of red and blue that make what is white look white.
 *
 * What the light is, is guessed from those parts of the picture that could be grey under some
 * light of a lamp or the sky (the Planckian locus), the brighter ones more; daylight is
 * expected where it is as bright as outdoors. Slow, and still inside of a dead band. Light is
 * taken as neutral when it is that of D65. A plain value and pure functions; source thread. */
#ifndef IMAGE_BALANCE_H
#define IMAGE_BALANCE_H

#include "image/measure.h"

struct balance {
    double red, blue;         /* gains; 0: not yet known */
    double log_red, log_blue; /* where they are on their way, log2 */
    bool known, settled;
    unsigned pictures; /* since the light was last looked at */
};

/* Gains for light of a temperature, and with so much less green (log2). */
void balance_gains(double kelvin, double magenta, double *ret_red, double *ret_blue);
/* The temperature whose gains are nearest. */
double balance_kelvin(double red, double blue);
/* What the picture says; false: nothing that could be grey is in it. `ev`: how bright the
 * scene is, in stops of exposure (ISO 100). */
bool balance_estimate(const struct measured *m, int mode, double ev, double *ret_log_red,
                      double *ret_log_blue);
void balance_step(struct balance *b, const struct eye_settings *s, const struct measured *m,
                  double ev, bool jump);

#endif
