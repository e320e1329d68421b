/* The built web page, loaded into memory at start: the page is small, and what is
 * in memory cannot be a path somebody talks us into. Every file has a strong ETag
 * and, when the build left one, a gzip twin. Immutable after loading. */
#ifndef API_WEB_FILES_H
#define API_WEB_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

#define WEB_FILES_MAX 128
#define WEB_FILES_BYTES (8 << 20)

struct web_file {
    char path[160]; /* "/assets/index-Dk3.js" */
    const char *type;
    char etag[24], gzip_etag[24]; /* with their quotes */
    void *bytes, *gzip;           /* gzip: NULL when there is none */
    size_t len, gzip_len;
    bool immutable; /* its name carries a hash of its content */
};

struct web_files {
    size_t n;
    struct web_file *file[WEB_FILES_MAX];
};

/* dir NULL or missing: FAULT_UNKNOWN, ret is empty. */
int web_files_load(struct web_files *ret, const char *dir, struct fault *why);
void web_files_done(struct web_files *f);
const struct web_file *web_files_find(const struct web_files *f, const char *path); /* NULL */
bool web_accepts_gzip(const char *accept_encoding); /* header value or NULL */
/* Does an If-None-Match value name this tag? */
bool web_etag_matches(const char *if_none_match, const char *etag);

#endif
