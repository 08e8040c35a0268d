#include "signing/trust/revocation_policy.h"

#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define POLICY_FILE_MAX (256u << 10)
#define HOURS(n) SPAN_SECONDS((int64_t)(n)*3600)
#define HOURS_MAX (24 * 366)

struct revocation_policy *
revocation_policy_ref(struct revocation_policy *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void
revocation_policy_unref(struct revocation_policy *p)
{
    if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
        free(p);
}

static struct revocation_policy *
built_in(void)
{
    struct revocation_policy *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    atomic_init(&p->refs, 1);
    for (int i = 0; i < SUBJECT_COUNT; i++)
        p->grace[i] = HOURS(7 * 24);
    p->accept_pending = true;
    p->default_level = LEVEL_CACHED_WITHIN_GRACE;
    p->cool_down_level = LEVEL_VERIFIED_CRL;
    return p;
}

bool
evidence_level_of(view word, enum evidence_level *ret)
{
    for (int i = LEVEL_PENDING; i <= LEVEL_VERIFIED_OCSP; i++)
        if (view_eq(word, view_of(evidence_level_word((enum evidence_level)i)))) {
            *ret = (enum evidence_level)i;
            return true;
        }
    return false;
}

static err
config_fault(struct fault *f, const char *file, const char *member, const char *expected)
{
    return fault_setf(f, E_CONFIG, expected, "something else", "%s: %s", file, member);
}

static err
read_hours(const json_t *root, const char *name, const char *file, span *ret, struct fault *f)
{
    const json_t *value = json_object_get(root, name);
    if (!value)
        return E_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > HOURS_MAX)
        return config_fault(f, file, name, "hours, at most a year");
    *ret = HOURS(json_integer_value(value));
    return E_OK;
}

static err
read_level(const json_t *root, const char *name, const char *file, enum evidence_level *ret, struct fault *f)
{
    if (json_object_get(root, name) && !evidence_level_of(json_text(root, name), ret))
        return config_fault(f, file, name, "pending, cached-within-grace, verified-crl or verified-ocsp");
    return E_OK;
}

static err
read_grace(const json_t *root, const char *file, struct revocation_policy *p, struct fault *f)
{
    const json_t *list = json_object_get(root, "grace_hours");
    const char *word;
    json_t *value;
    if (list && !json_is_object(list))
        return config_fault(f, file, "grace_hours", "an object");
    json_object_foreach((json_t *)list, word, value)
    {
        int i = 0;
        while (i < SUBJECT_COUNT && strcmp(word, subject_word((enum subject_kind)i)) != 0)
            i++;
        if (i == SUBJECT_COUNT)
            return config_fault(f, file, "grace_hours", "hospital, professional, agency, company, person");
        TRY(read_hours(list, word, file, &p->grace[i], f));
    }
    return E_OK;
}

static err
read_floors(const json_t *root, const char *file, struct revocation_policy *p, struct fault *f)
{
    const json_t *list = json_object_get(root, "floors");
    if (list && (!json_is_array(list) || json_array_size(list) > POLICY_FLOORS_MAX))
        return config_fault(f, file, "floors", "an array of at most 64 rules");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct level_floor floor = {.kind = KIND_COUNT, .amount = json_int(one, "amount", 0)};
        if (!json_object_get(one, "level"))
            return config_fault(f, file, "floors.level", "a level");
        TRY(read_level(one, "level", file, &floor.level, f));
        if (json_object_get(one, "kind"))
            floor.kind = document_kind_of(json_text(one, "kind"));
        if (floor.amount < 0 || (json_object_get(one, "kind") && floor.kind == KIND_COUNT))
            return config_fault(f, file, "floors", "a kind of document and an amount");
        p->floors[p->n_floors++] = floor;
    }
    return E_OK;
}

static err
read_members(const json_t *root, const char *file, struct revocation_policy *p, struct fault *f)
{
    static const char *const known[] = {"grace_hours", "max_age_hours",   "pending",        "default_level",
                                        "floors",      "cool_down_hours", "cool_down_level"};
    const char *name;
    json_t *value;
    if (!json_is_object(root))
        return config_fault(f, file, "", "an object");
    json_object_foreach((json_t *)root, name, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < COUNT_OF(known); i++)
            is_known = is_known || strcmp(name, known[i]) == 0;
        if (!is_known)
            return config_fault(f, file, name, "a member that docs/signing.md names");
    }
    view pending = json_text(root, "pending");
    if (json_object_get(root, "pending") && !view_eq(pending, V("accept")) && !view_eq(pending, V("refuse")))
        return config_fault(f, file, "pending", "accept or refuse");
    p->accept_pending = !view_eq(pending, V("refuse"));
    TRY(read_grace(root, file, p, f));
    TRY(read_hours(root, "max_age_hours", file, &p->max_age, f));
    TRY(read_hours(root, "cool_down_hours", file, &p->cool_down, f));
    TRY(read_level(root, "default_level", file, &p->default_level, f));
    TRY(read_level(root, "cool_down_level", file, &p->cool_down_level, f));
    return read_floors(root, file, p, f);
}

static void
close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

err
revocation_policy_load(const char *file, struct revocation_policy **ret, struct fault *f)
{
    AUTO(revocation_policy_unref) struct revocation_policy *p = built_in();
    if (file[0] != '\0') {
        AUTO(arena_free) arena *mem = arena_new(4 * POLICY_FILE_MAX);
        AUTO_DONE(close_file) FILE *in = fopen(file, "rb");
        char *text = arena_alloc(mem, POLICY_FILE_MAX);
        json_t *root;
        if (!in || !text)
            return fault_setf(f, E_FILE, "a readable policy file", "cannot be opened", "%s", file);
        size_t n = fread(text, 1, POLICY_FILE_MAX, in);
        if (ferror(in) || n == POLICY_FILE_MAX)
            return fault_setf(f, E_FILE, "a file below 256 KiB", "another", "%s", file);
        TRY(json_load(view_make(text, n), mem, &root, f));
        TRY(read_members(root, file, p, f));
    }
    *ret = TAKE(p);
    return E_OK;
}

enum evidence_level
revocation_policy_floor(const struct revocation_policy *p, enum document_kind kind, int64_t amount,
                        bool new_signer)
{
    enum evidence_level level = new_signer && p->cool_down.us > 0 ? p->cool_down_level : LEVEL_PENDING;
    for (size_t i = 0; i < p->n_floors; i++) {
        const struct level_floor *floor = &p->floors[i];
        if ((floor->kind == KIND_COUNT || floor->kind == kind) && amount >= floor->amount &&
            floor->level > level)
            level = floor->level;
    }
    return level;
}
