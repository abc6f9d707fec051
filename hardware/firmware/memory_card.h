/* The memory card FKC-1: a 24C02 to 24C16 that holds "FKC1", a length, so many characters of serial, and their CRC. */
#ifndef MEMORY_CARD_H
#define MEMORY_CARD_H

#include "errors.h"

#define SERIAL_MAX 24u

/* Read the card's serial, zero-terminated; anything but CARD_OK leaves it undefined. */
enum card_error memory_card_read(char serial[SERIAL_MAX + 1]);

#endif
