/* Lines as the specification's examples have them, and the ends of all ranges. */
#include <string.h>

#include "bench.h"
#include "line_out.h"

static void skip_to(unsigned seq)
{
    line_restart();
    while (seq--) {
        line_begin("X");
        line_end();
    }
    bench_said();
}

int main(void)
{
    line_restart();
    line_begin("HELLO");
    line_number(1);
    line_word("0.1.0");
    line_word("328P");
    line_byte(0x01);
    line_end();
    EXPECT("$FKC,00,HELLO,1,0.1.0,328P,01*BF30;", bench_said());

    line_begin("CARD");
    line_number(1);
    line_word("I2C");
    line_word("1234567890");
    line_end();
    EXPECT("$FKC,01,CARD,1,I2C,1234567890*8A36;", bench_said());

    skip_to(0xFF);
    line_begin("BEAT");
    line_number(4294967295u);
    line_number(0);
    line_number(65535);
    line_end();
    EXPECT("$FKC,FF,BEAT,4294967295,0,65535*9672;", bench_said());
    line_begin("GONE");
    line_end();
    EXPECT("GONE;", bench_lines());

    skip_to(0x0A);
    line_begin("BAD");
    line_byte(0xFF);
    line_end();
    EXPECT_NUMBER(0, strncmp("$FKC,0A,BAD,FF*", bench_said(), 15));
    return 0;
}
