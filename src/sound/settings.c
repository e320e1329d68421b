#include "sound/settings.h"

#include <stdlib.h>

#include "conf/param.h"
#include "media/sound_encode.h"

const char *const sound_codec_names[] = {"aac", "opus", "g711", "g726", "lpcm", NULL};
static const char *const duplex_names[] = {"full", "half", "post", "get", NULL};
static const char *const input_names[] = {"internal", "mic", "line", NULL};
static const char *const message_names[] = {"singlepart", "multipart", NULL};
static const char *const power_names[] = {"electret", "phantom", "off", NULL};

#define AUDIO(row_name, field, ...)                                                                \
    {                                                                                              \
        .name = row_name, PARAM_FIELD(struct audio_settings, field), .read = ROLE_VIEWER,          \
        __VA_ARGS__                                                                                \
    }

static const struct param_row rows[] = {
    AUDIO("Audio.DuplexMode", duplex, .type = PARAM_ENUM, .choices = duplex_names,
          .standard = "full", .write = ROLE_ADMIN,
          .doc = "full: listening and talking at once; half: the microphone is silent while "
                 "somebody talks; post: talking only; get: listening only"),
    AUDIO("Audio.MaxListeners", max_listeners, .type = PARAM_INT, .min = 0, .max = 1000,
          .standard = "20", .write = ROLE_ADMIN, .doc = "So many may listen over HTTP at once"),
    AUDIO("Audio.MaxTransmitters", max_transmitters, .type = PARAM_INT, .min = 0, .max = 1,
          .standard = "1", .write = ROLE_ADMIN, .doc = "So many may talk at once"),
    AUDIO("Audio.NbrOfConfigs", nbr_of_configs, .type = PARAM_INT, .min = 1, .max = 1,
          .standard = "1", .write = ROLE_SYSTEM, .doc = "Number of sound configurations"),
    AUDIO("Audio.ReceiverBuffer", buffer_ms, .type = PARAM_INT, .min = 20, .max = 2000,
          .standard = "120", .write = ROLE_ADMIN, .unit = "ms",
          .doc = "So much of what somebody says is gathered before it is played"),
    AUDIO("Audio.ReceiverTimeout", timeout_ms, .type = PARAM_INT, .min = 100, .max = 600000,
          .standard = "1000", .write = ROLE_ADMIN, .unit = "ms",
          .doc = "Who has said nothing for so long no longer holds the loudspeaker"),
    AUDIO("Audio.DSCP", dscp, .type = PARAM_INT, .min = 0, .max = 63, .standard = "0",
          .write = ROLE_SYSTEM, .doc = "Class of service of packets with sound"),
    AUDIO("Audio.A0.Enabled", enabled, .type = PARAM_BOOL, .standard = "no", .write = ROLE_OPERATOR,
          .doc = "Streams contain sound unless they are asked not to (audio=0)"),
    AUDIO("Audio.A0.Name", name, .type = PARAM_STRING, .standard = "", .write = ROLE_OPERATOR,
          .doc = "Name of the sound configuration"),
    AUDIO("Audio.A0.Source", source, .type = PARAM_INT, .min = 0, .max = 0, .standard = "0",
          .write = ROLE_SYSTEM, .doc = "Sound source of the configuration"),
    AUDIO("Audio.A0.HTTPMessageType", message_type, .type = PARAM_ENUM, .choices = message_names,
          .standard = "singlepart", .write = ROLE_OPERATOR,
          .doc = "How receive.cgi sends, unless httptype= says"),
    AUDIO("Audio.A0.NbrOfChannels", channels, .type = PARAM_INT, .min = 1, .max = 1,
          .standard = "1", .write = ROLE_SYSTEM, .doc = "Channels of streams"),
    AUDIO("AudioSource.NbrOfSources", nbr_of_sources, .type = PARAM_INT, .min = 1, .max = 1,
          .standard = "1", .write = ROLE_SYSTEM, .doc = "Number of sound sources"),
    AUDIO("AudioSource.A0.Name", source_name, .type = PARAM_STRING, .standard = "Audio",
          .write = ROLE_OPERATOR, .doc = "Name of the sound source"),
    AUDIO("AudioSource.A0.AudioSupport", support, .type = PARAM_BOOL, .standard = "yes",
          .write = ROLE_ADMIN, .doc = "Sound is allowed at all, in both directions"),
    AUDIO("AudioSource.A0.AudioEncoding", codec, .type = PARAM_ENUM, .choices = sound_codec_names,
          .standard = "aac", .write = ROLE_OPERATOR, .doc = "How sound is coded"),
    AUDIO("AudioSource.A0.SampleRate", rate_hz, .type = PARAM_INT, .min = 8000, .max = 48000,
          .standard = "16000", .write = ROLE_OPERATOR, .unit = "Hz",
          .doc = "Samples a second, where the codec leaves a choice"),
    AUDIO("AudioSource.A0.BitRate", bitrate, .type = PARAM_INT, .min = 6000, .max = 192000,
          .standard = "32000", .write = ROLE_OPERATOR, .unit = "bit/s",
          .doc = "Of AAC, Opus and G.726"),
    AUDIO("AudioSource.A0.InputType", input, .type = PARAM_ENUM, .choices = input_names,
          .standard = "mic", .write = ROLE_OPERATOR,
          .doc = "Where sound comes from: the microphone inside, one outside, or line level"),
    AUDIO("AudioSource.A0.InputGain", input_db, .type = PARAM_DOUBLE, .min = -40, .max = 40,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "dB", .doc = "Louder or softer input"),
    AUDIO("AudioSource.A0.InputMute", input_mute, .type = PARAM_BOOL, .standard = "no",
          .write = ROLE_OPERATOR, .doc = "Streams hear silence"),
    AUDIO("AudioSource.A0.MicrophonePower", power, .type = PARAM_BOOL, .standard = "yes",
          .write = ROLE_OPERATOR, .doc = "The microphone gets power from us"),
    AUDIO("AudioSource.A0.MicrophonePowerType", power_type, .type = PARAM_ENUM,
          .choices = power_names, .standard = "electret", .write = ROLE_OPERATOR,
          .doc = "Which power a microphone outside gets"),
    AUDIO("AudioSource.A0.OutputGain", output_db, .type = PARAM_DOUBLE, .min = -40, .max = 20,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "dB",
          .doc = "Louder or softer loudspeaker"),
    AUDIO("AudioSource.A0.OutputMute", output_mute, .type = PARAM_BOOL, .standard = "no",
          .write = ROLE_OPERATOR, .doc = "The loudspeaker is silent"),
    AUDIO("AudioSource.A0.AlarmLevel", alarm_level, .type = PARAM_INT, .min = 0, .max = 100,
          .standard = "100", .write = ROLE_OPERATOR,
          .doc = "Level that counts as loud, as the meter shows it"),
};

const struct room_desc audio_room_desc = {
    .name = "audio",
    .size = sizeof(struct audio_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
};

static int nearest(int value, const int *list)
{
    int best = *list;
    for (; *list; list++)
        if (abs(*list - value) < abs(best - value))
            best = *list;
    return best;
}

void audio_settings_fit(struct sound_encoding *e)
{
    static const int any[] = {8000, 16000, 22050, 24000, 32000, 44100, 48000, 0};
    static const int opus[] = {8000, 16000, 24000, 48000, 0};
    static const int adpcm[] = {16000, 24000, 32000, 40000, 0};
    if (e->codec == CODEC_G726)
        e->bitrate = nearest(e->bitrate, adpcm);
    else if (e->codec == CODEC_PCMU || e->codec == CODEC_PCMA)
        e->rate_hz = 8000; /* as everybody understands it; 16000 is asked for */
    else
        e->rate_hz = nearest(e->rate_hz, e->codec == CODEC_OPUS ? opus : any);
    int most = e->codec == CODEC_OPUS ? 128000 : e->rate_hz * 6;
    if (e->codec == CODEC_AAC && e->bitrate < 8000)
        e->bitrate = 8000;
    if (e->bitrate > most && e->codec != CODEC_G726)
        e->bitrate = most;
}

void audio_settings_encoding(const struct audio_settings *s, struct sound_encoding *ret)
{
    static const enum codec codecs[] = {CODEC_AAC, CODEC_OPUS, CODEC_PCMU, CODEC_G726, CODEC_L16};
    *ret = (struct sound_encoding){
        .codec = codecs[s->codec], .rate_hz = s->rate_hz, .bitrate = s->bitrate};
    audio_settings_fit(ret);
}
