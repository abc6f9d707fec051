/* What is a command and what is not, whatever stands around it. */
#include <string.h>

#include "bench.h"
#include "line_in.h"

static const char *names[] = {"", "HELLO", "STAT", "PING", "RESET", "VERB", "CRC", "FRAME"};

/* All that is heard in a text, each with `;`, commands with their sequence number. */
static const char *heard(const char *text)
{
    static char result[512];
    result[0] = '\0';
    for (; *text; text++) {
        char seq[3] = "";
        enum heard found = line_in_take((uint8_t)*text, seq);
        if (found == HEARD_NOTHING)
            continue;
        strcat(strcat(strcat(result, names[found]), seq), ";");
    }
    return result;
}

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

int main(void)
{
    line_in_restart();
    EXPECT("HELLO01;STAT02;PING03;RESETFF;",
           heard("$HST,01,HELLO*B357\r\n$HST,02,STAT*A9BB\n$HST,03,PING*4499\r$HST,FF,RESET*2AD1\r\n\r\n"));

    /* What stands outside of lines, and lines that end too early. */
    EXPECT("PING03;", heard("noise\r\n\x80\xFF $HST,03,$HST,03,PING*4499\r\n"));
    EXPECT("", heard("HST,03,PING*4499\r\n"));
    EXPECT("", heard("$HST,03,\x07PING*4499\r\n"));
    EXPECT("PING03;", heard("$\x01\r\n\r\n$HST,03,PING*4499\r\n"));

    /* Other shapes. */
    EXPECT("FRAME;", heard("$\r\n"));
    EXPECT("FRAME;", heard("$HST,03,PING\r\n"));
    EXPECT("FRAME;", heard("$HST,03,PING*449\r\n"));
    EXPECT("FRAME;", heard("$HST,03,PING*44990\r\n"));
    EXPECT("FRAME;", heard("$HST,03,PING*44g9\r\n"));
    EXPECT("FRAME;", heard("$HST,03,PI*G*4499\r\n"));
    EXPECT("FRAME;", heard("$HST,0x,PING*4499\r\n"));
    EXPECT("FRAME;", heard("$HST,0a,PING*4499\r\n"));
    EXPECT("FRAME;", heard("$HSTX,03,PING*4499\r\n"));
    EXPECT("FRAME;", heard("$HST,03PING*4499\r\n"));
    EXPECT("FRAME;", heard("$HST,03,*4499\r\n"));
    EXPECT("FRAME;", heard("$HST,03,PING PONG*4499\r\n"));
    EXPECT("FRAME;", heard("$HST,03,ABCDEFGHI*4499\r\n"));

    /* The right shape, another sum. */
    EXPECT("CRC;", heard("$HST,03,PING*4498\r\n"));
    EXPECT("CRC;", heard("$HST,13,PING*4499\r\n"));

    /* Sound lines of others, of later versions, with fields behind. */
    EXPECT("", heard("$FKC,06,ACK,0A*DC4A\r\n"));
    EXPECT("VERB0A;", heard("$HST,0A,DANCE*A9F8\r\n"));
    EXPECT("PING04;", heard("$HST,04,PING,more,,fields*39DA\r\n"));

    /* The longest line, 120 bytes, and one byte more. */
    EXPECT("PING05;", heard("$HST,05,PING," X100 "xx*2687\r\n"));
    EXPECT("", heard("$HST,05,PING," X100 "xxx*2687\r\n"));

    /* A restart forgets what has begun. */
    EXPECT("", heard("$HST,03,"));
    line_in_restart();
    EXPECT("", heard("PING*4499\r\n"));
    return 0;
}
