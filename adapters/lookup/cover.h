/* Who insures this vehicle?  Plate and day to a compulsory insurer, or to the register that all of them report their policies to (Compulsory Insurance Act 19).
 *
 * A question says plate and day and nothing else: not why it is asked, of which case, by whom, nor whom else.  An answer is a paper of its author, signed like any other, and
 * only about the question that it names: another plate, day or question, a policy that does not cover the day, an insurer that speaks for another are refused.  "Not ours" is an answer.
 * From a verified answer come facts of the case (vehicles[].cali); a denial says nothing of the vehicle but that it was asked for.
 *
 * No machine interface of an insurer or of the register is published, so this one is the gateway's own (docs/lookup.md).  Pure functions; memory from the arena. */
#ifndef ADAPTERS_LOOKUP_COVER_H
#define ADAPTERS_LOOKUP_COVER_H

#include "adapters/adapter.h"
#include "adapters/call.h"

#define COVER_ANSWER_SYSTEM "https://claimgate.tw/cover-answer"

enum cover_word { COVER_INSURED, COVER_NOT_OURS, COVER_UNINSURED, COVER_UNKNOWN, COVER_WORDS };
/* "insured", "not_ours", "uninsured", "unknown" */
const char *cover_word(enum cover_word w);
/* COVER_WORDS when it is none. */
enum cover_word cover_word_of(view text);

struct cover_question {
    view id;          /* of this asking: an answer is good for one */
    view to;          /* 統一編號 of who is asked */
    view plate;       /* letters and digits alone (motor_plate_key) */
    view written;     /* the same as the case's papers write it: facts bear this one */
    date day;         /* the day of the accident */
    bool of_register; /* who is asked knows all policies, and may name another insurer */
};

struct cover_answer {
    enum cover_word word;
    view insurer, certificate_no; /* empty: none named */
    date from, to;                /* precision none: not said */
};

/* {"format","question","to","plate","date"}: the bytes that are signed and sent. */
err cover_question_print(const struct cover_question *q, arena *mem, view *ret) MUST_USE;

/* A compact JWS: the paper's bytes and the signature as it would stand in a header.  E_LOOKUP_UNANSWERED for another status, E_SIGNATURE_FORM for no JWS. */
struct cover_paper {
    view body, signature;
};
err cover_open(const struct adapter_answer *said, arena *mem, struct cover_paper *ret, struct fault *f)
    MUST_USE;

/* What a verified answer says, against its question.  E_SCHEMA, E_LOOKUP_ANSWER. */
err cover_interpret(const struct tree *t, const struct cover_question *q, arena *mem, struct reading *ret,
                    struct cover_answer *ret_answer, struct fault *f) MUST_USE;

/* "****4447": as much of a policy's number as tells two apart. */
view cover_masked(view number, arena *mem);

#endif
