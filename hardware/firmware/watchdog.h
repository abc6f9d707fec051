/* The watchdog: resets the board when the main loop stands still. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdint.h>

/* Why the board was last reset: the register MCUSR as it was found. */
uint8_t watchdog_reset_cause(void);

/* From now on the board is reset unless it is fed every 500 ms. */
void watchdog_start(void);
void watchdog_feed(void);

/* Have it reset the board now. */
void watchdog_bite(void) __attribute__((noreturn));

#endif
