#include "image/recall.h"

#include <math.h>

#define HALF 0.5
#define STAYS 0.45 /* a head that stands on the border must not switch to and fro */
#define ACROSS 9   /* points of an area that are looked for */
#define DOWN 7
#define RAD (M_PI / 180)

static double angle_between(double pan_a, double tilt_a, double pan_b, double tilt_b)
{
    double c = sin(tilt_a * RAD) * sin(tilt_b * RAD) +
               cos(tilt_a * RAD) * cos(tilt_b * RAD) * cos((pan_a - pan_b) * RAD);
    return acos(fmin(fmax(c, -1), 1)) / RAD;
}

double recall_share(const struct eye_recall *area, const struct pose *view, double aspect)
{
    if (!(area->hfov_deg > 0) || area->hfov_deg >= 170 || !(view->hfov_deg > 0))
        return 0;
    double apart = angle_between(area->pan_deg, area->tilt_deg, view->pan_deg, view->tilt_deg);
    double corner = sqrt(1 + 1 / (aspect * aspect)) / 2;
    if (apart > corner * 1.1 * (area->hfov_deg + view->hfov_deg))
        return 0;
    const struct pose at = {.pan_deg = area->pan_deg,
                            .tilt_deg = area->tilt_deg,
                            .hfov_deg = area->hfov_deg,
                            .zoom = 1,
                            .known = true};
    int in = 0;
    for (int j = 0; j < DOWN; j++)
        for (int i = 0; i < ACROSS; i++) {
            double pan, tilt, x, y;
            pose_unproject(&at, aspect, (i + 0.5) / ACROSS, (j + 0.5) / DOWN, &pan, &tilt);
            in += pose_project(view, aspect, pan, tilt, &x, &y) && x >= 0 && x <= 1 && y >= 0 &&
                  y <= 1;
        }
    return in / (double)(ACROSS * DOWN);
}

int recall_find(const struct eye_settings *s, const struct pose *view, double aspect, int now)
{
    int found = -1;
    double most = 0;
    for (int i = 0; i < EYE_RECALLS; i++) {
        const struct eye_recall *area = &s->focus.recall[i];
        double share = area->used ? recall_share(area, view, aspect) : 0;
        if (share < (i == now ? STAYS : HALF))
            continue;
        if (share > most || (share == most && i == now)) {
            most = share;
            found = i;
        }
    }
    return found;
}
