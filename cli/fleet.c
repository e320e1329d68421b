/* Many cameras on this machine: starts, lists and stops them. The one command that is not
 * about a camera somewhere else. */
#include "fleet.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define READY_SECONDS 120
#define END_SECONDS 20

struct wish {
    char dir[PATH_MAX - 128];
    const char *bind, *first_address, *source, *clock;
    long first_port, seed; /* first_port -1: the standard */
    bool all, json;
    const char *words[FLEET_MOST];
    int n_words;
};

static const int standard_ports[FLEET_PORTS] = {8080, 8443, 8554, 8322};

/* ---- what is asked ---- */

static int default_dir(char *ret, size_t size)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = base && *base == '/' ? snprintf(ret, size, "%s/vedette-fleet", base)
            : home               ? snprintf(ret, size, "%s/.local/state/vedette-fleet", home)
                                 : -1;
    return n > 0 && (size_t)n < size ? EXIT_FINE
                                     : fail(EXIT_USAGE, "where? --dir DIR, or set HOME");
}

/* The camera works in another folder than we do. */
static int set_dir(struct wish *w, const char *dir)
{
    char here[PATH_MAX];
    if (*dir != '/' && !getcwd(here, sizeof(here)))
        return fail(EXIT_LOCAL, "this folder has no name: %s", strerror(errno));
    int n = snprintf(w->dir, sizeof(w->dir), "%s%s%s", *dir == '/' ? "" : here,
                     *dir == '/' ? "" : "/", dir);
    while (n > 1 && (size_t)n < sizeof(w->dir) && w->dir[n - 1] == '/')
        w->dir[--n] = '\0';
    return n > 0 && (size_t)n < sizeof(w->dir) && *dir
               ? EXIT_FINE
               : fail(EXIT_USAGE, "\"%s\" is no folder for a fleet", dir);
}

static int take_number(const char *text, double min, double max, long *ret, const char *what)
{
    double v;
    if (!parse_number(text, &v) || v < min || v > max || v != (double)(long)v)
        return fail(EXIT_USAGE, "%s is %.0f to %.0f, not \"%s\"", what, min, max, text);
    *ret = (long)v;
    return EXIT_FINE;
}

static int take_option(struct wish *w, const char *name, const char *value)
{
    if (!strcmp(name, "dir"))
        return set_dir(w, value);
    if (!strcmp(name, "first-port"))
        return take_number(value, 0, 65535, &w->first_port, "--first-port");
    if (!strcmp(name, "seed"))
        return take_number(value, 0, 1e9, &w->seed, "--seed");
    const struct {
        const char *name, **at;
    } texts[] = {{"bind", &w->bind},
                 {"first-address", &w->first_address},
                 {"source", &w->source},
                 {"clock", &w->clock}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!strcmp(name, texts[i].name)) {
            *texts[i].at = value;
            return EXIT_FINE;
        }
    return fail(EXIT_USAGE, "fleet has no option --%s", name);
}

/* Options and words in any order: "--dir=D", "--dir D", "3". */
static int read_wish(struct wish *w, int argc, char **argv)
{
    int code = default_dir(w->dir, sizeof(w->dir));
    for (int i = 0; i < argc; i++) {
        char name[32];
        const char *a = argv[i], *equals = strchr(a, '=');
        if (strncmp(a, "--", 2)) {
            if (w->n_words == FLEET_MOST)
                return fail(EXIT_USAGE, "too many names");
            w->words[w->n_words++] = a;
            continue;
        }
        if (!strcmp(a, "--all") || !strcmp(a, "--json")) {
            *(a[2] == 'a' ? &w->all : &w->json) = true;
            continue;
        }
        size_t len = equals ? (size_t)(equals - a - 2) : strlen(a + 2);
        if (len >= sizeof(name))
            return fail(EXIT_USAGE, "fleet has no option %s", a);
        memcpy(name, a + 2, len);
        name[len] = '\0';
        const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value)
            return fail(EXIT_USAGE, "%s wants a value", a);
        int err = take_option(w, name, value);
        if (err)
            return err;
        if (!strcmp(name, "dir"))
            code = EXIT_FINE;
    }
    return code;
}

/* ---- what there is ---- */

/* All cameras of the folder, in the order of their numbers. *ret is to be freed. */
static int look(const struct wish *w, struct fleet_camera **ret, int *ret_n)
{
    struct dirent **entry = NULL;
    int found = scandir(w->dir, &entry, NULL, versionsort), n = 0;
    *ret_n = 0;
    *ret = calloc(FLEET_MOST, sizeof(**ret));
    for (int i = 0; i < found; i++) {
        if (*ret && n < FLEET_MOST && entry[i]->d_name[0] != '.' &&
            fleet_look(w->dir, entry[i]->d_name, &(*ret)[n]))
            n++;
        free(entry[i]);
    }
    free(entry);
    *ret_n = n;
    return *ret ? EXIT_FINE : fail(EXIT_LOCAL, "no memory");
}

static void host_of(const struct fleet_camera *c, char *ret, size_t size)
{
    const char *a = c->bind;
    if (!strcmp(a, "::") || !strcmp(a, "0.0.0.0"))
        a = "127.0.0.1";
    snprintf(ret, size, strchr(a, ':') ? "[%s]" : "%s", a);
}

static json_t *camera_json(const struct fleet_camera *c)
{
    char host[80], http[128], https[128], rtsp[160], rtsps[160];
    host_of(c, host, sizeof(host));
    snprintf(http, sizeof(http), "http://%s:%d", host, c->port[0]);
    snprintf(https, sizeof(https), "https://%s:%d", host, c->port[1]);
    snprintf(rtsp, sizeof(rtsp), "rtsp://%s:%d/axis-media/media.amp", host, c->port[2]);
    snprintf(rtsps, sizeof(rtsps), "rtsps://%s:%d/axis-media/media.amp", host, c->port[3]);
    json_t *j = json_pack("{s:s, s:b, s:s, s:s, s:I, s:s, s:s}", "name", c->name, "running",
                          c->pid != 0, "serial", c->serial, "source", c->source, "seed",
                          (json_int_t)c->seed, "clock", c->clock, "dir", c->dir);
    if (j && c->pid) {
        json_t *more = json_pack("{s:I, s:s, s:s, s:s, s:s}", "pid", (json_int_t)c->pid, "http",
                                 http, "https", https, "rtsp", rtsp, "rtsps", rtsps);
        json_object_update(j, more);
        json_decref(more);
    }
    return j;
}

static int tell(const struct options *o, const struct wish *w, const struct fleet_camera *all,
                int n)
{
    if (o->json || w->json) {
        json_t *list = json_array();
        for (int i = 0; i < n; i++)
            json_array_append_new(list, camera_json(&all[i]));
        return print_json(json_pack("{s:s, s:o}", "dir", w->dir, "cameras", list));
    }
    for (int i = 0; i < n; i++) {
        const struct fleet_camera *c = &all[i];
        char host[80];
        host_of(c, host, sizeof(host));
        if (c->pid)
            printf("%-8s %-12s pid %-7ld http://%s:%d/  https %d  rtsp %d  rtsps %d  %s%s\n",
                   c->name, c->serial, (long)c->pid, host, c->port[0], c->port[1], c->port[2],
                   c->port[3], c->source, strcmp(c->clock, "sim") ? "" : "  simulated time");
        else
            printf("%-8s %-12s stopped\n", c->name, *c->serial ? c->serial : "-");
    }
    return EXIT_FINE;
}

/* ---- start ---- */

/* The camera's program lies beside us, or above us in the build folder. */
static int find_program(char ret[PATH_MAX])
{
    static const char *const places[] = {"vedetted", "../vedetted"};
    const char *named = getenv("VEDETTED");
    char exe[PATH_MAX - 32];
    if (named && realpath(named, ret))
        return EXIT_FINE;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++) {
        char path[PATH_MAX];
        slash[1] = '\0';
        snprintf(path, sizeof(path), "%s%s", exe, places[i]);
        if (!access(path, X_OK) && realpath(path, ret))
            return EXIT_FINE;
    }
    return fail(EXIT_LOCAL, "vedetted is not beside vedettectl; name it by $VEDETTED");
}

/* The address `by` behind the first one. */
static int address_behind(const char *first, int by, char *ret, size_t size)
{
    struct in_addr a;
    struct in6_addr a6;
    if (inet_pton(AF_INET, first, &a) == 1) {
        a.s_addr = htonl(ntohl(a.s_addr) + (uint32_t)by);
        return inet_ntop(AF_INET, &a, ret, (socklen_t)size) ? EXIT_FINE : EXIT_USAGE;
    }
    if (inet_pton(AF_INET6, first, &a6) == 1) {
        unsigned carry = (unsigned)by;
        for (int i = 15; i >= 0 && carry; i--, carry >>= 8) {
            carry += a6.s6_addr[i];
            a6.s6_addr[i] = (uint8_t)carry;
        }
        return inet_ntop(AF_INET6, &a6, ret, (socklen_t)size) ? EXIT_FINE : EXIT_USAGE;
    }
    return fail(EXIT_USAGE, "\"%s\" is no IP address", first);
}

static int plan(const struct wish *w, int i, struct fleet_camera *c)
{
    char name[32];
    snprintf(name, sizeof(name), "cam-%02d", i + 1);
    if (fleet_look(w->dir, name, c) && c->pid)
        return EXIT_FINE; /* it runs */
    char serial[sizeof(c->serial)];
    memcpy(serial, c->serial, sizeof(serial));
    *c = (struct fleet_camera){.seed = w->seed + i};
    memcpy(c->serial, serial, sizeof(serial));
    memcpy(c->name, name, sizeof(name));
    int n = snprintf(c->dir, sizeof(c->dir), "%s/%s", w->dir, name);
    if (n < 0 || (size_t)n >= sizeof(c->dir) || strlen(w->source) >= sizeof(c->source))
        return fail(EXIT_USAGE, "the name of the folder or the source is too long");
    memcpy(c->source, w->source, strlen(w->source) + 1);
    snprintf(c->clock, sizeof(c->clock), "%s", w->clock);
    long first = w->first_port;
    for (int k = 0; k < FLEET_PORTS; k++) {
        if (w->first_address)
            c->port[k] = first < 0 ? standard_ports[k] : first ? (int)first + k : 0;
        else
            c->port[k] = first ? (int)(first < 0 ? 9000 : first) + FLEET_PORTS * i + k : 0;
        if (c->port[k] > 65535)
            return fail(EXIT_USAGE, "there are not so many ports behind %ld", first);
    }
    if (w->first_address)
        return address_behind(w->first_address, i, c->bind, sizeof(c->bind));
    snprintf(c->bind, sizeof(c->bind), "%s", w->bind);
    return EXIT_FINE;
}

/* The first administrator, where there is none. */
static int make_admin(struct http *h, const struct options *o, const char *camera)
{
    char *user = http_escape(o->user), *password = http_escape(o->password), body[1024];
    snprintf(body, sizeof(body),
             "action=add&user=%s&pwd=%s&grp=root&sgrp=admin:operator:viewer:ptz", user ? user : "",
             password ? password : "");
    free(user);
    free(password);
    struct reply r = {0};
    int code = http_call(h, "/axis-cgi/pwdgrp.cgi", body, false, &r);
    explicit_bzero(body, sizeof(body));
    if (!code && r.status != 401 && (r.status != 200 || !strstr(r.body, "Created account")))
        code = fail(EXIT_REFUSED, "%s takes no user %s with this password", camera, o->user);
    reply_done(&r);
    return code;
}

/* The new one is asked for its serial number, and gets its administrator when a login was
 * given. */
static int greet(const struct options *o, struct fleet_camera *c)
{
    struct options own = *o;
    char host[80];
    host_of(c, host, sizeof(host));
    snprintf(own.url, sizeof(own.url), "http://%s:%d", host, c->port[0]);
    struct http *h = http_new(&own);
    json_t *info = NULL;
    int code = h ? http_json(h, &own, "/axis-cgi/basicdeviceinfo.cgi",
                             "getAllUnrestrictedProperties", false, &info)
                 : fail(EXIT_LOCAL, "no memory");
    if (!code) {
        const json_t *list = json_object_get(info, "propertyList");
        const char *serial = json_string_value(json_object_get(list, "SerialNumber"));
        snprintf(c->serial, sizeof(c->serial), "%s", serial ? serial : "");
        code = fleet_save(c);
    }
    if (!code && *o->user)
        code = make_admin(h, &own, c->name);
    json_decref(info);
    http_free(h);
    return code;
}

static int make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool failed = mkdir(path, 0755) && errno != EEXIST;
        *slash = '/';
        if (failed)
            return fail(EXIT_LOCAL, "cannot make %s: %s", path, strerror(errno));
    }
    return mkdir(path, 0755) && errno != EEXIST
               ? fail(EXIT_LOCAL, "cannot make %s: %s", path, strerror(errno))
               : EXIT_FINE;
}

static int start(const struct options *o, struct wish *w)
{
    long n = 0;
    char program[PATH_MAX];
    if (w->n_words != 1)
        return fail(EXIT_USAGE, "fleet start N: how many cameras?");
    if (strcmp(w->clock, "real") && strcmp(w->clock, "sim"))
        return fail(EXIT_USAGE, "--clock takes real or sim, not \"%s\"", w->clock);
    int code = take_number(w->words[0], 1, FLEET_MOST, &n, "the number of cameras");
    if (!code)
        code = find_program(program);
    if (!code)
        code = make_parents(w->dir);
    if (code)
        return code;
    struct fleet_camera *all = calloc((size_t)n, sizeof(*all));
    if (!all)
        return fail(EXIT_LOCAL, "no memory");
    for (int i = 0; !code && i < n; i++)
        code = plan(w, i, &all[i]);
    if (code) {
        free(all);
        return code;
    }
    for (int i = 0; !code && i < n; i++)
        if (!all[i].pid)
            code = fleet_launch(&all[i], program);
    int ready = fleet_wait(all, (int)n, READY_SECONDS);
    code = code ? code : ready;
    for (int i = 0; !code && i < n; i++)
        if (all[i].ours)
            code = greet(o, &all[i]);
    int told = tell(o, w, all, (int)n);
    free(all);
    return code ? code : told;
}

/* ---- list and stop ---- */

static int list(const struct options *o, const struct wish *w)
{
    struct fleet_camera *all;
    int n;
    if (w->n_words)
        return fail(EXIT_USAGE, "fleet list takes no names");
    int code = look(w, &all, &n);
    if (!code)
        code = tell(o, w, all, n);
    free(all);
    return code;
}

static bool is_named(const struct wish *w, const char *name)
{
    for (int i = 0; i < w->n_words; i++)
        if (!strcmp(w->words[i], name))
            return true;
    return w->all;
}

static int stop(const struct options *o, const struct wish *w)
{
    struct fleet_camera *all;
    int n, named = 0;
    if (w->all == (w->n_words > 0))
        return fail(EXIT_USAGE, "fleet stop --all, or names as in fleet list");
    int code = look(w, &all, &n);
    for (int i = 0; !code && i < n; i++)
        if (is_named(w, all[i].name))
            all[named++] = all[i];
    if (!code && named < w->n_words)
        code = fail(EXIT_USAGE, "not all of these are in %s", w->dir);
    if (!code)
        code = fleet_end(all, named, END_SECONDS);
    if (!code)
        code = tell(o, w, all, named);
    free(all);
    return code;
}

int command_fleet(struct http *h, const struct options *o, int argc, char **argv)
{
    static struct wish w;
    (void)h;
    w = (struct wish){
        .bind = "127.0.0.1", .source = "virtual", .clock = "real", .first_port = -1, .seed = 1};
    if (argc < 2)
        return fail(EXIT_USAGE, "fleet start N | list | stop --all");
    int code = read_wish(&w, argc - 2, argv + 2);
    if (code)
        return code;
    if (!strcmp(argv[1], "start"))
        return start(o, &w);
    if (!strcmp(argv[1], "list"))
        return list(o, &w);
    if (!strcmp(argv[1], "stop"))
        return stop(o, &w);
    return fail(EXIT_USAGE, "fleet start N | list | stop --all, not fleet %s", argv[1]);
}
