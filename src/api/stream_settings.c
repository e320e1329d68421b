#include "api/stream_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "media/pipeline.h"
#include "media/smart.h"

const char *const stream_rotations[] = {"0", "90", "180", "270", NULL};
const char *const stream_profiles[] = {"baseline", "main", "high", NULL};
const char *const stream_rate_modes[] = {"vbr", "mbr", "abr", "cbr", NULL}; /* enum rate_mode */
const char *const stream_priorities[] = {"none", "framerate", "quality", NULL};
const char *const stream_strengths[] = {"off", "10", "20", "30", "40", "50", NULL};
const char *const stream_dynamics[] = {"fixed", "dynamic", NULL};
const char *const stream_z_profiles[] = {"classic", "storage", NULL};

#define IMAGE(row_name, field, ...)                                                                \
    {                                                                                              \
        .name = "Image.I#." row_name, PARAM_FIELD(struct image_settings, channel[0].field),        \
        .read = ROLE_VIEWER, .stride = sizeof(struct channel_settings), .count = VIEWS_MOST,       \
        __VA_ARGS__                                                                                \
    }

static const struct param_row image_rows[] = {
    {.name = "Image.NbrOfConfigs",
     PARAM_FIELD(struct image_settings, nbr_of_configs),
     .type = PARAM_INT,
     .min = VIEWS_MOST,
     .max = VIEWS_MOST,
     .standard = "9",
     .read = ROLE_VIEWER,
     .write = ROLE_SYSTEM,
     .doc = "How many channels there can be: Image.I0 … I8; the first one is the whole picture"},
    IMAGE("Appearance.Compression", compression, .type = PARAM_INT, .min = 0, .max = 100,
          .standard = "30", .write = ROLE_OPERATOR,
          .doc = "0 keeps all detail, 100 makes the smallest pictures"),
    IMAGE("Appearance.MirrorEnabled", mirror, .type = PARAM_BOOL, .standard = "no",
          .write = ROLE_OPERATOR, .doc = "Left and right are exchanged"),
    IMAGE("Appearance.Resolution", resolution, .type = PARAM_STRING, .standard = "1920x1080",
          .write = ROLE_OPERATOR, .unit = "pixels",
          .doc = "Size of pictures that nobody asked another size for"),
    IMAGE("Appearance.Rotation", rotation, .type = PARAM_ENUM, .choices = stream_rotations,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "deg",
          .doc = "Turns the picture clockwise"),
    IMAGE("Appearance.StampEnabled", stamp, .type = PARAM_BOOL, .standard = "yes",
          .write = ROLE_OPERATOR,
          .doc = "Serial number, pose and UTC travel inside pictures, unseen (SEI, JPEG comment)"),
    IMAGE("MPEG.PCount", p_count, .type = PARAM_INT, .min = 0, .max = STREAM_GOP_MAX - 1,
          .standard = "31", .write = ROLE_OPERATOR, .doc = "Pictures between two key pictures"),
    IMAGE("MPEG.H264.Profile", profile, .type = PARAM_ENUM, .choices = stream_profiles,
          .standard = "high", .write = ROLE_OPERATOR, .doc = "Coding tools that H.264 may use"),
    IMAGE("MPEG.ZStrength", z_strength, .type = PARAM_ENUM, .choices = stream_strengths,
          .standard = "10", .write = ROLE_OPERATOR,
          .doc = "How much is saved where nothing moves: off, 10 (low) to 50 (extreme); not JPEG"),
    IMAGE("MPEG.ZGopMode", z_gop_mode, .type = PARAM_ENUM, .choices = stream_dynamics,
          .standard = "fixed", .write = ROLE_OPERATOR,
          .doc = "dynamic: key pictures stand up to ZMaxGopLength apart, instead of PCount + 1"),
    IMAGE("MPEG.ZMaxGopLength", z_max_gop, .type = PARAM_INT, .min = 1, .max = SMART_GOP_MAX,
          .standard = "300", .write = ROLE_OPERATOR,
          .doc = "Pictures from key picture to key picture at most, with ZGopMode dynamic"),
    IMAGE("MPEG.ZFpsMode", z_fps_mode, .type = PARAM_ENUM, .choices = stream_dynamics,
          .standard = "fixed", .write = ROLE_OPERATOR,
          .doc = "dynamic: pictures in which nothing happens are left out"),
    IMAGE("MPEG.ZMinFps", z_min_fps, .type = PARAM_DOUBLE, .min = 0, .max = STREAM_FPS_MAX,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "1/s",
          .doc = "Pictures a second that are sent with ZFpsMode dynamic even if nothing happens; "
                 "at least one is"),
    IMAGE("MPEG.ZProfile", z_profile, .type = PARAM_ENUM, .choices = stream_z_profiles,
          .standard = "classic", .write = ROLE_OPERATOR,
          .doc = "storage: H.264 and H.265 with B pictures, smaller and half a second late"),
    IMAGE("RateControl.Mode", rate_mode, .type = PARAM_ENUM, .choices = stream_rate_modes,
          .standard = "vbr", .write = ROLE_OPERATOR,
          .doc = "vbr keeps quality, mbr stays under MaxBitrate, abr keeps an average over days, "
                 "cbr keeps MaxBitrate"),
    IMAGE("RateControl.Priority", priority, .type = PARAM_ENUM, .choices = stream_priorities,
          .standard = "framerate", .write = ROLE_OPERATOR,
          .doc = "What MaxBitrate leaves untouched: framerate, quality, or none of both"),
    IMAGE("RateControl.ABR.TargetBitrate", abr_target_kbps, .type = PARAM_INT, .min = 0,
          .max = STREAM_KBPS_MAX, .standard = "0", .write = ROLE_OPERATOR, .unit = "kbit/s",
          .doc = "abr: average over the retention time; 0: none"),
    IMAGE("RateControl.ABR.MaxBitrate", abr_max_kbps, .type = PARAM_INT, .min = 0,
          .max = STREAM_KBPS_MAX, .standard = "0", .write = ROLE_OPERATOR, .unit = "kbit/s",
          .doc = "abr: upper limit at any time; 0: none"),
    IMAGE("RateControl.ABR.RetentionTime", retention_days, .type = PARAM_INT, .min = 1,
          .max = STREAM_DAYS_MAX, .standard = "7", .write = ROLE_OPERATOR, .unit = "days",
          .doc = "abr: how long recordings are kept, which the average is taken over"),
    IMAGE("RateControl.MaxBitrate", max_kbps, .type = PARAM_INT, .min = 0, .max = STREAM_KBPS_MAX,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "kbit/s",
          .doc = "Upper limit of mbr, rate of cbr; 0: none"),
    IMAGE("Stream.Duration", duration_s, .type = PARAM_INT, .min = 0, .max = 1e9, .standard = "0",
          .write = ROLE_OPERATOR, .unit = "s", .doc = "Streams end after this time; 0: never"),
    IMAGE("Stream.FPS", fps, .type = PARAM_DOUBLE, .min = 0, .max = STREAM_FPS_MAX, .standard = "0",
          .write = ROLE_OPERATOR, .unit = "1/s",
          .doc = "Pictures a second; 0: all that the source gives"),
    IMAGE("Stream.NbrOfFrames", nbrofframes, .type = PARAM_INT, .min = 0, .max = 1e9,
          .standard = "0", .write = ROLE_OPERATOR,
          .doc = "Streams end after this many pictures; 0: never"),
};

#define PROFILE(row_name, field, ...)                                                              \
    {                                                                                              \
        .name = "StreamProfile.S#." row_name, .type = PARAM_STRING,                                \
        .offset = offsetof(struct profile_settings, profile[0].field),                             \
        .size = sizeof(((struct profile *)0)->field), .standard = "", .read = ROLE_VIEWER,         \
        .write = ROLE_OPERATOR, .stride = sizeof(struct profile),                                  \
        .used_offset = offsetof(struct profile_settings, profile[0].used), .count = PROFILES_MAX,  \
        .template_name = "streamprofile", __VA_ARGS__                                              \
    }

static const struct param_row profile_rows[] = {
    {.name = "StreamProfile.FactoryMade",
     .type = PARAM_BOOL,
     PARAM_FIELD(struct profile_settings, factory_made),
     .standard = "no",
     .read = ROLE_ADMIN,
     .write = ROLE_SYSTEM,
     .hidden = true,
     .doc = "The profiles that a new camera has were made"},
    {.name = "StreamProfile.MaxGroups",
     .type = PARAM_INT,
     PARAM_FIELD(struct profile_settings, max_groups),
     .min = PROFILES_MAX,
     .max = PROFILES_MAX,
     .standard = "26",
     .read = ROLE_VIEWER,
     .write = ROLE_SYSTEM,
     .doc = "How many stream profiles there can be"},
    PROFILE("Name", name, .doc = "What streamprofile= names"),
    PROFILE("Description", description, .doc = "For people"),
    PROFILE("Parameters", parameters, .doc = "Image arguments, as videocodec=h264&fps=15"),
};

/* ---- sizes ---- */

#define RESOLUTIONS_MAX 16
/* Those of the source, once known: parameters are checked without a camera at hand. */
static struct {
    int width, height;
    char text[RESOLUTIONS_MAX][16];
    const char *list[RESOLUTIONS_MAX + 1];
} sizes;

const char *const *request_resolutions(struct camera *cam)
{
    static const struct {
        int width, height;
    } common[] = {{1920, 1080}, {1280, 960}, {1280, 720}, {1024, 768}, {1024, 576},
                  {800, 600},   {800, 450},  {640, 480},  {640, 360},  {480, 270},
                  {320, 240},   {320, 180},  {160, 120},  {160, 90}};
    int width, height;
    double fps;
    pipeline_size(cam->pipeline, &width, &height, &fps);
    if (sizes.width == width && sizes.height == height)
        return sizes.list;
    size_t n = 0;
    snprintf(sizes.text[n], sizeof sizes.text[n], "%dx%d", width, height);
    sizes.list[n] = sizes.text[n];
    n++;
    for (size_t i = 0; i < sizeof common / sizeof *common && n < RESOLUTIONS_MAX; i++) {
        if (common[i].width > width || common[i].height > height ||
            (common[i].width == width && common[i].height == height))
            continue;
        snprintf(sizes.text[n], sizeof sizes.text[n], "%dx%d", common[i].width, common[i].height);
        sizes.list[n] = sizes.text[n];
        n++;
    }
    sizes.list[n] = NULL;
    sizes.width = width;
    sizes.height = height;
    return sizes.list;
}

void words_join(const char *const *words, char *ret, size_t size)
{
    size_t n = 0;
    *ret = '\0';
    for (; *words && n < size; words++)
        n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? ", " : "", *words);
}

bool words_have(const char *const *words, const char *word)
{
    for (; *words; words++) {
        if (!strcmp(*words, word))
            return true;
    }
    return false;
}

int stream_parse_size(const char *s, int *ret_width, int *ret_height)
{
    int64_t size[2];
    char part[16];
    const char *x = strchr(s, 'x');
    if (!x || (size_t)(x - s) >= sizeof part)
        return -1;
    memcpy(part, s, (size_t)(x - s));
    part[x - s] = '\0';
    if (text_int(part, 1, 65535, &size[0]) || text_int(x + 1, 1, 65535, &size[1]))
        return -1;
    *ret_width = (int)size[0];
    *ret_height = (int)size[1];
    return 0;
}

/* "320×240", "320X240", "320*240": a size that something on the way mangled. Such a
 * client means well and gets the standard size. */
bool stream_size_is_mangled(const char *s)
{
    size_t first = strspn(s, "0123456789");
    const char *rest = s + first;
    size_t junk = strcspn(rest, "0123456789");
    size_t second = strspn(rest + junk, "0123456789");
    if (!first || !junk || junk > 6 || !second || rest[junk + second])
        return false;
    for (size_t i = 0; i < junk; i++) {
        if (isalpha((unsigned char)rest[i]) ? rest[i] != 'X' : strchr("-+.,;/\\", rest[i]) != NULL)
            return false;
    }
    return true;
}

static int check_image(const void *candidate, void *arg, struct fault *why)
{
    const struct image_settings *s = candidate;
    for (int i = 0; i < VIEWS_MOST; i++) {
        const char *resolution = s->channel[i].resolution;
        char name[48], words[200];
        int width, height;
        snprintf(name, sizeof name, "Image.I%d.Appearance.Resolution", i);
        if (stream_parse_size(resolution, &width, &height))
            return fault_set(why, FAULT_INVALID, name, "must be a size as 1280x720");
        if (sizes.width && !words_have(sizes.list, resolution)) {
            words_join(sizes.list, words, sizeof words);
            return fault_set(why, FAULT_INVALID, name, "must be one of %s", words);
        }
    }
    return 0;
}

static int check_profiles(const void *candidate, void *arg, struct fault *why)
{
    const struct profile_settings *s = candidate;
    for (size_t i = 0; i < PROFILES_MAX; i++) {
        for (size_t k = 0; s->profile[i].used && k < i; k++) {
            if (s->profile[k].used && *s->profile[i].name &&
                !strcmp(s->profile[i].name, s->profile[k].name))
                return fault_set(why, FAULT_CONFLICT, "StreamProfile",
                                 "there is a stream profile \"%s\" already", s->profile[i].name);
        }
    }
    return 0;
}

const struct room_desc image_room_desc = {
    .name = "image",
    .size = sizeof(struct image_settings),
    .rows = image_rows,
    .n_rows = sizeof image_rows / sizeof *image_rows,
    .check = check_image,
};
const struct room_desc profile_room_desc = {
    .name = "profile",
    .size = sizeof(struct profile_settings),
    .rows = profile_rows,
    .n_rows = sizeof profile_rows / sizeof *profile_rows,
    .check = check_profiles,
};
