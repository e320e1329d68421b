#include "device/virtual/raster/kernels.h"

const struct kernels_raster *kernels_raster_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma"))
        return &kernels_raster_avx2;
#endif
    return &kernels_raster_plain;
}
