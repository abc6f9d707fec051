#include "twi.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <stdbool.h>
#include <util/delay.h>
#include <util/twi.h>

#define SDA _BV(PC4)
#define SCL _BV(PC5)
#define READ 1u

#define CLOCK_DIVIDER 72 /* 16 MHz / (16 + 2 * 72) = 100 kHz */
#define HALF_BIT_US 5
/* A byte takes 90 us. A bus that has not finished by then is held by somebody. */
#define PATIENCE_US 1000u
#define LONGEST_BYTE 9 /* clocks after which a card that was interrupted lets go of SDA */

/* No status of the bus; those have zeros in the last three bits. */
#define NO_END 0xFFu

static volatile bool finished;
static volatile uint8_t status;

/* TWINT stays set, and with it the bus stands still, until the next step. */
ISR(TWI_vect)
{
    status = TW_STATUS;
    TWCR = _BV(TWEN);
    finished = true;
}

/* One step of the bus; its status. */
static uint8_t step(uint8_t control)
{
    finished = false;
    TWCR = (uint8_t)(control | _BV(TWINT) | _BV(TWEN) | _BV(TWIE));
    for (uint16_t waited = 0; !finished; waited++) {
        if (waited == PATIENCE_US)
            return NO_END;
        _delay_us(1);
    }
    return status;
}

static uint8_t send(uint8_t byte)
{
    TWDR = byte;
    return step(0);
}

/* A card that was interrupted in mid-byte may hold SDA low and wait for clocks: give it those by hand. */
static bool free_bus(void)
{
    PORTC |= SDA | SCL; /* pull-ups, beside the stronger ones on the board */
    _delay_us(HALF_BIT_US);
    for (uint8_t i = 0; i < LONGEST_BYTE && !(PINC & SDA); i++) {
        PORTC &= (uint8_t)~SCL;
        DDRC |= SCL;
        _delay_us(HALF_BIT_US);
        DDRC &= (uint8_t)~SCL;
        PORTC |= SCL;
        _delay_us(HALF_BIT_US);
    }
    return PINC & SDA;
}

/* Release the bus, and switch it off: what is not powered cannot hang. */
static void stop(void)
{
    TWCR = _BV(TWINT) | _BV(TWEN) | _BV(TWSTO);
    for (uint8_t i = 0; (TWCR & _BV(TWSTO)) && i < 100; i++)
        _delay_us(1);
    TWCR = 0;
}

static enum card_error failure(uint8_t found, enum card_error error)
{
    return found == NO_END ? BUS_NO_END : error;
}

/* simavr answers an address with the status of data; on a real bus that status never stands here. */
static bool taken(uint8_t found, uint8_t address_taken, uint8_t data_taken)
{
    return found == address_taken || found == data_taken;
}

static enum card_error receive(uint8_t *data, uint8_t length)
{
    while (length--) {
        uint8_t found = step(length ? _BV(TWEA) : 0); /* the last byte is not acknowledged */
        if (found != TW_MR_DATA_ACK && found != TW_MR_DATA_NACK)
            return failure(found, BUS_STOPPED);
        *data++ = TWDR;
    }
    return CARD_OK;
}

static enum card_error transfer(uint8_t device, uint8_t address, uint8_t *data, uint8_t length)
{
    uint8_t found = step(_BV(TWSTA));
    if (found != TW_START)
        return failure(found, BUS_NO_START);
    found = send(device);
    if (!taken(found, TW_MT_SLA_ACK, TW_MT_DATA_ACK))
        return failure(found, BUS_NO_WRITE_ADDRESS);
    found = send(address);
    if (found != TW_MT_DATA_ACK)
        return failure(found, BUS_NO_DATA_ADDRESS);
    found = step(_BV(TWSTA));
    if (found != TW_REP_START)
        return failure(found, BUS_NO_RESTART);
    found = send(device | READ);
    if (!taken(found, TW_MR_SLA_ACK, TW_MR_DATA_ACK))
        return failure(found, BUS_NO_READ_ADDRESS);
    return receive(data, length);
}

enum card_error twi_read(uint8_t device, uint8_t address, uint8_t *data, uint8_t length)
{
    if (!free_bus())
        return BUS_NO_START;
    TWBR = CLOCK_DIVIDER;
    TWSR = 0;
    enum card_error error = transfer(device, address, data, length);
    stop();
    return error;
}
