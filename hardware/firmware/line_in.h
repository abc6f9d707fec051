/* Lines from the host: `$HST,seq2,TYPE[,field]*CRC4`, found in whatever else comes. */
#ifndef LINE_IN_H
#define LINE_IN_H

#include <stdint.h>

enum heard {
    HEARD_NOTHING, /* no line has ended, or one of another reader has */
    HEARD_HELLO,
    HEARD_STAT,
    HEARD_PING,
    HEARD_RESET,
    HEARD_UNKNOWN_VERB,
    HEARD_WRONG_CRC,
    HEARD_NO_LINE, /* it began like one and has another shape */
};

/* Forget what has come so far. */
void line_in_restart(void);

/* Take the next byte. `seq` is set for commands, unknown ones included: two digits and a zero. */
enum heard line_in_take(uint8_t byte, char seq[3]);

#endif
