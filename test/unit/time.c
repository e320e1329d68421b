/* Zones: our own reading of tzdata against the C library's. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "system/posix_tz.h"
#include "system/time.h"
#include "system/tzif.h"

TEST(known_offsets)
{
    const int64_t summer = 1782043200 * NSEC_PER_SEC; /* 2026-06-21T12:00Z */
    const int64_t winter = 1767225600 * NSEC_PER_SEC; /* 2026-01-01T00:00Z */
    CHECK_INT(time_local_offset("UTC", summer), 0);
    CHECK_INT(time_local_offset("no/such", summer), 0);
    CHECK_INT(time_local_offset("CET-1CEST,M3.5.0,M10.5.0/3", summer), 7200);
    CHECK_INT(time_local_offset("CET-1CEST,M3.5.0,M10.5.0/3", winter), 3600);
    CHECK_INT(time_local_offset("<+0530>-5:30", winter), 19800);
    if (!time_zone_exists("Europe/Stockholm"))
        return; /* a machine without tzdata */
    CHECK_INT(time_local_offset("Europe/Stockholm", summer), 7200);
    CHECK_INT(time_local_offset("Europe/Stockholm", winter), 3600);
    CHECK_INT(time_local_offset("America/New_York", summer), -14400);
    CHECK_INT(time_local_offset("Australia/Lord_Howe", winter), 39600);
    char rule[96];
    CHECK_INT(time_posix_zone("Europe/Stockholm", rule, sizeof rule), 0);
    CHECK_STR(rule, "CET-1CEST,M3.5.0,M10.5.0/3");
    CHECK(time_zone_has_dst("Europe/Stockholm"));
    CHECK(!time_zone_has_dst("Asia/Tokyo"));
    CHECK_INT(time_posix_zone("Europe/Nowhere", rule, sizeof rule), -ENOENT);
}

TEST(names_cannot_leave_the_folder)
{
    static const char *const bad[] = {"../../../etc/passwd",
                                      "/etc/passwd",
                                      "Europe/../UTC",
                                      "Europe//Paris",
                                      "",
                                      ".",
                                      "zone.tab",
                                      "Europe",
                                      "$(id)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!time_zone_exists(bad[i]));
}

TEST(agrees_with_the_c_library)
{
    size_t n;
    const char *const *zones = time_zones(&n);
    CHECK(n >= 1);
    CHECK_STR(zones[0], "UTC");
    CHECK(!zones[n]);
    uint64_t random = 1;
    for (size_t i = 0; i < n; i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        for (int k = 0; k < 200; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            time_t t = (time_t)(random >> 31) % 5000000000; /* 1970 to 2128 */
            struct tm tm;
            localtime_r(&t, &tm);
            if (time_local_offset(zones[i], t * NSEC_PER_SEC) != tm.tm_gmtoff)
                unit_fail(__FILE__, __LINE__, "%s at %lld: %ld, the C library says %ld", zones[i],
                          (long long)t, time_local_offset(zones[i], t * NSEC_PER_SEC),
                          tm.tm_gmtoff);
        }
    }
}

TEST(rules)
{
    static const char *const good[] = {"UTC0",
                                       "<-03>3",
                                       "EST5EDT,M3.2.0,M11.1.0",
                                       "IST-2IDT,M3.4.4/26,M10.5.0",
                                       "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
                                       "AAA3BBB,J60/1,300/2"};
    static const char *const bad[] = {"",
                                      "X0",
                                      "UTC",
                                      "UTC0 ",
                                      "UTC300",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.0.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,M3.2.0,M11.1.0x",
                                      "<+>0",
                                      "<ABC0",
                                      "EST5:99",
                                      "EST--5",
                                      "EST5EDT,J0,J1"};
    struct posix_tz tz;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (posix_tz_parse(good[i], &tz))
            unit_fail(__FILE__, __LINE__, "refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!posix_tz_parse(bad[i], &tz))
            unit_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
}

/* Every truncation and many changed bytes: refused or read, never worse. */
TEST(damaged_files)
{
    static uint8_t bytes[TZIF_MAX_BYTES], copy[TZIF_MAX_BYTES];
    int fd = open("/usr/share/zoneinfo/Europe/Stockholm", O_RDONLY);
    if (fd < 0)
        return;
    ssize_t len = read(fd, bytes, sizeof bytes);
    close(fd);
    CHECK(len > 100);
    struct tzif z;
    CHECK_INT(tzif_parse(bytes, (size_t)len, &z), 0);
    tzif_done(&z);
    for (ssize_t i = 0; i < len; i++) {
        uint8_t *exact = malloc((size_t)i + 1); /* so that a sanitizer sees each step too far */
        memcpy(exact, bytes, (size_t)i);
        CHECK_INT(tzif_parse(exact, (size_t)i, &z), -EINVAL);
        free(exact);
    }
    for (ssize_t i = 0; i < len; i++) {
        for (int v = 0; v < 256; v += 51) {
            memcpy(copy, bytes, (size_t)len);
            copy[i] = (uint8_t)v;
            if (!tzif_parse(copy, (size_t)len, &z)) {
                tzif_offset(&z, 1782043200);
                tzif_offset(&z, -1);
                tzif_done(&z);
            }
        }
    }
}

UNIT_MAIN(UNIT_ROW(known_offsets) UNIT_ROW(names_cannot_leave_the_folder)
              UNIT_ROW(agrees_with_the_c_library) UNIT_ROW(rules) UNIT_ROW(damaged_files))
