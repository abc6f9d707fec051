/* A card reader driver for pcscd without a reader: what is in it, a program behind an AF_UNIX socket says.
 *
 * DEVICENAME in reader.conf is the socket that the program listens on, one for each reader; the driver connects to it.
 * Both ways go messages of a 4-byte big-endian length and so many bytes, the first of which says what it is:
 *
 *   to the driver    'I' ATR        a card is put in, without power; it takes the place of one that is in
 *                    'R'            no card is in
 *                    'U'            the reader is pulled, until the next 'I' or 'R'
 *                    'A' response   the card answers
 *   from the driver  'P' 0|1        the card loses power, or gets power and is reset
 *                    'C' command    the card is to answer
 *
 * The program's first word is what is in the reader: pcscd does not get to see it before. After that the driver sleeps
 * until something changes, so pcscd hears of it at once. A closed socket is a pulled reader for good.
 * A command waits for its answer for ever, until the card or the reader goes.
 */
#include <arpa/inet.h>
#include <ifdhandler.h>
#include <pthread.h>
#include <reader.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_READERS 16
#define MAX_MESSAGE (1 + MAX_BUFFER_SIZE_EXTENDED)

struct reader {
    int socket, plugged, present, powered, is_answered;
    unsigned changes, changes_seen;
    UCHAR atr[MAX_ATR_SIZE], answer[MAX_MESSAGE];
    DWORD atr_length, answer_length;
    pthread_t listener;
    pthread_mutex_t lock; /* of all above but the socket and the listener */
    pthread_cond_t changed;
};

static struct reader readers[MAX_READERS];

static struct reader *reader_of(DWORD lun) { return &readers[(lun >> 16) % MAX_READERS]; }

static int receive(int socket, void *into, size_t length)
{
    return recv(socket, into, length, MSG_WAITALL) == (ssize_t)length;
}

static void send_message(struct reader *reader, UCHAR kind, const UCHAR *body, DWORD length)
{
    UCHAR message[5 + MAX_MESSAGE];
    uint32_t size = htonl(1 + length);
    if (length >= MAX_MESSAGE)
        return;
    memcpy(message, &size, 4);
    message[4] = kind;
    memcpy(message + 5, body, length);
    send(reader->socket, message, 5 + length, MSG_NOSIGNAL);
}

static void take_message(struct reader *reader, const UCHAR *message, DWORD length)
{
    if (message[0] == 'A') {
        reader->is_answered = 1;
        reader->answer_length = length - 1;
        memcpy(reader->answer, message + 1, length - 1);
        return;
    }
    reader->plugged = message[0] != 'U';
    reader->present = message[0] == 'I' && length <= 1 + MAX_ATR_SIZE;
    reader->powered = 0;
    reader->atr_length = reader->present ? length - 1 : 0;
    memcpy(reader->atr, message + 1, reader->atr_length);
    reader->changes++;
}

static void *listen_to_program(void *argument)
{
    struct reader *reader = argument;
    UCHAR message[MAX_MESSAGE];
    uint32_t size;
    while (receive(reader->socket, &size, 4)) {
        size = ntohl(size);
        if (size < 1 || size > MAX_MESSAGE || !receive(reader->socket, message, size))
            break;
        pthread_mutex_lock(&reader->lock);
        take_message(reader, message, size);
        pthread_cond_broadcast(&reader->changed);
        pthread_mutex_unlock(&reader->lock);
    }
    pthread_mutex_lock(&reader->lock);
    reader->plugged = reader->present = 0;
    reader->changes++;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

/* pcscd calls this instead of polling: it returns when something has changed, or after so many milliseconds. */
static RESPONSECODE wait_for_change(DWORD lun, int timeout_ms)
{
    struct reader *reader = reader_of(lun);
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += timeout_ms / 1000 + (end.tv_nsec + timeout_ms % 1000 * 1000000L) / 1000000000L;
    end.tv_nsec = (end.tv_nsec + timeout_ms % 1000 * 1000000L) % 1000000000L;
    pthread_mutex_lock(&reader->lock);
    while (reader->changes_seen == reader->changes && !pthread_cond_timedwait(&reader->changed, &reader->lock, &end))
        ;
    reader->changes_seen = reader->changes;
    pthread_mutex_unlock(&reader->lock);
    return IFD_SUCCESS;
}

static RESPONSECODE stop_waiting(DWORD lun)
{
    struct reader *reader = reader_of(lun);
    pthread_mutex_lock(&reader->lock);
    reader->changes++;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR path)
{
    struct reader *reader = reader_of(lun);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return IFD_COMMUNICATION_ERROR;
    strcpy(address.sun_path, path);
    memset(reader, 0, sizeof *reader);
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->changed, NULL);
    reader->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    reader->plugged = !connect(reader->socket, (struct sockaddr *)&address, sizeof address);
    if (!reader->plugged || pthread_create(&reader->listener, NULL, listen_to_program, reader)) {
        close(reader->socket);
        return IFD_NO_SUCH_DEVICE;
    }
    pthread_mutex_lock(&reader->lock);
    while (!reader->changes)
        pthread_cond_wait(&reader->changed, &reader->lock);
    pthread_mutex_unlock(&reader->lock);
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCloseChannel(DWORD lun)
{
    struct reader *reader = reader_of(lun);
    shutdown(reader->socket, SHUT_RDWR);
    pthread_join(reader->listener, NULL);
    close(reader->socket);
    return IFD_SUCCESS;
}

static RESPONSECODE give(PDWORD length, PUCHAR value, const void *what, DWORD size)
{
    if (*length < size)
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    memcpy(value, what, *length = size);
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    static RESPONSECODE (*const wait)(DWORD, int) = wait_for_change;
    static RESPONSECODE (*const stop)(DWORD) = stop_waiting;
    switch (tag) {
    case TAG_IFD_ATR:
    case SCARD_ATTR_ATR_STRING:
        return give(length, value, reader_of(lun)->atr, reader_of(lun)->atr_length);
    case TAG_IFD_SLOTS_NUMBER:
        return give(length, value, "\1", 1);
    case TAG_IFD_SIMULTANEOUS_ACCESS:
        return give(length, value, &(UCHAR){MAX_READERS}, 1);
    case TAG_IFD_THREAD_SAFE: /* readers do not share anything, and none of them sees two calls at once */
        return give(length, value, "\1", 1);
    case TAG_IFD_SLOT_THREAD_SAFE:
        return give(length, value, "\0", 1);
    case TAG_IFD_POLLING_THREAD_WITH_TIMEOUT:
        return give(length, value, &wait, sizeof wait);
    case TAG_IFD_STOP_POLLING_THREAD:
        return give(length, value, &stop, sizeof stop);
    }
    return IFD_ERROR_TAG;
}

RESPONSECODE IFDHICCPresence(DWORD lun)
{
    struct reader *reader = reader_of(lun);
    if (!reader->plugged) /* IFD_NO_SUCH_DEVICE would have pcscd sleep for a second */
        return IFD_COMMUNICATION_ERROR;
    return reader->present ? IFD_ICC_PRESENT : IFD_ICC_NOT_PRESENT;
}

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length)
{
    struct reader *reader = reader_of(lun);
    RESPONSECODE result = IFD_SUCCESS;
    pthread_mutex_lock(&reader->lock);
    reader->powered = action != IFD_POWER_DOWN && reader->present && reader->atr_length;
    *length = reader->powered ? reader->atr_length : 0;
    memcpy(atr, reader->atr, *length);
    send_message(reader, 'P', &(UCHAR){reader->powered}, 1);
    if (action != IFD_POWER_DOWN && !reader->powered)
        result = IFD_ERROR_POWER_ACTION;
    pthread_mutex_unlock(&reader->lock);
    return result;
}

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER sent, PUCHAR command, DWORD command_length, PUCHAR answer,
                               PDWORD answer_length, PSCARD_IO_HEADER received)
{
    struct reader *reader = reader_of(lun);
    RESPONSECODE result = IFD_COMMUNICATION_ERROR;
    (void)sent, (void)received;
    pthread_mutex_lock(&reader->lock);
    if (reader->powered) {
        unsigned before = reader->changes;
        reader->is_answered = 0;
        send_message(reader, 'C', command, command_length);
        while (!reader->is_answered && reader->changes == before)
            pthread_cond_wait(&reader->changed, &reader->lock);
        if (reader->is_answered)
            result = give(answer_length, answer, reader->answer, reader->answer_length);
    }
    if (result != IFD_SUCCESS)
        *answer_length = 0;
    pthread_mutex_unlock(&reader->lock);
    return result;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3)
{
    (void)lun, (void)protocol, (void)flags, (void)pts1, (void)pts2, (void)pts3;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel) { (void)lun, (void)channel; return IFD_NOT_SUPPORTED; }

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
    (void)lun, (void)tag, (void)length, (void)value;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR sent, DWORD sent_length, PUCHAR received, DWORD size,
                         LPDWORD received_length)
{
    (void)lun, (void)code, (void)sent, (void)sent_length, (void)received, (void)size;
    *received_length = 0;
    return IFD_ERROR_NOT_SUPPORTED;
}
