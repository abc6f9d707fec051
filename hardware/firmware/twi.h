/* The two-wire bus of the card contact: SDA on PC4, SCL on PC5, 100 kHz. */
#ifndef TWI_H
#define TWI_H

#include <stdint.h>

#include "errors.h"

/* Read `length` bytes of a memory from `address` on. `device` is its address for writing. The bus is released after. */
enum card_error twi_read(uint8_t device, uint8_t address, uint8_t *data, uint8_t length);

#endif
