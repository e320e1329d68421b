#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/tree.h"

static size_t field_at(const struct leaf *leaf)
{
    return leaf->row->offset + (leaf->index > 0 ? (size_t)leaf->index * leaf->row->stride : 0);
}

static void *field(const struct leaf *leaf, void *data)
{
    return (char *)data + field_at(leaf);
}

static const void *cfield(const struct leaf *leaf, const void *data)
{
    return (const char *)data + field_at(leaf);
}

static bool unlimited(const struct param_row *row)
{
    return row->min == 0 && row->max == 0;
}

static int set_bool(const struct leaf *leaf, bool *field, const char *text, struct fault *why)
{
    if (text_bool(text, field) < 0)
        return fault_set(why, FAULT_INVALID, leaf->name, "%s must be yes or no.", leaf->name);
    return 0;
}

static int set_int(const struct leaf *leaf, int *field, const char *text, struct fault *why)
{
    const struct param_row *row = leaf->row;
    int64_t min = unlimited(row) ? INT_MIN : (int64_t)row->min;
    int64_t max = unlimited(row) ? INT_MAX : (int64_t)row->max, v;
    if (text_int(text, min, max, &v) < 0)
        return fault_set(why, FAULT_INVALID, leaf->name,
                         "%s must be a whole number from %lld to %lld.", leaf->name, (long long)min,
                         (long long)max);
    *field = (int)v;
    return 0;
}

static int set_double(const struct leaf *leaf, double *field, const char *text, struct fault *why)
{
    const struct param_row *row = leaf->row;
    double min = unlimited(row) ? -1e300 : row->min, max = unlimited(row) ? 1e300 : row->max;
    if (text_double(text, min, max, field) < 0)
        return fault_set(why, FAULT_INVALID, leaf->name, "%s must be a number from %.10g to %.10g.",
                         leaf->name, min, max);
    if (*field == 0)
        *field = 0; /* no minus zero: equal values have equal texts */
    return 0;
}

static int set_enum(const struct leaf *leaf, int *field, const char *text, struct fault *why)
{
    char list[128] = "";
    size_t n = 0;
    for (int i = 0; leaf->row->choices[i]; i++) {
        if (!strcmp(leaf->row->choices[i], text)) {
            *field = i;
            return 0;
        }
        if (n < sizeof(list))
            n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
                                  leaf->row->choices[i]);
    }
    return fault_set(why, FAULT_INVALID, leaf->name, "%s must be one of %s%s.", leaf->name, list,
                     n >= sizeof(list) ? " …" : "");
}

static int set_string(const struct leaf *leaf, char *field, const char *text, struct fault *why)
{
    size_t size = leaf->row->size, len = strlen(text);
    if (len >= size)
        return fault_set(why, FAULT_INVALID, leaf->name, "%s can be at most %zu bytes long.",
                         leaf->name, size - 1);
    if (!text_is_utf8(text, len))
        return fault_set(why, FAULT_INVALID, leaf->name, "%s must be UTF-8 text.", leaf->name);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return fault_set(why, FAULT_INVALID, leaf->name,
                             "%s may not contain control characters.", leaf->name);
    memset(field, 0, size);
    memcpy(field, text, len);
    return 0;
}

const char *value_standard(const struct leaf *leaf, char ret[STANDARD_MAX])
{
    const char *text = leaf->row->standard ? leaf->row->standard : "";
    const char *mark = leaf->row->type == PARAM_STRING ? strchr(text, '#') : NULL;
    if (leaf->index < 0 || !mark)
        return text;
    snprintf(ret, STANDARD_MAX, "%.*s%d%s", (int)(mark - text), text, leaf->index + 1, mark + 1);
    return ret;
}

int value_set(const struct leaf *leaf, void *data, const char *text, struct fault *why)
{
    switch (leaf->row->type) {
    case PARAM_BOOL:
        return set_bool(leaf, field(leaf, data), text, why);
    case PARAM_INT:
        return set_int(leaf, field(leaf, data), text, why);
    case PARAM_DOUBLE:
        return set_double(leaf, field(leaf, data), text, why);
    case PARAM_ENUM:
        return set_enum(leaf, field(leaf, data), text, why);
    case PARAM_STRING:
    case PARAM_SECRET:
        break;
    }
    return set_string(leaf, field(leaf, data), text, why);
}

/* The shortest text that reads back as the same number. */
static int print_double(double v, struct buf *ret)
{
    char text[32];
    double back;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (!text_double(text, -1e308, 1e308, &back) && back == v)
            break;
    }
    return buf_adds(ret, text);
}

int value_print(const struct leaf *leaf, const void *data, struct buf *ret)
{
    const void *f = cfield(leaf, data);
    switch (leaf->row->type) {
    case PARAM_BOOL:
        return buf_adds(ret, *(const bool *)f ? "yes" : "no");
    case PARAM_INT:
        return buf_addf(ret, "%d", *(const int *)f);
    case PARAM_DOUBLE:
        return print_double(*(const double *)f, ret);
    case PARAM_ENUM:
        return buf_adds(ret, leaf->row->choices[*(const int *)f]);
    case PARAM_STRING:
    case PARAM_SECRET:
        break;
    }
    return buf_adds(ret, f);
}

bool value_same(const struct leaf *leaf, const void *a, const void *b)
{
    return !memcmp(cfield(leaf, a), cfield(leaf, b), leaf->row->size);
}

void value_copy(const struct leaf *leaf, void *to, const void *from)
{
    memcpy(field(leaf, to), cfield(leaf, from), leaf->row->size);
}
