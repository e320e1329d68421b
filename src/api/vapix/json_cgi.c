#include "api/vapix/json_cgi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/restart.h"
#include "base/buf.h"
#include "base/fault.h"
#include "conf/param.h"

const struct json_family json_family_a = {.internal = 8000,
                                          .post_only = 2002,
                                          .version = 2003,
                                          .method = 2004,
                                          .bad_json = 4000,
                                          .missing = 4002,
                                          .invalid = 1000,
                                          .not_found = 1000};
const struct json_family json_family_b = {.internal = 1100,
                                          .post_only = 2107,
                                          .version = 2100,
                                          .method = 2102,
                                          .bad_json = 2101,
                                          .missing = 2103,
                                          .invalid = 2104,
                                          .not_found = 2104};
const struct json_family json_family_c = {.internal = 1000,
                                          .post_only = 2002,
                                          .version = 2000,
                                          .method = 2005,
                                          .bad_json = 2001,
                                          .missing = 2003,
                                          .invalid = 2004,
                                          .not_found = 2006};
const struct json_family json_family_d = {.internal = 8000,
                                          .post_only = 2002,
                                          .version = 2003,
                                          .method = 2004,
                                          .bad_json = 4000,
                                          .missing = 4001,
                                          .invalid = 1000,
                                          .not_found = 1002};
const struct json_family json_family_e = {.internal = 1000,
                                          .post_only = 2000,
                                          .version = 4001,
                                          .method = 4000,
                                          .bad_json = 3000,
                                          .missing = 4003,
                                          .invalid = 4004,
                                          .not_found = 4004};

const struct json_family json_family_f = {.internal = 101,
                                          .post_only = 203,
                                          .version = 100,
                                          .method = 203,
                                          .bad_json = 200,
                                          .missing = 102,
                                          .invalid = 103,
                                          .not_found = 302};
const struct json_family json_family_g = {.internal = 1000,
                                          .post_only = 1002,
                                          .version = 1001,
                                          .method = 1002,
                                          .bad_json = 1004,
                                          .missing = 1003,
                                          .invalid = 1003,
                                          .not_found = 1003};

const struct json_family json_family_j = {.internal = 8000,
                                          .post_only = 2000,
                                          .version = 2000,
                                          .method = 4001,
                                          .bad_json = 4000,
                                          .missing = 4001,
                                          .invalid = 4001,
                                          .not_found = 4001};

/* The call, its request and its context die with the exchange. */
struct work {
    struct json_call call;
    json_t *request;
    const json_t *context;
    struct commit *commit;
};

struct commit {
    struct work *work; /* NULL: the client has left */
    json_t *data;
    struct camera *restart; /* or NULL */
};

static void finish(struct json_call *c, const char *member, json_t *take_value)
{
    struct work *w = (struct work *)c;
    struct exchange *ex = c->ex;
    JSON_AUTO *reply = json_object();
    json_object_set_new(reply, "apiVersion", json_string(c->cgi->version));
    if (w->context)
        json_object_set(reply, "context", (json_t *)(uintptr_t)w->context);
    if (c->method)
        json_object_set_new(reply, "method", json_string(c->method));
    json_object_set_new(reply, member, take_value);
    BUF(body, LIMIT_REPLY_BYTES);
    json_write(&body, reply);
    json_decref(w->request);
    free(w);
    ex->user = NULL;
    ex->cancel = NULL;
    if (body.err || !body.len)
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        exchange_reply(ex, 200, "application/json", body.data, body.len);
}

void json_call_reply(struct json_call *c, json_t *take_data)
{
    if (take_data)
        finish(c, "data", take_data);
    else
        json_call_error(c, c->cgi->family->internal, "Internal error");
}

void json_call_error(struct json_call *c, int code, const char *message)
{
    finish(c, "error", json_pack("{s:i, s:s}", "code", code, "message", message));
}

void json_call_fault(struct json_call *c, const struct fault *why)
{
    const struct json_family *f = c->cgi->family;
    int code = f->internal;
    if (why->kind == FAULT_INVALID || why->kind == FAULT_CONFLICT || why->kind == FAULT_LIMIT)
        code = f->invalid;
    else if (why->kind == FAULT_MISSING)
        code = f->missing;
    else if (why->kind == FAULT_UNKNOWN)
        code = f->not_found;
    json_call_error(c, code, why->text);
}

static void on_committed(int err, const struct fault *why, void *arg)
{
    struct commit *commit = arg;
    struct work *w = commit->work;
    json_t *data = commit->data;
    if (!err && commit->restart)
        restart_soon(commit->restart); /* after the answer */
    free(commit);
    if (!w) {
        json_decref(data);
        return;
    }
    w->commit = NULL;
    if (!err) {
        json_call_reply(&w->call, data);
        return;
    }
    json_decref(data);
    json_call_fault(&w->call, why);
}

void json_call_commit(struct json_call *c, struct txn *take_txn, json_t *take_data)
{
    struct work *w = (struct work *)c;
    struct commit *commit = calloc(1, sizeof *commit);
    if (!commit) {
        txn_abort(take_txn);
        json_decref(take_data);
        json_call_error(c, c->cgi->family->internal, "Internal error");
        return;
    }
    commit->work = w;
    commit->data = take_data;
    commit->restart = c->restarts ? c->door->cam : NULL;
    w->commit = commit;
    txn_commit(take_txn, on_committed, commit);
}

void json_call_set(struct json_call *c, const char *const (*pairs)[2], size_t n)
{
    json_call_set_reply(c, pairs, n, json_object());
}

void json_call_set_reply(struct json_call *c, const char *const (*pairs)[2], size_t n,
                         json_t *take_data)
{
    struct fault why = {0};
    int err = 0;
    struct txn *t = txn_new(c->door->cam->conf, c->ex->who.groups);
    if (!t) {
        json_decref(take_data);
        json_call_error(c, c->cgi->family->internal, "Internal error");
        return;
    }
    for (size_t i = 0; !err && i < n; i++)
        err = txn_set(t, pairs[i][0], pairs[i][1], &why);
    if (!err) {
        json_call_commit(c, t, take_data);
        return;
    }
    txn_abort(t);
    json_decref(take_data);
    json_call_fault(c, &why);
}

static void on_cancel(struct exchange *ex)
{
    struct work *w = ex->user;
    if (!w)
        return;
    if (w->call.cancelled)
        w->call.cancelled(&w->call);
    if (w->commit)
        w->commit->work = NULL;
    json_decref(w->request);
    free(w);
}

void json_serve_versions(struct json_call *c)
{
    json_call_reply(c, json_pack("{s:[s]}", "apiVersions", c->cgi->version));
}

/* "1", "1.0", "1.9": the same major number. */
static bool version_fits(const struct json_cgi *cgi, const char *asked)
{
    size_t major = strcspn(cgi->version, ".");
    if (strncmp(asked, cgi->version, major))
        return false;
    const char *rest = asked + major;
    return !*rest ||
           (*rest == '.' && rest[1] && strspn(rest + 1, "0123456789") == strlen(rest + 1));
}

static bool asks_for_more(const struct json_cgi *cgi)
{
    for (size_t i = 0; i < cgi->n_methods; i++) {
        if (cgi->methods[i].role != ROLE_ANYONE)
            return true;
    }
    return false;
}

static void parse(struct work *w)
{
    static json_t *nothing;
    struct json_call *c = &w->call;
    struct exchange *ex = c->ex;
    const struct json_family *f = c->cgi->family;
    struct fault why = {0};
    if (!nothing)
        nothing = json_object();
    c->params = nothing;
    if (c->ex->method != METHOD_POST) {
        json_call_error(c, f->post_only, "HTTP request type must be POST");
        return;
    }
    if (!c->ex->body_len && asks_for_more(c->cgi)) {
        /* Programs that know they will be asked to log in send an empty body first. */
        ex->cancel = NULL; /* the gate may refuse, which ends the exchange */
        if (!gate_require(c->door->gate, ex, ROLE_USER)) {
            free(w);
            return;
        }
        ex->cancel = on_cancel;
    }
    w->request = json_parse(c->ex->body, c->ex->body_len, &why);
    if (!json_is_object(w->request)) {
        json_call_error(c, f->bad_json, *why.text ? why.text : "A JSON object is expected");
        return;
    }
    c->request = w->request;
    w->context = json_object_get(w->request, "context");
    const json_t *method = json_object_get(w->request, "method");
    if (!json_is_string(method)) {
        json_call_error(c, f->missing, "The member \"method\" is missing");
        return;
    }
    c->method = json_string_value(method);
    const json_t *params = json_object_get(w->request, "params");
    if (json_is_object(params)) {
        c->params = params;
    } else if (params && !json_is_null(params) && !json_is_string(params)) {
        json_call_error(c, f->invalid, "The member \"params\" must be an object");
        return;
    }
    const struct json_method *found = NULL;
    for (size_t i = 0; i < c->cgi->n_methods && !found; i++) {
        if (!strcmp(c->cgi->methods[i].name, c->method))
            found = &c->cgi->methods[i];
    }
    if (!found) {
        char text[160];
        snprintf(text, sizeof text, "The method \"%.80s\" is not supported", c->method);
        json_call_error(c, f->method, text);
        return;
    }
    const json_t *version = json_object_get(w->request, "apiVersion");
    if (found->serve != json_serve_versions && version &&
        (!json_is_string(version) || !version_fits(c->cgi, json_string_value(version)))) {
        json_call_error(c, f->version, "The requested API version is not supported");
        return;
    }
    ex->cancel = NULL;
    bool may = gate_require(c->door->gate, ex, found->role);
    if (!may) {
        json_decref(w->request);
        free(w);
        return;
    }
    ex->cancel = on_cancel;
    found->serve(c);
}

void json_cgi_serve(const struct json_cgi *cgi, struct exchange *ex, struct vapix_door *door)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    w->call = (struct json_call){.door = door, .ex = ex, .cgi = cgi};
    ex->user = w;
    ex->cancel = on_cancel;
    parse(w);
}
