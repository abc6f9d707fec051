/* What else is on the board: the card switch on PD4, a light on PB5, and a clock of milliseconds. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

void board_start(void);

/* Milliseconds since the reset, modulo 2^32. */
uint32_t board_now(void);

/* The card switch, debounced. */
bool board_card_in(void);

void board_light(bool on);

#endif
