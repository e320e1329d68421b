#include <errno.h>
#include <pango/pangocairo.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "picture.h"

#define MEMORY_MOST ((rlim_t)768 << 20)
#define ANSWER_MOST ((rlim_t)128 << 20)
#define CPU_MOST_S 8
#define TIME_MOST_S 12

static int limit(int what, rlim_t most)
{
    const struct rlimit l = {most, most};
    return setrlimit(what, &l) ? -errno : 0;
}

/* Fonts that pictures may name: what is not found now never is. */
static void find_fonts(void)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_A8, 8, 8);
    cairo_t *cr = cairo_create(s);
    static const char *const names[] = {"sans 10", "serif 10", "monospace 10", "sans bold 10"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        PangoLayout *l = pango_cairo_create_layout(cr);
        PangoFontDescription *f = pango_font_description_from_string(names[i]);
        pango_layout_set_font_description(l, f);
        pango_layout_set_text(l, "Aa1", -1);
        pango_cairo_show_layout(cr, l);
        pango_font_description_free(f);
        g_object_unref(l);
    }
    cairo_destroy(cr);
    cairo_surface_destroy(s);
}

/* Whatever else is asked for fails with EPERM; starting a program or a process ends it. */
static int filter(void)
{
    static const int allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(write),
        SCMP_SYS(pread64),
        SCMP_SYS(lseek),
        SCMP_SYS(fstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(close),
        SCMP_SYS(mmap),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(mprotect),
        SCMP_SYS(brk),
        SCMP_SYS(madvise),
        SCMP_SYS(futex),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(getrandom),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(tgkill),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(rseq),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
        SCMP_SYS(poll),
        SCMP_SYS(uname),
        SCMP_SYS(sysinfo),
    };
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f)
        return -ENOMEM;
    int err = 0;
    for (size_t i = 0; !err && i < sizeof allowed / sizeof *allowed; i++)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    /* Threads, which librsvg's filters use; but no processes. glibc falls back from clone3. */
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve), 0);
    if (!err)
        err = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 0);
    if (!err)
        err = seccomp_load(f);
    seccomp_release(f);
    return err;
}

int sandbox_enter(void)
{
    int err = limit(RLIMIT_CORE, 0);
    if (!err)
        err = limit(RLIMIT_CPU, CPU_MOST_S);
    if (!err)
        err = limit(RLIMIT_FSIZE, ANSWER_MOST);
    if (!err)
        err = limit(RLIMIT_NOFILE, 64);
    alarm(TIME_MOST_S); /* a hang costs no CPU */
    find_fonts();
#ifndef __SANITIZE_ADDRESS__
    if (!err)
        err = limit(RLIMIT_AS, MEMORY_MOST);
    if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        err = -errno;
    if (!err)
        err = filter();
#endif
    return err;
}
