/* The CRC against vectors that the host's tests use too: crc_vectors.csv on standard input. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "crc16.h"

int main(void)
{
    char row[1024];
    unsigned rows = 0;
    EXPECT("bytes,crc\n", fgets(row, sizeof row, stdin));
    while (fgets(row, sizeof row, stdin)) {
        uint16_t crc = CRC16_START;
        unsigned byte, expected;
        char *at = row;
        for (; *at != ','; at += 2) {
            EXPECT_NUMBER(1, sscanf(at, "%2x", &byte));
            crc = crc16(crc, (uint8_t)byte);
        }
        EXPECT_NUMBER(1, sscanf(at + 1, "%4x", &expected));
        EXPECT_NUMBER(expected, crc);
        rows++;
    }
    EXPECT_NUMBER(1, rows > 5);
    return 0;
}
