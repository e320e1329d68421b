/* Text that comes from outside: strict numbers, bounded copies, URL and UTF-8.
 * Any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole text must be a decimal number within [min, max]; -EINVAL or -ERANGE.
 * No white space, no sign '+', no hex, no inf/nan; doubles accept one '.' and an
 * exponent. Independent of the locale. */
int text_int(const char *s, int64_t min, int64_t max, int64_t *ret);
int text_double(const char *s, double min, double max, double *ret);
int text_bool(const char *s, bool *ret); /* yes/no, true/false, on/off, 1/0 */

/* Copies with truncation; false when it did not fit. Always terminates. */
bool text_copy(char *ret, size_t size, const char *s);
bool text_is_ascii_print(const char *s); /* 0x20..0x7e */
bool text_is_utf8(const char *s, size_t len);
void text_keep_utf8(char *s); /* in place: drops what is no UTF-8, such as a character cut in two */
bool text_glob(const char *pattern, const char *s);    /* '*' only */
bool text_iequal(const char *a, const char *b);        /* ASCII case-insensitive */
void text_html(const char *s, char *ret, size_t size); /* escapes < > & " ' */

/* Percent-decoding; plus_is_space for queries. Length, or -EINVAL on bad escapes,
 * NUL, control characters or text that is not UTF-8. In place is allowed. */
int text_url_decode(const char *s, size_t len, bool plus_is_space, char *ret, size_t size);

/* "2026-06-21T12:00:00.033Z"; size >= 32. */
void text_utc(int64_t utc_ns, char *ret, size_t size);

#endif
