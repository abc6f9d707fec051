#define _GNU_SOURCE
#include "chip.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_time.h>

#include "card.h"
#include "line.h"

#define FREQUENCY 16000000u
#define SLICE (FREQUENCY / 1000u)       /* cycles of a millisecond */
#define BYTE_CYCLES (FREQUENCY / 11520u) /* ten bits at 115200 baud */
#define HOPELESS_NS 200000000           /* behind the wall clock: catching up would shorten every wait of the host */
#define EMPTY_LOOP 0xCFFFu              /* rjmp .-2 */

static avr_t *chip;
static avr_irq_t *input;
static bool powered = true;
static unsigned resets, lapses;
static bool was_reset;
static int64_t origin_ns; /* the wall clock when the chip's cycle counter was 0 */
static int64_t worst_lag_ns;
static void (*core_reset)(avr_t *);

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int64_t chip_ns(void)
{
    return (int64_t)chip->cycle * 1000 / (FREQUENCY / 1000000u);
}

/* How far the chip is ahead of the wall clock; a chip that is far behind gives up the difference. */
static int64_t ahead_ns(void)
{
    int64_t ahead = chip_ns() - (wall_ns() - origin_ns);
    if (-ahead > worst_lag_ns)
        worst_lag_ns = -ahead;
    if (ahead < -HOPELESS_NS) {
        lapses++;
        origin_ns -= ahead;
        ahead = 0;
    }
    return ahead;
}

static void wait_for_wall(void)
{
    int64_t ahead = ahead_ns();
    if (ahead <= 0)
        return;
    struct timespec pause = {ahead / 1000000000, ahead % 1000000000};
    nanosleep(&pause, NULL);
}

/* A sleeping chip leaps to the next thing that happens; the wall clock is waited for after each slice. */
static void sleep_no_more(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr, (void)cycles;
}

static void on_output(avr_irq_t *irq, uint32_t value, void *unused)
{
    (void)irq, (void)unused;
    line_send((uint8_t)value);
}

/* Give the host's bytes to the chip at the pace of the line. */
static avr_cycle_count_t feed(avr_t *avr, avr_cycle_count_t when, void *unused)
{
    (void)avr, (void)unused;
    int byte = line_next();
    if (byte < 0)
        return when + SLICE;
    avr_raise_irq(input, (uint32_t)byte);
    return when + BYTE_CYCLES;
}

static void on_reset(avr_t *avr)
{
    if (core_reset)
        core_reset(avr);
    was_reset = true;
}

/* A reset drops all timers and pin levels, ours among them. */
static void mend(void)
{
    if (!was_reset)
        return;
    was_reset = false;
    resets++;
    avr_cycle_timer_register(chip, SLICE, feed, NULL);
    card_after_reset();
}

static void open_serial_port(void)
{
    uint32_t flags = 0;
    avr_ioctl(chip, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POOL_SLEEP);
    avr_ioctl(chip, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    input = avr_io_getirq(chip, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_t *output = avr_io_getirq(chip, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT);
    avr_irq_register_notify(output, on_output, NULL);
}

avr_t *chip_start(const char *elf)
{
    static elf_firmware_t firmware;
    if (elf_read_firmware(elf, &firmware))
        return NULL;
    strcpy(firmware.mmcu, "atmega328p");
    firmware.frequency = FREQUENCY;
    chip = avr_make_mcu_by_name(firmware.mmcu);
    avr_init(chip);
    chip->log = LOG_ERROR;
    avr_load_firmware(chip, &firmware);
    chip->sleep = sleep_no_more;
    core_reset = chip->reset;
    chip->reset = on_reset;
    open_serial_port();
    avr_cycle_timer_register(chip, SLICE, feed, NULL);
    origin_ns = wall_ns();
    return chip;
}

void chip_run(void)
{
    avr_cycle_count_t end = chip->cycle + SLICE;
    while (powered && chip->cycle < end) {
        int state = avr_run(chip);
        mend();
        if (state == cpu_Done || state == cpu_Crashed) {
            printf("crashed\n");
            powered = false;
        }
    }
    if (!powered)
        chip->cycle = end;
    wait_for_wall();
}

void chip_power(bool on)
{
    if (on && !powered) {
        avr_reset(chip);
        mend();
        avr_regbit_set(chip, chip->reset_flags.porf);
    }
    powered = on;
}

void chip_hang(void)
{
    for (avr_flashaddr_t at = 0; at < chip->codeend; at += 2)
        if ((chip->flash[at] | chip->flash[at + 1] << 8) == EMPTY_LOOP)
            chip->pc = at;
    if (chip->state == cpu_Sleeping)
        chip->state = cpu_Running;
}

unsigned chip_resets(void)
{
    return resets;
}

long chip_worst_lag_us(void)
{
    return (long)(worst_lag_ns / 1000);
}

unsigned chip_lapses(void)
{
    return lapses;
}
