/* The whole reader over minutes of its own time, millisecond by millisecond. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bench.h"
#include "reader.h"

static uint32_t now;
static bool closed;

static void elapse(unsigned milliseconds)
{
    while (milliseconds--)
        reader_tick(closed, ++now);
}

static void say(const char *text)
{
    for (; *text; text++)
        reader_hear((uint8_t)*text, now);
}

static void restart(uint32_t at)
{
    now = at;
    closed = false;
    bench_put_serial("1234567890");
    reader_start(0x08);
}

static void test_start(void)
{
    restart(0);
    const char *hello = "$FKC,00,HELLO,1," FIRMWARE_VERSION ",328P,08*";
    EXPECT_NUMBER(0, strncmp(hello, bench_said(), strlen(hello)));
    elapse(999);
    EXPECT("", bench_said());
    elapse(1);
    EXPECT("BEAT,1000,0,0;", bench_lines());
    elapse(3000);
    EXPECT("BEAT,2000,0,0;BEAT,3000,0,0;BEAT,4000,0,0;", bench_lines());
}

static void test_cards(void)
{
    restart(0);
    bench_said();
    closed = true;
    elapse(1);
    EXPECT("CARD,1,I2C,1234567890;", bench_lines());
    closed = false;
    elapse(1);
    EXPECT("GONE,1;", bench_lines());
    bench_put_serial("9999999999");
    closed = true;
    elapse(1);
    EXPECT("CARD,2,I2C,9999999999;", bench_lines());
    elapse(997);
    EXPECT("BEAT,1000,1,2;", bench_lines());
}

static void test_bad_cards(void)
{
    restart(0);
    bench_said();
    bench_card.error = BUS_NO_WRITE_ADDRESS;
    closed = true;
    elapse(40);
    EXPECT("", bench_lines());
    EXPECT_NUMBER(2, bench_card.reads);
    elapse(1);
    EXPECT("BAD,1,02;", bench_lines());
    EXPECT_NUMBER(3, bench_card.reads);
    elapse(900);
    EXPECT_NUMBER(3, bench_card.reads);

    /* One that makes contact at the last try is a good one. */
    closed = false;
    elapse(1);
    EXPECT("GONE,1;", bench_lines());
    closed = true;
    elapse(25);
    bench_card.error = CARD_OK;
    elapse(20);
    EXPECT("CARD,2,I2C,1234567890;", bench_lines());
}

static void test_card_that_goes_while_it_is_read(void)
{
    restart(0);
    bench_said();
    bench_card.error = BUS_STOPPED;
    closed = true;
    elapse(10);
    closed = false;
    elapse(100);
    EXPECT("GONE,1;", bench_lines());
}

static void test_commands(void)
{
    restart(0);
    bench_said();
    elapse(5);
    say("$HST,01,HELLO*B357\r\n");
    EXPECT("ACK,01;HELLO,1," FIRMWARE_VERSION ",328P,08;", bench_lines());
    say("$HST,03,PING*4499\r\n$HST,03,PING*4499\r\n");
    EXPECT("ACK,03;ACK,03;", bench_lines());
    say("$HST,0A,DANCE*A9F8\r\n$HST,03,PING*4498\r\n$what?\r\n");
    EXPECT("NAK,0A,VERB;NAK,--,CRC;NAK,--,FRAME;", bench_lines());
    EXPECT_NUMBER(false, reader_wants_reset());
    say("$HST,FF,RESET*2AD1\r\n");
    EXPECT("ACK,FF;", bench_lines());
    EXPECT_NUMBER(true, reader_wants_reset());
    restart(0);
    EXPECT_NUMBER(false, reader_wants_reset());
}

static void test_status(void)
{
    restart(0);
    bench_said();
    elapse(5);
    say("$HST,02,STAT*A9BB\r\n");
    elapse(1);
    EXPECT("ACK,02;BEAT,6,0,0;", bench_lines());

    closed = true;
    elapse(1);
    bench_said();
    bench_put_serial("5555555555");
    say("$HST,02,STAT*A9BB\r\n");
    elapse(1);
    EXPECT("ACK,02;CARD,1,I2C,5555555555;BEAT,8,1,1;", bench_lines());

    /* A card that fails is tried three times before the answer, and a second question meanwhile changes nothing. */
    bench_card.error = BUS_STOPPED;
    say("$HST,02,STAT*A9BB\r\n");
    elapse(30);
    say("$HST,02,STAT*A9BB\r\n");
    EXPECT("ACK,02;ACK,02;", bench_lines());
    elapse(15);
    EXPECT("BAD,1,06;BEAT,49,1,1;", bench_lines());

    /* A card that goes meanwhile: the answer is that there is none. */
    say("$HST,02,STAT*A9BB\r\n");
    elapse(1);
    closed = false;
    elapse(1);
    EXPECT("ACK,02;GONE,1;BEAT,55,0,1;", bench_lines());
}

static void test_ends_of_ranges(void)
{
    restart(0);
    bench_said();
    for (unsigned i = 0; i < 65535; i++) {
        closed = true;
        elapse(1);
        closed = false;
        elapse(1);
        bench_said();
    }
    closed = true;
    elapse(1);
    EXPECT("CARD,0,I2C,1234567890;", bench_lines());
}

int main(void)
{
    test_start();
    test_cards();
    test_bad_cards();
    test_card_that_goes_while_it_is_read();
    test_commands();
    test_status();
    test_ends_of_ranges();
    return 0;
}
