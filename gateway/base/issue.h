/* A bounded list of issues: what validation and normalising say about one document.  Lives in a
 * request's arena; one thread.  An issue of severity ISSUE_ERROR refuses the document, the others become
 * findings. */
#ifndef BASE_ISSUE_H
#define BASE_ISSUE_H

#include "base/arena.h"
#include "base/err.h"

enum issue_severity { ISSUE_INFO, ISSUE_WARNING, ISSUE_ERROR };

struct issue {
    err code;
    enum issue_severity severity;
    view path;         /* FHIRPath such as Bundle.entry[2].resource.code, or XPath */
    view pointer;      /* JSON pointer into the document, "" = root */
    long from, length; /* byte range in the original, FAULT_NOWHERE when none */
    long line, column;
    view expected; /* form, never a personal value */
    view found;
    struct issue *next;
};

struct issues {
    arena *mem;
    struct issue *first, *last;
    size_t n, errors;
    size_t ceiling; /* further issues are only counted */
    size_t dropped;
};

void issues_init(struct issues *list, arena *mem, size_t ceiling);
/* Copies the views into the arena. Never fails: past the ceiling it counts. Returns the issue or NULL. */
struct issue *issue_add(struct issues *list, enum issue_severity severity, err code, view path, view expected,
                        view found);
/* The first error as a fault (E_OK and untouched fault when there is none); E_STRICT when its code is that of a
 * finding. */
err issues_fault(const struct issues *list, struct fault *f);
/* A fault as an issue. */
struct issue *issue_of_fault(struct issues *list, const struct fault *f);

#endif
