#include "image/kernels.h"

const struct image_kernels *image_kernels_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        return &image_kernels_avx2;
#endif
    return &image_kernels_plain;
}
