/* The card's layout, and everything that can be wrong with it. */
#include <string.h>

#include "bench.h"
#include "memory_card.h"

static char serial[SERIAL_MAX + 1];

static enum card_error read_card(void)
{
    memset(serial, 'x', sizeof serial);
    return memory_card_read(serial);
}

static enum card_error read_serial(const char *text)
{
    bench_put_serial(text);
    return read_card();
}

int main(void)
{
    EXPECT_NUMBER(CARD_OK, read_serial("1234567890"));
    EXPECT("1234567890", serial);
    EXPECT_NUMBER(CARD_OK, read_serial("7"));
    EXPECT("7", serial);
    EXPECT_NUMBER(CARD_OK, read_serial("ABCDEFGHIJKLMNOPQRSTUVW~"));
    EXPECT("ABCDEFGHIJKLMNOPQRSTUVW~", serial);

    /* Byte for byte as an example of the documentation has it. */
    bench_put_card("FKC1\x0A" "1234567890" "\xE1\x3A", 17);
    EXPECT_NUMBER(CARD_OK, read_card());

    EXPECT_NUMBER(CARD_LENGTH, read_serial(""));
    EXPECT_NUMBER(CARD_LENGTH, read_serial("1234567890123456789012345"));
    EXPECT_NUMBER(CARD_CHARACTERS, read_serial("12345 7890"));
    EXPECT_NUMBER(CARD_CHARACTERS, read_serial("12345,7890"));
    EXPECT_NUMBER(CARD_CHARACTERS, read_serial("12345*7890"));
    EXPECT_NUMBER(CARD_CHARACTERS, read_serial("$234567890"));
    EXPECT_NUMBER(CARD_CHARACTERS, read_serial("123456789\x7F"));
    EXPECT_NUMBER(CARD_CHARACTERS, read_serial("\x80" "23456789"));

    /* A blank card, a foreign one, one bit wrong anywhere. */
    bench_put_card("", 0);
    EXPECT_NUMBER(CARD_NO_MARK, read_card());
    bench_put_card("FKC2\x0A" "1234567890", 15);
    EXPECT_NUMBER(CARD_NO_MARK, read_card());
    for (unsigned bit = 5 * 8; bit < 17 * 8; bit++) {
        bench_put_serial("1234567890");
        bench_card.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        EXPECT_NUMBER(CARD_CHECKSUM, read_card());
    }

    /* What the bus says is passed on. */
    bench_put_serial("1234567890");
    bench_card.error = BUS_STOPPED;
    EXPECT_NUMBER(BUS_STOPPED, read_card());
    return 0;
}
