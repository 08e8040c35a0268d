/* A zip archive from outside, read whole under ceilings.
 *
 * Names are checked before any content is touched: relative, one folder deep at most, no dot segments, no backslash,
 * no control character, none twice (case counts for nothing there: another system might not tell them apart).  Stored and deflated entries
 * only, not encrypted, no links.  The content is checked against its CRC.  Any thread. */
#ifndef ADAPTERS_MYDATA_ARCHIVE_H
#define ADAPTERS_MYDATA_ARCHIVE_H

#include "base/arena.h"
#include "base/err.h"

#define ARCHIVE_FILES_MAX 64
#define ARCHIVE_FILE_MAX ((size_t)32 << 20)
#define ARCHIVE_BYTES_MAX ((size_t)64 << 20)
/* Unpacked to packed, above the first megabyte: papers and pictures stay far below, bombs far above. */
#define ARCHIVE_RATIO_MAX 200

struct archive_file {
    view name, bytes;
};

struct archive {
    struct archive_file files[ARCHIVE_FILES_MAX];
    size_t n;
};

/* E_PACKAGE_FORM, E_PACKAGE_NAME, E_TOO_LARGE. */
err archive_read(view zip, arena *mem, struct archive *ret, struct fault *f) MUST_USE;
/* NULL when it is not there. */
const struct archive_file *archive_find(const struct archive *a, view name);

#endif
