#include "device/virtual/place/unpacked.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void unpacked_path(const char *file, char ret[UNPACKED_PATH])
{
    static const char *const folders[] = {
        "places",       "../build/places",    "../share/vedette/places", "../places",
        "../../places", "../../build/places", "../../../build/places"};
    char exe[PATH_MAX];
    const char *own = secure_getenv("VEDETTE_PLACES");
    if (own) {
        snprintf(ret, UNPACKED_PATH, "%s/%s", own, file);
        return;
    }
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    exe[n > 0 ? n : 0] = 0;
    char *slash = strrchr(exe, '/');
    if (slash)
        *slash = 0;
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        snprintf(ret, UNPACKED_PATH, "%s/%s/%s", exe, folders[i], file);
        if (access(ret, F_OK) == 0)
            return;
    }
    snprintf(ret, UNPACKED_PATH, "%s/%s/%s", exe, folders[0], file);
}

const uint8_t *unpacked_map(const char *path, size_t *ret_size)
{
    struct stat st;
    void *base = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        /* errno says why */
    } else if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
        errno = EINVAL;
    } else {
        base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    }
    int err = errno;
    if (fd >= 0)
        close(fd);
    errno = err;
    if (base == MAP_FAILED)
        return NULL;
    *ret_size = (size_t)st.st_size;
    return base;
}

void unpacked_unmap(const uint8_t *base, size_t size)
{
    if (base)
        munmap((void *)(uintptr_t)base, size);
}
