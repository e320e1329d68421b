#include "system/time.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/text.h"
#include "conf/param.h"
#include "system/tzif.h"

#define ZONE_DIR "/usr/share/zoneinfo/"
#define ZONES_MAX 1024
#define TABLE_MAX_BYTES (256 * 1024)

/* Zones once read stay: immutable, a few kB each, at most as many as tzdata has. */
struct zone {
    char name[96];
    struct tzif data;
    struct zone *next;
};
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;

/* All of a small file; caller frees. NULL: it cannot be read or is too large. */
static uint8_t *read_file(const char *path, size_t max, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = fd >= 0 ? malloc(max + 1) : NULL;
    size_t len = 0;
    while (bytes && len <= max) {
        ssize_t n = read(fd, bytes + len, max + 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    if (!bytes || len > max || !len) {
        free(bytes);
        return NULL;
    }
    *ret_len = len;
    return bytes;
}

/* "Area/City" and no way out of the folder. */
static bool is_zone_name(const char *s)
{
    if (!((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z')) || strstr(s, "//"))
        return false;
    for (; *s; s++) {
        if (!((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
              *s == '_' || *s == '-' || *s == '+' || *s == '/'))
            return false;
    }
    return true;
}

static int load_zone(const char *name, struct tzif *ret)
{
    if (!strcmp(name, "UTC")) { /* known without tzdata */
        *ret = (struct tzif){.rule = "UTC0"};
        ret->at_s = calloc(1, sizeof *ret->at_s);
        ret->offset_s = calloc(1, sizeof *ret->offset_s);
        if (ret->at_s && ret->offset_s)
            return 0;
        tzif_done(ret);
        return -ENOMEM;
    }
    char path[sizeof ZONE_DIR + 96];
    size_t len = 0;
    if (!is_zone_name(name) || strlen(name) >= 96)
        return -ENOENT;
    memcpy(path, ZONE_DIR, sizeof ZONE_DIR);
    text_copy(path + sizeof ZONE_DIR - 1, sizeof path - sizeof ZONE_DIR + 1, name);
    uint8_t *bytes = read_file(path, TZIF_MAX_BYTES, &len);
    int err = bytes ? tzif_parse(bytes, len, ret) : -ENOENT;
    free(bytes);
    return err;
}

static const struct zone *find_zone(const char *name)
{
    pthread_mutex_lock(&zones_lock);
    struct zone *z = zones;
    while (z && strcmp(z->name, name))
        z = z->next;
    if (!z && (z = calloc(1, sizeof *z))) {
        if (text_copy(z->name, sizeof z->name, name) && !load_zone(name, &z->data)) {
            z->next = zones;
            zones = z;
        } else {
            free(z);
            z = NULL;
        }
    }
    pthread_mutex_unlock(&zones_lock);
    return z;
}

static int64_t floor_s(int64_t ns)
{
    return ns / NSEC_PER_SEC - (ns % NSEC_PER_SEC < 0);
}

long time_local_offset(const char *zone, int64_t utc_ns)
{
    const struct zone *z = find_zone(zone);
    struct posix_tz tz;
    if (z)
        return tzif_offset(&z->data, floor_s(utc_ns));
    return posix_tz_parse(zone, &tz) ? 0 : posix_tz_offset(&tz, floor_s(utc_ns));
}

/* The name that a rule has at its beginning, without its brackets. */
static size_t rule_name(const char *rule, const char **ret)
{
    if (*rule == '<') {
        *ret = rule + 1;
        return strcspn(rule + 1, ">");
    }
    *ret = rule;
    return strspn(rule, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

void time_local_name(const char *zone, int64_t utc_ns, char *ret, size_t size)
{
    char rule[TZIF_RULE_MAX];
    struct posix_tz tz;
    const char *name;
    if (time_posix_zone(zone, rule, sizeof rule) || posix_tz_parse(rule, &tz)) {
        text_copy(ret, size, "UTC");
        return;
    }
    size_t n = rule_name(rule, &name);
    if (tz.has_dst && time_local_offset(zone, utc_ns) == tz.dst_s) {
        const char *behind = name + n + (*rule == '<');
        behind += strspn(behind, "+-0123456789:");
        n = rule_name(behind, &name);
    }
    if (n >= size)
        n = size - 1;
    memcpy(ret, name, n);
    ret[n] = '\0';
}

bool time_zone_exists(const char *zone)
{
    struct posix_tz tz;
    return find_zone(zone) || !posix_tz_parse(zone, &tz);
}

int time_posix_zone(const char *zone, char *ret, size_t size)
{
    const struct zone *z = find_zone(zone);
    struct posix_tz tz;
    if (!z && posix_tz_parse(zone, &tz))
        return -ENOENT;
    return text_copy(ret, size, z ? z->data.rule : zone) ? 0 : -ERANGE;
}

bool time_zone_has_dst(const char *zone)
{
    char rule[TZIF_RULE_MAX];
    struct posix_tz tz;
    return !time_posix_zone(zone, rule, sizeof rule) && !posix_tz_parse(rule, &tz) && tz.has_dst;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Third column of zone.tab: the zones that people choose from, each country its own. */
static size_t read_zone_names(char *text, const char **names, size_t most)
{
    size_t n = 0;
    char *save_line = NULL;
    for (char *line = strtok_r(text, "\n", &save_line); line && n < most;
         line = strtok_r(NULL, "\n", &save_line)) {
        char *column = *line == '#' ? NULL : strchr(line, '\t');
        column = column ? strchr(column + 1, '\t') : NULL;
        if (!column)
            continue;
        char *name = column + 1;
        name[strcspn(name, "\t\r")] = '\0';
        if (is_zone_name(name))
            names[n++] = name;
    }
    return n;
}

static pthread_once_t names_once = PTHREAD_ONCE_INIT;
static const char *zone_names[ZONES_MAX + 2] = {"UTC"};
static size_t n_zone_names = 1;

static void load_names(void)
{
    size_t len = 0;
    static uint8_t *text; /* the names lie in it, for good */
    text = read_file(ZONE_DIR "zone.tab", TABLE_MAX_BYTES, &len);
    if (!text || memchr(text, '\0', len))
        return;
    uint8_t *whole = realloc(text, len + 1);
    if (!whole)
        return;
    text = whole;
    text[len] = '\0';
    size_t n = read_zone_names((char *)text, zone_names + 1, ZONES_MAX);
    qsort(zone_names + 1, n, sizeof *zone_names, by_name);
    n_zone_names = n + 1;
}

const char *const *time_zones(size_t *ret_n)
{
    pthread_once(&names_once, load_names);
    if (ret_n)
        *ret_n = n_zone_names;
    return zone_names;
}

static const char *const sync_choices[] = {"System", "None", NULL};

const char *const time_languages[] = {"en", "de", "fr", "es", "it", "nl",
                                      "pt", "sv", "da", "pl", NULL};

static const struct param_row rows[] = {
    {.name = "System.Language",
     .type = PARAM_ENUM,
     PARAM_FIELD(struct time_settings, language),
     .choices = time_languages,
     .standard = "en",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .doc = "Language of what the camera itself says: names of months and days in overlays"},
    {.name = "Time.POSIXTimeZone",
     .type = PARAM_STRING,
     PARAM_FIELD(struct time_settings, posix_zone),
     .standard = "UTC0",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .doc = "Time zone as a POSIX rule; follows Time.TimeZone"},
    {.name = "Time.SyncSource",
     .type = PARAM_ENUM,
     PARAM_FIELD(struct time_settings, sync_source),
     .choices = sync_choices,
     .standard = "System",
     .read = ROLE_VIEWER,
     .write = ROLE_SYSTEM,
     .doc = "What sets the clock"},
    {.name = "Time.TimeZone",
     .type = PARAM_STRING,
     PARAM_FIELD(struct time_settings, zone),
     .standard = "UTC",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .doc = "Time zone by its IANA name, as Europe/Stockholm; overlays and logs show its time"},
};

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct time_settings *t = candidate;
    struct posix_tz tz;
    if (!time_zone_exists(t->zone))
        return fault_set(why, FAULT_INVALID, "Time.TimeZone",
                         "there is no time zone \"%s\"; use an IANA name as Europe/Stockholm",
                         t->zone);
    if (posix_tz_parse(t->posix_zone, &tz))
        return fault_set(why, FAULT_INVALID, "Time.POSIXTimeZone",
                         "\"%s\" is no POSIX time zone; write it as CET-1CEST,M3.5.0,M10.5.0/3",
                         t->posix_zone);
    return 0;
}

const struct room_desc time_room_desc = {
    .name = "time",
    .size = sizeof(struct time_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
    .check = check,
};

struct time_keeper {
    struct conf *conf;
    struct conf_listener listener;
};

static bool named(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

static void on_change(struct conf_listener *l, const char *const *names, size_t n)
{
    struct time_keeper *k = container_of(l, struct time_keeper, listener);
    bool zone_set = named(names, n, "Time.TimeZone");
    if (!zone_set && !named(names, n, "Time.POSIXTimeZone"))
        return;
    BUF(zone, 256);
    BUF(rule, 256);
    char derived[96];
    if (conf_get(k->conf, "Time.TimeZone", ~0u, &zone, NULL) ||
        conf_get(k->conf, "Time.POSIXTimeZone", ~0u, &rule, NULL) ||
        time_posix_zone(buf_str(&zone), derived, sizeof derived) ||
        !strcmp(derived, buf_str(&rule)))
        return;
    if (zone_set)
        conf_set(k->conf, "Time.POSIXTimeZone", derived);
    else
        conf_set(k->conf, "Time.TimeZone", buf_str(&rule));
}

struct time_keeper *time_keeper_new(struct conf *conf)
{
    struct time_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->conf = conf;
    k->listener.changed = on_change;
    conf_listen(conf, &k->listener);
    return k;
}

struct time_keeper *time_keeper_free(struct time_keeper *k)
{
    if (!k)
        return NULL;
    conf_unlisten(k->conf, &k->listener);
    free(k);
    return NULL;
}
