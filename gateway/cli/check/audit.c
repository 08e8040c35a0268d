#include "cli/check/audit.h"

#include "base/buf.h"
#include "cli/check/audit_tiles.h"
#include "cli/check/keys.h"
#include "flow/evidence/evidence.h"
#include "signing/log/merkle.h"
#include "store/audit.h"

#include <assert.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Findings that are printed one by one; the rest is counted. */
#define PRINTED_MAX 100000

struct auditing {
    struct args *a;
    struct merkle_tail tail;
    struct audit_tiles *tiles; /* NULL: the store has none */
    struct head *heads;        /* not yet reached, by size */
    uint64_t printed, heads_good, heads_bad;
};

static err
ignore_subtree(void *self, unsigned level, uint64_t index, const digest *hash)
{
    (void)self;
    (void)level;
    (void)index;
    (void)hash;
    return E_OK;
}

static void
head_wrong(struct auditing *s, uint64_t n)
{
    bool zh = s->a->lang == LANG_ZH;
    s->heads_bad++;
    if (s->a->json)
        printf("{\"finding\":\"head-differs\",\"tree_size\":%llu}\n", (unsigned long long)n);
    else
        printf(zh ? "異常  紀錄與第 %llu 筆時簽署的樹首不符：紀錄曾被改寫\n"
                  : "BAD   the log is not the one whose head was signed at %llu entries: it was rewritten\n",
               (unsigned long long)n);
}

static void
heads_pass(struct auditing *s)
{
    while (s->heads && s->heads->n == s->tail.n) {
        digest root = merkle_tail_root(&s->tail);
        if (digest_eq(&root, &s->heads->root))
            s->heads_good++;
        else
            head_wrong(s, s->heads->n);
        s->heads = s->heads->next;
    }
}

static void
leaf_in(void *self, uint64_t seq, const digest *hash)
{
    struct auditing *s = self;
    (void)seq;
    heads_pass(s);
    if (s->tiles)
        audit_tiles_leaf(s->tiles, hash);
    err e = merkle_append(&s->tail, hash, ignore_subtree, NULL);
    assert(e == E_OK);
}

static void
finding_json(const struct audit_finding *f)
{
    struct buf out AUTO_DONE(buf_done);
    buf_init(&out, 4096);
    buf_printf(&out, "{\"finding\":\"%s\",\"table\":\"%s\",\"row\":", audit_code(f->what), f->table);
    buf_add_json(&out, view_of(f->row));
    if (*f->column)
        buf_printf(&out, ",\"column\":\"%s\",\"class\":\"%s\"", f->column, f->class_of);
    if (f->bit >= 0)
        buf_printf(&out, ",\"bit\":%lld", (long long)f->bit);
    if (*f->file)
        buf_printf(&out, ",\"file\":\"%s\",\"offset\":%lld,\"length\":%lld", f->file, (long long)f->offset,
                   (long long)f->length);
    BUF_LIT(&out, "}\n");
    fwrite(out.p, 1, out.failed ? 0 : out.n, stdout);
}

static void
finding_in(void *self, const struct audit_finding *f)
{
    struct auditing *s = self;
    bool zh = s->a->lang == LANG_ZH;
    if (s->printed++ >= PRINTED_MAX)
        return;
    if (s->a->json) {
        finding_json(f);
        return;
    }
    printf("%s  %s%s%s %s", zh ? "異常" : "BAD ", audit_text(f->what, zh), *f->table ? ": " : "", f->table,
           f->row);
    if (*f->column)
        printf(zh ? "，欄位 %s（%s）" : ", column %s (%s)", f->column, f->class_of);
    if (f->bit >= 0)
        printf(zh ? "，第 %lld 位元" : ", bit %lld", (long long)f->bit);
    if (*f->file)
        printf(zh ? "，檔案 %s，位置 %lld，長度 %lld" : ", file %s at %lld, %lld bytes", f->file,
               (long long)f->offset, (long long)f->length);
    printf("\n");
}

static void
print_summary(const struct auditing *s, const struct audit_counts *c, double seconds)
{
    char root[65];
    struct rusage used;
    digest d = merkle_tail_root(&s->tail);
    for (size_t i = 0; i < sizeof d.b; i++)
        snprintf(root + 2 * i, 3, "%02x", d.b[i]);
    getrusage(RUSAGE_SELF, &used);
    bool zh = s->a->lang == LANG_ZH;
    unsigned long long bad = c->findings + s->heads_bad;
    if (s->a->json) {
        printf("{\"leaves\":%llu,\"entries\":%llu,\"rows\":%llu,\"bodies\":%llu,\"body_bytes\":%llu,"
               "\"heads\":%llu,"
               "\"findings\":%llu,\"root\":\"%s\",\"seconds\":%.2f,\"rss_mb\":%.1f}\n",
               (unsigned long long)c->leaves, (unsigned long long)c->entries, (unsigned long long)c->rows,
               (unsigned long long)c->bodies, (unsigned long long)c->body_bytes,
               (unsigned long long)s->heads_good, bad, root, seconds, (double)used.ru_maxrss / 1024);
        return;
    }
    printf(zh ? "紀錄 %llu 筆，資料列 %llu 筆，本文 %llu 份（%llu 位元組），樹首 %llu 個相符\n樹根 %s\n%.1f "
                "秒，記憶體 %.0f MB\n"
              : "%llu log entries, %llu rows, %llu bodies (%llu bytes), %llu signed heads agree\nroot "
                "%s\n%.1f s, %.0f MB\n",
           (unsigned long long)c->leaves, (unsigned long long)c->rows, (unsigned long long)c->bodies,
           (unsigned long long)c->body_bytes, (unsigned long long)s->heads_good, root, seconds,
           (double)used.ru_maxrss / 1024);
    if (bad)
        printf(zh ? "發現 %llu 處異常\n" : "%llu findings\n", bad);
    else
        printf(zh ? "正常：所有資料列、檔案與紀錄樹葉相符\n"
                  : "ok    every row, file and log entry is what was written\n");
}

int
audit_folder(struct args *a, const char *dir, struct head *heads, uint64_t bad, struct audit_tiles *tiles)
{
    struct auditing s = {.a = a, .heads = heads, .heads_bad = bad, .tiles = tiles};
    struct audit_counts counts;
    struct fault f;
    const struct audit_ops ops = {&s, evidence_leaf_hash, leaf_in, finding_in};
    int64_t begun = clock_monotonic_us();
    fault_init(&f);
    if (tiles)
        audit_tiles_tell(tiles, finding_in, &s);
    err e = store_audit(dir, &ops, &counts, &f);
    if (e == E_OK && s.tiles)
        counts.findings += audit_tiles_end(s.tiles);
    if (e != E_OK)
        return command_fail(a, e, &f);
    heads_pass(&s);
    for (; s.heads; s.heads = s.heads->next)
        head_wrong(&s, s.heads->n); /* the log is shorter than a head that was signed */
    print_summary(&s, &counts, (double)(clock_monotonic_us() - begun) / 1e6);
    return counts.findings || s.heads_bad ? EXIT_SIGNATURE : EXIT_OK;
}

static void
head_unsigned(struct args *a, const char *file, size_t at, size_t length)
{
    const struct audit_finding bad = {.what = AUDIT_HEAD,
                                      .table = "",
                                      .column = "",
                                      .class_of = "",
                                      .bit = -1,
                                      .offset = (int64_t)at,
                                      .length = (int64_t)length};
    struct audit_finding f = bad;
    struct auditing s = {.a = a};
    snprintf(f.file, sizeof f.file, "%s", file);
    finding_in(&s, &f);
}

/* The checkpoint of the log's files; none where the gateway wrote none. */
static err
read_tiled(struct args *a, const struct config *c, const struct key_list *keys, struct head **ret,
           struct fault *f)
{
    char path[4400];
    view text = VIEW_NONE;
    size_t at = 0;
    *ret = NULL;
    snprintf(path, sizeof path, "%s/log/checkpoint", config_cstr(c, SET_STORE_DIR));
    if (access(path, R_OK) != 0)
        return E_OK;
    TRY(file_read(path, a->mem, &text, f));
    return heads_read(text, V(""), keys->pkeys, keys->n, a->mem, ret, &at, f);
}

/* Checkpoint and right edge of one moment: a gateway that runs may write the next between the two. */
static err
open_tiles(struct args *a, const struct config *c, struct audit_tiles **ret, uint64_t *ret_bad,
           struct fault *f)
{
    struct key_list keys AUTO_DONE(keys_done) = {0};
    struct head *before = NULL, *after = NULL;
    struct fault unused;
    TRY(keys_of_args(a, c, &keys, f));
    for (int i = 0; i < 3; i++) {
        fault_init(&unused);
        audit_tiles_free(TAKE(*ret));
        if (read_tiled(a, c, &keys, &before, &unused) != E_OK) {
            head_unsigned(a, "log/checkpoint", 0, INT64_MAX);
            *ret_bad += 1;
            return E_OK;
        }
        if (!before)
            return E_OK;
        *ret = audit_tiles_new(config_cstr(c, SET_STORE_DIR), before->n);
        if (read_tiled(a, c, &keys, &after, &unused) == E_OK && after && after->n == before->n)
            return E_OK;
    }
    return E_OK;
}

/* Heads of --head, else those that the gateway kept.  A kept one that does not hold is a finding: it is part of what is audited. */
static err
read_heads(struct args *a, const struct config *c, struct head **ret, uint64_t *ret_bad, struct fault *f)
{
    struct key_list keys AUTO_DONE(keys_done) = {0};
    char kept[4400];
    const char *file = args_value(a, "head");
    view text = VIEW_NONE, origin = file ? config_text(c, SET_HTTP_BASE_URL) : V("");
    size_t at = 0;
    snprintf(kept, sizeof kept, "%s/log/heads", config_cstr(c, SET_STORE_DIR));
    if (!file && access(kept, R_OK) != 0)
        return E_OK;
    TRY(file_read(file ? file : kept, a->mem, &text, f));
    TRY(keys_of_args(a, c, &keys, f));
    err e = heads_read(text, origin, keys.pkeys, keys.n, a->mem, ret, &at, f);
    if (e == E_OK || file)
        return e;
    head_unsigned(a, "log/heads", at, text.n - at);
    *ret_bad = 1;
    return E_OK;
}

int
run_audit_verify(struct args *a)
{
    AUTO(config_free) struct config *c = NULL;
    struct audit_tiles *tiles = NULL;
    struct head *heads = NULL;
    struct fault f;
    uint64_t bad = 0;
    fault_init(&f);
    digest_start();
    err e = args_config(a, &c, &f);
    if (e == E_OK)
        e = read_heads(a, c, &heads, &bad, &f);
    fault_init(&f);
    if (e == E_OK)
        e = open_tiles(a, c, &tiles, &bad, &f);
    int code = e == E_OK ? audit_folder(a, config_cstr(c, SET_STORE_DIR), heads, bad, tiles)
                         : command_fail(a, e, &f);
    audit_tiles_free(tiles);
    return code;
}
