#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#include "debounce.h"

#define SWITCH _BV(PD4) /* to ground while a card is in */
#define LIGHT _BV(PB5)

#define TICKS_PER_MS 250u /* 16 MHz / 64 */

static volatile uint32_t milliseconds;
static struct debounce card_switch;
static volatile bool card_in;

/* The switch is sampled here, for the main loop may be busy with a card or a line for some milliseconds. */
ISR(TIMER0_COMPA_vect)
{
    milliseconds++;
    debounce_sample(&card_switch, !(PIND & SWITCH));
    card_in = card_switch.closed;
}

void board_start(void)
{
    PORTD |= SWITCH; /* pull-up */
    DDRB |= LIGHT;
    OCR0A = TICKS_PER_MS - 1;
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    TIMSK0 = _BV(OCIE0A);
}

uint32_t board_now(void)
{
    cli();
    uint32_t now = milliseconds;
    sei();
    return now;
}

bool board_card_in(void)
{
    return card_in;
}

void board_light(bool on)
{
    if (on)
        PORTB |= LIGHT;
    else
        PORTB &= (uint8_t)~LIGHT;
}
