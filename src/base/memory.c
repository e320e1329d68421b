#include "base/memory.h"

#include <malloc.h>

/* The sanitizers' allocator keeps nothing, and the library's own has never been begun with. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHER_ALLOCATOR
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OTHER_ALLOCATOR
#endif

void memory_set_up(void)
{
    /* Without a fixed limit the allocator learns to keep large pieces, between which it frays;
     * and each arena keeps the most that it ever held. */
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, 4);
}

void memory_give_back(void)
{
#ifndef OTHER_ALLOCATOR
    malloc_trim(0);
#endif
}
