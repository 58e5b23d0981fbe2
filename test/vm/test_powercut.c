/*
 * test_powercut.c: another kernel does random operations on disks of its own, and loses its power at a random moment: the kernel is
 * killed (-9), and of what its disks had not been told to flush any part is lost. It boots again and recovers, and then what was
 * reported as done is there, what was not is there as a whole or not at all, and nothing else is. The same host goes on with what it
 * has, cut after cut.
 *   test_powercut PROGRAM SCRIPT     the script is powercut.sh
 * $JAILADMIN_TEST_SEED repeats a run, $JAILADMIN_TEST_CUTS says how many cuts (10; 200 with $JAILADMIN_TEST_LONG), and
 * $JAILADMIN_TEST_KEEP keeps the disks.
 * The seed decides what is done and at which write or flush of the disks the power goes, and what is lost. What it does not decide is when the
 * guest's kernel writes by itself, so that a repetition is nearly the same, not exactly.
 */
#include "powerguest.h"
#include "powerops.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000, CHAIN = 10 /* cuts of one host */, STATE_MIB = 480, POOL_MIB = 300 };

static const struct layout {
    const char *what, *storage, *pool, *places;
    bool btrfs; /* the first disk is, and not ext4 */
} layouts[] = {
    {"state on ext4, the pool a file there", "file:300M", "/var/db/jailadmin/pool", "/var/db", false},
    {"state on btrfs, the pool a disk of its own", "btrfs:/mnt/pool", "/mnt/pool", "/var/db,/mnt", true},
    {"state on ext4, the pool a disk of its own", "btrfs:/mnt/pool", "/mnt/pool", "/var/db,/mnt", false},
    {"state and pool on one btrfs", "btrfs:/var/db/pool", "/var/db/pool", "/var/db", true},
};

static char dir[64];
static unsigned long cuts, after_report, in_flight, finished, undone, lost;

static void command(const char *words, const char *path)
{
    char text[512];
    snprintf(text, sizeof text, "%s '%s' >/dev/null 2>&1", words, path);
    if (system(text) != 0) {
        printf("FAILED: %s\n", text);
        exit(1);
    }
}

static bool ask(struct guest *guest, const char *what, char **ret_output)
{
    int status = -1, rc = guest_ask(guest, what, 120 * SECOND, &status, ret_output);
    if (rc == GUEST_ANSWERED && status == 0)
        return true;
    printf("FAILED: %s: %s, status %d\n%s\n", what,
           rc == GUEST_ANSWERED ? "it failed"
           : rc == GUEST_LATE   ? "it did not end"
                                : "the guest died",
           status,
           *ret_output   ? *ret_output
           : guest->text ? guest->text
                         : "");
    free(*ret_output);
    *ret_output = NULL;
    return false;
}

static bool tell_to(struct guest *guest, const char *what)
{
    char *output;
    bool good = ask(guest, what, &output);
    free(output);
    return good;
}

/* What is there, with a line in `why` when it is not well. */
static bool look(struct guest *guest, struct world *ret_world, char why[TEXT])
{
    char *found = NULL;
    snprintf(why, TEXT, "it cannot be read");
    bool good = ask(guest, "look", &found) && world_read(found, ret_world, why);
    if (!good && found)
        printf("%s\n", found);
    free(found);
    return good;
}

static bool begin(struct guest *guest, const struct layout *layout, struct world *world)
{
    char init[256], why[TEXT];
    snprintf(init, sizeof init,
             "ja init --storage %s --network none --slots 64 && ja template create base --from busybox",
             layout->storage);
    return guest_boot(guest) == 0 && tell_to(guest, init) && look(guest, world, why);
}

/* Boots, recovers, compares and looks for leftovers. `op` is the last one, `done` whether its end was reported. */
static bool check_once(struct guest *guest, const struct op *op, bool done, struct world *world)
{
    char why[TEXT] = "", text[3 * TEXT], *output = NULL;
    struct op booted = *op;
    struct world found;
    if (guest_boot(guest) < 0) {
        printf("FAILED: the guest does not boot any more, or cannot mount its disks\n");
        return false;
    }
    if (!tell_to(guest, "ja boot"))
        return false;
    for (size_t i = 0; i < booted.count; i++)
        world_boot(&booted.states[i]);
    if (!look(guest, &found, why)) {
        printf("FAILED: %s\n", why);
        return false;
    }
    if (!op_allows(&booted, &found, done, text)) {
        printf("FAILED: what was %s is not as it should be:\n%s", done ? "done" : "cut off", text);
        return false;
    }
    if (!done && *text)
        undone++;
    else if (!done)
        finished++;
    if (!ask(guest, "leftovers", &output))
        return false;
    if (*output) {
        printf("FAILED: there is what should not be:\n%s", output);
        free(output);
        return false;
    }
    free(output);
    *world = found;
    return true;
}

static bool check(struct guest *guest, const struct op *op, bool done, struct world *world)
{
    bool good = check_once(guest, op, done, world);
    for (int tries = 0; !good && tries < 10 && guest_was_stopped(guest); tries++) {
        guest_kill(guest);
        lossy_cut(&guest->power, LOSSY_ALL, 0);
        good = check_once(guest, op, done, world);
    }
    return good;
}

/* The end: all of it goes, and the disks are whole. */
static bool end(struct guest *guest, const struct layout *layout)
{
    char text[512];
    if (!tell_to(
            guest,
            "ja delete --all --force --yes; ja template list | grep -v ^NAME | while read -r name rest; do ja template delete --yes $name; done; "
            "ja network list | grep -v ^NAME | while read -r name rest; do ja network delete --yes $name; done; rm -f /var/db/backup") ||
        !tell_to(
            guest,
            "ja list | grep -v ^NAME; ja gc && test -z \"$(ja gc --dry-run)\" && ! ls -A $POOL/jails/ $POOL/templates/ | grep -v : | grep . && "
            "btrfs subvolume list $POOL | grep -v 'path pool$' | grep . ; true") ||
        !tell_to(guest, "ja teardown --yes") ||
        !tell_to(
            guest,
            "! ls -A $(echo $DISKS | tr , ' ') 2>&1 | grep -v -e : -e '^$' -e lost+found -e jailadmin.instances -e '^pool$' && ! ls -A /var/db/jailadmin.instances | grep json && ! losetup -a | grep . && "
            "! ls -d /run/jailadmin* /sys/fs/cgroup/jailadmin* 2>/dev/null && ! ls /sys/class/net | grep ^ja && ! grep jailadmin /proc/self/mountinfo") ||
        !tell_to(guest, "umount /var/db && { ! mountpoint -q /mnt || umount /mnt; } && sync"))
        return false;
    guest_kill(guest);
    for (size_t i = 0; i < guest->power.count; i++) {
        bool btrfs = i > 0 || layout->btrfs;
        snprintf(text, sizeof text, "%s %s/disk%zu >%s/fsck 2>&1 || { cat %s/fsck; false; }",
                 btrfs ? "btrfs check --readonly" : "e2fsck -f -n", dir, i, dir, dir);
        if (system(text) != 0) {
            printf("FAILED: the file system of disk %zu is damaged\n", i);
            return false;
        }
    }
    return true;
}

static void make_disks(struct guest *guest, const struct layout *layout)
{
    char path[96];
    bool two = strchr(layout->places, ',') != NULL;
    for (int i = 0; i <= two; i++) {
        snprintf(path, sizeof path, "%s/disk%d", dir, i);
        unlink(path);
        if (lossy_add(&guest->power, path, (uint64_t)(i ? POOL_MIB : STATE_MIB) << 20) < 0) {
            perror(path);
            exit(1);
        }
        command(i || layout->btrfs ? "mkfs.btrfs -q" : "mkfs.ext4 -q -F -b 4096", path);
    }
    guest->places = layout->places;
    guest->pool = layout->pool;
}

/* Operations, the power cut, and what is there afterwards. */
static bool one_cut(struct guest *guest, uint64_t seed, struct world *world)
{
    uint64_t random = seed;
    static const char *const losses[] = {"all that was not flushed is lost", "nothing is lost",
                                         "the last writes are lost", "some writes are lost", "some sectors are lost"};
    enum lossy_loss loss = (enum lossy_loss)(lossy_random(&random) % 5);
    size_t before = lossy_random(&random) % 3, after = 1 + lossy_random(&random) % 30;
    unsigned how = (unsigned)(lossy_random(&random) % 8); /* 0: after its end, 1: after a time */
    static struct op op;
    int status = 0, rc = GUEST_DEAD;
    char *output = NULL;
    for (size_t i = 0; i <= before; i++) {
        op_choose(world, &random, &op);
        bool last = i == before;
        printf("%s  %s\n", last ? "cut:" : "    ", op.command);
        if (last) {
            guest->power.requests = 0;
            guest->power.cut_at = how > 1 ? after : 0;
            guest->cut_after_ms = how == 1 ? (int64_t)(after * 10) : 0;
        }
        rc = guest_ask(guest, op.command, 120 * SECOND, &status, &output);
        if ((rc == GUEST_DEAD || rc == GUEST_LATE) && guest_was_stopped(guest)) {
            rc = GUEST_CUT; /* as good as any */
            last = true;
            i = before;
        }
        if (rc == GUEST_DEAD || rc == GUEST_LATE || (rc == GUEST_ANSWERED && status != 0)) {
            printf("FAILED: %s, status %d\n%s\n",
                   rc == GUEST_DEAD   ? "the guest died"
                   : rc == GUEST_LATE ? "it does not end"
                                      : "it failed",
                   status,
                   output        ? output
                   : guest->text ? guest->text
                                 : "");
            free(output);
            return false;
        }
        free(output);
        if (!last)
            *world = op.states[op.count - 1];
    }
    bool done = rc == GUEST_ANSWERED;
    uint64_t requests = guest->power.requests;
    guest_kill(guest);
    size_t pending = lossy_cut(&guest->power, loss, lossy_random(&random));
    cuts++;
    *(done ? &after_report : &in_flight) += 1;
    lost += loss != LOSSY_NONE ? pending : 0;
    printf("      %s, after %llu requests to the disks; of %zu writes that were not flushed, %s\n",
           done ? "its end was reported" : "cut off", (unsigned long long)requests, pending, losses[loss]);
    return check(guest, &op, done, world);
}

static bool chain(const char *program, const char *script, const char *self, uint64_t seed, unsigned long number)
{
    struct guest guest = {.dir = dir, .program = program, .script = script, .self = self};
    uint64_t random = seed;
    const struct layout *layout = &layouts[lossy_random(&random) % (sizeof layouts / sizeof layouts[0])];
    static struct world world;
    printf("seed %llu: %s\n", (unsigned long long)seed, layout->what);
    op_begin();
    make_disks(&guest, layout);
    bool good = begin(&guest, layout, &world);
    for (unsigned long i = 0; i < number && good; i++)
        good = one_cut(&guest, lossy_random(&random), &world);
    good = good && end(&guest, layout);
    if (!good)
        printf("FAILED: JAILADMIN_TEST_SEED=%llu\n", (unsigned long long)seed);
    guest_kill(&guest);
    lossy_close(&guest.power);
    free(guest.text);
    return good;
}

static uint64_t number_in(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static char program[PATH_MAX], script[PATH_MAX], self[PATH_MAX];
    if (argc == 2 && strcmp(argv[1], "--entropy") == 0)
        return guest_give_entropy();
    if (geteuid() != 0 || system("command -v linux.uml mkfs.btrfs mkfs.ext4 >/dev/null") != 0) {
        printf("skipped: needs root, and user-mode-linux\n");
        return 77;
    }
    if (argc < 3 || !realpath(argv[1], program) || !realpath(argv[2], script) || !realpath("/proc/self/exe", self))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    strcpy(dir, "/var/tmp/jailadmin-powercut.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    uint64_t seed = number_in("JAILADMIN_TEST_SEED", (uint64_t)time(NULL));
    uint64_t total = number_in("JAILADMIN_TEST_CUTS", getenv("JAILADMIN_TEST_LONG") ? 200 : 10);
    unsigned long failures = 0;
    for (uint64_t left = total; left; seed++) {
        uint64_t now = left < CHAIN ? left : CHAIN;
        failures += !chain(program, script, self, seed, now);
        left -= now;
        if (failures && getenv("JAILADMIN_TEST_KEEP"))
            break;
    }
    printf(
        "%lu cuts: %lu after the end of an operation, %lu in one, of which %lu were undone and %lu were there; %lu writes that were "
        "not flushed might be lost; %lu failures\n",
        cuts, after_report, in_flight, undone, finished, lost, failures);
    if (!getenv("JAILADMIN_TEST_KEEP"))
        command("rm -rf", dir);
    else
        printf("kept: %s\n", dir);
    return failures != 0;
}
