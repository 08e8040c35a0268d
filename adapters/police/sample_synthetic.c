/* Made-up accidents of class A2 and A3: the open half of the real data is all A1 (DOMAIN D17). */
#include "adapters/police/sample.h"

#include "base/digest.h"
#include "base/instant.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define MOI "http://www.moi.gov.tw"
#define NIA "http://www.immigration.gov.tw"
#define PARTIES_MAX 5

/* splitmix64: neighbouring seeds differ in every throw */
struct dice
dice_of(uint64_t seed, uint64_t index)
{
    struct dice d = {seed * 0x9E3779B97F4A7C15ULL + index * 0xD1B54A32D192ED03ULL};
    (void)dice_throw(&d, 2);
    return d;
}

uint32_t
dice_throw(struct dice *d, uint32_t sides)
{
    uint64_t z = (d->state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    return sides ? (uint32_t)(z % sides) : 0;
}

/* -- the accident -- */

enum mover { MOVER_CAR, MOVER_MOTORCYCLE, MOVER_BICYCLE, MOVER_PEDESTRIAN, MOVER_PASSENGER, MOVER_FLED };

struct actor {
    enum mover mover;
    bool injured, died_later, female, known, main_cause;
    view name, id_system, id, birth, phone, plate;
    int age, rides_with;
};

struct scene {
    struct dice d;
    arena *mem;
    size_t index;
    int style; /* how values are stated: 0 names, 1 codes, 2 both */
    struct sample_head head;
    struct actor actors[PARTIES_MAX];
    size_t n;
    instant at;
    bool full; /* the arena is full */
};

static view
keep(struct scene *s, view v)
{
    if (!v.p)
        s->full = true;
    return v;
}

static const struct {
    const char *county, *town, *road, *lon, *lat;
} places[] = {
    {"臺北市", "大安區", "信義路三段與建國南路一段口", "121.537600", "25.033600"},
    {"新北市", "板橋區", "文化路一段100號前", "121.465300", "25.018900"},
    {"桃園市", "中壢區", "中正路與元化路口", "121.222100", "24.957200"},
    {"臺中市", "西屯區", "臺灣大道三段99號前", "120.647800", "24.161900"},
    {"臺南市", "東區", "東門路二段與林森路口", "120.220400", "22.986500"},
    {"高雄市", "前鎮區", "中山三路與凱旋四路口", "120.309900", "22.596500"},
    {"宜蘭縣", "礁溪鄉", "礁溪路五段50號前", "121.770800", "24.827300"},
    {"花蓮縣", "吉安鄉", "中華路二段與建國路口", "121.583400", "23.967800"},
};

static const char *const surnames[] = {"陳", "林", "黃", "張", "李", "王",
                                       "吳", "劉", "蔡", "楊", "許", "鄭"};
static const char *const given[] = {"沙箱", "小沙", "試文", "範例", "演安", "樣仁", "測宜", "模如"};

/* A number of the form letter, sex, eight digits of which the last is the check digit (身分證 and 統一證號 alike). */
static view
person_number(struct scene *s, char second)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVXY";
    static const uint8_t values[] = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                                     21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    uint32_t letter = dice_throw(&s->d, sizeof letters - 1),
             sum = values[letter] / 10u + values[letter] % 10u * 9u;
    char digits[10];
    int n = snprintf(digits, sizeof digits, "%c90%05u", second, (unsigned)dice_throw(&s->d, 100000));
    for (int i = 0; i < n; i++)
        sum += (uint32_t)(digits[i] - '0') * (uint32_t)(8 - i);
    return keep(s, arena_printf(s->mem, "%c%s%u", letters[letter], digits, (unsigned)((10 - sum % 10) % 10)));
}

/* The sandbox's own people are in the first accident, so that its papers meet those of the hospitals. */
static void
name_actor(struct scene *s, struct actor *a, size_t at)
{
    uint32_t throw = dice_throw(&s->d, 8);
    if (s->index == 0 && at < 2) {
        a->name = at ? V("李沙箱") : V("王沙箱");
        a->id = at ? V("B290110002") : V("A190130001");
        a->birth = at ? V("1991-11-03") : V("1988-05-12");
        a->id_system = V(MOI);
        a->female = at == 1;
        a->age = date_of_instant(s->at, 480).year -
                 (at ? 1992 : 1989); /* the birthday of that year may be still to come */
        return;
    }
    bool foreign = throw == 0;
    a->id_system = foreign ? V(NIA) : V(MOI);
    a->id = person_number(s, foreign ? (a->female ? '9' : '8') : a->female ? '2' : '1');
    if (foreign)
        a->name = a->female ? V("TRAN THI SANDBOX") : V("BUDI SANDBOX");
    else
        a->name = keep(s, arena_printf(s->mem, "%s%s", surnames[dice_throw(&s->d, COUNT_OF(surnames))],
                                       given[dice_throw(&s->d, COUNT_OF(given))]));
    char day[16];
    date born =
        date_of_days(date_days(date_of_instant(s->at, 480)) - a->age * 366 - (int32_t)dice_throw(&s->d, 300));
    a->birth = keep(s, arena_dup(s->mem, date_print(born, day)));
}

static void
add_actor(struct scene *s, enum mover mover)
{
    struct actor *a = &s->actors[s->n];
    *a = (struct actor){.mover = mover,
                        .known = mover != MOVER_FLED,
                        .female = dice_throw(&s->d, 2) == 1,
                        .age = (int)(18 + dice_throw(&s->d, 60))};
    if (a->known) {
        name_actor(s, a, s->n);
        a->phone = keep(s, arena_printf(s->mem, "0900-000-%03u", (unsigned)dice_throw(&s->d, 1000)));
    }
    if (mover == MOVER_CAR)
        a->plate = keep(s, arena_printf(s->mem, "SBX-%04u", (unsigned)dice_throw(&s->d, 10000)));
    if (mover == MOVER_MOTORCYCLE)
        a->plate = keep(s, arena_printf(s->mem, "SB%c-%04u", (char)('A' + (char)dice_throw(&s->d, 23)),
                                        (unsigned)dice_throw(&s->d, 10000)));
    s->n++;
}

static void
cast_actors(struct scene *s)
{
    uint32_t kind = s->index == 0 ? 0 : dice_throw(&s->d, 10);
    add_actor(s, kind == 9 ? MOVER_FLED : MOVER_CAR);
    add_actor(s, kind < 5 || kind == 9 ? MOVER_MOTORCYCLE
                 : kind < 7            ? MOVER_CAR
                 : kind == 7           ? MOVER_PEDESTRIAN
                                       : MOVER_BICYCLE);
    if (s->index != 0 && dice_throw(&s->d, 4) == 0) {
        add_actor(s, MOVER_PASSENGER);
        s->actors[2].rides_with = 2;
        if (s->actors[1].mover == MOVER_PEDESTRIAN || s->actors[1].mover == MOVER_BICYCLE)
            s->actors[2].rides_with = 1;
    }
    s->actors[0].main_cause = true;
}

/* A2 has somebody injured or dead after the first day, A3 nobody. */
static void
hurt_actors(struct scene *s)
{
    bool property_only = s->index % 3 == 2;
    s->head.class = property_only ? V("A3") : V("A2");
    s->head.dead_30d = 0;
    if (property_only)
        return;
    for (size_t i = 1; i < s->n; i++)
        s->actors[i].injured = true;
    s->actors[1].died_later = s->index % 20 == 1;
    for (size_t i = 0; i < s->n; i++) {
        s->head.dead_30d += s->actors[i].died_later;
        s->head.injured += s->actors[i].injured && !s->actors[i].died_later;
    }
}

static void
set_scene(struct scene *s)
{
    /* Old form 2022-01-01 … 2023-06-30, new form 2023-07-01 … 2026-01-31. */
    bool old = s->index % 2 == 1;
    uint32_t days = dice_throw(&s->d, old ? 546 : 946), place = dice_throw(&s->d, COUNT_OF(places));
    char day[16];
    date on = date_of_days(
        date_days((date){.year = old ? 2022 : 2023, .month = old ? 1 : 7, .day = 1, .precision = DATE_DAY}) +
        (int32_t)days);
    view text = date_print(on, day);
    struct sample_head *h = &s->head;
    h->agency = &police_sample_agencies[s->index % police_sample_agencies_count];
    h->unit = V("交通分隊");
    h->officer = V("沙箱員警");
    h->era = old ? ERA_OLD : ERA_NEW;
    h->occurred =
        keep(s, arena_printf(s->mem, "%.*sT%02u:%02u:00+08:00", VIEW_ARG(text),
                             (unsigned)(6 + dice_throw(&s->d, 17)), (unsigned)dice_throw(&s->d, 60)));
    if (h->occurred.p && instant_parse(h->occurred, &s->at, NULL) != E_OK)
        s->full = true;
    h->accident_no =
        keep(s, arena_printf(s->mem, "%04d%02d%02dSB%06zu", on.year, on.month, on.day, s->index + 1));
    h->county = view_of(places[place].county);
    h->town = view_of(places[place].town);
    h->road = view_of(places[place].road);
    h->place =
        keep(s, arena_printf(s->mem, "%s%s%s", places[place].county, places[place].town, places[place].road));
    h->lon = view_of(places[place].lon);
    h->lat = view_of(places[place].lat);
}

/* -- values of the form -- */

static void
write_row(struct scene *s, struct buf *b, const char *name, const struct police_code_row *row)
{
    view none = VIEW_NONE, code = view_of(row->code);
    if (s->style == 1)
        sample_code(b, name, none, none, code);
    else
        sample_code(b, name, view_of(row->major), view_of(row->minor), s->style == 2 ? code : none);
}

/* Any value of the column in the record's era. */
static void
write_any(struct scene *s, struct buf *b, const char *name, enum police_column c)
{
    size_t n, from = police_column_rows(c, &n), at = dice_throw(&s->d, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const struct police_code_row *row = &police_code_rows[from + (at + i) % n];
        if (!(row->eras & s->head.era))
            continue;
        write_row(s, b, name, row);
        return;
    }
}

static void
write_code(struct scene *s, struct buf *b, const char *name, enum police_column c, const char *code)
{
    const struct police_code_row *row = police_code_find(c, s->head.era, VIEW_NONE, VIEW_NONE, view_of(code));
    if (row)
        write_row(s, b, name, row);
}

static void
write_conditions(struct scene *s, struct buf *b)
{
    static const enum police_column first[] = {COLUMN_weather, COLUMN_light, COLUMN_road_class};
    static const char *const collisions[] = {"11", "12", "13", "15",
                                             "16"}; /* vehicle and vehicle, the same in both forms */
    sample_open(b, "conditions", '{');
    for (size_t i = 0; i < COUNT_OF(first); i++)
        write_any(s, b, police_column_word(first[i]), first[i]);
    sample_int(b, "speed_limit", 10 * (3 + dice_throw(&s->d, 5)));
    for (int c = COLUMN_road_form; c <= COLUMN_edge_line; c++)
        write_any(s, b, police_column_word((enum police_column)c), (enum police_column)c);
    BUF_LIT(b, "}");
    write_code(s, b, "type", COLUMN_type,
               s->actors[1].mover == MOVER_PEDESTRIAN ? "3"
                                                      : collisions[dice_throw(&s->d, COUNT_OF(collisions))]);
    write_code(s, b, "cause_main", COLUMN_cause, s->head.era == ERA_OLD ? "23" : "59");
}

/* -- parties -- */

static void
write_identity(struct buf *b, const struct actor *a)
{
    if (!a->known)
        return;
    sample_text(b, "name", a->name);
    sample_open(b, "identifiers", '[');
    sample_open(b, NULL, '{');
    sample_text(b, "system", a->id_system);
    sample_text(b, "value", a->id);
    BUF_LIT(b, "}]");
    sample_text(b, "birth_date", a->birth);
    sample_text(b, "phone", a->phone);
}

static void
write_vehicle(struct scene *s, struct buf *b, const struct actor *a)
{
    static const char *const kinds[] = {"B03", "C03", "F01", "H01", "H02", "B03"};
    static const char *const insurers[] = {"99000447", "99000559", "99000663"};
    write_code(s, b, "kind", COLUMN_party_kind, kinds[a->mover]);
    if (a->rides_with)
        sample_int(b, "rides_with", a->rides_with);
    if (a->plate.n == 0)
        return;
    sample_open(b, "vehicle", '{');
    sample_text(b, "plate", a->plate);
    sample_text(b, "insurer_ubn", view_of(insurers[dice_throw(&s->d, COUNT_OF(insurers))]));
    sample_text(b, "cali_certificate_no",
                keep(s, arena_printf(s->mem, "SB%08u", (unsigned)dice_throw(&s->d, 100000000))));
    BUF_LIT(b, "}");
}

static void
write_state(struct scene *s, struct buf *b, const struct actor *a)
{
    bool drives = a->mover <= MOVER_BICYCLE || a->mover == MOVER_FLED;
    write_code(s, b, "sex", COLUMN_sex, !a->known ? "4" : a->female ? "2" : "1");
    if (a->known)
        sample_int(b, "age", a->age);
    write_code(s, b, "injury_degree", COLUMN_injury_degree,
               !a->known       ? "4"
               : a->died_later ? "5"
               : a->injured    ? "2"
                               : "3");
    write_code(s, b, "main_injury", COLUMN_main_injury, a->injured ? "8" : "10");
    write_any(s, b, "gear", COLUMN_gear);
    write_code(s, b, "device_use", COLUMN_device_use, drives ? "1" : "5");
    write_any(s, b, "action", COLUMN_action);
    if (drives && a->known) {
        sample_open(b, "licence", '{');
        write_code(s, b, "status", COLUMN_licence_status, "1");
        write_code(s, b, "class", COLUMN_licence_class, a->mover == MOVER_MOTORCYCLE ? "10" : "8");
        BUF_LIT(b, "}");
        sample_open(b, "alcohol", '{');
        write_code(s, b, "code", COLUMN_alcohol, "2");
        sample_raw(b, "value", V("0.00"));
        sample_text(b, "method", V("呼氣, mg/L"));
        BUF_LIT(b, "}");
    }
    write_any(s, b, "impact_first", COLUMN_impact);
    write_code(s, b, "cause_own", COLUMN_cause,
               s->head.era == ERA_OLD ? (a->main_cause ? "23" : "44")
               : a->main_cause        ? "59"
                                      : "87");
    write_code(s, b, "hit_and_run", COLUMN_hit_and_run, a->known ? "1" : "2");
    write_any(s, b, "trip_purpose", COLUMN_trip_purpose);
}

static void
write_parties(struct scene *s, struct buf *b, bool whole)
{
    sample_open(b, "parties", '[');
    for (size_t i = 0; i < s->n; i++) {
        sample_open(b, NULL, '{');
        sample_int(b, "seq", (int64_t)i + 1);
        if (whole) {
            write_identity(b, &s->actors[i]);
            write_vehicle(s, b, &s->actors[i]);
            write_state(s, b, &s->actors[i]);
        } else if (s->actors[i].known) {
            sample_text(b, "name", s->actors[i].name);
        }
        BUF_LIT(b, "}");
    }
    BUF_LIT(b, "]");
}

/* -- papers -- */

static view
day_after(struct scene *s, int64_t days)
{
    char day[16];
    return keep(
        s, arena_dup(s->mem, date_print(date_of_instant(instant_add(s->at, SPAN_DAYS(days)), 480), day)));
}

static void
write_opinions(struct scene *s, struct buf *b)
{
    sample_open(b, "opinions", '[');
    sample_open(b, NULL, '{');
    sample_text(b, "requested_at", day_after(s, 1));
    sample_text(b, "issued", day_after(s, 30));
    sample_raw(b, "binding", V("false"));
    sample_open(b, "findings", '[');
    for (size_t i = 0; i < s->n; i++) {
        sample_open(b, NULL, '{');
        sample_int(b, "party", (int64_t)i + 1);
        sample_text(b, "degree", s->actors[i].main_cause ? V("main") : V("none"));
        if (s->actors[i].main_cause) {
            sample_open(b, "rule_cited", '[');
            buf_add_json(b, V("道路交通安全規則第94條第3項：未注意車前狀況"));
            BUF_LIT(b, "]");
        }
        BUF_LIT(b, "}");
    }
    BUF_LIT(b, "]}]");
}

static err
add_picture(struct scene *s, struct police_sample *p, uint32_t width, uint32_t height)
{
    struct police_sample_file *file = &p->files[p->n_files++];
    TRY(police_sample_image(&s->d, width, height, s->mem, &file->bytes));
    digest d = sha256(file->bytes);
    view hex = text_hex(s->mem, digest_view(&d));
    if (!hex.p)
        return E_TOO_LARGE;
    memcpy(file->sha256, hex.p, 64);
    file->media = V("image/png");
    return E_OK;
}

static err
write_pictures(struct scene *s, struct buf *b, struct police_sample *p, bool diagram)
{
    uint32_t side = s->index == 0 && !diagram ? 1800 : 96;
    for (int i = 0; i < (diagram ? 1 : 2); i++)
        TRY(add_picture(s, p, side * 4 / 3, side));
    sample_open(b, "attachments", '[');
    for (size_t i = 0; i < p->n_files; i++) {
        sample_open(b, NULL, '{');
        sample_text(b, "sha256", view_make(p->files[i].sha256, 64));
        sample_text(b, "media", p->files[i].media);
        sample_int(b, "bytes", (int64_t)p->files[i].bytes.n);
        sample_text(b, "kind", diagram ? V("diagram") : V("photo"));
        sample_text(b, "title", diagram ? V("道路交通事故現場圖") : V("現場照片"));
        BUF_LIT(b, "}");
    }
    BUF_LIT(b, "]");
    return E_OK;
}

static err
write_paper(struct scene *s, const char *part, int revision, struct police_sample *ret)
{
    struct buf b AUTO_DONE(buf_done);
    bool slip = strcmp(part, "slip") == 0, analysis = strcmp(part, "analysis") == 0;
    buf_init(&b, 256u << 10);
    *ret = (struct police_sample){
        .part = part, .revision = revision, .accident_no = s->head.accident_no, .agency = s->head.agency};
    s->head.part = part;
    s->head.revision = revision;
    BUF_LIT(&b, "{");
    sample_write_head(&b, &s->head);
    if (slip)
        write_conditions(s, &b);
    write_parties(s, &b, slip);
    if (analysis)
        write_opinions(s, &b);
    if (!slip && !analysis)
        TRY(write_pictures(s, &b, ret, strcmp(part, "diagram") == 0));
    BUF_LIT(&b, "}");
    ret->json = b.failed ? VIEW_NONE : arena_dup(s->mem, buf_view(&b));
    return ret->json.p ? E_OK : E_TOO_LARGE;
}

/* Of every tenth accident the age on the slip is wrong and is put right before the pictures are issued. */
static err
write_papers(struct scene *s, struct police_sample *ret, size_t *ret_n)
{
    static const char *const papers[] = {"slip", "diagram", "photos", "analysis"};
    bool wrong = s->index % 10 == 7;
    struct dice before = s->d;
    s->actors[0].age += wrong;
    for (size_t i = 0; i < COUNT_OF(papers); i++) {
        TRY(write_paper(s, papers[i], 1, &ret[(*ret_n)++]));
        if (i > 0 || !wrong)
            continue;
        s->actors[0].age--;
        s->d = before;
        TRY(write_paper(s, "slip", 2, &ret[(*ret_n)++]));
    }
    return E_OK;
}

err
police_sample_synthetic(uint64_t seed, size_t index, arena *mem,
                        struct police_sample ret[POLICE_SAMPLE_PARTS_MAX], size_t *ret_n, struct fault *f)
{
    struct scene *s = arena_make(mem, struct scene);
    size_t n = 0;
    err e = E_TOO_LARGE;
    if (s) {
        *s = (struct scene){
            .d = dice_of(seed, index), .mem = mem, .index = index, .style = (int)(index / 2 % 3)};
        set_scene(s);
        cast_actors(s);
        hurt_actors(s);
        e = write_papers(s, ret, &n);
    }
    if (e != E_OK || s->full)
        return fault_set(f, E_TOO_LARGE, "", "records that fit the memory", "larger ones");
    *ret_n = n;
    return E_OK;
}
