/*
 * xstate.c: a library for linux.uml (LD_PRELOAD). User-mode Linux 6.1 keeps 2,696 bytes of a processor's extended state, what AVX-512
 * and protection keys take, and writes so many back to its processes. Linux takes the whole state or nothing: on a processor with
 * more (AMX: 11,008 bytes) it says EFAULT, and the guest's first process dies. Here what UML knows is laid over what is there.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static long (*real)(enum __ptrace_request request, ...);

/* At once: later we are on a stack of UML's kernel, which is small. */
__attribute__((constructor)) static void find_real(void)
{
    *(void **)&real = dlsym(RTLD_NEXT, "ptrace");
}

long ptrace(enum __ptrace_request request, ...)
{
    static char whole[65536];
    va_list list;
    va_start(list, request);
    int pid = va_arg(list, int);
    char *address = va_arg(list, char *);
    void *data = va_arg(list, void *);
    va_end(list);
    if (request == PTRACE_SETREGSET && address == (char *)NT_X86_XSTATE) {
        const struct iovec *known = data;
        struct iovec all = {whole, sizeof whole};
        if (real(PTRACE_GETREGSET, pid, address, &all) < 0)
            return -1;
        memcpy(whole, known->iov_base, known->iov_len < all.iov_len ? known->iov_len : all.iov_len);
        return real(request, pid, address, &all);
    }
    return real(request, pid, address, data);
}
