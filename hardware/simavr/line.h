/* The chip's serial line as a pseudo terminal that can be pulled off, with what goes wrong on a wire. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `path` is made to point to the terminal whenever there is one, as udev's by-id names do. */
void line_start(const char *path);

/* A new terminal, always under another name than the last; and none. */
void line_plug(void);
void line_unplug(void);
bool line_plugged(void);

/* To be polled for input; -1: unplugged, or enough is waiting. */
int line_descriptor(void);

/* Take in what the host has said. */
void line_fetch(void);

/* The next byte of the host, or -1. */
int line_next(void);

/* A byte of the chip. */
void line_send(uint8_t byte);

/* Bytes that nobody said, in either direction. */
void line_noise_to_host(const uint8_t *bytes, size_t count);
void line_noise_to_chip(const uint8_t *bytes, size_t count);

/* Of the chip's bytes from now on: one that is altered, the `countdown`th; and so many that get lost. */
void line_flip(unsigned countdown);
void line_swallow(unsigned count);

#endif
