/* imagesize.cgi: how large a picture asked for like this will be. */
#include <stdio.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/fault.h"

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct encoding e;
    struct view_args view;
    if (!vapix_jpeg_args(d, ex, &e, &view))
        return;
    char text[96];
    snprintf(text, sizeof text, "image width = %d\nimage height = %d\n", e.key.width, e.key.height);
    vapix_reply_text(ex, text);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/imagesize.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve,
     .doc = "size of the pictures that these arguments give"},
};
const struct cgi cgi_imagesize = {CGI_ROWS(rows)};
