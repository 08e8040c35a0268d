/* What came of the lookups, in the case: the gateway's own word beside what papers say.  Nothing stated is changed: where a paper says otherwise, both stand and a person decides. */
#include "flow/lookup/lookup_inside.h"

#include "adapters/case_walk.h"
#include "adapters/claimlink/claimlink.h"

#define TAIPEI_MINUTES 480

struct framing {
    const struct loaded_case *c;
    const struct registry *registry;
    arena *mem;
    struct claim_case *frame;
    const struct row_lookup *row;
    struct lookup_detail d;
    struct case_vehicle *vehicle; /* in the frame */
};

static struct source
own(void)
{
    return source_gateway(HOW_COMPUTED);
}

static bool
is_answer(const struct loaded_document *d)
{
    enum document_kind k = document_kind_of(d->row->kind);
    return k == KIND_CALI_ANSWER || k == KIND_CALI_DENIAL;
}

/* What a paper of the fold, no answer to a lookup, says of the vehicle. */
static const struct case_vehicle *
vehicle_in(const struct framing *x, const struct claim_case *facts)
{
    const struct case_vehicle *v = facts ? facts->vehicles : NULL;
    while (v && !view_eq(motor_plate_key(v->plate.v, x->mem), x->d.plate))
        v = v->next;
    return v;
}

static const struct case_vehicle *
named_by_papers(const struct framing *x)
{
    const struct case_vehicle *v = NULL;
    for (size_t i = 0; i < x->c->n && !v; i++)
        if (!is_answer(&x->c->documents[i]))
            v = vehicle_in(x, x->c->documents[i].facts);
    return v;
}

/* A paper that names another insurer than the answer does, or one where there is none. */
static bool
papers_differ(const struct framing *x, view insurer)
{
    for (size_t i = 0; i < x->c->n; i++) {
        const struct claim_case *facts = x->c->documents[i].facts;
        const struct case_vehicle *v = is_answer(&x->c->documents[i]) ? NULL : vehicle_in(x, facts);
        const struct case_party *p = v && v->cali ? case_party_of(facts, v->cali->insurer.v) : NULL;
        if (p && p->organisation && p->organisation->identifiers &&
            !view_eq(p->organisation->identifiers->value.v, insurer))
            return true;
    }
    return false;
}

/* The vehicle of the frame; the plate as the papers write it, so that both meet. */
static err
find_vehicle(struct framing *x, view plate)
{
    struct case_vehicle *v = x->frame->vehicles;
    while (v && !view_eq(motor_plate_key(v->plate.v, x->mem), x->d.plate))
        v = v->next;
    if (!v) {
        v = case_add_vehicles(x->mem, x->frame);
        if (!v)
            return E_TOO_LARGE;
        leaf_set_text(&v->plate, plate, own());
    }
    x->vehicle = v;
    return E_OK;
}

static err
find_insurer(struct framing *x, view *ret_id)
{
    const struct partner *known = registry_by_code(x->registry, V("insurer"), x->d.insurer);
    for (const struct case_party *p = x->frame->parties; p; p = p->next)
        if (p->organisation && view_eq(p->organisation->identifiers->value.v, x->d.insurer)) {
            *ret_id = p->id;
            return E_OK;
        }
    struct case_party *p = case_add_parties(x->mem, x->frame);
    struct case_organisation *o = p ? case_make_party_organisation(x->mem, p) : NULL;
    struct case_organisation_identifier *id = o ? case_add_organisation_identifiers(x->mem, o) : NULL;
    if (!id)
        return E_TOO_LARGE;
    leaf_set_text(&p->kind, V("organisation"), own());
    leaf_set_text(&o->name,
                  arena_dup(x->mem, known && known->row->name_zh.n ? known->row->name_zh : x->d.insurer),
                  own());
    leaf_set_text(&o->kind, V("insurer"), own());
    leaf_set_text(&id->type, V("ubn"), own());
    leaf_set_text(&id->value, x->d.insurer, own());
    *ret_id = p->id;
    return o->name.v.p ? E_OK : E_TOO_LARGE;
}

static err
add_cover(struct framing *x)
{
    struct case_vehicle_cali *cali = case_make_vehicle_cali(x->mem, x->vehicle);
    view insurer;
    if (!cali)
        return E_TOO_LARGE;
    leaf_set_text(&cali->status, x->row->result, own());
    leaf_set_text(&cali->source, V("lookup"), own());
    char day[16];
    view on = arena_dup(x->mem, date_print(date_of_instant(x->row->changed_at, TAIPEI_MINUTES), day));
    if (!on.p || leaf_parse_time(&cali->checked_at, on, own()) != E_OK)
        return E_TOO_LARGE;
    if (!view_eq(x->row->result, V("insured")))
        return E_OK;
    TRY(find_insurer(x, &insurer));
    if (!case_ref(x->mem, &cali->insurer, insurer, own()))
        return E_TOO_LARGE;
    if (leaf_parse_time(&cali->period.start, x->d.from, own()) != E_OK ||
        leaf_parse_time(&cali->period.end, x->d.to, own()) != E_OK)
        return E_STORE_CORRUPT;
    return E_OK;
}

/* Evidence: the answers that this fold has; who may not have them learns what follows from them and no more. */
static err
add_evidence(struct framing *x, struct case_finding *f)
{
    for (size_t i = 0; i < x->c->n; i++) {
        char id[ID_TEXT_SIZE];
        if (!is_answer(&x->c->documents[i]) || !vehicle_in(x, x->c->documents[i].facts))
            continue;
        struct case_finding_evidence *e = case_add_finding_evidence(x->mem, f);
        const struct case_document *d = x->frame->documents;
        view document = doc_id_print((doc_id){x->c->documents[i].row->id}, id);
        while (d && !view_eq(d->document_id.v, document))
            d = d->next;
        if (!e || !d)
            return E_TOO_LARGE;
        leaf_set_text(&e->pointer, f->pointer.v, own());
        if (!case_ref(x->mem, &e->document, d->id, own()))
            return E_TOO_LARGE;
    }
    return E_OK;
}

static err
add_finding(struct framing *x, err code, const char *severity)
{
    const struct err_row *text = err_info(code);
    struct case_finding *f = case_add_findings(x->mem, x->frame);
    struct case_finding_rule *rule = f ? case_make_finding_rule(x->mem, f) : NULL;
    view place = case_pointer(x->frame, x->vehicle->id, V("plate"), x->mem);
    if (!rule || !place.p)
        return E_TOO_LARGE;
    leaf_set_text(&f->code, view_of(text->code), own());
    leaf_set_text(&f->severity, view_of(severity), own());
    leaf_set_text(&f->pointer, place, own());
    leaf_set_text(&rule->id, V("cover-lookup"), own());
    leaf_set_text(&rule->version, V("1"), own());
    leaf_set_text(&f->text.zh, view_of(text->text[LANG_ZH]), own());
    leaf_set_text(&f->text.en, view_of(text->text[LANG_EN]), own());
    return add_evidence(x, f);
}

static err
frame_one(struct framing *x)
{
    const struct case_vehicle *named = named_by_papers(x);
    bool is_uninsured = view_eq(x->row->result, V("uninsured"));
    if (!named)
        return E_OK;
    TRY(find_vehicle(x, named->plate.v));
    /* Two lookups of cases that were joined: the first is shown, another result is for a person. */
    bool differs = x->vehicle->cali && !view_eq(x->vehicle->cali->status.v, x->row->result);
    if (!x->vehicle->cali && x->row->result.n)
        TRY(add_cover(x));
    if (is_uninsured)
        TRY(add_finding(x, E_UNINSURED, "warn"));
    if (differs || !x->row->result.n || papers_differ(x, x->d.insurer))
        return add_finding(x, E_COVER_DIFFERS, "hold");
    return E_OK;
}

err
lookup_frame(struct gateway *g, struct reader *r, const struct loaded_case *c, arena *mem,
             struct claim_case *frame)
{
    struct row_lookup *list = NULL;
    bool has_vehicles = false;
    for (size_t i = 0; i < c->n; i++)
        has_vehicles = has_vehicles || (c->documents[i].facts && c->documents[i].facts->vehicles);
    if (!has_vehicles)
        return E_OK;
    TRY(query_lookups_of_case(r, ARGS(val_uid(&c->row->id)), mem, &list));
    if (!list)
        return E_OK;
    AUTO(registry_unref) struct registry *registry = gateway_registry(g);
    for (; list; list = list->next) {
        struct framing x = {.c = c, .registry = registry, .mem = mem, .frame = frame, .row = list};
        if (!list->result.n && !view_eq(list->state, V("contradictory")))
            continue;
        TRY(lookup_open(g, r, list, mem, &x.d));
        TRY(frame_one(&x));
    }
    return E_OK;
}
