#include "debounce.h"

void debounce_sample(struct debounce *contact, bool closed)
{
    if (closed == contact->closed) {
        contact->against = 0;
        return;
    }
    contact->against++;
    if (contact->against >= (closed ? CLOSES_AFTER : OPENS_AFTER)) {
        contact->closed = closed;
        contact->against = 0;
    }
}
