/* A working sandbox in a folder: PKI, keys, configuration, store with partners (partners.json names them).  Used by init, demo and bench. */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

#include "cli/command.h"

err sandbox_make(struct args *a, const char *dir, const char *listen, struct fault *f) MUST_USE;

#endif
