/* How a picture was taken; travels with every frame, rendition and packet. */
#ifndef MEDIA_CAPTURE_H
#define MEDIA_CAPTURE_H

#include <stdint.h>

#include "media/pose.h"

struct capture {
    uint64_t serial;          /* k of the tick k/fps at which it was taken, whoever watched
                                 since; a gap: pictures were left out, or nobody watched */
    int64_t start_ns, end_ns; /* exposure, monotonic */
    int64_t utc_ns;           /* of start_ns */
    struct pose pose_start, pose_end;
    double gain_db, iris_f;
    double focus;      /* 0 near … 1 far */
    double red, blue;  /* white balance: factors, green 1; 0: unknown */
    double range;      /* 1, or how many times longer the long exposure was */
    bool ir_cut, mono; /* the infrared filter was in; black and white */
    double mean_luma;  /* 0…1 of the whole unmasked picture; exposure control reads it */
    /* What of the sensor's picture this one shows, 0…1 from the top left; crop_width 0: all.
     * The poses' hfov_deg is that of the picture as it is. */
    double crop_x, crop_y, crop_width, crop_height;
    bool no_signal; /* a placeholder, not the scene */
    bool settling;  /* the camera is still focusing: the next ones will be better */
    uint32_t masks; /* number of the set of privacy masks that it was covered with */
};

/* The text that travels inside coded pictures (SEI user data, JPEG COM):
 * {"serial":N,"utc":"2026-…Z","pose":{"pan":…,"tilt":…,"zoom":…}}. A head of
 * metal adds to its pose "error" (degrees that it may be wrong by) or "known":false. Length. */
int capture_text(const struct capture *c, char *ret, int size);
/* UUID of the SEI user_data_unregistered message (ITU-T H.264 D.1.7) it stands in. */
extern const uint8_t capture_sei_uuid[16];

#endif
