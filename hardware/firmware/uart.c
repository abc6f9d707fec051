#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <util/delay.h>

#define DIVIDER 16 /* 16 MHz / 8 / 17 = 117647 baud, 2.1 % fast, which every receiver stands */
#define BYTE_US 87
#define SIZE 128u  /* of each ring, a power of two; a line has 122 bytes at most */

struct ring {
    volatile uint8_t bytes[SIZE];
    volatile uint8_t in, out; /* the next to be written and to be read; equal: empty */
};

static struct ring received, sending;

static uint8_t after(uint8_t place)
{
    return (place + 1u) & (SIZE - 1u);
}

/* What finds no room is lost, as on any line; the CRC will tell. */
ISR(USART_RX_vect)
{
    bool damaged = UCSR0A & (_BV(FE0) | _BV(DOR0)); /* to be read before the data */
    uint8_t byte = UDR0;
    if (after(received.in) == received.out)
        return;
    received.bytes[received.in] = damaged ? 0 : byte;
    received.in = after(received.in);
}

ISR(USART_UDRE_vect)
{
    UDR0 = sending.bytes[sending.out];
    sending.out = after(sending.out);
    if (sending.in == sending.out)
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
}

void uart_start(void)
{
    UCSR0A = _BV(U2X0); /* before the divider: simavr works out its rate when that is written */
    UBRR0 = DIVIDER;
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

bool uart_get(uint8_t *byte)
{
    if (received.in == received.out)
        return false;
    *byte = received.bytes[received.out];
    received.out = after(received.out);
    return true;
}

void uart_put(uint8_t byte)
{
    while (after(sending.in) == sending.out)
        sleep_mode();
    sending.bytes[sending.in] = byte;
    sending.in = after(sending.in);
    cli();
    UCSR0B |= _BV(UDRIE0);
    sei();
}

void uart_drain(void)
{
    while (sending.in != sending.out)
        sleep_mode();
    _delay_us(2 * BYTE_US); /* one waits in the data register, one is on its way */
}
