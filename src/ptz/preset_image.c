#include "ptz/preset_image.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "conf/param.h"

#define ROOT "ImageSource.I0."
#define VALUE_SIZE 48

/* Word in the line, parameter. The first three are the iris. */
#define IRIS 3
static const char *const controls[][2] = {
    {"Exposure", "Sensor.Exposure"},
    {"Aperture", "Sensor.Aperture"},
    {"ApertureLock", "Sensor.ApertureLock"},
    {"ColorLevel", "Sensor.ColorLevel"},
    {"Contrast", "Sensor.Contrast"},
    {"Brightness", "Sensor.Brightness"},
    {"Sharpness", "Sensor.Sharpness"},
    {"LocalContrast", "Sensor.LocalContrast"},
    {"ExposureValue", "Sensor.ExposureValue"},
    {"ExposurePriority", "Sensor.ExposurePriority"},
    {"ExposureWindow", "Sensor.ExposureWindow"},
    {"MaxExposureTime", "Sensor.MaxExposureTime"},
    {"MaxGain", "Sensor.MaxGain"},
    {"ManualShutter", "Sensor.ManualShutter"},
    {"ManualGain", "Sensor.ManualGain"},
    {"WDR", "Sensor.WDR"},
    {"WDRLevel", "Sensor.WDRLevel"},
    {"ToneMapping", "Sensor.ToneMapping"},
    {"WhiteBalance", "Sensor.WhiteBalance"},
    {"RedBalance", "Sensor.RedBalance"},
    {"BlueBalance", "Sensor.BlueBalance"},
    {"Defog", "Sensor.Defog"},
    {"DefogEffect", "Sensor.DefogEffect"},
    {"NoiseReduction", "Sensor.NoiseReduction"},
    {"TNF", "Sensor.TNF"},
    {"SNF", "Sensor.SNF"},
    {"IrCutFilter", "DayNight.IrCutFilter"},
};
#define N_CONTROLS (sizeof controls / sizeof *controls)

static bool get(struct conf *c, size_t control, char *ret, size_t size)
{
    char name[96];
    BUF(value, VALUE_SIZE);
    snprintf(name, sizeof name, ROOT "%s", controls[control][1]);
    if (conf_get(c, name, ~0u, &value, NULL) || value.err || value.len >= size)
        return false;
    memcpy(ret, buf_str(&value), value.len + 1);
    return true;
}

static size_t add(struct conf *c, size_t control, char *ret, size_t n, size_t size)
{
    char value[VALUE_SIZE];
    if (n < size && get(c, control, value, sizeof value))
        n += (size_t)snprintf(ret + n, size - n, "%s%s=%s", n ? "&" : "", controls[control][0],
                              value);
    return n;
}

static bool iris_by_hand(struct conf *c)
{
    char mode[VALUE_SIZE] = "", locked[VALUE_SIZE] = "";
    get(c, 0, mode, sizeof mode);
    get(c, 2, locked, sizeof locked);
    return !strcmp(mode, "aperture") || !strcmp(mode, "manual") || !strcmp(locked, "yes");
}

int preset_image_now(struct conf *c, bool all, char *ret, size_t size, struct fault *why)
{
    size_t n = 0;
    *ret = '\0';
    for (size_t i = 0; i < N_CONTROLS && (all || (i < IRIS && iris_by_hand(c))); i++)
        n = add(c, i, ret, n, size);
    return n < size ? 0
                    : fault_set(why, FAULT_LIMIT, "Image",
                                "the settings of the picture are too long to be kept");
}

/* The next "word=value" of the line. 0: at the end; 1; -EINVAL. */
static int next(const char **text, size_t *ret_control, char *ret_value, struct fault *why)
{
    const char *s = *text;
    if (!*s)
        return 0;
    size_t len = strcspn(s, "&"), word = strcspn(s, "=&"), i = 0;
    while (i < N_CONTROLS &&
           (strlen(controls[i][0]) != word || strncmp(controls[i][0], s, word) != 0))
        i++;
    if (i == N_CONTROLS || s[word] != '=' || len - word - 1 >= VALUE_SIZE)
        return fault_set(why, FAULT_INVALID, "Image", "\"%.*s\" is no setting of the picture",
                         (int)(len < 40 ? len : 40), s);
    memcpy(ret_value, s + word + 1, len - word - 1);
    ret_value[len - word - 1] = '\0';
    *ret_control = i;
    *text = s + len + (s[len] == '&');
    return 1;
}

int preset_image_check(const char *text, struct fault *why)
{
    char value[VALUE_SIZE];
    size_t control;
    int r;
    while ((r = next(&text, &control, value, why)) > 0)
        ;
    return r;
}

void preset_image_same(struct conf *c, const char *of, char *ret, size_t size)
{
    char value[VALUE_SIZE];
    size_t control, n = 0;
    *ret = '\0';
    while (next(&of, &control, value, NULL) > 0)
        n = add(c, control, ret, n, size);
    if (n >= size)
        *ret = '\0';
}

/* What the line says of a control; false: nothing. */
static bool said(const char *text, size_t control, char *ret_value)
{
    size_t i;
    while (next(&text, &i, ret_value, NULL) > 0)
        if (i == control)
            return true;
    return false;
}

int preset_image_set(struct conf *c, struct txn *t, const char *text, const char *unless_not,
                     struct fault *why)
{
    char value[VALUE_SIZE], now[VALUE_SIZE], then[VALUE_SIZE], name[96];
    size_t control;
    int r, err = 0;
    while (!err && (r = next(&text, &control, value, why)) != 0) {
        if (r < 0)
            return r;
        if (!get(c, control, now, sizeof now) || !strcmp(now, value) ||
            (said(unless_not, control, then) && strcmp(now, then) != 0))
            continue;
        snprintf(name, sizeof name, ROOT "%s", controls[control][1]);
        err = txn_set(t, name, value, why);
    }
    return err;
}
