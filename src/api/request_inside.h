/* What request.c and request_args.c share: a request on its way to an encoding. */
#ifndef API_REQUEST_INSIDE_H
#define API_REQUEST_INSIDE_H

#include <stddef.h>

#include "api/request.h"

struct wish {
    int abr_max_kbps;
    struct camera *cam;
    struct encoding e;
    struct view_args view;
    int width, height; /* before turning */
};
/* The image arguments over what the wish has; others and empty values are left alone. A known one
 * with a bad value: FAULT_INVALID, which names it and what is allowed. */
int wish_apply(struct wish *w, const struct arg *args, size_t n_args, struct fault *why);

#endif
