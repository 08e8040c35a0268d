/* Files for insurers that take no JSON: fixed-width lines or XML, by a table (format.def), in UTF-8 or code page 950.
 *
 * What is encoded is the insurer's own answer, so a format can show nothing that the view withholds.  A value that does not fit its column is cut at a character, one that the
 * character set lacks is replaced, each with a finding (E_NO_FIT) that names record and column: nothing is lost silently.  Pure; any thread. */
#ifndef ADAPTERS_INSURER_FORMAT_H
#define ADAPTERS_INSURER_FORMAT_H

#include "base/issue.h"
#include "base/json_tree.h"

struct format_file {
    view bytes;
    const char *media, *charset;
};

/* answer: GET /v1/claims/{id}.  E_NOT_FOUND: no such format; E_TOO_LARGE. */
err format_encode(view name, const struct tree *answer, arena *mem, struct issues *issues,
                  struct format_file *ret, struct fault *f) MUST_USE;

#endif
