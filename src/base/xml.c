#include "base/xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

struct xml {
    xmlDoc *doc;
};

static void silent(void *context, const char *format, ...)
{
}

static void init(void)
{
    xmlInitParser();
}

static bool refuse(struct fault *why, const char *what)
{
    fault_set(why, FAULT_INVALID, NULL, "the XML %s", what);
    return false;
}

/* What libxml2 shall not even see. A rough scan of the tags; the parser judges the rest. */
static bool acceptable(const char *s, size_t len, struct fault *why)
{
    if (len > XML_LIMIT_BYTES)
        return refuse(why, "is too large");
    if (memchr(s, 0, len) || !text_is_utf8(s, len))
        return refuse(why, "is not UTF-8");
    size_t depth = 0, elements = 0;
    const char *end = s + len;
    for (const char *at = s; (at = memchr(at, '<', (size_t)(end - at)));) {
        size_t left = (size_t)(end - at);
        if (left > 1 && at[1] == '!') {
            const char *close = NULL;
            if (left > 3 && !memcmp(at, "<!--", 4))
                close = memmem(at + 4, left - 4, "-->", 3);
            else if (left > 8 && !memcmp(at, "<![CDATA[", 9))
                close = memmem(at + 9, left - 9, "]]>", 3);
            else
                return refuse(why, "holds a declaration (DOCTYPE)");
            if (!close)
                return refuse(why, "ends within a comment");
            at = close;
            continue;
        }
        if (left > 1 && at[1] == '?') {
            if (at != s || left < 6 || memcmp(at, "<?xml ", 6))
                return refuse(why, "holds a processing instruction");
            at++;
            continue;
        }
        if (left > 1 && at[1] == '/') {
            depth -= depth > 0;
            at++;
            continue;
        }
        /* a start: to its end, over quoted '>' */
        char quote = 0;
        size_t attributes = 0;
        const char *to = at + 1;
        for (; to < end && (quote || *to != '>'); to++) {
            if (quote ? *to == quote : *to == '"' || *to == '\'') {
                attributes += !quote;
                quote = quote ? 0 : *to;
            }
        }
        if (++elements > XML_LIMIT_ELEMENTS || attributes > XML_LIMIT_ATTRIBUTES)
            return refuse(why, "has too many elements or attributes");
        if (to < end && to[-1] != '/' && ++depth > XML_LIMIT_DEPTH)
            return refuse(why, "is too deep");
        at = to < end ? to : end - 1;
        if (to >= end)
            break;
    }
    return true;
}

struct xml *xml_parse(const char *bytes, size_t len, struct fault *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
    if (!acceptable(bytes, len, why))
        return NULL;
    struct xml *x = calloc(1, sizeof(*x));
    xmlParserCtxt *context = xmlNewParserCtxt();
    if (x && context) {
        context->sax->error = context->sax->warning = silent;
        x->doc = xmlCtxtReadMemory(context, bytes, (int)len, NULL, "UTF-8",
                                   XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
                                       XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
    }
    xmlFreeParserCtxt(context);
    if (x && x->doc && xmlDocGetRootElement(x->doc) && !xmlGetIntSubset(x->doc))
        return x;
    fault_set(why, FAULT_INVALID, NULL, "this is not XML");
    return xml_free(x);
}

struct xml *xml_free(struct xml *x)
{
    if (!x)
        return NULL;
    xmlFreeDoc(x->doc);
    free(x);
    return NULL;
}

static const xmlNode *node(const struct xml_node *n)
{
    return (const xmlNode *)(const void *)n;
}

static bool is_element(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && (!name || !strcmp((const char *)n->name, name));
}

static const struct xml_node *from(const xmlNode *n, const char *name)
{
    while (n && !is_element(n, name))
        n = n->next;
    return (const struct xml_node *)(const void *)n;
}

const struct xml_node *xml_root(const struct xml *x)
{
    return (const struct xml_node *)(const void *)xmlDocGetRootElement(x->doc);
}

const struct xml_node *xml_child(const struct xml_node *n, const char *name)
{
    return n ? from(node(n)->children, name) : NULL;
}

const struct xml_node *xml_next(const struct xml_node *n, const char *name)
{
    return n ? from(node(n)->next, name) : NULL;
}

const struct xml_node *xml_find(const struct xml_node *n, const char *name)
{
    for (const struct xml_node *c = xml_child(n, NULL); c; c = xml_next(c, NULL)) {
        if (is_element(node(c), name))
            return c;
        const struct xml_node *below = xml_find(c, name); /* as deep as XML_LIMIT_DEPTH */
        if (below)
            return below;
    }
    return NULL;
}

const char *xml_name(const struct xml_node *n)
{
    return (const char *)node(n)->name;
}

const char *xml_namespace(const struct xml_node *n)
{
    const xmlNs *ns = node(n)->ns;
    return ns && ns->href ? (const char *)ns->href : "";
}

size_t xml_text(const struct xml_node *n, char *ret, size_t size)
{
    size_t len = 0;
    for (const xmlNode *c = n ? node(n)->children : NULL; c; c = c->next) {
        if (c->type != XML_TEXT_NODE && c->type != XML_CDATA_SECTION_NODE)
            continue;
        for (const char *s = (const char *)c->content; s && *s && len + 1 < size; s++)
            if (len || !strchr(" \t\r\n", *s))
                ret[len++] = *s;
    }
    while (len && strchr(" \t\r\n", ret[len - 1]))
        len--;
    ret[len] = 0;
    return len;
}

const char *xml_attribute(const struct xml_node *n, const char *name)
{
    for (const xmlAttr *a = n ? node(n)->properties : NULL; a; a = a->next)
        if (!strcmp((const char *)a->name, name) && a->children && !a->children->next)
            return (const char *)a->children->content;
    return NULL;
}

size_t xml_escape(const char *text, char *ret, size_t size)
{
    size_t len = 0;
    for (; *text; text++) {
        const char *as = *text == '<'    ? "&lt;"
                         : *text == '>'  ? "&gt;"
                         : *text == '&'  ? "&amp;"
                         : *text == '"'  ? "&quot;"
                         : *text == '\'' ? "&apos;"
                                         : NULL;
        size_t n = as ? strlen(as) : 1;
        if (len + n + 1 > size)
            return 0;
        memcpy(ret + len, as ? as : text, n);
        len += n;
    }
    if (size)
        ret[len] = 0;
    return len;
}
