#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/fault.h"
#include "base/text.h"
#include "net/message.h"

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

static bool ends_with(const char *s, const char *ending)
{
    size_t n = strlen(s), m = strlen(ending);
    return n > m && !strcmp(s + n - m, ending);
}

static const char *type_of(const char *path)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (ends_with(path, types[i].ending))
            return types[i].type;
    return NULL;
}

static int read_whole(int dir_fd, const char *name, void **ret, size_t *ret_len, size_t *room)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    struct stat st;
    int r = 0;
    char *bytes = NULL;
    size_t len = 0;
    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (!S_ISREG(st.st_mode))
        r = -EINVAL;
    else if (st.st_size < 0 || (size_t)st.st_size > *room)
        r = -EFBIG;
    else if (!(bytes = malloc((size_t)st.st_size + 1)))
        r = -ENOMEM;
    while (!r && len < (size_t)st.st_size) {
        ssize_t got = read(fd, bytes + len, (size_t)st.st_size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            r = got < 0 ? -errno : -EIO;
        else
            len += (size_t)got;
    }
    close(fd);
    if (r) {
        free(bytes);
        return r;
    }
    *room -= len;
    *ret = bytes;
    *ret_len = len;
    return 0;
}

static void make_etag(char ret[24], const void *bytes, size_t len)
{
    uint8_t sum[HASH_MAX];
    hash_bytes(HASH_SHA256, bytes, len, sum);
    ret[0] = '"';
    hex_of(sum, 10, ret + 1);
    ret[21] = '"';
    ret[22] = 0;
}

static struct web_file *file_free(struct web_file *f)
{
    if (!f)
        return NULL;
    free(f->bytes);
    free(f->gzip);
    free(f);
    return NULL;
}

static int load_one(struct web_files *files, int dir_fd, const char *name, const char *under,
                    size_t *room, struct fault *why)
{
    if (files->n == WEB_FILES_MAX)
        return fault_set(why, FAULT_LIMIT, name, "The web page has more than %d files.",
                         WEB_FILES_MAX);
    struct web_file *f = calloc(1, sizeof(*f));
    if (!f)
        return fault_set(why, FAULT_INTERNAL, name, "Out of memory.");
    char twin[160];
    bool fits = text_copy(f->path, sizeof(f->path), under);
    size_t at = strlen(f->path);
    fits = fits && text_copy(f->path + at, sizeof(f->path) - at, name);
    fits = fits && text_copy(twin, sizeof(twin) - 3, name);
    if (!fits) {
        file_free(f);
        return fault_set(why, FAULT_INVALID, name, "A file name of the web page is too long.");
    }
    memcpy(twin + strlen(twin), ".gz", 4);
    f->type = type_of(name);
    f->immutable = !strcmp(under, "/assets/");
    int r = read_whole(dir_fd, name, &f->bytes, &f->len, room);
    if (!r) {
        make_etag(f->etag, f->bytes, f->len);
        r = read_whole(dir_fd, twin, &f->gzip, &f->gzip_len, room);
        if (r == -ENOENT)
            r = 0;
        else if (!r)
            make_etag(f->gzip_etag, f->gzip, f->gzip_len);
    }
    if (r) {
        file_free(f);
        return fault_set(why, FAULT_IO, name, "A file of the web page cannot be read: %s.",
                         strerror(-r));
    }
    files->file[files->n++] = f;
    return 0;
}

static int load_dir(struct web_files *files, int take_fd, const char *under, size_t *room,
                    struct fault *why)
{
    DIR *dir = fdopendir(take_fd);
    if (!dir) {
        close(take_fd);
        return fault_set(why, FAULT_IO, under, "The web page's folder cannot be read.");
    }
    int r = 0;
    for (struct dirent *e; !r && (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        if (!strcmp(e->d_name, "assets") && !strcmp(under, "/")) {
            int fd = openat(dirfd(dir), "assets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            r = fd < 0 ? fault_set(why, FAULT_IO, "assets", "The folder cannot be read.")
                       : load_dir(files, fd, "/assets/", room, why);
        } else if (type_of(e->d_name)) {
            r = load_one(files, dirfd(dir), e->d_name, under, room, why);
        }
    }
    closedir(dir);
    return r;
}

int web_files_load(struct web_files *ret, const char *dir, struct fault *why)
{
    memset(ret, 0, sizeof(*ret));
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return fault_set(why, FAULT_UNKNOWN, dir, "The web page has not been built.");
    size_t room = WEB_FILES_BYTES;
    int r = load_dir(ret, fd, "/", &room, why);
    if (!r && !web_files_find(ret, "/index.html"))
        r = fault_set(why, FAULT_UNKNOWN, "index.html", "The web page has not been built.");
    if (r)
        web_files_done(ret);
    return r;
}

void web_files_done(struct web_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        file_free(f->file[i]);
    f->n = 0;
}

const struct web_file *web_files_find(const struct web_files *f, const char *path)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->file[i]->path, path))
            return f->file[i];
    return NULL;
}

static const char *skip_space(const char *s)
{
    return s + strspn(s, " \t");
}

bool web_accepts_gzip(const char *accept_encoding)
{
    for (const char *s = accept_encoding; s && *s;) {
        s = skip_space(s);
        size_t item = strcspn(s, ",");
        size_t name = strcspn(s, ",; \t");
        if ((name == 4 && !strncasecmp(s, "gzip", 4)) || (name == 1 && *s == '*')) {
            /* Only a quality of zero refuses it. */
            const char *q = memchr(s, ';', item);
            q = q ? skip_space(q + 1) : NULL;
            if (!q || strncasecmp(q, "q=", 2) || q[2] != '0')
                return true;
            for (q += 3; *q == '.' || *q == '0'; q++)
                continue;
            return *q >= '1' && *q <= '9';
        }
        s += item + (s[item] == ',');
    }
    return false;
}

bool web_etag_matches(const char *if_none_match, const char *etag)
{
    for (const char *s = if_none_match; s && *s;) {
        s = skip_space(s);
        size_t item = strcspn(s, ",");
        if (*s == '*')
            return true;
        const char *tag = strncmp(s, "W/", 2) ? s : s + 2;
        if (!strncmp(tag, etag, strlen(etag)))
            return true;
        s += item + (s[item] == ',');
    }
    return false;
}
