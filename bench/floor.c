#include "floor.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BYTES_MAX (4 << 20)

static size_t sizes[FLOOR_PICTURES];
static size_t n_sizes;

void floor_die(const char *what)
{
    perror(what);
    exit(1);
}

static void read_sizes(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        floor_die(path);
    unsigned long size;
    while (n_sizes < FLOOR_PICTURES && fscanf(f, "%lu", &size) == 1)
        if (size > 0 && size < BYTES_MAX)
            sizes[n_sizes++] = size;
    fclose(f);
    if (!n_sizes) {
        fprintf(stderr, "%s: no sizes\n", path);
        exit(1);
    }
}

void floor_options(struct floor_options *ret, int argc, char **argv)
{
    static const struct option names[] = {
        {"viewers", 1, NULL, 'n'}, {"port", 1, NULL, 'p'},  {"cpu", 1, NULL, 'c'},
        {"seconds", 1, NULL, 's'}, {"fps", 1, NULL, 'f'},   {"kbps", 1, NULL, 'k'},
        {"gop", 1, NULL, 'g'},     {"sizes", 1, NULL, 'z'}, {0}};
    struct floor_options o = {
        .viewers = 1, .cpu = -1, .seconds = 5, .fps = 30, .kbps = 4000, .gop = 32};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'n':
            o.viewers = (int)strtol(optarg, NULL, 10);
            break;
        case 'p':
            o.port = (int)strtol(optarg, NULL, 10);
            break;
        case 'c':
            o.cpu = (int)strtol(optarg, NULL, 10);
            break;
        case 's':
            o.seconds = strtod(optarg, NULL);
            break;
        case 'f':
            o.fps = strtod(optarg, NULL);
            break;
        case 'k':
            o.kbps = (int)strtol(optarg, NULL, 10);
            break;
        case 'g':
            o.gop = (int)strtol(optarg, NULL, 10);
            break;
        case 'z':
            o.sizes = optarg;
            break;
        default:
            exit(2);
        }
    }
    if (o.viewers < 1 || o.viewers > 10000 || o.seconds <= 0 || o.fps <= 0 || o.kbps < 1 ||
        o.gop < 1) {
        fprintf(stderr, "bad option\n");
        exit(2);
    }
    if (o.sizes)
        read_sizes(o.sizes);
    if (o.cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)o.cpu, &set);
        if (sched_setaffinity(0, sizeof(set), &set) < 0)
            floor_die("cpu");
    }
    *ret = o;
}

size_t floor_picture(const struct floor_options *o, uint64_t i)
{
    if (n_sizes)
        return sizes[i % n_sizes];
    double unit = o->kbps * 125.0 / o->fps * o->gop / (o->gop + 7);
    return (size_t)(i % (uint64_t)o->gop ? unit : 8 * unit);
}

const uint8_t *floor_bytes(void)
{
    static uint8_t bytes[BYTES_MAX];
    if (!bytes[0])
        memset(bytes, 0x55, sizeof(bytes));
    return bytes;
}

int64_t floor_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t floor_cpu_ns(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000000) +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * INT64_C(1000);
}

void floor_sleep_until(int64_t at_ns)
{
    const struct timespec ts = {.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

void floor_report(const char *name, const struct floor_options *o, double seconds, int64_t cpu_ns,
                  uint64_t pictures, uint64_t bytes, uint64_t dropped)
{
    printf("{\"floor\":\"%s\",\"viewers\":%d,\"seconds\":%.3f,\"cpu_percent\":%.3f,"
           "\"pictures\":%llu,\"bytes\":%llu,\"dropped\":%llu}\n",
           name, o->viewers, seconds, 100.0 * (double)cpu_ns / 1e9 / seconds,
           (unsigned long long)pictures, (unsigned long long)bytes, (unsigned long long)dropped);
    fflush(stdout);
}
