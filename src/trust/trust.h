/* Trust: accounts, logins, web sessions, one-time tokens and the camera's TLS key.
 * One object; its secrets live in a process of their own (the key agent), which it
 * starts, asks and, should it die, starts again. What the object can do stands in
 * accounts.h, login.h and session.h. Loop-bound. */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include <stddef.h>

struct fault;
struct file_port;
struct jobs;
struct loop;
struct room;
struct room_desc;
struct tls_server;
struct trust;

/* serial: 12 upper-case hex digits; the realm is AXIS_<serial>. agent_path: the
 * key agent's program. files: the state folder; the agent gets a descriptor of
 * its subfolder "agent", the certificate is kept in "tls/cert.pem" (made at the
 * first start). files without a folder (the lossy port) are refused. */
struct trust *trust_new(struct loop *loop, struct jobs *jobs, struct file_port *files,
                        const char *serial, const char *agent_path, struct fault *why);
struct trust *trust_free(struct trust *t); /* the agent ends by itself */

/* Path of the agent that lies beside the running program; 0 or -errno. */
int trust_agent_path(char *ret, size_t size);

/* Parameters. main adds the room to conf and hands it over; without it (tests)
 * the defaults hold. */
extern const struct room_desc trust_params;
void trust_use_params(struct trust *t, struct room *room);

const char *trust_realm(const struct trust *t);
/* For server_listen(); borrowed, lives as long as the trust. */
struct tls_server *trust_tls(struct trust *t);

#endif
