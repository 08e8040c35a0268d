/* What a person signs: an application for claims, or a permission alone.
 *
 * The signature (compact JWS, typ claimgate-application+jwt) covers a list of salted item digests in SD-JWT's way: one item of common facts, one per insurer, padded with
 * decoys to a multiple of 8.  So each insurer can be handed the signature, the list and its own items, and learns nothing of the others (DECISIONS "Documents").
 *
 *   {"signature":"a.b.c","co_signatures":["a.b.c",…],"items":["base64url",…]}
 *   {"payload":"base64url","presentations":["exc-…",…],"items":[…]}   where a wallet's presentation bound the payload instead
 *   item  = base64url of the JSON array ["salt","common"|"insurer"|"mandate",{…}]; digest = base64url(SHA-256(item text))
 *   payload of the JWS = {"v":1,"id":"urn:uuid:…","iat":…,"items":["digest",…]}; co-signatures sign the same payload
 *
 * The adapter checks form and digests; who signed, flow asks of the verdicts.  Memory from the arena, one thread. */
#ifndef ADAPTERS_PERSON_APPLICATION_H
#define ADAPTERS_PERSON_APPLICATION_H

#include "adapters/adapter.h"

#define ITEMS_MAX 64
#define CO_SIGNATURES_MAX 4
#define PRESENTATIONS_MAX 2

struct applied_insurer {
    bool
        is_mandate; /* recipient: the organisation that may ask on the person's behalf, or the holder that may be asked; no line, no benefits */
    bool at_holder; /* a mandate: recipient keeps the records, and is shown this item alone */
    view item;      /* item text, as handed to this insurer */
    int64_t index;  /* in the list of items */
    view recipient; /* 統一編號 */
    view through;   /* agent insurer, empty when none */
    view line;
    view policy_no;
    view relay_role; /* first, forwarded; empty when the claim goes to this insurer alone */
    view benefits;   /* words, space separated */
    view purpose;
    view document_kinds; /* words, space separated */
    instant from, to;
    int64_t uses; /* -1 = not counted */
    view text_id, text_version, text_lang, text_sha256;
    view payee_jwe;   /* compact JWE to the insurer's key, empty when none */
    view payee_plain; /* JSON of an account to be sealed at intake, empty when none */
    view detail;      /* JSON of the item's object without the payee */
    struct applied_insurer *next;
};

struct applied_person {
    view role;     /* "subject", "representative", "policyholder", "heir" */
    view relation; /* of an heir to the deceased: parent, child, spouse, grandparent, grandchild, sibling */
    struct person_key *keys;
    view name, birth_date;
    date born; /* precision DATE_DAY when given */
    struct applied_person *next;
};

/* A person as an application or a proof of representation names him: identifiers (at least one that identifies across organisations), name, birth_date, relation.
 * E_SCHEMA. */
err person_read(const struct tree *t, const struct node *n, const char *role, const char *where, arena *mem,
                struct applied_person **ret, struct fault *f) MUST_USE;
/* E_SCHEMA for an object with other members than names (NULL-ended), or none. */
err person_members(const struct tree *t, const struct node *object, const char *const *names,
                   const char *where, struct fault *f) MUST_USE;
/* A string member, else {NULL,0}. */
view person_text(const struct tree *t, const struct node *object, const char *name);

struct application {
    view id;                                          /* of the payload */
    view payload;                                     /* what was signed */
    view signature, co_signatures[CO_SIGNATURES_MAX]; /* signature empty: presentations only */
    size_t n_co_signatures;
    view presentations[PRESENTATIONS_MAX];
    size_t n_presentations;
    view digests; /* JSON array of the list, as signed */
    view common_item;
    struct applied_person *people;
    struct doc_ref *refs;
    struct applied_insurer *insurers;
    view event_kind, occurred;
    bool is_of_dead; /* the subject has died: his heirs act */
};

/* E_SCHEMA, E_ITEM_DIGEST, E_PURPOSE, E_PERMISSION_FORM … with the place. */
err application_read(const struct tree *t, arena *mem, struct application *ret, struct fault *f) MUST_USE;
/* The person the application is about; never NULL after application_read. */
const struct applied_person *application_subject(const struct application *a);

#endif
