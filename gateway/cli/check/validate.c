#include "base/instant.h"
#include "cli/command.h"
#include "fhir/fhir.h"
#include "fhir/package.h"
#include "http/http.h"

#include <stdio.h>
#include <unistd.h>

/* `claimgate validate`: issues as a compiler prints its messages, with the line they are about. */

#define ISSUES_MAX 1000
#define DOCUMENT_BYTES ((size_t)1 << 30)
#define LINE_SHOWN 160

struct look {
    const char *red, *yellow, *blue, *bold, *plain;
};

static struct look
look_of(bool colour)
{
    return colour ? (struct look){"\033[31;1m", "\033[33;1m", "\033[36m", "\033[1m", "\033[0m"}
                  : (struct look){"", "", "", "", ""};
}

static const char *
severity_word(enum issue_severity s)
{
    return s == ISSUE_ERROR ? "error" : s == ISSUE_WARNING ? "warning" : "note";
}

/* The line around an offset, cut where it is very long. */
static void
print_line(const struct look *look, view source, const struct issue *i)
{
    size_t at = (size_t)i->from, begin = at, end = at;
    if (i->from < 0 || at >= source.n)
        return;
    while (begin > 0 && source.p[begin - 1] != '\n' && at - begin < LINE_SHOWN / 2)
        begin--;
    while (end < source.n && source.p[end] != '\n' && source.p[end] != '\r' && end - begin < LINE_SHOWN)
        end++;
    size_t marked = i->length > 1 ? (size_t)i->length : 1;
    printf("%6ld | %.*s\n       | ", i->line, (int)(end - begin), source.p + begin);
    for (size_t k = begin; k < at; k++)
        if (((unsigned char)source.p[k] & 0xC0) != 0x80)
            putchar(source.p[k] == '\t' ? '\t' : ' ');
    printf("%s", look->bold);
    for (size_t k = at; k < end && k < at + marked; k++)
        if (((unsigned char)source.p[k] & 0xC0) != 0x80)
            putchar(k == at ? '^' : '~');
    printf("%s\n", look->plain);
}

static void
print_issue(const struct args *a, const struct look *look, const char *file, view source,
            const struct issue *i)
{
    const struct err_row *row = err_info(i->code);
    const char *paint = i->severity == ISSUE_ERROR     ? look->red
                        : i->severity == ISSUE_WARNING ? look->yellow
                                                       : look->blue;
    printf("%s%s:%ld:%ld:%s %s%s:%s %.*s: %s [%s]\n", look->bold, file, i->line, i->column, look->plain,
           paint, severity_word(i->severity), look->plain, VIEW_ARG(i->path), row->text[a->lang], row->code);
    print_line(look, source, i);
    if (i->expected.n > 0)
        printf("       = expected: %.*s\n", VIEW_ARG(i->expected));
    if (i->found.n > 0)
        printf("       = found: %.*s\n", VIEW_ARG(i->found));
    if (i->severity == ISSUE_ERROR)
        printf("       = %s\n", row->remedy[a->lang]);
}

struct checking {
    const struct args *a;
    const struct profile_set *set;
    struct validate_options options;
    struct look look;
    size_t errors, warnings;
};

/* The OperationOutcome that $validate answers. */
static void
print_outcome(struct checking *c, const struct issues *issues)
{
    const struct request said = {.issues = *issues, .lang = c->a->lang};
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    reply_outcome(&said, &out);
    printf("%.*s\n", VIEW_ARG(buf_view(&out)));
    buf_done(&out);
}

static enum fhir_media
media_of(view bytes)
{
    view text = view_trim(view_sub(bytes, 0, 256));
    return view_starts(text, V("<")) || view_starts(text, V("\xEF\xBB\xBF<")) ? FHIR_XML : FHIR_JSON;
}

static int
check_file(struct checking *c, const char *file)
{
    AUTO(arena_free) arena *mem = arena_new(DOCUMENT_BYTES);
    struct fault f;
    struct tree t;
    struct issues issues;
    view bytes;
    fault_init(&f);
    issues_init(&issues, mem, ISSUES_MAX);
    err e = file_read(file, mem, &bytes, &f);
    if (e != E_OK)
        return command_fail(c->a, e, &f);
    e = fhir_read(media_of(bytes), bytes, mem, &t, &f);
    if (e != E_OK)
        issue_of_fault(&issues, &f);
    else
        e = fhir_validate_resource(c->set, &t, tree_root(&t), &c->options, mem, &issues);
    if (e != E_OK && issues.n == 0)
        return command_fail(c->a, e, &f);
    for (const struct issue *i = issues.first; i; i = i->next) {
        if (!c->a->json)
            print_issue(c->a, &c->look, file, bytes, i);
        c->warnings += i->severity == ISSUE_WARNING;
    }
    c->errors += issues.errors;
    if (c->a->json)
        print_outcome(c, &issues);
    else if (!c->a->quiet)
        printf("%s: %zu errors, %zu other findings%s\n", file, issues.errors,
               issues.n - (issues.errors < issues.n ? issues.errors : issues.n),
               issues.dropped ? " (more were only counted)" : "");
    return EXIT_OK;
}

/* As $validate judges: by windows of the day, in Taiwan. */
static uint32_t
day_of_args(const struct args *a)
{
    const char *on = args_value(a, "on");
    date d = date_of_instant(clock_now(), 480);
    if (on && (date_parse(view_of(on), &d) != E_OK || d.day == 0))
        return 0;
    return (uint32_t)d.year * 10000u + d.month * 100u + d.day;
}

int
run_validate(struct args *a)
{
    const char *packs[64], *profile = args_value(a, "profile");
    struct fault f;
    fault_init(&f);
    if (a->n_positional == 0)
        return command_usage(a, "one file or more is needed");
    AUTO(profiles_free) struct profile_set *set = NULL;
    const struct profile_sources own = {.files = fhir_profiles, .n = fhir_profiles_count};
    err e = packages_open(packs, args_values(a, "pack", packs, COUNT_OF(packs)), &own, &set, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    uint32_t today = day_of_args(a);
    if (today == 0)
        return command_usage(a, "--on is a day: 2027-01-01");
    struct checking c = {.a = a,
                         .set = set,
                         .options = {.demand = view_of(profile),
                                     .check = true,
                                     .today = today,
                                     .strict = args_flag(a, "strict"),
                                     .no_markup = args_flag(a, "no-markup")},
                         .look = look_of(terminal_has_colour(STDOUT_FILENO))};
    for (int i = 0; i < a->n_positional; i++) {
        int code = check_file(&c, a->positional[i]);
        if (code != EXIT_OK)
            return code;
    }
    return c.errors > 0 ? EXIT_INVALID : EXIT_OK;
}
