#include "watchdog.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>

/* Not cleared at the start, for it is written before the memory is made ready. */
static uint8_t found_cause __attribute__((section(".noinit")));

/* Runs before main: after a bite the watchdog goes on at its shortest, 15 ms, until WDRF is cleared and it is off. */
void keep_reset_cause(void) __attribute__((naked, used, section(".init3")));

void keep_reset_cause(void)
{
    found_cause = MCUSR;
    MCUSR = 0;
    wdt_disable();
}

uint8_t watchdog_reset_cause(void)
{
    return found_cause;
}

void watchdog_start(void)
{
    wdt_enable(WDTO_500MS);
}

void watchdog_feed(void)
{
    wdt_reset();
}

void watchdog_bite(void)
{
    cli();
    wdt_enable(WDTO_15MS);
    wdt_reset(); /* counts from now on, and not to the end of what was set before */
    for (;;)
        ;
}
