#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct picture_facts {
    int width, height;
    json_t *stamp; /* serial, pose and UTC that the camera wrote into it; or NULL */
};

/* Walks the segments of a JPEG up to its first scan. */
static bool read_jpeg(const unsigned char *p, size_t len, struct picture_facts *ret)
{
    *ret = (struct picture_facts){0};
    if (len < 4 || p[0] != 0xff || p[1] != 0xd8)
        return false;
    for (size_t i = 2; i + 4 <= len && p[i] == 0xff;) {
        unsigned marker = p[i + 1];
        size_t size = (size_t)p[i + 2] << 8 | p[i + 3];
        if (size < 2 || size > len - i - 2)
            break;
        const unsigned char *data = p + i + 4;
        if (marker >= 0xc0 && marker <= 0xc2 && size >= 8) {
            ret->height = data[1] << 8 | data[2];
            ret->width = data[3] << 8 | data[4];
        } else if (marker == 0xfe && !ret->stamp) {
            ret->stamp = json_loadb((const char *)data, size - 2, 0, NULL);
        } else if (marker == 0xda) {
            break;
        }
        i += 2 + size;
    }
    return ret->width > 0;
}

/* Whole or not at all: beside the target first, then renamed. */
static int write_file(const char *path, const struct reply *r)
{
    char temp[4096];
    int n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof(temp))
        return fail(EXIT_USAGE, "the file name is too long");
    int fd = mkstemp(temp);
    if (fd < 0)
        return fail(EXIT_LOCAL, "cannot write %s: %s", path, strerror(errno));
    mode_t mask = umask(0); /* mkstemp made it private; a picture is a file like others */
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    size_t done = 0;
    while (done < r->len) {
        ssize_t k = write(fd, r->body + done, r->len - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            break;
        done += (size_t)k;
    }
    int err = done < r->len ? errno : 0;
    if (close(fd) && !err)
        err = errno;
    if (!err && rename(temp, path))
        err = errno;
    if (!err)
        return EXIT_FINE;
    unlink(temp);
    return fail(EXIT_LOCAL, "cannot write %s: %s", path, strerror(err));
}

int command_snapshot(struct http *h, const struct options *o, int argc, char **argv)
{
    static const char *const names[] = {"resolution", "compression", "camera"};
    char target[1024] = "/axis-cgi/jpg/image.cgi";
    const char *file = NULL;
    char separator = '?';
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2)) {
            if (file)
                return fail(EXIT_USAGE, "snapshot writes one file, not also \"%s\"", argv[i]);
            file = argv[i];
            continue;
        }
        const char *name = NULL;
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
            if (!strcmp(argv[i] + 2, names[k]))
                name = names[k];
        if (!name || i + 1 == argc)
            return fail(EXIT_USAGE, "snapshot: %s %s", argv[i],
                        name ? "wants a value" : "is unknown");
        char *value = http_escape(argv[++i]);
        size_t used = strlen(target);
        int n = value ? snprintf(target + used, sizeof(target) - used, "%c%s=%s", separator, name,
                                 value)
                      : -1;
        free(value);
        if (n < 0 || (size_t)n >= sizeof(target) - used)
            return fail(EXIT_USAGE, "the request is too long");
        separator = '&';
    }
    if (!file)
        return fail(EXIT_USAGE, "snapshot wants the name of a file");
    bool to_stdout = !strcmp(file, "-");
    if (to_stdout && (o->json || isatty(STDOUT_FILENO)))
        return fail(EXIT_USAGE, "a picture cannot be written there");

    struct reply r;
    int code = http_call(h, target, NULL, true, &r);
    if (code)
        return code;
    struct picture_facts facts = {0};
    if (r.status != 200)
        code = reply_refused(o, &r);
    else if (!read_jpeg((const unsigned char *)r.body, r.len, &facts))
        code = fail(EXIT_UNREACHABLE, "%s%s is no JPEG picture", o->url, target);
    else if (to_stdout)
        code = fwrite(r.body, 1, r.len, stdout) == r.len
                   ? EXIT_FINE
                   : fail(EXIT_LOCAL, "cannot write the picture");
    else
        code = write_file(file, &r);

    if (!code && o->json) {
        json_t *j = json_pack("{s:s, s:I, s:i, s:i}", "file", file, "bytes", (json_int_t)r.len,
                              "width", facts.width, "height", facts.height);
        if (j && facts.stamp)
            json_object_set(j, "picture", facts.stamp);
        code = print_json(j);
    } else if (!code && !to_stdout) {
        printf("%s: %dx%d, %zu bytes\n", file, facts.width, facts.height, r.len);
    }
    json_decref(facts.stamp);
    reply_done(&r);
    return code;
}
