/*
 * libarchive.c: loads libarchive. See libarchive.h.
 */
#include "run/libarchive.h"

#include <dlfcn.h>
#include <string.h>

/* Linux since libarchive 3.0; FreeBSD's base system; a port or anything else. */
static const char *const names[] = {"libarchive.so.13", "libarchive.so.7", "libarchive.so"};

static bool take(void *handle, const char *name, void *ret_function, size_t size)
{
    void *found = dlsym(handle, name);
    /* ISO C has no conversion from an object's to a function's pointer; POSIX promises that they look the same. */
    memcpy(ret_function, &found, size);
    return found != NULL;
}

int ja_libarchive_load(const struct ja_libarchive **ret_library, struct ja_error *err)
{
    static struct ja_libarchive library;
    static bool loaded;
    void *handle = NULL;
    for (size_t i = 0; !loaded && !handle && i < JA_COUNT(names); i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!loaded && !handle) {
        ja_error_set(err, JA_E_UNSUPPORTED, NULL, "the library libarchive was not found");
        return ja_error_hint(err, "install the package libarchive13");
    }
    if (!loaded) {
        bool all = true;
#define TAKE(name) all = all && take(handle, "archive_" #name, &library.name, sizeof library.name);
        JA_LIBARCHIVE_FUNCTIONS(TAKE)
#undef TAKE
        if (!all)
            return ja_error_set(err, JA_E_UNSUPPORTED, NULL, "this libarchive is too old");
        loaded = true;
    }
    *ret_library = &library;
    return 0;
}
