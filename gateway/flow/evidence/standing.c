#include "flow/evidence/standing.h"

#include "base/embed.h"
#include "base/json.h"
#include "flow/evidence/evidence.h"
#include "flow/evidence/keyring.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)
#define NOTE_MEMORY (16u << 20)
#define PATH_SIZE 4352

extern const struct embedded fhir_profiles[];

/* False when the file cannot be read. */
static bool
hash_file(const char *path, struct sha256 *hash)
{
    static _Thread_local char part[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    while (fd >= 0 && (n = read(fd, part, sizeof part)) > 0)
        sha256_add(hash, view_make(part, (size_t)n));
    if (fd >= 0)
        close(fd);
    return n == 0;
}

static bool
program_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    (void)g;
    (void)mem;
    return hash_file("/proc/self/exe", hash);
}

static bool
profiles_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    (void)g;
    (void)mem;
    for (const struct embedded *file = fhir_profiles; file->path; file++) {
        sha256_add(hash, view_make(file->path, strlen(file->path) + 1));
        sha256_add(hash, view_make(file->bytes, file->length));
    }
    return true;
}

static bool
settings_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    (void)mem;
    for (int s = 0; s < SETTING_COUNT; s++) {
        view value = config_text(g->config, (enum setting)s);
        const char *name = setting_info((enum setting)s)->name;
        sha256_add(hash, view_make(name, strlen(name) + 1));
        sha256_add(hash, value);
        sha256_add(hash, view_make("", 1));
    }
    return true;
}

/* Anchors only: revocation lists change by themselves and are kept with each verdict. */
static bool
hash_anchors(const json_t *files, view folder, struct sha256 *hash)
{
    size_t i;
    const json_t *file;
    json_array_foreach(files, i, file)
    {
        char path[PATH_SIZE];
        const char *name = json_string_value(file) ? json_string_value(file) : "";
        snprintf(path, sizeof path, name[0] == '/' ? "%.0s%s" : "%s%s", folder.p, name);
        if (!hash_file(path, hash))
            return false;
    }
    return true;
}

static bool
trust_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    char path[CONFIG_PATH_SIZE];
    json_t *json = NULL, *use;
    const char *name;
    config_path(g->config, SET_TRUST_FILE, "trust.json", path);
    char *text = arena_alloc(mem, FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 || !text ? -1 : read(fd, text, FILE_MAX);
    if (fd >= 0)
        close(fd);
    if (n < 0 || json_load(view_make(text, (size_t)n), mem, &json, NULL) != E_OK)
        return false;
    sha256_add(hash, view_make(text, (size_t)n));
    char *slash = strrchr(path, '/');
    path[slash ? slash - path + 1 : 0] = '\0';
    bool good = true;
    json_object_foreach(json_object_get(json, "uses"), name, use)
    {
        good = good && hash_anchors(json_object_get(use, "roots"), view_of(path), hash) &&
               hash_anchors(json_object_get(use, "intermediates"), view_of(path), hash);
    }
    return good;
}

/* A file of rules; the built-in ones are part of the program. */
static bool
file_digest(const char *path, struct sha256 *hash)
{
    return *path == '\0' || hash_file(path, hash);
}

static bool
revocation_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    (void)mem;
    return file_digest(config_cstr(g->config, SET_TRUST_POLICY), hash);
}

static bool
authority_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    (void)mem;
    return file_digest(config_cstr(g->config, SET_TRUST_AUTHORITY), hash);
}

static bool
keys_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    AUTO(keyring_unref) struct keyring *keys = gateway_keys(g);
    view jwks = keyring_jwks(keys, (instant){0}, mem);
    sha256_add(hash, jwks);
    return jwks.p != NULL;
}

static bool
tls_digest(struct gateway *g, struct sha256 *hash, arena *mem)
{
    (void)mem;
    return file_digest(config_cstr(g->config, SET_HTTP_TLS_CERT), hash) &&
           file_digest(config_cstr(g->config, SET_HTTP_TLS_CLIENT_CA), hash);
}

static const struct {
    const char *kind;
    bool (*take)(struct gateway *g, struct sha256 *hash, arena *mem);
} standings[] = {
    {"program", program_digest},
    {"profiles", profiles_digest},
    {"settings", settings_digest},
    {"trust-list", trust_digest},
    {"revocation-policy", revocation_digest},
    {"authority", authority_digest},
    {"keys", keys_digest},
    {"tls", tls_digest},
};

static err
note(struct gateway *g, const char *kind, const digest *now, arena *mem)
{
    AUTO(reader_done) struct reader *r = NULL;
    struct row_standing *before = NULL;
    struct unit u;
    digest leaf;
    TRY(store_reader(g->store, &r));
    TRY(query_standing(r, ARGS(val_text(view_of(kind))), mem, &before));
    if (before && digest_eq(&before->digest, now))
        return E_OK;
    reader_done(TAKE(r));
    unit_init(&u, mem);
    struct row_standing *row = unit_add_standing(&u);
    if (!row)
        return E_TOO_LARGE;
    *row = (struct row_standing){
        .kind = view_of(kind), .digest = *now, .ref = uid_new(), .since = clock_now(), .op = ROW_PUT};
    const digest parts[] = {sha256(view_of(kind)), *now};
    TRY(evidence_leaf(&u, "standing", row->ref, parts, COUNT_OF(parts), row->since, &leaf));
    return store_commit(g->store, &u);
}

err
standing_note(struct gateway *g, const char *only, struct fault *f)
{
    AUTO(arena_free) arena *mem = arena_new(NOTE_MEMORY);
    AUTO(sha256_free) struct sha256 *hash = sha256_new();
    for (size_t i = 0; i < COUNT_OF(standings); i++) {
        if (only ? strcmp(standings[i].kind, only) != 0 : strcmp(standings[i].kind, "tls") == 0)
            continue;
        bool good = standings[i].take(g, hash, mem);
        digest now = sha256_end(hash);
        if (!good)
            return fault_set(f, E_FILE, standings[i].kind, "files that can be read", "one that cannot");
        TRY(note(g, standings[i].kind, &now, mem));
    }
    return E_OK;
}
