/* Audit of a store's folder, printed; heads may be NULL; bad: findings before it.  Exit code. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "cli/check/heads.h"
#include "cli/command.h"

int audit_folder(struct args *a, const char *dir, struct head *heads, uint64_t bad);

#endif
