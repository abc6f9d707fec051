/* Lines to the host: `$FKC,seq2,TYPE[,field]*CRC4` CR LF, put together field by field. */
#ifndef LINE_OUT_H
#define LINE_OUT_H

#include <stdint.h>

/* The next line is number 00. */
void line_restart(void);

void line_begin(const char *type);
void line_word(const char *word);
void line_number(uint32_t number);
void line_byte(uint8_t byte); /* as two hexadecimal digits */
void line_end(void);

#endif
