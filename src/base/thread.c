#include "base/thread.h"

#include <sys/resource.h>
#include <unistd.h>

#define NICE 4 /* 0.4 of the weight of a thread that answers */

void thread_gives_way(void)
{
    /* On Linux a niceness belongs to a thread. A greater one is always allowed. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}
