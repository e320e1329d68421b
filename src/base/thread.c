#include "base/thread.h"

#include <sys/resource.h>
#include <unistd.h>

#define NICE 4 /* 0.4 of the weight of a thread that answers; the other way round 2.4 */

/* On Linux a niceness belongs to a thread. A greater one is always allowed, and it counts from what
 * the process was started with: the main thread's. */
static void be(int nicer)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, (id_t)getpid()) + nicer);
}

void thread_gives_way(void)
{
    be(NICE);
}

void thread_goes_first(void)
{
    be(-NICE);
}
