/*
 * apt.c: where this host gets Debian packages from, as apt itself understands its configuration: one-line and deb822 sources,
 * all files of both directories, proxies.
 */
#include "host/linux/native/native.h"
#include "run/spawn.h"

#include <unistd.h>

enum { APT_TIMEOUT_MS = 20000 };

#define APT_GET "/usr/bin/apt-get"
#define APT_CONFIG "/usr/bin/apt-config"

static int add_output(char *const *argv, struct ja_str *lines, struct ja_error *err)
{
    struct ja_spawn spawn = {.argv = argv, .timeout_ms = APT_TIMEOUT_MS};
    struct ja_spawn_result result;
    int rc = ja_spawn_run(&spawn, &result, err);
    if (rc < 0)
        return rc;
    if (result.status != 0)
        rc = ja_error_set(err, JA_E_FAILED, NULL, "%s ended with status %d: its configuration is faulty", argv[0],
                          result.status);
    else if (result.output.text)
        ja_str_add(lines, result.output.text);
    ja_str_fini(&result.output);
    return rc;
}

int ja_linux_probe_apt(struct ja_str *lines, struct ja_error *err)
{
    char *const sources[] = {(char[]){APT_GET},
                             (char[]){"indextargets"},
                             (char[]){"--format"},
                             (char[]){"source $(REPO_URI) $(RELEASE) $(COMPONENT)"},
                             (char[]){"Created-By: Packages"},
                             NULL};
    char *const proxy[] = {(char[]){APT_CONFIG},
                           (char[]){"dump"},
                           (char[]){"--no-empty"},
                           (char[]){"--format"},
                           (char[]){"%f %v%n"},
                           (char[]){"Acquire::http::Proxy"},
                           NULL};
    if (access(APT_GET, X_OK) < 0 || access(APT_CONFIG, X_OK) < 0)
        return 0;
    int rc = add_output(sources, lines, err);
    if (rc == 0)
        ja_str_add(lines, "\n");
    if (rc == 0)
        rc = add_output(proxy, lines, err);
    return rc < 0 ? rc : 1;
}
