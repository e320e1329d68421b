/* Where a preset looks, as the text of PTZ.Preset.P0.Position.P#.Data: "pan=12.500000:
 * tilt=-3.000000:zoom=1200.000000:focus=4711.000000", in degrees and steps (scale.h). Pure
 * functions; any thread. */
#ifndef PTZ_PRESET_DATA_H
#define PTZ_PRESET_DATA_H

#include <stddef.h>

struct fault;

#define PRESET_DATA_SIZE 128

struct preset_data {
    double pan_deg, tilt_deg;
    double zoom;  /* steps */
    double focus; /* steps; NAN: it does not say */
};

/* Names in any order, each once; without focus or zoom they are left as they are (NAN). */
int preset_data_parse(const char *text, struct preset_data *ret, struct fault *why);
void preset_data_print(const struct preset_data *d, char *ret, size_t size);

#endif
