#include "adapters/police/sample.h"

#include "base/text.h"

const struct police_sample_agency police_sample_agencies[] = {
    {"k1", "A99010001K", "沙箱市政府警察局交通警察大隊"},
    {"k2", "A99020001K", "沙箱縣警察局交通警察隊"},
};
const size_t police_sample_agencies_count = COUNT_OF(police_sample_agencies);

#define RECORD_MAX (256u << 10)

/* -- writing -- */

static void
separate(struct buf *b)
{
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[')
        buf_add_byte(b, ',');
}

void
sample_name(struct buf *b, const char *name)
{
    separate(b);
    buf_add_json(b, view_of(name));
    buf_add_byte(b, ':');
}

void
sample_text(struct buf *b, const char *name, view text)
{
    if (text.n == 0)
        return;
    sample_name(b, name);
    buf_add_json(b, text);
}

void
sample_raw(struct buf *b, const char *name, view number)
{
    if (number.n == 0)
        return;
    sample_name(b, name);
    buf_add_view(b, number);
}

void
sample_int(struct buf *b, const char *name, int64_t n)
{
    sample_name(b, name);
    buf_printf(b, "%lld", (long long)n);
}

void
sample_open(struct buf *b, const char *name, char bracket)
{
    if (name)
        sample_name(b, name);
    else
        separate(b);
    buf_add_byte(b, bracket);
}

void
sample_code(struct buf *b, const char *name, view major, view minor, view code)
{
    if (major.n + minor.n + code.n == 0)
        return;
    sample_open(b, name, '{');
    sample_text(b, "major", major);
    sample_text(b, "minor", minor);
    sample_text(b, "code", code);
    BUF_LIT(b, "}");
}

void
sample_write_head(struct buf *b, const struct sample_head *h)
{
    sample_int(b, "version", 1);
    sample_open(b, "agency", '{');
    sample_text(b, "oid", view_of(h->agency->oid));
    sample_text(b, "name", h->agency_name.n ? h->agency_name : view_of(h->agency->name));
    sample_text(b, "unit", h->unit);
    sample_text(b, "officer", h->officer);
    BUF_LIT(b, "}");
    sample_text(b, "accident_no", h->accident_no);
    sample_text(b, "part", view_of(h->part));
    sample_int(b, "revision", h->revision);
    if (h->revision > 1)
        sample_int(b, "replaces", h->revision - 1);
    sample_text(b, "form_era", view_of(police_era_word(h->era)));
    sample_text(b, "class", h->class);
    sample_text(b, "occurred", h->occurred);
    sample_open(b, "place", '{');
    sample_text(b, "text", h->place);
    sample_text(b, "county", h->county);
    sample_text(b, "town", h->town);
    sample_text(b, "road", h->road);
    sample_raw(b, "lon", h->lon);
    sample_raw(b, "lat", h->lat);
    BUF_LIT(b, "}");
    sample_open(b, "casualties", '{');
    sample_int(b, "dead_24h", h->dead_24h);
    if (h->dead_30d >= 0)
        sample_int(b, "dead_30d", h->dead_30d);
    sample_int(b, "injured", h->injured);
    BUF_LIT(b, "}");
}

/* -- open data -- */

/* Value of a coded column with its class, which stands in the column before a minor one. */
static void
write_value(struct buf *b, const struct open_row *r, enum open_column c, const char *name)
{
    const struct open_column_row *row = open_column_of(c);
    sample_code(b, name, row->kind == OPEN_IS_MINOR ? r->fields[c - 1] : VIEW_NONE, r->fields[c], VIEW_NONE);
}

static void
write_column(struct buf *b, const struct open_row *r, enum open_column c)
{
    bool blank = r->fields[c].n == 0 && (open_column_of(c)->kind != OPEN_IS_MINOR || r->fields[c - 1].n == 0);
    if (blank)
        return;
    if (c == OPEN_IMPACT_OTHER) {
        sample_open(b, "impact_other", '[');
        write_value(b, r, c, NULL);
        BUF_LIT(b, "]");
    } else {
        write_value(b, r, c, open_column_of(c)->member);
    }
}

static void
write_place(struct buf *b, const struct open_row *r, enum open_place place)
{
    for (int k = 0; k < OPEN_COUNT; k++) {
        enum open_column c = (enum open_column)k;
        if (place == PLACE_CONDITION && c == OPEN_SPEED_LIMIT)
            sample_raw(b, "speed_limit", r->fields[c]);
        /* -1: not known, or no person */
        if (place == PLACE_PARTY && c == OPEN_AGE && text_is_digits(r->fields[c]))
            sample_raw(b, "age", r->fields[c]);
        if (open_column_of(c)->place == place)
            write_column(b, r, c);
    }
}

static void
write_open(struct buf *b, const struct open_accident *a, const struct sample_head *h)
{
    BUF_LIT(b, "{");
    sample_write_head(b, h);
    sample_open(b, "conditions", '{');
    write_place(b, a->rows, PLACE_CONDITION);
    BUF_LIT(b, "}");
    write_place(b, a->rows, PLACE_ACCIDENT);
    sample_open(b, "parties", '[');
    for (size_t i = 0; i < a->n; i++) {
        sample_open(b, NULL, '{');
        sample_raw(b, "seq", a->rows[i].fields[OPEN_SEQ]);
        write_place(b, &a->rows[i], PLACE_PARTY);
        BUF_LIT(b, "}");
    }
    BUF_LIT(b, "]}");
}

err
police_sample_open_data(const struct open_accident *a, size_t number,
                        const struct police_sample_agency *agency, arena *mem, struct police_sample *ret,
                        struct fault *f)
{
    const struct open_row *r = a->rows;
    char occurred[32];
    struct sample_head h = {.agency = agency,
                            .agency_name = r->fields[OPEN_AGENCY],
                            .part = "slip",
                            .revision = 1,
                            .era = open_accident_era(a),
                            .class = r->fields[OPEN_CLASS],
                            .place = r->fields[OPEN_PLACE],
                            .lon = r->fields[OPEN_LON],
                            .lat = r->fields[OPEN_LAT],
                            .dead_30d = -1};
    if (!open_time(r, occurred) || !open_casualties(r, &h.dead_24h, &h.injured) || h.class.n != 2) {
        err e = fault_set(f, E_VALUE, "csv", "date, time, class and casualties in form", "another form");
        if (f && f->code == E_VALUE)
            f->line = r->line;
        return e;
    }
    h.occurred = view_of(occurred);
    h.accident_no = arena_printf(mem, "%.8s-%04zu", r->fields[OPEN_DATE].p, number);
    open_county_town(h.place, &h.county, &h.town);
    struct buf b AUTO_DONE(buf_done);
    buf_init(&b, RECORD_MAX);
    write_open(&b, a, &h);
    *ret =
        (struct police_sample){.part = "slip", .revision = 1, .accident_no = h.accident_no, .agency = agency};
    ret->json = b.failed ? VIEW_NONE : arena_dup(mem, buf_view(&b));
    return ret->json.p && h.accident_no.p
               ? E_OK
               : fault_set(f, E_TOO_LARGE, "csv", "a record of at most 256 KiB", "a larger one");
}
