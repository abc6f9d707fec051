/* What the firmware's own tests stand on: a line whose bytes are kept, a card in memory, and a way to complain. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#include "errors.h"

/* The card on the bus; an error other than CARD_OK is what every read of it gives. `reads` counts them. */
extern struct bench_card {
    uint8_t data[256];
    enum card_error error;
    unsigned reads;
} bench_card;

/* A card with this content from its first byte on, 0xFF behind. */
void bench_put_card(const void *content, unsigned length);

/* A sound card with this serial, after the layout's description and not by the firmware's code. */
void bench_put_serial(const char *serial);

/* What was said since the last time, line ends shown as `;`. */
const char *bench_said(void);

/* The same without what every line has: `$FKC,00,` before and the CRC behind. */
const char *bench_lines(void);

void bench_expect(const char *where, int line, const char *what, const char *expected, const char *got);
void bench_expect_number(const char *where, int line, const char *what, long expected, long got);

#define EXPECT(expected, got) bench_expect(__FILE__, __LINE__, #got, expected, got)
#define EXPECT_NUMBER(expected, got) bench_expect_number(__FILE__, __LINE__, #got, expected, got)

#endif
