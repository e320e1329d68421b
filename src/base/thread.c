#include "base/thread.h"

#include <sys/resource.h>
#include <unistd.h>

#define NICE 4 /* 0.4 of the weight of a thread that answers */

void thread_gives_way(void)
{
    /* On Linux a niceness belongs to a thread. A greater one is always allowed, and it counts from
     * what the process was started with: the main thread's. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, (id_t)getpid()) + NICE);
}
