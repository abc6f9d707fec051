/* What can be wrong with a card: the error bytes of BAD, as docs/reference/line-protocol.md lists them. */
#ifndef ERRORS_H
#define ERRORS_H

enum card_error {
    CARD_OK = 0x00,
    BUS_NO_START = 0x01,
    BUS_NO_WRITE_ADDRESS = 0x02,
    BUS_NO_DATA_ADDRESS = 0x03,
    BUS_NO_RESTART = 0x04,
    BUS_NO_READ_ADDRESS = 0x05,
    BUS_STOPPED = 0x06,
    CARD_NO_MARK = 0x10,
    CARD_LENGTH = 0x11,
    CARD_CHECKSUM = 0x12,
    CARD_CHARACTERS = 0x13,
    BUS_NO_END = 0xFF,
};

#endif
