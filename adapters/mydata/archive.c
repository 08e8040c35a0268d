#include "adapters/mydata/archive.h"

#include "base/text.h"

#include <stdlib.h>
#include <zip.h>

#define NAME_MAX_BYTES 255
#define UNIX_TYPE 0170000u
#define UNIX_FILE 0100000u

static err
malformed(struct fault *f, const char *expected, const char *found)
{
    return fault_set(f, E_PACKAGE_FORM, "zip", expected, found);
}

static bool
is_segment(view s)
{
    return s.n > 0 && !view_eq(s, V(".")) && !view_eq(s, V(".."));
}

static bool
is_name(view name)
{
    bool found = false;
    view rest = name;
    if (name.n == 0 || name.n > NAME_MAX_BYTES || !text_is_utf8(name, NULL))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == '\\' || name.p[i] == ':')
            return false;
    view first = view_cut(&rest, '/', &found);
    return is_segment(first) && (!found || (is_segment(rest) && view_find_byte(rest, '/') == rest.n));
}

static err
check_name(const struct archive *a, view name, struct fault *f)
{
    if (!is_name(name))
        return fault_setf(f, E_PACKAGE_NAME, "a relative name, one folder deep", "another", "entry %zu",
                          a->n);
    for (size_t i = 0; i < a->n; i++)
        if (view_eq_nocase(a->files[i].name, name))
            return fault_setf(f, E_PACKAGE_NAME, "each name once", "one twice", "entry %zu", a->n);
    return E_OK;
}

/* What is stated about an entry, before it is opened. */
static err
check_entry(zip_t *zip, zip_uint64_t i, const zip_stat_t *st, size_t left, struct fault *f)
{
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    const zip_uint64_t needed =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((st->valid & needed) != needed || st->encryption_method != ZIP_EM_NONE ||
        (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE))
        return malformed(f, "entries stored or deflated, not encrypted", "another entry");
    if (zip_file_get_external_attributes(zip, i, 0, &system, &attributes) == 0 && system == ZIP_OPSYS_UNIX &&
        (attributes >> 16 & UNIX_TYPE) != 0 && (attributes >> 16 & UNIX_TYPE) != UNIX_FILE)
        return malformed(f, "files", "a link or device");
    if (st->size > ARCHIVE_FILE_MAX || st->size > left ||
        (st->size > (1u << 20) && st->size / ARCHIVE_RATIO_MAX > st->comp_size))
        return fault_set(f, E_TOO_LARGE, "zip", "less when unpacked", "more");
    return E_OK;
}

/* Reads one byte further than stated: that is where libzip compares the CRC, and where a longer content shows. */
static err
read_entry(zip_t *zip, zip_uint64_t i, size_t size, arena *mem, view *ret, struct fault *f)
{
    char *bytes = arena_alloc(mem, size + 1), more;
    if (!bytes)
        return E_TOO_LARGE;
    zip_file_t *file = zip_fopen_index(zip, i, 0);
    if (!file)
        return malformed(f, "an entry that opens", "another");
    bool good = true;
    for (size_t at = 0; good && at < size;) {
        zip_int64_t n = zip_fread(file, bytes + at, size - at);
        good = n > 0;
        at += good ? (size_t)n : 0;
    }
    good = good && zip_fread(file, &more, 1) == 0;
    zip_fclose(file);
    if (!good)
        return malformed(f, "content as long as stated, with its checksum", "other content");
    *ret = view_make(bytes, size);
    return E_OK;
}

static err
read_all(zip_t *zip, arena *mem, struct archive *ret, struct fault *f)
{
    zip_int64_t n = zip_get_num_entries(zip, 0);
    size_t left = ARCHIVE_BYTES_MAX;
    if (n < 1 || n > ARCHIVE_FILES_MAX)
        return malformed(f, "1 to 64 entries", "another number");
    for (zip_uint64_t i = 0; i < (zip_uint64_t)n; i++) {
        zip_stat_t st;
        if (zip_stat_index(zip, i, ZIP_FL_ENC_RAW, &st) != 0 || !(st.valid & ZIP_STAT_NAME))
            return malformed(f, "entries with names", "another entry");
        view name = view_of(st.name);
        if (view_eq(name, V("META-INFO/")) && st.size == 0)
            continue;
        TRY(check_name(ret, name, f));
        TRY(check_entry(zip, i, &st, left, f));
        struct archive_file *one = &ret->files[ret->n];
        one->name = arena_dup(mem, name);
        if (!one->name.p)
            return E_TOO_LARGE;
        TRY(read_entry(zip, i, (size_t)st.size, mem, &one->bytes, f));
        left -= one->bytes.n;
        ret->n++;
    }
    return E_OK;
}

err
archive_read(view bytes, arena *mem, struct archive *ret, struct fault *f)
{
    zip_error_t why;
    zip_error_init(&why);
    ret->n = 0;
    zip_source_t *source = bytes.n ? zip_source_buffer_create(bytes.p, bytes.n, 0, &why) : NULL;
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;
    zip_error_fini(&why);
    if (!zip) {
        if (source)
            zip_source_free(source);
        return malformed(f, "a zip archive", "something else");
    }
    err e = read_all(zip, mem, ret, f);
    zip_discard(zip);
    return e;
}

const struct archive_file *
archive_find(const struct archive *a, view name)
{
    for (size_t i = 0; i < a->n; i++)
        if (view_eq(a->files[i].name, name))
            return &a->files[i];
    return NULL;
}
