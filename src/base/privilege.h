/* Giving up what only the start needed: ports below 1024, devices, root. */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

struct fault;

/* Descriptors of folders that the camera goes on writing to; they are given to the
 * user first. Started as root: becomes the user "vedette", or "nobody" where there
 * is none. Always: no new privileges, no capabilities, no core dumps of secrets.
 * From the only thread, once everything is open. */
int privilege_drop(const int *state_dirfds, int n, struct fault *why);

/* More descriptors than the default soft limit: viewers are sockets. */
void privilege_raise_files(void);

#endif
