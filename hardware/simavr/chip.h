/* The ATmega328P: its firmware, its serial port, and time at the pace of the clock on the wall. */
#ifndef CHIP_H
#define CHIP_H

#include <stdbool.h>
#include <simavr/sim_avr.h>

/* A chip with this firmware; NULL: the file is none. */
avr_t *chip_start(const char *elf);

/* Run for a millisecond of its time, or stand still as long when it has no power. Waits until that is over outside too. */
void chip_run(void);

/* Off, and on again with a power-on reset. */
void chip_power(bool on);

/* Have it run in circles for ever, interrupts and all: only the watchdog gets it out of there. */
void chip_hang(void);

/* How often it was reset since the start. */
unsigned chip_resets(void);

/* How late it was at worst, in microseconds, and how often it was so late that time was lost. */
long chip_worst_lag_us(void);
unsigned chip_lapses(void);

#endif
