#include "line_in.h"

#include <stdbool.h>
#include <string.h>

#include "crc16.h"

#define BODY_MAX 119 /* a line has 120 bytes, of which `$` is not kept */

/* Where the parts of "HST,00,PING,field*CCCC" stand. */
#define TAG_LENGTH 3
#define SEQ 4
#define TYPE 7
#define TYPE_MAX 8
#define CRC_DIGITS 4
#define TAIL (1 + CRC_DIGITS) /* `*` and the CRC */
#define SHORTEST (TYPE + 1 + TAIL)

static char body[BODY_MAX + 1];
static uint8_t length;
static bool inside;

static bool letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* 0 to 15, or -1 for what is no digit; lower case is none. */
static int8_t hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return (int8_t)(c - '0');
    return (int8_t)(c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1);
}

static bool hex_digits(const char *text, uint8_t count)
{
    while (count--)
        if (hex_value(*text++) < 0)
            return false;
    return true;
}

static uint8_t letters(const char *text)
{
    uint8_t count = 0;
    while (letter(text[count]))
        count++;
    return count;
}

/* Whether the body, zero-terminated, has the shape of a line; its one `*` is overwritten by a zero then. */
static bool well_formed(void)
{
    if (length < SHORTEST)
        return false;
    char *star = body + length - TAIL;
    if (strchr(body, '*') != star || !hex_digits(star + 1, CRC_DIGITS))
        return false;
    *star = '\0';
    uint8_t verb = letters(body + TYPE);
    char behind = body[TYPE + verb];
    return letters(body) == TAG_LENGTH && body[TAG_LENGTH] == ',' && hex_digits(body + SEQ, 2) &&
           body[SEQ + 2] == ',' && verb >= 1 && verb <= TYPE_MAX && (behind == ',' || behind == '\0');
}

static bool crc_fits(void)
{
    uint16_t crc = CRC16_START, claimed = 0;
    const char *at = body;
    for (; *at; at++)
        crc = crc16(crc, (uint8_t)*at);
    for (uint8_t i = 1; i <= CRC_DIGITS; i++)
        claimed = (uint16_t)(claimed << 4 | (uint8_t)hex_value(at[i]));
    return crc == claimed;
}

static enum heard verb_of(char *type)
{
    type[letters(type)] = '\0'; /* no command has fields; those of a later protocol are passed over */
    if (strcmp(type, "HELLO") == 0)
        return HEARD_HELLO;
    if (strcmp(type, "STAT") == 0)
        return HEARD_STAT;
    if (strcmp(type, "PING") == 0)
        return HEARD_PING;
    return strcmp(type, "RESET") == 0 ? HEARD_RESET : HEARD_UNKNOWN_VERB;
}

static enum heard judge(char seq[3])
{
    body[length] = '\0';
    if (!well_formed())
        return HEARD_NO_LINE;
    if (!crc_fits())
        return HEARD_WRONG_CRC;
    if (memcmp(body, "HST", TAG_LENGTH) != 0)
        return HEARD_NOTHING;
    seq[0] = body[SEQ];
    seq[1] = body[SEQ + 1];
    seq[2] = '\0';
    return verb_of(body + TYPE);
}

void line_in_restart(void)
{
    inside = false;
}

enum heard line_in_take(uint8_t byte, char seq[3])
{
    if (byte == '$') {
        inside = true;
        length = 0;
    } else if (inside && (byte == '\r' || byte == '\n')) {
        inside = false;
        return judge(seq);
    } else if (byte < ' ' || byte > '~' || length == BODY_MAX) {
        inside = false;
    } else if (inside) {
        body[length++] = (char)byte;
    }
    return HEARD_NOTHING;
}
