#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"

/* Nesting is counted before parsing, so that the parser's recursion is bounded by
 * us and not by what a stranger sends. Wrong brackets are left to the parser. */
static bool too_deep(const char *bytes, size_t len)
{
    bool in_string = false;
    size_t depth = 0;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_MAX_DEPTH)
                return true;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

json_t *json_parse(const char *bytes, size_t len, struct fault *why)
{
    json_error_t err;
    if (len > JSON_MAX_BYTES) {
        fault_set(why, FAULT_INVALID, NULL, "The JSON text is longer than %d bytes.",
                  JSON_MAX_BYTES);
        return NULL;
    }
    if (too_deep(bytes, len)) {
        fault_set(why, FAULT_INVALID, NULL, "The JSON text is nested deeper than %d levels.",
                  JSON_MAX_DEPTH);
        return NULL;
    }
    json_t *j = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &err);
    if (!j) {
        /* what stands near the error is not repeated: it may be a password */
        char *near = strstr(err.text, " near ");
        if (near)
            *near = '\0';
        fault_set(why, FAULT_INVALID, NULL, "JSON line %d, column %d: %.120s.", err.line,
                  err.column, err.text);
    }
    return j;
}

static int add_bytes(const char *bytes, size_t len, void *arg)
{
    return buf_add(arg, bytes, len) < 0 ? -1 : 0;
}

int json_write(struct buf *b, const json_t *j)
{
    if (json_dump_callback(j, add_bytes, b,
                           JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)))
        return b->err ? b->err : -EINVAL;
    return b->err;
}

static int member(const json_t *obj, const char *key, const json_t **ret)
{
    const json_t *v = json_object_get(obj, key);
    if (!v)
        return 0;
    *ret = v;
    return 1;
}

int json_get_string(const json_t *obj, const char *key, const char **ret, struct fault *why)
{
    const json_t *v;
    if (!member(obj, key, &v))
        return 0;
    if (!json_is_string(v))
        return fault_set(why, FAULT_INVALID, key, "%s must be a string.", key);
    *ret = json_string_value(v);
    return 0;
}

int json_get_double(const json_t *obj, const char *key, double *ret, struct fault *why)
{
    const json_t *v;
    if (!member(obj, key, &v))
        return 0;
    if (!json_is_number(v) || !isfinite(json_number_value(v)))
        return fault_set(why, FAULT_INVALID, key, "%s must be a number.", key);
    *ret = json_number_value(v);
    return 0;
}

int json_get_int(const json_t *obj, const char *key, int64_t *ret, struct fault *why)
{
    const json_t *v;
    if (!member(obj, key, &v))
        return 0;
    if (!json_is_integer(v))
        return fault_set(why, FAULT_INVALID, key, "%s must be a whole number.", key);
    *ret = json_integer_value(v);
    return 0;
}

int json_get_bool(const json_t *obj, const char *key, bool *ret, struct fault *why)
{
    const json_t *v;
    if (!member(obj, key, &v))
        return 0;
    if (!json_is_boolean(v))
        return fault_set(why, FAULT_INVALID, key, "%s must be true or false.", key);
    *ret = json_is_true(v);
    return 0;
}
