/* What a test tells the board, one command a line. */
#ifndef COMMANDS_H
#define COMMANDS_H

/* Carry it out and print `ok`, with what it tells, or `error` and why not. `line` is altered. */
void command(char *line);

#endif
