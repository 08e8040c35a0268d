/* Runs a fuzz target over files: every file of the folders given, and files given by name.  It stands in for
 * libFuzzer where that is not linked, so that the corpora are tests with any compiler.  Fails when a folder
 * holds no file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes go into a block of their very size, so that AddressSanitizer sees a read too far. */
static int
replay_file(const char *path)
{
    struct stat st;
    FILE *in = fopen(path, "rb");

    if (in == NULL || fstat(fileno(in), &st) != 0) {
        perror(path);
        exit(1);
    }
    uint8_t *data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (data == NULL || fread(data, 1, (size_t)st.st_size, in) != (size_t)st.st_size) {
        perror(path);
        exit(1);
    }
    (void)fclose(in);
    (void)fprintf(stderr, "%s\n", path); /* before the run: a crash shows whose it is */
    (void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    free(data);
    return 1;
}

static int
replay_folder(const char *folder)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, alphasort), files = 0;

    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (length < (int)sizeof path && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            files += replay_file(path);
        free(names[i]);
    }
    free(names);
    if (files == 0)
        (void)fprintf(stderr, "%s: no file to replay\n", folder);
    return files;
}

int
main(int argc, char **argv)
{
    int empty = argc < 2;

    for (int i = 1; i < argc; i++) {
        struct stat st;
        int folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        empty |= (folder ? replay_folder(argv[i]) : replay_file(argv[i])) == 0;
    }
    return empty ? 1 : 0;
}
