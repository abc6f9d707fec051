#include "commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "chip.h"
#include "line.h"

/* What stands behind the command's name: words, separated by single blanks. */
static char *next_word(void)
{
    return strtok(NULL, " ");
}

static unsigned next_number(void)
{
    const char *word = next_word();
    return word ? (unsigned)strtoul(word, NULL, 10) : 0;
}

/* Bytes from hexadecimal digits; how many. */
static size_t next_bytes(uint8_t *bytes, size_t most)
{
    const char *digits = next_word();
    size_t count = 0;
    unsigned byte;
    while (digits && count < most && sscanf(digits + 2 * count, "%2x", &byte) == 1)
        bytes[count++] = (uint8_t)byte;
    return count;
}

static void write_card(void)
{
    uint8_t content[CARD_SIZE];
    card_write(content, next_bytes(content, sizeof content));
}

static void turn_switch(bool closed)
{
    unsigned bounces[BOUNCES_MAX];
    size_t count = 0;
    while (count < BOUNCES_MAX && (bounces[count] = next_number()))
        count++;
    card_switch(closed, bounces, count);
}

static void insert(void)
{
    card_contact(true);
    turn_switch(true);
}

static void take_out(void)
{
    card_contact(false);
    turn_switch(false);
}

static void open_switch(void)
{
    turn_switch(false);
}

static void close_switch(void)
{
    turn_switch(true);
}

static void lose_contact(void)
{
    card_contact(false);
}

static void find_contact(void)
{
    card_contact(true);
}

static void pull_after(void)
{
    card_pull_after(next_number());
}

static void hold_bus(void)
{
    card_hold_bus(next_number());
}

static void noise_to_host(void)
{
    uint8_t bytes[1024];
    line_noise_to_host(bytes, next_bytes(bytes, sizeof bytes));
}

static void noise_to_chip(void)
{
    uint8_t bytes[1024];
    line_noise_to_chip(bytes, next_bytes(bytes, sizeof bytes));
}

static void flip(void)
{
    line_flip(next_number());
}

static void swallow(void)
{
    line_swallow(next_number());
}

/* The board is powered by the same cable. */
static void plug(void)
{
    line_plug();
    chip_power(true);
}

static void unplug(void)
{
    chip_power(false);
    line_unplug();
}

static void figures(void)
{
    printf("resets %u bytes_read %u worst_lag_us %ld lapses %u\n", chip_resets(), card_bytes_read(),
           chip_worst_lag_us(), chip_lapses());
}

static const struct {
    const char *name;
    void (*carry_out)(void);
} commands[] = {
    {"card", write_card},          /* HEX: what the card holds */
    {"insert", insert},            /* [US...]: contacts and switch; the switch changes again after each time */
    {"remove", take_out},          /* [US...]: likewise */
    {"close", close_switch},       /* [US...]: the switch alone */
    {"open", open_switch},         /* [US...]: likewise */
    {"touch", find_contact},       /* the contacts alone */
    {"part", lose_contact},        /* likewise */
    {"pull-after", pull_after},    /* N: out with the card when it has given N bytes */
    {"hold-bus", hold_bus},        /* N: SDA low for N clocks; 0: till further notice */
    {"release-bus", card_release_bus},
    {"noise-to-host", noise_to_host}, /* HEX */
    {"noise-to-chip", noise_to_chip}, /* HEX */
    {"flip", flip},                /* N: alters the Nth byte that the chip sends from now on */
    {"swallow", swallow},          /* N: loses the next N bytes that the chip sends */
    {"unplug", unplug},            /* no terminal, no name, no power */
    {"plug", plug},                /* another terminal, the name, power */
    {"hang", chip_hang},           /* the chip runs in circles */
    {"figures", figures},          /* what was counted */
};

void command(char *line)
{
    const char *name = strtok(line, " ");
    for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].carry_out();
            printf("ok %s\n", name);
            return;
        }
    printf("error no command %s\n", name ? name : "given");
}
