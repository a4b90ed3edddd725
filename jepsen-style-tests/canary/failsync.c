/* LD_PRELOAD shim: the FAILSYNC_AT-th call of FAILSYNC_CALL (fdatasync or fsync) fails with errno FAILSYNC_ERRNO.
   Calls after the failed one are counted on stderr, so that a retry is seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_of(const char *name, int otherwise)
{
    const char *value = getenv(name);
    return value ? atoi(value) : otherwise;
}

static int call(const char *name, int descriptor)
{
    static int calls;
    static int failed;
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *wanted = getenv("FAILSYNC_CALL");
    if (failed) fprintf(stderr, "synced after the failure: %s\n", name);
    if (wanted && strcmp(wanted, name) == 0 && ++calls == number_of("FAILSYNC_AT", 0))
    {
        failed = 1;
        errno = number_of("FAILSYNC_ERRNO", EIO);
        return -1;
    }

    return real(descriptor);
}

int fdatasync(int descriptor) { return call("fdatasync", descriptor); }

int fsync(int descriptor) { return call("fsync", descriptor); }
