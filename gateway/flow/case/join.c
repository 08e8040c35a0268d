#include "flow/case/join.h"

#include "flow/case/claim.h"
#include "flow/case/split.h"
#include "flow/evidence/seal.h"

digest
blind_person(const struct seal *s, view person_key)
{
    return BLIND(s, "person", person_key);
}

digest
blind_ref(const struct seal *s, view author, enum ref_kind kind, view value, view person_key)
{
    return BLIND(s, "ref", author, view_of(ref_kind_word(kind)), value, person_key);
}

digest
blind_case_no(const struct seal *s, view author, view value)
{
    return BLIND(s, "case_no", author, value);
}

digest
blind_accident(const struct seal *s, view agency, view number)
{
    return BLIND(s, "accident", agency, number);
}

err
join_add(struct join *j, digest blind, const char *kind, bool finds)
{
    for (size_t i = 0; i < j->n; i++) {
        if (!digest_eq(&j->blinds[i].blind, &blind))
            continue;
        j->blinds[i].finds = j->blinds[i].finds || finds;
        return E_OK;
    }
    if (j->n == JOIN_BLINDS_MAX)
        return E_TOO_LARGE;
    j->blinds[j->n++] = (struct join_blind){.blind = blind, .kind = kind, .finds = finds};
    return E_OK;
}

/* One number of the document in every form by which it may be looked for. */
static err
add_ref(const struct seal *s, const struct reading *rd, const struct doc_ref *ref, bool by_accident,
        struct join *j)
{
    if (ref->kind == REF_ACCIDENT_NO) {
        TRY(join_add(j, blind_accident(s, ref->author, ref->value), "accident", by_accident));
        /* A record reaches a person by a party link, never by the accident number alone: whichever of the two came first. */
        for (const struct person_key *p = rd->persons; p; p = p->next)
            if (p->is_subject || by_accident)
                TRY(join_add(j, blind_ref(s, ref->author, ref->kind, ref->value, p->text), "party", true));
        return E_OK;
    }
    if (ref->kind == REF_CASE_NO)
        TRY(join_add(j, blind_case_no(s, ref->author, ref->value), "case_no", true));
    for (const struct person_key *p = rd->persons; p; p = p->next) {
        size_t before = j->n;
        if (p->is_subject)
            TRY(join_add(j, blind_ref(s, ref->author, ref->kind, ref->value, p->text), "ref", true));
        if (j->n > before)
            j->blinds[before].fresh = ref->kind == REF_CERTIFICATE_NO || ref->kind == REF_RECEIPT_NO;
    }
    return E_OK;
}

err
join_of_reading(const struct seal *s, const struct reading *rd, bool by_accident, struct join *ret,
                struct fault *f)
{
    ret->n = 0;
    ret->hopeful = !rd->replaces_value.n; /* a new version has the number of the old one */
    err e = E_OK;
    for (const struct doc_ref *ref = rd->refs; ref && e == E_OK; ref = ref->next)
        e = add_ref(s, rd, ref, by_accident, ret);
    for (const struct person_key *p = rd->persons; p && e == E_OK; p = p->next)
        e = join_add(ret, blind_person(s, p->text), "person", false);
    return e == E_OK ? E_OK : fault_set(f, e, "", "at most 128 numbers and persons", "more");
}

static err
follow(struct reader *r, struct row_case *row, arena *mem, struct row_case **ret)
{
    for (int i = 0; i < 16 && !uid_is_none(row->merged_into); i++) {
        struct row_case *next = NULL;
        TRY(query_case_row(r, ARGS(val_uid(&row->merged_into)), mem, &next));
        if (!next)
            return E_STORE_CORRUPT;
        row = next;
    }
    *ret = row;
    return E_OK;
}

static void
add_found(struct joined *j, struct row_case *row)
{
    if (!j->target) {
        j->target = row;
        return;
    }
    if (uid_eq(j->target->id, row->id))
        return;
    for (size_t i = 0; i < j->n_merged; i++)
        if (uid_eq(j->merged[i]->id, row->id))
            return;
    struct row_case *younger = row;
    if (memcmp(row->id.b, j->target->id.b, sizeof row->id.b) < 0) { /* UUIDv7: older ids are smaller */
        younger = j->target;
        j->target = row;
    }
    if (j->n_merged < COUNT_OF(j->merged))
        j->merged[j->n_merged++] = younger;
}

/* Two cases that both hold a claim of the same insurer, line and person stay two: joining them would make one claim of two decisions. */
static err
claims_collide(struct reader *r, uid a, uid b, arena *mem, bool *ret)
{
    struct row_claim *left = NULL, *right = NULL;
    *ret = false;
    TRY(query_claims_of_case(r, ARGS(val_uid(&a)), mem, &left));
    TRY(query_claims_of_case(r, ARGS(val_uid(&b)), mem, &right));
    for (; left && !*ret; left = left->next)
        for (const struct row_claim *c = right; c && !*ret; c = c->next)
            *ret = uid_eq(left->recipient, c->recipient) && view_eq(left->line, c->line) &&
                   digest_eq(&left->claimant, &c->claimant);
    return E_OK;
}

static err
drop_colliding(struct reader *r, struct joined *j, arena *mem)
{
    size_t n = 0;
    for (size_t i = 0; i < j->n_merged; i++) {
        bool collide;
        TRY(claims_collide(r, j->target->id, j->merged[i]->id, mem, &collide));
        for (size_t k = 0; k < n && !collide; k++)
            TRY(claims_collide(r, j->merged[k]->id, j->merged[i]->id, mem, &collide));
        if (!collide)
            j->merged[n++] = j->merged[i];
    }
    j->n_merged = n;
    return E_OK;
}

/* Cases by one number; ret_only: the one case that has it. */
static err
find_by(struct reader *r, const struct join_blind *b, arena *mem, struct joined *found, bool *ret_known,
        uid *ret_only)
{
    struct row_case *row = NULL;
    TRY(query_cases_by_key(r, ARGS(val_digest(&b->blind)), mem, &row));
    *ret_known = row != NULL;
    if (row && !row->next)
        *ret_only = row->id;
    for (; row; row = row->next) {
        struct row_case *end = NULL;
        TRY(follow(r, row, mem, &end));
        add_found(found, end);
    }
    return E_OK;
}

err
join_find(struct reader *r, const struct join *j, arena *mem, struct joined *ret)
{
    struct joined found = {0};
    uid only[JOIN_BLINDS_MAX];
    memset(only, 0, j->n * sizeof *only);
    for (int fresh = 0; fresh < 2 && !(fresh && j->hopeful && found.target); fresh++)
        for (size_t i = 0; i < j->n; i++)
            if (j->blinds[i].finds && j->blinds[i].fresh == fresh)
                TRY(find_by(r, &j->blinds[i], mem, &found, &found.known[i], &only[i]));
    for (size_t i = 0; i < j->n && found.target; i++)
        found.held[i] = uid_eq(only[i], found.target->id);
    if (found.n_merged)
        TRY(drop_colliding(r, &found, mem));
    for (size_t i = 0; i < found.n_merged; i++)
        TRY(split_remember(r, found.merged[i]->id, found.target->id, mem, &found.moved[i]));
    *ret = found;
    return E_OK;
}

static err
merge_into(struct unit *u, const struct row_case *younger, uid target, view moved, instant at)
{
    unit_guard(u, GUARD_case_version, ARGS(val_uid(&younger->id), val_int(younger->version)));
    uid *to = arena_make(u->mem, uid); /* arguments are borrowed until the commit */
    if (!to)
        return E_TOO_LARGE;
    *to = target;
    struct row_merge *row = unit_add_merge(u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_merge){.id = younger->id, .target = target, .at = at, .moved = moved, .op = ROW_PUT};
    unit_change(u, CHANGE_case_documents_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_case_keys_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_lookups_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_claims_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_permissions_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_deliveries_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_timeline_move, ARGS(val_uid(&younger->id), val_uid(to)));
    unit_change(u, CHANGE_case_merge, ARGS(val_uid(&younger->id), val_uid(to), val_time(at)));
    return timeline_add(u, target, (uid){{0}}, "gateway", (uid){{0}}, "case-merged", VIEW_NONE, (uid){{0}},
                        at);
}

/* A key that finds and that nobody had when we looked must still be nobody's at the commit. */
static err
guard_new_keys(struct unit *u, const struct join *j, const struct joined *found)
{
    for (size_t i = 0; i < j->n; i++) {
        if (!j->blinds[i].finds || found->known[i])
            continue;
        digest *blind = arena_make(u->mem, digest); /* arguments are borrowed until the commit */
        if (!blind)
            return E_TOO_LARGE;
        *blind = j->blinds[i].blind;
        unit_guard(u, GUARD_key_unused, ARGS(val_digest(blind)));
    }
    return E_OK;
}

err
join_write(struct unit *u, const struct join *j, const struct joined *found, instant at, case_id *ret_case,
           int64_t *ret_version)
{
    case_id id;
    int64_t version = 1;
    TRY(guard_new_keys(u, j, found));
    if (found->target) {
        const struct row_case *target = found->target;
        id.u = target->id;
        version = target->version + 1;
        unit_guard(u, GUARD_case_version, ARGS(val_uid(&target->id), val_int(target->version)));
        /* The version is guarded, so the row is what was read. */
        struct row_case *row = unit_add_case(u);
        if (!row)
            return E_TOO_LARGE;
        *row = *target;
        row->version = version;
        row->updated_at = at;
        row->op = ROW_PUT;
        row->next = NULL;
    } else {
        id = case_id_new();
        struct row_case *row = unit_add_case(u);
        if (!row)
            return E_TOO_LARGE;
        *row = (struct row_case){
            .id = id.u, .version = 1, .state = V("open"), .created_at = at, .updated_at = at};
    }
    for (size_t i = 0; i < found->n_merged; i++)
        TRY(merge_into(u, found->merged[i], id.u, found->moved[i], at));
    for (size_t i = 0; i < j->n; i++) {
        if (found->held[i])
            continue;
        struct row_case_key *key = unit_add_case_key(u);
        if (!key)
            return E_TOO_LARGE;
        *key = (struct row_case_key){.blind = j->blinds[i].blind,
                                     .case_id = id.u,
                                     .kind = view_of(j->blinds[i].kind),
                                     .at = at,
                                     .op = ROW_KEEP};
    }
    *ret_case = id;
    *ret_version = version;
    return E_OK;
}
