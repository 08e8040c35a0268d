/* The case as JSON Schema 2020-12, printed from the table: openapi/case.schema.json (closed: no unknown
 * member, required members required; our tests and requests) and openapi/case.open.schema.json (open: for
 * receivers, so that a new field is no breaking change).
 *
 * x-class, x-basis, x-group and x-view stand on every leaf; for values that are used in several places
 * (money, coded, …) on the member that uses them. A unit test compares the files with this function;
 * CLAIMGATE_WRITE=1 makes the test write them.  Any thread. */
#ifndef ADAPTERS_CASE_SCHEMA_H
#define ADAPTERS_CASE_SCHEMA_H

#include "base/buf.h"

/* out->failed tells when out was too small. */
void case_print_schema(struct buf *out, bool closed);

#endif
