/* The card contact: a switch on PD4 and a 24C16 on the two-wire bus. */
#ifndef CARD_H
#define CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <simavr/sim_avr.h>

#define CARD_SIZE 2048u
#define BOUNCES_MAX 64u

void card_start(avr_t *avr);

/* After a reset of the chip, which forgets what is outside of it. */
void card_after_reset(void);

/* What the card holds from its first byte on; 0xFF behind. */
void card_write(const uint8_t *content, size_t count);

/* Whether the contacts of the card touch: without, the bus has nobody on it. */
void card_contact(bool touches);

/* The switch opens or closes, and changes again after each of these times, in microseconds. */
void card_switch(bool closed, const unsigned *bounces_us, size_t count);

/* The card vanishes, contacts and switch, when it has given so many more bytes. */
void card_pull_after(unsigned bytes);

/* The card holds SDA low until it has got so many clocks by hand; 0: for ever, till the next call. */
void card_hold_bus(unsigned clocks);
void card_release_bus(void);

/* So many bytes it has given since the start. */
unsigned card_bytes_read(void);

#endif
