#define _GNU_SOURCE
#include "line.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define WAITING 4096u /* bytes of the host that the chip has not got yet; a power of two */
#define CHUNK 512u
#define FLIPPED 0x10u

static char path[PATH_MAX], path_before[PATH_MAX];
static char name[PATH_MAX]; /* of the terminal, or of the last one */
/* Our end, and the host's end: held open, or the terminal would hang up between two hosts. */
static int master = -1, slave = -1;
static uint8_t waiting[WAITING];
static unsigned in, out;
static unsigned flip, swallow;

static void fail(const char *what)
{
    perror(what);
    exit(3);
}

static int open_terminal(void)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        fail("pseudo terminal");
    return terminal;
}

void line_start(const char *wanted)
{
    snprintf(path, sizeof path, "%s", wanted);
    snprintf(path_before, sizeof path_before, "%.*s.new", PATH_MAX - 5, wanted);
}

void line_plug(void)
{
    if (line_plugged())
        return;
    master = open_terminal();
    if (strcmp(ptsname(master), name) == 0) { /* free again: have somebody else take it */
        int taken = master;
        master = open_terminal();
        close(taken);
    }
    snprintf(name, sizeof name, "%s", ptsname(master));
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios settings;
    if (slave < 0 || tcgetattr(slave, &settings))
        fail(name);
    cfmakeraw(&settings);
    cfsetspeed(&settings, B115200);
    tcsetattr(slave, TCSANOW, &settings);
    unlink(path_before);
    if (symlink(name, path_before) || rename(path_before, path))
        fail(path);
    printf("terminal %s\n", name);
}

void line_unplug(void)
{
    if (!line_plugged())
        return;
    unlink(path);
    close(slave);
    close(master);
    master = slave = -1;
    in = out = 0;
}

bool line_plugged(void)
{
    return master >= 0;
}

int line_descriptor(void)
{
    return WAITING - (in - out) > CHUNK ? master : -1;
}

static void wait_for_chip(const uint8_t *bytes, size_t count)
{
    for (; count && in - out < WAITING; count--)
        waiting[in++ % WAITING] = *bytes++;
}

void line_fetch(void)
{
    uint8_t bytes[CHUNK];
    ssize_t count = line_plugged() ? read(master, bytes, sizeof bytes) : 0;
    if (count > 0)
        wait_for_chip(bytes, (size_t)count);
}

int line_next(void)
{
    return in == out ? -1 : waiting[out++ % WAITING];
}

/* What the host does not fetch in time is lost, as in any adapter. */
static void to_host(const uint8_t *bytes, size_t count)
{
    if (line_plugged() && write(master, bytes, count) < 0)
        return;
}

void line_send(uint8_t byte)
{
    if (swallow) {
        swallow--;
        return;
    }
    if (flip && --flip == 0)
        byte ^= FLIPPED;
    to_host(&byte, 1);
}

void line_noise_to_host(const uint8_t *bytes, size_t count)
{
    to_host(bytes, count);
}

void line_noise_to_chip(const uint8_t *bytes, size_t count)
{
    wait_for_chip(bytes, count);
}

void line_flip(unsigned countdown)
{
    flip = countdown;
}

void line_swallow(unsigned count)
{
    swallow = count;
}
