#include "base/config.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];
static struct fault fault;

static const char *
write_file(view text)
{
    snprintf(path, sizeof path, "/tmp/claimgate_config_XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text.p, text.n), (ssize_t)text.n);
    close(fd);
    return path;
}

static err
load_text(view text, struct config **ret)
{
    fault_init(&fault);
    err e = config_load(write_file(text), NULL, 0, ret, &fault);
    unlink(path);
    return e;
}

/* The environment of whoever runs the tests must not show. */
static void
forget_environment(void)
{
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        char name[96];
        snprintf(name, sizeof name, "CLAIMGATE_%s", setting_info((enum setting)s)->name);
        for (char *p = name; *p; p++)
            *p = *p == '.' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
        unsetenv(name);
    }
}

TestSuite(config, .init = forget_environment);

Test(config, defaults_are_valid_and_say_so)
{
    AUTO(config_free) struct config *c = NULL;
    fault_init(&fault);
    cr_assert_eq(config_load(NULL, NULL, 0, &c, &fault), E_OK, "%s: %s", fault.where, fault.expected);
    cr_assert_str_eq(config_cstr(c, SET_HTTP_LISTEN), "127.0.0.1:8443");
    cr_assert(view_eq(config_text(c, SET_TOKEN_LIFE), V("300")));
    cr_assert_eq(config_int(c, SET_HTTP_CONNECTIONS), 512);
    cr_assert_eq(config_span(c, SET_DRAIN_DELAY).us, 5000000);
    cr_assert_eq(config_bool(c, SET_SANDBOX), false);
    for (unsigned s = 0; s < SETTING_COUNT; s++)
        cr_assert(view_eq(config_origin(c, (enum setting)s), V("default")));
}

Test(config, flag_beats_environment_beats_file_beats_default)
{
    const view TEXT = V("http:\n{\n  listen = \"file:1\"; # here\n  connections = 5;\n  base_url = "
                        "\"u\";\n};\nsandbox = true;\n");
    setenv("CLAIMGATE_HTTP_LISTEN", "env:1", 1);
    setenv("CLAIMGATE_HTTP_CONNECTIONS", "6", 1);
    AUTO(config_free) struct config *c = NULL;
    const char *overrides[] = {"http.connections=7", "http.connections=8", "trust.file=a=b"};
    fault_init(&fault);
    cr_assert_eq(config_load(write_file(TEXT), overrides, 3, &c, &fault), E_OK, "%s", fault.where);
    unlink(path);
    cr_assert_str_eq(config_cstr(c, SET_HTTP_LISTEN), "env:1");
    cr_assert(view_eq(config_origin(c, SET_HTTP_LISTEN), V("environment CLAIMGATE_HTTP_LISTEN")));
    cr_assert_eq(config_int(c, SET_HTTP_CONNECTIONS), 8);
    cr_assert(view_eq(config_origin(c, SET_HTTP_CONNECTIONS), V("flag --set")));
    cr_assert_str_eq(config_cstr(c, SET_HTTP_BASE_URL), "u");
    char origin[100];
    snprintf(origin, sizeof origin, "file %s:5", path);
    cr_assert(view_eq(config_origin(c, SET_HTTP_BASE_URL), view_of(origin)), "%s", origin);
    cr_assert(config_bool(c, SET_SANDBOX));
    cr_assert_str_eq(config_cstr(c, SET_TRUST_FILE), "a=b");
    cr_assert(view_eq(config_origin(c, SET_OPS_LISTEN), V("default")));
}

Test(config, refuses_bad_files_with_line)
{
    const struct {
        view text;
        long line;
        const char *expected; /* part of it */
    } CASES[] = {
        {V("htp = { listen = \"x\"; };"), 1, "the nearest is http.listen"},
        {V("http = {\n lisetn = \"x\";\n};"), 2, "the nearest is http.listen"},
        {V("http = {\n cafe = 1; };"), 2, "a known setting"},
        {V("\n\nsandbx = true;"), 3, "the nearest is sandbox"},
        {V("zzz = 1;"), 1, "a known setting"},
        {V("http = { listen = { a = 1; }; };"), 1, "text in quotes"},
        {V("http = 5;"), 1, "a known setting"},
        {V("http = { listen = 5; };"), 1, "text in quotes"},
        {V("http = { connections = \"5\"; };"), 1, "an integer"},
        {V("http = { connections = 5.0; };"), 1, "one value"},
        {V("http = { connections = true; };"), 1, "an integer"},
        {V("http = { connections = 3; };"), 1, "an integer from 4 to 8192"},
        {V("http = { connections = 8193; };"), 1, "an integer from 4 to 8192"},
        {V("http = { connections = -5; };"), 1, "an integer from 4 to 8192"},
        {V("sandbox = 1;"), 1, "true or false"},
        {V("sandbox = \"true\";"), 1, "true or false"},
        {V("log = { level = \"a\nb\"; };"), 1, "text on one line"},
        {V("log = { level = \"a\x01\"; };"), 1, "text on one line"},
        {V("log = { level = \"\xFF\"; };"), 1, "UTF-8"},
        {V("log = { level = \"12345678901234567\"; };"), 1, "0 to 16 bytes"},
        {V("sandbox = true;\nsandbox = true;"), 2, "name = value"},
        {V("sandbox true;"), 1, "name = value"},
        {V("sandbox = "), 2, "name = value"},
        {V("\n@include \"other.conf\"\n"), 2, "one file"},
        {V("sandbox = true;\n\0drain = { delay = 1000; };"), 2, "text"},
        /* libconfig alone would cut these to 32 bits and take them. */
        {V("http = { connections = 4294967808; };"), 1, "an integer from 4 to 8192"},
        {V("http = { connections = 0x100000200; };"), 1, "a decimal integer"},
        {V("http = { connections = 99999999999999999999; };"), 1, "64 bits"},
        /* libconfig alone would take the rest of the file for a comment. */
        {V("sandbox = true;\n/* unclosed\n drain = { delay = 0; };\n"), 2, "a comment that ends"},
        {V("/*"), 1, "a comment that ends"},
        {V("/*/"), 1, "a comment that ends"},
        {V("log = { level = \"abc"), 2, "name = value"},
        {V("log = { level = \"abc\\"), 2, "name = value"},
        {V("/* a\n b */ # c\n// d\nsandbox = 5; # \" "), 4, "true or false"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct config *c = NULL;
        cr_assert_eq(load_text(CASES[i].text, &c), E_CONFIG, "case %zu", i);
        cr_assert_null(c);
        char place[100];
        snprintf(place, sizeof place, "file %s:%ld", path, CASES[i].line);
        cr_assert(view_starts(view_of(fault.where), view_of(place)), "case %zu: %s instead of %s", i,
                  fault.where, place);
        cr_assert_not_null(strstr(fault.expected, CASES[i].expected), "case %zu: %s", i, fault.expected);
    }
}

Test(config, takes_large_integers_and_odd_files)
{
    struct config *c = NULL;
    cr_assert_eq(
        load_text(V("http = { body_budget = 5000000000; base_url = \"a // 5000000000 \\\" # b\"; };"), &c),
        E_OK, "%s %s", fault.where, fault.expected);
    cr_assert_eq(config_int(c, SET_HTTP_BODY_BUDGET), 5000000000);
    cr_assert_str_eq(config_cstr(c, SET_HTTP_BASE_URL), "a // 5000000000 \" # b");
    config_free(c);
    cr_assert_eq(load_text(V("http : { body_budget = 5000000000L }"), &c), E_OK, "%s %s", fault.where,
                 fault.expected);
    cr_assert_eq(config_int(c, SET_HTTP_BODY_BUDGET), 5000000000);
    config_free(c);
    cr_assert_eq(load_text(V(""), &c), E_OK);
    config_free(c);
    cr_assert_eq(load_text(V("# only 5000000000\r\nhttp = { };\r\n/* closed **/"), &c), E_OK);
    config_free(c);
    cr_assert_eq(load_text(V("http = { connections = 0x10; };"), &c), E_OK);
    cr_assert_eq(config_int(c, SET_HTTP_CONNECTIONS), 16);
    config_free(c);
    config_free(NULL);
}

Test(config, refuses_bad_environment_and_flags)
{
    const struct {
        const char *env, *value, *override, *where, *expected;
    } CASES[] = {
        {"CLAIMGATE_DRAIN_DELAY", "121", NULL, "environment CLAIMGATE_DRAIN_DELAY: drain.delay",
         "from 0 to 120 seconds"},
        {"CLAIMGATE_DRAIN_DELAY", "", NULL, "environment CLAIMGATE_DRAIN_DELAY: drain.delay", "integer"},
        {"CLAIMGATE_DRAIN_DELAY", "5s", NULL, "environment CLAIMGATE_DRAIN_DELAY: drain.delay", "integer"},
        {"CLAIMGATE_SANDBOX", "yes", NULL, "environment CLAIMGATE_SANDBOX: sandbox", "true or false"},
        {NULL, NULL, "sandbox", "flag --set", "name=value"},
        {NULL, NULL, "http.listn=x", "flag --set: http.listn", "http.listen"},
        {NULL, NULL, "=x", "flag --set: ", "a known setting"},
        {NULL, NULL, "HTTP.LISTEN=x", "flag --set: HTTP.LISTEN", "a known setting"},
        {NULL, NULL, "drain.limit=0", "flag --set: drain.limit", "from 1 to 600"},
        {NULL, NULL, "drain.limit=99999999999999999999", "flag --set: drain.limit", "from 1 to 600"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct config *c = NULL;
        if (CASES[i].env)
            setenv(CASES[i].env, CASES[i].value, 1);
        fault_init(&fault);
        err e = config_load(NULL, &CASES[i].override, CASES[i].override ? 1 : 0, &c, &fault);
        cr_assert_eq(e, E_CONFIG, "case %zu", i);
        cr_assert_str_eq(fault.where, CASES[i].where, "case %zu", i);
        cr_assert_not_null(strstr(fault.expected, CASES[i].expected), "case %zu: %s", i, fault.expected);
        if (CASES[i].env)
            unsetenv(CASES[i].env);
    }
}

Test(config, missing_or_strange_file)
{
    struct config *c = NULL;
    fault_init(&fault);
    cr_assert_eq(config_load("/nonexistent/claimgate.conf", NULL, 0, &c, &fault), E_FILE);
    cr_assert_str_eq(fault.where, "/nonexistent/claimgate.conf");
    fault_init(&fault);
    cr_assert_eq(config_load("/tmp", NULL, 0, &c, &fault), E_FILE);
    cr_assert_null(c);
    static char large[1024 * 1024 + 1];
    memset(large, ' ', sizeof large);
    cr_assert_eq(load_text(view_make(large, sizeof large), &c), E_FILE);
    cr_assert_eq(load_text(view_make(large, sizeof large - 1), &c), E_OK);
    config_free(c);
}

/* The printed sample is a file that the reader takes and that changes nothing. */
Test(config, sample_loads_to_the_defaults_and_explains_all)
{
    AUTO_DONE(buf_done) struct buf sample;
    buf_init(&sample, 100000);
    config_print_sample(&sample);
    cr_assert_not(sample.failed);
    struct config *c = NULL;
    cr_assert_eq(load_text(buf_view(&sample), &c), E_OK, "%s: %s", fault.where, fault.expected);
    for (unsigned s = 0; s < SETTING_COUNT; s++) {
        const struct setting_row *row = setting_info((enum setting)s);
        cr_assert(view_eq(config_text(c, (enum setting)s), view_of(row->fallback)), "%s", row->name);
        cr_assert(view_starts(config_origin(c, (enum setting)s), V("file ")),
                  "%s does not stand in the sample", row->name);
        cr_assert_not_null(strstr(sample.p, row->help[LANG_EN]), "%s", row->name);
        cr_assert_not_null(strstr(sample.p, row->help[LANG_ZH]), "%s", row->name);
    }
    config_free(c);
}
