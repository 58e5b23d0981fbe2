/*
 * test_shift.c: `jailadmin host shift-ids` on a hostile tree: every file changes hands, nothing outside does, and what a change
 * of owner takes away is put back. In a tmpfs of a mount namespace of its own, which goes with the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "run/hostverb.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BASE 1862270976 /* 0x6f000000 */
#define CAPABILITY "security.capability"
#define ACL "system.posix_acl_access"
#define DEFAULT_ACL "system.posix_acl_default"

static char top[64], tree[80], victim[80];

static const char *at(const char *name)
{
    static char path[4][160];
    static unsigned n;
    char *text = path[n++ % 4];
    snprintf(text, sizeof path[0], "%s/%s", tree, name);
    return text;
}

static void file(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    assert_int_equal(ja_file_write(path, "x", 1, 0600, false, NULL), 0);
    assert_int_equal(chown(path, uid, gid), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* user::rw-, user:ID:r--, group::r--, group:ID:r--, mask::r--, other::--- */
static void acl(const char *path, const char *name, uint32_t id)
{
    const struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } entries[6];
    } value = {2, {{1, 6, ~0u}, {2, 4, id}, {4, 4, ~0u}, {8, 4, id}, {16, 4, ~0u}, {32, 0, ~0u}}};
    assert_int_equal(setxattr(path, name, &value, sizeof value, 0), 0);
}

static uint32_t acl_id(const char *path, const char *name)
{
    unsigned char value[64];
    uint32_t user, group;
    assert_int_equal(getxattr(path, name, value, sizeof value), 52);
    memcpy(&user, value + 4 + 8 + 4, 4);
    memcpy(&group, value + 4 + 3 * 8 + 4, 4);
    assert_int_equal(user, group);
    return user;
}

static void owned(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
    struct stat info;
    assert_int_equal(lstat(at(name), &info), 0);
    if (info.st_uid != uid || info.st_gid != gid || (mode && (info.st_mode & 07777) != mode))
        fail_msg("%s: %u:%u %o", name, info.st_uid, info.st_gid, info.st_mode);
}

static int shift(const char *from, const char *to, struct ja_error *err)
{
    struct ja_str output = {0};
    struct ja_hostverb_io io = {.input = "", .output = &output};
    char *argv[] = {(char *)"shift-ids",
                    (char *)"--from",
                    (char *)from,
                    (char *)"--to",
                    (char *)to,
                    (char *)"--count",
                    (char *)"65536",
                    tree,
                    NULL};
    *err = (struct ja_error)JA_ERROR_INIT;
    int rc = ja_hostverb_find("shift-ids")->run(8, argv, &io, err);
    ja_str_fini(&output);
    return rc;
}

static void build(void)
{
    const struct vfs_cap_data cap = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                     .data = {{.permitted = 1u << CAP_NET_RAW}}};
    assert_int_equal(mkdir(tree, 0755), 0);
    assert_int_equal(mkdir(at("dir"), 0755), 0);
    assert_int_equal(chown(at("dir"), 5, 6), 0);
    assert_int_equal(chmod(at("dir"), 03775), 0);
    file(at("suid"), 0, 0, 04755);
    assert_int_equal(link(at("suid"), at("dir/suid")), 0);
    file(at("sgid"), 0, 42, 02755);
    file(at("ping"), 0, 0, 0755);
    assert_int_equal(setxattr(at("ping"), CAPABILITY, &cap, XATTR_CAPS_SZ_2, 0), 0);
    file(at("acl"), 1000, 1000, 0640);
    acl(at("acl"), ACL, 1001);
    acl(at("dir"), DEFAULT_ACL, 1001);
    file(at("stranger"), 100000, 0, 0644);
    assert_int_equal(symlink(victim, at("out")), 0);
    assert_int_equal(symlink("..", at("up")), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_int_equal(mknod(at("null"), S_IFCHR | 0666, makedev(1, 3)), 0);
}

static void check_original(void)
{
    owned(".", 0, 0, 0755);
    owned("dir", 5, 6, 03775);
    owned("suid", 0, 0, 04755);
    owned("sgid", 0, 42, 02755);
    owned("acl", 1000, 1000, 0640);
    owned("stranger", 100000, 0, 0644);
    owned("out", 0, 0, 0);
    owned("fifo", 0, 0, 0600);
    owned("null", 0, 0, 0);
    assert_int_equal(acl_id(at("acl"), ACL), 1001);
    assert_int_equal(acl_id(at("dir"), DEFAULT_ACL), 1001);
    assert_int_equal(getxattr(at("ping"), CAPABILITY, NULL, 0), XATTR_CAPS_SZ_2);
}

static void all_changes_hands_and_back(void **unused)
{
    (void)unused;
    struct ja_error err;
    struct vfs_ns_cap_data cap;
    struct stat info;
    build();
    assert_int_equal(shift("0", "1862270976", &err), 0);
    owned(".", BASE, BASE, 0755);
    owned("dir", BASE + 5, BASE + 6, 03775);
    owned("suid", BASE, BASE, 04755);
    owned("dir/suid", BASE, BASE, 04755);
    owned("sgid", BASE, BASE + 42, 02755);
    owned("acl", BASE + 1000, BASE + 1000, 0640);
    owned("stranger", 100000, BASE, 0644); /* of no jail: left alone */
    owned("out", BASE, BASE, 0);
    owned("up", BASE, BASE, 0);
    owned("fifo", BASE, BASE, 0600);
    owned("null", BASE, BASE, 0);
    assert_int_equal(acl_id(at("acl"), ACL), BASE + 1001);
    assert_int_equal(acl_id(at("dir"), DEFAULT_ACL), BASE + 1001);
    assert_int_equal(getxattr(at("ping"), CAPABILITY, &cap, sizeof cap), XATTR_CAPS_SZ_3);
    assert_int_equal(cap.rootid, BASE);
    assert_int_equal(cap.data[0].permitted, 1u << CAP_NET_RAW);
    /* Nothing outside. */
    assert_int_equal(stat(victim, &info), 0);
    assert_int_equal(info.st_uid, 0);
    assert_int_equal(stat(top, &info), 0);
    assert_int_equal(info.st_uid, 0);
    /* A second run changes nothing; the way back gives the first state. */
    assert_int_equal(shift("0", "1862270976", &err), 0);
    owned("suid", BASE, BASE, 04755);
    assert_int_equal(shift("1862270976", "0", &err), 0);
    check_original();
}

static void another_file_system_is_not_entered(void **unused)
{
    (void)unused;
    struct ja_error err;
    assert_int_equal(mkdir(at("mnt"), 0755), 0);
    assert_int_equal(mount("none", at("mnt"), "tmpfs", 0, NULL), 0);
    assert_int_equal(shift("0", "1862270976", &err), JA_E_DENIED);
    assert_non_null(strstr(err.what, "mnt"));
    assert_int_equal(umount(at("mnt")), 0);
    assert_int_equal(shift("1862270976", "0", &err), 0);
}

static void a_tree_without_end_is_refused(void **unused)
{
    (void)unused;
    struct ja_error err;
    int fd = open(tree, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 600; i++) {
        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_int_equal(shift("0", "1862270976", &err), JA_E_LIMIT);
    assert_int_equal(shift("0", "60000", &err), JA_E_USAGE);
}

static int set_up(void **unused)
{
    (void)unused;
    snprintf(top, sizeof top, "/var/tmp/jailadmin-shift.XXXXXX");
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !mkdtemp(top) ||
        mount("none", top, "tmpfs", 0, NULL) < 0)
        return -1;
    snprintf(tree, sizeof tree, "%s/tree", top);
    snprintf(victim, sizeof victim, "%s/victim", top);
    umask(0);
    file(victim, 0, 0, 0644);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    assert_int_equal(umount2(top, MNT_DETACH), 0);
    assert_int_equal(rmdir(top), 0);
    return 0;
}

int main(void)
{
    if (geteuid() != 0) {
        printf("skipped: needs root\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_changes_hands_and_back),
        cmocka_unit_test(another_file_system_is_not_entered),
        cmocka_unit_test(a_tree_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
