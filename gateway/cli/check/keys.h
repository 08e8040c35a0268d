/* Public keys for commands that verify offline: a JWKS, or PEM and DER files of keys and certificates. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "cli/command.h"

#define KEY_LIST_MAX 64
struct key_list {
    void *pkeys[KEY_LIST_MAX]; /* owned */
    view kids[KEY_LIST_MAX];   /* RFC 7638, or what the JWKS says; in the command's arena */
    size_t n;
};

void keys_done(struct key_list *k);
err keys_read(const char *file, arena *mem, struct key_list *ret, struct fault *f) MUST_USE;
/* --keys FILE, else the public keys that the configuration names, former ones whatever their `exp`. */
err keys_of_args(const struct args *a, const struct config *c, struct key_list *ret, struct fault *f)
    MUST_USE;
/* The key with this id; E_SIGNER_UNKNOWN. */
err keys_find(const struct key_list *k, view kid, void **ret_pkey, struct fault *f) MUST_USE;

#endif
