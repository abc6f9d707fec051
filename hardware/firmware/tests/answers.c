/* A reader without a card on standard input and output: what it answers to these bytes. For tests in other languages. */
#include <stdio.h>

#include "bench.h"
#include "reader.h"

int main(void)
{
    reader_start(0);
    bench_said();
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        reader_hear((uint8_t)byte, 0);
        fputs(bench_said(), stdout);
    }
    return 0;
}
