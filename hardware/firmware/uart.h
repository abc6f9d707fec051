/* The serial line to the host: 115200 baud, 8 data bits, no parity, 1 stop bit. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

void uart_start(void);

/* Take what has come; false: nothing. A byte that was damaged on its way is given as 0, which belongs to no line. */
bool uart_get(uint8_t *byte);

/* Send, as soon as the bytes before have left; waits while too many of them have not. */
void uart_put(uint8_t byte);

/* Wait until everything has left. */
void uart_drain(void);

#endif
