/* audiodevicecontrol.cgi: the one sound device, "0", with its input and its output: what is
 * connected, gain, mute, and the power of the microphone. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "device/device.h"
#include "sound/settings.h"

#define DEVICE "0"
#define PORT "0" /* the one input, the one output */
#define SIGNALING "unbalanced"
#define GAIN_MIN (-40)
#define INPUT_GAIN_MAX 40
#define OUTPUT_GAIN_MAX 20
#define PAIRS_MAX 8
#define VALUE_BYTES 65

/* By enum sound_input; the parameter has the same words. */
static const char *const input_ids[] = {"internal", "mic", "line", NULL};
static const char *const output_ids[] = {"speaker", NULL};
/* By the choices of the parameter, whose "off" is what no power at all says, too. */
static const char *const powers[] = {"Electret", "Phantom", "Off", NULL};
static const char *const power_values[] = {"electret", "phantom", "off"};

/* ---- what there is ---- */

static json_t *channels(double gain, bool mute)
{
    return json_pack("[{s:i, s:f, s:b}]", "id", 0, "gain", gain, "mute", (int)mute);
}

static json_t *input_settings(const struct audio_settings *s)
{
    json_t *types = json_array();
    for (int i = 0; input_ids[i]; i++) {
        json_t *signaling = json_pack("{s:s, s:s, s:o}", "id", SIGNALING, "powerType",
                                      powers[s->power && i != INPUT_LINE ? s->power_type : 2],
                                      "channels", channels(s->input_db, s->input_mute));
        json_array_append_new(types, json_pack("{s:s, s:s, s:[o]}", "id", input_ids[i],
                                               "signalingTypeSelected", SIGNALING, "signalingTypes",
                                               signaling));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "id", PORT, "name", s->source_name,
                     "connectionTypeSelected", input_ids[s->input], "connectionTypes", types);
}

static json_t *output_settings(const struct audio_settings *s)
{
    json_t *signaling = json_pack("{s:s, s:o}", "id", SIGNALING, "channels",
                                  channels(s->output_db, s->output_mute));
    json_t *type = json_pack("{s:s, s:s, s:[o]}", "id", *output_ids, "signalingTypeSelected",
                             SIGNALING, "signalingTypes", signaling);
    return json_pack("{s:s, s:s, s:s, s:[o]}", "id", PORT, "name", "", "connectionTypeSelected",
                     *output_ids, "connectionTypes", type);
}

static json_t *port_capabilities(const char *const *ids, bool power, int gain_max)
{
    json_t *types = json_array();
    for (; *ids; ids++) {
        json_t *channel = json_pack("[{s:i, s:{s:i, s:i}, s:b}]", "id", 0, "gain", "minValue",
                                    GAIN_MIN, "maxValue", gain_max, "mute", 1);
        json_t *signaling = json_pack("{s:s, s:o}", "id", SIGNALING, "channels", channel);
        if (power) {
            json_t *list = json_array();
            for (int i = 0; powers[i]; i++)
                if (strcmp(*ids, input_ids[INPUT_LINE]) || !strcmp(powers[i], "Off"))
                    json_array_append_new(list, json_string(powers[i]));
            json_object_set_new(signaling, "powerTypes", list);
        }
        json_array_append_new(types,
                              json_pack("{s:s, s:[o]}", "id", *ids, "signalingTypes", signaling));
    }
    return json_pack("{s:s, s:o}", "id", PORT, "connectionTypes", types);
}

static void reply_devices(struct json_call *c, json_t *take_input, json_t *take_output)
{
    const struct device *device = c->door->cam->device;
    json_t *inputs = json_array(), *outputs = json_array(), *devices = json_array();
    if (device->mic)
        json_array_append(inputs, take_input);
    if (device->speaker)
        json_array_append(outputs, take_output);
    json_decref(take_input);
    json_decref(take_output);
    if (device->mic || device->speaker)
        json_array_append_new(devices, json_pack("{s:s, s:s, s:O, s:O}", "id", DEVICE, "name",
                                                 "Audio", "inputs", inputs, "outputs", outputs));
    json_decref(inputs);
    json_decref(outputs);
    json_call_reply(c, json_pack("{s:o}", "devices", devices));
}

static void get_settings(struct json_call *c)
{
    const struct audio_settings *s = room_ref(c->door->cam->audio_room);
    reply_devices(c, input_settings(s), output_settings(s));
    room_unref(s);
}

static void get_capabilities(struct json_call *c)
{
    reply_devices(c, port_capabilities(input_ids, true, INPUT_GAIN_MAX),
                  port_capabilities(output_ids, false, OUTPUT_GAIN_MAX));
}

/* Power on the line that could harm what is connected: a condenser microphone's 48 V. */
static void get_hazardous(struct json_call *c)
{
    json_call_reply(c, json_pack("{s:[{s:s, s:s, s:[{s:s, s:s, s:s}]}]}", "devices", "id", DEVICE,
                                 "name", "Audio", "inputs", "id", PORT, "connectionType", "mic",
                                 "powerType", powers[1]));
}

/* ---- changes ---- */

/* What is to be set, as it is found. */
struct change {
    struct json_call *c;
    struct fault why;
    char values[PAIRS_MAX][VALUE_BYTES];
    const char *pairs[PAIRS_MAX][2];
    size_t n;
};

static void change_to(struct change *ch, const char *name, const char *value)
{
    if (ch->why.kind)
        return;
    for (size_t i = 0; i < ch->n; i++) {
        if (strcmp(ch->pairs[i][0], name))
            continue;
        if (strcmp(ch->pairs[i][1], value))
            fault_set(&ch->why, FAULT_INVALID, NULL, "Two values are given for %s", name);
        return;
    }
    if (ch->n == PAIRS_MAX || !text_copy(ch->values[ch->n], VALUE_BYTES, value)) {
        fault_set(&ch->why, FAULT_INVALID, NULL, "The value of %s is too long", name);
        return;
    }
    ch->pairs[ch->n][0] = name;
    ch->pairs[ch->n][1] = ch->values[ch->n];
    ch->n++;
}

/* Each member of an array of objects with an id; NULL where it is absent. */
static const json_t *list_of(struct change *ch, const json_t *from, const char *name)
{
    const json_t *list = json_object_get(from, name);
    if (list && !json_is_array(list))
        fault_set(&ch->why, FAULT_INVALID, name, "%s must be a list", name);
    return ch->why.kind ? NULL : list;
}

/* Whether the object's id is among `ids`; its index. -1: why is set. */
static int index_of(struct change *ch, const json_t *one, const char *what, const char *const *ids)
{
    const json_t *id = json_object_get(one, "id");
    char text[24];
    const char *given = json_string_value(id);
    if (json_is_integer(id)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(id));
        given = text;
    }
    for (int i = 0; given && ids[i]; i++)
        if (!strcmp(given, ids[i]))
            return i;
    fault_set(&ch->why, id ? FAULT_INVALID : FAULT_MISSING, NULL,
              id ? "There is no %s with this id" : "The id of a %s is missing", what);
    return -1;
}

static void change_channel(struct change *ch, const json_t *one, bool input)
{
    static const char *const ids[] = {"0", NULL};
    double gain = 0;
    bool mute = false;
    char value[32];
    if (index_of(ch, one, "channel", ids) < 0 || json_get_double(one, "gain", &gain, &ch->why) ||
        json_get_bool(one, "mute", &mute, &ch->why))
        return;
    if (json_object_get(one, "gain")) {
        snprintf(value, sizeof value, "%.3f", gain);
        change_to(ch, input ? "AudioSource.A0.InputGain" : "AudioSource.A0.OutputGain", value);
    }
    if (json_object_get(one, "mute"))
        change_to(ch, input ? "AudioSource.A0.InputMute" : "AudioSource.A0.OutputMute",
                  mute ? "yes" : "no");
}

static void change_power(struct change *ch, const json_t *one, bool line)
{
    const char *power = NULL;
    if (json_get_string(one, "powerType", &power, &ch->why) || !power)
        return;
    for (int i = 0; powers[i]; i++) {
        if (strcmp(power, powers[i]))
            continue;
        if (line && strcmp(power, "Off"))
            break;
        if (!line) {
            bool off = !strcmp(power, "Off");
            change_to(ch, "AudioSource.A0.MicrophonePower", off ? "no" : "yes");
            if (!off)
                change_to(ch, "AudioSource.A0.MicrophonePowerType", power_values[i]);
        }
        return;
    }
    fault_set(&ch->why, FAULT_INVALID, NULL, "powerType must be one that the capabilities name");
}

/* The settings of one type of connection; those of a type that is not selected are the same. */
static void change_type(struct change *ch, const json_t *type, bool input)
{
    static const char *const signalings[] = {SIGNALING, NULL};
    const char *selected = NULL;
    size_t i, k;
    json_t *one, *channel;
    int at = index_of(ch, type, "connection type", input ? input_ids : output_ids);
    if (at < 0 || json_get_string(type, "signalingTypeSelected", &selected, &ch->why))
        return;
    if (selected && strcmp(selected, SIGNALING))
        fault_set(&ch->why, FAULT_INVALID, NULL, "signalingTypeSelected must be " SIGNALING);
    json_array_foreach(list_of(ch, type, "signalingTypes"), i, one)
    {
        if (index_of(ch, one, "signaling type", signalings) < 0)
            return;
        if (input)
            change_power(ch, one, at == INPUT_LINE);
        json_array_foreach(list_of(ch, one, "channels"), k, channel)
            change_channel(ch, channel, input);
    }
}

static void change_port(struct change *ch, const json_t *port, bool input)
{
    static const char *const ids[] = {PORT, NULL};
    const char *name = NULL, *selected = NULL;
    const char *const *types = input ? input_ids : output_ids;
    size_t i;
    json_t *type;
    if (index_of(ch, port, input ? "input" : "output", ids) < 0 ||
        json_get_string(port, "name", &name, &ch->why) ||
        json_get_string(port, "connectionTypeSelected", &selected, &ch->why))
        return;
    if (name && input)
        change_to(ch, "AudioSource.A0.Name", name);
    while (selected && *types && strcmp(selected, *types))
        types++;
    if (selected && !*types)
        fault_set(&ch->why, FAULT_INVALID, NULL,
                  "connectionTypeSelected must be one that the capabilities name");
    else if (selected && input)
        change_to(ch, "AudioSource.A0.InputType", selected);
    json_array_foreach(list_of(ch, port, "connectionTypes"), i, type) change_type(ch, type, input);
}

static void set_settings(struct json_call *c)
{
    static const char *const ids[] = {DEVICE, NULL};
    struct change ch = {.c = c};
    const json_t *devices = json_object_get(c->params, "devices");
    size_t i, k;
    json_t *device, *port;
    if (!devices)
        fault_set(&ch.why, FAULT_MISSING, NULL, "The parameter devices is missing");
    json_array_foreach(list_of(&ch, c->params, "devices"), i, device)
    {
        if (index_of(&ch, device, "device", ids) < 0)
            break;
        json_array_foreach(list_of(&ch, device, "inputs"), k, port) change_port(&ch, port, true);
        json_array_foreach(list_of(&ch, device, "outputs"), k, port) change_port(&ch, port, false);
    }
    if (ch.why.kind)
        json_call_fault(c, &ch.why);
    else
        json_call_set(c, (const char *const(*)[2])ch.pairs, ch.n);
}

static const struct json_method methods[] = {
    {"getDevicesCapabilities", ROLE_VIEWER, get_capabilities},
    {"getDevicesSettings", ROLE_VIEWER, get_settings},
    {"getHazardousSettings", ROLE_VIEWER, get_hazardous},
    {"setDevicesSettings", ROLE_OPERATOR, set_settings},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_b, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/audiodevicecontrol.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve,
     .doc = "input and output of sound: connection, gain, mute, power (JSON)"},
};
const struct cgi cgi_audiodevice = {CGI_ROWS(rows)};
