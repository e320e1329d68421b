/* What the machine's processor can do, for inner loops that are compiled more than once. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

/* AVX2 and what comes with it (BMI, FMA). The environment variable VEDETTE_KERNELS=plain
 * says no, to see that the plain C twins give the same. Asked once; any thread. */
bool cpu_avx2(void);

/* Of AVX-512 F, BW, DQ, VL, VBMI and VBMI2: processors that have all of it hardly slow down when
 * they use it. VEDETTE_KERNELS=avx2 says no to this alone. */
bool cpu_avx512(void);

/* Processors that the calling thread may run on, at least 1: a container or taskset may give fewer
 * than the machine has. */
unsigned cpu_cores(void);

/* Which processor it is, as the kernel names it ("" if it does not): the same text for the same
 * kind of machine. Cut to what fits. Any thread. */
void cpu_name(char *ret, size_t size);

#endif
