/* What the reader says and when: FKC/1 as docs/reference/line-protocol.md has it, over a switch and a card. */
#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stdint.h>

#define FIRMWARE_VERSION "1.0.0"

/* Begin as after power-up and say HELLO. `reset_cause` is MCUSR as it was found. */
void reader_start(uint8_t reset_cause);

/* Take a byte of the host; `now` in milliseconds since the reset. */
void reader_hear(uint8_t byte, uint32_t now);

/* Do what is due; to be called at least once a millisecond. `closed` is the debounced switch. */
void reader_tick(bool closed, uint32_t now);

/* Whether the host has asked for a reset. */
bool reader_wants_reset(void);

#endif
