/*
 * libarchive.h: libarchive, loaded when an archive is unpacked and not before: linked in, it and the dozen libraries that it
 * brings along would triple the time in which every other command starts.
 */
#ifndef JA_LIBARCHIVE_H
#define JA_LIBARCHIVE_H

#include "base/base.h"

#include <archive.h>
#include <archive_entry.h>

/* Every function that is used: name without "archive_". */
#define JA_LIBARCHIVE_FUNCTIONS(use)                                                                                   \
    use(read_new) use(read_free) use(read_support_format_tar) use(read_support_filter_gzip)                            \
        use(read_support_filter_bzip2) use(read_support_filter_xz) use(read_support_filter_lzma)                       \
            use(read_support_filter_zstd) use(read_support_filter_lz4) use(read_support_filter_compress)               \
                use(read_open_fd) use(read_next_header) use(read_data_block) use(error_string) use(entry_pathname)     \
                    use(entry_pathname_utf8) use(entry_symlink) use(entry_symlink_utf8) use(entry_hardlink)            \
                        use(entry_hardlink_utf8) use(entry_filetype) use(entry_perm) use(entry_uid) use(entry_gid)     \
                            use(entry_size) use(entry_size_is_set) use(entry_mtime) use(entry_mtime_nsec)              \
                                use(entry_mtime_is_set) use(entry_xattr_reset) use(entry_xattr_next)

struct ja_libarchive {
#define JA_LIBARCHIVE_MEMBER(name) __typeof__(archive_##name) *name;
    JA_LIBARCHIVE_FUNCTIONS(JA_LIBARCHIVE_MEMBER)
#undef JA_LIBARCHIVE_MEMBER
};

/* The library, loaded for as long as the process lives. JA_E_UNSUPPORTED with the package's name. */
int ja_libarchive_load(const struct ja_libarchive **ret_library, struct ja_error *err);

#endif
