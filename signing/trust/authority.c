#include "signing/trust/authority.h"

#include "base/json.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define RULES_FILE_MAX (1u << 20)

struct rule {
    enum document_kind kind;
    enum trust_use use;
    enum subject_kind subject;
    const view *organisations; /* none: every one */
    size_t n_organisations;
    instant from, until; /* INSTANT_NONE: open */
};

struct authority_rules {
    atomic_int refs;
    arena *mem; /* holds this too */
    size_t n;
    struct rule rules[AUTHORITY_RULES_MAX];
};

static const struct rule built_in[] = {
#define MAY_SIGN(kind, use, subject) {KIND_##kind, USE_##use, SUBJECT_##subject, NULL, 0, {0}, {0}},
#include "signing/signing.def"
#undef MAY_SIGN
};

static const struct {
    enum document_kind kind;
    enum trust_use use; /* USE_COUNT: any */
    enum subject_kind subject;
} musts[] = {
#define MUST_SIGN(kind, use, subject) {KIND_##kind, USE_##use, SUBJECT_##subject},
#include "signing/signing.def"
#undef MUST_SIGN
};

struct authority_rules *
authority_rules_ref(struct authority_rules *a)
{
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void
authority_rules_unref(struct authority_rules *a)
{
    if (a && atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
        arena_free(a->mem);
}

/* -- the file -- */

struct reading {
    const char *file;
    struct authority_rules *into;
    struct fault *f;
};

static err
wrong(const struct reading *r, size_t i, const char *member, const char *expected)
{
    return fault_setf(r->f, E_CONFIG, expected, "something else", "%s: rules[%zu].%s", r->file, i, member);
}

static enum trust_use
use_of(view word)
{
    int i = 0;
    while (i < USE_COUNT && !view_eq(word, view_of(trust_use_word((enum trust_use)i))))
        i++;
    return (enum trust_use)i;
}

static enum subject_kind
subject_of(view word)
{
    int i = 0;
    while (i < SUBJECT_COUNT && !view_eq(word, view_of(subject_word((enum subject_kind)i))))
        i++;
    return (enum subject_kind)i;
}

static bool
is_ruled_out(const struct rule *rule)
{
    bool has_must = false, fits = false;
    for (size_t i = 0; i < COUNT_OF(musts); i++) {
        if (musts[i].kind != rule->kind)
            continue;
        has_must = true;
        fits = fits || ((musts[i].use == USE_COUNT || musts[i].use == rule->use) &&
                        musts[i].subject == rule->subject);
    }
    return has_must && !fits;
}

static err
read_organisations(const struct reading *r, size_t i, const json_t *list, struct rule *rule)
{
    size_t n = json_array_size(list);
    view *codes = arena_array(r->into->mem, n ? n : 1, sizeof *codes);
    if (!codes)
        return E_TOO_LARGE;
    if (list && (!json_is_array(list) || n == 0))
        return wrong(r, i, "organisations", "codes of organisations, or none of this member");
    for (size_t k = 0; k < n; k++) {
        const json_t *code = json_array_get(list, k);
        codes[k] = arena_dup(r->into->mem, view_make(json_string_value(code), json_string_length(code)));
        size_t star = codes[k].n ? view_find_byte(codes[k], '*') : 0;
        if (codes[k].n == 0 || star + 1 < codes[k].n)
            return wrong(r, i, "organisations", "a code, or its beginning and a star");
    }
    rule->organisations = codes;
    rule->n_organisations = n;
    return E_OK;
}

static err
read_time(const struct reading *r, size_t i, const json_t *item, const char *name, instant *ret)
{
    if (json_object_get(item, name) && instant_parse(json_text(item, name), ret, NULL) != E_OK)
        return wrong(r, i, name, "a time as RFC 3339 has it");
    return E_OK;
}

static err
read_rule(const struct reading *r, size_t i, const json_t *item, struct rule *rule)
{
    static const char *const known[] = {"kind", "use", "subject", "organisations", "from", "until"};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)item, name, value)
    {
        bool is_known = false;
        for (size_t k = 0; k < COUNT_OF(known); k++)
            is_known = is_known || strcmp(name, known[k]) == 0;
        if (!is_known)
            return wrong(r, i, name, "kind, use, subject, organisations, from, until");
    }
    rule->kind = document_kind_of(json_text(item, "kind"));
    rule->use = use_of(json_text(item, "use"));
    rule->subject = subject_of(json_text(item, "subject"));
    if (rule->kind == KIND_COUNT)
        return wrong(r, i, "kind", "a kind of document");
    if (rule->use == USE_COUNT || rule->use == USE_TSA)
        return wrong(r, i, "use", "a use of the trust list for signers");
    if (rule->subject == SUBJECT_COUNT || rule->subject == SUBJECT_UNKNOWN ||
        rule->subject == SUBJECT_APPLICATION)
        return wrong(r, i, "subject", "hospital, professional, agency, company or person");
    if (is_ruled_out(rule))
        return wrong(r, i, "subject", "a signer that the law allows for this kind");
    TRY(read_time(r, i, item, "from", &rule->from));
    TRY(read_time(r, i, item, "until", &rule->until));
    return read_organisations(r, i, json_object_get(item, "organisations"), rule);
}

static err
read_rules(const struct reading *r, const json_t *root)
{
    const json_t *list = json_object_get(root, "rules");
    size_t n = json_array_size(list);
    if (!json_is_array(list) || json_object_size(root) != 1 || n == 0 || n > AUTHORITY_RULES_MAX)
        return fault_setf(r->f, E_CONFIG, "{\"rules\": [1 to 512 rules]}", "something else", "%s", r->file);
    for (size_t i = 0; i < n; i++)
        TRY(read_rule(r, i, json_array_get(list, i), &r->into->rules[i]));
    r->into->n = n;
    return E_OK;
}

static err
read_file(const char *file, struct authority_rules *a, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(8 * RULES_FILE_MAX);
    const struct reading r = {file, a, f};
    char *text = arena_alloc(mem, RULES_FILE_MAX);
    json_t *root = NULL;
    FILE *in = fopen(file, "rb");
    size_t n = in && text ? fread(text, 1, RULES_FILE_MAX, in) : RULES_FILE_MAX;
    bool good = in && !ferror(in) && n < RULES_FILE_MAX;
    if (in)
        fclose(in);
    if (!good)
        return fault_setf(f, E_FILE, "a readable file below 1 MiB", "another", "%s", file);
    TRY(json_load(view_make(text, n), mem, &root, f));
    return read_rules(&r, root);
}

err
authority_rules_load(const char *file, struct authority_rules **ret, struct fault *f)
{
    arena *mem = arena_new(8 * RULES_FILE_MAX);
    AUTO(authority_rules_unref) struct authority_rules *a = arena_make(mem, struct authority_rules);
    if (!a) {
        arena_free(mem);
        return E_TOO_LARGE;
    }
    atomic_init(&a->refs, 1);
    a->mem = mem;
    a->n = COUNT_OF(built_in);
    memcpy(a->rules, built_in, sizeof built_in);
    if (file[0] != '\0')
        TRY(read_file(file, a, f));
    *ret = TAKE(a);
    return E_OK;
}

/* -- asking -- */

static bool
names(const struct rule *rule, view organisation)
{
    bool found = rule->n_organisations == 0;
    for (size_t i = 0; i < rule->n_organisations && !found; i++) {
        view code = rule->organisations[i];
        bool is_prefix = code.p[code.n - 1] == '*';
        found = is_prefix ? view_starts(organisation, view_sub(code, 0, code.n - 1))
                          : view_eq(organisation, code);
    }
    return found;
}

/* E_OK when some row allows; a row for other organisations only is another cause than none. */
static err
find_row(const struct authority_rules *rules, const struct signer *s, enum document_kind kind,
         view organisation, instant at)
{
    const struct rule *list = rules ? rules->rules : built_in;
    size_t n = rules ? rules->n : COUNT_OF(built_in);
    err e = E_SIGNER_WRONG_KIND;
    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &list[i];
        if (r->kind != kind || r->use != s->use || r->subject != s->subject ||
            (r->from.us && at.us < r->from.us) || (r->until.us && at.us >= r->until.us))
            continue;
        if (names(r, organisation))
            return E_OK;
        e = E_SIGNER_WRONG_ORG;
    }
    return e;
}

static err
refuse_kind(const struct signer *s, enum document_kind kind, struct fault *f)
{
    return fault_setf(f, E_SIGNER_WRONG_KIND, "a certificate that the authority table allows", "another kind",
                      "signer: %s/%s for %s", trust_use_word(s->use), subject_word(s->subject),
                      document_kind_word(kind));
}

err
authority_check(const struct authority_rules *rules, const struct signer *s, enum document_kind kind,
                view author, bool listed, instant at, struct fault *f)
{
    /* A professional's certificate names no organisation, a person's no public one: the author is whom the rule may name. */
    bool by_attribute = s->subject != SUBJECT_PROFESSIONAL && s->subject != SUBJECT_PERSON;
    err row = find_row(rules, s, kind, by_attribute ? s->organisation : author, at);
    if (row == E_SIGNER_WRONG_KIND)
        return refuse_kind(s, kind, f);
    if (row != E_OK)
        return fault_set(f, row, "signer.organisation", "an organisation that the authority rules name",
                         "another");
    switch (s->subject) {
    case SUBJECT_PERSON:
        /* A person stands for himself: whose application it is, the caller compares with the party. */
        return E_OK;
    case SUBJECT_PROFESSIONAL:
        if (!listed)
            return fault_set(f, E_PROFESSIONAL_NOT_LISTED, "signer", "a licence on the author's signed list",
                             "licence not listed");
        return E_OK;
    case SUBJECT_HOSPITAL:
    case SUBJECT_AGENCY:
    case SUBJECT_COMPANY:
        break;
    default:
        return refuse_kind(s, kind, f);
    }
    if (author.n == 0 || s->organisation.n == 0 || !view_eq(author, s->organisation))
        return fault_set(f, E_SIGNER_WRONG_ORG, "signer.organisation", "the author's organisation code",
                         s->organisation.n == 0 ? "no organisation in the certificate"
                                                : "another organisation");
    return E_OK;
}
