#include "cli/command.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct command commands[] = {
#define COMMAND(noun, verb, fn, summary, examples, options) {noun, verb, summary, examples, options, fn},
#include "cli/commands.def"
#undef COMMAND
};
const size_t commands_count = COUNT_OF(commands);

#define COMMAND_MEMORY (1u << 30)

bool
terminal_has_colour(int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* -- words -- */

size_t
args_values(const struct args *a, const char *name, const char **out, size_t room)
{
    size_t n = strlen(name), found = 0;
    for (int i = 0; i < a->n && found < room; i++) {
        const char *w = a->words[i];
        if (w[0] != '-' || w[1] != '-' || strncmp(w + 2, name, n) != 0)
            continue;
        if (w[2 + n] == '=')
            out[found++] = w + 3 + n;
        else if (w[2 + n] == '\0' && i + 1 < a->n)
            out[found++] = a->words[i + 1];
    }
    return found;
}

const char *
args_value(const struct args *a, const char *name)
{
    const char *value;
    return args_values(a, name, &value, 1) ? value : NULL;
}

bool
args_flag(const struct args *a, const char *name)
{
    for (int i = 0; i < a->n; i++)
        if (a->words[i][0] == '-' && a->words[i][1] == '-' && strcmp(a->words[i] + 2, name) == 0)
            return true;
    return false;
}

long
args_number(const struct args *a, const char *name, long fallback)
{
    const char *text = args_value(a, name);
    int64_t n;
    return text && text_to_i64(view_of(text), &n) == E_OK ? (long)n : fallback;
}

/* Flags without a value; every other --name takes the next word. */
static bool
is_flag(const char *word)
{
    static const char *const flags[] = {"json",    "quiet",      "help",      "check", "keep",
                                        "sandbox", "provenance", "cms",       "yes",   "attach-chain",
                                        "list",    "strict",     "no-markup", "motor"};
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (strcmp(word + 2, flags[i]) == 0)
            return true;
    return strchr(word, '=') != NULL;
}

static bool
is_known_option(const struct command *c, const char *word)
{
    static const char *const everywhere[] = {"json", "quiet", "help", "lang", "set", "config"};
    size_t n = strcspn(word + 2, "=");
    for (size_t i = 0; i < COUNT_OF(everywhere); i++)
        if (strlen(everywhere[i]) == n && strncmp(everywhere[i], word + 2, n) == 0)
            return true;
    for (const char *at = strstr(c->options, "--"); at; at = strstr(at + 2, "--"))
        if (strncmp(at + 2, word + 2, n) == 0 &&
            (at[2 + n] == ' ' || at[2 + n] == '\n' || at[2 + n] == '\0' || at[2 + n] == '['))
            return true;
    return false;
}

static const char *
args_parse(struct args *a)
{
    for (int i = 0; i < a->n; i++) {
        const char *w = a->words[i];
        if (w[0] != '-' || w[1] != '-') {
            if (a->n_positional == (int)COUNT_OF(a->positional))
                return "too many words";
            a->positional[a->n_positional++] = w;
            continue;
        }
        if (!is_known_option(a->command, w))
            return w;
        bool has_value = !is_flag(w);
        if (strcmp(w, "--set") == 0 && i + 1 < a->n && a->n_sets < (int)COUNT_OF(a->sets))
            a->sets[a->n_sets++] = a->words[i + 1];
        if (has_value && ++i >= a->n)
            return w;
    }
    a->json = args_flag(a, "json");
    a->quiet = args_flag(a, "quiet");
    const char *lang = args_value(a, "lang");
    const char *locale = getenv("LC_ALL");
    a->lang = (lang && strncmp(lang, "zh", 2) == 0) || (!lang && locale && strncmp(locale, "zh", 2) == 0)
                  ? LANG_ZH
                  : LANG_EN;
    return NULL;
}

err
args_config(const struct args *a, struct config **ret, struct fault *f)
{
    return config_load(args_value(a, "config"), a->sets, (size_t)a->n_sets, ret, f);
}

/* -- messages -- */

static int
exit_of(err e)
{
    int status = err_info(e)->status;
    if (e == E_USAGE)
        return EXIT_USAGE;
    if (status == 404)
        return EXIT_NOT_FOUND;
    if (status == 401 || status == 403)
        return EXIT_DENIED;
    if (status == 409 || status == 412 || status == 428)
        return EXIT_CONFLICT;
    if (strcmp(err_info(e)->issue, "security") == 0)
        return EXIT_SIGNATURE;
    if (status == 400 || status == 413 || status == 422)
        return EXIT_INVALID;
    return status == 503 ? EXIT_UNAVAILABLE : EXIT_FAILED;
}

int
command_fail(const struct args *a, err e, const struct fault *f)
{
    const struct err_row *row = err_info(f && f->code != E_OK ? f->code : e);
    bool colour = terminal_has_colour(STDERR_FILENO);
    fprintf(stderr, "%sclaimgate: %s%s [%s]\n", colour ? "\033[31m" : "", row->text[a->lang],
            colour ? "\033[0m" : "", row->code);
    if (f && f->where[0])
        fprintf(stderr, "  at: %s\n", f->where);
    if (f && f->line)
        fprintf(stderr, "  line %ld, column %ld\n", f->line, f->column);
    if (f && f->expected[0])
        fprintf(stderr, "  expected: %s\n", f->expected);
    if (f && f->found[0])
        fprintf(stderr, "  found: %s\n", f->found);
    if (row->remedy[a->lang][0])
        fprintf(stderr, "  %s\n", row->remedy[a->lang]);
    return exit_of(f && f->code != E_OK ? f->code : e);
}

int
command_usage(const struct args *a, const char *why)
{
    fprintf(stderr, "claimgate %s%s%s: %s\nSee claimgate %s%s%s --help\n", a->command->noun,
            *a->command->verb ? " " : "", a->command->verb, why, a->command->noun,
            *a->command->verb ? " " : "", a->command->verb);
    return EXIT_USAGE;
}

/* -- files -- */

err
file_read(const char *path, arena *mem, view *ret, struct fault *f)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, E_FILE, path, "a readable file", strerror(errno));
    struct buf all;
    char part[65536];
    ssize_t n;
    buf_init(&all, COMMAND_MEMORY / 2);
    while ((n = read(fd, part, sizeof part)) > 0)
        buf_add(&all, part, (size_t)n);
    if (!is_stdin)
        close(fd);
    *ret = n < 0 || all.failed ? VIEW_NONE : arena_dup(mem, all.p ? buf_view(&all) : V(""));
    buf_done(&all);
    return ret->p ? E_OK : fault_set(f, E_FILE, path, "a readable file of at most 512 MiB", "another");
}

err
file_write(const char *path, view bytes, bool secret, struct fault *f)
{
    if (strcmp(path, "-") == 0)
        return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n
                   ? E_OK
                   : fault_set(f, E_FILE, "stdout", "writable", "closed");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0400 : 0644);
    size_t at = 0;
    while (fd >= 0 && at < bytes.n) {
        ssize_t n = write(fd, bytes.p + at, bytes.n - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0 && at == bytes.n ? E_OK : fault_set(f, E_FILE, path, "a writable file", strerror(errno));
}

err
folder_make(const char *path, struct fault *f)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return E_OK;
    return fault_set(f, E_FILE, path, "a folder", strerror(errno));
}

/* -- help -- */

static void
print_indented(const char *lines)
{
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        printf("  %.*s\n", (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

static void
print_command_help(const struct command *c)
{
    printf("%s\n\nExamples:\n", c->summary);
    print_indented(c->examples);
    if (*c->options) {
        printf("\nOptions:\n");
        print_indented(c->options);
    }
    printf("\nEverywhere: --json --quiet --lang zh-TW|en --set name=value\n"
           "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 not permitted, 5 conflict, 6 invalid, 7 "
           "signature, 8 time-out, 9 unavailable\n");
}

static void
print_help(void)
{
    printf("claimgate: insurance-claim interchange gateway\n\nExamples:\n  claimgate demo\n  claimgate init "
           "./sandbox --sandbox\n"
           "  claimgate serve --config ./sandbox/claimgate.conf\n\nCommands:\n");
    /* The demo starts its parties by itself. */
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(commands[i].noun, "party") != 0)
            printf("  %-12s %-9s %s\n", commands[i].noun, commands[i].verb, commands[i].summary);
    printf("\nclaimgate NOUN VERB --help shows examples and options of one.\n");
}

/* -- dispatch -- */

static const struct command *
find_command(int argc, char **argv, int *ret_used)
{
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *c = &commands[i];
        if (argc < 2 || strcmp(argv[1], c->noun) != 0)
            continue;
        if (!*c->verb) {
            *ret_used = 2;
            return c;
        }
        if (argc >= 3 && strcmp(argv[2], c->verb) == 0) {
            *ret_used = 3;
            return c;
        }
    }
    return NULL;
}

static size_t
distance(const char *a, const char *b)
{
    /* letters in common at the front and the difference in length: enough to name a neighbour of a short word */
    size_t n = 0, la = strlen(a), lb = strlen(b);
    while (n < la && n < lb && a[n] == b[n])
        n++;
    return la + lb - 2 * n;
}

/* "claimgate NOUN --help": the verbs of the noun. */
static bool
is_noun_help(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[2], "--help") != 0 && strcmp(argv[2], "-h") != 0))
        return false;
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(argv[1], commands[i].noun) == 0)
            return true;
    return false;
}

static void
print_noun_help(const char *noun)
{
    printf("Commands:\n");
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(noun, commands[i].noun) == 0)
            printf("  claimgate %s %-12s %s\n", noun, commands[i].verb, commands[i].summary);
    printf("\nclaimgate %s VERB --help shows examples and options of one.\n", noun);
}

static int
unknown_command(int argc, char **argv)
{
    const char *nearest = NULL;
    size_t least = 8;
    for (size_t i = 0; i < commands_count; i++) {
        size_t d = distance(argv[1], commands[i].noun);
        if (d < least) {
            least = d;
            nearest = commands[i].noun;
        }
    }
    fprintf(stderr, "claimgate: no command \"%s%s%s\"", argv[1], argc > 2 ? " " : "",
            argc > 2 ? argv[2] : "");
    if (nearest)
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fprintf(stderr, "\n");
    for (size_t i = 0; i < commands_count; i++)
        if (strcmp(argv[1], commands[i].noun) == 0)
            fprintf(stderr, "  claimgate %s %s   %s\n", commands[i].noun, commands[i].verb,
                    commands[i].summary);
    fprintf(stderr, "See claimgate --help\n");
    return EXIT_USAGE;
}

int
command_main(int argc, char **argv)
{
    int used = 0;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (strcmp(argv[1], "help") == 0 && argc == 2)) {
        print_help();
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    const struct command *c = find_command(argc, argv, &used);
    if (!c && is_noun_help(argc, argv)) {
        print_noun_help(argv[1]);
        return EXIT_OK;
    }
    if (!c)
        return unknown_command(argc, argv);
    struct args a = {.command = c, .words = (const char *const *)argv + used, .n = argc - used};
    for (int i = used; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_command_help(c);
            return EXIT_OK;
        }
    }
    const char *wrong = args_parse(&a);
    if (wrong) {
        fprintf(stderr,
                "claimgate: %s is not an option here, or lacks its value\nSee claimgate %s %s --help\n",
                wrong, c->noun, c->verb);
        return EXIT_USAGE;
    }
    a.mem = arena_new(COMMAND_MEMORY);
    int code = c->run(&a);
    arena_free(a.mem);
    return code;
}
