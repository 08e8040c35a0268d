#include "flow/evidence/seal.h"

#include "base/buf.h"
#include "base/text.h"
#include "signing/box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEK_TEXT 64

struct seal {
    uint8_t kek[32];
    digest index; /* HMAC key of blind indexes */
};

static err
kek_read(const char *file, uint8_t ret[32], struct fault *f)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, E_FILE, file, "a readable key file", "none");
    struct stat st;
    char text[KEK_TEXT + 1];
    ssize_t n = read(fd, text, sizeof text);
    bool exposed = fstat(fd, &st) != 0 || (st.st_mode & 077) != 0;
    close(fd);
    if (exposed)
        return fault_set(f, E_FILE, file, "mode 0400 or 0600", "readable by others");
    arena *mem = arena_new(1024);
    view bytes;
    err e = n < KEK_TEXT ? E_SYNTAX : text_hex_decode(view_make(text, KEK_TEXT), mem, &bytes);
    if (e == E_OK)
        memcpy(ret, bytes.p, 32);
    arena_free(mem);
    box_forget(text, sizeof text);
    return e == E_OK ? E_OK : fault_set(f, E_FILE, file, "64 hex digits", "another form");
}

err
seal_open(const char *kek_file, struct seal **ret, struct fault *f)
{
    struct seal *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    err e = kek_read(kek_file, s->kek, f);
    if (e != E_OK) {
        seal_close(s);
        return e;
    }
    s->index = seal_derived(s, "blind-index-v1");
    *ret = s;
    return E_OK;
}

err
seal_create(const char *kek_file, struct fault *f)
{
    uint8_t kek[32];
    random_bytes(kek, sizeof kek);
    struct buf text;
    buf_init(&text, KEK_TEXT + 2);
    buf_add_hex(&text, view_make(kek, sizeof kek));
    BUF_LIT(&text, "\n");
    int fd = open(kek_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    bool written = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    box_forget(kek, sizeof kek);
    box_forget(text.p, text.n);
    buf_done(&text);
    return written
               ? E_OK
               : fault_set(f, E_FILE, kek_file, "a new file", errno == EEXIST ? "it exists" : "not writable");
}

void
seal_close(struct seal *s)
{
    if (!s)
        return;
    box_forget(s, sizeof *s);
    free(s);
}

digest
seal_derived(const struct seal *s, const char *label)
{
    return hmac_sha256(view_make(s->kek, sizeof s->kek), view_of(label));
}

digest
seal_blind(const struct seal *s, const char *label, const view *parts, size_t n)
{
    /* Length-prefixed, so that ("ab","c") and ("a","bc") differ. */
    view all[1 + 2 * 8];
    uint8_t lengths[8][4];
    size_t used = 0;
    all[used++] = view_make(label, strlen(label) + 1);
    for (size_t i = 0; i < n && i < 8; i++) {
        for (int b = 0; b < 4; b++)
            lengths[i][b] = (uint8_t)(parts[i].n >> (24 - 8 * b));
        all[used++] = view_make(lengths[i], 4);
        all[used++] = parts[i];
    }
    return hmac_sha256_parts(digest_view(&s->index), all, used);
}

err
seal_new_key(const struct seal *s, struct unit *u, const char *scope, struct data_key *ret)
{
    struct row_data_key *row = unit_add_data_key(u);
    uint8_t *wrapped = arena_alloc(u->mem, WRAPPED_KEY_SIZE);
    if (!row || !wrapped)
        return E_TOO_LARGE;
    ret->id = uid_new();
    random_bytes(ret->bytes, sizeof ret->bytes);
    key_wrap(s->kek, ret->bytes, wrapped);
    row->id = ret->id;
    row->scope = view_of(scope);
    row->wrapped = view_make(wrapped, WRAPPED_KEY_SIZE);
    row->since = clock_now();
    return E_OK;
}

err
seal_load_key(const struct seal *s, struct reader *r, uid key, arena *mem, struct data_key *ret)
{
    struct row_data_key *row = NULL;
    TRY(query_data_key(r, ARGS(val_uid(&key)), mem, &row));
    if (!row)
        return E_NOT_FOUND;
    ret->id = key;
    return key_unwrap(s->kek, row->wrapped, ret->bytes);
}

void
data_key_forget(struct data_key *k)
{
    box_forget(k->bytes, sizeof k->bytes);
}

#define AAD_MAX 64

static view
place(view table, uid row, char out[AAD_MAX])
{
    size_t n = table.n < AAD_MAX - sizeof row.b ? table.n : AAD_MAX - sizeof row.b;
    memcpy(out, table.p, n);
    memcpy(out + n, row.b, sizeof row.b);
    return view_make(out, n + sizeof row.b);
}

err
seal_box(const struct data_key *k, view table, uid row, view plain, arena *mem, view *ret)
{
    char aad[AAD_MAX];
    return box_seal(k->bytes, place(table, row, aad), plain, mem, ret);
}

err
seal_unbox(const struct data_key *k, view table, uid row, view box, arena *mem, view *ret)
{
    char aad[AAD_MAX];
    return box_open(k->bytes, place(table, row, aad), box, mem, ret);
}

digest
seal_commitment(const struct data_key *k, uid recipient)
{
    return hmac_sha256(view_make(k->bytes, sizeof k->bytes), uid_view(&recipient));
}
