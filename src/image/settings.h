/* What can be set of the eye: rows ImageSource.I0.*, as one plain struct. Read by field from a
 * snapshot (room_ref); any thread. Sliders go from 0 to 100; 50 (or off) leaves the picture
 * as the sensor gives it and costs nothing. The room's table is eye_room_desc (eye.h). */
#ifndef IMAGE_SETTINGS_H
#define IMAGE_SETTINGS_H

#include <stdbool.h>

enum mains { MAINS_50HZ, MAINS_60HZ };
enum scene_profile {
    PROFILE_FORENSIC,
    PROFILE_VIVID,
    PROFILE_TRAFFIC,
    PROFILE_INDOOR,
    PROFILE_OUTDOOR,
    PROFILE_PLATE,
};
enum cut_filter { CUT_NO, CUT_YES, CUT_AUTO }; /* yes: the filter is in, day */
enum off_on_auto { SET_OFF, SET_ON, SET_AUTO };
enum exposure_mode {
    EXPOSURE_AUTO,
    EXPOSURE_APERTURE, /* the iris is fixed */
    EXPOSURE_SHUTTER,  /* the time is fixed */
    EXPOSURE_HOLD,
    EXPOSURE_MANUAL,
    EXPOSURE_FREE_50,
    EXPOSURE_FREE_60,
    EXPOSURE_REDUCED_50,
    EXPOSURE_REDUCED_60,
};
enum exposure_window {
    WINDOW_AUTO,
    WINDOW_CENTER,
    WINDOW_UPPER,
    WINDOW_LOWER,
    WINDOW_LEFT,
    WINDOW_RIGHT,
    WINDOW_SPOT,
    WINDOW_FULL,
    WINDOW_CUSTOM,
};
enum zone_kind { ZONE_INCLUDE, ZONE_EXCLUDE, ZONE_DISABLED };
enum balance_mode {
    BALANCE_AUTO,
    BALANCE_AUTO_INDOOR,
    BALANCE_AUTO_OUTDOOR,
    BALANCE_HOLD,
    BALANCE_MANUAL,
    BALANCE_OUTDOOR1,
    BALANCE_OUTDOOR2,
    BALANCE_INDOOR,
    BALANCE_FLUOR1,
    BALANCE_FLUOR2,
    BALANCE_MERCURY,
    BALANCE_SODIUM,
};
enum steady_mode { STEADY_OFF, STEADY_ON, STEADY_LOW, STEADY_HIGH };
enum focus_setting { FOCUS_AUTO, FOCUS_AREA, FOCUS_MANUAL, FOCUS_SPOT };

/* Part of the picture, 0 … 9999 from left and top; both ends belong to it. */
struct picture_box {
    int left, right, top, bottom;
};

#define EYE_ZONES 10
#define EYE_RECALLS 20
#define EYE_RECALL_NAME 129 /* bytes of UTF-8, its end included */

struct eye_settings {
    int mains;        /* enum mains; from the next start on */
    int capture_mode; /* index of sensor_caps.mode, or -1: as it is opened; likewise */
    int profile;      /* enum scene_profile */
    int rotation;     /* 0: as it hangs; 1: by 180 degrees */

    struct {
        int filter; /* enum cut_filter */
        int night_level, night_dwell_s, day_level, day_dwell_s;
    } daynight;
    struct {
        int mode; /* enum off_on_auto */
        int intensity;
        int intensity_mode; /* 0: auto, 1: manual */
        int angle;          /* degrees; 0 follows the zoom */
    } infrared;

    int brightness, contrast, colour, sharpness, local_contrast;

    struct {
        int mode; /* enum exposure_mode */
        int level, priority;
        int window; /* enum exposure_window */
        struct {
            struct picture_box box;
            int kind; /* enum zone_kind */
        } zone[EYE_ZONES];
        int zones;                   /* how many there are; a constant */
        int longest_us, shortest_us; /* bounds of what the camera chooses; longest 0: a picture's */
        int most_gain, least_gain;
        int manual_us, manual_gain;
        int aperture; /* 100: open */
        bool aperture_locked;
        int auto_iris; /* 0: eye_iris_by_hand(); another name of that */
    } exposure;

    int wdr; /* 0 off, 1 on */
    int wdr_level, tone_mapping;
    int defog; /* enum off_on_auto */
    int defog_effect;
    bool noise_reduction;
    int temporal, spatial; /* noise reduction */

    int balance; /* enum balance_mode */
    int red, blue;

    int steady; /* enum steady_mode */
    int steady_margin;

    struct {
        int mode;      /* enum focus_setting */
        int automatic; /* 0: manual; another name of that */
        struct picture_box area;
        int near_limit; /* 0 … 100 of the way from near to far */
        int near_step;  /* the same as 1 … 9999: the one that holds */
        struct eye_recall {
            bool used;
            double pan_deg, tilt_deg, hfov_deg;
            double focus;
            char name[EYE_RECALL_NAME];
        } recall[EYE_RECALLS];
    } focus;

    int preview_minutes; /* 0: there is no preview mode */
};

/* The iris stays where Sensor.Aperture has it. */
bool eye_iris_by_hand(const struct eye_settings *s);

#endif
