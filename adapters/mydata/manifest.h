/* The two lists of a MyData package: META-INFO/manifest.xml of the outer archive (what each resource came to) and of the inner
 * one (the digest of each file).  One shape: files/file with text members.  Any thread. */
#ifndef ADAPTERS_MYDATA_MANIFEST_H
#define ADAPTERS_MYDATA_MANIFEST_H

#include "adapters/mydata/archive.h"

#define MANIFEST_BYTES_MAX 65536

struct manifest_row {
    view filename;
    view resource_id, resource_name, code; /* outer */
    view digest;                           /* inner */
};

struct manifest {
    struct manifest_row rows[ARCHIVE_FILES_MAX];
    size_t n;
};

/* UTF-8, no DOCTYPE, no other elements; each member at most once. E_XML_SYNTAX, E_XML_DOCTYPE, E_UTF8, E_PACKAGE_FORM,
 * E_TOO_LARGE. */
err manifest_read(view xml, arena *mem, struct manifest *ret, struct fault *f) MUST_USE;

#endif
