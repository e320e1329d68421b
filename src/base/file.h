/* The file port: every file the camera keeps goes through it, so that tests can
 * fail the Nth call or cut the power.
 *
 * A port is rooted at one folder (the real one holds a descriptor of it, opened
 * before privileges are dropped); paths are relative, may not contain ".." or
 * start with '/'. file_port_lossy() is a folder in memory that remembers which
 * bytes, names and renames were synced; after file_lossy_cut() only those are
 * left (with any prefix of the unsynced ones, chosen by the seed), as after a
 * power cut. Any thread. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct fault;
struct file_port;
struct file; /* open file; owned by who opened it */

struct file_port *file_port_open(const char *dir, int *ret_err); /* makes the folder, 0700 */
struct file_port *file_port_lossy(uint64_t seed);
struct file_port *file_port_free(struct file_port *p);
int file_port_dirfd(struct file_port *p); /* -1 on the lossy port */

/* flags as open(2): O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND. */
int file_open(struct file_port *p, const char *path, int flags, struct file **ret_file);
struct file *file_close(struct file *f);
ssize_t file_read(struct file *f, void *bytes, size_t len, int64_t at);
int file_write(struct file *f, const void *bytes, size_t len, int64_t at); /* all or error */
int file_sync(struct file *f);
int64_t file_size(struct file *f);
int file_rename(struct file_port *p, const char *from, const char *to);
int file_remove(struct file_port *p, const char *path);
int file_mkdir(struct file_port *p, const char *path);    /* 0 if it exists */
int file_sync_dir(struct file_port *p, const char *path); /* "" is the root */
int file_list(struct file_port *p, const char *path,
              int (*each)(const char *name, bool is_dir, void *arg), void *arg);

/* Small state by rule DUR-1: temporary file, sync, rename, sync of the folder;
 * the previous good copy stays as NAME.old; a CRC guards the content. A load
 * falls back to the previous copy (*ret_old true). One save of a path at a time. -ENOENT: neither
 * exists; -EBADMSG: both are damaged, or longer than max. */
int file_save_small(struct file_port *p, const char *path, const void *bytes, size_t len);
int file_load_small(struct file_port *p, const char *path, size_t max, struct buf *ret,
                    bool *ret_old);

/* Faults on purpose: the nth call from now fails with err, once; 0 disarms. */
void file_fail_nth(struct file_port *p, uint64_t nth, int err);
uint64_t file_calls(struct file_port *p); /* calls so far; closing does not count */
/* Lossy port: power goes away during the nth call from now. That call may or may
 * not have had its effect, it and all later ones fail with -EIO until
 * file_lossy_cut() gives back what the disk kept. */
void file_lossy_stop_at(struct file_port *p, uint64_t nth);
void file_lossy_cut(struct file_port *p, uint64_t seed); /* all open files become useless */

#endif
