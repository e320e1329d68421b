/* restart.cgi: answers, then the camera starts anew. */
#include "api/restart.h"
#include "api/camera.h"
#include "api/vapix/door.h"

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    if (!ex->head_only)
        restart_soon(d->cam);
    /* "restartMessage" is what clients look for. */
    exchange_replyf(ex, 200, "text/html",
                    "<html><head><title>restartMessage</title>"
                    "<meta http-equiv=\"refresh\" content=\"10;URL=/\"></head>"
                    "<body>The camera starts anew.</body></html>\n");
}

#define PATH "/axis-cgi/restart.cgi"
static const struct endpoint rows[] = {
    {.path = PATH,
     .methods = GET_OR_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve,
     .doc = "starts the camera anew"},
};
static const char *const aliases[][2] = {
    {"/axis-cgi/admin/restart.cgi", PATH},
    {NULL, NULL},
};
const struct cgi cgi_restart = {CGI_ROWS(rows), .aliases = aliases};
