/* Who may keep what HTTP Live Streaming answers: parameter Network.HLS.SharedCache. Loop-bound. */
#ifndef API_HLS_SETTINGS_H
#define API_HLS_SETTINGS_H

#include <stdbool.h>

struct room_desc;

struct hls_settings {
    bool shared_cache; /* also caches that serve others, which must see to it who may watch */
};
extern const struct room_desc hls_room_desc;

#endif
