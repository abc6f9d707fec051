/* CRC-16/CCITT-FALSE: polynomial 1021, not reflected, no final XOR. Lines and memory cards end with it. */
#ifndef CRC16_H
#define CRC16_H

#include <stdint.h>

#define CRC16_START 0xFFFFu

uint16_t crc16(uint16_t crc, uint8_t byte);

#endif
