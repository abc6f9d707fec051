/* Feature key card reader: an ATmega328P at 16 MHz between a card contact and a serial line. */
#include <avr/interrupt.h>
#include <avr/sleep.h>

#include "board.h"
#include "reader.h"
#include "uart.h"
#include "watchdog.h"

/* More than come in a millisecond, and few enough that a host that floods us does not keep us from our work. */
#define BYTES_AT_ONCE 32

static void listen(void)
{
    uint8_t byte;
    for (uint8_t i = 0; i < BYTES_AT_ONCE && uart_get(&byte); i++)
        reader_hear(byte, board_now());
}

static void restart(void)
{
    uart_drain();
    watchdog_bite();
}

int main(void)
{
    watchdog_start();
    board_start();
    uart_start();
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    reader_start(watchdog_reset_cause());
    for (;;) {
        listen();
        reader_tick(board_card_in(), board_now());
        board_light(board_card_in());
        if (reader_wants_reset())
            restart();
        watchdog_feed();
        sleep_mode(); /* the clock wakes us every millisecond */
    }
}
