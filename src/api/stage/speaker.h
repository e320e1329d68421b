/* What the virtual camera's loudspeaker played, for tests and ears. Loop-bound. */
#ifndef API_STAGE_SPEAKER_H
#define API_STAGE_SPEAKER_H

struct camera;
struct gate;

void speaker_door_add(struct camera *cam, struct gate *g);

#endif
