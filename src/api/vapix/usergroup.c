/* usergroup.cgi: whom the camera takes you for. */
#include "api/vapix/door.h"
#include "base/buf.h"

static void serve(struct exchange *ex, void *arg)
{
    static const struct {
        unsigned group;
        const char *name;
    } groups[] = {
        {GROUP_ADMIN, "admin"},
        {GROUP_OPERATOR, "operator"},
        {GROUP_VIEWER, "viewer"},
        {GROUP_PTZ, "ptz"},
    };
    BUF(text, 512);
    buf_addf(&text, "%s\nusers", ex->who.user);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (ex->who.groups & groups[i].group)
            buf_addf(&text, " %s", groups[i].name);
    }
    buf_adds(&text, "\n");
    vapix_reply_text(ex, buf_str(&text));
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/usergroup.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_USER,
     .serve = serve,
     .doc = "name and groups of whoever asks"},
};
const struct cgi cgi_usergroup = {CGI_ROWS(rows)};
