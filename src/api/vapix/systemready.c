/* systemready.cgi: may clients begin? A camera that answers is ready. */
#include <inttypes.h>
#include <stdio.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/clock.h"
#include "base/fault.h"
#include "system/identity.h"
#include "trust/accounts.h"

#define TIMEOUT_MAX_S 3600

static void systemready(struct json_call *c)
{
    const struct camera *cam = c->door->cam;
    struct fault why = {0};
    int64_t timeout = 0;
    if (json_get_int(c->params, "timeout", &timeout, &why)) {
        json_call_fault(c, &why);
        return;
    }
    if (timeout < 0 || timeout > TIMEOUT_MAX_S) {
        json_call_error(c, json_family_a.invalid, "The parameter timeout must be 0 to 3600");
        return;
    }
    char uptime[32];
    snprintf(uptime, sizeof uptime, "%" PRId64, clock_now(cam->clock) / NSEC_PER_SEC);
    json_call_reply(c, json_pack("{s:s, s:s, s:s, s:s}", "systemready", "yes", "needsetup",
                                 accounts_empty(cam->trust) ? "yes" : "no", "uptime", uptime,
                                 "bootid", cam->identity->boot_id));
}

static const struct json_method methods[] = {
    {"systemready", ROLE_ANYONE, systemready},
    {"getSupportedVersions", ROLE_ANYONE, json_serve_versions},
};
static const struct json_cgi api = {"1.4", &json_family_a, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/systemready.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ANYONE,
     .serve = serve,
     .doc = "whether clients may begin, and whether set-up is needed (JSON)"},
};
const struct cgi cgi_systemready = {CGI_ROWS(rows)};
