#include "reader.h"

#include "line_in.h"
#include "line_out.h"
#include "memory_card.h"

#define PROTOCOL 1
#define BOARD "328P"
#define KIND "I2C"

#define BEAT_MS 1000
#define TRIES 3
#define BETWEEN_TRIES_MS 20

static struct {
    uint8_t reset_cause;
    bool present;
    uint16_t insertions;
    uint8_t tries_left; /* at the card that is in; 0: it is not being read */
    uint32_t try_at;
    uint32_t beat_at;
    bool beat_follows; /* the host has asked: once the card is read, a beat is due */
    bool reset_wanted;
} reader;

/* Whether a moment has come, though the milliseconds start again at 0 after 49 days. */
static bool due(uint32_t moment, uint32_t now)
{
    return (int32_t)(now - moment) >= 0;
}

static void say_hello(void)
{
    line_begin("HELLO");
    line_number(PROTOCOL);
    line_word(FIRMWARE_VERSION);
    line_word(BOARD);
    line_byte(reader.reset_cause);
    line_end();
}

static void say_beat(uint32_t now)
{
    reader.beat_follows = false;
    line_begin("BEAT");
    line_number(now);
    line_number(reader.present);
    line_number(reader.insertions);
    line_end();
}

static void say_card(const char *serial)
{
    line_begin("CARD");
    line_number(reader.insertions);
    line_word(KIND);
    line_word(serial);
    line_end();
}

static void say_gone(void)
{
    line_begin("GONE");
    line_number(reader.insertions);
    line_end();
}

static void say_bad(enum card_error error)
{
    line_begin("BAD");
    line_number(reader.insertions);
    line_byte((uint8_t)error);
    line_end();
}

static void say_ack(const char *seq)
{
    line_begin("ACK");
    line_word(seq);
    line_end();
}

static void say_nak(const char *seq, const char *why)
{
    line_begin("NAK");
    line_word(seq);
    line_word(why);
    line_end();
}

/* Read the card from now on, until it reads or the tries are used up. One that is being read goes on as it is. */
static void begin_reading(uint32_t now)
{
    if (reader.tries_left)
        return;
    reader.tries_left = TRIES;
    reader.try_at = now;
}

static void try_card(uint32_t now)
{
    char serial[SERIAL_MAX + 1];
    enum card_error error = memory_card_read(serial);
    reader.tries_left--;
    reader.try_at = now + BETWEEN_TRIES_MS;
    if (error && reader.tries_left)
        return;
    reader.tries_left = 0;
    if (error)
        say_bad(error);
    else
        say_card(serial);
}

static void follow_switch(bool closed, uint32_t now)
{
    reader.present = closed;
    if (closed) {
        reader.insertions++;
        begin_reading(now);
    } else {
        reader.tries_left = 0;
        say_gone();
    }
}

static void tell_status(uint32_t now)
{
    reader.beat_follows = true;
    if (reader.present)
        begin_reading(now);
}

static void obey(enum heard verb, const char *seq, uint32_t now)
{
    say_ack(seq);
    if (verb == HEARD_HELLO)
        say_hello();
    else if (verb == HEARD_STAT)
        tell_status(now);
    else if (verb == HEARD_RESET)
        reader.reset_wanted = true;
}

void reader_start(uint8_t reset_cause)
{
    reader.reset_cause = reset_cause;
    reader.present = false;
    reader.insertions = 0;
    reader.tries_left = 0;
    reader.beat_at = BEAT_MS;
    reader.beat_follows = false;
    reader.reset_wanted = false;
    line_restart();
    line_in_restart();
    say_hello();
}

void reader_hear(uint8_t byte, uint32_t now)
{
    char seq[3];
    enum heard heard = line_in_take(byte, seq);
    switch (heard) {
    case HEARD_NOTHING:
        break;
    case HEARD_NO_LINE:
        say_nak("--", "FRAME");
        break;
    case HEARD_WRONG_CRC:
        say_nak("--", "CRC");
        break;
    case HEARD_UNKNOWN_VERB:
        say_nak(seq, "VERB");
        break;
    default:
        obey(heard, seq, now);
    }
}

void reader_tick(bool closed, uint32_t now)
{
    if (closed != reader.present)
        follow_switch(closed, now);
    if (reader.tries_left && due(reader.try_at, now))
        try_card(now);
    if (reader.beat_follows && !reader.tries_left)
        say_beat(now);
    if (due(reader.beat_at, now)) {
        reader.beat_at += BEAT_MS;
        say_beat(now);
    }
}

bool reader_wants_reset(void)
{
    return reader.reset_wanted;
}
