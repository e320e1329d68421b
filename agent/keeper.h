/* The key agent's knowledge: one TLS key and the verifiers of all passwords, kept
 * in the vault. Answers requests (trust/wire.h); private keys, passwords and
 * verifiers never leave it. Owner thread. */
#ifndef AGENT_KEEPER_H
#define AGENT_KEEPER_H

struct file_port;
struct keeper;
struct wire;

/* Loads, or starts anew (key made, no account) in an empty folder. NULL and
 * *ret_err when the folder is damaged or cannot be written. */
struct keeper *keeper_new(struct file_port *files, int *ret_err);
struct keeper *keeper_free(struct keeper *k);
/* Reads the request and writes the reply into the same packet's place. */
void keeper_answer(struct keeper *k, struct wire *request, struct wire *ret_reply);

#endif
