/* Outcomes.  One enum from err.def; a row also gives the public code, HTTP status, FHIR issue type and
 * the texts that a person reads in English and zh-TW.  A fallible function returns err and is MUST_USE;
 * results go to ret_… last and are not touched on failure.
 *
 * Detail goes to a struct fault that the caller owns: which rule, where, what was expected and what was
 * found.  It is set once, at the bottom, and never overwritten on the way up.  `found` describes form
 * only: it never holds a value of personal data.  A fault belongs to one thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"
#include "base/view.h"

#include <stdint.h>

typedef enum err {
    E_OK = 0,
#define ERR(name, code, status, issue, retry, en, zh, fix_en, fix_zh) name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
} err;

enum lang { LANG_EN, LANG_ZH };

struct err_row {
    const char *name;      /* E_… */
    const char *code;      /* public, stable, kebab-case; "" for E_OK */
    int status;            /* HTTP */
    const char *issue;     /* FHIR issue-type code */
    bool retry;            /* may the same bytes succeed later */
    const char *text[2];   /* by enum lang: what is wrong */
    const char *remedy[2]; /* by enum lang: what to do */
};

const struct err_row *err_info(err e);
/* By public code; E_OK when unknown. */
err err_by_code(view code);

#define FAULT_NOWHERE (-1L)

struct fault {
    err code;
    char where[256];    /* JSON pointer, FHIRPath, XPath, header or setting name; "" when unknown */
    long from, length;  /* byte range in the input, FAULT_NOWHERE when none */
    long line, column;  /* from 1; 0 when unknown */
    char expected[160]; /* form, never a personal value; English, stable */
    char found[160];
};

/* Clean fault: code E_OK, from FAULT_NOWHERE. */
void fault_init(struct fault *f);
/* Sets f unless it is already set (f may be NULL) and returns e, so that `return fault_set(…)` works. */
err fault_set(struct fault *f, err e, const char *where, const char *expected, const char *found);
/* The same with a formatted place. */
err fault_setf(struct fault *f, err e, const char *expected, const char *found, const char *where_format, ...)
    PRINTF_LIKE(5, 6);
/* Adds the byte range to a fault that has none. */
void fault_range(struct fault *f, size_t from, size_t length);
/* Line and column from the range, in the text that the range refers to. */
void fault_locate(struct fault *f, view text);

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        err try_ = (call);                                                                                   \
        if (try_ != E_OK)                                                                                    \
            return try_;                                                                                     \
    } while (0)

#endif
