/* The reader board of hardware/firmware without the board: `board FIRMWARE.elf NAME` gives its serial line as a terminal
 * that NAME points to, takes commands on standard input (see commands.c) and ends with it. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "card.h"
#include "chip.h"
#include "commands.h"
#include "line.h"

static char text[8192];
static size_t length;

/* Carry out all commands that have come whole; false: there will be no more. */
static bool take_commands(void)
{
    ssize_t count = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    if (count <= 0)
        return false;
    length += (size_t)count;
    text[length] = '\0';
    char *rest = text;
    for (char *end; (end = strchr(rest, '\n')); rest = end + 1) {
        *end = '\0';
        command(rest);
    }
    length = strlen(rest);
    memmove(text, rest, length);
    return length < sizeof text - 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: board FIRMWARE.elf NAME\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    avr_t *chip = chip_start(argv[1]);
    if (!chip) {
        fprintf(stderr, "board: %s is no firmware\n", argv[1]);
        return 1;
    }
    card_start(chip);
    line_start(argv[2]);
    line_plug();
    printf("ready\n");
    for (bool told = true; told;) {
        struct pollfd inputs[] = {{STDIN_FILENO, POLLIN, 0}, {line_descriptor(), POLLIN, 0}};
        poll(inputs, 2, 0);
        if (inputs[0].revents)
            told = take_commands();
        if (inputs[1].revents & POLLIN)
            line_fetch();
        chip_run();
    }
    line_unplug();
    return 0;
}
