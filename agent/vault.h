/* A file that only this agent can read: sealed with AES-256-GCM under a master key
 * that lies beside it (0600, in a folder of 0700). Saved crash-safely. What is
 * damaged is an error, never an empty vault: an empty one would let a stranger
 * become the administrator. Owner thread. */
#ifndef AGENT_VAULT_H
#define AGENT_VAULT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct file_port;

#define VAULT_MAX (256 * 1024)

struct vault {
    struct file_port *files;
    uint8_t master[32];
};

/* Loads or makes the master key. -EBADMSG: damaged. */
int vault_open(struct vault *v, struct file_port *files);
void vault_close(struct vault *v);
/* -ENOENT: nothing was ever saved. -EBADMSG: damaged or sealed with another key. */
int vault_load(struct vault *v, struct buf *ret);
int vault_save(struct vault *v, const void *bytes, size_t len);

#endif
