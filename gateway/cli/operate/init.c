#include "cli/command.h"

#include "base/json.h"
#include "cli/operate/operator.h"
#include "cli/operate/sandbox.h"
#include "flow/evidence/seal.h"
#include "flow/partner/registry.h"
#include "signing/sandbox/pki_sandbox.h"

#include <stdio.h>
#include <string.h>

#define PATH_SIZE 4352

#define INSURER_SCOPES                                                                                       \
    "\"claims:read\",\"claims:write\",\"events:read\",\"webhooks:write\",\"motor-filings:write\",\"motor-"   \
    "filings:read\",\"record-requests:write\",\"tasks:write\",\"cover-lookups:write\""

/* What a kind of sandbox partner may do. */
static const struct sandbox_role {
    const char *name, *kind, *scopes, *options;
} roles[] = {
    {"h1", "hospital", "\"system/Bundle.c\",\"system/Bundle.r\",\"attachments:write\",\"tasks:write\"",
     ",\"level\":\"medical_centre\""},
    {"h2", "hospital", "\"system/Bundle.c\",\"system/Bundle.r\",\"attachments:write\",\"tasks:write\"",
     ",\"level\":\"regional\""},
    {"c1", "clinic", "\"system/Bundle.c\",\"system/Bundle.r\",\"attachments:write\",\"tasks:write\"", ""},
    {"k1", "police", "\"accident-records:write\",\"attachments:write\",\"tasks:write\"", ""},
    {"k2", "police", "\"accident-records:write\",\"attachments:write\",\"tasks:write\"", ""},
    {"j1", "prosecutor", "\"accident-records:write\",\"attachments:write\",\"tasks:write\"", ""},
    {"b1", "board", "\"accident-records:write\",\"attachments:write\",\"tasks:write\"",
     ",\"opinions\":\"appraisal\""},
    {"b2", "board", "\"accident-records:write\",\"attachments:write\",\"tasks:write\"",
     ",\"opinions\":\"reappraisal\""},
    {"g1", "court", "", ""},
    {"o1", "household", "\"household-extracts:write\"", ""},
    {"nhia", "nhia", "\"claims:read\",\"events:read\"", ""},
    {"l1", "insurer", INSURER_SCOPES, ""},
    {"l2", "insurer", INSURER_SCOPES, ""},
    {"l3", "insurer", INSURER_SCOPES, ""},
    {"p1", "insurer", INSURER_SCOPES, ""},
    {"p2", "insurer", INSURER_SCOPES, ""},
    {"p3", "insurer", INSURER_SCOPES, ""},
    {"cir", "register", "", ""},
    {"fund", "fund", INSURER_SCOPES, ""},
    {"r1", "shop",
     "\"attachments:write\",\"motor-filings:write\",\"motor-filings:read\",\"events:read\",\"webhooks:"
     "write\"",
     ""},
    {"v1", "agent", "\"system/Bundle.c\",\"system/Bundle.r\",\"attachments:write\"", ""},
    {"app", "app",
     "\"applications:write\",\"permissions:write\",\"cases:read\",\"documents:read\",\"attachments:write\","
     "\"motor-filings:"
     "write\",\"motor-filings:read\",\"record-requests:write\",\"tasks:write\",\"cover-lookups:write\"",
     ",\"asserts\":\"yes\",\"redirect_uris\":\"https://app.example.tw/callback http://127.0.0.1/callback\""},
};

/* Professionals on their institutions' lists. */
static const struct {
    const char *hospital, *licences;
} lists[] = {{"h1", "\"990101\",\"990102\""}, {"h2", "\"990201\""}, {"c1", "\"993501\""}};

struct founding {
    struct args *a;
    struct gateway *g;
    const char *dir;
    struct fault *f;
    struct buf partners; /* partners.json */
};

static const struct sandbox_party *
party_of(const char *name)
{
    for (size_t i = 0; i < sandbox_parties_count; i++)
        if (strcmp(sandbox_parties[i].name, name) == 0)
            return &sandbox_parties[i];
    return NULL;
}

static err
propose(struct founding *w, view change, change_id *ret)
{
    char key[PATH_SIZE];
    view jws, state;
    snprintf(key, sizeof key, "%s/pki/op1.key", w->dir);
    TRY(operator_sign(key, change, w->a->mem, &jws, w->f));
    return change_propose(w->g, jws, w->a->mem, ret, &state, w->f);
}

static err
add_certificate(struct founding *w, view partner, const char *use, const char *name)
{
    char path[PATH_SIZE];
    view pem;
    change_id id;
    struct buf change;
    snprintf(path, sizeof path, "%s/pki/%s.crt", w->dir, name);
    TRY(file_read(path, w->a->mem, &pem, w->f));
    buf_init(&change, 1u << 20);
    buf_printf(&change,
               "{\"kind\":\"key.add\",\"subject\":\"%.*s\",\"body\":{\"use\":\"%s\",\"certificate\":",
               VIEW_ARG(partner), use);
    buf_add_json(&change, pem);
    BUF_LIT(&change, "}}");
    err e = propose(w, buf_view(&change), &id);
    buf_done(&change);
    return e;
}

/* A key of its own: "client" for private_key_jwt, "encrypt" for what only the partner may read. */
static err
add_bare_key(struct founding *w, view partner, const char *name, const char *use)
{
    char path[PATH_SIZE];
    AUTO(key_free) struct key *k = NULL;
    view jwk;
    change_id id;
    snprintf(path, sizeof path, "%s/pki/%s-%s.key", w->dir, name, use);
    TRY(key_create(path, ALG_ES256, &k, w->f));
    TRY(jwk_print(k, w->a->mem, &jwk));
    return propose(
        w,
        arena_printf(w->a->mem,
                     "{\"kind\":\"key.add\",\"subject\":\"%.*s\",\"body\":{\"use\":\"%s\",\"jwk\":%.*s}}",
                     VIEW_ARG(partner), use, VIEW_ARG(jwk)),
        &id);
}

static err
add_partner(struct founding *w, const struct sandbox_role *role)
{
    const struct sandbox_party *party = party_of(role->name);
    char id_text[ID_TEXT_SIZE], tls[64];
    partner_id id = partner_id_new();
    change_id change;
    if (!party)
        return fault_set(w->f, E_INTERNAL, role->name, "a sandbox party", "none");
    view partner = partner_id_print(id, id_text);
    const char *acts_for = strcmp(role->kind, "agent") == 0 ? "\"9935010039\"" : "";
    view text =
        arena_printf(w->a->mem,
                     "{\"kind\":\"partner.put\",\"subject\":\"%.*s\",\"body\":{\"kind\":\"%s\",\"code\":\"%"
                     "s\",\"name_zh\":\"%s\",\"name_en\":\"Sandbox %s\","
                     "\"scopes\":[%s],\"acts_for\":[%s],\"options\":{\"token_binding\":\"off\"%s}}}",
                     VIEW_ARG(partner), role->kind, party->organisation, party->common_name, role->name,
                     role->scopes, acts_for, role->options);
    TRY(propose(w, text, &change));
    TRY(add_certificate(w, partner, "sign", role->name));
    snprintf(tls, sizeof tls, "%s-tls", role->name);
    TRY(add_certificate(w, partner, "mtls", tls));
    TRY(add_bare_key(w, partner, role->name, "client"));
    if (strcmp(role->kind, "insurer") == 0 || strcmp(role->kind, "fund") == 0)
        TRY(add_bare_key(w, partner, role->name, "encrypt"));
    buf_printf(&w->partners,
               "%s\n  \"%s\": {\"id\": \"%.*s\", \"kind\": \"%s\", \"code\": \"%s\", \"client_key\": "
               "\"pki/%s-client.key\"}",
               w->partners.n > 1 ? "," : "", role->name, VIEW_ARG(partner), role->kind, party->organisation,
               role->name);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (strcmp(lists[i].hospital, role->name) != 0)
            continue;
        text = arena_printf(w->a->mem,
                            "{\"kind\":\"listing.put\",\"subject\":\"%.*s\",\"body\":{\"licences\":[%s],"
                            "\"from\":\"2020-01-01T00:00:00Z\"}}",
                            VIEW_ARG(partner), lists[i].licences);
        TRY(propose(w, text, &change));
    }
    return E_OK;
}

static err
write_config(const char *dir, const char *listen, bool sandbox, struct fault *f)
{
    char path[PATH_SIZE], text[4 * PATH_SIZE];
    snprintf(path, sizeof path, "%s/claimgate.conf", dir);
    int n = snprintf(text, sizeof text,
                     "# Made by claimgate init. Every setting is explained by: claimgate config explain\n"
                     "store = { dir = \"%s/store\"; };\nhttp = { listen = \"%s\"; base_url = \"http://%s\"; "
                     "};\nops = { listen = \"127.0.0.1:0\"; };\n",
                     dir, listen, listen);
    if (sandbox)
        n += snprintf(
            text + n, sizeof text - (size_t)n,
            "sandbox = true;\ntrust = { file = \"%s/pki/trust.json\"; };\nregistry = { approvals = 1; "
            "change_delay = 0; };\n"
            "relay = { allow_private = true; schedule = \"1 1 2 5 10 30 60\"; };\ndrain = { delay = 0; };\n",
            dir);
    return file_write(path, view_make(text, (size_t)n), false, f);
}

static err
make_keys(const char *dir, struct fault *f)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/store", dir);
    TRY(folder_make(path, f));
    snprintf(path, sizeof path, "%s/store/kek", dir);
    TRY(seal_create(path, f));
    AUTO(key_free) struct key *receipts = NULL, *webhooks = NULL;
    snprintf(path, sizeof path, "%s/store/gateway.key", dir);
    TRY(key_create(path, ALG_ES256, &receipts, f));
    snprintf(path, sizeof path, "%s/store/webhook.key", dir);
    return key_create(path, ALG_ED25519, &webhooks, f);
}

static err
enrol(struct founding *w, const char *const *files, size_t n)
{
    view jwks[8], names[8];
    for (size_t i = 0; i < n && i < COUNT_OF(jwks); i++) {
        TRY(file_read(files[i], w->a->mem, &jwks[i], w->f));
        names[i] = view_of(files[i]);
    }
    return operators_enrol(w->g, jwks, names, n, w->f);
}

static err
enrol_sandbox(struct founding *w)
{
    view jwks[2], names[2] = {V("op1"), V("op2")};
    for (int i = 0; i < 2; i++) {
        char path[PATH_SIZE];
        AUTO(key_free) struct key *k = NULL;
        snprintf(path, sizeof path, "%s/pki/op%d.key", w->dir, i + 1);
        TRY(key_load_pem(path, &k, w->f));
        TRY(jwk_print(k, w->a->mem, &jwks[i]));
    }
    return operators_enrol(w->g, jwks, names, 2, w->f);
}

static err
found_sandbox(struct founding *w)
{
    char path[PATH_SIZE];
    TRY(enrol_sandbox(w));
    buf_init(&w->partners, 1u << 20);
    BUF_LIT(&w->partners, "{");
    err e = E_OK;
    for (size_t i = 0; i < COUNT_OF(roles) && e == E_OK; i++)
        e = add_partner(w, &roles[i]);
    BUF_LIT(&w->partners, "\n}\n");
    snprintf(path, sizeof path, "%s/partners.json", w->dir);
    if (e == E_OK)
        e = file_write(path, buf_view(&w->partners), false, w->f);
    buf_done(&w->partners);
    return e;
}

err
sandbox_make(struct args *a, const char *dir, const char *listen, struct fault *f)
{
    char path[PATH_SIZE];
    AUTO(config_free) struct config *c = NULL;
    AUTO(gateway_close) struct gateway *g = NULL;
    TRY(folder_make(dir, f));
    snprintf(path, sizeof path, "%s/pki", dir);
    TRY(pki_sandbox_make(path, f));
    TRY(make_keys(dir, f));
    TRY(write_config(dir, listen, true, f));
    snprintf(path, sizeof path, "%s/claimgate.conf", dir);
    TRY(config_load(path, NULL, 0, &c, f));
    TRY(gateway_open_offline(c, &g, f));
    struct founding w = {.a = a, .g = g, .dir = dir, .f = f};
    return found_sandbox(&w);
}

static err
init_production(struct args *a, const char *dir, const char *listen, const char *operators, struct fault *f)
{
    char path[PATH_SIZE];
    const char *files[8];
    size_t n = 0;
    AUTO(config_free) struct config *c = NULL;
    AUTO(gateway_close) struct gateway *g = NULL;
    for (view rest = view_of(operators); rest.n && n < COUNT_OF(files); n++)
        files[n] = arena_cstr(a->mem, view_cut(&rest, ',', NULL));
    if (n < 2)
        return fault_set(f, E_USAGE, "--operators", "two public JWK files", "fewer");
    TRY(folder_make(dir, f));
    TRY(make_keys(dir, f));
    TRY(write_config(dir, listen, false, f));
    snprintf(path, sizeof path, "%s/claimgate.conf", dir);
    TRY(config_load(path, NULL, 0, &c, f));
    TRY(gateway_open_offline(c, &g, f));
    struct founding w = {.a = a, .g = g, .dir = dir, .f = f};
    return enrol(&w, files, n);
}

int
run_init(struct args *a)
{
    struct fault f;
    const char *listen = args_value(a, "listen"), *operators = args_value(a, "operators");
    fault_init(&f);
    if (a->n_positional != 1)
        return command_usage(a, "needs a folder");
    const char *dir = a->positional[0];
    if (!args_flag(a, "sandbox") && !operators)
        return command_usage(a, "needs --operators A,B or --sandbox");
    err e = args_flag(a, "sandbox")
                ? sandbox_make(a, dir, listen ? listen : "127.0.0.1:8443", &f)
                : init_production(a, dir, listen ? listen : "127.0.0.1:8443", operators, &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("Made %s. Next:\n  claimgate serve --config %s/claimgate.conf\n", dir, dir);
    return EXIT_OK;
}

int
run_pki_sandbox(struct args *a)
{
    struct fault f;
    fault_init(&f);
    if (a->n_positional != 1)
        return command_usage(a, "needs a folder");
    err e = pki_sandbox_make(a->positional[0], &f);
    if (e != E_OK)
        return command_fail(a, e, &f);
    printf("Made a sandbox hierarchy in %s\n", a->positional[0]);
    return EXIT_OK;
}
