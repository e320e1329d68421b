/* JSON by jansson, with limits for what strangers send. Any thread; values are
 * owned as jansson owns them. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct fault;

#define JSON_MAX_BYTES (256 * 1024)
#define JSON_MAX_DEPTH 32

static inline void json_unref_p(json_t **j)
{
    json_decref(*j);
}
#define JSON_AUTO __attribute__((cleanup(json_unref_p))) json_t

/* NULL and why on error: size, depth (checked before parsing), syntax with line
 * and column, duplicate keys, numbers that are not finite. */
json_t *json_parse(const char *bytes, size_t len, struct fault *why);
int json_write(struct buf *b, const json_t *j); /* compact, UTF-8 */

/* Typed members with a fault that names the member; *ret untouched when absent. */
int json_get_string(const json_t *obj, const char *key, const char **ret, struct fault *why);
int json_get_double(const json_t *obj, const char *key, double *ret, struct fault *why);
int json_get_int(const json_t *obj, const char *key, int64_t *ret, struct fault *why);
int json_get_bool(const json_t *obj, const char *key, bool *ret, struct fault *why);

#endif
