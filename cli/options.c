#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_URL "http://127.0.0.1:8080"

void usage(bool to_stdout)
{
    fputs("vedettectl: inspects and steers a camera over its public interface\n"
          "\n"
          "usage: vedettectl [options] COMMAND\n"
          "\n"
          "commands\n"
          "  status                         what the camera is and how it is\n"
          "  snapshot FILE [--resolution WxH] [--compression 0-100] [--camera N]\n"
          "                                 takes a JPEG picture; FILE - is standard output\n"
          "  ptz position                   pan and tilt in degrees, zoom 1 to 9999\n"
          "  ptz goto PAN TILT [ZOOM]       moves there; ZOOM may be a magnification: 5x\n"
          "  ptz move DIRECTION             home up down left right upleft upright downleft\n"
          "                                 downright stop\n"
          "  ptz move by PAN TILT [ZOOM]    moves by that much\n"
          "  ptz move at PAN TILT [ZOOM]    moves on at these speeds, -100 to 100\n"
          "  ptz home | ptz stop            to the home position; ends every movement\n"
          "  ptz preset list                presets, with where they look\n"
          "  ptz preset go NAME|NUMBER      moves there\n"
          "  ptz preset add NAME            keeps where it looks now, or keeps it anew\n"
          "  ptz preset remove NAME|NUMBER  forgets it\n"
          "  ptz tour list                  guard tours\n"
          "  ptz tour start ID | stop ID    one runs at a time\n"
          "      --speed 1-100              of goto and by\n"
          "      --for SECONDS              of at: then stops\n"
          "      --wait                     returns when the head has come to rest\n"
          "  param list [GROUP]             parameters; GROUP may have wildcards\n"
          "  param get NAME                 the value of one\n"
          "  param set NAME=VALUE …         changes them, one after another\n"
          "  masks list                     privacy masks\n"
          "  masks add NAME PAN,TILT:PAN,TILT:… [ZOOM]\n"
          "                                 hides 3 to 10 directions' polygon, from ZOOM (1-9999)\n"
          "                                 on\n"
          "  masks remove NAME              shows again what it hid\n"
          "  masks on | masks off           all of them\n"
          "  overlay                        texts and pictures upon the picture\n"
          "  overlay text TEXT [PLACE]      one more; PLACE is topLeft … or x,y within -1 and 1\n"
          "  overlay image NAME [PLACE]     an uploaded picture; overlay pictures lists them\n"
          "  overlay remove ID\n"
          "  overlay say TEXT [SECONDS] [SLOT]   event text: #D, #D1 to #D16\n"
          "  truth [--fps F] [--seconds N]  what the virtual camera's pictures show, live: a line\n"
          "                                 of JSON for each new one\n"
          "  truth --format jsonl|mot|coco --seconds N [--fps F] [--from UTC] [--out FILE]\n"
          "                                 as a data set, of the time from now (or UTC) on\n"
          "  stage                          the virtual camera's world: how all is\n"
          "  stage can                      what can be done to it: hour 18.5, weather rain 5s,\n"
          "                                 lens spray 0.5, knock, input 2 on 3s, power cycle …\n"
          "  stage COMMAND …                does it\n"
          "  stage cast                     who is there\n"
          "  stage spawn WORDS …            one more: man at 3 30, car drive westbound\n"
          "  stage call [ACTOR]             one whom the scenario keeps ready\n"
          "  stage remove ID | all          takes somebody off\n"
          "  stage gate open|close|auto|car\n"
          "  stage scenario [NAME | --file FILE]   plays it; alone: names them\n"
          "  stage scenario --keep FILE | --show NAME | --remove NAME   your own, in the camera\n"
          "  stage advance SECONDS          lets simulated time go on\n"
          "  fault                          faults on purpose that are on\n"
          "  fault kinds                    which there are\n"
          "  fault KIND [NAME=VALUE …]      breaks something: source-freeze seconds=10,\n"
          "                                 net-cut path=/axis-cgi/* after=1000 seconds=60 …\n"
          "  fault off [ID]                 mends it; alone: all\n"
          "  fleet start N [--dir D] [--source SPEC] [--clock real|sim] [--seed S]\n"
          "                [--bind ADDR] [--first-port P] [--first-address ADDR]\n"
          "                                 N cameras on this machine, each with its own state,\n"
          "                                 serial number, seed, and ports or address\n"
          "  fleet list [--dir D]\n"
          "  fleet stop [--dir D] --all | NAME …\n"
          "\n"
          "options\n"
          "  -H, --host HOST[:PORT] | URL   default $VEDETTE_HOST, else " DEFAULT_URL "\n"
          "  -u, --user USER[:PASSWORD]     default $VEDETTE_USER and $VEDETTE_PASSWORD\n"
          "  -c, --credentials FILE         a file with a line user:password, readable by you\n"
          "                                 alone; default ~/.config/vedette/credentials\n"
          "  -k, --insecure                 HTTPS without a check of the certificate\n"
          "      --cacert FILE              HTTPS: trust this certificate\n"
          "  -t, --timeout SECONDS          default 15\n"
          "  -j, --json                     answers in JSON, one object\n"
          "  -h, --help   -V, --version\n"
          "\n"
          "exit status: 0 done, 1 the camera refuses, 2 wrong usage, 3 no camera reached,\n"
          "4 a local file cannot be read or written\n",
          to_stdout ? stdout : stderr);
}

bool parse_number(const char *text, double *ret)
{
    char *end;
    /* strtod() alone would take hexadecimal, "inf" and "nan" too. */
    if (!*text || strspn(text, "+-.0123456789eE") != strlen(text))
        return false;
    errno = 0;
    double v = strtod(text, &end);
    if (errno || *end || !isfinite(v))
        return false;
    *ret = v;
    return true;
}

static int set_login(struct options *o, const char *user, size_t user_len, const char *password)
{
    if (user_len >= sizeof(o->user) || strlen(password) >= sizeof(o->password))
        return fail(EXIT_USAGE, "user name or password too long");
    memcpy(o->user, user, user_len);
    o->user[user_len] = '\0';
    memcpy(o->password, password, strlen(password) + 1);
    return EXIT_FINE;
}

static int read_credentials(struct options *o, const char *path, bool must)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        if (!must && (errno == ENOENT || errno == ENOTDIR))
            return EXIT_FINE;
        return fail(EXIT_LOCAL, "cannot read %s: %s", path, strerror(errno));
    }
    if (fstat(fd, &st) || (st.st_mode & 077)) {
        close(fd);
        return fail(EXIT_LOCAL, "%s can be read by others; do: chmod 600 %s", path, path);
    }
    char line[160];
    ssize_t n = read(fd, line, sizeof(line) - 1);
    close(fd);
    if (n < 0)
        return fail(EXIT_LOCAL, "cannot read %s: %s", path, strerror(errno));
    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    char *colon = strchr(line, ':');
    if (!colon)
        return fail(EXIT_LOCAL, "%s has no line user:password", path);
    int code = set_login(o, line, (size_t)(colon - line), colon + 1);
    explicit_bzero(line, sizeof(line));
    return code;
}

static int ask_password(struct options *o)
{
    struct termios old, quiet;
    if (tcgetattr(STDIN_FILENO, &old))
        return EXIT_FINE; /* no terminal: an empty password */
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "Password of %s: ", o->user);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    bool got = fgets(o->password, sizeof(o->password), stdin) != NULL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    fputc('\n', stderr);
    if (!got)
        return fail(EXIT_USAGE, "no password");
    o->password[strcspn(o->password, "\n")] = '\0';
    return EXIT_FINE;
}

/* -u on the command line, else the environment, else a file. */
static int find_login(struct options *o, char *given, const char *file)
{
    const char *user = getenv("VEDETTE_USER"), *password = getenv("VEDETTE_PASSWORD");
    if (given) {
        char *colon = strchr(given, ':');
        size_t len = colon ? (size_t)(colon - given) : strlen(given);
        int code = set_login(o, given, len, colon ? colon + 1 : password ? password : "");
        if (colon) /* no longer in the list of processes */
            explicit_bzero(colon + 1, strlen(colon + 1));
        else if (!code && !password)
            code = ask_password(o);
        return code;
    }
    if (file)
        return read_credentials(o, file, true);
    if (user)
        return set_login(o, user, strlen(user), password ? password : "");
    char path[512];
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = config && *config ? snprintf(path, sizeof(path), "%s/vedette/credentials", config)
            : home            ? snprintf(path, sizeof(path), "%s/.config/vedette/credentials", home)
                              : -1;
    if (n < 0 || (size_t)n >= sizeof(path))
        return EXIT_FINE;
    return read_credentials(o, path, false);
}

static int set_url(struct options *o, const char *host)
{
    bool whole = !strncmp(host, "http://", 7) || !strncmp(host, "https://", 8);
    if (!*host || strpbrk(host, " \t\r\n@?#") || (!whole && strchr(host, '/')))
        return fail(EXIT_USAGE, "\"%s\" is no host[:port] and no http(s) address", host);
    int n = snprintf(o->url, sizeof(o->url), "%s%s", whole ? "" : "http://", host);
    if (n < 0 || (size_t)n >= sizeof(o->url))
        return fail(EXIT_USAGE, "the address is too long");
    while (n && o->url[n - 1] == '/')
        o->url[--n] = '\0';
    return EXIT_FINE;
}

int options_read(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"host", required_argument, NULL, 'H'},    {"user", required_argument, NULL, 'u'},
        {"insecure", no_argument, NULL, 'k'},      {"json", no_argument, NULL, 'j'},
        {"timeout", required_argument, NULL, 't'}, {"credentials", required_argument, NULL, 'c'},
        {"cacert", required_argument, NULL, 'C'},  {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},       {0},
    };
    *o = (struct options){.timeout_s = 15};
    const char *host = getenv("VEDETTE_HOST"), *file = NULL;
    char *login = NULL;
    double seconds;
    int c;
    /* '+': options end at the command, whose numbers may be negative. */
    while ((c = getopt_long(argc, argv, "+H:u:kjt:c:hV", longs, NULL)) != -1) {
        switch (c) {
        case 'H':
            host = optarg;
            break;
        case 'u':
            login = optarg;
            break;
        case 'k':
            o->insecure = true;
            break;
        case 'j':
            o->json = true;
            break;
        case 'c':
            file = optarg;
            break;
        case 'C':
            o->ca_file = optarg;
            break;
        case 't':
            if (!parse_number(optarg, &seconds) || seconds < 1 || seconds > 3600)
                return -fail(EXIT_USAGE, "--timeout wants 1 to 3600 seconds, not \"%s\"", optarg);
            o->timeout_s = (long)seconds;
            break;
        case 'h':
            usage(true);
            return 0;
        case 'V':
            puts("vedettectl " VEDETTE_VERSION);
            return 0;
        default:
            fputs("see vedettectl --help\n", stderr);
            return -EXIT_USAGE;
        }
    }
    int code = set_url(o, host ? host : DEFAULT_URL);
    if (!code && optind < argc)
        code = find_login(o, login, file);
    return code ? -code : optind;
}
