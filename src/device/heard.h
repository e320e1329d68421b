/* A microphone that others fill: the sound beside the pictures of a file or of another camera.
 * put() on their thread, the port on the sound thread. */
#ifndef DEVICE_HEARD_H
#define DEVICE_HEARD_H

#include <pthread.h>
#include <stdatomic.h>

#include "device/ports.h"
#include "media/sound.h"

#define HEARD_MOST ((size_t)SOUND_HZ * 2)

struct heard {
    struct mic mic;
    atomic_bool wanted; /* somebody listens */
    pthread_mutex_t lock;
    size_t n; /* samples that wait */
    int64_t first_ns;
    int16_t sample[HEARD_MOST];
};

void heard_init(struct heard *h);
void heard_done(struct heard *h);
/* One channel of SOUND_HZ. What does not follow what is there replaces it. */
void heard_put(struct heard *h, const int16_t *sample, size_t n, int64_t time_ns);

#endif
