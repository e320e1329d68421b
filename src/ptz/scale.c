#include "ptz/scale.h"

#define SPAN (SCALE_MAX - SCALE_MIN)

double zoom_of_step(double step, double most)
{
    return most > 1 ? 1 + share_of_step(step) * (most - 1) : 1;
}

double step_of_zoom(double magnification, double most)
{
    return most > 1 ? step_of_share((magnification - 1) / (most - 1)) : SCALE_MIN;
}

double share_of_step(double step)
{
    return (step - SCALE_MIN) / SPAN;
}

double step_of_share(double share)
{
    return SCALE_MIN + share * SPAN;
}
