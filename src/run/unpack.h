/*
 * unpack.h: who unpacks archives. libarchive and the dozen libraries that it brings along would triple the time in which every command
 * starts, so it is linked into a program of its own, jailadmin-unpack: this one, with ja_unpack_tar. The verb runs that.
 */
#ifndef JA_UNPACK_H
#define JA_UNPACK_H

#include "run/hostverb.h"

#define JA_UNPACK_PROGRAM "jailadmin-unpack"

/* `host template-tar` in the program that has libarchive, in src/unpack; NULL in the others. */
extern ja_hostverb_fn *ja_unpack_here;
ja_hostverb_fn ja_unpack_tar;

#endif
