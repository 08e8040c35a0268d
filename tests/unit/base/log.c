#include "base/log.h"
#include "base/deterministic.h"
#include "base/metrics.h"
#include "base/text.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int pipe_ends[2];

static void
start(enum log_level least)
{
    cr_assert_eq(pipe(pipe_ends), 0);
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    fcntl(pipe_ends[0], F_SETPIPE_SZ, 1 << 20);
    log_start(least, pipe_ends[1]);
    deterministic_start(1);
}

static view
take(void)
{
    static char bytes[1 << 20];
    ssize_t n = read(pipe_ends[0], bytes, sizeof bytes);
    return (view){bytes, n < 0 ? 0 : (size_t)n};
}

Test(log, writes_one_json_line)
{
    start(LEVEL_INFO);
    case_id id = {{{[15] = 1}}};
    digest d = sha256(V("abc"));
    log_event(LOG_ACCEPT, F_UID("case", "case", &id.u), F_N("bytes", -5), F_CODE("code", E_SYNTAX),
              F_DIGEST("doc", &d), F_NAME("route", "POST /v1/x"));
    static const char WANTED[] =
        "{\"ts\":\"2026-03-02T02:00:00.000Z\",\"level\":\"info\",\"stream\":\"operation\",\"event\":"
        "\"accept\","
        "\"msg\":\"document "
        "accepted\",\"case\":\"case-00000000000000000000000001\",\"bytes\":-5,\"code\":\"syntax\","
        "\"doc\":\"ba7816bf8f01cfea\",\"route\":\"POST /v1/x\"}\n";
    view line = take();
    cr_assert(view_eq(line, view_of(WANTED)), "%.*s", VIEW_ARG(line));
}

Test(log, writes_events_without_fields_and_security_events)
{
    start(LEVEL_INFO);
    log_write(LOG_AUTHN_FAIL, NULL, 0);
    view line = take();
    cr_assert(
        view_ends(
            line,
            V("\"level\":\"warn\",\"stream\":\"security\",\"event\":\"authn_fail\",\"msg\":\"authentication "
              "failed\"}\n")),
        "%.*s", VIEW_ARG(line));
}

Test(log, leaves_out_what_is_below_the_level)
{
    start(LEVEL_WARN);
    log_write(LOG_ACCEPT, NULL, 0);
    cr_assert_eq(take().n, 0);
    log_write(LOG_AUTHZ_FAIL, NULL, 0);
    cr_assert_gt(take().n, 0);
}

Test(log, levels_have_names)
{
    static const char *const NAMES[] = {"debug", "info", "warn", "error"};
    enum log_level level;
    for (unsigned i = 0; i < COUNT_OF(NAMES); i++) {
        cr_assert_eq(log_level_parse(view_of(NAMES[i]), &level), E_OK);
        cr_assert_eq(level, i);
    }
    cr_assert_eq(log_level_parse(V("INFO"), &level), E_SYNTAX);
    cr_assert_eq(log_level_parse(VIEW_NONE, &level), E_SYNTAX);
    cr_assert_eq(level, LEVEL_ERROR);
}

Test(log, errors_are_counted)
{
    start(LEVEL_ERROR);
    log_write(LOG_STORE_FAILED, NULL, 0);
    log_write(LOG_STORE_FAILED, NULL, 0);
    log_write(LOG_AUTHN_FAIL, NULL, 0);
    cr_assert_eq(metric_value(METRIC_ERRORS, "store_failed"), 2);
    cr_assert_eq(metric_value(METRIC_ERRORS, "authn_fail"), 0);
}

/* Whatever stands in a name, a line stays one line of valid JSON. */
Test(log, cannot_be_broken_by_a_name)
{
    static char long_name[600];
    for (size_t i = 0; i + 3 < sizeof long_name; i += 3)
        memcpy(long_name + i, "\xE8\xBB\x8A", 3);
    static const char *const NAMES[] = {"a\nb", "\"}\\", "\x1B[31m", "\x7F", "\xFF\xFE", "", long_name};
    start(LEVEL_INFO);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        log_event(LOG_REQUEST, F_NAME("route", NAMES[i]), F_N("n", 1));
        view line = take();
        cr_assert(view_find_byte(line, '\n') == line.n - 1, "name %zu", i);
        cr_assert(text_is_utf8(line, NULL), "name %zu", i);
        cr_assert(view_find_byte(line, '\x1B') == line.n && view_find_byte(line, '\x7F') == line.n,
                  "name %zu", i);
        json_t *json = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
        cr_assert_not_null(json, "name %zu: %.*s", i, VIEW_ARG(line));
        cr_assert_lt(json_string_length(json_object_get(json, "route")), 300);
        cr_assert_eq(json_integer_value(json_object_get(json, "n")), 1);
        json_decref(json);
    }
}

Test(log, too_many_fields_are_left_out_whole)
{
    start(LEVEL_INFO);
    struct log_field fields[400];
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        fields[i] = F_N("number", INT64_MIN);
    log_write(LOG_REQUEST, fields, COUNT_OF(fields));
    view line = take();
    cr_assert(line.n <= 4096 && line.n > 3900);
    cr_assert(view_ends(line, V(",\"truncated\":true}\n")), "%.*s", VIEW_ARG(line));
    json_t *json = json_loadb(line.p, line.n, 0, NULL);
    cr_assert_not_null(json);
    json_decref(json);
}

Test(log, absent_references_print_as_empty)
{
    start(LEVEL_INFO);
    log_event(LOG_REQUEST, F_UID("case", "case", NULL), F_DIGEST("doc", NULL), F_NAME("route", NULL));
    view line = take();
    cr_assert(view_ends(line, V(",\"case\":\"\",\"doc\":\"\",\"route\":\"\"}\n")), "%.*s", VIEW_ARG(line));
}

Test(log, does_not_stop_on_a_closed_descriptor)
{
    log_start(LEVEL_INFO, 9999);
    log_write(LOG_START, NULL, 0);
    start(LEVEL_INFO);
    log_write(LOG_START, NULL, 0);
    cr_assert(take().n > 0, "the next line is written again");
}

static void *
write_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++)
        log_event(LOG_REQUEST, F_NAME("route", "GET /v1/claims"), F_N("status", 200));
    return NULL;
}

Test(log, lines_of_threads_do_not_mix)
{
    start(LEVEL_INFO);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, write_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    view rest = take();
    int lines = 0;
    while (rest.n) {
        view line = view_cut(&rest, '\n', NULL);
        cr_assert(view_starts(line, V("{\"ts\":")) && view_ends(line, V("\"status\":200}")), "%.*s",
                  VIEW_ARG(line));
        lines++;
    }
    cr_assert_eq(lines, 2000);
}
