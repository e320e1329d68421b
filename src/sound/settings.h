/* What can be set about sound: parameters Audio.* and AudioSource.*. Any thread reads. */
#ifndef SOUND_SETTINGS_H
#define SOUND_SETTINGS_H

#include <stdbool.h>

struct room_desc;
struct sound_encoding;

enum duplex { DUPLEX_FULL, DUPLEX_HALF, DUPLEX_POST, DUPLEX_GET };
enum sound_input { INPUT_INTERNAL, INPUT_MIC, INPUT_LINE };
enum sound_codec { SOUND_AAC, SOUND_OPUS, SOUND_G711, SOUND_G726, SOUND_LPCM };

struct audio_settings {
    int duplex; /* enum duplex: both at once; one at a time; only to us; only from us */
    int max_listeners, max_transmitters, nbr_of_configs, buffer_ms, timeout_ms, dscp;
    bool enabled; /* streams contain sound unless they are asked not to */
    char name[65];
    int source, message_type, channels;
    int nbr_of_sources;
    bool support; /* of all that has to do with sound */
    char source_name[65];
    int codec; /* enum sound_codec */
    int rate_hz, bitrate;
    int input; /* enum sound_input */
    bool power, input_mute, output_mute;
    int power_type;
    double input_db, output_db;
    int alarm_level;
};
extern const struct room_desc audio_room_desc;
extern const char *const sound_codec_names[]; /* by enum sound_codec; NULL-terminated */

/* The coding that is set, as near as the codec allows. */
void audio_settings_encoding(const struct audio_settings *s, struct sound_encoding *ret);
/* The same codec settings for another codec. */
void audio_settings_fit(struct sound_encoding *e);

#endif
