#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

static const char usage[] =
    "usage: vedetted [options]\n"
    "\n"
    "  --state DIR       where the camera keeps its settings (default: the XDG state folder)\n"
    "  --bind ADDR       address to listen on (default ::, all of them)\n"
    "  --http-port N     web and API, plain (default 8080; 0 takes a free one, also below)\n"
    "  --https-port N    web and API, TLS (default 8443)\n"
    "  --rtsp-port N     RTSP (default 8554)\n"
    "  --rtsps-port N    RTSP over TLS (default 8322)\n"
    "  --source SPEC     virtual (default), file:PATH, v4l2:/dev/videoN, or another camera:\n"
    "                    rtsp://…, rtsps://…, http://…, https://… (docs/sources.md)\n"
    "  --head SPEC       digital (default), none, or one of metal under another source than\n"
    "                    virtual: visca:/dev/ttyUSB0, visca://…, vapix://…, onvif://…,\n"
    "                    uvc:/dev/videoN (docs/sources.md)\n"
    "  --audio SPEC      microphone and loudspeaker instead of the source's: none, alsa:NAME, or\n"
    "                    alsa:MICROPHONE,LOUDSPEAKER by names of ALSA (docs/audio.md)\n"
    "  --seed N          the virtual world's seed and this camera's serial number\n"
    "  --clock real|sim  sim: time stands still until POST /vedette/stage/clock advances it\n"
    "  --verbose         log more\n"
    "  --version, --help\n";

int options_parse(int argc, char **argv, struct options *o)
{
    enum {
        STATE = 256,
        BIND,
        HTTP,
        HTTPS,
        RTSP,
        RTSPS,
        SOURCE,
        HEAD,
        AUDIO,
        SEED,
        CLOCK,
        VERBOSE,
        VERSION,
        HELP
    };
    static const struct option longs[] = {{"state", required_argument, NULL, STATE},
                                          {"bind", required_argument, NULL, BIND},
                                          {"http-port", required_argument, NULL, HTTP},
                                          {"https-port", required_argument, NULL, HTTPS},
                                          {"rtsp-port", required_argument, NULL, RTSP},
                                          {"rtsps-port", required_argument, NULL, RTSPS},
                                          {"source", required_argument, NULL, SOURCE},
                                          {"head", required_argument, NULL, HEAD},
                                          {"audio", required_argument, NULL, AUDIO},
                                          {"seed", required_argument, NULL, SEED},
                                          {"clock", required_argument, NULL, CLOCK},
                                          {"verbose", no_argument, NULL, VERBOSE},
                                          {"version", no_argument, NULL, VERSION},
                                          {"help", no_argument, NULL, HELP},
                                          {0}};
    *o = (struct options){.bind = "::",
                          .source = "virtual",
                          .http_port = 8080,
                          .https_port = 8443,
                          .rtsp_port = 8554,
                          .rtsps_port = 8322};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        int64_t number = 0;
        if (((c >= HTTP && c <= RTSPS) && text_int(optarg, 0, 65535, &number)) ||
            (c == SEED && text_int(optarg, 0, INT64_MAX, &number))) {
            fprintf(stderr, "vedetted: \"%s\" is not a number that fits there\n%s", optarg, usage);
            return -EINVAL;
        }
        switch (c) {
        case STATE:
            o->state = optarg;
            break;
        case BIND:
            o->bind = optarg;
            break;
        case HTTP:
            o->http_port = (int)number;
            break;
        case HTTPS:
            o->https_port = (int)number;
            break;
        case RTSP:
            o->rtsp_port = (int)number;
            break;
        case RTSPS:
            o->rtsps_port = (int)number;
            break;
        case SOURCE:
            o->source = optarg;
            break;
        case HEAD:
            o->head = optarg;
            break;
        case AUDIO:
            o->audio = optarg;
            break;
        case SEED:
            o->seed = (uint64_t)number;
            o->seeded = true;
            break;
        case CLOCK:
            if (strcmp(optarg, "real") && strcmp(optarg, "sim")) {
                fprintf(stderr, "vedetted: --clock takes real or sim, not \"%s\"\n", optarg);
                return -EINVAL;
            }
            o->simulated = !strcmp(optarg, "sim");
            break;
        case VERBOSE:
            o->verbose = true;
            break;
        case VERSION:
            puts("vedetted " VEDETTE_VERSION);
            return 1;
        case HELP:
            fputs(usage, stdout);
            return 1;
        default:
            fputs(usage, stderr);
            return -EINVAL;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "vedetted: \"%s\" is no option\n%s", argv[optind], usage);
        return -EINVAL;
    }
    return 0;
}

int options_default_state(char *ret, size_t size)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = base && *base == '/' ? snprintf(ret, size, "%s/vedette", base)
                                 : snprintf(ret, size, "%s/.local/state/vedette", home ? home : "");
    if (n < 0 || (size_t)n >= size || *ret != '/')
        return -ENAMETOOLONG;
    for (char *slash = strchr(ret + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int err = mkdir(ret, 0700) ? errno : 0;
        *slash = '/';
        if (err && err != EEXIST)
            return -err;
    }
    return 0;
}
