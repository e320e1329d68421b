#include "api/restart.h"

#include "api/camera.h"
#include "base/log.h"
#include "base/loop.h"

static void begin_anew(void *arg)
{
    struct camera *cam = arg;
    log_info("api", "the camera starts anew");
    cam->restart = true;
    loop_stop(cam->loop);
}

void restart_soon(struct camera *cam)
{
    if (loop_call(cam->loop, "restart", begin_anew, cam))
        begin_anew(cam); /* no memory: all the more reason */
}
