/*
 * sim_linux.c: what is Linux's in a simulated host.
 *
 *     link NAME = ALIAS      up, master, peer (namespace that holds its other end), vlan NAME
 *     addr INTERFACE ADDRESS    neigh ADDRESS    inside NAMESPACE COMMAND: what was configured from within
 *     nft FAMILY TABLE [SET ELEMENT]
 *     nftchain FAMILY TABLE CHAIN = COMMENT...   of networks, whose rules change; all others are the table's
 *     nft FAMILY TABLE [SET ELEMENT]    qdisc INTERFACE HANDLE, filter INTERFACE: see sim_linux_tc.c
 *     pin DIR = process that keeps it; process PIDFILE; crun ROOT/ID = PIDFILE CGROUP; cgroup PATH
 */
#include "host/linux/network.h"
#include "model/site.h"
#include "sim_linux.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MOST = 32 };

/* ---- interfaces ---- */

static void drop_link(struct ja_sim *sim, const char *name)
{
    static const char *const kinds[] = {"link", "up", "master", "peer", "vlan"};
    for (size_t k = 0; k < JA_COUNT(kinds); k++)
        sim_drop(sim, "%s %s", kinds[k], name);
    sim_drop_all(sim, "addr %s ", name);
    sim_drop_all(sim, "neigh %s ", name);
    sim_drop_all(sim, "qdisc %s ", name);
    sim_drop(sim, "filter %s", name);
    /* Ports of a bridge that goes are free. */
    for (size_t i = sim_from(sim, "master "); sim_starts(sim, i, "master ");)
        if (strcmp(sim->entries[i].value, name) == 0)
            sim_drop(sim, "%s", sim->entries[i].key);
        else
            i++;
}

/* A namespace that nobody keeps goes, and its interfaces with it. DIR is RUN/jails/SLOT/ns. */
static void let_go(struct ja_sim *sim, const char *dir)
{
    char run[512];
    snprintf(run, sizeof run, "%s", dir);
    *strrchr(run, '/') = '\0';
    if (sim_get(sim, "pin %s", dir) || sim_get(sim, "process %s/pid", run))
        return;
    sim_drop_all(sim, "inside %s ", dir);
    for (size_t i = sim_from(sim, "peer "); sim_starts(sim, i, "peer ");) {
        char name[64];
        snprintf(name, sizeof name, "%s", sim->entries[i].key + strlen("peer "));
        if (strcmp(sim->entries[i].value, dir) != 0) {
            i++;
            continue;
        }
        drop_link(sim, name);
        i = sim_from(sim, "peer ");
    }
}

const char *sim_word_after(char *const *words, int count, const char *word)
{
    for (int i = 0; i + 1 < count; i++)
        if (strcmp(words[i], word) == 0)
            return words[i + 1];
    return NULL;
}

static bool has(char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static int add_link(struct ja_sim *sim, char *const *words, int count, struct ja_error *err)
{
    bool named = strcmp(words[2], "name") == 0 || strcmp(words[2], "link") == 0;
    const char *name = named ? sim_word_after(words, count, "name") : words[2],
               *type = sim_word_after(words, count, "type");
    const char *netns = sim_word_after(words, count, "netns");
    if (!name || !type || sim_get(sim, "link %s", name))
        return sim_fail(err, "the interface %s exists already", name ? name : "?");
    if (netns) {
        char dir[512];
        snprintf(dir, sizeof dir, "%s", netns);
        *strrchr(dir, '/') = '\0'; /* "/net" */
        if (!sim_get(sim, "pin %s", dir))
            return sim_fail(err, "there is no namespace %s", netns);
        sim_put(sim, dir, "peer %s", name);
    }
    sim_put(sim, "", "link %s", name);
    return 0;
}

static int set_link(struct ja_sim *sim, char *const *words, int count, struct ja_error *err)
{
    const char *name = sim_word_after(words, count, "dev"), *alias = sim_word_after(words, count, "alias");
    const char *master = sim_word_after(words, count, "master");
    if (!name || !sim_get(sim, "link %s", name) || (master && !sim_get(sim, "link %s", master)))
        return sim_fail(err, "there is no interface %s or %s", name ? name : "?", master ? master : "-");
    if (alias)
        sim_put(sim, alias, "link %s", name);
    if (master)
        sim_put(sim, master, "master %s", name);
    if (has(words, count, "nomaster"))
        sim_drop(sim, "master %s", name);
    const char *mtu = sim_word_after(words, count, "mtu");
    if (mtu && strcmp(mtu, "1500") == 0) /* as it is by itself */
        sim_drop(sim, "mtu %s", name);
    else if (mtu)
        sim_put(sim, mtu, "mtu %s", name);
    if (has(words, count, "up"))
        sim_put(sim, "yes", "up %s", name);
    return 0;
}

static int ip_line(struct ja_sim *sim, char *const *words, int count, struct ja_error *err)
{
    const char *device = sim_word_after(words, count, "dev");
    if (count > 2 && strcmp(words[0], "link") == 0 && strcmp(words[1], "add") == 0)
        return add_link(sim, words, count, err);
    if (count > 2 && strcmp(words[0], "link") == 0 && strcmp(words[1], "set") == 0)
        return set_link(sim, words, count, err);
    if (!device || !sim_get(sim, "link %s", device))
        return sim_fail(err, "there is no interface %s", device ? device : "?");
    if (strcmp(words[0], "addr") == 0 && strcmp(words[1], "del") == 0)
        return sim_drop(sim, "addr %s %s", device, words[2]) ? 0 : sim_fail(err, "%s has no %s", device, words[2]);
    if (strcmp(words[0], "addr") == 0) {
        if (strcmp(words[1], "replace") != 0 && sim_get(sim, "addr %s %s", device, words[2]))
            return sim_fail(err, "%s has %s already", device, words[2]);
        sim_put(sim, "", "addr %s %s", device, words[2]);
        return 0;
    }
    if (strcmp(words[0], "neigh") == 0 && strcmp(words[1], "replace") == 0) {
        sim_put(sim, sim_word_after(words, count, "lladdr"), "neigh %s %s", device, words[2]);
        return 0;
    }
    if (strcmp(words[0], "neigh") == 0 && strcmp(words[1], "flush") == 0) {
        sim_drop(sim, "neigh %s %s", device, words[3]);
        return 0;
    }
    return sim_fail(err, "the model knows no ip %s %s", words[0], words[1]);
}

int sim_each_line(struct ja_sim *sim, const char *input, void *context,
                  int (*each)(struct ja_sim *sim, void *context, const char *line, char *const *words, int count,
                              struct ja_error *err),
                  struct ja_error *err)
{
    size_t lines = 0, number = 0;
    char *copy = strdup(input ? input : ""), *rest = copy;
    for (const char *c = copy; *c; c++)
        lines += *c == '\n';
    int rc = 0;
    for (char *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL; number++) {
        struct ja_strv words = {0};
        if (sim->tearing && number * 2 >= lines)
            break;
        if (ja_str_split_words(line, &words) == -1)
            abort();
        if (words.count)
            rc = each(sim, context, line, words.items, (int)words.count, err);
        ja_strv_fini(&words);
    }
    free(copy);
    return rc;
}

static int host_line(struct ja_sim *sim, void *context, const char *line, char *const *words, int count,
                     struct ja_error *err)
{
    (void)context, (void)line;
    return ip_line(sim, words, count, err);
}

static int do_ip(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)argv, (void)argc;
    return sim_each_line(sim, cmd->input, NULL, host_line, err);
}

/* ip address add ADDRESS dev NAME, ip address flush dev NAME to ADDRESS */
static int do_ip_address(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    const char *device = sim_word_after(argv, argc, "dev"), *to = sim_word_after(argv, argc, "to");
    (void)cmd;
    if (!device || !sim_get(sim, "link %s", device))
        return sim_fail(err, "there is no interface %s", device ? device : "?");
    if (to)
        sim_drop(sim, "addr %s %s", device, to);
    else if (sim_get(sim, "addr %s %s", device, argv[3]))
        return sim_fail(err, "%s has %s already", device, argv[3]);
    else
        sim_put(sim, "", "addr %s %s", device, argv[3]);
    return 0;
}

static int inside_line(struct ja_sim *sim, void *context, const char *line, char *const *words, int count,
                       struct ja_error *err)
{
    (void)words, (void)count, (void)err;
    sim_put(sim, "", "inside %s %s", (const char *)context, line);
    return 0;
}

static int do_nsenter(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char dir[512];
    (void)argc;
    snprintf(dir, sizeof dir, "%s", argv[1] + strlen("--net="));
    *strrchr(dir, '/') = '\0';
    if (!sim_get(sim, "pin %s", dir))
        return sim_fail(err, "there is no namespace %s", dir);
    return sim_each_line(sim, cmd->input, dir, inside_line, err);
}

static int do_link_remove(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    const char *alias = sim_get(sim, "link %s", argv[2]);
    (void)cmd, (void)argc;
    /* A batch that was cut off has not reached the alias: an interface with our name and none is ours. */
    if (alias && *alias && !ja_guard_match(argv[3], alias))
        return sim_fail(err, "%s is not ours", argv[2]);
    drop_link(sim, argv[2]);
    return 0;
}

/* ---- nftables: a transaction, all or nothing ---- */

static void plain_element(const char *line, char *element, size_t size)
{
    const char *open = strchr(line, '{'), *close = strrchr(line, '}');
    size_t n = 0;
    /* Of a map's element the key alone: what it leads to is its value. */
    const char *value = open ? strstr(open, " : ") : NULL;
    if (value)
        close = value + 1;
    for (const char *c = open + 1; open && close && c < close && n + 1 < size; c++)
        if (*c != '"' && !(*c == ' ' && (n == 0 || c + 1 == close)))
            element[n++] = *c;
    element[n] = '\0';
}

/* A line about a chain of a network: the comments of its rules are its value, a line each. */
static int nft_chain(struct ja_sim *sim, const char *line, char *const *words, struct ja_error *err)
{
    const char *family = words[2], *table = words[3], *chain = words[4];
    const char *there = sim_get(sim, "nftchain %s %s %s", family, table, chain);
    if (strncmp(chain, JA_LINUX_NETCHAIN, strlen(JA_LINUX_NETCHAIN)) != 0)
        return 0;
    if (strcmp(words[0], "add") == 0 && strcmp(words[1], "chain") == 0) {
        if (!there)
            sim_put(sim, "", "nftchain %s %s %s", family, table, chain);
        return 0;
    }
    if (!there)
        return sim_fail(err, "there is no chain %s", chain);
    if (strcmp(words[0], "delete") == 0)
        return *there ? sim_fail(err, "the chain %s has rules", chain)
                      : !sim_drop(sim, "nftchain %s %s %s", family, table, chain);
    const char *comment = strstr(line, " comment \"");
    if (strcmp(words[1], "rule") == 0 && !comment)
        return sim_fail(err, "the model knows no nft %s", line);
    ja_autofree char *value = comment
                                  ? ja_printf("%s%.*s\n", there, (int)strcspn(comment + strlen(" comment \""), "\""),
                                              comment + strlen(" comment \""))
                                  : ja_strdup("");
    sim_put(sim, value, "nftchain %s %s %s", family, table, chain);
    return 0;
}

static int nft_line(struct ja_sim *sim, void *context, const char *line, char *const *words, int count,
                    struct ja_error *err)
{
    char element[256];
    bool *inside = context; /* a block of rules, which are constant */
    if (*inside || line[0] == '\t') {
        *inside = strcmp(line, "}") != 0;
        return 0;
    }
    if (strcmp(words[0], "table") == 0) {
        *inside = true;
        sim_put(sim, "", "nft %s %s", words[1], words[2]);
        return 0;
    }
    if (count < 4)
        return sim_fail(err, "the model knows no nft %s", line);
    const char *family = words[2], *table = words[3];
    bool there = sim_get(sim, "nft %s %s", family, table) != NULL;
    if (strcmp(words[1], "table") == 0) {
        if (strcmp(words[0], "create") == 0 && there)
            return sim_fail(err, "table %s exists", table);
        if (strcmp(words[0], "delete") == 0) {
            if (!there)
                return sim_fail(err, "there is no table %s", table);
            sim_drop(sim, "nft %s %s", family, table);
            sim_drop_all(sim, "nft %s %s ", family, table);
            sim_drop_all(sim, "nftchain %s %s ", family, table);
        } else {
            sim_put(sim, "", "nft %s %s", family, table);
        }
        return 0;
    }
    if (there && count >= 5 && (strcmp(words[1], "chain") == 0 || strcmp(words[1], "rule") == 0))
        return nft_chain(sim, line, words, err);
    if (there && strcmp(words[0], "add") == 0 && strcmp(words[1], "map") == 0)
        return 0;
    if (strcmp(words[1], "element") != 0 || !there || count < 6)
        return sim_fail(err, "no table, or the model knows no nft %s", line);
    plain_element(line, element, sizeof element);
    if (strcmp(words[0], "add") == 0)
        sim_put(sim, "", "nft %s %s %s %s", family, table, words[4], element);
    else if (!sim_drop(sim, "nft %s %s %s %s", family, table, words[4], element))
        return sim_fail(err, "there is no element %s in %s", element, words[4]);
    return 0;
}

static int do_nft(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    struct ja_sim before;
    bool inside = false;
    (void)argv, (void)argc;
    ja_sim_copy(&before, sim);
    int rc = sim_each_line(sim, cmd->input, &inside, nft_line, err);
    if (rc == 0 && !sim->tearing) {
        ja_sim_fini(&before);
        return 0;
    }
    struct ja_sim_entry *entries = sim->entries;
    size_t count = sim->count, size = sim->size;
    sim->entries = before.entries;
    sim->count = before.count;
    sim->size = before.size;
    before.entries = entries;
    before.count = count;
    before.size = size;
    ja_sim_fini(&before);
    return rc;
}

/* ---- storage ---- */

static int do_subvolume_create(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                               struct ja_error *err)
{
    const char *path = argv[argc - 1];
    (void)cmd;
    if (sim_get(sim, "path %s", path) || !sim_parent_is_dir(sim, path))
        return sim_fail(err, "cannot create subvolume %s", path);
    sim_make(sim, path, "subvolume");
    return 0;
}

static int do_snapshot(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *from = argv[argc - 2], *to = argv[argc - 1], *type = sim_get(sim, "path %s", from);
    (void)cmd;
    if (!type || strcmp(type, "subvolume") != 0 || sim_get(sim, "path %s", to) || !sim_parent_is_dir(sim, to))
        return sim_fail(err, "cannot snapshot %s to %s", from, to);
    sim_copy_tree(sim, from, to);
    if (has(argv, argc, "-r"))
        sim_put(sim, "yes", "ro %s", to);
    sim_synced(sim);
    return 0;
}

static int do_subvolume_delete(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                               struct ja_error *err)
{
    const char *path = argv[argc - 1], *type = sim_get(sim, "path %s", path);
    (void)cmd;
    if (!type || strcmp(type, "subvolume") != 0)
        return sim_fail(err, "%s is no subvolume", path);
    sim_remove_tree(sim, path);
    return 0;
}

static int do_property(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *path = argv[argc - 3];
    (void)cmd;
    if (!sim_is_dir(sim, path))
        return sim_fail(err, "there is no %s", path);
    if (strcmp(argv[argc - 1], "true") == 0)
        sim_put(sim, "yes", "ro %s", path);
    else
        sim_drop(sim, "ro %s", path);
    return 0;
}

static int do_tree_delete(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    (void)cmd, (void)err;
    if (!sim->tearing)
        sim_remove_tree(sim, argv[argc - 1]);
    return 0;
}

static int do_mkfs(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    char disk[512];
    (void)cmd;
    if (!sim_get(sim, "path %s", argv[argc - 1]))
        return sim_fail(err, "there is no %s", argv[argc - 1]);
    snprintf(disk, sizeof disk, "@%s", argv[argc - 1]);
    sim_make(sim, disk, "dir");
    return 0;
}

static int do_mount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_mount(sim, argv[argc - 2], argv[argc - 1], "btrfs", err);
}

static int do_umount(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_umount(sim, argv[argc - 1], err);
}

static int do_seccomp(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd, (void)err;
    sim_make(sim, argv[argc - 1], "file");
    return 0;
}

/* ---- jails ---- */

static int do_ns_create(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *dir = argv[argc - 1];
    (void)cmd;
    if (sim_get(sim, "path %s", dir) || !sim_parent_is_dir(sim, dir))
        return sim_fail(err, "cannot make %s", dir);
    sim_make(sim, dir, "dir");
    sim_put(sim, "file", "path %s/net", dir);
    sim_put(sim, "file", "path %s/user", dir);
    sim_put(sim, "yes", "pin %s", dir);
    return 0;
}

static int do_ns_release(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    const char *dir = argv[argc - 1];
    (void)cmd, (void)err;
    sim_remove_tree(sim, dir);
    let_go(sim, dir);
    return 0;
}

static int do_bundle(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *dir = argv[argc - 1];
    if (sim_get(sim, "path %s", dir) || !sim_parent_is_dir(sim, dir))
        return sim_fail(err, "cannot make %s", dir);
    sim_make(sim, dir, "dir");
    if (!sim->tearing) {
        sim_put(sim, "file", "path %s/config.json", dir);
        sim_put(sim, cmd->input, "text %s/config.json", dir);
    }
    return 0;
}

/* A service in a running jail. */
static int do_crun_exec(struct ja_sim *sim, char *const *argv, int argc, struct ja_error *err)
{
    const char *pidfile = sim_option(argv, argc, "--pid-file"), *cgroup = sim_option(argv, argc, "--cgroup");
    const char *init = cgroup ? sim_get(sim, "cgroup %s", cgroup) : NULL;
    if (!init || !sim_get(sim, "process %s", init))
        return sim_fail(err, "the jail does not run");
    if (sim->tearing || !pidfile)
        return 0;
    sim_make(sim, pidfile, "file");
    sim_put(sim, "4713 1000000000000", "process %s", pidfile);
    return 0;
}

/* A command in a jail that runs: in vain. */
static int do_jail_exec(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    const char *root = sim_word_after(argv, argc, "--root"), *id = sim_word_after(argv, argc, "exec");
    const char *pidfile = root && id ? sim_get(sim, "crun %s/%s", root, id) : NULL;
    (void)cmd;
    if (!pidfile || !sim_get(sim, "process %s", pidfile))
        return sim_fail(err, "the jail %s does not run", id ? id : "");
    return 0;
}

static int do_crun(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "exec") == 0)
            return do_crun_exec(sim, argv, argc, err);
    const char *pidfile = sim_option(argv, argc, "--pid-file"), *tree = sim_option(argv, argc, "--tree");
    const char *bundle = sim_word_after(argv, argc, "-b"), *id = argv[argc - 1], *root = NULL;
    (void)cmd;
    for (int i = 0; i + 1 < argc; i++) /* the second --root is crun's */
        if (strcmp(argv[i], "--root") == 0)
            root = argv[i + 1];
    const char *config = bundle ? sim_get(sim, "text %s/config.json", bundle) : NULL;
    if (!pidfile || !tree || !root || !config || !sim_is_dir(sim, tree))
        return sim_fail(err, "cannot run %s", id);
    json_t *json = json_loads(config, 0, NULL);
    const char *cgroup = sim_option(argv, argc, "--cgroup");
    if (cgroup && !sim_get(sim, "cgroup %s", cgroup)) {
        json_decref(json);
        return sim_fail(err, "there is no cgroup %s", cgroup);
    }
    if (!cgroup) /* crun makes it */
        cgroup = json_string_value(json_object_get(json_object_get(json, "linux"), "cgroupsPath"));
    sim_put(sim, pidfile, "crun %s/%s", root, id);
    sim_put(sim, pidfile, "cgroup %s", cgroup ? cgroup : "");
    json_decref(json);
    /* Cut off before its init ran. */
    if (sim->tearing)
        return 0;
    sim_put(sim, "file", "path %s", pidfile);
    sim_put(sim, "4711 1000000000000", "process %s", pidfile);
    return 0;
}

static void end_process(struct ja_sim *sim, const char *pidfile)
{
    char ns[512];
    if (!sim_drop(sim, "process %s", pidfile) || !ja_str_equal(strrchr(pidfile, '/'), "/pid"))
        return;
    snprintf(ns, sizeof ns, "%s", pidfile);
    /* With its init all of a jail's processes end. */
    strcpy(strrchr(ns, '/'), "/service-");
    sim_drop_all(sim, "process %s", ns);
    strcpy(strrchr(ns, '/'), "/ns");
    let_go(sim, ns);
}

static int do_kill(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd, (void)err;
    end_process(sim, argv[argc - 1]);
    return 0;
}

static int do_crun_clean(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    const char *root = sim_option(argv, argc, "--root"), *cgroup = sim_option(argv, argc, "--cgroup");
    char pidfile[512];
    (void)cmd, (void)err;
    const char *there = sim_get(sim, "cgroup %s", cgroup);
    snprintf(pidfile, sizeof pidfile, "%s", there ? there : "");
    if (there)
        end_process(sim, pidfile);
    sim_drop(sim, "cgroup %s", cgroup);
    sim_drop_all(sim, "limit %s ", cgroup);
    if (!sim->tearing)
        sim_drop(sim, "crun %s/%s", root, argv[argc - 1]);
    return 0;
}

static int do_netns_link(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                         struct ja_error *err)
{
    (void)cmd, (void)argc;
    if (!sim_get(sim, "process %s", argv[3]))
        return sim_fail(err, "there is no process of %s", argv[3]);
    sim_put(sim, argv[3], "netns %s", argv[2]);
    return 0;
}

static int do_netns_unlink(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                           struct ja_error *err)
{
    (void)cmd, (void)argc, (void)err;
    sim_drop(sim, "netns %s", argv[2]);
    return 0;
}

/* Quotas belong to subvolumes and go with them: only that there is one is looked at. */
static int do_qgroup(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)cmd;
    return sim_is_dir(sim, argv[argc - 1]) ? 0 : sim_fail(err, "cannot limit %s", argv[argc - 1]);
}

static int do_nothing(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc, struct ja_error *err)
{
    (void)sim, (void)cmd, (void)argv, (void)argc, (void)err;
    return 0;
}

static int do_cgroup_create(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                            struct ja_error *err)
{
    (void)cmd, (void)err;
    if (!sim_get(sim, "cgroup %s", argv[argc - 1]))
        sim_put(sim, "", "cgroup %s", argv[argc - 1]);
    return 0;
}

static int do_cgroup_limit(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                           struct ja_error *err)
{
    const char *cgroup = argv[argc - 1];
    (void)cmd;
    if (!sim_get(sim, "cgroup %s", cgroup))
        return sim_fail(err, "there is no cgroup %s", cgroup);
    for (int i = 2; i + 2 < argc; i += 2)
        if (strcmp(argv[i], "--device") == 0)
            continue; /* where, not how much */
        else if (strcmp(argv[i + 1], "0") == 0 || strcmp(argv[i + 1], "all") == 0)
            sim_drop(sim, "limit %s %s", cgroup, argv[i]);
        else
            sim_put(sim, argv[i + 1], "limit %s %s", cgroup, argv[i]);
    return 0;
}

/* Of a jail, or the one that they all are below. */
static int do_cgroup_remove(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                            struct ja_error *err)
{
    char below[512];
    const char *pidfile = sim_get(sim, "cgroup %s", argv[argc - 1]);
    (void)cmd;
    snprintf(below, sizeof below, "cgroup %s/", argv[argc - 1]);
    if (sim_starts(sim, sim_from(sim, below), below) || (pidfile && sim_get(sim, "process %s", pidfile)))
        return sim_fail(err, "%s is in use", argv[argc - 1]);
    sim_drop(sim, "cgroup %s", argv[argc - 1]);
    sim_drop_all(sim, "limit %s ", argv[argc - 1]);
    return 0;
}

/* The unit of systemd stays until teardown, as the host's settings do. */
static int do_cgroup_unit(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                          struct ja_error *err)
{
    (void)cmd, (void)argv, (void)argc;
    return sim_get(sim, "path /run/systemd/system") ? 0 : sim_fail(err, "systemd does not run here");
}

static int do_cgroup_adopt(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                           struct ja_error *err)
{
    (void)cmd, (void)argc;
    return sim_get(sim, "daemon %s", argv[2]) ? 0 : sim_fail(err, "%s does not run", argv[3]);
}

static int do_cgroup_unit_end(struct ja_sim *sim, const struct ja_cmd *cmd, char *const *argv, int argc,
                              struct ja_error *err)
{
    char below[512];
    (void)cmd, (void)argc;
    snprintf(below, sizeof below, "cgroup /%s/", argv[3]);
    return sim_starts(sim, sim_from(sim, below), below) ? sim_fail(err, "%s is in use", argv[3]) : 0;
}

static const struct ja_sim_command commands[] = {
    {{"ip", "-batch", "-"}, do_ip},
    {{"ip", "address"}, do_ip_address},
    {{"nsenter"}, do_nsenter},
    {{"nft", "-f", "-"}, do_nft},
    {{"btrfs", "subvolume", "create"}, do_subvolume_create},
    {{"btrfs", "subvolume", "snapshot"}, do_snapshot},
    {{"btrfs", "subvolume", "delete"}, do_subvolume_delete},
    {{"btrfs", "property", "set"}, do_property},
    {{"btrfs", "quota", "enable"}, do_qgroup},
    {{"btrfs", "qgroup", "limit"}, do_qgroup},
    {{"env"}, do_nothing},
    {{"mkfs.btrfs"}, do_mkfs},
    {{"mount"}, do_mount},
    {{"umount"}, do_umount},
    {{"host", "tree-delete"}, do_tree_delete},
    {{"host", "seccomp-convert"}, do_seccomp},
    {{"host", "link-remove"}, do_link_remove},
    {{"host", "ns-create"}, do_ns_create},
    {{"host", "ns-release"}, do_ns_release},
    {{"host", "bundle"}, do_bundle},
    {{"host", "crun"}, do_crun},
    {{"host", "crun-clean"}, do_crun_clean},
    {{"host", "jail-exec"}, do_jail_exec},
    {{"host", "stop-init"}, do_kill},
    {{"host", "kill-init"}, do_kill},
    {{"host", "netns-link"}, do_netns_link},
    {{"host", "netns-unlink"}, do_netns_unlink},
    {{"host", "ns-setting"}, do_nothing},
    {{"host", "cgroup-create"}, do_cgroup_create},
    {{"host", "cgroup-limit"}, do_cgroup_limit},
    {{"host", "cgroup-remove"}, do_cgroup_remove},
    {{"host", "cgroup-unit"}, do_cgroup_unit},
    {{"host", "cgroup-adopt"}, do_cgroup_adopt},
    {{"host", "cgroup-unit-end"}, do_cgroup_unit_end},
    {{NULL}, NULL},
};

/* ---- facts ---- */

/* "/sys/class/net/LINK/REST" */
static bool sys_fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value)
{
    char link[64] = "", rest[64] = "", port[64];
    const char *below = name + strlen("/sys/class/net");
    if (!ja_str_starts(name, "/sys/class/net"))
        return false;
    *ret_value = NULL;
    if (!*below && kind == JA_FACT_DIRECTORY) {
        sim->text[0] = '\0';
        for (size_t i = sim_from(sim, "link "); sim_starts(sim, i, "link "); i++) {
            strcat(sim->text, sim->entries[i].key + strlen("link "));
            strcat(sim->text, "\n");
        }
        *ret_value = sim->text;
        return true;
    }
    sscanf(below, "/%63[^/]/%63s", link, rest);
    const char *master = sim_get(sim, "master %s", link);
    if (!sim_get(sim, "link %s", link))
        return true;
    if (strcmp(rest, "flags") == 0)
        *ret_value = sim_get(sim, "up %s", link) ? "0x1003\n" : "0x1002\n";
    else if (strcmp(rest, "master") == 0 || strcmp(rest, "brport") == 0)
        *ret_value = master ? "link" : NULL;
    else if (sscanf(rest, "brif/%63s", port) == 1) {
        master = sim_get(sim, "master %s", port);
        *ret_value = master && strcmp(master, link) == 0 ? "link" : NULL;
    }
    return true;
}

static const char *host_address(struct ja_sim *sim, const char *address)
{
    char interface[64], text[128];
    for (size_t i = sim_from(sim, "addr "); sim_starts(sim, i, "addr "); i++)
        if (sscanf(sim->entries[i].key, "addr %63s %127[^/]", interface, text) == 2 && strcmp(text, address) == 0)
            return sim_say(sim, "%s", interface);
    return NULL;
}

static const char *host_networks(struct ja_sim *sim)
{
    char interface[64], text[128], all[8192] = "";
    for (size_t i = sim_from(sim, "addr "); sim_starts(sim, i, "addr "); i++)
        if (sscanf(sim->entries[i].key, "addr %63s %127s", interface, text) == 2)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s %s\n", text, interface);
    return sim_say(sim, "%s", all);
}

static const char *ports(struct ja_sim *sim, const char *bridge)
{
    size_t count = 0;
    for (size_t i = sim_from(sim, "master "); sim_starts(sim, i, "master "); i++)
        count += strcmp(sim->entries[i].value, bridge) == 0;
    return sim_get(sim, "link %s", bridge) ? sim_say(sim, "%zu", count) : NULL;
}

static const char *container(struct ja_sim *sim, const char *name)
{
    const char *pidfile = sim_get(sim, "crun %s", name);
    return pidfile && sim_get(sim, "process %s", pidfile) ? sim_say(sim, "running 4711") : NULL;
}

static const char *neighbour(struct ja_sim *sim, const char *name)
{
    char address[64], device[16];
    return sscanf(name, "%63s %15s", address, device) == 2 ? sim_get(sim, "neigh %s %s", device, address) : NULL;
}

static const char *rules_of(struct ja_sim *sim, const char *name)
{
    const char *table = sim_get(sim, "nft %s", name);
    if (!table)
        return "0";
    return sim_say(sim, "%u", *table ? 0 : ja_linux_ruleset_rules(strncmp(name, "inet", 4) == 0 ? "inet" : "bridge"));
}

static bool fact(struct ja_sim *sim, enum ja_fact_kind kind, const char *name, const char **ret_value)
{
    if (sys_fact(sim, kind, name, ret_value))
        return true;
    switch (kind) {
    case JA_FACT_LINK:
        *ret_value = sim_get(sim, "link %s", name);
        return true;
    case JA_FACT_PORTS:
        *ret_value = ports(sim, name);
        return true;
    case JA_FACT_HOSTADDR:
        *ret_value = host_address(sim, name);
        return true;
    case JA_FACT_HOSTNETS:
        *ret_value = host_networks(sim);
        return true;
    case JA_FACT_PROCESS:
        *ret_value = sim_get(sim, "process %s", name);
        return true;
    case JA_FACT_JAIL:
        *ret_value = container(sim, name);
        return true;
    case JA_FACT_INIT:
        *ret_value = sim_get(sim, "path %s/bin/busybox", name) ? "busybox" : NULL;
        return true;
    case JA_FACT_NFT:
        *ret_value = sim_get(sim, "nft %s", name);
        return true;
    case JA_FACT_NFTRULES:
        *ret_value = rules_of(sim, name);
        return true;
    case JA_FACT_NFTCHAIN:
        *ret_value = sim_get(sim, "nftchain %s", name);
        if (*ret_value && !**ret_value)
            *ret_value = NULL;
        return true;
    case JA_FACT_NEIGHBOUR:
        *ret_value = neighbour(sim, name);
        return true;
    case JA_FACT_FIREWALL:
        *ret_value = NULL;
        return true;
    case JA_FACT_CGROUPS:
        *ret_value = "v2";
        return true;
    case JA_FACT_QUOTA:
        *ret_value = NULL;
        return true;
    case JA_FACT_DISKS:
        *ret_value = "7:0";
        return true;
    case JA_FACT_CGROUP:
        *ret_value = sim_get(sim, "cgroup %s", name) ? "" : NULL;
        return true;
    case JA_FACT_IDMAP:
        *ret_value = "yes";
        return true;
    case JA_FACT_MODULE:
        *ret_value = "";
        return true;
    case JA_FACT_SHAPING:
        *ret_value = "tbf netem ifb redirect";
        return true;
    case JA_FACT_QDISC:
        *ret_value = sim_tc_queues(sim, name);
        return true;
    case JA_FACT_NETNS:
        *ret_value = sim_get(sim, "netns %s", name) ? "" : NULL;
        return true;
    default:
        return false;
    }
}

static void boot(struct ja_sim *sim)
{
    static const char *const links[] = {"lo", "eth0"};
    for (size_t i = 0; i < JA_COUNT(links); i++) {
        sim_put(sim, "", "link %s", links[i]);
        sim_put(sim, "yes", "up %s", links[i]);
    }
    sim_put(sim, "", "addr eth0 203.0.113.5/24");
    sim_put(sim, "", "addr lo 127.0.0.1/8");
    sim_put(sim, "0", "sysctl net.ipv4.ip_forward");
    sim_put(sim, "0", "sysctl net.ipv6.conf.all.forwarding");
    sim_put(sim, "1", "sysctl net.ipv6.conf.eth0.accept_ra");
}

static void boot_systemd(struct ja_sim *sim)
{
    boot(sim);
    sim_make(sim, "/run/systemd", "dir");
    sim_make(sim, "/run/systemd/system", "dir");
}

/* The settings that are remembered are in the registry, which stays. */
static void shut(struct ja_sim *sim)
{
    static const char *const kinds[] = {"link ",  "up ",     "master ", "peer ",    "vlan ",   "addr ",     "neigh ",
                                        "mtu ",   "inside ", "nft ",    "process ", "crun ",   "nftchain ", "cgroup ",
                                        "limit ", "daemon ", "netns ",  "pin ",     "sysctl ", "qdisc ",    "filter "};
    for (size_t i = 0; i < JA_COUNT(kinds); i++)
        sim_drop_all(sim, "%s", kinds[i]);
    sim_remove_tree(sim, "/run");
    sim_make(sim, "/run", "dir");
}

static const char *const stays[] = {NULL};
static const struct ja_sim_command *const tables[] = {commands, sim_tc_commands, sim_file_commands, NULL};
static const char *const tools[] = {"btrfs",  "mkfs.btrfs", "ip",        "nft", "crun", "dnsmasq", "nsenter", "mount",
                                    "umount", "busybox",    "catatonit", "cp",  "tar",  "env",     "tc",      NULL};

#define LINUX                                                                                                          \
    .os = JA_OS_LINUX, .storage = "file:1G", .source = "busybox", .run = "/run", .uplink = "eth0", .commands = tables, \
    .tools = tools, .stays = stays, .fact = fact, .shut = shut, .check = sim_tc_check

const struct ja_sim_system ja_sim_linux = {LINUX, .name = "linux", .boot = boot};
const struct ja_sim_system ja_sim_linux_systemd = {LINUX, .name = "linux-systemd", .boot = boot_systemd};
