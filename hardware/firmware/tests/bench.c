#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twi.h"
#include "uart.h"

#define PLENTY 65536

struct bench_card bench_card;

static char said[PLENTY];
static unsigned length;
static char shown[PLENTY];

void uart_put(uint8_t byte)
{
    if (length == PLENTY - 1)
        exit(3);
    said[length++] = (char)byte;
}

enum card_error twi_read(uint8_t device, uint8_t address, uint8_t *data, uint8_t count)
{
    bench_card.reads++;
    if (device != 0xA0)
        return BUS_NO_WRITE_ADDRESS;
    for (uint8_t i = 0; i < count; i++)
        data[i] = bench_card.data[(uint8_t)(address + i)];
    return bench_card.error;
}

void bench_put_card(const void *content, unsigned size)
{
    memset(&bench_card, 0, sizeof bench_card);
    memset(bench_card.data, 0xFF, sizeof bench_card.data);
    memcpy(bench_card.data, content, size);
}

/* CRC-16/CCITT-FALSE as a division of polynomials: the message with 16 zero bits behind, the first 16 inverted. */
static unsigned divide(const uint8_t *data, unsigned size)
{
    unsigned remainder = 0xFFFF;
    for (unsigned bit = 0; bit < 8 * size; bit++) {
        unsigned top = remainder >> 15 ^ (data[bit / 8] >> (7 - bit % 8) & 1u);
        remainder = (remainder << 1 ^ (top ? 0x1021u : 0)) & 0xFFFF;
    }
    return remainder;
}

void bench_put_serial(const char *serial)
{
    uint8_t data[64];
    unsigned size = (unsigned)snprintf((char *)data, sizeof data, "FKC1%c%s", (char)strlen(serial), serial);
    unsigned crc = divide(data, size);
    data[size] = (uint8_t)(crc >> 8);
    data[size + 1] = (uint8_t)crc;
    bench_put_card(data, size + 2);
}

const char *bench_said(void)
{
    memset(shown, 0, sizeof shown);
    for (unsigned i = 0, out = 0; i < length; i++)
        if (said[i] != '\r')
            shown[out++] = said[i] == '\n' ? ';' : said[i];
    length = 0;
    return shown;
}

const char *bench_lines(void)
{
    static char lines[PLENTY];
    char *out = lines;
    for (const char *at = bench_said(); *at; at = strchr(at, ';') + 1) {
        at += strlen("$FKC,00,");
        while (*at != '*')
            *out++ = *at++;
        *out++ = ';';
    }
    *out = '\0';
    return lines;
}

void bench_expect(const char *where, int line, const char *what, const char *expected, const char *got)
{
    if (strcmp(expected, got) == 0)
        return;
    fprintf(stderr, "%s:%d: %s\n  expected: %s\n  got:      %s\n", where, line, what, expected, got);
    exit(1);
}

void bench_expect_number(const char *where, int line, const char *what, long expected, long got)
{
    if (expected == got)
        return;
    fprintf(stderr, "%s:%d: %s\n  expected: %ld\n  got:      %ld\n", where, line, what, expected, got);
    exit(1);
}
