#include "card.h"

#include <string.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_twi.h>
#include <simavr/sim_time.h>
#include <simavr/parts/i2c_eeprom.h>

#define ADDRESS 0xA0u
#define NOWHERE 0x0Eu /* an address that nobody asks for */
#define READ_OR_WRITE 1u
#define SIZE_ON_BUS 256 /* one byte of address; the rest of a 24C16 has addresses of its own */

#define SWITCH_PIN 4 /* of port D */
#define SDA_PIN 4    /* of port C */
#define SCL_PIN 5

static avr_t *chip;
static i2c_eeprom_t memory;
static bool closed;
static unsigned bounces_us[BOUNCES_MAX];
static size_t bounces_left, bounce;
static unsigned bytes_read, pull_after;
static unsigned clocks_wanted;
static bool held, clock_low;

/* A level from outside, which the pull-up does not override. */
static void set_pin(char port, int pin, bool high)
{
    avr_ioport_external_t external = {.name = port, .mask = 1u << pin, .value = (unsigned)high << pin};
    avr_ioctl(chip, AVR_IOCTL_IOPORT_SET_EXTERNAL(port), &external);
    avr_irq_t *level = avr_io_getirq(chip, AVR_IOCTL_IOPORT_GETIRQ(port), pin);
    avr_raise_irq(level, !high); /* a level that seems to be there already would not reach a chip that was reset */
    avr_raise_irq(level, high);
}

static void set_switch(bool now_closed)
{
    closed = now_closed;
    set_pin('D', SWITCH_PIN, !closed); /* closed, it connects to ground */
}

static avr_cycle_count_t next_bounce(avr_t *avr, avr_cycle_count_t when, void *unused)
{
    (void)unused;
    set_switch(!closed);
    return --bounces_left ? when + avr_usec_to_cycles(avr, bounces_us[bounce++]) : 0;
}

void card_switch(bool now_closed, const unsigned *bounces, size_t count)
{
    avr_cycle_timer_cancel(chip, next_bounce, NULL);
    set_switch(now_closed);
    bounces_left = count;
    memcpy(bounces_us, bounces, count * sizeof *bounces);
    bounce = 1;
    if (count)
        avr_cycle_timer_register_usec(chip, bounces_us[0], next_bounce, NULL);
}

void card_write(const uint8_t *content, size_t count)
{
    memset(memory.ee, 0xFF, sizeof memory.ee);
    memcpy(memory.ee, content, count);
}

void card_contact(bool touches)
{
    memory.addr_base = touches ? ADDRESS : NOWHERE;
    if (!touches)
        memory.selected = 0; /* one that was giving data falls silent */
}

void card_pull_after(unsigned bytes)
{
    pull_after = bytes;
}

void card_hold_bus(unsigned clocks)
{
    clocks_wanted = clocks;
    held = true;
    set_pin('C', SDA_PIN, false);
}

void card_release_bus(void)
{
    held = false;
    set_pin('C', SDA_PIN, true);
}

unsigned card_bytes_read(void)
{
    return bytes_read;
}

/* Every byte that the card gives passes here. */
static void on_byte(avr_irq_t *irq, uint32_t value, void *unused)
{
    (void)irq, (void)unused;
    avr_twi_msg_irq_t message = {.u.v = value};
    if (!(message.u.twi.msg & TWI_COND_READ) || !memory.selected)
        return;
    bytes_read++;
    if (pull_after && --pull_after == 0) {
        card_contact(false);
        card_switch(false, NULL, 0);
    }
}

/* The clock line, when the chip drives it by hand. */
static void on_clock(avr_irq_t *irq, uint32_t direction, void *unused)
{
    (void)irq, (void)unused;
    bool low = direction >> SCL_PIN & 1u;
    if (held && clock_low && !low && clocks_wanted && --clocks_wanted == 0)
        card_release_bus();
    clock_low = low;
}

static void follow_clock(void)
{
    avr_irq_t *direction = avr_io_getirq(chip, AVR_IOCTL_IOPORT_GETIRQ('C'), IOPORT_IRQ_DIRECTION_ALL);
    avr_irq_register_notify(direction, on_clock, NULL);
}

void card_after_reset(void)
{
    bounces_left = 0;
    set_switch(closed);
    set_pin('C', SDA_PIN, !held);
}

void card_start(avr_t *avr)
{
    chip = avr;
    i2c_eeprom_init(avr, &memory, NOWHERE, READ_OR_WRITE, NULL, SIZE_ON_BUS);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_TWI_GETIRQ(0), TWI_IRQ_OUTPUT), on_byte, NULL);
    i2c_eeprom_attach(avr, &memory, AVR_IOCTL_TWI_GETIRQ(0));
    follow_clock();
    card_after_reset();
}
