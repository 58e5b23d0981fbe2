/*
 * listen.c: who on the host listens on a port: the tables of /proc/net, and for what is found the process that has the
 * socket, which means looking at all of them.
 */
#include "base/file.h"
#include "host/linux/facts.h"
#include "net/addr.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* /proc/net writes addresses as the machine's own 32-bit words. */
static void proc_address(const struct ja_addr *addr, char text[33])
{
    size_t words = addr->v6 ? 4 : 1;
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, addr->bytes + 4 * i, 4);
        snprintf(text + 8 * i, 9, "%08X", (unsigned)word);
    }
}

struct listening {
    bool tcp, any;                /* any: at whatever address but the loopback ones */
    char address[33], mapped[33]; /* else there, as /proc writes it; in IPv6's disguise */
    unsigned first, last;
};

/* 127.0.0.0/8 and ::1 as /proc writes them. */
static bool is_loopback(const char *local)
{
    bool v4 = strlen(local) == 8, mapped = strncmp(local, "0000000000000000FFFF0000", 24) == 0;
    if (!v4 && !mapped) {
        struct ja_addr one = {.v6 = true, .bytes = {[15] = 1}};
        char text[33];
        proc_address(&one, text);
        return strcmp(local, text) == 0;
    }
    uint32_t word = (uint32_t)strtoul(local + strlen(local) - 8, NULL, 16); /* in the order of this machine's memory */
    uint8_t bytes[sizeof word];
    memcpy(bytes, &word, sizeof word);
    return bytes[0] == 127;
}

/* Looks for a listener in a table of /proc/net: its socket's inode, or 0. */
static unsigned long find_listener(const char *table, const struct listening *wanted)
{
    char path[64], line[512];
    unsigned long found = 0;
    snprintf(path, sizeof path, "/proc/net/%s", table);
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        char local[33];
        unsigned number, state;
        unsigned long inode;
        if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %lu", local, &number,
                   &state, &inode) != 4)
            continue;
        /* 10: TCP_LISTEN; 7: a UDP socket that is bound and not connected */
        if (number < wanted->first || number > wanted->last || state != (wanted->tcp ? 10u : 7u))
            continue;
        if (wanted->any ? !is_loopback(local)
                        : strcmp(local, wanted->address) == 0 || strcmp(local, wanted->mapped) == 0 ||
                              strspn(local, "0") == strlen(local))
            found = inode;
    }
    if (file)
        fclose(file);
    return found;
}

/* True when one of a process's descriptors is this socket. */
static bool has_socket(const char *pid, const char *socket)
{
    char path[300], target[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    bool found = false;
    for (const struct dirent *entry; dir && !found && (entry = readdir(dir)) != NULL;) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = strcmp(target, socket) == 0;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* Whose socket that is: "nginx (process 4711)". Asked only when there is one. */
static void socket_owner(unsigned long inode, struct ja_str *who)
{
    char socket[64];
    snprintf(socket, sizeof socket, "socket:[%lu]", inode);
    DIR *dir = opendir("/proc");
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        ja_autofree char *name = NULL;
        char path[300];
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, socket))
            continue;
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        if (ja_file_read(path, 64, &name, NULL, NULL) == 0) {
            name[strcspn(name, "\n")] = '\0';
            ja_str_add_shown(who, name, strlen(name), false);
            ja_str_addf(who, " (process %s)", entry->d_name);
            break;
        }
    }
    if (dir)
        closedir(dir);
    if (!who->length)
        ja_str_add(who, "the kernel, or a process that is not seen from here");
}

int ja_linux_listener(const char *name, struct ja_str *who)
{
    char protocol[8], address[64];
    struct listening wanted = {0};
    struct ja_addr addr = {0};
    int fields = sscanf(name, "%7s %63s %u-%u", protocol, address, &wanted.first, &wanted.last);
    wanted.any = strcmp(address, "*") == 0;
    if (fields < 3 || (!wanted.any && ja_addr_parse(address, &addr, NULL) < 0))
        return 0;
    if (fields == 3)
        wanted.last = wanted.first;
    wanted.tcp = strcmp(protocol, "tcp") == 0;
    if (!wanted.any) {
        proc_address(&addr, wanted.address);
        if (!addr.v6)
            snprintf(wanted.mapped, sizeof wanted.mapped, "0000000000000000FFFF0000%.8s", wanted.address);
    }
    unsigned long inode = 0;
    if (wanted.any || !addr.v6)
        inode = find_listener(wanted.tcp ? "tcp" : "udp", &wanted);
    /* An IPv6 socket on :: takes IPv4 as well. */
    if (!inode)
        inode = find_listener(wanted.tcp ? "tcp6" : "udp6", &wanted);
    if (!inode)
        return 0;
    socket_owner(inode, who);
    return 1;
}
