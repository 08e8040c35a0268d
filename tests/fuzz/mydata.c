/* room: adapters */
/* Archives and manifests of any bytes: what is read stays under the ceilings and has names that lead nowhere. */
#include "adapters/mydata/archive.h"
#include "adapters/mydata/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_free) arena *mem = arena_new(128u << 20);
    struct archive *a = arena_make(mem, struct archive);
    struct manifest *m = arena_make(mem, struct manifest);
    must(a && m);
    if (archive_read(view_make(data, size), mem, a, NULL) == E_OK) {
        size_t all = 0;
        for (size_t i = 0; i < a->n; i++) {
            view name = a->files[i].name;
            must(name.n > 0 && name.p[0] != '/' && view_find(name, V("..")) != 0 &&
                 view_find_byte(name, '\\') == name.n);
            must(a->files[i].bytes.n <= ARCHIVE_FILE_MAX);
            all += a->files[i].bytes.n;
        }
        must(a->n <= ARCHIVE_FILES_MAX && all <= ARCHIVE_BYTES_MAX);
    }
    if (manifest_read(view_make(data, size), mem, m, NULL) == E_OK)
        for (size_t i = 0; i < m->n; i++)
            must(m->rows[i].filename.n > 0);
    return 0;
}
