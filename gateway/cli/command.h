/* The command line: a table of `noun verb` commands (commands.def), one parser of words, one way to print.
 *
 * Results go to stdout, messages to stderr.  --json for machines, colour only on a terminal and never with NO_COLOR.  Exit codes are fixed (OPERATIONS D.2).  Commands run in the
 * main thread. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_DENIED = 4,
    EXIT_CONFLICT = 5,
    EXIT_INVALID = 6,
    EXIT_SIGNATURE = 7,
    EXIT_TIMEOUT = 8,
    EXIT_UNAVAILABLE = 9,
    EXIT_WARNINGS = 10,
    EXIT_FAILURES = 11,
    EXIT_INTERRUPTED = 130,
};

/* The words behind the command: --name value, --name=value, --flag, and positional ones. */
struct args {
    const struct command *command;
    const char *const *words;
    int n;
    const char *positional[64];
    int n_positional;
    const char *sets[32]; /* --set name=value, for config_load */
    int n_sets;
    bool json, quiet;
    enum lang lang;
    arena *mem;
};

struct command {
    const char *noun, *verb; /* verb "" when there is none */
    const char *summary;
    const char *examples; /* lines, each without indent */
    const char *options;  /* lines "--name VALUE  what it does" */
    int (*run)(struct args *a);
};
extern const struct command commands[];
extern const size_t commands_count;

/* Value of --name, NULL when absent. */
const char *args_value(const struct args *a, const char *name);
/* All values of an option that may come again; their number. */
size_t args_values(const struct args *a, const char *name, const char **out, size_t room);
bool args_flag(const struct args *a, const char *name);
long args_number(const struct args *a, const char *name, long fallback);
/* Reads --config and --set; the caller frees with config_free. */
err args_config(const struct args *a, struct config **ret, struct fault *f) MUST_USE;

/* Prints the fault with place, expected, found and remedy to stderr and gives the exit code. */
int command_fail(const struct args *a, err e, const struct fault *f);
int command_usage(const struct args *a, const char *why);
/* Whole file into the arena; "-" is stdin. */
err file_read(const char *path, arena *mem, view *ret, struct fault *f) MUST_USE;
/* Replaces the file with the bytes; mode 0644, or 0400 when secret. */
err file_write(const char *path, view bytes, bool secret, struct fault *f) MUST_USE;
/* Makes a folder when it is absent. */
err folder_make(const char *path, struct fault *f) MUST_USE;
bool terminal_has_colour(int fd);

int command_main(int argc, char **argv);

#define COMMAND(noun, verb, fn, summary, examples, options) int fn(struct args *a);
#include "cli/commands.def"
#undef COMMAND

#endif
