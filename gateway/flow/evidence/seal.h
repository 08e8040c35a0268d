/* Keys of what is stored: one data key per document (or person, claim, permission), wrapped by the operator's KEK; blind indexes for search.
 *
 * Personal content stands only as AES-256-GCM ciphertext with the row's identity as additional data, so that a row cannot be moved to another.  Destroying a
 * wrapped key erases what it sealed.  A blind is a keyed HMAC with a label per field: a plain hash of a national id falls in minutes (CONSENT G.3).
 * struct seal: any thread, immutable. */
#ifndef FLOW_SEAL_H
#define FLOW_SEAL_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"
#include "store/store.h"

struct seal;
struct data_key {
    uid id;
    uint8_t bytes[32];
};

/* KEK file: 64 hex digits, mode 0400 or 0600. */
err seal_open(const char *kek_file, struct seal **ret, struct fault *f) MUST_USE;
/* Writes a new KEK; E_FILE when it exists. */
err seal_create(const char *kek_file, struct fault *f) MUST_USE;
void seal_close(struct seal *s);
DEFINE_AUTO(struct seal *, seal_close)

/* A new data key whose wrapped row is added to the unit. scope: "document", "claim", "permission", "partner"… */
err seal_new_key(const struct seal *s, struct unit *u, const char *scope, struct data_key *ret) MUST_USE;
/* The key of a stored row; E_NOT_FOUND when it was destroyed. */
err seal_load_key(const struct seal *s, struct reader *r, uid key, arena *mem, struct data_key *ret) MUST_USE;
void data_key_forget(struct data_key *k);

/* ret = nonce(12) ‖ ciphertext ‖ tag(16).  aad binds the place: usually table word and row id. */
err seal_box(const struct data_key *k, view table, uid row, view plain, arena *mem, view *ret) MUST_USE;
/* E_STORE_CORRUPT when the tag fails. */
err seal_unbox(const struct data_key *k, view table, uid row, view box, arena *mem, view *ret) MUST_USE;

/* HMAC(index key, label ‖ len ‖ part …): parts are length-prefixed. */
digest seal_blind(const struct seal *s, const char *label, const view *parts, size_t n);
#define BLIND(s, label, ...)                                                                                 \
    seal_blind((s), (label), (const view[]){__VA_ARGS__}, sizeof((const view[]){__VA_ARGS__}) / sizeof(view))
/* Key for one other use, derived from the KEK by label (tokens, cursors): 32 bytes. */
digest seal_derived(const struct seal *s, const char *label);
/* Commitment to a document for one recipient: HMAC(document key, recipient) (DECISIONS "Permissions"). */
digest seal_commitment(const struct data_key *k, uid recipient);

#endif
