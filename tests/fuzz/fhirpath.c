/* room: fhir */
/* First line: an expression; the rest: a document (or, when there is none, one patient).  What compiles must be a
 * program that its own check accepts, must end within its steps and its memory, and must give the same outcome as an
 * invariant; and a program with one byte changed must be refused or end as well. */
#include "fhir/fhirpath.h"
#include "fhir/fhir.h"

#include <stdlib.h>

#define ROOM ((size_t)16 << 20)
#define STEPS UINT64_C(50000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool claim)
{
    if (!claim)
        abort();
}

static const char patient[] = "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"name\":[{"
                              "\"family\":\"A\",\"given\":[\"B\",null],"
                              "\"_given\":[null,{\"extension\":[{\"url\":\"u\",\"valueString\":\"v\"}]}]}],"
                              "\"birthDate\":\"1990-05-17\","
                              "\"multipleBirthInteger\":2,\"extension\":[{\"url\":\"q\",\"valueQuantity\":{"
                              "\"value\":4.50,\"code\":\"mg\"}}]}";

static void
check_values(const struct fhirpath_focus *focus, const struct fhirpath_values *values, arena *mem)
{
    for (uint32_t i = 0; i < values->n && i < 100; i++) {
        must(values->items[i].kind <= FHIRPATH_TYPE);
        must(fhirpath_type_name(focus, &values->items[i], mem).n > 0);
        (void)fhirpath_text(focus, &values->items[i], mem);
    }
}

/* The outcome as values and as an invariant agree, since both have the same steps. */
static void
run(view program, struct fhirpath_focus *focus, arena *mem)
{
    struct fhirpath_values values;
    bool holds = false;
    uint64_t steps = STEPS;
    focus->steps = &steps;
    err e = fhirpath_eval(program, focus, &values, NULL);
    if (e == E_OK)
        check_values(focus, &values, mem);
    steps = STEPS;
    err again = fhirpath_holds(program, focus, &holds, NULL);
    must(e == again || e == E_TOO_LARGE || again == E_TOO_LARGE);
    if (e == E_OK && again == E_OK && values.n != 1)
        must(holds == (values.n > 0));
}

static void
run_damaged(view program, struct fhirpath_focus *focus, arena *mem, size_t at)
{
    char *copy = arena_alloc(mem, program.n);
    uint64_t steps = STEPS;
    struct fhirpath_values values;
    if (copy == NULL)
        return;
    memcpy(copy, program.p, program.n);
    copy[at % program.n] = (char)(copy[at % program.n] + 1 + (char)(at / program.n % 255));
    focus->steps = &steps;
    if (fhirpath_check((view){copy, program.n}) == E_OK)
        must(fhirpath_eval((view){copy, program.n}, focus, &values, NULL) < ERR_COUNT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    view rest = view_make(data, size), text = view_cut(&rest, '\n', NULL), program;
    arena *mem = arena_new(ROOM);
    struct tree tree;
    struct fault f;
    size_t mark = 0;

    fault_init(&f);
    err e = fhirpath_compile(text, mem, &program, &f);
    must(f.code == e);
    bool read = e == E_OK && (fhir_read_signed(NULL, rest, mem, &tree, NULL) == E_OK ||
                              fhir_read(FHIR_JSON, view_of(patient), mem, &tree, NULL) == E_OK);
    if (read) {
        must(fhirpath_check(program) == E_OK);
        struct fhirpath_focus focus = {
            .tree = &tree, .node = tree_root(&tree), .resource = tree_root(&tree), .mem = mem};
        run(program, &focus, mem);
        for (size_t i = 0; i < size; i++)
            mark = mark * 31 + data[i];
        run_damaged(program, &focus, mem, mark);
    }
    arena_free(mem);
    return 0;
}
