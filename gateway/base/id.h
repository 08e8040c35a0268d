/* Ids: a kind, a hyphen and a UUIDv7 in lower-case Crockford base32 (26 characters): `case-01k9…`.
 * Valid as FHIR ids, sortable by time, never a secret (DECISIONS "Words and ids").
 *
 * One C type per kind, so that a claim cannot be handed over where a case is wanted.  Random bits come
 * from random_bytes, which tests replace; uid_new is monotonic within the process and thread-safe. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/err.h"
#include "base/instant.h"
#include "base/view.h"

#include <stdint.h>
#include <string.h>

typedef struct uid {
    uint8_t b[16];
} uid;

struct random_ops {
    const char *name;
    void (*bytes)(void *self, void *out, size_t n);
    void *self;
};

/* NULL → the system's source (getrandom).  Once, before threads. */
void random_set(const struct random_ops *ops);
void random_bytes(void *out, size_t n);

uid uid_new(void);
/* Forgets the last id, so that a run with a deterministic clock begins anew.  Before threads. */
void uid_restart(void);
/* "kind-" + 26 characters + NUL; kind ≤ 12 bytes. */
#define ID_TEXT_SIZE 40
view uid_print(view kind, uid u, char out[ID_TEXT_SIZE]);
/* The kind must match; E_SYNTAX else. */
err uid_parse(view kind, view text, uid *ret) MUST_USE;
static inline bool
uid_eq(uid a, uid b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}
static inline bool
uid_is_none(uid a)
{
    static const uid none;
    return uid_eq(a, none);
}
static inline view
uid_view(const uid *u)
{
    return (view){(const char *)u->b, sizeof u->b};
}

#define DEFINE_ID(type, kind)                                                                                \
    typedef struct type {                                                                                    \
        uid u;                                                                                               \
    } type;                                                                                                  \
    static inline type type##_new(void)                                                                      \
    {                                                                                                        \
        return (type){uid_new()};                                                                            \
    }                                                                                                        \
    static inline view type##_print(type id, char out[ID_TEXT_SIZE])                                         \
    {                                                                                                        \
        return uid_print(V(kind), id.u, out);                                                                \
    }                                                                                                        \
    static inline MUST_USE err type##_parse(view text, type *ret)                                            \
    {                                                                                                        \
        return uid_parse(V(kind), text, &ret->u);                                                            \
    }

DEFINE_ID(case_id, "case")
DEFINE_ID(claim_id, "claim")
DEFINE_ID(doc_id, "doc")
DEFINE_ID(perm_id, "perm")
DEFINE_ID(delivery_id, "dlv")
DEFINE_ID(event_id, "evt")
DEFINE_ID(partner_id, "org")
DEFINE_ID(client_id, "client")
DEFINE_ID(change_id, "chg")
DEFINE_ID(submission_id, "sub")
DEFINE_ID(verdict_id, "vdt")
DEFINE_ID(endpoint_id, "hook")
DEFINE_ID(key_id, "key")
DEFINE_ID(request_id, "req")
DEFINE_ID(upload_id, "upl")
DEFINE_ID(photo_id, "pic")
DEFINE_ID(exchange_id, "exc")
DEFINE_ID(task_id, "task")
DEFINE_ID(ask_id, "ask")
DEFINE_ID(lookup_id, "look")
DEFINE_ID(inquiry_id, "inq")
DEFINE_ID(session_id, "ses")
DEFINE_ID(alert_id, "alr")
DEFINE_ID(representation_id, "rep")
DEFINE_ID(account_id, "acc")

#endif
