#include "base/privilege.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"

#define NICEST 4 /* levels of niceness below that of an ordinary process */

/* Gives a folder and what is in it to the user; links are not followed. */
static int give_away(int dirfd, uid_t uid, gid_t gid, int depth)
{
    if (fchown(dirfd, uid, gid))
        return -errno;
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        int err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    int err = 0;
    for (struct dirent *e; !err && (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        struct stat st;
        if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
            continue; /* gone meanwhile */
        if (S_ISDIR(st.st_mode) && depth > 0) {
            int sub = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (sub >= 0) {
                err = give_away(sub, uid, gid, depth - 1);
                close(sub);
            }
        } else if (fchownat(dirfd, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW)) {
            err = -errno;
        }
    }
    closedir(dir);
    return err;
}

static int become_user(const int *state_dirfds, int n, struct fault *why)
{
    const struct passwd *pw = getpwnam("vedette");
    if (!pw)
        pw = getpwnam("nobody");
    if (!pw || pw->pw_uid == 0)
        return fault_set(why, FAULT_UNSUPPORTED, "user",
                         "started as root, but there is neither a user \"vedette\" nor \"nobody\" "
                         "to become; add one, or start as an ordinary user");
    uid_t uid = pw->pw_uid;
    gid_t gid = pw->pw_gid;
    for (int i = 0; i < n; i++) {
        int err = state_dirfds[i] >= 0 ? give_away(state_dirfds[i], uid, gid, 4) : 0;
        if (err)
            return fault_set(why, FAULT_IO, "state", "cannot give the state folder to %s: %s",
                             pw->pw_name, strerror(-err));
    }
    const struct rlimit nicest = {20 + NICEST, 20 + NICEST};
    setrlimit(RLIMIT_NICE, &nicest); /* for base/thread, also after the process begins anew */
    if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
        return fault_set(why, FAULT_DENIED, "user", "cannot become %s: %s", pw->pw_name,
                         strerror(errno));
    log_info("base", "started as root; running as %s from here on", pw->pw_name);
    return 0;
}

int privilege_drop(const int *state_dirfds, int n, struct fault *why)
{
    if (geteuid() == 0) {
        int err = become_user(state_dirfds, n, why);
        if (err)
            return err;
    }
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    if (syscall(SYS_capset, &head, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return fault_set(why, FAULT_DENIED, "user", "cannot drop privileges: %s", strerror(errno));
#ifndef __SANITIZE_ADDRESS__ /* the leak checker must attach to its own process */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    return 0;
}

void privilege_raise_files(void)
{
    struct rlimit lim;
    if (!getrlimit(RLIMIT_NOFILE, &lim) && lim.rlim_cur < lim.rlim_max) {
        lim.rlim_cur = lim.rlim_max < 65536 ? lim.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
}
