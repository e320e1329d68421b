#include "base/cpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool avx2;

static void look(void)
{
    const char *kernels = getenv("VEDETTE_KERNELS");
#if defined(__x86_64__)
    avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
#endif
    if (kernels && strcmp(kernels, "plain") == 0)
        avx2 = false;
}

bool cpu_avx2(void)
{
    pthread_once(&once, look);
    return avx2;
}
