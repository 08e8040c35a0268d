/* Who asks, and what he reads. */
#include "flow/lookup/lookup_inside.h"

#include "adapters/claimlink/claimlink.h"
#include "base/json.h"
#include "flow/case/case_frame.h"
#include "flow/case/claim.h"
#include "flow/case/permission.h"
#include "flow/case/plan.h"
#include "flow/evidence/evidence.h"
#include "flow/members.h"
#include "flow/view/feed.h"

#define LOOKUPS_OF_CASE 16
#define TAIPEI_MINUTES 480

/* One request: who asks, of which case, for which vehicle. */
struct asking {
    struct gateway *g;
    struct registry *registry;
    struct reader *r;
    arena *mem;
    struct fault *f;
    instant now;
    const struct partner *who;
    struct row_claim *claim; /* NULL: an app */
    uid in_case;
    view plate, purpose; /* plate: letters and digits alone */
    date day;
    view written; /* the plate as a paper has it */
    view named;   /* 統一編號 that a paper of the case gives as the vehicle's insurer; empty: none */
    digest about;
};

/* -- who may ask -- */

static bool
is_motor(view line)
{
    static const char *const lines[] = {
        "cali",      "fund",         "own_damage", "theft", "liability_injury", "liability_property",
        "passenger", "driver_injury"};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (view_eq(line, view_of(lines[i])))
            return true;
    return false;
}

static bool
is_filed_kind(view kind)
{
    enum document_kind k = document_kind_of(kind);
    return k == KIND_APPLICATION || k == KIND_PERMISSION || k == KIND_MOTOR_FILING;
}

static err
find_filed(struct asking *a, view text)
{
    struct row_document *list = NULL;
    case_id id;
    bool filed = false;
    if (case_id_parse(text, &id) == E_OK)
        TRY(query_documents_of_case(a->r, ARGS(val_uid(&id.u)), a->mem, &list));
    for (; list; list = list->next)
        filed = filed || (uid_eq(list->sender, a->who->id.u) && is_filed_kind(list->kind));
    if (!filed)
        return fault_set(a->f, E_NOT_FOUND, "/case", "a case that you filed", "none");
    a->in_case = id.u;
    return E_OK;
}

static err
find_case(struct asking *a, view claim, view in_case)
{
    claim_id id;
    if ((claim.n > 0) == (in_case.n > 0))
        return fault_set(a->f, E_SCHEMA, "/claim", "claim or case", claim.n ? "both" : "neither");
    if (in_case.n)
        return find_filed(a, in_case);
    if (claim_id_parse(claim, &id) != E_OK)
        return fault_set(a->f, E_NOT_FOUND, "/claim", "a claim of yours", "another form");
    TRY(feed_own_claim(a->r, a->who->id, id, a->mem, &a->claim, a->f));
    if (!is_motor(a->claim->line))
        return fault_set(a->f, E_NOT_FOUND, "/claim", "a motor claim of yours", "one of another line");
    return case_surviving(a->r, a->claim->case_id, a->mem, &a->in_case);
}

/* -- for which vehicle -- */

static view
insurer_named(const struct claim_case *facts, const struct case_vehicle *v)
{
    const struct case_party *p = v->cali ? case_party_of(facts, v->cali->insurer.v) : NULL;
    return p && p->organisation && p->organisation->identifiers ? p->organisation->identifiers->value.v
                                                                : VIEW_NONE;
}

static const struct leaf_time *
day_of(const struct claim_case *facts)
{
    if (facts->accident && facts->accident->occurred.set)
        return &facts->accident->occurred;
    return facts->event && facts->event->occurred.from.set ? &facts->event->occurred.from : NULL;
}

/* A paper that the asker may have: a permission covers its kind, or his app sent it.  Answers to lookups are none. */
static bool
may_have(const struct asking *a, const struct row_permission *permissions, const struct row_document *d)
{
    enum document_kind kind = document_kind_of(d->kind);
    if (!view_eq(d->state, V("current")) || kind == KIND_CALI_ANSWER || kind == KIND_CALI_DENIAL)
        return false;
    if (!a->claim)
        return uid_eq(d->sender, a->who->id.u) || kind == KIND_ACCIDENT_PART;
    return permission_standing_for(permissions, a->claim, kind, a->now) != NULL;
}

/* Does this paper name the vehicle, and is the day its accident's? */
static void
look_for(struct asking *a, const struct claim_case *facts, bool *ret_plate, bool *ret_day)
{
    const struct leaf_time *at = day_of(facts);
    for (const struct case_vehicle *v = facts->vehicles; v; v = v->next) {
        if (!view_eq(motor_plate_key(v->plate.v, a->mem), a->plate))
            continue;
        *ret_plate = true;
        a->written = a->written.n ? a->written : v->plate.v;
        *ret_day = *ret_day || (at && date_days(date_of_instant(at->v, at->offset)) == date_days(a->day));
        a->named = a->named.n ? a->named : insurer_named(facts, v);
    }
}

static err
check_vehicle(struct asking *a)
{
    struct row_document *list = NULL;
    struct row_permission *permissions = NULL;
    bool has_plate = false, has_day = false;
    TRY(query_documents_of_case(a->r, ARGS(val_uid(&a->in_case)), a->mem, &list));
    TRY(query_permissions_of_case(a->r, ARGS(val_uid(&a->in_case)), a->mem, &permissions));
    for (; list; list = list->next) {
        struct claim_case *facts = NULL;
        if (!may_have(a, permissions, list))
            continue;
        TRY(case_facts(a->g, a->r, list, a->mem, &facts));
        if (facts)
            look_for(a, facts, &has_plate, &has_day);
    }
    if (!has_plate)
        return fault_set(a->f, E_LOOKUP_VEHICLE, "/plate", "a vehicle of a paper that you have", "another");
    return has_day ? E_OK : fault_set(a->f, E_LOOKUP_VEHICLE, "/date", "the day of the accident", "another");
}

static err
read_request(struct asking *a, view body)
{
    static const char *const known[] = {"s:claim", "s:case", "s:plate", "s:date", "s:purpose", NULL};
    json_t *json = NULL;
    TRY(json_load(body, a->mem, &json, a->f));
    TRY(members_only(json, known, a->f));
    view plate = json_text(json, "plate");
    a->purpose = json_text(json, "purpose").n ? json_text(json, "purpose") : V("claim");
    a->plate = plate.n <= 16 ? motor_plate_key(plate, a->mem) : VIEW_NONE;
    if (a->plate.n < 2)
        return fault_set(a->f, E_SCHEMA, "/plate", "a license plate", "another form");
    if (date_parse(json_text(json, "date"), &a->day) != E_OK || a->day.precision != DATE_DAY)
        return fault_set(a->f, E_SCHEMA, "/date", "YYYY-MM-DD", "another form");
    if (!view_eq(a->purpose, V("claim")) && !view_eq(a->purpose, V("recourse")))
        return fault_set(a->f, E_SCHEMA, "/purpose", "claim or recourse", "another word");
    TRY(find_case(a, json_text(json, "claim"), json_text(json, "case")));
    return check_vehicle(a);
}

/* -- the rows -- */

digest
lookup_key(const struct seal *s, uid lookup)
{
    return BLIND(s, "lookup", uid_view(&lookup));
}

err
lookup_open(struct gateway *g, struct reader *r, const struct row_lookup *row, arena *mem,
            struct lookup_detail *ret)
{
    struct data_key key;
    view text;
    json_t *json = NULL;
    TRY(seal_load_key(g->seal, r, row->key, mem, &key));
    err e = seal_unbox(&key, V("lookup"), row->id, row->detail, mem, &text);
    data_key_forget(&key);
    TRY(e);
    TRY(json_load(text, mem, &json, NULL));
    *ret = (struct lookup_detail){.plate = json_text(json, "plate"),
                                  .day = json_text(json, "day"),
                                  .written = json_text(json, "written"),
                                  .insurer = json_text(json, "insurer"),
                                  .certificate_no = json_text(json, "certificate_no"),
                                  .from = json_text(json, "from"),
                                  .to = json_text(json, "to")};
    return E_OK;
}

err
lookup_seal(const struct data_key *key, struct row_lookup *row, const struct lookup_detail *d, arena *mem)
{
    const struct {
        const char *name;
        view value;
    } members[] = {{"plate", d->plate},
                   {"written", d->written},
                   {"day", d->day},
                   {"insurer", d->insurer},
                   {"certificate_no", d->certificate_no},
                   {"from", d->from},
                   {"to", d->to}};
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        buf_printf(&out, "%s\"%s\":", i ? "," : "{", members[i].name);
        buf_add_json(&out, members[i].value.p ? members[i].value : V(""));
    }
    BUF_LIT(&out, "}");
    return out.failed ? E_TOO_LARGE : seal_box(key, V("lookup"), row->id, buf_view(&out), mem, &row->detail);
}

struct inquiries {
    struct unit *u;
    uid lookup;
    struct row_inquiry *first, *last;
    int64_t n;
};

static err
add_inquiry(struct inquiries *x, const struct partner *to, view kind, instant now)
{
    struct row_inquiry *row = unit_add_inquiry(x->u);
    bool has_address = partner_option(to, "lookup_url").n > 0;
    if (!row)
        return E_TOO_LARGE;
    row->id = inquiry_id_new().u;
    row->lookup = x->lookup;
    row->owner = to->id.u;
    row->place = x->n++;
    row->kind = kind;
    row->state = view_of(inquiry_word(has_address ? INQUIRY_WAITING : INQUIRY_FAILED));
    row->code = has_address ? V("") : view_of(err_info(E_LOOKUP_NOBODY)->code);
    row->changed_at = now;
    x->first = x->first ? x->first : row;
    x->last = row;
    return E_OK;
}

/* The register, whom a paper names, the others who write the cover. */
static err
add_inquiries(struct asking *a, struct inquiries *x)
{
    static const char *const passes[] = {"register", "named", "insurer"};
    for (size_t pass = 0; pass < COUNT_OF(passes); pass++)
        for (size_t i = 0; i < registry_partners(a->registry); i++) {
            const struct partner *p = registry_partner_at(a->registry, i);
            bool of_all = view_eq(p->row->kind, V("register")),
                 writes = view_eq(p->row->kind, V("insurer")) && view_eq(partner_option(p, "cali"), V("yes")),
                 named = writes && a->named.n && view_eq(p->row->code, a->named);
            const bool fits[] = {of_all && partner_option(p, "lookup_url").n, named, writes && !named};
            if (partner_is_active(p) && fits[pass])
                TRY(add_inquiry(x, p, view_of(passes[pass]), a->now));
        }
    return E_OK;
}

static err
add_lookup(struct asking *a, struct unit *u, struct row_lookup **ret)
{
    struct row_lookup *row = unit_add_lookup(u);
    struct row_case_key *key = unit_add_case_key(u);
    struct data_key sealing;
    char day[16];
    if (!row || !key)
        return E_TOO_LARGE;
    row->id = lookup_id_new().u;
    row->case_id = a->in_case;
    row->about = a->about;
    row->partner = a->who->id.u;
    row->claim = a->claim ? a->claim->id : (uid){{0}};
    row->purpose = a->purpose;
    row->state = V("asking");
    row->result = V("");
    row->version = 1;
    row->at = row->changed_at = a->now;
    key->blind = lookup_key(a->g->seal, row->id);
    key->case_id = a->in_case;
    key->kind = V("lookup");
    key->at = a->now;
    key->op = ROW_KEEP;
    TRY(seal_new_key(a->g->seal, u, "lookup", &sealing));
    row->key = sealing.id;
    const struct lookup_detail detail = {
        .plate = a->plate, .day = date_print(a->day, day), .written = a->written};
    err e = lookup_seal(&sealing, row, &detail, a->mem);
    data_key_forget(&sealing);
    *ret = row;
    return e;
}

/* Asked anew: those who gave no answer that counts, from the first try on. */
static err
renew(struct asking *a, struct unit *u, const struct row_lookup *old, struct inquiries *x,
      struct row_lookup **ret)
{
    struct row_inquiry *known = NULL;
    struct row_lookup *row = unit_add_lookup(u);
    if (!row)
        return E_TOO_LARGE;
    unit_guard(u, GUARD_lookup_version, ARGS(val_uid(&old->id), val_int(old->version)));
    *row = *old;
    row->op = ROW_PUT;
    row->next = NULL;
    row->state = V("asking");
    row->version++;
    row->changed_at = a->now;
    TRY(query_inquiries_of(a->r, ARGS(val_uid(&old->id)), a->mem, &known));
    for (; known; known = known->next) {
        struct row_inquiry *q = unit_add_inquiry(u);
        enum inquiry state = inquiry_of(known->state);
        const struct partner *to = registry_partner(a->registry, (partner_id){known->owner});
        bool again =
            (state == INQUIRY_FAILED || state == INQUIRY_UNKNOWN) && to && partner_option(to, "lookup_url").n;
        if (!q)
            return E_TOO_LARGE;
        *q = *known;
        q->op = ROW_PUT;
        q->next = NULL;
        q->state = again ? view_of(inquiry_word(INQUIRY_WAITING)) : known->state;
        q->tries = again ? 0 : known->tries;
        x->first = x->first ? x->first : q;
    }
    *ret = row;
    return E_OK;
}

/* -- asking -- */

static err
build(struct asking *a, const struct row_lookup *old, struct row_lookup **ret)
{
    struct unit u;
    struct inquiries x = {.u = &u};
    struct row_lookup *several = NULL;
    digest leaf;
    size_t n = 0;
    unit_init(&u, a->mem);
    if (old) {
        TRY(renew(a, &u, old, &x, ret));
    } else {
        TRY(query_lookups_of_case(a->r, ARGS(val_uid(&a->in_case)), a->mem, &several));
        for (; several; several = several->next)
            n++;
        if (n >= LOOKUPS_OF_CASE)
            return fault_set(a->f, E_QUOTA, "/plate", "at most 16 vehicles of a case", "more");
        TRY(add_lookup(a, &u, ret));
        x.lookup = (*ret)->id;
        TRY(add_inquiries(a, &x));
    }
    struct conclusion c = lookup_conclude(x.first);
    if (!c.next)
        return fault_set(a->f, E_LOOKUP_NOBODY, "/plate", "somebody who can be asked", "nobody");
    c.next->next_at = a->now;
    TRY(timeline_add(&u, a->in_case, a->claim ? a->claim->id : (uid){{0}}, a->claim ? "insurer" : "person",
                     a->who->id.u, "cover.asked", VIEW_NONE, (uid){{0}}, a->now));
    const digest parts[] = {sha256(uid_view(&a->who->id.u)), sha256(a->plate), sha256(a->purpose)};
    TRY(evidence_leaf(&u, "cover-lookup", (*ret)->id, parts, COUNT_OF(parts), a->now, &leaf));
    return store_commit(a->g->store, &u);
}

static err
ask_once(struct asking *a, view body, view *ret_json)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_lookup *row = NULL;
    lookup_id id;
    char day[16];
    TRY(store_reader(a->g->store, &r));
    a->r = r;
    TRY(read_request(a, body));
    a->about = BLIND(a->g->seal, "lookup-about", uid_view(&a->in_case), a->plate, date_print(a->day, day));
    TRY(query_lookup_about(r, ARGS(val_digest(&a->about)), a->mem, &row));
    if (!row || view_eq(row->state, V("unanswered")))
        TRY(build(a, row, &row));
    id.u = row->id;
    reader_done(TAKE(r));
    return lookup_show(a->g, a->who->id, id, a->now, a->mem, ret_json, a->f);
}

err
lookup_ask(struct gateway *g, partner_id who, view body, instant now, arena *mem, view *ret_json,
           struct fault *f)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    err e = E_STALE;
    for (int i = 0; i < 8 && e == E_STALE; i++) {
        struct asking a = {.g = g,
                           .registry = registry,
                           .mem = mem,
                           .f = f,
                           .now = now,
                           .who = registry_partner(registry, who)};
        e = a.who ? ask_once(&a, body, ret_json) : E_PARTNER;
    }
    return e;
}

/* -- reading -- */

static err
print_asked(struct reader *r, const struct registry *registry, const struct row_lookup *row, arena *mem,
            struct buf *out)
{
    struct row_inquiry *list = NULL;
    char when[32];
    TRY(query_inquiries_of(r, ARGS(val_uid(&row->id)), mem, &list));
    BUF_LIT(out, ",\"asked\":[");
    for (const struct row_inquiry *q = list; q; q = q->next) {
        const struct partner *to = registry_partner(registry, (partner_id){q->owner});
        buf_printf(out, "%s{\"who\":\"%.*s\",\"kind\":\"%.*s\",\"state\":\"%.*s\",\"tries\":%lld",
                   q == list ? "" : ",", VIEW_ARG(to ? to->row->code : V("")), VIEW_ARG(q->kind),
                   VIEW_ARG(q->state), (long long)q->tries);
        if (q->code.n)
            buf_printf(out, ",\"code\":\"%.*s\"", VIEW_ARG(q->code));
        if (q->next_at.us)
            buf_printf(out, ",\"next_at\":\"%.*s\"", VIEW_ARG(instant_print(q->next_at, when)));
        BUF_LIT(out, "}");
    }
    BUF_LIT(out, "]");
    return E_OK;
}

static void
print_cover(const struct registry *registry, const struct lookup_detail *d, bool whole, arena *mem,
            struct buf *out)
{
    const struct partner *p = registry_by_code(registry, V("insurer"), d->insurer);
    BUF_LIT(out, ",\"insurer\":{\"code\":");
    buf_add_json(out, d->insurer);
    if (p && p->row->name_zh.n) {
        BUF_LIT(out, ",\"name_zh\":");
        buf_add_json(out, p->row->name_zh);
    }
    BUF_LIT(out, "}");
    if (!whole)
        return;
    buf_printf(out, ",\"period\":{\"from\":\"%.*s\",\"to\":\"%.*s\"},\"certificate_no\":", VIEW_ARG(d->from),
               VIEW_ARG(d->to));
    buf_add_json(out, cover_masked(d->certificate_no, mem));
}

err
lookup_print(struct gateway *g, struct reader *r, const struct row_lookup *row, bool whole, arena *mem,
             view *ret_json)
{
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct buf out AUTO_DONE(buf_done);
    struct lookup_detail d;
    char id[ID_TEXT_SIZE], when[32];
    buf_init(&out, 65536);
    TRY(lookup_open(g, r, row, mem, &d));
    buf_printf(&out, "{\"id\":\"%.*s\",\"state\":\"%.*s\",\"purpose\":\"%.*s\",\"plate\":",
               VIEW_ARG(lookup_id_print((lookup_id){row->id}, id)), VIEW_ARG(row->state),
               VIEW_ARG(row->purpose));
    buf_add_json(&out, d.plate);
    buf_printf(&out, ",\"date\":\"%.*s\",\"asked_at\":\"%.*s\"", VIEW_ARG(d.day),
               VIEW_ARG(instant_print(row->at, when)));
    if (!view_eq(row->state, V("asking")))
        buf_printf(&out, ",\"ended_at\":\"%.*s\"", VIEW_ARG(instant_print(row->changed_at, when)));
    if (row->result.n)
        buf_printf(&out, ",\"result\":\"%.*s\"", VIEW_ARG(row->result));
    if (view_eq(row->state, V("unanswered")))
        buf_printf(&out, ",\"code\":\"%s\"", err_info(E_LOOKUP_UNANSWERED)->code);
    if (d.insurer.n)
        print_cover(registry, &d, whole, mem, &out);
    if (whole)
        TRY(print_asked(r, registry, row, mem, &out));
    BUF_LIT(&out, "}");
    *ret_json = out.failed ? VIEW_NONE : arena_dup(mem, buf_view(&out));
    return ret_json->p ? E_OK : E_TOO_LARGE;
}

/* Whoever might ask the same may read it. */
static err
may_read(struct asking *a, const struct row_lookup *row)
{
    struct row_claim *claims = NULL;
    struct lookup_detail d;
    char text[ID_TEXT_SIZE];
    TRY(query_claims_of_case(a->r, ARGS(val_uid(&row->case_id)), a->mem, &claims));
    for (; claims && !a->claim; claims = claims->next)
        if (is_motor(claims->line) &&
            (uid_eq(claims->recipient, a->who->id.u) || uid_eq(claims->through, a->who->id.u)))
            a->claim = claims;
    a->in_case = row->case_id;
    if (!a->claim)
        TRY(find_filed(a, case_id_print((case_id){row->case_id}, text)));
    TRY(lookup_open(a->g, a->r, row, a->mem, &d));
    a->plate = d.plate;
    return date_parse(d.day, &a->day) == E_OK ? check_vehicle(a) : E_STORE_CORRUPT;
}

err
lookup_show(struct gateway *g, partner_id who, lookup_id id, instant now, arena *mem, view *ret_json,
            struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    struct row_lookup *row = NULL;
    TRY(store_reader(g->store, &r));
    struct asking a = {
        .g = g, .registry = registry, .r = r, .mem = mem, .now = now, .who = registry_partner(registry, who)};
    TRY(query_lookup(r, ARGS(val_uid(&id.u)), mem, &row));
    err e = row && a.who ? may_read(&a, row) : E_NOT_FOUND;
    if (e == E_LOOKUP_VEHICLE || e == E_NOT_FOUND)
        return fault_set(f, E_NOT_FOUND, "", "a lookup of a case that you have a part in", "none");
    TRY(e);
    return lookup_print(g, r, row, a.claim != NULL, mem, ret_json);
}
