/*
 * test_sha256.c: the examples of FIPS 180-4, and that the pieces in which the input comes make no difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static void sum_of(const char *text, size_t count, size_t piece, char ret_text[JA_SHA256_TEXT])
{
    struct ja_sha256 sha;
    ja_sha256_init(&sha);
    for (size_t at = 0; at < count; at += piece)
        ja_sha256_add(&sha, text + at, count - at < piece ? count - at : piece);
    ja_sha256_text(&sha, ret_text);
}

static void known_sums_come_out(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *sum;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char sum[JA_SHA256_TEXT];
    for (size_t i = 0; i < JA_COUNT(known); i++) {
        sum_of(known[i].text, strlen(known[i].text), 1, sum);
        assert_string_equal(sum, known[i].sum);
        assert_true(ja_sha256_valid(sum));
    }
}

static void a_million_letters_in_any_pieces(void **unused)
{
    (void)unused;
    static char letters[1000000];
    static const size_t pieces[] = {1, 3, 63, 64, 65, 128, 4096, sizeof letters};
    char sum[JA_SHA256_TEXT];
    memset(letters, 'a', sizeof letters);
    for (size_t i = 0; i < JA_COUNT(pieces); i++) {
        sum_of(letters, sizeof letters, pieces[i], sum);
        assert_string_equal(sum, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

static void every_length_of_the_last_block_is_padded(void **unused)
{
    (void)unused;
    /* Each length up to three blocks, all sums chained into one; the last one was computed with sha256sum(1). */
    char text[192], sum[JA_SHA256_TEXT];
    struct ja_sha256 all;
    memset(text, 'x', sizeof text);
    ja_sha256_init(&all);
    for (size_t length = 0; length < sizeof text; length++) {
        sum_of(text, length, 64, sum);
        ja_sha256_add(&all, sum, 64);
    }
    ja_sha256_text(&all, sum);
    assert_string_equal(sum, "014d86aa08a51764a3f7b0a0c15d81d50709ca3f5ca52a550839b9282117d3c2");
}

static void a_file_is_read_to_its_end(void **unused)
{
    (void)unused;
    char sum[JA_SHA256_TEXT];
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs("abc", file);
    rewind(file);
    assert_int_equal(ja_sha256_fd(fileno(file), sum), 0);
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    fclose(file);
    assert_int_equal(ja_sha256_fd(-1, sum), -1);
}

static void only_sums_are_valid(void **unused)
{
    (void)unused;
    assert_false(ja_sha256_valid(""));
    assert_false(ja_sha256_valid("E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_false(ja_sha256_valid("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sums_come_out),
        cmocka_unit_test(a_million_letters_in_any_pieces),
        cmocka_unit_test(every_length_of_the_last_block_is_padded),
        cmocka_unit_test(a_file_is_read_to_its_end),
        cmocka_unit_test(only_sums_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
