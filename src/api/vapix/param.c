/* param.cgi: list, listdefinitions, update, add, remove. Any user; each parameter has
 * its own rights. Errors are lines of text with status 200, as clients expect. */
#include <stdlib.h>
#include <string.h>

#include "api/audit.h"
#include "api/camera.h"
#include "api/gate.h"
#include "api/vapix/definitions.h"
#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/mask_settings.h"
#include "net/limits.h"
#include "ptz/guard_tour.h"

#define LINE_MAX_BYTES 2048
#define PATTERNS_MAX 128

/* The groups of parameters that add and remove know; the index stands for '#'. */
struct template
{
    const char *name, *group, *letter;
    const char *inner; /* of the tree; NULL: the same */
};
static const struct template templates[] = {
    {"streamprofile", "StreamProfile", "S", NULL},
    {"dynamicoverlay", "DynamicOverlay", "O", NULL},
    {"street", "Image.I0.OrientationAid", "S", NULL},
    {"guardtour", "GuardTour", "G", NULL},
    {MASK_TEMPLATE, MASK_GROUP, "M", NULL},
};

static const char *without_root(const char *name)
{
    return strncmp(name, "root.", 5) ? name : name + 5;
}

/* Text that is echoed: control characters would break the line. */
static void add_echo(struct buf *b, const char *s)
{
    for (; *s; s++) {
        char c = (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s;
        buf_add(b, &c, 1);
    }
}

/* Would a client that splits the list into lines see two? Some split at Unicode's line
 * ends as well. */
static bool breaks_lines(const char *s)
{
    for (const char *c = s; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return true;
    }
    return strstr(s, "\xc2\x85") || strstr(s, "\xe2\x80\xa8") || strstr(s, "\xe2\x80\xa9");
}

/* ---- list ---- */

struct listing {
    struct buf *out;
    const char *pattern;
    bool found;
};

static int list_one(const struct param_view *v, void *arg)
{
    struct listing *l = arg;
    if (!param_matches(l->pattern, v->name))
        return 0;
    l->found = true;
    return buf_addf(l->out, "root.%s=%s\n", v->name, v->value);
}

/* Calls each() for every pattern in the group arguments; returns how many. */
static size_t each_pattern(struct exchange *ex, void (*each)(const char *pattern, void *arg),
                           void *arg)
{
    size_t n = 0;
    for (size_t i = 0; i < ex->n_args; i++) {
        if (strcmp(ex->args[i].name, "group"))
            continue;
        for (const char *s = ex->args[i].value; *s;) {
            size_t len = strcspn(s, ",");
            char *pattern = len ? arena_strndup(ex->arena, s, len) : NULL;
            if (pattern && n++ < PATTERNS_MAX)
                each(without_root(pattern), arg);
            s += len + (s[len] == ',');
        }
    }
    return n;
}

struct list_work {
    struct exchange *ex;
    struct conf *conf;
    struct buf *out;
};

static void list_pattern(const char *pattern, void *arg)
{
    struct list_work *w = arg;
    struct listing l = {w->out, strcmp(pattern, "root") ? pattern : "", false};
    conf_each(w->conf, w->ex->who.groups, list_one, &l);
    if (!l.found) {
        buf_adds(w->out, "# Error: Error -1 getting param in group '");
        add_echo(w->out, pattern);
        buf_adds(w->out, "'\n");
    }
}

static void serve_list(struct exchange *ex, struct camera *cam)
{
    BUF(out, LIMIT_REPLY_BYTES);
    struct list_work w = {ex, cam->conf, &out};
    if (!each_pattern(ex, list_pattern, &w))
        list_pattern("", &w);
    if (out.err)
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        vapix_reply_text(ex, buf_str(&out));
}

static void collect_pattern(const char *pattern, void *arg)
{
    const char ***next = arg;
    *(*next)++ = pattern;
}

static void serve_definitions(struct exchange *ex, struct camera *cam)
{
    const char *format = exchange_arg(ex, "listformat");
    if (!format || strcmp(format, "xmlschema")) {
        vapix_reply_text(ex, "# Request failed: listformat must be xmlschema\n");
        return;
    }
    const char *patterns[PATTERNS_MAX + 1] = {NULL}, **next = patterns;
    each_pattern(ex, collect_pattern, &next);
    if (next == patterns)
        *next++ = "";
    *next = NULL;
    BUF(out, LIMIT_REPLY_BYTES);
    if (definitions_write(&out, cam, ex->who.groups, patterns))
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        exchange_reply(ex, 200, "text/xml", out.data, out.len);
}

/* ---- update ----
 * One transaction for each name, one after the other; what fails gets a line, the rest
 * is done. The client may leave meanwhile: then what was begun is still finished. */

struct update {
    struct exchange *ex; /* NULL: the client has left */
    struct conf *conf;
    struct audit_who who;
    unsigned groups;
    struct setting {
        char *name, *value;
    } * settings;
    size_t n, at;
    struct buf out;
    bool stepping, answered; /* a commit may call back before it returns */
};

static void update_free(struct update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        free(u->settings[i].name);
        free(u->settings[i].value);
    }
    free(u->settings);
    buf_done(&u->out);
    free(u);
}

static void update_cancel(struct exchange *ex)
{
    struct update *u = ex->user;
    u->ex = NULL;
}

static void update_refused(struct update *u)
{
    const struct setting *s = &u->settings[u->at];
    buf_adds(&u->out, "# Error: Error setting 'root.");
    add_echo(&u->out, s->name);
    buf_adds(&u->out, "' to '");
    add_echo(&u->out, s->value);
    buf_adds(&u->out, "'!\n");
}

static void update_step(struct update *u);

static void update_committed(int err, const struct fault *why, void *arg)
{
    struct update *u = arg;
    if (err)
        update_refused(u);
    else
        audit_param(&u->who, u->settings[u->at].name, u->settings[u->at].value);
    u->at++;
    u->answered = true;
    if (!u->stepping)
        update_step(u);
}

/* False: the answer is still to come. */
static bool update_one(struct update *u)
{
    const struct setting *s = &u->settings[u->at];
    bool twice = false;
    for (size_t i = 0; i < u->at && !twice; i++)
        twice = !strcmp(u->settings[i].name, s->name);
    struct txn *t = twice || breaks_lines(s->value) ? NULL : txn_new(u->conf, u->groups);
    if (!t || txn_set(t, s->name, s->value, NULL)) {
        txn_abort(t);
        update_refused(u);
        u->at++;
        return true;
    }
    u->answered = false;
    txn_commit(t, update_committed, u);
    return u->answered;
}

static void update_step(struct update *u)
{
    u->stepping = true;
    while (u->at < u->n) {
        if (!update_one(u)) {
            u->stepping = false;
            return;
        }
    }
    if (u->ex) {
        struct exchange *ex = u->ex;
        ex->cancel = NULL;
        vapix_reply_text(ex, u->out.len ? buf_str(&u->out) : "OK\n");
    }
    update_free(u);
}

static void serve_update(struct exchange *ex, struct camera *cam)
{
    struct update *u = calloc(1, sizeof *u);
    struct setting *settings = calloc(ex->n_args + 1, sizeof *settings);
    if (!u || !settings) {
        free(u);
        free(settings);
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    u->ex = ex;
    u->conf = cam->conf;
    u->groups = ex->who.groups;
    audit_who(ex, &u->who);
    u->settings = settings;
    buf_init(&u->out, LIMIT_REPLY_BYTES);
    for (size_t i = 0; i < ex->n_args; i++) {
        const char *name = without_root(ex->args[i].name);
        if (!strchr(name, '.'))
            continue; /* action, timestamp and the like */
        settings[u->n].name = strdup(name);
        settings[u->n].value = strdup(ex->args[i].value);
        u->n++;
        if (!settings[u->n - 1].name || !settings[u->n - 1].value) {
            update_free(u);
            exchange_reply(ex, 500, NULL, NULL, 0);
            return;
        }
    }
    ex->user = u;
    ex->cancel = update_cancel;
    update_step(u);
}

/* ---- add, remove ---- */

struct change {
    struct exchange *ex; /* NULL: the client has left */
    char reply[32];
};

static void change_cancel(struct exchange *ex)
{
    ((struct change *)ex->user)->ex = NULL;
}

static void request_failed(struct exchange *ex, const struct fault *why)
{
    BUF(out, LINE_MAX_BYTES);
    buf_adds(&out, "# Request failed: ");
    add_echo(&out, why && *why->text ? why->text : "Error");
    buf_adds(&out, "\n");
    vapix_reply_text(ex, buf_str(&out));
}

static void change_committed(int err, const struct fault *why, void *arg)
{
    struct change *c = arg;
    struct exchange *ex = c->ex;
    if (ex) {
        ex->cancel = NULL;
        if (err)
            request_failed(ex, why);
        else
            vapix_reply_text(ex, c->reply);
    }
    free(c);
}

static void commit_change(struct exchange *ex, struct txn *take_t, const char *reply)
{
    struct change *c = calloc(1, sizeof *c);
    if (!c) {
        txn_abort(take_t);
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    struct audit_who who;
    audit_who(ex, &who);
    for (size_t i = 0; i < ex->n_args; i++) {
        bool removed = !strcmp(ex->args[i].name, "group") && !strcmp(reply, "OK\n");
        audit_param(&who, removed ? ex->args[i].value : ex->args[i].name,
                    removed ? NULL : ex->args[i].value);
    }
    c->ex = ex;
    text_copy(c->reply, sizeof c->reply, reply);
    ex->user = c;
    ex->cancel = change_cancel;
    txn_commit(take_t, change_committed, c);
}

/* "StreamProfile.S.Name" → "StreamProfile.S4.Name". NULL: no value of this template. */
static char *indexed_name(struct exchange *ex, const struct template *of, unsigned index,
                          const char *name)
{
    char *prefix = arena_printf(ex->arena, "%s.%s.", of->group, of->letter);
    size_t n = prefix ? strlen(prefix) : 0;
    if (!n || strncmp(name, prefix, n))
        return NULL;
    return arena_printf(ex->arena, "%.*s%u.%s", (int)n - 1, prefix, index, name + n);
}

static int add_group(struct exchange *ex, struct txn *t, const struct template *of,
                     unsigned *ret_index, struct fault *why)
{
    int err = txn_add(t, of->inner ? of->inner : of->name, ret_index, why);
    for (size_t i = 0; !err && i < ex->n_args; i++) {
        const char *given = without_root(ex->args[i].name);
        if (!strchr(given, '.'))
            continue;
        char *name = indexed_name(ex, of, *ret_index, given);
        if (breaks_lines(ex->args[i].value))
            err = fault_set(why, FAULT_INVALID, given, "%.80s must be one line", given);
        else
            err = name ? txn_set(t, name, ex->args[i].value, why)
                       : fault_set(why, FAULT_UNKNOWN, given, "There is no %.80s in this template",
                                   given);
    }
    return err;
}

/* The steps of a guard tour belong to that which group= names: "GuardTour.G3.Tour". */
static bool find_tour(struct camera *cam, struct exchange *ex, struct template *ret)
{
    const char *group = exchange_arg(ex, "group");
    int64_t tour;
    char number[8];
    if (group)
        group = without_root(group);
    if (!group || !text_glob("GuardTour.G*.Tour", group))
        return false;
    const char *digits = group + strlen("GuardTour.G");
    size_t len = strcspn(digits, ".");
    if (len >= sizeof number || strcmp(digits + len, ".Tour") != 0)
        return false;
    memcpy(number, digits, len);
    number[len] = '\0';
    if (text_int(number, 0, GUARD_TOURS - 1, &tour))
        return false;
    const struct guard_settings *s = guard_tours_ref(cam->guard_tours);
    bool used = s->tour[tour].used;
    room_unref(s);
    if (!used)
        return false;
    *ret = (struct template){"tour", group, "T", arena_printf(ex->arena, "tour%d", (int)tour)};
    return ret->inner != NULL;
}

static bool find_template(struct camera *cam, struct exchange *ex, const char *name,
                          struct template *ret)
{
    if (!strcmp(name, "tour"))
        return find_tour(cam, ex, ret);
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        *ret = templates[i];
        if (!strcmp(ret->name, name))
            return true;
    }
    return false;
}

static void serve_add(struct exchange *ex, struct camera *cam)
{
    const char *name = exchange_arg(ex, "template");
    struct fault why = {0};
    struct template of;
    if (!name || !find_template(cam, ex, name, &of)) {
        fault_set(&why, FAULT_UNKNOWN, "template", "There is no template \"%.80s\"",
                  name ? name : "");
        request_failed(ex, &why);
        return;
    }
    const char *group = exchange_arg(ex, "group");
    if (group && strcmp(without_root(group), of.group)) {
        fault_set(&why, FAULT_INVALID, "group", "Template %s belongs to group %s", name, of.group);
        request_failed(ex, &why);
        return;
    }
    struct txn *t = txn_new(cam->conf, ex->who.groups);
    unsigned index = 0;
    if (!t || add_group(ex, t, &of, &index, &why)) {
        txn_abort(t);
        request_failed(ex, &why);
        return;
    }
    char *reply = arena_printf(ex->arena, "%s%u OK\n", of.letter, index);
    commit_change(ex, t, reply ? reply : "OK\n");
}

struct removal {
    struct txn *txn;
    struct fault why;
    int err;
};

static void remove_pattern(const char *pattern, void *arg)
{
    struct removal *r = arg;
    if (!r->err)
        r->err = txn_remove(r->txn, pattern, &r->why);
}

static void serve_remove(struct exchange *ex, struct camera *cam)
{
    struct removal r = {.txn = txn_new(cam->conf, ex->who.groups)};
    if (!r.txn) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    if (!each_pattern(ex, remove_pattern, &r))
        r.err = fault_set(&r.why, FAULT_MISSING, "group", "The argument group is missing");
    if (r.err) {
        txn_abort(r.txn);
        request_failed(ex, &r.why);
        return;
    }
    commit_change(ex, r.txn, "OK\n");
}

static void serve(struct exchange *ex, void *arg)
{
    static const struct {
        const char *action;
        void (*serve)(struct exchange *ex, struct camera *cam);
        bool changes;
    } actions[] = {
        {"list", serve_list, false},    {"listdefinitions", serve_definitions, false},
        {"update", serve_update, true}, {"add", serve_add, true},
        {"remove", serve_remove, true},
    };
    struct vapix_door *d = arg;
    if (!vapix_args(ex))
        return;
    const char *action = exchange_arg(ex, "action");
    if (!action || !*action)
        action = "list";
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].action, action))
            continue;
        if (actions[i].changes && gate_may_be_foreign(ex))
            gate_reply_page(ex, 403, "Browsers change parameters over HTTPS, or by POST.");
        else
            actions[i].serve(ex, d->cam);
        return;
    }
    struct fault why = {0};
    fault_set(&why, FAULT_INVALID, "action",
              "There is no action \"%.40s\"; use list, listdefinitions, update, add or remove",
              action);
    request_failed(ex, &why);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/param.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_USER, /* each parameter has its own */
     .changes_state = true,
     .serve = serve,
     .doc = "read and set parameters"},
};
static const char *const aliases[][2] = {
    {"/axis-cgi/view/param.cgi", "/axis-cgi/param.cgi"},
    {"/axis-cgi/operator/param.cgi", "/axis-cgi/param.cgi"},
    {"/axis-cgi/admin/param.cgi", "/axis-cgi/param.cgi"},
    {NULL, NULL},
};
const struct cgi cgi_param = {CGI_ROWS(rows), .aliases = aliases};
