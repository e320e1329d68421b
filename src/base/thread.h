/* How the camera's threads share a processor. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

/* The calling thread, and those it starts, let threads that answer somebody go first when there
 * is too little of the processor: a picture may come late, an answer or a stop of the head may
 * not. For threads that see, develop and code pictures. Costs nothing while there is enough. */
void thread_gives_way(void);

#endif
