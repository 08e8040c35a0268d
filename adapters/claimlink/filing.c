/* The owner's filing, and damage with photos in any paper. */
#include "adapters/claimlink/inside.h"

#include "base/text.h"

/* -- damage and photos -- */

static err
read_photo(struct work *w, const struct node *n)
{
    struct motor_paper *p = w->paper;
    struct case_photo *photo = case_add_vehicle_photos(w->mem, w->vehicle);
    view sha256 = work_value(w, n, "sha256");
    if (!photo)
        return E_TOO_LARGE;
    work_text(w, &photo->media, work_member(w, n, "media"));
    work_text(w, &photo->area, work_member(w, n, "area"));
    if (p->n_photos == COUNT_OF(p->photos))
        return E_TOO_LARGE;
    p->photos[p->n_photos++] = (struct motor_photo){
        .sha256 = sha256, .media = work_value(w, n, "media"), .fact = photo, .vehicle = w->vehicle->id};
    for (size_t i = 0; i < w->rd->n_attachments; i++)
        if (view_eq(w->rd->attachments[i], sha256))
            work_issue(w, ISSUE_ERROR, E_CARDINALITY, n, "each photo once", "one that stands twice");
    if (w->rd->n_attachments < COUNT_OF(w->rd->attachments))
        w->rd->attachments[w->rd->n_attachments++] = sha256;
    return E_OK;
}

static err
refer_photos(struct work *w, struct case_damage *damage, const struct node *list)
{
    for (NODE_EACH(n, w->t, list)) {
        int64_t i = 0;
        if (text_to_i64(node_text(w->t, n), &i) != E_OK || i < 1 || i > (int64_t)w->paper->n_photos) {
            work_issue(w, ISSUE_ERROR, E_REFERENCE, n, "the place of a photo in photos", "another number");
            continue;
        }
        struct case_item *ref = case_add_damage_photos(w->mem, damage);
        if (!ref)
            return E_TOO_LARGE;
        work_ref(w, &ref->text, w->paper->photos[i - 1].fact->id, n);
    }
    return E_OK;
}

err
work_damage(struct work *w)
{
    for (NODE_EACH(n, w->t, work_member(w, w->root, "photos")))
        TRY(read_photo(w, n));
    for (NODE_EACH(n, w->t, work_member(w, w->root, "damage"))) {
        struct case_damage *d = case_add_vehicle_damage(w->mem, w->vehicle);
        if (!d)
            return E_TOO_LARGE;
        work_text(w, &d->area, work_member(w, n, "area"));
        work_text(w, &d->severity, work_member(w, n, "severity"));
        work_bool(&d->pre_existing, work_member(w, n, "pre_existing"));
        TRY(refer_photos(w, d, work_member(w, n, "photos")));
    }
    return E_OK;
}

/* -- the accident -- */

static err
read_accident(struct work *w, view owner)
{
    const struct node *n = work_member(w, w->root, "accident"), *agency = work_member(w, n, "agency");
    const struct node *no = work_member(w, n, "no");
    struct case_event *e = case_make_event(w->mem, w->c);
    if (!e)
        return E_TOO_LARGE;
    work_word(&e->kind, "traffic", n);
    work_time(w, &e->occurred.from, work_member(w, n, "occurred"));
    work_text(w, &e->place, work_member(w, n, "place"));
    work_text(w, &e->narrative, work_member(w, n, "narrative"));
    if (!no || !agency)
        return E_OK;
    struct case_police_report *report = case_make_event_police_report(w->mem, e);
    struct doc_ref *ref = arena_make(w->mem, struct doc_ref);
    struct case_meta *meta = case_make_meta(w->mem, w->c);
    struct case_reference *number = meta ? case_add_meta_references(w->mem, meta) : NULL;
    if (!report || !ref || !number)
        return E_TOO_LARGE;
    work_text(w, &report->agency, agency);
    work_text(w, &report->no, no);
    work_word(&number->kind, "accident_no", no);
    work_text(w, &number->value, no);
    work_ref(w, &number->owner, owner, no);
    *ref = (struct doc_ref){
        .kind = REF_ACCIDENT_NO, .author = node_text(w->t, agency), .value = node_text(w->t, no)};
    w->rd->refs = ref;
    return E_OK;
}

/* -- vehicles -- */

static void
read_vehicle(struct work *w, const struct node *n)
{
    struct case_vehicle *v = w->vehicle;
    work_text(w, &v->kind.text, work_member(w, n, "kind"));
    work_text(w, &v->cali_class, work_member(w, n, "cali_class"));
    work_text(w, &v->make, work_member(w, n, "make"));
    work_text(w, &v->model, work_member(w, n, "model"));
    work_count(w, &v->year, work_member(w, n, "year"));
    work_text(w, &v->vin, work_member(w, n, "vin"));
    work_text(w, &v->engine_no, work_member(w, n, "engine_no"));
    work_text(w, &v->use, work_member(w, n, "use"));
}

static err
read_loss(struct work *w)
{
    const struct node *n = work_member(w, w->root, "loss");
    struct case_loss *loss = n ? case_make_vehicle_loss(w->mem, w->vehicle) : NULL;
    if (!n)
        return E_OK;
    if (!loss)
        return E_TOO_LARGE;
    work_text(w, &loss->kind, work_member(w, n, "kind"));
    work_text(w, &loss->location, work_member(w, n, "location"));
    work_bool(&loss->drivable, work_member(w, n, "drivable"));
    return E_OK;
}

/* As the owner saw it at the scene: whether the certificate is in force only the insurer can tell. */
static err
read_cali(struct work *w, struct case_vehicle *v, const struct node *code)
{
    struct case_vehicle_cali *cali = case_make_vehicle_cali(w->mem, v);
    view insurer;
    if (!cali)
        return E_TOO_LARGE;
    TRY(work_organisation(w, code, "insurer", &insurer));
    work_word(&cali->status, "insured", code);
    work_word(&cali->source, "certificate", code);
    work_ref(w, &cali->insurer, insurer, code);
    work_time(w, &cali->checked_at, work_member(w, w->root, "written"));
    return E_OK;
}

static err
read_other_driver(struct work *w, const struct node *n, view vehicle)
{
    const struct node *name = work_member(w, n, "driver"), *phone = work_member(w, n, "phone");
    struct case_party *party = name ? case_add_parties(w->mem, w->c) : NULL;
    struct case_person *person = party ? case_make_party_person(w->mem, party) : NULL;
    struct case_person_name *text = person ? case_add_person_names(w->mem, person) : NULL;
    struct case_telecom *t = text && phone ? case_add_person_telecom(w->mem, person) : NULL;
    if (!name)
        return E_OK;
    if (!text || (phone && !t))
        return E_TOO_LARGE;
    work_word(&party->kind, "person", n);
    work_text(w, &text->text, name);
    if (t) {
        work_word(&t->system, "phone", phone);
        work_text(w, &t->value, phone);
    }
    return work_role(w, party->id, "driver", vehicle, n);
}

static err
read_other(struct work *w, const struct node *n)
{
    const struct node *plate = work_member(w, n, "plate"), *kind = work_member(w, n, "kind");
    const struct node *cali = work_member(w, n, "cali_insurer"), *damage = work_member(w, n, "damage");
    struct case_vehicle *v = case_add_vehicles(w->mem, w->c);
    struct case_damage *d = v && damage ? case_add_vehicle_damage(w->mem, v) : NULL;
    if (!v || (damage && !d))
        return E_TOO_LARGE;
    work_text(w, &v->plate, plate);
    if (kind)
        work_text(w, &v->kind.text, kind);
    else
        leaf_set_text(&v->kind.text, V("-"), source_of_node(n, HOW_ASSERTED));
    if (d)
        work_text(w, &d->area, damage);
    if (cali)
        TRY(read_cali(w, v, cali));
    return read_other_driver(w, n, v->id);
}

static err
read_others(struct work *w)
{
    for (NODE_EACH(n, w->t, work_member(w, w->root, "others")))
        TRY(read_other(w, n));
    for (NODE_EACH(n, w->t, work_member(w, w->root, "property"))) {
        struct case_property *p = case_add_third_party_property(w->mem, w->c);
        if (!p)
            return E_TOO_LARGE;
        work_text(w, &p->kind, work_member(w, n, "kind"));
        work_text(w, &p->text, work_member(w, n, "text"));
    }
    return E_OK;
}

/* -- who gets it -- */

static err
read_claim(struct work *w, const struct node *n, view owner)
{
    const struct node *code = work_member(w, n, "insurer");
    struct case_coverage *c = case_add_coverages(w->mem, w->c);
    struct motor_claim *claim = arena_make(w->mem, struct motor_claim), **end = &w->paper->claims;
    view insurer;
    if (!c || !claim)
        return E_TOO_LARGE;
    *claim = (struct motor_claim){node_text(w->t, code), work_value(w, n, "line"),
                                  work_value(w, n, "policy_no"), NULL};
    for (; *end; end = &(*end)->next)
        if (view_eq((*end)->insurer, claim->insurer) && view_eq((*end)->line, claim->line))
            work_issue(w, ISSUE_ERROR, E_CARDINALITY, n, "each insurer and line once",
                       "one that stands twice");
    *end = claim;
    TRY(work_organisation(w, code, "insurer", &insurer));
    work_ref(w, &c->insurer, insurer, n);
    work_text(w, &c->line, work_member(w, n, "line"));
    work_text(w, &c->policy_no, work_member(w, n, "policy_no"));
    work_ref(w, &c->insured, owner, n);
    work_ref(w, &c->vehicle, w->vehicle->id, n);
    work_word(&c->contract_regime, "n/a", n);
    work_word(&c->source, "person", n);
    return E_OK;
}

static err
read_shop(struct work *w)
{
    const struct node *code = work_member(w, work_member(w, w->root, "shop"), "code");
    struct case_repair *r = code ? case_add_repairs(w->mem, w->c) : NULL;
    view shop;
    if (!code)
        return E_OK;
    if (!r)
        return E_TOO_LARGE;
    w->paper->shop = node_text(w->t, code);
    TRY(work_organisation(w, code, "repair_shop", &shop));
    work_ref(w, &r->shop, shop, code);
    work_ref(w, &r->vehicle, w->vehicle->id, code);
    return E_OK;
}

static err
read_people(struct work *w, view *ret_owner)
{
    const struct node *owner = work_member(w, w->root, "owner"), *driver = work_member(w, w->root, "driver");
    view id;
    TRY(work_person(w, owner, true, ret_owner));
    w->paper->birth_date = work_value(w, owner, "birth_date");
    if (!w->rd->persons)
        work_issue(w, ISSUE_ERROR, E_REQUIRED, owner,
                   "identifiers with a national, residence or passport number", "none");
    work_ref(w, &w->vehicle->owner, *ret_owner, owner);
    TRY(work_role(w, *ret_owner, "owner", w->vehicle->id, owner));
    TRY(work_role(w, *ret_owner, "insured", VIEW_NONE, owner));
    if (!driver)
        return work_role(w, *ret_owner, "driver", w->vehicle->id, owner);
    TRY(work_person(w, driver, false, &id));
    return work_role(w, id, "driver", w->vehicle->id, driver);
}

err
work_filing(struct work *w)
{
    view owner;
    read_vehicle(w, work_member(w, w->root, "vehicle"));
    TRY(read_people(w, &owner));
    TRY(read_accident(w, owner));
    TRY(read_loss(w));
    TRY(work_damage(w));
    TRY(read_others(w));
    for (NODE_EACH(n, w->t, work_member(w, w->root, "claims")))
        TRY(read_claim(w, n, owner));
    return read_shop(w);
}
