/* What is kept of presets and recorded tours: whatever is taken is written and read back the
 * same. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "ptz/preset_data.h"
#include "ptz/preset_image.h"
#include "ptz/recording.h"

static void presets(const char *text)
{
    struct preset_data d, back;
    char again[PRESET_DATA_SIZE * 4];
    preset_image_check(text, NULL);
    if (preset_data_parse(text, &d, NULL))
        return;
    preset_data_print(&d, again, sizeof again);
    if (preset_data_parse(again, &back, NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct recording r, back;
    char *text = malloc(len + 1);
    memcpy(text, data, len);
    text[len] = '\0';
    presets(text);
    if (!recording_parse(text, len, &r, NULL)) {
        BUF(out, RECORDING_TEXT_MOST);
        if (recording_print(&r, &out) || recording_parse(out.data, out.len, &back, NULL) ||
            back.n != r.n)
            abort();
    }
    free(text);
    return 0;
}
