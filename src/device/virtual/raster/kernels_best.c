#include "device/virtual/raster/kernels.h"

#include "base/cpu.h"

const struct kernels_raster *kernels_raster_best(void)
{
#if defined(__x86_64__)
    if (cpu_avx512())
        return &kernels_raster_avx512;
    if (cpu_avx2())
        return &kernels_raster_avx2;
#endif
    return &kernels_raster_plain;
}
