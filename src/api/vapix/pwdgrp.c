/* pwdgrp.cgi: accounts. An administrator's, but while there is no account anybody may
 * make the first administrator, once. Clients match the words of the pages exactly;
 * "error" and its relatives may not stand in a page of success. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "trust/accounts.h"

#define PATH "/axis-cgi/pwdgrp.cgi"

static void page(struct exchange *ex, const char *text)
{
    char safe[512];
    text_html(text, safe, sizeof safe);
    exchange_replyf(ex, 200, "text/html", "<html><head></head><body>%s</body></html>\n", safe);
}

static void done_page(struct exchange *ex, const char *what, const char *name)
{
    char text[160];
    snprintf(text, sizeof text, "%s account %.64s.", what, name);
    page(ex, text);
}

static void refuse(struct exchange *ex, const struct fault *why)
{
    log_info("api", "pwdgrp.cgi: %s", why->text);
    if (why->kind == FAULT_CONFLICT && why->name[0] == '\0')
        page(ex, "Error: consult the system log file.");
    else if (!strcmp(why->name, "user"))
        page(ex, "Error: account user name.");
    else
        page(ex, "Error: consult the system log file.");
}

/* False: malformed; an empty or missing list is no group at all. */
static bool parse_groups(struct exchange *ex, unsigned *ret_groups, bool *ret_given)
{
    const char *sgrp = exchange_arg(ex, "sgrp");
    *ret_given = sgrp != NULL;
    *ret_groups = 0;
    return !sgrp || !accounts_parse_groups(sgrp, ret_groups);
}

static void serve_first(struct exchange *ex, struct trust *t, const char *action)
{
    const char *user = exchange_arg(ex, "user"), *password = exchange_arg(ex, "pwd");
    unsigned groups;
    bool given;
    if (!strcmp(action, "get")) { /* clients ask thus whether set-up is needed */
        vapix_reply_text(ex, "");
        return;
    }
    if (strcmp(action, "add")) {
        page(ex, "Error: initial admin user must be created first.");
        return;
    }
    struct fault why = {0};
    if (!user || !password || !parse_groups(ex, &groups, &given) || !(groups & GROUP_ADMIN)) {
        page(ex, "Error: not a valid initial admin user.");
        return;
    }
    if (accounts_add_first(t, user, password, groups, exchange_arg(ex, "comment"), &why)) {
        log_info("api", "pwdgrp.cgi: %s", why.text);
        page(ex, "Error: not a valid initial admin user.");
        return;
    }
    done_page(ex, "Created", user);
}

static void serve_add(struct exchange *ex, struct trust *t, const char *user)
{
    const char *password = exchange_arg(ex, "pwd");
    unsigned groups;
    bool given;
    struct fault why = {0};
    if (accounts_find(t, user)) {
        page(ex, "Error: this user name already exists, consult the system log file.");
        return;
    }
    if (!password || !parse_groups(ex, &groups, &given) || !groups) {
        fault_set(&why, FAULT_INVALID, password ? "sgrp" : "pwd", "%s",
                  password ? "sgrp must name groups, as viewer or operator:viewer:ptz"
                           : "the argument pwd is missing");
        refuse(ex, &why);
        return;
    }
    if (accounts_add(t, user, password, groups, exchange_arg(ex, "comment"), &why)) {
        refuse(ex, &why);
        return;
    }
    done_page(ex, "Created", user);
}

static void serve_update(struct exchange *ex, struct trust *t, const char *user)
{
    unsigned groups;
    bool given;
    struct fault why = {0};
    if (!accounts_find(t, user)) {
        page(ex, "Error: account user name.");
        return;
    }
    if (!parse_groups(ex, &groups, &given) || (given && !groups)) {
        fault_set(&why, FAULT_INVALID, "sgrp",
                  "sgrp must name groups, as viewer or operator:viewer:ptz");
        refuse(ex, &why);
        return;
    }
    if (accounts_update(t, user, exchange_arg(ex, "pwd"), given ? &groups : NULL,
                        exchange_arg(ex, "comment"), &why)) {
        refuse(ex, &why);
        return;
    }
    done_page(ex, "Modified", user);
}

static void serve_remove(struct exchange *ex, struct trust *t, const char *user)
{
    struct fault why = {0};
    if (!accounts_find(t, user)) {
        page(ex, "Error: account user name.");
        return;
    }
    if (accounts_remove(t, user, &why)) {
        refuse(ex, &why);
        return;
    }
    done_page(ex, "Removed", user);
}

static void add_line(struct buf *b, struct trust *t, const char *name, unsigned group)
{
    const char *comma = "";
    buf_addf(b, "%s=\"", name);
    for (size_t i = 0; i < accounts_count(t); i++) {
        const struct account *a = accounts_at(t, i);
        if (group && !(a->groups & group))
            continue;
        buf_addf(b, "%s%s", comma, a->name);
        comma = ",";
    }
    buf_adds(b, "\"\r\n");
}

static void serve_get(struct exchange *ex, struct trust *t)
{
    BUF(text, 64 * 1024);
    add_line(&text, t, "admin", GROUP_ADMIN);
    add_line(&text, t, "operator", GROUP_OPERATOR);
    add_line(&text, t, "viewer", GROUP_VIEWER);
    add_line(&text, t, "ptz", GROUP_PTZ);
    add_line(&text, t, "digusers", 0);
    vapix_reply_text(ex, buf_str(&text));
}

static void serve(struct exchange *ex, void *arg)
{
    static const struct {
        const char *action;
        void (*serve)(struct exchange *ex, struct trust *t, const char *user);
    } actions[] = {
        {"add", serve_add},
        {"update", serve_update},
        {"remove", serve_remove},
    };
    struct vapix_door *d = arg;
    struct trust *t = d->cam->trust;
    if (!vapix_args(ex))
        return;
    const char *action = exchange_arg(ex, "action");
    if (accounts_empty(t)) {
        serve_first(ex, t, action ? action : "");
        return;
    }
    /* The row was open to strangers until this moment: of two who race for the first
     * account the second comes by here. */
    if (!gate_require(d->gate, ex, ROLE_ADMIN))
        return;
    if (!action) {
        page(ex, "Error: action operation type.");
        return;
    }
    if (!strcmp(action, "get")) {
        serve_get(ex, t);
        return;
    }
    const char *user = exchange_arg(ex, "user");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].action, action))
            continue;
        if (!user || !*user)
            page(ex, "Error: account user name.");
        else
            actions[i].serve(ex, t, user);
        return;
    }
    char text[160];
    snprintf(text, sizeof text, "Error: malformed action operation, %.64s.", action);
    page(ex, text);
}

static const struct endpoint rows[] = {
    {.path = PATH,
     .methods = GET_OR_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve,
     .doc = "accounts; the first administrator"},
};
static const char *const aliases[][2] = {
    {"/axis-cgi/admin/pwdgrp.cgi", PATH},
    {NULL, NULL},
};

static int start(struct vapix_door *d)
{
    gate_open_for_setup(d->gate, PATH);
    return 0;
}
const struct cgi cgi_pwdgrp = {CGI_ROWS(rows), .aliases = aliases, .start = start};
