/*
 * main.c: the program. All that it does is in the library (cli.c), so that tests can call it.
 */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return ja_cli_main(argc, argv);
}
