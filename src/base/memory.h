/* How the allocator of the C library keeps what was freed. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/* What a crowd made the camera hold goes back to the system when the crowd goes. Once, before
 * any thread. */
void memory_set_up(void);

/* Gives back what is free now: after something large in many small pieces ended, as an encoder.
 * Takes some milliseconds, so not on a thread that answers. */
void memory_give_back(void);

#endif
