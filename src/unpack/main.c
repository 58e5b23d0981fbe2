/*
 * main.c: jailadmin-unpack, which is jailadmin with libarchive. See run/unpack.h.
 */
#include "cli/cli.h"
#include "run/unpack.h"

int main(int argc, char **argv)
{
    ja_unpack_here = ja_unpack_tar;
    return ja_cli_main(argc, argv);
}
