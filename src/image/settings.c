#include "image/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "conf/param.h"
#include "image/eye.h"

static const char *const mains[] = {"50Hz", "60Hz", NULL};
static const char *const profiles[] = {
    "forensic", "vivid", "traffic_overview", "indoor", "outdoor", "license_plate", NULL};
static const char *const rotations[] = {"0", "180", NULL};
static const char *const no_yes_auto[] = {"no", "yes", "auto", NULL};
static const char *const off_on[] = {"off", "on", NULL};
static const char *const false_true[] = {"false", "true", NULL};
static const char *const off_on_auto[] = {"off", "on", "auto", NULL};
static const char *const auto_manual[] = {"auto", "manual", NULL};
static const char *const exposures[] = {
    "auto",          "aperture",         "shutter",          "hold", "manual", "flickerfree50",
    "flickerfree60", "flickerreduced50", "flickerreduced60", NULL};
static const char *const windows[] = {"auto",  "center", "upper", "lower",  "left",
                                      "right", "spot",   "full",  "custom", NULL};
static const char *const zone_kinds[] = {"include", "exclude", "disabled", NULL};
static const char *const balances[] = {"auto",
                                       "auto_indoor",
                                       "auto_outdoor",
                                       "hold",
                                       "manual",
                                       "fixed_outdoor1",
                                       "fixed_outdoor2",
                                       "fixed_indoor",
                                       "fixed_fluor1",
                                       "fixed_fluor2",
                                       "street_mercury",
                                       "street_sodium",
                                       NULL};
static const char *const steadies[] = {"off", "on", "low", "high", NULL};
static const char *const focuses[] = {"auto", "area", "manual", "spot", NULL};

#define AUTO_FOCUS "PTZ.Various.V1.AutoFocus"
#define AUTO_IRIS "PTZ.Various.V1.AutoIris"
#define NEAR_STEP_MIN 1
#define NEAR_STEP_MAX 9999
#define FIELD(f) PARAM_FIELD(struct eye_settings, f), .read = ROLE_VIEWER
#define SLIDER(row, f, value, ...)                                                                 \
    {                                                                                              \
        .name = "ImageSource.I0." row, FIELD(f), .type = PARAM_INT, .min = 0, .max = 100,          \
        .standard = value, .write = ROLE_OPERATOR, .doc = __VA_ARGS__                              \
    }
#define NUMBER(row, f, least, most, value, in, ...)                                                \
    {                                                                                              \
        .name = "ImageSource.I0." row, FIELD(f), .type = PARAM_INT, .min = least, .max = most,     \
        .standard = value, .write = ROLE_OPERATOR, .unit = in, .doc = __VA_ARGS__                  \
    }
#define CHOICE(row, f, list, value, ...)                                                           \
    {                                                                                              \
        .name = "ImageSource.I0." row, FIELD(f), .type = PARAM_ENUM, .choices = list,              \
        .standard = value, .write = ROLE_OPERATOR, .doc = __VA_ARGS__                              \
    }
#define SWITCH(row, f, value, ...)                                                                 \
    {                                                                                              \
        .name = "ImageSource.I0." row, FIELD(f), .type = PARAM_BOOL, .standard = value,            \
        .write = ROLE_OPERATOR, .doc = __VA_ARGS__                                                 \
    }
#define EDGE(row, f, value, ...) NUMBER(row, f, 0, 9999, value, NULL, __VA_ARGS__)
#define ZONE(row, f)                                                                               \
    .name = "ImageSource.I0.Sensor.CustomExposureWindow.C#." row, FIELD(exposure.zone[0].f),       \
    .stride = sizeof(((struct eye_settings *)0)->exposure.zone[0]), .count = EYE_ZONES,            \
    .write = ROLE_OPERATOR
#define ZONE_EDGE(row, f, value, ...)                                                              \
    {                                                                                              \
        ZONE(row, box.f), .type = PARAM_INT, .min = 0, .max = 9999, .standard = value,             \
                          .doc = __VA_ARGS__                                                       \
    }
#define RECALL(row, f, least, most, in, ...)                                                       \
    {                                                                                              \
        .name = "ImageSource.I0.Focus.Recall.R#." row, FIELD(focus.recall[0].f),                   \
        .type = PARAM_DOUBLE, .min = least, .max = most, .standard = #least,                       \
        .stride = sizeof(struct eye_recall), .count = EYE_RECALLS,                                 \
        .used_offset = offsetof(struct eye_settings, focus.recall[0].used),                        \
        .template_name = "focusrecall", .write = ROLE_OPERATOR, .unit = in, .doc = __VA_ARGS__     \
    }

static const struct param_row rows[] = {
    {.name = "ImageSource.I0.CaptureFrequency",
     FIELD(mains),
     .type = PARAM_ENUM,
     .choices = mains,
     .standard = "50Hz",
     .write = ROLE_ADMIN,
     .doc = "Frequency of the mains that lamps flicker with; holds from the next start"},
    {.name = "ImageSource.I0.Sensor.CaptureMode",
     FIELD(capture_mode),
     .type = PARAM_INT,
     .min = -1,
     .max = 15,
     .standard = "-1",
     .write = ROLE_ADMIN,
     .doc = "Which of the sensor's sizes and rates it takes; -1: as it is opened; holds from the "
            "next start"},
    {.name = "ImageSource.I0.Preview.Time",
     FIELD(preview_minutes),
     .type = PARAM_INT,
     .min = 0,
     .max = 1440,
     .standard = "120",
     .write = ROLE_ADMIN,
     .unit = "min",
     .doc = "Without an account anybody sees the picture for so long after a start; 0: nobody"},
    CHOICE("SceneProfile", profile, profiles, "forensic",
           "Setting it sets colour, contrast, brightness, sharpness, local contrast and "
           "blur-noise trade-off to what suits such a scene"),
    CHOICE("SourceRotation", rotation, rotations, "0",
           "How the camera hangs: picture and directions turn together"),

    CHOICE("DayNight.IrCutFilter", daynight.filter, no_yes_auto, "auto",
           "Filter against infrared: yes is day, no is night, black and white"),
    {.name = "PTZ.Various.V1.IrCutFilter",
     FIELD(daynight.filter),
     .type = PARAM_ENUM,
     .choices = off_on_auto,
     .standard = "auto",
     .write = ROLE_OPERATOR,
     .fleeting = true,
     .doc = "Another name of ImageSource.I0.DayNight.IrCutFilter"},
    SLIDER("DayNight.ShiftLevel", daynight.night_level, "100",
           "When it becomes night: 0 soon, 100 only when it is very dark"),
    NUMBER("DayNight.DwellTime", daynight.night_dwell_s, 0, 3600, "3", "s",
           "It must have been dark for so long"),
    SLIDER("DayNight.NightDayShiftLevel", daynight.day_level, "50",
           "When it becomes day again: 0 soon, 100 only when it is bright"),
    NUMBER("DayNight.NightDayDwellTime", daynight.day_dwell_s, 0, 3600, "3", "s",
           "It must have been bright for so long"),
    CHOICE("Infrared.Mode", infrared.mode, off_on_auto, "auto",
           "The camera's own infrared lamp; auto: at night"),
    SLIDER("Infrared.Intensity", infrared.intensity, "100",
           "Of the infrared lamp; the most that auto takes"),
    CHOICE("Infrared.IntensityMode", infrared.intensity_mode, auto_manual, "auto",
           "auto: as much infrared as the scene needs"),
    NUMBER("Infrared.Angle", infrared.angle, 0, 70, "0", "deg",
           "Beam of the infrared lamp; 0: it follows the zoom"),

    SLIDER("Sensor.Brightness", brightness, "50", "Of the picture, after the exposure"),
    SLIDER("Sensor.Contrast", contrast, "50", "Steepness about the middle of the tone curve"),
    SLIDER("Sensor.ColorLevel", colour, "50", "Saturation; 0: grey"),
    SLIDER("Sensor.Sharpness", sharpness, "50", "Of edges; below 50 softer"),
    SLIDER("Sensor.LocalContrast", local_contrast, "50", "Of neighbouring parts of the picture"),

    CHOICE("Sensor.Exposure", exposure.mode, exposures, "auto",
           "What chooses time, gain and iris; aperture: iris by hand; shutter: time by hand"),
    SLIDER("Sensor.ExposureValue", exposure.level, "50",
           "Brightness that the exposure aims at; 0 … 100: 2 stops less … more"),
    SLIDER("Sensor.ExposurePriority", exposure.priority, "50",
           "0: low noise, the time grows first; 100: low motion blur, gain grows first"),
    CHOICE("Sensor.ExposureWindow", exposure.window, windows, "auto",
           "Part of the picture that the exposure is made for"),
    {.name = "ImageSource.I0.Sensor.CustomExposureWindow.NbrOfConfigs",
     FIELD(exposure.zones),
     .type = PARAM_INT,
     .min = EYE_ZONES,
     .max = EYE_ZONES,
     .standard = "10",
     .write = ROLE_SYSTEM,
     .doc = "How many zones of exposure there are"},
    ZONE_EDGE("Left", left, "3000", "Left edge of a zone of exposure; 9999 is the right rim"),
    ZONE_EDGE("Right", right, "6999", "Right edge of a zone of exposure"),
    ZONE_EDGE("Top", top, "3000", "Upper edge of a zone of exposure; 9999 is the lower rim"),
    ZONE_EDGE("Bottom", bottom, "6999", "Lower edge of a zone of exposure"),
    {ZONE("WindowType", kind), .type = PARAM_ENUM, .choices = zone_kinds, .standard = "disabled",
     .doc = "include: the exposure is made for it; exclude: not for this part of another"},
    NUMBER("Sensor.MaxExposureTime", exposure.longest_us, 0, 2000000, "0", "us",
           "Longest time that the camera exposes by itself, at the cost of the frame rate where it "
           "must; 0: as long as the frame rate allows"),
    NUMBER("Sensor.MinExposureTime", exposure.shortest_us, 15, 2000000, "15", "us",
           "Shortest time that the camera exposes by itself"),
    SLIDER("Sensor.MaxGain", exposure.most_gain, "100", "Share of the sensor's gain it may use"),
    SLIDER("Sensor.MinGain", exposure.least_gain, "0", "Share of the sensor's gain it always uses"),
    NUMBER("Sensor.ManualShutter", exposure.manual_us, 15, 2000000, "10000", "us",
           "Exposure time of the modes manual and shutter"),
    SLIDER("Sensor.ManualGain", exposure.manual_gain, "0", "Gain of the mode manual"),
    SLIDER("Sensor.Aperture", exposure.aperture, "100",
           "Iris of the modes aperture and manual, and where it is locked; 100: open"),
    SWITCH("Sensor.ApertureLock", exposure.aperture_locked, "no",
           "The iris stays at Aperture in all modes of exposure"),

    {.name = AUTO_IRIS,
     FIELD(exposure.auto_iris),
     .type = PARAM_ENUM,
     .choices = false_true,
     .standard = "true",
     .write = ROLE_OPERATOR,
     .fleeting = true,
     .doc = "false: the iris stays at Sensor.Aperture"},

    CHOICE("Sensor.WDR", wdr, off_on, "on",
           "Wide dynamic range: dark and bright parts are both visible"),
    SLIDER("Sensor.WDRLevel", wdr_level, "50", "To 33 low, to 66 medium, else high"),
    {.name = "PTZ.Various.V1.BackLight",
     FIELD(wdr),
     .type = PARAM_ENUM,
     .choices = false_true,
     .standard = "true",
     .write = ROLE_OPERATOR,
     .fleeting = true,
     .doc = "Another name of ImageSource.I0.Sensor.WDR"},
    SLIDER("Sensor.ToneMapping", tone_mapping, "50",
           "How far dark and bright parts are brought "
           "together; 0: not at all"),
    CHOICE("Sensor.Defog", defog, off_on_auto, "off", "Lifts haze"),
    SLIDER("Sensor.DefogEffect", defog_effect, "50", "How much haze is lifted"),
    SWITCH("Sensor.NoiseReduction", noise_reduction, "yes", "Smooths noise"),
    SLIDER("Sensor.TNF", temporal, "50",
           "Smoothing of noise from picture to picture; 0: none, 50: what the sensor does itself"),
    SLIDER("Sensor.SNF", spatial, "50",
           "Smoothing of noise within a picture; 0: none, 50: what the sensor does itself"),

    CHOICE("Sensor.WhiteBalance", balance, balances, "auto", "What light counts as white"),
    SLIDER("Sensor.RedBalance", red, "50", "Red of the manual white balance"),
    SLIDER("Sensor.BlueBalance", blue, "50", "Blue of the manual white balance"),

    CHOICE("Sensor.Stabilizer", steady, steadies, "off",
           "Steadies a shaking picture; it is cut a little for that"),
    SLIDER("Sensor.StabilizerMargin", steady_margin, "50",
           "How much of the picture the stabiliser may cut off"),

    CHOICE(
        "Focus.Mode", focus.mode, focuses, "auto",
        "auto: for the whole picture; area: for a part of it; spot: for its middle; manual: stays"),
    {.name = AUTO_FOCUS,
     FIELD(focus.automatic),
     .type = PARAM_ENUM,
     .choices = false_true,
     .standard = "true",
     .write = ROLE_OPERATOR,
     .fleeting = true,
     .doc = "false: Focus.Mode is manual"},
    EDGE("Focus.Area.Left", focus.area.left, "3333", "Left edge of the area in focus"),
    EDGE("Focus.Area.Right", focus.area.right, "6666", "Right edge of the area in focus"),
    EDGE("Focus.Area.Top", focus.area.top, "3333", "Upper edge of the area in focus"),
    EDGE("Focus.Area.Bottom", focus.area.bottom, "6666", "Lower edge of the area in focus"),
    {.name = "PTZ.Limit.L1.MinFocus",
     FIELD(focus.near_step),
     .type = PARAM_INT,
     .min = NEAR_STEP_MIN,
     .max = NEAR_STEP_MAX,
     .standard = "1",
     .write = ROLE_ADMIN,
     .doc = "Nothing nearer is focused on: ImageSource.I0.Focus.NearLimit in steps"},
    SLIDER("Focus.NearLimit", focus.near_limit, "0",
           "Nothing nearer is focused on; 0: everything, 100: only what is far"),
    {.name = "ImageSource.I0.Focus.Recall.R#.Name",
     FIELD(focus.recall[0].name),
     .type = PARAM_STRING,
     .standard = "",
     .stride = sizeof(struct eye_recall),
     .count = EYE_RECALLS,
     .used_offset = offsetof(struct eye_settings, focus.recall[0].used),
     .template_name = "focusrecall",
     .write = ROLE_OPERATOR,
     .doc = "What a focus recall area is called"},
    RECALL("Pan", pan_deg, -180, 180, "deg", "Middle of a focus recall area"),
    RECALL("Tilt", tilt_deg, -180, 180, "deg", "Middle of a focus recall area"),
    RECALL("HFov", hfov_deg, 0, 180, "deg", "Width of a focus recall area"),
    RECALL("Focus", focus, 0, 1, NULL, "Focus that is recalled there; 0 near … 1 far"),
};

/* ---- scene profiles ---- */

#define FOLLOWING 6
static const struct {
    const char *name;
    size_t offset;
    int of[PROFILE_PLATE + 1];
} following[FOLLOWING] = {
    /* forensic, vivid, traffic, indoor, outdoor, plate */
    {"Sensor.ColorLevel", offsetof(struct eye_settings, colour), {50, 70, 55, 55, 55, 35}},
    {"Sensor.Contrast", offsetof(struct eye_settings, contrast), {50, 60, 55, 50, 55, 65}},
    {"Sensor.Brightness", offsetof(struct eye_settings, brightness), {50, 50, 50, 55, 50, 45}},
    {"Sensor.Sharpness", offsetof(struct eye_settings, sharpness), {50, 60, 55, 50, 55, 65}},
    {"Sensor.LocalContrast",
     offsetof(struct eye_settings, local_contrast),
     {50, 60, 45, 55, 55, 40}},
    {"Sensor.ExposurePriority",
     offsetof(struct eye_settings, exposure.priority),
     {50, 50, 75, 40, 50, 100}},
};

static bool is_set(const char *name, const bool *was_set)
{
    static const char own[] = "ImageSource.I0.";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool mine = !strncmp(rows[i].name, own, sizeof own - 1);
        if (!strcmp(rows[i].name + (mine ? sizeof own - 1 : 0), name))
            return was_set[i];
    }
    return false;
}

/* Two names of one limit. */
static void follow_near(struct eye_settings *s, const bool *was_set)
{
    const double steps = (NEAR_STEP_MAX - NEAR_STEP_MIN) / 100.0;
    if (is_set("PTZ.Limit.L1.MinFocus", was_set))
        s->focus.near_limit = (int)((s->focus.near_step - NEAR_STEP_MIN) / steps + 0.5);
    else if (is_set("Focus.NearLimit", was_set))
        s->focus.near_step = NEAR_STEP_MIN + (int)(s->focus.near_limit * steps + 0.5);
}

/* A profile that is set, also once more, brings its values with it. */
static void follow_profile(struct eye_settings *s, const bool *was_set)
{
    if (!is_set("SceneProfile", was_set))
        return;
    for (size_t i = 0; i < FOLLOWING; i++)
        if (!is_set(following[i].name, was_set))
            memcpy((char *)s + following[i].offset, &following[i].of[s->profile], sizeof(int));
}

/* PTZ.Various.V1 has names of its own for what the modes say. */
static void follow_names(struct eye_settings *s, const bool *was_set)
{
    if (is_set(AUTO_FOCUS, was_set) && !is_set("Focus.Mode", was_set)) {
        if (!s->focus.automatic)
            s->focus.mode = FOCUS_MANUAL;
        else if (s->focus.mode == FOCUS_MANUAL)
            s->focus.mode = FOCUS_AUTO;
    }
    if (is_set(AUTO_IRIS, was_set) && !is_set("Sensor.Exposure", was_set) &&
        !is_set("Sensor.ApertureLock", was_set)) {
        if (s->exposure.auto_iris) {
            s->exposure.aperture_locked = false;
            if (eye_iris_by_hand(s))
                s->exposure.mode = EXPOSURE_AUTO;
        } else if (!eye_iris_by_hand(s)) {
            s->exposure.mode = EXPOSURE_APERTURE;
        }
    }
    s->focus.automatic = s->focus.mode != FOCUS_MANUAL;
    s->exposure.auto_iris = !eye_iris_by_hand(s);
}

bool eye_iris_by_hand(const struct eye_settings *s)
{
    return s->exposure.mode == EXPOSURE_APERTURE || s->exposure.mode == EXPOSURE_MANUAL ||
           s->exposure.aperture_locked;
}

/* Exposures without flicker are those of the mains that there are. */
static void follow_mains(struct eye_settings *s, const bool *was_set)
{
    if (!is_set("CaptureFrequency", was_set) || is_set("Sensor.Exposure", was_set))
        return;
    bool faster = s->mains == MAINS_60HZ;
    if (s->exposure.mode == EXPOSURE_FREE_50 || s->exposure.mode == EXPOSURE_FREE_60)
        s->exposure.mode = faster ? EXPOSURE_FREE_60 : EXPOSURE_FREE_50;
    else if (s->exposure.mode == EXPOSURE_REDUCED_50 || s->exposure.mode == EXPOSURE_REDUCED_60)
        s->exposure.mode = faster ? EXPOSURE_REDUCED_60 : EXPOSURE_REDUCED_50;
}

static void follow(void *candidate, const bool *was_set)
{
    follow_mains(candidate, was_set);
    follow_profile(candidate, was_set);
    follow_names(candidate, was_set);
    follow_near(candidate, was_set);
}

/* ---- check ---- */

static int check_box(const struct picture_box *b, const char *left, const char *top,
                     struct fault *why)
{
    if (b->left >= b->right)
        return fault_set(why, FAULT_INVALID, left, "must be less than the right edge, %d",
                         b->right);
    if (b->top >= b->bottom)
        return fault_set(why, FAULT_INVALID, top, "must be less than the lower edge, %d",
                         b->bottom);
    return 0;
}

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct eye_settings *s = candidate;
    (void)arg;
    if (s->exposure.longest_us > 0 && s->exposure.shortest_us > s->exposure.longest_us)
        return fault_set(why, FAULT_INVALID, "ImageSource.I0.Sensor.MinExposureTime",
                         "must not be longer than MaxExposureTime, %d us", s->exposure.longest_us);
    if (s->exposure.least_gain > s->exposure.most_gain)
        return fault_set(why, FAULT_INVALID, "ImageSource.I0.Sensor.MinGain",
                         "must not be more than MaxGain, %d", s->exposure.most_gain);
    int err = check_box(&s->focus.area, "ImageSource.I0.Focus.Area.Left",
                        "ImageSource.I0.Focus.Area.Top", why);
    for (int i = 0; !err && i < EYE_ZONES; i++)
        err = check_box(&s->exposure.zone[i].box, "ImageSource.I0.Sensor.CustomExposureWindow.Left",
                        "ImageSource.I0.Sensor.CustomExposureWindow.Top", why);
    return err;
}

const struct room_desc eye_room_desc = {.name = "eye",
                                        .size = sizeof(struct eye_settings),
                                        .rows = rows,
                                        .n_rows = sizeof rows / sizeof *rows,
                                        .check = check,
                                        .follow = follow};
