#include "cli.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_LIMIT (64u << 20) /* no answer of a camera is longer */

struct http {
    const struct options *o;
    /* Two handles: libcurl sends the first request of a login with an empty body,
     * which a call that needs no login would take for the real one. */
    CURL *open, *login;
};

struct http *http_new(const struct options *o)
{
    struct http *h = calloc(1, sizeof(*h));
    if (!h || curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(h);
        return NULL;
    }
    h->o = o;
    h->open = curl_easy_init();
    h->login = curl_easy_init();
    return h->open && h->login ? h : http_free(h);
}

struct http *http_free(struct http *h)
{
    if (!h)
        return NULL;
    curl_easy_cleanup(h->open);
    curl_easy_cleanup(h->login);
    curl_global_cleanup();
    free(h);
    return NULL;
}

static size_t take(char *data, size_t size, size_t n, void *arg)
{
    struct reply *r = arg;
    size_t len = size * n;
    if (len > REPLY_LIMIT - r->len)
        return 0;
    char *more = realloc(r->body, r->len + len + 1);
    if (!more)
        return 0;
    memcpy(more + r->len, data, len);
    r->body = more;
    r->len += len;
    more[r->len] = '\0';
    return len;
}

int http_call(struct http *h, const char *path, const char *body, bool login, struct reply *ret)
{
    const struct options *o = h->o;
    char url[4096], error[CURL_ERROR_SIZE] = "";
    int n = snprintf(url, sizeof(url), "%s%s", o->url, path);
    if (n < 0 || (size_t)n >= sizeof(url))
        return fail(EXIT_USAGE, "the request is too long");
    login = login && *o->user;
    CURL *c = login ? h->login : h->open;
    *ret = (struct reply){0};
    ret->body = calloc(1, 1);
    if (!ret->body)
        return fail(EXIT_LOCAL, "no memory");

    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "vedettectl/" VEDETTE_VERSION);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, o->timeout_s);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, o->timeout_s);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, ret);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
    if (o->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
    if (login) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
        curl_easy_setopt(c, CURLOPT_USERNAME, o->user);
        curl_easy_setopt(c, CURLOPT_PASSWORD, o->password);
    }
    if (body) {
        curl_easy_setopt(c, CURLOPT_POST, 1L);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    }
    CURLcode err = curl_easy_perform(c);
    if (err) {
        reply_done(ret);
        return fail(
            EXIT_UNREACHABLE, "%s: %s%s", o->url, *error ? error : curl_easy_strerror(err),
            err == CURLE_PEER_FAILED_VERIFICATION
                ? " (a self-signed certificate? --cacert FILE trusts it, -k skips the check)"
                : "");
    }
    const char *type = NULL;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &ret->status);
    curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
    snprintf(ret->type, sizeof(ret->type), "%s", type ? type : "");
    return EXIT_FINE;
}

int http_delete(struct http *h, const char *path, struct reply *ret)
{
    CURL *c = *h->o->user ? h->login : h->open;
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "DELETE");
    int code = http_call(h, path, NULL, true, ret);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, NULL);
    return code;
}

void reply_done(struct reply *r)
{
    free(r->body);
    r->body = NULL;
}

/* The words of an answer: a line of text, or the paragraph of a small page. */
static void reply_words(const struct reply *r, char *ret, size_t size)
{
    const char *text = "";
    if (!strncmp(r->type, "text/plain", 10)) {
        text = r->body;
    } else if (!strncmp(r->type, "text/html", 9)) {
        const char *p = strstr(r->body, "<p>");
        text = p ? p + 3 : "";
    }
    snprintf(ret, size, "%.*s", (int)strcspn(text, "<\r\n"), text);
}

int reply_refused(const struct options *o, const struct reply *r)
{
    char words[256];
    switch (r->status) {
    case 401:
        return *o->user ? fail(EXIT_REFUSED, "the camera does not accept this user and password")
                        : fail(EXIT_REFUSED, "the camera wants a login: -u USER:PASSWORD");
    case 403:
        return fail(EXIT_REFUSED, "user %s may not do this", *o->user ? o->user : "nobody");
    case 404:
        return fail(EXIT_REFUSED, "this camera cannot do that (404)");
    case 429:
        return fail(EXIT_REFUSED, "too many wrong passwords; the camera wants a pause");
    case 503:
        return fail(EXIT_REFUSED, "the camera is too busy (503)");
    default:
        reply_words(r, words, sizeof(words));
        return fail(EXIT_REFUSED, "the camera answers %ld%s%s", r->status, *words ? ": " : "",
                    words);
    }
}

char *http_escape(const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = malloc(3 * strlen(text) + 1), *p = out;
    if (!out)
        return NULL;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c)) {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    *p = '\0';
    return out;
}

int http_json(struct http *h, const struct options *o, const char *path, const char *method,
              bool login, json_t **ret_data)
{
    char body[256];
    struct reply r;
    snprintf(body, sizeof(body),
             "{\"apiVersion\":\"1.0\",\"context\":\"vedettectl\",\"method\":\"%s\"}", method);
    int code = http_call(h, path, body, login, &r);
    if (code)
        return code;
    if (r.status != 200) {
        code = reply_refused(o, &r);
        reply_done(&r);
        return code;
    }
    json_t *j = json_loadb(r.body, r.len, 0, NULL);
    reply_done(&r);
    json_t *data = json_object_get(j, "data");
    if (data) {
        *ret_data = json_incref(data);
    } else if (j) {
        const char *why =
            json_string_value(json_object_get(json_object_get(j, "error"), "message"));
        code = fail(EXIT_REFUSED, "%s: %s", method, why ? why : "refused without a reason");
    } else {
        code = fail(EXIT_UNREACHABLE, "%s%s does not answer as a camera does", o->url, path);
    }
    json_decref(j);
    return code;
}
