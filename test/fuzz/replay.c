/* Runs a fuzz target over files, for compilers without a fuzzer. A folder stands
 * for the files in it. The input lies in memory of exactly its size, so that the
 * address sanitizer sees a read past the end. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned runs;

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || stat(path, &st) < 0) {
        perror(path);
        if (f)
            fclose(f);
        return 1;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    int failed = !data || fread(data, 1, size, f) != size;
    fclose(f);
    if (failed) {
        fprintf(stderr, "%s: cannot be read\n", path);
    } else {
        LLVMFuzzerTestOneInput(data, size);
        runs++;
    }
    free(data);
    return failed;
}

static int run_folder(const char *path, DIR *dir)
{
    int failed = 0;
    for (struct dirent *d; (d = readdir(dir));) {
        char file[4096];
        if (d->d_name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, d->d_name);
        failed |= run_file(file);
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            continue; /* options of the real fuzzer */
        DIR *dir = opendir(argv[i]);
        failed |= dir ? run_folder(argv[i], dir) : run_file(argv[i]);
        if (dir)
            closedir(dir);
    }
    printf("%u inputs\n", runs);
    return failed;
}
