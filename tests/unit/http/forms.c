/* The forms of an error, in both languages, read back with the gateway's own JSON reader. */
#include "kit.h"

static struct kit kit;

static struct kit_reply
ask(const char *line, const char *more)
{
    char text[600];
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\n" KIT_HEAD "%s\r\n", line, more);
    return kit_ask(&kit, view_make(text, (size_t)n));
}

Test(forms, problem)
{
    kit_start(&kit, (struct http_options){0});
    arena *mem = arena_new(1 << 20);
    struct kit_reply r = ask("GET /v1/claims/x", "");
    cr_expect_eq(r.status, 401);
    cr_expect(view_eq(kit_header(&r, "Content-Type"), V("application/problem+json")));
    cr_expect(view_eq(kit_header(&r, "Content-Language"), V("en")));
    cr_expect(view_eq(kit_header(&r, "Cache-Control"), V("no-store")));
    cr_expect(view_eq(kit_json(r.body, "type", mem), V("/problems/login-required")));
    cr_expect(view_eq(kit_json(r.body, "code", mem), V("login-required")));
    cr_expect(view_eq(kit_json(r.body, "status", mem), V("401")));
    cr_expect(view_eq(kit_json(r.body, "title", mem), V("The request has no valid credentials.")));
    cr_expect(view_eq(kit_json(r.body, "request_id", mem), kit_header(&r, "X-Request-Id")));
    cr_expect(view_starts(kit_json(r.body, "instance", mem), V("/problems/login-required#req-")));
    cr_expect(view_eq(kit_json(r.body, "errors[0].parameter", mem), V("authorization")));
    cr_expect(view_eq(kit_json(r.body, "errors[0].expected", mem), V("a token")));
    cr_expect(kit_json(r.body, "remedy", mem).n > 10);
    kit_free(&r);
    r = ask("GET /v1/claims/x", "Accept-Language: zh-TW,zh;q=0.9,en;q=0.8\r\n");
    cr_expect(view_eq(kit_header(&r, "Content-Language"), V("zh-TW")));
    cr_expect(view_eq(kit_json(r.body, "title", mem), V("請求沒有有效的憑據。")));
    cr_expect(text_has_han(kit_json(r.body, "detail", mem)));
    kit_free(&r);
    arena_free(mem);
    kit_stop(&kit);
}

Test(forms, outcome)
{
    kit_start(&kit, (struct http_options){0});
    arena *mem = arena_new(1 << 20);
    struct kit_reply r = ask("GET /fhir/r4/Bundle/doc-1", "Accept-Language: zh\r\n");
    cr_expect_eq(r.status, 401);
    cr_expect(view_eq(kit_header(&r, "Content-Type"), V("application/fhir+json")));
    cr_expect(view_eq(kit_json(r.body, "resourceType", mem), V("OperationOutcome")));
    cr_expect(view_eq(kit_json(r.body, "issue[0].severity", mem), V("error")));
    cr_expect(view_eq(kit_json(r.body, "issue[0].code", mem), V("login")));
    cr_expect(view_eq(kit_json(r.body, "issue[0].details.coding[0].system", mem),
                      V("https://claimgate.tw/codes/outcome")));
    cr_expect(view_eq(kit_json(r.body, "issue[0].details.coding[0].code", mem), V("login-required")));
    cr_expect(view_eq(kit_json(r.body, "issue[0].details.text", mem), V("請求沒有有效的憑據。")));
    cr_expect(view_eq(kit_json(r.body, "issue[0].location", mem), V("http.authorization")) ||
              view_eq(kit_json(r.body, "issue[0].location[0]", mem), V("http.authorization")));
    cr_expect(view_starts(kit_json(r.body, "issue[0].diagnostics", mem), V("expected: a token; found: ")));
    kit_free(&r);
    r = ask("GET /fhir/r4/Nothing", "");
    cr_expect_eq(r.status, 404);
    cr_expect(view_eq(kit_json(r.body, "issue[0].code", mem), V("not-found")),
              "no route, but the FHIR surface was meant");
    kit_free(&r);
    arena_free(mem);
    kit_stop(&kit);
}

Test(forms, oauth)
{
    kit_start(&kit, (struct http_options){0});
    arena *mem = arena_new(1 << 20);
    struct kit_reply r =
        kit_ask(&kit, V("POST /oauth2/token HTTP/1.1\r\n" KIT_HEAD KIT_JSON "Content-Length: 2\r\n\r\n{}"));
    cr_expect_eq(r.status, 415);
    cr_expect(view_eq(kit_json(r.body, "error", mem), V("invalid_request")));
    cr_expect(view_eq(kit_json(r.body, "code", mem), V("media-type")));
    cr_expect(view_eq(kit_header(&r, "Content-Type"), V("application/json")));
    cr_expect(view_eq(kit_header(&r, "Accept-Post"), V("application/x-www-form-urlencoded")));
    kit_free(&r);
    arena_free(mem);
    kit_stop(&kit);
}

static const struct {
    const char *accept;
    enum lang want;
} languages[] = {
    {"", LANG_EN},
    {"zh", LANG_ZH},
    {"ZH-Hant-TW", LANG_ZH},
    {"en", LANG_EN},
    {"en-US,en;q=0.5", LANG_EN},
    {"zh-TW;q=0.4, en;q=0.6", LANG_EN},
    {"en;q=0.4, zh;q=0.6", LANG_ZH},
    {"zh, en", LANG_ZH},
    {"en, zh", LANG_EN},
    {"fr, zh;q=0.1", LANG_ZH},
    {"zh;q=0", LANG_EN},
    {"fr", LANG_EN},
    {"*", LANG_EN},
    {",,;;q=,zh", LANG_ZH},
    {"zhx", LANG_EN},
};

Test(forms, languages)
{
    kit_start(&kit, (struct http_options){0});
    for (size_t i = 0; i < COUNT_OF(languages); i++) {
        char more[200];
        snprintf(more, sizeof more, "Accept-Language: %s\r\n", languages[i].accept);
        struct kit_reply r = ask("GET /nothing", more);
        view want = languages[i].want == LANG_ZH ? V("zh-TW") : V("en");
        cr_expect(view_eq(kit_header(&r, "Content-Language"), want), "%s", languages[i].accept);
        kit_free(&r);
    }
    kit_stop(&kit);
}

/* Every row of err.def gives a body that reads back, in every form and language. */
Test(forms, every_code)
{
    static const enum route_id routes[] = {ROUTE_BUNDLE_CREATE, ROUTE_CLAIM_GET, ROUTE_TOKEN};
    arena *mem = arena_new(16 << 20);
    for (int e = 1; e < ERR_COUNT; e++) {
        for (size_t i = 0; i < 6; i++) {
            struct request rq = {.mem = mem, .route = route_info(routes[i / 2]), .lang = (enum lang)(i % 2)};
            struct reply rp = {.status = 0};
            fault_init(&rq.fault);
            issues_init(&rq.issues, mem, 10);
            (void)fault_set(&rq.fault, (err)e, "/entry/0/\"x\"", "a \"quoted\" form\n", "a\tb\\c");
            reply_error(&rq, &rp, (err)e);
            int want = err_info((err)e)->status >= 400 ? err_info((err)e)->status : 500;
            cr_expect_eq(rp.status, want);
            struct tree t;
            struct fault f;
            fault_init(&f);
            cr_expect_eq(tree_read_json(rp.body, NULL, mem, &t, &f), E_OK, "%.*s", VIEW_ARG(rp.body));
            arena_reset(mem);
        }
    }
    arena_free(mem);
}

static struct reply
reply_of_issues(struct request *rq, arena *mem, enum route_id route)
{
    struct reply rp = {.status = 0};
    *rq = (struct request){.mem = mem, .route = route_info(route)};
    fault_init(&rq->fault);
    issues_init(&rq->issues, mem, 2);
    struct issue *i = issue_add(&rq->issues, ISSUE_ERROR, E_REQUIRED, V("Bundle.entry[2].resource.code"),
                                V("1..1"), V("none"));
    i->pointer = V("/entry/2/resource");
    i->from = 100;
    i->length = 20;
    i->line = 3;
    i->column = 7;
    issue_add(&rq->issues, ISSUE_WARNING, E_SUM, V("Bundle.entry[3]"), V("the sum"), V("another"));
    issue_add(&rq->issues, ISSUE_WARNING, E_SUM, V("Bundle.entry[4]"), V("the sum"), V("another"));
    reply_error(rq, &rp, E_REQUIRED);
    return rp;
}

Test(forms, issues_of_a_document)
{
    arena *mem = arena_new(1 << 20);
    struct request rq;
    struct reply rp = reply_of_issues(&rq, mem, ROUTE_APPLICATION_CREATE);
    cr_expect_eq(rp.status, 422);
    cr_expect(view_eq(kit_json(rp.body, "errors[0].pointer", mem), V("/entry/2/resource")));
    cr_expect(view_eq(kit_json(rp.body, "errors[0].path", mem), V("Bundle.entry[2].resource.code")));
    cr_expect(view_eq(kit_json(rp.body, "errors[0].from", mem), V("100")));
    cr_expect(view_eq(kit_json(rp.body, "errors[0].length", mem), V("20")));
    cr_expect(view_eq(kit_json(rp.body, "errors[0].line", mem), V("3")));
    cr_expect(view_eq(kit_json(rp.body, "errors[0].column", mem), V("7")));
    cr_expect(view_eq(kit_json(rp.body, "errors[1].severity", mem), V("warning")));
    cr_expect(view_eq(kit_json(rp.body, "errors_dropped", mem), V("1")));
    rp = reply_of_issues(&rq, mem, ROUTE_BUNDLE_CREATE);
    cr_expect(view_eq(kit_json(rp.body, "issue[0].expression[0]", mem), V("Bundle.entry[2].resource.code")));
    cr_expect(view_eq(kit_json(rp.body, "issue[0].code", mem), V("required")));
    cr_expect(view_eq(kit_json(rp.body, "issue[1].severity", mem), V("warning")));
    cr_expect(view_find(kit_json(rp.body, "issue[0].diagnostics", mem), V("line 3, column 7")) < rp.body.n);
    arena_free(mem);
}

/* A fault's text is cut at its array's end, if need be inside a character. */
Test(forms, half_a_character)
{
    arena *mem = arena_new(1 << 20);
    struct request rq = {.mem = mem, .route = route_info(ROUTE_CLAIM_GET)};
    struct reply rp = {.status = 0};
    fault_init(&rq.fault);
    issues_init(&rq.issues, mem, 2);
    rq.fault.code = E_VALUE;
    memset(rq.fault.where, 0, sizeof rq.fault.where);
    memcpy(rq.fault.where, "/a\xe4\xb8", 4);
    memcpy(rq.fault.expected, "x\xe4", 2);
    memcpy(rq.fault.found, "y\xff", 2);
    reply_error(&rq, &rp, E_VALUE);
    struct tree t;
    struct fault f;
    fault_init(&f);
    cr_expect_eq(tree_read_json(rp.body, NULL, mem, &t, &f), E_OK, "%.*s", VIEW_ARG(rp.body));
    cr_expect(view_eq(node_text_at(&t, tree_root(&t), "errors[0].pointer"), V("/a")));
    arena_free(mem);
}

Test(forms, headers_that_stand_stay)
{
    arena *mem = arena_new(1 << 20);
    struct request rq = {.mem = mem, .route = route_info(ROUTE_CLAIM_GET)};
    struct reply rp = {.status = 0};
    fault_init(&rq.fault);
    issues_init(&rq.issues, mem, 2);
    reply_header(&rq, &rp, "Retry-After", V("99"));
    reply_error(&rq, &rp, E_STALE);
    int n = 0;
    for (const struct reply_header *h = rp.headers; h; h = h->next) {
        if (strcmp(h->name, "Retry-After") == 0) {
            cr_expect(view_eq(h->value, V("99")));
            n++;
        }
    }
    cr_expect_eq(n, 1);
    arena_free(mem);
}

/* Found: an outcome began with what had only been noted, and the reason of the refusal stood behind it. */
Test(forms, errors_stand_before_what_was_only_noted)
{
    arena *mem = arena_new(1 << 20);
    struct request rq = {.mem = mem, .route = route_info(ROUTE_BUNDLE_CREATE)};
    struct reply rp = {.status = 0};
    fault_init(&rq.fault);
    issues_init(&rq.issues, mem, 4);
    issue_add(&rq.issues, ISSUE_INFO, E_SUM, V("Bundle.entry[1]"), V("the sum"), V("another"));
    issue_add(&rq.issues, ISSUE_WARNING, E_SUM, V("Bundle.entry[2]"), V("the sum"), V("another"));
    issue_add(&rq.issues, ISSUE_ERROR, E_REQUIRED, V("Bundle.entry[3]"), V("a code"), V("none"));
    reply_error(&rq, &rp, E_REQUIRED);
    cr_expect(view_eq(kit_json(rp.body, "issue[0].expression[0]", mem), V("Bundle.entry[3]")));
    cr_expect(view_eq(kit_json(rp.body, "issue[1].severity", mem), V("warning")));
    cr_expect(view_eq(kit_json(rp.body, "issue[2].severity", mem), V("information")));
    arena_free(mem);
}

Test(forms, query_parameters)
{
    arena *mem = arena_new(1 << 20);
    struct request rq = {.mem = mem, .query = V("identifier=a%7Cb&limit=5&&x=")};
    const char *const all[] = {"identifier", "limit", "x", NULL};
    const char *const some[] = {"identifier", "x", NULL};
    fault_init(&rq.fault);
    cr_expect(view_eq(request_query(&rq, "identifier"), V("a|b")));
    cr_expect(view_eq(request_query(&rq, "limit"), V("5")));
    cr_expect(request_query(&rq, "x").p && request_query(&rq, "x").n == 0);
    cr_expect_null(request_query(&rq, "none").p);
    cr_expect_eq(request_query_only(&rq, all), E_OK);
    cr_expect_eq(request_query_only(&rq, some), E_PARAMETER);
    rq.query = V("limit=5&limit=6");
    fault_init(&rq.fault);
    cr_expect_eq(request_query_only(&rq, all), E_PARAMETER);
    rq.query = V("limit=%0a");
    fault_init(&rq.fault);
    cr_expect_eq(request_query_only(&rq, all), E_PARAMETER);
    rq.query = VIEW_NONE;
    cr_expect_eq(request_query_only(&rq, all), E_OK);
    arena_free(mem);
}
