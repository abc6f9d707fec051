#include "crc16.h"

#include <stdbool.h>

/* Bit by bit: a line has 120 bytes at most, and a table would take a quarter of the RAM. */
uint16_t crc16(uint16_t crc, uint8_t byte)
{
    crc ^= (uint16_t)((uint16_t)byte << 8);
    for (uint8_t bit = 0; bit < 8; bit++) {
        bool carry = crc & 0x8000u;
        crc = (uint16_t)(crc << 1);
        if (carry)
            crc ^= 0x1021u;
    }
    return crc;
}
