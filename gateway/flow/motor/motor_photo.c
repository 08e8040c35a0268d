/* Photos of a filing: named by the digest of the original, shown by the handle of the copy, known again in another case by the blind of the copy. */
#include "flow/case/plan.h"
#include "flow/evidence/seal.h"
#include "flow/motor/motor.h"
#include "flow/motor/motor_view.h"

/* -- on the way in -- */

static err
find_copy(struct passage *p, struct motor_photo *photo)
{
    digest id = BLIND(p->g->seal, "attachment", photo->sha256);
    struct row_attachment *file = NULL;
    struct row_photo *row = NULL;
    char text[ID_TEXT_SIZE];
    TRY(query_photo_of(p->reader, ARGS(val_digest(&id), val_uid(&p->s->sender.u)), p->mem, &row));
    if (row) {
        view handle = arena_dup(p->mem, photo_id_print((photo_id){row->photo}, text));
        photo->picture = row->picture;
        leaf_set_text(&photo->fact->photo_id, handle, source_gateway(HOW_COMPUTED));
        return handle.p ? E_OK : E_TOO_LARGE;
    }
    TRY(query_attachment(p->reader, ARGS(val_digest(&id), val_uid(&p->s->sender.u)), p->mem, &file));
    if (file) /* one that has not arrived is refused with its place (accept_store.c) */
        issue_add(p->issues, ISSUE_WARNING, E_PHOTO_HIDDEN, V("photos"), V("a JPEG or PNG"),
                  V("another file"));
    return E_OK;
}

err
motor_photos(struct passage *p)
{
    /* The snapshot stays for the unit that comes next. */
    if (p->motor->n_photos && !p->reader)
        TRY(store_reader(p->g->store, &p->reader));
    for (size_t i = 0; i < p->motor->n_photos; i++)
        TRY(find_copy(p, &p->motor->photos[i]));
    return E_OK;
}

/* -- in another case -- */

/* Cases that hold the picture, but for this one; those that were merged live on in another. */
static err
others_with(struct reader *r, const digest *picture, uid in_case, arena *mem, struct row_case **ret)
{
    struct row_case *row = NULL, **end = ret;
    *ret = NULL;
    TRY(query_cases_by_key(r, ARGS(val_digest(picture)), mem, &row));
    while (row) {
        struct row_case *next = row->next;
        if (!uid_eq(row->id, in_case) && uid_is_none(row->merged_into)) {
            *end = row;
            row->next = NULL;
            end = &row->next;
        }
        row = next;
    }
    return E_OK;
}

err
motor_photos_elsewhere(struct passage *p, struct reader *r, uid in_case)
{
    bool noted = false;
    for (size_t i = 0; i < p->motor->n_photos; i++) {
        struct motor_photo *photo = &p->motor->photos[i];
        struct row_case *others = NULL;
        if (!photo->fact->photo_id.v.n || photo->is_noted)
            continue;
        TRY(others_with(r, &photo->picture, in_case, p->mem, &others));
        if (!others)
            continue;
        photo->is_noted = noted = true;
        issue_add(p->issues, ISSUE_WARNING, E_PHOTO_REUSED, arena_printf(p->mem, "photos[%zu]", i),
                  V("a picture of this accident"), V("one that stands in another case"));
        TRY(motor_note_reused(p->mem, p->reading.facts, photo));
    }
    return noted ? passage_print_facts(p) : E_OK;
}

static bool
is_motor_line(view line)
{
    return view_eq(line, V("own_damage")) || view_eq(line, V("theft")) ||
           view_eq(line, V("liability_property"));
}

static err
tell_case(struct motor_unit *m, const struct row_case *other)
{
    const struct plan_input in = {
        m->p->g,           m->r, m->p->registry, m->p->mem, (case_id){other->id}, other->version,
        m->p->s->received, NULL};
    struct row_claim *c = NULL;
    TRY(query_claims_of_case(m->r, ARGS(val_uid(&other->id)), m->p->mem, &c));
    for (; c; c = c->next)
        if (is_motor_line(c->line))
            TRY(plan_delivery(&in, m->u, c, NULL, (uid){{0}}, "photo.reused"));
    return E_OK;
}

/* Once for each case, however many pictures it shares. */
err
motor_tell_elsewhere(struct motor_unit *m)
{
    uid told[MOTOR_PHOTOS_MAX];
    size_t n = 0;
    uid *in_case = arena_make(m->u->mem, uid); /* the writer reads it when m is gone */
    if (!in_case)
        return E_TOO_LARGE;
    *in_case = m->in_case.u;
    for (size_t i = 0; i < m->p->motor->n_photos; i++) {
        struct row_case *others = NULL;
        const struct motor_photo *photo = &m->p->motor->photos[i];
        /* Asked again in the writer: of two filings that cross, the later one finds the picture. */
        if (!photo->is_noted && photo->fact->photo_id.v.n)
            unit_guard(m->u, GUARD_key_elsewhere, ARGS(val_digest(&photo->picture), val_uid(in_case)));
        if (!photo->is_noted)
            continue;
        TRY(others_with(m->r, &m->p->motor->photos[i].picture, m->in_case.u, m->p->mem, &others));
        for (; others && n < COUNT_OF(told); others = others->next) {
            size_t k = 0;
            while (k < n && !uid_eq(told[k], others->id))
                k++;
            if (k < n)
                continue;
            told[n++] = others->id;
            TRY(tell_case(m, others));
        }
    }
    return E_OK;
}

/* -- on the way out -- */

static err
open_copy(struct gateway *g, struct reader *r, const struct row_photo *row, arena *mem,
          struct motor_picture *ret)
{
    struct data_key key;
    view sealed;
    TRY(store_body(g->store, &row->body_at, mem, &sealed));
    TRY(seal_load_key(g->seal, r, row->key, mem, &key));
    err e = seal_unbox(&key, V("photo"), row->photo, sealed, mem, &ret->bytes);
    data_key_forget(&key);
    ret->media = row->media;
    return e;
}

/* The file as it was sent, for who sent it. */
static err
open_original(struct gateway *g, struct reader *r, const struct row_photo *row, arena *mem,
              struct motor_picture *ret)
{
    struct row_attachment *file = NULL;
    struct data_key key;
    view sealed;
    uid place;
    TRY(query_attachment(r, ARGS(val_digest(&row->id), val_uid(&row->partner)), mem, &file));
    if (!file)
        return E_STORE_CORRUPT;
    memcpy(place.b, file->id.b, sizeof place.b);
    TRY(store_body(g->store, &file->body_at, mem, &sealed));
    TRY(seal_load_key(g->seal, r, file->key, mem, &key));
    err e = seal_unbox(&key, V("attachment"), place, sealed, mem, &ret->bytes);
    data_key_forget(&key);
    ret->media = row->media;
    return e;
}

/* An insurer sees a photo where the view of one of its claims names it. */
static err
shown_to_insurer(struct motor_look *l, view handle, bool *ret)
{
    struct row_claim *c = NULL;
    TRY(query_claims_of_case(l->r, ARGS(val_uid(&l->c.row->id)), l->mem, &c));
    for (; c && !*ret; c = c->next) {
        view json, etag;
        if (!uid_eq(c->recipient, l->who->id.u) && !uid_eq(c->through, l->who->id.u))
            continue;
        TRY(claim_fetch(l->g, l->by, (claim_id){c->id}, LANG_EN, l->now, l->mem, &json, &etag, l->f));
        *ret = view_find(json, handle) < json.n;
    }
    return E_OK;
}

static err
shown(struct motor_look *l, case_id id, view handle, bool *ret)
{
    view content;
    *ret = false;
    TRY(motor_look_open(l, id));
    if (l->view == VIEW_COUNT)
        return shown_to_insurer(l, handle, ret);
    TRY(motor_look_project(l, &content));
    *ret = view_find(content, handle) < content.n;
    return E_OK;
}

err
motor_photo_fetch(struct gateway *g, partner_id who, const struct person_caller *person, case_id id,
                  photo_id photo, bool original, instant now, arena *mem, struct motor_picture *ret,
                  struct fault *f)
{
    AUTO_DONE(motor_look_done)
    struct motor_look l = {.g = g, .mem = mem, .f = f, .by = who, .person = person, .now = now};
    struct row_photo *row = NULL;
    char text[ID_TEXT_SIZE];
    view handle = arena_printf(mem, "\"photo_id\":\"%.*s\"", VIEW_ARG(photo_id_print(photo, text)));
    bool may;
    TRY(shown(&l, id, handle, &may));
    TRY(query_photo(l.r, ARGS(val_uid(&photo.u)), mem, &row));
    if (!row || !may || (original && !uid_eq(row->partner, who.u)))
        return fault_set(f, E_NOT_FOUND, "", "a photo that your view of the filing shows", "none");
    return original ? open_original(g, l.r, row, mem, ret) : open_copy(g, l.r, row, mem, ret);
}

err
claim_photo_fetch(struct gateway *g, partner_id who, claim_id id, photo_id photo, instant now, arena *mem,
                  struct motor_picture *ret, struct fault *f)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_photo *row = NULL;
    char text[ID_TEXT_SIZE];
    view json, etag,
        handle = arena_printf(mem, "\"photo_id\":\"%.*s\"", VIEW_ARG(photo_id_print(photo, text)));
    TRY(claim_fetch(g, who, id, LANG_EN, now, mem, &json, &etag, f));
    TRY(store_reader(g->store, &r));
    TRY(query_photo(r, ARGS(val_uid(&photo.u)), mem, &row));
    if (!row || view_find(json, handle) == json.n)
        return fault_set(f, E_NOT_FOUND, "", "a picture that your view of the claim shows", "none");
    return open_copy(g, r, row, mem, ret);
}
