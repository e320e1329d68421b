#include "unit.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS 120 /* with sanitizers, on a machine with much else to do */

void unit_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    fflush(stderr);
    _exit(1);
}

static bool run_forked(const struct unit_test *t)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(TEST_SECONDS);
        t->run();
        fflush(NULL);
        exit(0); /* runs the leak checker */
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: %s\n", t->name,
                WTERMSIG(status) == SIGALRM ? "took too long" : strsignal(WTERMSIG(status)));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int unit_main(const struct unit_test *tests, size_t n, int argc, char **argv)
{
    bool forking = !(argc > 1 && !strcmp(argv[1], "-n"));
    const char *only = argc > (forking ? 1 : 2) ? argv[argc - 1] : "";
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        if (!strstr(tests[i].name, only))
            continue;
        bool ok = true;
        if (forking)
            ok = run_forked(&tests[i]);
        else
            tests[i].run();
        printf("%s %s\n", ok ? "ok" : "not ok", tests[i].name);
        failed += !ok;
    }
    return failed ? 1 : 0;
}
