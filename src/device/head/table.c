#include "device/head/table.h"

#include <stddef.h>
#include <string.h>

#include "device/head/driver.h"
#include "device/onvif/onvif_head.h"
#include "device/uvc/uvc_head.h"
#include "device/vapix/vapix_head.h"
#include "device/visca/visca_head.h"

/* One entry a kind. */
static const struct head_driver *const table[] = {
    &vapix_head_driver, &vapixs_head_driver, &visca_head_driver,
    &onvif_head_driver, &onvifs_head_driver, &uvc_head_driver,
};

const struct head_driver *head_driver_find(const char *scheme)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (!strcmp(table[i]->scheme, scheme))
            return table[i];
    return NULL;
}
