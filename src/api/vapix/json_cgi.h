/* The envelope of JSON CGIs: {"apiVersion","context","method","params"} in,
 * {"apiVersion","context","method","data" | "error"} out, always with status 200.
 *
 * A call lives as long as its exchange. serve() ends in exactly one reply, at once or
 * later; json_call_commit() is the later one for changes of parameters. */
#ifndef API_VAPIX_JSON_CGI_H
#define API_VAPIX_JSON_CGI_H

#include "api/vapix/door.h"
#include "base/json.h"

struct txn;

/* The error numbers of a family of APIs; 0: the family has none of its own. */
struct json_family {
    int internal, post_only, version, method, bad_json, missing, invalid, not_found;
};
extern const struct json_family json_family_a, json_family_b, json_family_c, json_family_d,
    json_family_e, json_family_f, json_family_g, json_family_j;

struct json_call {
    struct vapix_door *door;
    struct exchange *ex;
    const struct json_cgi *cgi;
    const char *method;
    const json_t *params;  /* an object; may be empty */
    const json_t *request; /* the whole: some APIs have their arguments beside params */
    void *own;             /* of serve() that answers later … */
    void (*cancelled)(struct json_call *c); /* … and is told when the client leaves before */
    bool restarts; /* json_call_commit(): what was set holds from the next start on */
};

struct json_method {
    const char *name;
    enum role role;
    void (*serve)(struct json_call *c);
};

struct json_cgi {
    const char *version; /* the newest: "1.3"; all its minors are answered with it */
    const struct json_family *family;
    const struct json_method *methods;
    size_t n_methods;
};

void json_cgi_serve(const struct json_cgi *cgi, struct exchange *ex, struct vapix_door *door);
void json_call_reply(struct json_call *c, json_t *take_data);
void json_call_error(struct json_call *c, int code, const char *message);
void json_call_fault(struct json_call *c, const struct fault *why);
/* Commits, then replies with take_data, or with the fault. */
void json_call_commit(struct json_call *c, struct txn *take_txn, json_t *take_data);
/* Sets parameters {name, value} in one transaction, with the rights of who asks; then the
 * answer: an empty object, or the fault. */
void json_call_set(struct json_call *c, const char *const (*pairs)[2], size_t n);
/* The answer is take_data. */
void json_call_set_reply(struct json_call *c, const char *const (*pairs)[2], size_t n,
                         json_t *take_data);
/* For each API that has it: {"apiVersions":["1.3"]}. */
void json_serve_versions(struct json_call *c);

#endif
