/*
 * sha256.c: SHA-256 (FIPS 180-4).
 */
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 16 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t word, unsigned bits)
{
    return word >> bits | word << (32 - bits);
}

static void mix_block(struct ja_sha256 *sha, const unsigned char *block)
{
    uint32_t w[64], s[8];
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(s, sha->state, sizeof s);
    for (size_t i = 0; i < 64; i++) {
        uint32_t high = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25), choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t one = s[7] + high + choice + rounds[i] + w[i];
        uint32_t low = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22);
        uint32_t two = low + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (size_t i = 0; i < 8; i++)
        sha->state[i] += s[i];
}

void ja_sha256_init(struct ja_sha256 *sha)
{
    /* The first 32 bits of the fractional parts of the square roots of the first 8 primes. */
    *sha = (struct ja_sha256){
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void ja_sha256_add(struct ja_sha256 *sha, const void *bytes, size_t count)
{
    const unsigned char *from = bytes;
    size_t held = sha->length % 64;
    sha->length += count;
    if (held) {
        size_t part = count < 64 - held ? count : 64 - held;
        memcpy(sha->block + held, from, part);
        from += part;
        count -= part;
        if (held + part < 64)
            return;
        mix_block(sha, sha->block);
    }
    for (; count >= 64; count -= 64, from += 64)
        mix_block(sha, from);
    if (count)
        memcpy(sha->block, from, count);
}

void ja_sha256_text(struct ja_sha256 *sha, char ret_text[JA_SHA256_TEXT])
{
    static const unsigned char padding[64] = {0x80};
    unsigned char bits[8];
    uint64_t length = sha->length * 8;
    for (size_t i = 0; i < 8; i++)
        bits[i] = (unsigned char)(length >> (56 - 8 * i));
    ja_sha256_add(sha, padding, 1 + (119 - sha->length % 64) % 64);
    ja_sha256_add(sha, bits, 8);
    for (size_t i = 0; i < 8; i++)
        snprintf(ret_text + 8 * i, 9, "%08x", (unsigned)sha->state[i]);
}

int ja_sha256_fd(int fd, char ret_text[JA_SHA256_TEXT])
{
    struct ja_sha256 sha;
    unsigned char buffer[READ_SIZE];
    ja_sha256_init(&sha);
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        ja_sha256_add(&sha, buffer, (size_t)n);
    }
    ja_sha256_text(&sha, ret_text);
    return 0;
}

bool ja_sha256_valid(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

bool ja_sha256_in_manifest(const char *manifest, const char *file, char ret_text[JA_SHA256_TEXT])
{
    size_t length = strlen(file);
    for (const char *line = manifest; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char sum[JA_SHA256_TEXT];
        if (strncmp(line, file, length) != 0 || line[length] != '\t')
            continue;
        const char *from = line + length + 1;
        size_t size = strcspn(from, "\t\r\n");
        if (size != JA_SHA256_TEXT - 1)
            return false;
        memcpy(sum, from, size);
        sum[size] = '\0';
        if (!ja_sha256_valid(sum))
            return false;
        memcpy(ret_text, sum, sizeof sum);
        return true;
    }
    return false;
}
