/* Issues with their place: FHIRPath, JSON pointer, byte range, line and column of a node.
 *
 * The list belongs to one thread.  Lines are filled in afterwards, in one pass over the document for all
 * issues, so that many issues cost no more than one. */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

#include "base/issue.h"
#include "base/json_tree.h"

/* Pointer and range. */
void issue_set_place(struct issue *i, const struct tree *t, const struct node *n, arena *mem);
/* n NULL: the document as a whole.  expected and found are about form: never a name, an id or a text of the document. */
void issue_at(struct issues *list, enum issue_severity severity, err code, const struct tree *t,
              const struct node *n, view expected, view found);
/* Line and column of every issue that has a range and no line yet. */
void issues_locate(struct issues *list, view source);

#endif
