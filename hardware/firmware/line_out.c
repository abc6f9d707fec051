#include "line_out.h"

#include "crc16.h"
#include "uart.h"

#define DECIMAL_DIGITS 10 /* of 2^32 - 1 */

static uint8_t next_seq;
static uint16_t crc;

static void put(char character)
{
    crc = crc16(crc, (uint8_t)character);
    uart_put((uint8_t)character);
}

static char hex_digit(uint8_t nibble)
{
    return (char)(nibble < 10 ? '0' + nibble : 'A' - 10 + nibble);
}

static void put_hex(uint8_t byte)
{
    put(hex_digit(byte >> 4));
    put(hex_digit(byte & 0x0F));
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

void line_restart(void)
{
    next_seq = 0;
}

void line_begin(const char *type)
{
    uart_put('$');
    crc = CRC16_START;
    put_text("FKC,");
    put_hex(next_seq++);
    put(',');
    put_text(type);
}

void line_word(const char *word)
{
    put(',');
    put_text(word);
}

void line_number(uint32_t number)
{
    char digits[DECIMAL_DIGITS + 1];
    char *first = digits + DECIMAL_DIGITS;
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    line_word(first);
}

void line_byte(uint8_t byte)
{
    put(',');
    put_hex(byte);
}

void line_end(void)
{
    uint16_t sum = crc; /* of all before the `*`; what follows is not part of it */
    put('*');
    put_hex((uint8_t)(sum >> 8));
    put_hex((uint8_t)sum);
    uart_put('\r');
    uart_put('\n');
}
