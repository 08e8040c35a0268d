/* What verify says: one line a check, in plain words or as JSON, and the exit code of all.  One thread. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "cli/command.h"

enum check {
#define CHECK(id, code, en, zh) STEP_##id,
#include "cli/check/verify.def"
#undef CHECK
    STEP_COUNT
};

struct report {
    const struct args *a;
    unsigned good, bad;
};

/* e E_OK: holds.  Else bad, with the fault's place, expected and found.  detail may be NULL; printf-like. Gives e. */
err report_check(struct report *r, enum check c, err e, const struct fault *f, const char *detail, ...)
    PRINTF_LIKE(5, 6);
/* What can't be judged with what was given. */
void report_note(struct report *r, enum check c, const char *en, const char *zh);
/* 0, or 7 when a check was bad. Prints the sum. */
int report_end(const struct report *r);

#endif
