#include "memory_card.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "crc16.h"
#include "twi.h"

#define DEVICE 0xA0u /* A0 to A2 at ground; of a larger card its first 256 bytes */
#define MARK "FKC1"
#define MARK_LENGTH 4u
#define HEADER_LENGTH (MARK_LENGTH + 1u) /* the length stands behind the mark */
#define CRC_LENGTH 2u

static bool serial_character(uint8_t byte)
{
    return byte > ' ' && byte <= '~' && byte != '$' && byte != '*' && byte != ',';
}

static uint16_t crc_of(const uint8_t *bytes, uint8_t length)
{
    uint16_t crc = CRC16_START;
    while (length--)
        crc = crc16(crc, *bytes++);
    return crc;
}

enum card_error memory_card_read(char serial[SERIAL_MAX + 1])
{
    uint8_t data[HEADER_LENGTH + SERIAL_MAX + CRC_LENGTH];
    enum card_error error = twi_read(DEVICE, 0, data, HEADER_LENGTH);
    if (error)
        return error;
    if (memcmp(data, MARK, MARK_LENGTH) != 0)
        return CARD_NO_MARK;
    uint8_t length = data[MARK_LENGTH];
    if (length == 0 || length > SERIAL_MAX)
        return CARD_LENGTH;
    uint8_t *text = data + HEADER_LENGTH;
    error = twi_read(DEVICE, HEADER_LENGTH, text, (uint8_t)(length + CRC_LENGTH));
    if (error)
        return error;
    const uint8_t *crc = text + length; /* high byte first */
    if (crc_of(data, (uint8_t)(HEADER_LENGTH + length)) != (uint16_t)(crc[0] << 8 | crc[1]))
        return CARD_CHECKSUM;
    for (uint8_t i = 0; i < length; i++)
        if (!serial_character(text[i]))
            return CARD_CHARACTERS;
    memcpy(serial, text, length);
    serial[length] = '\0';
    return CARD_OK;
}
