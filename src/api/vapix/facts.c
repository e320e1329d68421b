/* Parameters that tell what this camera is and can, for clients that ask param.cgi
 * before they ask for anything else. Read-only; their values follow from the device,
 * the identity and the ports. Only what is true stands here. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_lens.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/eye.h"
#include "image/mask_settings.h"
#include "media/pipeline.h"
#include "ptz/guard_tour.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "ptz/recorded_tour.h"
#include "sound/ear.h"
#include "system/identity.h"

#define FACT_SIZE 256
#define FACTS_MAX 232

struct facts {
    struct camera *cam;
    size_t n;
    char name[FACTS_MAX][96];
    char standard[FACTS_MAX][FACT_SIZE];
    struct param_row rows[FACTS_MAX];
    struct room *room;
};

/* What the room's snapshot holds. */
struct fact_values {
    char value[FACTS_MAX][FACT_SIZE];
};

static void __attribute__((format(printf, 4, 5)))
fact(struct facts *f, enum role read, const char *name, const char *fmt, ...)
{
    if (f->n == FACTS_MAX)
        abort(); /* the table below is ours: a bug */
    size_t i = f->n++;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->standard[i], FACT_SIZE, fmt, ap);
    va_end(ap);
    text_copy(f->name[i], sizeof f->name[i], name);
    f->rows[i] = (struct param_row){
        .name = f->name[i],
        .type = PARAM_STRING,
        .offset = i * FACT_SIZE,
        .size = FACT_SIZE,
        .standard = f->standard[i],
        .read = read,
        .write = ROLE_SYSTEM,
        .fleeting = true,
        .doc = "What this camera is or can",
    };
}

static const char *yes_no(bool b)
{
    return b ? "yes" : "no";
}

/* The picture's controls, as far as this source has them. */
static void lens(struct facts *f)
{
    struct lens_can l;
    lens_can(f->cam, &l);
    bool lamp = f->cam->device->infrared;
    fact(f, ROLE_VIEWER, "Properties.ImageSource.DayNight", "%s", yes_no(l.filter));
    fact(f, ROLE_VIEWER, "Properties.LightControl.LightControl2", "%s", yes_no(lamp));
    fact(f, ROLE_VIEWER, "Properties.LightControl.LightControlAvailable", "%s", yes_no(lamp));
    fact(f, ROLE_VIEWER, "Properties.PrivacyMask.PrivacyMask", "yes");
    fact(f, ROLE_VIEWER, "Properties.PrivacyMask.MaxNbrOfPrivacyMasks", "%d", MASK_MAX);
    fact(f, ROLE_VIEWER, "Properties.PrivacyMask.Polygon", "yes");
    fact(f, ROLE_VIEWER, "Properties.PrivacyMask.Query", "list,position,listpxjson,positionpxjson");
    fact(f, ROLE_VIEWER, "Properties.PrivacyMask.MainSwitch", "yes");
    fact(f, ROLE_VIEWER, "Properties.MemoryZones.MemoryZones", "%s", yes_no(l.focus));
    fact(f, ROLE_VIEWER, "Properties.MemoryZones.MaxNbrOfMemoryZones", "%d",
         l.focus ? EYE_RECALL_MOST : 0);
}

/* Sound, as far as the device has ears and a mouth. */
static void sound(struct facts *f)
{
    bool hears = ear_inputs(f->cam->ear) > 0, talks = f->cam->device->speaker;
    fact(f, ROLE_VIEWER, "Properties.Audio.Audio", "%s", yes_no(hears || talks));
    if (!hears && !talks)
        return;
    fact(f, ROLE_VIEWER, "Properties.Audio.DuplexMode", "%s",
         hears && talks ? "full,half,post,get"
         : hears        ? "get"
                        : "post");
    if (hears) {
        fact(f, ROLE_VIEWER, "Properties.Audio.Format", "g711,g726,aac,opus,lpcm");
        fact(f, ROLE_VIEWER, "Properties.Audio.InputType",
             ear_inputs(f->cam->ear) > 1 ? "internal,mic,line" : "internal,mic");
    }
    if (talks)
        fact(f, ROLE_VIEWER, "Properties.Audio.Decoder.Format",
             "g711,g726,axis-mulaw-128,aac,opus,lpcm");
    fact(f, ROLE_VIEWER, "Properties.Audio.Source.A0.Input", "%s", yes_no(hears));
    fact(f, ROLE_VIEWER, "Properties.Audio.Source.A0.Output", "%s", yes_no(talks));
}

/* ---- what the machine codes ---- */

static const struct {
    enum codec codec;
    const char *format, *fact;
} codecs[] = {
    {CODEC_JPEG, "jpeg,mjpeg", "Properties.Image.JPEG.MaxFPS"},
    {CODEC_H264, "h264", "Properties.Image.H264.MaxFPS"},
    {CODEC_H265, "h265", "Properties.Image.H265.MaxFPS"},
    {CODEC_AV1, "av1", "Properties.Image.AV1.MaxFPS"},
};
#define N_CODECS (sizeof codecs / sizeof *codecs)

/* "1920x1080:14.5,1280x720:30": sizes of which not one picture a second would come are left out. */
static const char *codec_rates(struct camera *cam, enum codec codec, char ret[FACT_SIZE])
{
    size_t n = 0;
    ret[0] = '\0';
    for (const char *const *r = request_resolutions(cam); *r && n < FACT_SIZE; r++) {
        int width, height;
        if (stream_parse_size(*r, &width, &height))
            continue;
        double fps = pipeline_caps(cam->pipeline, codec, width, height);
        if (fps >= PIPELINE_FPS_LEAST)
            n += (size_t)snprintf(ret + n, FACT_SIZE - n, "%s%s:%.3g", n ? "," : "", *r, fps);
    }
    return ret;
}

static const char *formats(struct camera *cam, char ret[FACT_SIZE])
{
    size_t n = 0;
    ret[0] = '\0';
    for (size_t i = 0; i < N_CODECS && n < FACT_SIZE; i++) {
        char rates[FACT_SIZE];
        if (*codec_rates(cam, codecs[i].codec, rates))
            n += (size_t)snprintf(ret + n, FACT_SIZE - n, "%s%s", n ? "," : "", codecs[i].format);
    }
    return ret;
}

void facts_codecs(struct camera *cam)
{
    char text[FACT_SIZE];
    conf_set(cam->conf, "Properties.Image.Format", formats(cam, text));
    for (size_t i = 0; i < N_CODECS; i++)
        conf_set(cam->conf, codecs[i].fact, codec_rates(cam, codecs[i].codec, text));
}

static void properties(struct facts *f)
{
    static const char *const literals[][2] = {
        {"BasicDeviceInfo.BasicDeviceInfo", "yes"},
        {"Properties.API.HTTP.AdminPath", "/"},
        {"Properties.API.HTTP.Version", "3"},
        {"Properties.API.RTSP.RTSPAuth", "yes"},
        {"Properties.API.RTSP.Version", "2.01"},
        {"Properties.API.WebSocket.RTSP.RTSP", "yes"},
        {"Properties.ApiDiscovery.ApiDiscovery", "yes"},
        {"Properties.DynamicOverlay.DynamicOverlay", "yes"},
        {"Properties.DynamicOverlay.Version", "1.0"},
        {"Properties.HTTPS.HTTPS", "yes"},
        {"Properties.Image.H264.Profiles", "Baseline,Main,High"},
        {"Properties.Image.Rotation", "0,90,180,270"},
        {"Properties.Motion.Motion", "no"},
        {"Properties.Serial.Serial", "no"},
        {"Properties.ZipStream.ZipStream", "yes"},
        {"ImageSource.NbrOfSources", "1"},
        {"ImageSource.I0.Name", "Camera"},
    };
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
        fact(f, ROLE_VIEWER, literals[i][0], "%s", literals[i][1]);

    fact(f, ROLE_VIEWER, "Properties.Image.NbrOfViews", "%d", VIEWS_MOST);
    char sizes[FACT_SIZE] = "";
    size_t n = 0;
    for (const char *const *r = request_resolutions(f->cam); *r && n < sizeof sizes; r++)
        n += (size_t)snprintf(sizes + n, sizeof sizes - n, "%s%s", n ? "," : "", *r);
    fact(f, ROLE_VIEWER, "Properties.Image.Resolution", "%s", sizes);
    for (int i = 0; i < VIEWS_MOST; i++) {
        char name[40];
        snprintf(name, sizeof name, "Properties.Image.I%d.Resolution", i);
        fact(f, ROLE_VIEWER, name, "%s", sizes);
    }

    fact(f, ROLE_VIEWER, "Properties.Image.Format", "%s", formats(f->cam, sizes));
    for (size_t i = 0; i < N_CODECS; i++)
        fact(f, ROLE_VIEWER, codecs[i].fact, "%s", codec_rates(f->cam, codecs[i].codec, sizes));

    struct utsname machine = {0};
    uname(&machine);
    fact(f, ROLE_VIEWER, "Properties.System.Architecture", "%s", machine.machine);
    fact(f, ROLE_VIEWER, "Properties.System.HardwareID", "%s", f->cam->identity->hardware_id);
    fact(f, ROLE_VIEWER, "Properties.System.SerialNumber", "%s", f->cam->identity->serial);
    fact(f, ROLE_VIEWER, "Properties.System.Soc", "Generic");
    fact(f, ROLE_VIEWER, "Properties.System.ProgramVersion", VEDETTE_VERSION);
    fact(f, ROLE_VIEWER, "Network.eth0.MACAddress", "%s", f->cam->identity->mac);
    fact(f, ROLE_VIEWER, "Network.RTSP.Enabled", "yes");
    fact(f, ROLE_VIEWER, "Network.RTSP.Port", "554");
    fact(f, ROLE_VIEWER, "Network.RTSP.SecurePort", "322");
    fact(f, ROLE_VIEWER, "Network.HTTP.Port", "80");
    fact(f, ROLE_VIEWER, "Network.HTTPS.Port", "443");
}

static void ptz_support(struct facts *f, const struct head_caps *c, const struct lens_can *l)
{
    const struct {
        const char *name;
        bool has;
    } flags[] = {
        {"AbsolutePan", c->pan},
        {"AbsoluteTilt", c->tilt},
        {"AbsoluteZoom", c->zoom},
        {"AbsoluteFocus", l->focus},
        {"AbsoluteIris", l->iris},
        {"AbsoluteBrightness", l->brightness},
        {"ActionNotification", false},
        {"AreaZoom", c->pan && c->tilt && c->zoom},
        {"AutoFocus", l->focus},
        {"AutoIris", l->iris},
        {"AutoIrCutFilter", l->filter},
        {"Auxiliary", false},
        {"BackLight", l->backlight},
        {"ContinuousPan", c->pan},
        {"ContinuousTilt", c->tilt},
        {"ContinuousZoom", c->zoom},
        {"ContinuousFocus", l->focus},
        {"ContinuousIris", l->iris},
        {"ContinuousBrightness", l->brightness},
        {"DevicePreset", false},
        {"DigitalZoom", c->digital},
        {"GenericHTTP", false},
        {"IrCutFilter", l->filter},
        {"JoyStickEmulation", false},
        {"LensOffset", false},
        {"OSDMenu", false},
        {"ProportionalSpeed", c->pan || c->tilt},
        {"RelativePan", c->pan},
        {"RelativeTilt", c->tilt},
        {"RelativeZoom", c->zoom},
        {"RelativeFocus", l->focus},
        {"RelativeIris", l->iris},
        {"RelativeBrightness", l->brightness},
        {"ServerPreset", true},
        {"SpeedCtl", c->pan || c->tilt},
    };
    char name[96];
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        snprintf(name, sizeof name, "PTZ.Support.S1.%s", flags[i].name);
        fact(f, ROLE_VIEWER, name, "%s", flags[i].has ? "true" : "false");
    }
}

static void ptz(struct facts *f)
{
    bool has = ptz_exists(f->cam->ptz);
    struct head_caps c;
    ptz_caps(f->cam->ptz, &c);
    fact(f, ROLE_VIEWER, "Properties.PTZ.PTZ", "%s", yes_no(has));
    fact(f, ROLE_VIEWER, "Properties.PTZ.DigitalPTZ", "yes"); /* in view areas, at least */
    fact(f, ROLE_VIEWER, "Properties.PTZ.DriverManagement", "no");
    fact(f, ROLE_VIEWER, "Properties.PTZ.DriverModeList", "none");
    fact(f, ROLE_VIEWER, "Properties.PTZ.SelectableDriverMode", "no");
    if (!has)
        return;
    static const char *const literals[][2] = {
        {"PTZ.BoaProtPTZOperator", "password"},
        {"PTZ.CameraDefault", "1"},
        {"PTZ.NbrOfCameras", "1"},
        {"PTZ.PresetNameMaxLen", "95"},
        {"PTZ.ResponseEncoding", "utf-8"},
        {"PTZ.Various.V1.HomePresetSet", "true"},
        {"Properties.API.PTZ.Presets.Version", "2.00"},
        {"Properties.GuardTour.GuardTour", "yes"},
        {"Properties.GuardTour.MinGuardTourWaitTime", "1"},
        {"Properties.GuardTour.RecordedTour", "yes"},
        {"PTZ.NbrOfSerPorts", "0"},
        {"PTZ.CamPorts.Cam1Port", "1"},
        {"PTZ.ImageSource.I0.PTZEnabled", "true"},
        {"PTZ.Preset.P0.ImageSource", "0"},
        {"PTZ.Preset.P0.Name", ""},
        {"PTZ.PTZDriverStatuses.Driver1Status", "3"},
        {"PTZ.UserAdv.U1.DeviceStatus", "cam=ok,pan=ok,tilt=ok"},
        {"PTZ.UserAdv.U1.MoveSpeed", "100"},
        {"PTZ.Various.V1.Locked", "false"},
        {"PTZ.Various.V1.ProportionalSpeedEnabled", "true"},
    };
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
        fact(f, ROLE_VIEWER, literals[i][0], "%s", literals[i][1]);
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.PanEnabled", "%s", c.pan ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.TiltEnabled", "%s", c.tilt ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.ZoomEnabled", "%s", c.zoom ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Limit.L1.MinFieldAngle", "%.0f", c.tele_hfov_deg * 10);
    fact(f, ROLE_VIEWER, "PTZ.Limit.L1.MaxFieldAngle", "%.0f", c.wide_hfov_deg * 10);
    fact(f, ROLE_VIEWER, "Properties.GuardTour.MaxGuardTours", "%d", GUARD_TOURS);
    fact(f, ROLE_VIEWER, "Properties.GuardTour.MaxRecordedTours", "%d", RECORDED_TOURS);
    for (int g = 0; g < CONTROL_GROUPS; g++) {
        char name[64];
        snprintf(name, sizeof name, "PTZ.UserCtlQueue.U%d.UserGroup", g);
        fact(f, ROLE_VIEWER, name, "%s", control_group_name((enum control_group)g));
        snprintf(name, sizeof name, "PTZ.UserCtlQueue.U%d.UseCookie", g);
        fact(f, ROLE_VIEWER, name, g <= CONTROL_VIEWER ? "yes" : "no");
    }
    struct lens_can l;
    lens_can(f->cam, &l);
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.FocusEnabled", "%s", l.focus ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.IrisEnabled", "%s", l.iris ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.BrightnessEnabled", "%s", l.brightness ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.IrCutFilterEnabled", "%s", l.filter ? "true" : "false");
    fact(f, ROLE_VIEWER, "PTZ.Various.V1.BackLightEnabled", "%s", l.backlight ? "true" : "false");
    ptz_support(f, &c, &l);
}

int facts_add(struct camera *cam)
{
    /* One a process: the rows must outlive the tree, which is freed after the doors. */
    static struct facts the_facts;
    struct facts *f = &the_facts;
    *f = (struct facts){.cam = cam};
    properties(f);
    sound(f);
    lens(f);
    ptz(f);
    const struct room_desc desc = {
        .name = "facts",
        .size = sizeof(struct fact_values),
        .rows = f->rows,
        .n_rows = f->n,
    };
    struct fault why = {0};
    int err = conf_add_room(cam->conf, &desc, &f->room, &why);
    if (err)
        log_error("api", "parameters: %s", why.text);
    return err;
}

static void set_port(struct camera *cam, const char *name, int port)
{
    char text[16];
    snprintf(text, sizeof text, "%d", port);
    conf_set(cam->conf, name, text);
}

void facts_ports(struct camera *cam)
{
    set_port(cam, "Network.HTTP.Port", cam->http_port);
    set_port(cam, "Network.HTTPS.Port", cam->https_port);
    set_port(cam, "Network.RTSP.Port", cam->rtsp_port);
    set_port(cam, "Network.RTSP.SecurePort", cam->rtsps_port);
}
