/* A switch that bounces: one edge for each card, and at the right millisecond. */
#include "bench.h"
#include "debounce.h"

/* Samples as text: `x` closed, `.` open, one a millisecond. What was believed after each, likewise. */
static const char *believed(const char *samples)
{
    static char beliefs[256];
    struct debounce contact = {0};
    char *out = beliefs;
    for (; *samples; samples++) {
        debounce_sample(&contact, *samples == 'x');
        *out++ = contact.closed ? 'x' : '.';
    }
    *out = '\0';
    return beliefs;
}

#define OPEN19 "..................."
#define SHUT19 "xxxxxxxxxxxxxxxxxxx"

int main(void)
{
    EXPECT(OPEN19 "x", believed(SHUT19 "x"));
    EXPECT(OPEN19 ".", believed(SHUT19 "."));
    EXPECT(OPEN19 "xxxx.", believed(SHUT19 "xx..."));
    EXPECT(OPEN19 "xxxxxxxxxx", believed(SHUT19 "x..x..x..x")); /* a dirty contact is no removal */
    EXPECT("...." OPEN19 "x", believed("x.x." SHUT19 "x")); /* counted from the last bounce on */
    EXPECT(OPEN19 "xxx." OPEN19 "x", believed(SHUT19 "x..." SHUT19 "x"));
    EXPECT("....................", believed("x.x.x.x.x.x.x.x.x.x."));
    return 0;
}
