/* How the camera's threads share a processor. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

/* The calling thread, and those it starts, let threads that answer somebody go first when there
 * is too little of the processor: a picture may come late, an answer or a stop of the head may
 * not. For threads that see, develop and code pictures. Costs nothing while there is enough. */
void thread_gives_way(void);

/* The other way round, where the process may do so (started as root, or with a limit that lets it:
 * RLIMIT_NICE); elsewhere nothing changes. For threads that send: hundreds of viewers wait for what
 * they do, and one picture must be out before the next is there. */
void thread_goes_first(void);

#endif
