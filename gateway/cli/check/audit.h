/* Audit of a store's folder, printed; heads and tiles may be NULL; bad: findings before it.  Exit code. */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "cli/check/audit_tiles.h"
#include "cli/check/heads.h"
#include "cli/command.h"

int audit_folder(struct args *a, const char *dir, struct head *heads, uint64_t bad,
                 struct audit_tiles *tiles);

#endif
