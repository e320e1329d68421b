/* vedettectl: what its files share. One command a run, one thread; errors are
 * printed where they happen and come back as exit codes. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The exit codes are part of the interface: scripts rely on them. */
enum {
    EXIT_FINE = 0,
    EXIT_REFUSED = 1,     /* the camera says no */
    EXIT_USAGE = 2,       /* the command line makes no sense */
    EXIT_UNREACHABLE = 3, /* no camera there, or it does not speak sense */
    EXIT_LOCAL = 4,       /* a file of ours cannot be read or written */
};

struct options {
    char url[512]; /* "http://host:port", no slash at the end */
    char user[65], password[65];
    bool insecure, json;
    const char *ca_file;
    long timeout_s;
};

/* Prints "vedettectl: …" and returns `code`. */
int fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints one line of JSON and frees it. */
int print_json(json_t *take_j);

/* options.c: reads the options in front of the command; index of the command's
 * first word, or -EXIT code. */
int options_read(struct options *o, int argc, char **argv);
void usage(bool to_stdout);
bool parse_number(const char *text, double *ret);

/* http.c */
struct http;
struct reply {
    long status;
    char type[128];
    char *body; /* NUL-terminated; freed with reply_done */
    size_t len;
};
struct http *http_new(const struct options *o);
struct http *http_free(struct http *h);
/* body NULL: GET. login: send credentials if there are any. 0 whatever the status
 * is, or an exit code (printed). */
int http_call(struct http *h, const char *path, const char *body, bool login, struct reply *ret);
int http_delete(struct http *h, const char *path, struct reply *ret); /* with login */
void reply_done(struct reply *r);
/* For what is not 2xx: says why in words. Returns EXIT_REFUSED. */
int reply_refused(const struct options *o, const struct reply *r);
/* Text for a query or form, percent-encoded; freed with free(). NULL: no memory. */
char *http_escape(const char *text);
/* Calls a method of a JSON CGI: its "data" in *ret_data (to be unreferenced). */
int http_json(struct http *h, const struct options *o, const char *path, const char *method,
              bool login, json_t **ret_data);

/* The commands: argv[0] is the command's own name. */
int command_status(struct http *h, const struct options *o, int argc, char **argv);
int command_snapshot(struct http *h, const struct options *o, int argc, char **argv);
int command_ptz(struct http *h, const struct options *o, int argc, char **argv);
int command_param(struct http *h, const struct options *o, int argc, char **argv);
int command_truth(struct http *h, const struct options *o, int argc, char **argv);
int command_stage(struct http *h, const struct options *o, int argc, char **argv);
int command_overlay(struct http *h, const struct options *o, int argc, char **argv);
int command_fleet(struct http *h, const struct options *o, int argc, char **argv);
int command_masks(struct http *h, const struct options *o, int argc, char **argv);
int command_fault(struct http *h, const struct options *o, int argc, char **argv);

/* ptz.c: a command of a PTZ call; ret may be NULL. */
int ptz_run(struct http *h, const struct options *o, const char *path, const char *args,
            struct reply *ret);
/* ptz_presets.c: the words after "preset" and "tour". */
int ptz_preset(struct http *h, const struct options *o, const char *const *word, int n);
int ptz_tour(struct http *h, const struct options *o, const char *const *word, int n);

/* ptz.c, for status: false when there is no head or no right to ask. */
bool ptz_read_position(struct http *h, double *ret_pan, double *ret_tilt, double *ret_zoom);

#endif
