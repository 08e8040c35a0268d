/* Runs while the gateway is built: the npm package with HL7's definitions in, the pack of base R4 out. */
#include "fhir/package.h"

#include <stdio.h>

/* The pack that the room asks for does not exist yet. */
extern const char fhir_base_pack[], fhir_base_pack_end[];
__asm__(".section .rodata\n"
        ".balign 16\n"
        ".global fhir_base_pack\n"
        "fhir_base_pack:\n"
        ".global fhir_base_pack_end\n"
        "fhir_base_pack_end:\n"
        ".byte 0\n"
        ".text\n");

static int
write_file(const char *path, const struct buf *out)
{
    FILE *file = fopen(path, "wb");
    bool done = file && fwrite(out->p, 1, out->n, file) == out->n;
    if (file && fclose(file) != 0)
        done = false;
    if (!done)
        fprintf(stderr, "mkpack: %s cannot be written\n", path);
    return done ? 0 : 1;
}

int
main(int argc, char **argv)
{
    struct buf out;
    struct fault f;
    if (argc != 3) {
        fprintf(stderr, "usage: mkpack PACKAGE.tgz OUT.pack\n");
        return 2;
    }
    fault_init(&f);
    buf_init(&out, (size_t)1 << 30);
    err e = package_compile_base(argv[1], &out, &f);
    if (e != E_OK)
        fprintf(stderr, "mkpack: %s: expected %s, found %s\n", f.where, f.expected, f.found);
    int status = e == E_OK ? write_file(argv[2], &out) : 1;
    buf_done(&out);
    return status;
}
