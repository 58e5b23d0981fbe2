/*
 * sim_file.c: the files of a simulated host and the portable host verbs. "path P" is dir, file, link or subvolume; "text P"
 * what a file says; "daemon PIDFILE" a daemon. What is in a file system that is not mounted lies below "@SOURCE".
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MOST = 1024 };

/* ---- trees ---- */

bool sim_is_dir(const struct ja_sim *sim, const char *path)
{
    const char *type = sim_get(sim, "path %s", path);
    return type && (strcmp(type, "dir") == 0 || strcmp(type, "subvolume") == 0);
}

bool sim_parent_is_dir(const struct ja_sim *sim, const char *path)
{
    char parent[PATH_MOST];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash)
        *slash = '\0';
    return sim_is_dir(sim, parent);
}

void sim_make(struct ja_sim *sim, const char *path, const char *type)
{
    sim_put(sim, type, "path %s", path);
}

static const char *const kinds[] = {"path", "text", "ro", "pin"};

/* Calls what is to be done with every entry of the tree: moves, copies or drops. */
static void each_in_tree(struct ja_sim *sim, const char *from, const char *to, bool drop)
{
    for (size_t k = 0; k < JA_COUNT(kinds); k++) {
        struct ja_strv names = {0}, values = {0};
        char key[PATH_MOST], below[PATH_MOST + 1];
        snprintf(key, sizeof key, "%s %s", kinds[k], from);
        snprintf(below, sizeof below, "%s/", key);
        for (size_t i = sim_from(sim, key); sim_starts(sim, i, key); i++)
            if (strcmp(sim->entries[i].key, key) == 0 || sim_starts(sim, i, below))
                if (ja_strv_add(&names, sim->entries[i].key) < 0 || ja_strv_add(&values, sim->entries[i].value) < 0)
                    abort();
        for (size_t i = 0; i < names.count; i++) {
            if (drop)
                sim_drop(sim, "%s", names.items[i]);
            /* A copy is writable, whatever it is a copy of. */
            if (to && (drop || strcmp(kinds[k], "ro") != 0))
                sim_put(sim, values.items[i], "%s %s%s", kinds[k], to, names.items[i] + strlen(key));
        }
        ja_strv_fini(&names);
        ja_strv_fini(&values);
    }
}

void sim_remove_tree(struct ja_sim *sim, const char *path)
{
    each_in_tree(sim, path, NULL, true);
}

void sim_copy_tree(struct ja_sim *sim, const char *from, const char *to)
{
    each_in_tree(sim, from, to, false);
}

void sim_move_tree(struct ja_sim *sim, const char *from, const char *to)
{
    each_in_tree(sim, from, to, true);
}

static bool is_empty(const struct ja_sim *sim, const char *path)
{
    char below[PATH_MOST];
    snprintf(below, sizeof below, "path %s/", path);
    return !sim_starts(sim, sim_from(sim, below), below);
}

/* What lies directly in `from` goes to `to`, except the two themselves. */
static void move_contents(struct ja_sim *sim, const char *from, const char *to)
{
    struct ja_str kept = {0};
    ja_str_add(&kept, sim_get(sim, "path %s", to) ? sim_get(sim, "path %s", to) : "dir");
    const char *own = sim_get(sim, "path %s", from);
    struct ja_str type = {0};
    ja_str_add(&type, own ? own : "dir");
    sim_move_tree(sim, from, to);
    sim_make(sim, to, kept.text);
    sim_make(sim, from, type.text);
    ja_str_fini(&kept);
    ja_str_fini(&type);
}

/* What a mount hides. */
static void hidden_place(const char *path, char place[PATH_MOST])
{
    snprintf(place, PATH_MOST, "@beneath:%s", path);
}

int sim_mount(struct ja_sim *sim, const char *source, const char *path, const char *type, struct ja_error *err)
{
    char disk[PATH_MOST], hidden[PATH_MOST];
    snprintf(disk, sizeof disk, "@%s", source);
    hidden_place(path, hidden);
    if (!sim_is_dir(sim, path))
        return sim_fail(err, "%s is no directory", path);
    if (sim_get(sim, "mount %s", path))
        return sim_fail(err, "%s is mounted already", path);
    if (!sim_get(sim, "path %s", disk))
        return sim_fail(err, "%s holds no file system", source);
    if (!is_empty(sim, path)) {
        sim_make(sim, hidden, "dir");
        move_contents(sim, path, hidden);
    }
    move_contents(sim, disk, path);
    sim_put(sim, type, "mount %s", path);
    sim_put(sim, source, "source %s", path);
    return 0;
}

int sim_umount(struct ja_sim *sim, const char *path, struct ja_error *err)
{
    char disk[PATH_MOST], hidden[PATH_MOST], below[PATH_MOST];
    const char *source = sim_get(sim, "source %s", path);
    if (!source)
        return sim_fail(err, "%s is not mounted", path);
    snprintf(disk, sizeof disk, "@%s", source);
    snprintf(below, sizeof below, "mount %s/", path);
    if (sim_starts(sim, sim_from(sim, below), below))
        return sim_fail(err, "%s is busy: something is mounted in it", path);
    move_contents(sim, path, disk);
    sim_drop(sim, "mount %s", path);
    sim_drop(sim, "source %s", path);
    hidden_place(path, hidden);
    if (sim_is_dir(sim, hidden)) {
        move_contents(sim, hidden, path);
        sim_drop(sim, "path %s", hidden);
    }
    return 0;
}

/* ---- verbs ---- */

/* The last word, with --root before it. */
static void place(char *const *argv, int argc, char path[PATH_MOST])
{
    const char *root = sim_option(argv, argc, "--root"), *last = argv[argc - 1];
    if (root)
        snprintf(path, PATH_MOST, "%s/%s", root, last + strspn(last, "/"));
    else
        snprintf(path, PATH_MOST, "%s", last);
}

static int do_write(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char path[PATH_MOST];
    place(argv, argc, path);
    if (!sim_parent_is_dir(sim, path))
        return sim_fail(err, "cannot write %s: no such directory", path);
    if (sim->tearing)
        return 0; /* as a whole or not at all */
    sim_make(sim, path, "file");
    sim_put(sim, cmd->input ? cmd->input : "", "text %s", path);
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--sync") == 0)
            sim_synced_file(sim, path);
    return 0;
}

static int do_remove(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char path[PATH_MOST];
    (void)cmd;
    place(argv, argc, path);
    if (sim_is_dir(sim, path))
        return sim_fail(err, "%s is a directory", path);
    sim_remove_tree(sim, path);
    char disk[PATH_MOST + 1];
    snprintf(disk, sizeof disk, "@%s", path);
    sim_remove_tree(sim, disk);
    return 0;
}

static int do_mkdir(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char path[PATH_MOST];
    (void)cmd;
    place(argv, argc, path);
    if (sim_get(sim, "path %s", path))
        return sim_fail(err, "%s exists already", path);
    if (!sim_parent_is_dir(sim, path))
        return sim_fail(err, "cannot make %s: its parent is missing", path);
    sim_make(sim, path, "dir");
    return 0;
}

static int do_rmdir(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *path = argv[argc - 1];
    (void)cmd;
    if (!is_empty(sim, path))
        return sim_fail(err, "%s is not empty", path);
    if (sim_get(sim, "mount %s", path) || sim_get(sim, "bind %s", path))
        return sim_fail(err, "%s is a mount point", path);
    sim_drop(sim, "path %s", path);
    return 0;
}

static int do_remove_tree(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    const char *path = argv[argc - 1];
    char pin[PATH_MOST];
    (void)cmd;
    snprintf(pin, sizeof pin, "pin %s", path);
    if (sim_starts(sim, sim_from(sim, pin), pin) || sim_get(sim, "mount %s", path))
        return sim_fail(err, "something is mounted in %s", path);
    if (!sim->tearing)
        sim_remove_tree(sim, path);
    return 0;
}

static int do_rename(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *from = argv[argc - 2], *to = argv[argc - 1];
    (void)cmd;
    if (!sim_get(sim, "path %s", from) || sim_get(sim, "path %s", to) || !sim_parent_is_dir(sim, to))
        return sim_fail(err, "cannot rename %s to %s", from, to);
    if (sim_get(sim, "ro %s", from))
        return sim_fail(err, "%s is read-only", from);
    sim_move_tree(sim, from, to);
    return 0;
}

static int do_swap(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *from = argv[argc - 3], *place = argv[argc - 2], *aside = argv[argc - 1];
    (void)cmd;
    if (!sim_get(sim, "path %s", from))
        return sim_fail(err, "there is no %s", from);
    if (sim_get(sim, "path %s", place)) {
        if (sim_get(sim, "path %s", aside))
            return sim_fail(err, "%s is there already", aside);
        sim_move_tree(sim, place, aside);
    } else if (!sim_get(sim, "path %s", aside)) {
        return sim_fail(err, "there is no %s", place);
    }
    if (!sim->tearing)
        sim_move_tree(sim, from, place);
    return 0;
}

static int do_sync(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    if (!sim_is_dir(sim, argv[argc - 1]))
        return sim_fail(err, "there is no %s", argv[argc - 1]);
    sim_synced(sim);
    return 0;
}

static int do_symlink(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    if (sim_get(sim, "path %s", argv[argc - 1]))
        return sim_fail(err, "%s exists already", argv[argc - 1]);
    sim_make(sim, argv[argc - 1], "link");
    return 0;
}

static int do_truncate(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    if (sim_get(sim, "path %s", argv[argc - 1]))
        return sim_fail(err, "%s exists already", argv[argc - 1]);
    sim_make(sim, argv[argc - 1], "file");
    return 0;
}

static int do_busybox(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    static const char *const dirs[] = {"bin", "etc", "sbin"}, *const files[] = {"bin/busybox", "sbin/init",
                                                                                "etc/passwd"};
    const char *tree = argv[argc - 1];
    (void)cmd;
    if (!sim_is_dir(sim, tree))
        return sim_fail(err, "there is no %s", tree);
    for (size_t i = 0; i < JA_COUNT(dirs); i++)
        sim_put(sim, "dir", "path %s/%s", tree, dirs[i]);
    for (size_t i = 0; i < JA_COUNT(files) && !sim->tearing; i++) {
        sim_put(sim, "file", "path %s/%s", tree, files[i]);
        sim_put(sim, "", "text %s/%s", tree, files[i]);
    }
    return 0;
}

static int do_template_clean(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                             struct ja_error *err)
{
    (void)cmd;
    return sim_is_dir(sim, argv[argc - 1]) ? 0 : sim_fail(err, "there is no %s", argv[argc - 1]);
}

/* What lies in `from` also lies in `to`, or half of it. */
static int fill(struct ja_sim *sim, const char *from, const char *to, struct ja_error *err)
{
    const char *type = sim_get(sim, "path %s", to);
    char kept[32];
    if (!sim_is_dir(sim, to) || !sim_is_dir(sim, from))
        return sim_fail(err, "there is no %s or %s", from, to);
    snprintf(kept, sizeof kept, "%s", type);
    if (!sim->tearing)
        sim_copy_tree(sim, from, to);
    sim_make(sim, to, kept);
    sim_put(sim, "dir", "path %s/etc", to);
    return 0;
}

/* cp FILE... DIRECTORY */
static int copy_files(struct ja_sim *sim, char *const *argv, int argc, struct ja_error *err)
{
    char path[PATH_MOST];
    if (!sim_is_dir(sim, argv[argc - 1]))
        return sim_fail(err, "cp: %s is not a directory", argv[argc - 1]);
    for (int i = 1; i < argc - 1 && !(sim->tearing && i > 1); i++) {
        const char *slash = strrchr(argv[i], '/');
        snprintf(path, sizeof path, "%s%s", argv[argc - 1], slash ? slash : "/");
        sim_make(sim, path, "file");
    }
    return 0;
}

/* cp -a -x -- FROM/. TO */
static int do_cp(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char from[PATH_MOST];
    (void)cmd;
    if (argv[1][0] != '-')
        return copy_files(sim, argv, argc, err);
    snprintf(from, sizeof from, "%.*s", (int)(strlen(argv[argc - 2]) - strlen("/.")), argv[argc - 2]);
    return fill(sim, from, argv[argc - 1], err);
}

/* tar ... -c -f ARCHIVE -C DIRECTORY .: the text of an archive is where its contents are from. */
static int do_tar(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *archive = sim_option(argv, argc, "-f"), *from = sim_option(argv, argc, "-C");
    (void)cmd;
    if (!archive || !from || !sim_is_dir(sim, from) || !sim_parent_is_dir(sim, archive))
        return sim_fail(err, "tar: cannot write %s", archive ? archive : "");
    sim_make(sim, archive, "file");
    sim_put(sim, from, "text %s", archive);
    return 0;
}

static int do_template_tar(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                           struct ja_error *err)
{
    const char *from = sim_get(sim, "text %s", argv[argc - 2]);
    (void)cmd;
    return from ? fill(sim, from, argv[argc - 1], err) : sim_fail(err, "there is no archive %s", argv[argc - 2]);
}

/* A directory for each word of the path, and no link on the way. */
static int do_mount_point(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    char path[PATH_MOST];
    (void)cmd, (void)argc;
    if (!sim_is_dir(sim, argv[2]))
        return sim_fail(err, "there is no %s", argv[2]);
    int length = snprintf(path, sizeof path, "%s", argv[2]);
    for (const char *at = argv[3]; *at; at += strcspn(at + 1, "/") + 1) {
        length += snprintf(path + length, sizeof path - (size_t)length, "/%.*s", (int)strcspn(at + 1, "/"), at + 1);
        if (!sim_get(sim, "path %s", path))
            sim_make(sim, path, "dir");
        if (!sim_is_dir(sim, path))
            return sim_fail(err, "%s is no directory", path);
        if (sim->tearing)
            break;
    }
    return 0;
}

/*
 * A tree that is seen in a second place: "bind DIR" is the tree. What it holds is not copied there. The kernel knows it as a mount.
 */
static int do_tree_mount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    const char *tree = argv[argc - 2], *dir = argv[argc - 1], *there = sim_get(sim, "bind %s", dir);
    (void)cmd;
    if (!sim_is_dir(sim, tree) || !sim_is_dir(sim, dir))
        return sim_fail(err, "there is no %s or %s", tree, dir);
    if (there && strcmp(there, tree) == 0)
        return 0;
    if (there || sim_get(sim, "mount %s", dir) || !is_empty(sim, dir))
        return sim_fail(err, "%s is not empty", dir);
    if (!sim->tearing && argc == 5)
        sim_put(sim, "", "ro-bind %s", dir);
    if (!sim->tearing)
        sim_put(sim, tree, "bind %s", dir);
    return 0;
}

static int do_tree_unmount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                           struct ja_error *err)
{
    const char *there = sim_get(sim, "bind %s", argv[argc - 1]);
    (void)cmd, (void)err;
    if (there && strcmp(there, argv[argc - 2]) == 0 && !sim->tearing)
        sim_drop(sim, "bind %s", argv[argc - 1]), sim_drop(sim, "ro-bind %s", argv[argc - 1]);
    return 0;
}

void sim_check_binds(struct ja_sim *sim)
{
    for (size_t i = sim_from(sim, "bind "); sim_starts(sim, i, "bind "); i++) {
        if (!sim_is_dir(sim, sim->entries[i].value))
            sim_trouble(sim, "the tree %s was taken away while it is mounted", sim->entries[i].value);
        if (!sim_is_dir(sim, sim->entries[i].key + strlen("bind ")))
            sim_trouble(sim, "the directory of the %s is not there", sim->entries[i].key);
    }
}

/* host logged --log FILE --log-limit N -- COMMAND... */
static int do_logged(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *log = sim_option(argv, argc, "--log");
    int first = 2;
    while (first < argc && strcmp(argv[first], "--") != 0)
        first++;
    if (!log || !sim_parent_is_dir(sim, log) || first + 1 >= argc)
        return sim_fail(err, "cannot write the log %s", log ? log : "");
    sim_make(sim, log, "file");
    return sim_run(sim, cmd, argv + first + 1, argc - first - 1, err);
}

/* Kernel settings, counted over instances. Names with slashes are the same as with dots. */
static void plain_name(const char *name, char plain[256])
{
    snprintf(plain, 256, "%s", name);
    for (char *c = plain; *c; c++)
        if (*c == '/')
            *c = '.';
}

static int do_setting(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char name[256], prefix[300];
    (void)cmd;
    plain_name(argc > 4 ? argv[4] : "", name);
    const char *now = sim_get(sim, "sysctl %s", name);
    if (strcmp(argv[2], "acquire") == 0) {
        if (!now)
            return sim_fail(err, "there is no setting %s", name);
        if (!sim_get(sim, "old %s", name))
            sim_put(sim, now, "old %s", name);
        sim_put(sim, argv[5], "user %s %s", name, argv[3]);
        sim_put(sim, argv[5], "sysctl %s", name);
        return 0;
    }
    sim_drop(sim, "user %s %s", name, argv[3]);
    snprintf(prefix, sizeof prefix, "user %s ", name);
    const char *old = sim_get(sim, "old %s", name);
    if (!old || sim_starts(sim, sim_from(sim, prefix), prefix))
        return 0;
    char value[64];
    snprintf(value, sizeof value, "%s", old);
    sim_put(sim, value, "sysctl %s", name);
    sim_drop(sim, "old %s", name);
    return 0;
}

/* ---- daemons ---- */

/* dnsmasq --conf-file=FILE --pid-file=FILE */
static int do_dnsmasq(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *config = NULL, *pid = NULL;
    (void)cmd;
    for (int i = 1; i < argc; i++) {
        if (ja_str_starts(argv[i], "--conf-file="))
            config = strchr(argv[i], '=') + 1;
        if (ja_str_starts(argv[i], "--pid-file="))
            pid = strchr(argv[i], '=') + 1;
    }
    if (!config || !pid || !sim_get(sim, "text %s", config) || sim_get(sim, "daemon %s", pid))
        return sim_fail(err, "dnsmasq cannot run");
    sim_put(sim, "4712", "daemon %s", pid);
    sim_make(sim, pid, "file");
    return 0;
}

static int do_daemon_stop(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    (void)cmd, (void)argc, (void)err;
    sim_drop(sim, "daemon %s", argv[2]);
    sim_drop(sim, "path %s", argv[2]);
    return 0;
}

/* argv: jailadmin host daemon-start PIDFILE PROGRAM -- COMMAND... */
static int do_daemon_start(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                           struct ja_error *err)
{
    return sim_get(sim, "daemon %s", argv[2]) ? 0 : do_dnsmasq(sim, cmd, argv + 5, argc - 5, err);
}

/* Registry and store are real in these tests, and the engine's own. */
static int do_nothing(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)sim, (void)cmd, (void)argv, (void)argc, (void)err;
    return 0;
}

const struct ja_sim_command sim_file_commands[] = {
    {{"host", "write"}, do_write},
    {{"host", "remove"}, do_remove},
    {{"host", "mkdir"}, do_mkdir},
    {{"host", "rmdir"}, do_rmdir},
    {{"host", "remove-tree"}, do_remove_tree},
    {{"host", "rename"}, do_rename},
    {{"host", "swap"}, do_swap},
    {{"host", "sync"}, do_sync},
    {{"host", "symlink"}, do_symlink},
    {{"host", "truncate"}, do_truncate},
    {{"host", "template-busybox"}, do_busybox},
    {{"host", "template-clean"}, do_template_clean},
    {{"host", "setting"}, do_setting},
    {{"host", "mount-point"}, do_mount_point},
    {{"host", "tree-mount"}, do_tree_mount},
    {{"host", "tree-unmount"}, do_tree_unmount},
    {{"host", "logged"}, do_logged},
    {{"host", "instance-register"}, do_nothing},
    {{"host", "registry-remove"}, do_nothing},
    {{"host", "template-tar"}, do_template_tar},
    {{"host", "daemon-start"}, do_daemon_start},
    {{"host", "daemon-stop"}, do_daemon_stop},
    {{"host", "daemon-signal"}, do_nothing},
    {{"dnsmasq"}, do_dnsmasq},
    {{"cp"}, do_cp},
    {{"tar"}, do_tar},
    {{NULL}, NULL},
};

/* ---- facts ---- */

/* Names directly below a directory, one a line. */
static void list_directory(struct ja_sim *sim, const char *path)
{
    char below[PATH_MOST];
    struct ja_str names = {0};
    int n = snprintf(below, sizeof below, "path %s/", path);
    for (size_t i = sim_from(sim, below); sim_starts(sim, i, below); i++)
        if (!strchr(sim->entries[i].key + n, '/'))
            ja_str_addf(&names, "%s\n", sim->entries[i].key + n);
    snprintf(sim->text, sizeof sim->text, "%s", names.text ? names.text : "");
    ja_str_fini(&names);
}

static const char *list_binds(struct ja_sim *sim, const char *path)
{
    struct ja_str lines = {0};
    size_t length = strlen(path);
    for (size_t i = sim_from(sim, "bind "); sim_starts(sim, i, "bind "); i++) {
        const char *tree = sim->entries[i].value;
        if (strncmp(tree, path, length) == 0 && tree[length] == '/')
            ja_str_addf(&lines, "%s\t%s\t%s\n", tree + length + 1,
                        sim_get(sim, "ro-%s", sim->entries[i].key) ? "ro" : "rw",
                        sim->entries[i].key + strlen("bind "));
    }
    bool any = lines.length > 0;
    snprintf(sim->text, sizeof sim->text, "%s", any ? lines.text : "");
    ja_str_fini(&lines);
    return any ? sim->text : NULL;
}

/* "TREE\tPATH" as one path; "etc/." is etc. */
static void tree_path(const char *name, char path[PATH_MOST])
{
    snprintf(path, PATH_MOST, "%s", name);
    char *tab = strchr(path, '\t');
    if (tab)
        *tab = '/';
    size_t length = strlen(path);
    if (length > 2 && strcmp(path + length - 2, "/.") == 0)
        path[length - 2] = '\0';
}

/* "PIDFILE\tPROGRAM" */
static const char *daemon_of(struct ja_sim *sim, const char *name)
{
    char pidfile[512];
    snprintf(pidfile, sizeof pidfile, "%s", name);
    *strchr(pidfile, '\t') = '\0';
    return sim_get(sim, "daemon %s", pidfile);
}

bool sim_file_fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value)
{
    char path[PATH_MOST];
    const char *type = sim_get(sim, "path %s", name);
    *ret_value = NULL;
    switch (kind) {
    case JA_FACT_PATH:
        *ret_value = type && strcmp(type, "subvolume") == 0 ? "dir" : type;
        return true;
    case JA_FACT_SUBVOLUME:
        *ret_value = type && strcmp(type, "subvolume") == 0 ? "11111111-2222-3333-4444-555555555555" : NULL;
        return true;
    case JA_FACT_MOUNT:
        *ret_value = sim_get(sim, "mount %s", name);
        if (!*ret_value && sim_get(sim, "bind %s", name))
            *ret_value = "btrfs";
        return true;
    case JA_FACT_BINDS:
        *ret_value = list_binds(sim, name);
        return true;
    case JA_FACT_FILE:
        *ret_value = sim_get(sim, "text %s", name);
        return true;
    case JA_FACT_TREEFILE:
        tree_path(name, path);
        *ret_value = sim_is_dir(sim, path) ? "dir" : sim_get(sim, "text %s", path);
        return true;
    case JA_FACT_DIRECTORY:
        if (sim_is_dir(sim, name)) {
            list_directory(sim, name);
            *ret_value = sim->text;
        }
        return true;
    case JA_FACT_SYSCTL:
        plain_name(name, path);
        *ret_value = sim_get(sim, "sysctl %s", path);
        return true;
    case JA_FACT_DAEMON:
        *ret_value = daemon_of(sim, name);
        return true;
    case JA_FACT_APT:
    case JA_FACT_SHA256:
    case JA_FACT_USERFILE:
    case JA_FACT_LISTEN:
        return true;
    default:
        return false;
    }
}
