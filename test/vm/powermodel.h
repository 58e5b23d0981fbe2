/*
 * powermodel.h: what test_powercut knows of the jails that should be there, and how that is compared with what is.
 */
#ifndef POWERMODEL_H
#define POWERMODEL_H

#include <stdbool.h>
#include <stddef.h>

enum { JAILS = 5, TEMPLATES = 3, TREES = 4, SNAPSHOTS = 3, NETWORKS = 2, TEXT = 2048 };
enum boot { BOOT_NO, BOOT_YES, BOOT_LAST };

/* A tree is known by a number in its file /mark. */
struct tree {
    char name[16];
    int mark;
};

struct kept {
    char name[16], be[16]; /* be: the boot environment that was active */
    int tree, volume;      /* marks; a volume's is -1 when there is none */
};

struct jail {
    bool there, running, wanted;
    char uuid[40]; /* empty: not seen yet */
    char template[16];
    enum boot boot;
    struct tree trees[TREES]; /* boot environments, those without a name are free */
    int active;
    struct kept snapshots[SNAPSHOTS];
    int volume; /* its mark, -1: it has none */
    int memory; /* MiB */
    int label;
    int network; /* -1: none */
    int port;    /* of its forward, 0: none */
    bool ticks;
};

struct network {
    bool there, isolate;
    int label;
};

struct world {
    struct jail jails[JAILS];
    struct tree templates[TEMPLATES];
    struct network networks[NETWORKS];
};

extern const char *const jail_names[JAILS], *const network_names[NETWORKS];

/* A jail in a line; empty when it is not there. */
void jail_text(const struct jail *jail, char text[TEXT]);
/* Templates and networks in a line. */
void rest_text(const struct world *world, char text[TEXT]);
/* The host boots: what runs, and what is wanted to from then on. */
void world_boot(struct world *world);
/* Reads what the guest has found. False, with a line in `text`, when that does not fit together. */
bool world_read(const char *found, struct world *ret_world, char text[TEXT]);

#endif
