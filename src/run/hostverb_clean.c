/*
 * hostverb_clean.c: `jailadmin host template-clean TREE`: takes out of a tree what must be one jail's own, before it becomes a
 * template: clones that share an identity, a host key or a seed of random numbers would pass for each other. The tree is
 * hostile: nothing leads out of it.
 */
#include "base/file.h"
#include "run/hostverbs.h"
#include "run/option.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Made anew by the system that runs in the jail, or written by jailadmin at each start. */
static const char *const files[] = {"etc/hostname",
                                    "etc/hostid",
                                    "etc/resolv.conf",
                                    "var/lib/dbus/machine-id",
                                    "var/lib/systemd/random-seed",
                                    "var/lib/systemd/credential.secret",
                                    "var/db/entropy-file",
                                    "etc/zfs/zpool.cache",
                                    "boot/zfs/zpool.cache",
                                    "entropy",
                                    "boot/entropy"};

/* A directory of the tree, -1 when there is none. Links in the tree that lead nowhere count as none. */
static int open_dir(const char *tree, const char *path, int *ret_fd, struct ja_error *err)
{
    int fd = ja_beneath_open(tree, path, O_RDONLY | O_DIRECTORY, 0, err);
    if (fd == JA_E_NOTFOUND || fd == JA_E_DENIED || (fd < 0 && err && err->sys == ENOTDIR)) {
        ja_error_clear(err);
        *ret_fd = -1;
        return 0;
    }
    *ret_fd = fd;
    return fd < 0 ? fd : 0;
}

/* A regular file goes; a link stays, since it is part of how the system is set up. */
static int remove_file(const char *tree, const char *path, struct ja_error *err)
{
    const char *slash = strrchr(path, '/');
    ja_autofree char *dir = ja_strndup(path, slash ? (size_t)(slash - path) : 0);
    ja_autoclose int fd = -1;
    struct stat st;
    const char *name = slash ? slash + 1 : path;
    int rc = dir ? open_dir(tree, dir, &fd, err) : ja_error_nomem(err);
    if (rc < 0 || fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return rc;
    return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? ja_file_error(err, errno, path, "remove") : 0;
}

static bool is_host_key(const char *name)
{
    size_t length = strlen(name);
    return ja_str_starts(name, "ssh_host_") && ((length > 4 && strcmp(name + length - 4, "_key") == 0) ||
                                                (length > 8 && strcmp(name + length - 8, "_key.pub") == 0));
}

static bool is_saved_entropy(const char *name)
{
    return ja_str_starts(name, "saved-entropy.");
}

static bool is_lease(const char *name)
{
    return ja_str_starts(name, "dhclient.leases.");
}

static const struct {
    const char *path;
    bool (*is_own)(const char *name);
} directories[] = {{"etc/ssh", is_host_key}, {"var/db/entropy", is_saved_entropy}, {"var/db", is_lease}};

static int clean_directory(const char *tree, const char *path, bool (*is_own)(const char *name), struct ja_error *err)
{
    int fd = -1, rc = open_dir(tree, path, &fd, err);
    if (rc < 0 || fd < 0)
        return rc;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return ja_file_error(err, errno, path, "list");
    }
    for (struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;)
        if (is_own(entry->d_name) && unlinkat(fd, entry->d_name, 0) < 0 && errno != ENOENT)
            rc = ja_file_error(err, errno, entry->d_name, "remove");
    closedir(dir);
    return rc;
}

/* An empty machine-id says that the system is to make one; without the file it would take itself for newly installed. */
static int empty_machine_id(const char *tree, struct ja_error *err)
{
    ja_autoclose int dir = -1;
    struct stat st;
    int rc = open_dir(tree, "etc", &dir, err);
    if (rc < 0 || dir < 0 || fstatat(dir, "machine-id", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size == 0)
        return rc;
    return ja_beneath_write(tree, "etc/machine-id", "", 0, 0444, (uid_t)-1, (gid_t)-1, err);
}

int ja_verb_template_clean(int argc, char *const *argv, JA_UNUSED struct ja_hostverb_io *io, struct ja_error *err)
{
    if (argc != 2 || argv[1][0] != '/')
        return ja_opt_usage(argv[0], err);
    int rc = empty_machine_id(argv[1], err);
    for (size_t i = 0; rc == 0 && i < JA_COUNT(files); i++)
        rc = remove_file(argv[1], files[i], err);
    for (size_t i = 0; rc == 0 && i < JA_COUNT(directories); i++)
        rc = clean_directory(argv[1], directories[i].path, directories[i].is_own, err);
    return rc;
}
