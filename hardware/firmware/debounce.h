/* The card switch without its bounces. */
#ifndef DEBOUNCE_H
#define DEBOUNCE_H

#include <stdbool.h>
#include <stdint.h>

/* Samples, one a millisecond, that a contact has to stand still. A card scrapes on its way in; out, it is just gone. */
#define CLOSES_AFTER 20u
#define OPENS_AFTER 3u

struct debounce {
    bool closed;     /* what is believed */
    uint8_t against; /* how many samples in a row said otherwise */
};

/* Take the level of this millisecond. */
void debounce_sample(struct debounce *contact, bool closed);

#endif
