/* What is heard and played just now, for the page's meters: GET /vedette/audio. Loop-bound. */
#ifndef API_WEB_AUDIO_H
#define API_WEB_AUDIO_H

struct camera;
struct exchange;

/* Ends the exchange. Sound is taken for some seconds from then on, so that there is a level. */
void audio_serve(struct camera *cam, struct exchange *ex);

#endif
