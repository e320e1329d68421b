#include "transport.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define ITEM_MAX 128

/* The next item up to a separator, trimmed, in `ret`; false: none, or too long. */
static bool next_item(const char **at, char separator, char ret[ITEM_MAX], bool *ret_more)
{
    const char *s = *at;
    size_t len = 0;
    while (s[len] && s[len] != separator && s[len] != ',')
        len++;
    *at = s + len + (s[len] == separator);
    *ret_more = s[len] == separator;
    while (len && (*s == ' ' || *s == '\t'))
        s++, len--;
    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    if (len >= ITEM_MAX)
        return false;
    memcpy(ret, s, len);
    ret[len] = '\0';
    return true;
}

/* "a-b" or "a"; *ret_b is -1 without the second. */
static bool parse_pair(const char *s, int max, int *ret_a, int *ret_b)
{
    char first[16];
    const char *dash = strchr(s, '-');
    size_t len = dash ? (size_t)(dash - s) : strlen(s);
    int64_t a, b = -1;
    if (len >= sizeof(first))
        return false;
    memcpy(first, s, len);
    first[len] = '\0';
    if (text_int(first, 0, max, &a) < 0 || (dash && text_int(dash + 1, 0, max, &b) < 0))
        return false;
    *ret_a = (int)a;
    *ret_b = (int)b;
    return true;
}

static bool starts(const char *s, const char *name, const char **ret_value)
{
    char word[ITEM_MAX];
    size_t len = strlen(name);
    text_copy(word, sizeof(word), s);
    word[len < sizeof(word) ? len : 0] = '\0';
    *ret_value = s + len;
    return text_iequal(word, name);
}

/* One parameter; false: with it this alternative cannot be served. */
static bool take_parameter(const char *item, const char *peer, struct transport *t,
                           char destination[ITEM_MAX])
{
    const char *value;
    int a, b;
    if (text_iequal(item, "multicast")) {
        t->multicast = true;
        return true;
    }
    if (starts(item, "interleaved=", &value)) {
        if (!parse_pair(value, 255, &a, &b))
            return false;
        t->channel = a < 255 ? a : 0; /* RTCP takes the next, whatever was asked for */
        return true;
    }
    if (starts(item, "client_port=", &value)) {
        if (!parse_pair(value, 65535, &a, &b))
            return false;
        t->rtp_port = a;
        t->rtcp_port = b < 0 ? a + 1 : b;
        return true;
    }
    if (starts(item, "destination=", &value))
        return text_copy(destination, ITEM_MAX, value);
    if (starts(item, "source=", &value))
        return !*value || text_iequal(value, peer);
    if (starts(item, "mode=", &value))
        return text_iequal(value, "play") || text_iequal(value, "\"play\"");
    return true;
}

static bool can_be_served(const struct transport *t, const struct transport_offer *offer,
                          const char *destination)
{
    /* media goes to who asks, or to our group, nowhere else */
    const char *only = t->multicast ? offer->group : offer->peer;
    if (t->multicast ? t->tcp || !offer->group : !(t->tcp ? offer->unicast : offer->udp))
        return false;
    if (*destination && !text_iequal(destination, only))
        return false;
    return t->tcp || t->multicast ||
           (t->rtp_port > 0 && t->rtp_port % 2 == 0 && t->rtcp_port > 0 && t->rtcp_port <= 65535 &&
            t->rtcp_port != t->rtp_port);
}

/* "RTP/AVP", "RTP/AVP/UDP", "RTP/AVP/TCP", and the same with SAVP where media is encrypted.
 * Some clients say AVP then, too. */
static bool take_profile(const char *item, const struct transport_offer *offer, struct transport *t)
{
    char way[ITEM_MAX];
    const char *rest;
    t->savp = starts(item, "RTP/SAVP", &rest);
    if (!t->savp && !starts(item, "RTP/AVP", &rest))
        return false;
    text_copy(way, sizeof(way), rest);
    t->tcp = text_iequal(way, "/TCP");
    return (t->tcp || !*way || text_iequal(way, "/UDP")) && (!t->savp || offer->srtp);
}

int transport_pick(const char *header, const struct transport_offer *offer, struct transport *ret)
{
    if (!header || !*header)
        return 400;
    for (const char *at = header; *at;) {
        struct transport t = {0};
        char item[ITEM_MAX], destination[ITEM_MAX] = "";
        bool more, good = next_item(&at, ';', item, &more);
        good = good && take_profile(item, offer, &t);
        while (more) {
            if (!next_item(&at, ';', item, &more) ||
                !take_parameter(item, offer->peer, &t, destination))
                good = false;
        }
        if (good && can_be_served(&t, offer, destination)) {
            *ret = t;
            return 0;
        }
        if (*at == ',')
            at++;
    }
    return 461;
}
