#include "net/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

struct client {
    CURL *curl;
    bool (*given_up)(void *arg);
    void *arg;
    struct buf *reply;
};

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct client *c = arg;
    return buf_add(c->reply, bytes, size * n) ? 0 : size * n; /* 0 ends it */
}

static int ask_on(void *arg, curl_off_t a, curl_off_t b, curl_off_t x, curl_off_t y)
{
    struct client *c = arg;
    return c->given_up && c->given_up(c->arg);
}

struct client *client_new(const struct client_login *login, long timeout_ms,
                          bool (*given_up)(void *arg), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    struct client *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->given_up = given_up;
    c->arg = arg;
    c->curl = curl_easy_init();
    if (!c->curl) {
        free(c);
        return NULL;
    }
    CURL *e = c->curl;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* the head stands beside us */
    curl_easy_setopt(e, CURLOPT_USERAGENT, "Vedette");
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, ask_on);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    if (login && login->user) {
        curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)(CURLAUTH_DIGEST | CURLAUTH_BASIC));
        curl_easy_setopt(e, CURLOPT_USERNAME, login->user);
        curl_easy_setopt(e, CURLOPT_PASSWORD, login->password ? login->password : "");
    }
    return c;
}

struct client *client_free(struct client *c)
{
    if (!c)
        return NULL;
    curl_easy_cleanup(c->curl);
    free(c);
    return NULL;
}

static int perform(struct client *c, const char *url, struct buf *reply)
{
    buf_reset(reply);
    c->reply = reply;
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    CURLcode r = curl_easy_perform(c->curl);
    long status = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    switch (r) {
    case CURLE_OK:
        return status > 0 ? (int)status : -EPROTO;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_ABORTED_BY_CALLBACK:
        return -ECANCELED;
    case CURLE_WRITE_ERROR:
        return -EMSGSIZE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return -ECONNREFUSED;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return -EPROTO;
    }
}

int client_get(struct client *c, const char *url, struct buf *reply)
{
    curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    return perform(c, url, reply);
}

int client_post(struct client *c, const char *url, const char *type, const char *body, size_t len,
                struct buf *reply)
{
    char header[128];
    snprintf(header, sizeof(header), "Content-Type: %s", type);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    struct curl_slist *more = curl_slist_append(headers, "Expect:");
    if (!headers || !more) {
        curl_slist_free_all(headers);
        return -ENOMEM;
    }
    curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    int r = perform(c, url, reply);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return r;
}
