/*
 * site.c: names and numbers that follow from an instance's tag and blocks.
 */
#include "model/site.h"

#include <stdio.h>

void ja_site_nic_name(const struct ja_site *site, int64_t slot, size_t nic, char name[16])
{
    snprintf(name, 16, "ja%s%lldn%zu", site->tag, (long long)slot, nic);
}

void ja_site_bridge_name(const struct ja_site *site, int64_t slot, char name[16])
{
    snprintf(name, 16, "ja%sbr%lld", site->tag, (long long)slot);
}

void ja_site_mark(const struct ja_site *site, const char *uuid, char mark[128])
{
    snprintf(mark, 128, "jailadmin %s %s", site->uuid, uuid);
}

int64_t ja_site_uid(const struct ja_site *site, int64_t slot)
{
    return site->uid_base + slot * JA_UIDS_PER_SLOT;
}
