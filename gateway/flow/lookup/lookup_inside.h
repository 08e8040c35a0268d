/* Inside of the lookup folder: rows opened, and what follows from the answers so far. */
#ifndef FLOW_LOOKUP_INSIDE_H
#define FLOW_LOOKUP_INSIDE_H

#include "flow/evidence/seal.h"
#include "flow/lookup/lookup.h"

enum inquiry {
#define INQUIRY(id, word, final) INQUIRY_##id,
#include "flow/lookup/lookup.def"
#undef INQUIRY
    INQUIRY_COUNT
};
const char *inquiry_word(enum inquiry i);
enum inquiry inquiry_of(view word);
bool inquiry_is_final(enum inquiry i);
/* When the try after the n-th (from 1) without an answer is due; INSTANT_NONE: there is none. */
instant inquiry_retry(int64_t tries, instant now);

/* Kinds of a row: who knows all policies, whom a paper of the case names, any other who writes the cover. */
#define INQUIRY_REGISTER V("register")
#define INQUIRY_NAMED V("named")
#define INQUIRY_INSURER V("insurer")

/* What follows from what those asked have said (list: all of them, by place). */
struct conclusion {
    const char *state, *result;        /* words of the lookup's row; result "" while there is none */
    const struct row_inquiry *insured; /* who said so; NULL: nobody */
    struct row_inquiry *next;          /* to be asked now; NULL: nobody */
};
struct conclusion lookup_conclude(struct row_inquiry *list);

/* The sealed part of a lookup's row.  found: of the answer "insured", empty otherwise. */
struct lookup_detail {
    view plate, day, written; /* written: the plate as a paper has it */
    view insurer, certificate_no, from, to;
};
err lookup_open(struct gateway *g, struct reader *r, const struct row_lookup *row, arena *mem,
                struct lookup_detail *ret) MUST_USE;
err lookup_seal(const struct data_key *key, struct row_lookup *row, const struct lookup_detail *d, arena *mem)
    MUST_USE;
/* The key by which answers find the case. */
digest lookup_key(const struct seal *s, uid lookup);
/* {"id","state",…}; whole: for insurers and the fund. */
err lookup_print(struct gateway *g, struct reader *r, const struct row_lookup *row, bool whole, arena *mem,
                 view *ret_json) MUST_USE;

#endif
