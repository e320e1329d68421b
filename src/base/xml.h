/* XML by libxml2, with limits for what strangers send; the only file that includes it.
 *
 * UTF-8 only; no DOCTYPE, no entities but the five of XML, no processing instructions;
 * sizes, depth and numbers of elements and attributes are limited before anything is
 * built. A document and what is found in it belong to one thread at a time. Names are local names:
 * namespaces are kept, but a prefix is never compared. */
#ifndef BASE_XML_H
#define BASE_XML_H

#include <stddef.h>

struct fault;
struct xml;      /* a document */
struct xml_node; /* an element; borrowed, lives as long as its document */

#define XML_LIMIT_BYTES (256 * 1024)
#define XML_LIMIT_DEPTH 64
#define XML_LIMIT_ELEMENTS 8192
#define XML_LIMIT_ATTRIBUTES 64 /* of one element */

/* NULL and why. */
struct xml *xml_parse(const char *bytes, size_t len, struct fault *why);
struct xml *xml_free(struct xml *x);
const struct xml_node *xml_root(const struct xml *x);
/* Elements; NULL (also for NULL): none. name NULL: any. */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);
const struct xml_node *xml_next(const struct xml_node *n,
                                const char *name); /* of the same parent */
/* The first of that name below, in the order of the text. */
const struct xml_node *xml_find(const struct xml_node *n, const char *name);
const char *xml_name(const struct xml_node *n);
const char *xml_namespace(const struct xml_node *n); /* "" when none */
/* The text that stands directly in the element, white space at both ends removed; cut off
 * at `size`. Its length. */
size_t xml_text(const struct xml_node *n, char *ret, size_t size);
/* An attribute without prefix, or with any; NULL: none. */
const char *xml_attribute(const struct xml_node *n, const char *name);

/* Escapes text for an element or an attribute. Length, or 0 when it did not fit. */
size_t xml_escape(const char *text, char *ret, size_t size);

#endif
