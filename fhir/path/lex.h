/* Words of an FHIRPath text, one after the other.  Texts with escapes are decoded into the arena.  One thread.
 * Inside this folder only. */
#ifndef FHIR_PATH_LEX_H
#define FHIR_PATH_LEX_H

#include "base/arena.h"
#include "base/err.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,     /* text; quoted says that it was written `so` */
    TOKEN_INTEGER,  /* digits */
    TOKEN_DECIMAL,  /* digits.digits */
    TOKEN_STRING,   /* text without quotes, decoded */
    TOKEN_DATE,     /* text without @ */
    TOKEN_DATETIME, /* the same; a T stands in it */
    TOKEN_TIME,     /* text without @T */
    TOKEN_EXTERNAL, /* name behind % */
    TOKEN_DOLLAR,   /* name behind $ */
    TOKEN_SIGN,     /* operator or bracket: text */
};

/* Bytes of one literal. */
#define FHIRPATH_LITERAL_MOST ((size_t)64 << 10)

struct token {
    uint8_t kind; /* enum token_kind */
    bool quoted;
    view text;
    size_t from, length; /* in the expression */
};

struct lexer {
    view text;
    size_t at;
    arena *mem;
    struct fault *fault;
};

/* E_FHIRPATH_SYNTAX, E_TOO_LARGE. */
err lex_next(struct lexer *x, struct token *ret) MUST_USE;
/* The fault for a token that the grammar does not want here. */
err lex_refuse(const struct lexer *x, const struct token *t, const char *expected, const char *found);

#endif
