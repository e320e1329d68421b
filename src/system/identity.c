#include "system/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "conf/param.h"

#define IDENTITY_FILE "identity.json"
#define HARDWARE_ID "V1.0"

static bool is_serial(const char *s)
{
    if (strlen(s) != 12 || strspn(s, "0123456789ABCDEF") != 12)
        return false;
    /* Locally administered, not a group address: nobody else's prefix. */
    return strchr("26AE", s[1]) != NULL;
}

static void make_serial(bool seeded, uint64_t seed, char ret[13])
{
    uint8_t bytes[HASH_MAX];
    if (seeded) {
        char text[48];
        int n = snprintf(text, sizeof text, "vedette identity %llu", (unsigned long long)seed);
        hash_bytes(HASH_SHA256, text, (size_t)n, bytes);
    } else {
        random_bytes(bytes, 6);
    }
    bytes[0] = 0x02;
    for (int i = 0; i < 6; i++)
        snprintf(ret + 2 * i, 3, "%02X", bytes[i]);
}

static void make_boot_id(char ret[37])
{
    uint8_t b[16];
    random_bytes(b, sizeof b);
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f)); /* RFC 9562 version 4 */
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

/* False when there is none or it makes no sense: a new one is made then. */
static bool load_serial(struct file_port *files, char ret[13])
{
    BUF(text, 4096);
    bool old;
    if (file_load_small(files, IDENTITY_FILE, 4096, &text, &old))
        return false;
    struct fault why;
    JSON_AUTO *j = json_parse(text.data, text.len, &why);
    const char *serial = NULL;
    if (!j || json_get_string(j, "serial", &serial, &why) || !serial || !is_serial(serial))
        return false;
    return text_copy(ret, 13, serial);
}

int identity_load(struct file_port *files, bool seeded, uint64_t seed, struct identity_info *ret,
                  struct fault *why)
{
    struct identity_info id = {.hardware_id = HARDWARE_ID};
    if (!load_serial(files, id.serial)) {
        make_serial(seeded, seed, id.serial);
        char text[64];
        int n = snprintf(text, sizeof text, "{\"serial\":\"%s\"}\n", id.serial);
        int err = file_save_small(files, IDENTITY_FILE, text, (size_t)n);
        if (err)
            return fault_set(why, FAULT_IO, IDENTITY_FILE, "cannot be written: %s", strerror(-err));
    }
    for (int i = 0; i < 6; i++)
        snprintf(id.mac + 3 * i, 4, "%.2s%s", id.serial + 2 * i, i < 5 ? ":" : "");
    make_boot_id(id.boot_id);
    *ret = id;
    return 0;
}

#define BRAND(row_name, field, value, words)                                                       \
    {                                                                                              \
        .name = row_name, .type = PARAM_STRING, PARAM_FIELD(struct brand_settings, field),         \
        .standard = value, .read = ROLE_ANYONE, .write = ROLE_ADMIN, .doc = words                  \
    }

static const struct param_row rows[] = {
    BRAND("Brand.Brand", brand, "VEDETTE", "Name of the maker"),
    BRAND("Brand.ProdFullName", full_name, "VEDETTE P1 PTZ Network Camera", "Long product name"),
    BRAND("Brand.ProdNbr", number, "P1", "Product number"),
    BRAND("Brand.ProdShortName", short_name, "VEDETTE P1", "Short product name"),
    BRAND("Brand.ProdType", type, "PTZ Network Camera", "Kind of product"),
    BRAND("Brand.ProdVariant", variant, "", "Variant of the product"),
    BRAND("Brand.WebURL", web_url, "", "Web site of the maker"),
    BRAND("Properties.Firmware.BuildDate", build_date, "Nov 25 2026 12:00", "When it was built"),
    BRAND("Properties.Firmware.BuildNumber", build_number, "1", "Number of the build"),
    BRAND("Properties.Firmware.Version", version, "12.0.0",
          "Version that clients compare to learn what is there"),
};

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct brand_settings *b = candidate;
    unsigned dots = 0;
    for (const char *s = b->version; *s; s++)
        dots += *s == '.';
    if (strspn(b->version, "0123456789.") != strlen(b->version) || dots < 1 || dots > 3)
        return fault_set(why, FAULT_INVALID, "Properties.Firmware.Version",
                         "must be numbers and dots, as 12.0.0");
    return 0;
}

const struct room_desc brand_room_desc = {
    .name = "brand",
    .size = sizeof(struct brand_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
    .check = check,
};
