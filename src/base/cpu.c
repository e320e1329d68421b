#include "base/cpu.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool avx2, avx512;

static void look(void)
{
    const char *kernels = getenv("VEDETTE_KERNELS");
#if defined(__x86_64__)
    avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
#endif
    if (kernels && strcmp(kernels, "plain") == 0)
        avx2 = avx512 = false;
    if (kernels && strcmp(kernels, "avx2") == 0)
        avx512 = false;
}

bool cpu_avx2(void)
{
    pthread_once(&once, look);
    return avx2;
}

bool cpu_avx512(void)
{
    pthread_once(&once, look);
    return avx512;
}

unsigned cpu_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    long all = sysconf(_SC_NPROCESSORS_ONLN); /* more than a set holds */
    return all > 0 ? (unsigned)all : 1;
}

void cpu_name(char *ret, size_t size)
{
    /* of the first processor; x86 has a name, ARM has numbers */
    static const char *const keys[] = {"model name", "CPU implementer", "CPU part"};
    char text[2048];
    int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    size_t len = 0;
    ret[0] = '\0';
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line;)
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
            char *value = strncmp(line, keys[i], strlen(keys[i])) ? NULL : strstr(line, ": ");
            if (!value || len + 2 > size)
                continue;
            if (len)
                ret[len++] = ' ';
            text_copy(ret + len, size - len, value + 2);
            len += strlen(ret + len);
        }
}
