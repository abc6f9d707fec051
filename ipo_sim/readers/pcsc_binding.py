"""PC/SC by ctypes on pcsc-lite's library: typed calls, every failure a `PcscError`. Linux only.

A context serves one thread at a time; only `Context.cancel` may be called beside a `wait`. All calls block without
holding up other threads.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_long,
    c_ubyte,
    c_ulong,
    c_void_p,
    create_string_buffer,
    sizeof,
    string_at,
)
from typing import Any, NamedTuple, Self

from ipo_sim.errors import ReaderError
from ipo_sim.readers.pcsc_errors import CardVanishedError, Code, PcscError

LIBRARY = "libpcsclite.so.1"

# A name that stands for the list of readers itself; its state is how many there are, in the upper 16 bits.
PNP = "\\\\?PnP?\\Notification"
COUNT_SHIFT = 16

STATE_CHANGED = 0x0002
STATE_UNKNOWN = 0x0004
STATE_UNAVAILABLE = 0x0008
STATE_EMPTY = 0x0010
STATE_PRESENT = 0x0020
STATE_MUTE = 0x0200

FOREVER_MS = 0xFFFFFFFF

_SCOPE_SYSTEM = 2
_SHARE_SHARED = 2
_PROTOCOL_T0_OR_T1 = 3
_LEAVE_CARD = 0
_RESET_CARD = 1
_MAX_ATR = 33
# An extended answer of 64 KiB and its status word, and some room for what drivers add.
_MAX_ANSWER = 65_548
_MAX_NAME = 128
_STATUS_WORD = 2

# pcsc-lite's own types: DWORD is `unsigned long`, LONG and the handles are `long`.
_DWORD = c_ulong
_HANDLE = c_long


class _ReaderState(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("user_data", c_void_p),
        ("current", _DWORD),
        ("event", _DWORD),
        ("atr_length", _DWORD),
        ("atr", c_ubyte * _MAX_ATR),
    )


class _IoRequest(Structure):
    _fields_ = (("protocol", _DWORD), ("length", _DWORD))


_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "EstablishContext": (_DWORD, c_void_p, c_void_p, POINTER(_HANDLE)),
    "ReleaseContext": (_HANDLE,),
    "Cancel": (_HANDLE,),
    "ListReaders": (_HANDLE, c_char_p, c_char_p, POINTER(_DWORD)),
    "GetStatusChange": (_HANDLE, _DWORD, POINTER(_ReaderState), _DWORD),
    "Connect": (_HANDLE, c_char_p, _DWORD, _DWORD, POINTER(_HANDLE), POINTER(_DWORD)),
    "Reconnect": (_HANDLE, _DWORD, _DWORD, _DWORD, POINTER(_DWORD)),
    "Disconnect": (_HANDLE, _DWORD),
    "BeginTransaction": (_HANDLE,),
    "EndTransaction": (_HANDLE, _DWORD),
    "Status": (_HANDLE, c_char_p, POINTER(_DWORD), POINTER(_DWORD), POINTER(_DWORD), c_char_p, POINTER(_DWORD)),
    "Transmit": (_HANDLE, POINTER(_IoRequest), c_char_p, _DWORD, c_void_p, c_char_p, POINTER(_DWORD)),
}

_Calls = dict[str, Callable[..., int]]


class State(NamedTuple):
    """What `Context.wait` tells of a reader: bits `STATE_*`, and in the upper half how often a card went in or out."""

    name: str
    bits: int

    @property
    def events(self) -> int:
        """A 16-bit count of insertions and removals."""
        return self.bits >> COUNT_SHIFT & 0xFFFF


@functools.cache
def _library() -> _Calls:
    """The calls by their names without SCard; ReaderError says what to install."""
    if sys.platform != "linux":
        raise ReaderError("PC/SC readers need Linux with pcsc-lite; a bridge for serial readers works elsewhere")
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise ReaderError(f"{LIBRARY} is missing: `apt-get install libpcsclite1 pcscd` ({error})") from error
    calls: _Calls = {}
    for name, arguments in _ARGUMENTS.items():
        function = getattr(library, f"SCard{name}")
        function.argtypes, function.restype = arguments, c_long
        calls[name] = function
    return calls


def _call(name: str, *arguments: object) -> None:
    result = _library()[name](*arguments)
    if result:
        raise PcscError(result)


class Context:
    """A connection to pcscd; PcscError when there is none. Use it as a context manager."""

    def __init__(self) -> None:
        self._handle = _HANDLE()
        _call("EstablishContext", _SCOPE_SYSTEM, None, None, byref(self._handle))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _library()["ReleaseContext"](self._handle)

    def readers(self) -> list[str]:
        """The names of all readers, in pcscd's order."""
        length = _DWORD(0)
        try:
            _call("ListReaders", self._handle, None, None, byref(length))
            names = create_string_buffer(max(length.value, 1))
            _call("ListReaders", self._handle, None, names, byref(length))
        except PcscError as error:
            if error.result == Code.NO_READERS_AVAILABLE:
                return []
            raise
        return [name.decode(errors="replace") for name in names.raw[: length.value].split(b"\0") if name]

    def wait(self, known: Sequence[State], timeout_ms: int = FOREVER_MS) -> list[State]:
        """The states that are no longer as `known`, as soon as there is one; none after `timeout_ms`.

        PcscError with UNKNOWN_READER when one of them has gone, with CANCELLED after `cancel`.
        """
        states = (_ReaderState * len(known))()
        for state, before in zip(states, known, strict=True):
            state.name, state.current = before.name.encode(), before.bits
        try:
            _call("GetStatusChange", self._handle, timeout_ms, states, len(known))
        except PcscError as error:
            if error.result == Code.TIMEOUT:
                return []
            raise
        return [
            State(before.name, state.event & ~STATE_CHANGED)
            for state, before in zip(states, known, strict=True)
            if state.event & STATE_CHANGED
        ]

    def cancel(self) -> None:
        """End a `wait` of another thread, if one runs; never fails, but blocks as long as pcscd does."""
        _library()["Cancel"](self._handle)

    def connect(self, reader: str) -> Connection:
        """A connection to the card in a reader, shared with other programs."""
        return Connection(self._handle, reader)


class Connection:
    """A card of which nobody else makes use while this is open: one transaction. Use it as a context manager.

    The card stays as it is at the end.
    """

    def __init__(self, context: c_long, reader: str) -> None:
        self._handle = _HANDLE()
        self._protocol = _DWORD()
        self._answer = create_string_buffer(_MAX_ANSWER)
        _call(
            "Connect",
            context,
            reader.encode(),
            _SHARE_SHARED,
            _PROTOCOL_T0_OR_T1,
            byref(self._handle),
            byref(self._protocol),
        )

    def __enter__(self) -> Self:
        try:
            _call("BeginTransaction", self._handle)
        except PcscError:
            _library()["Disconnect"](self._handle, _LEAVE_CARD)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        _library()["EndTransaction"](self._handle, _LEAVE_CARD)
        _library()["Disconnect"](self._handle, _LEAVE_CARD)

    def reset(self) -> None:
        """Reset the card: one that was swapped unseen has no power yet."""
        _call("Reconnect", self._handle, _SHARE_SHARED, _PROTOCOL_T0_OR_T1, _RESET_CARD, byref(self._protocol))

    def atr(self) -> bytes:
        """What the card answered to its last reset."""
        name, name_length = create_string_buffer(_MAX_NAME), _DWORD(_MAX_NAME)
        atr, atr_length = create_string_buffer(_MAX_ATR), _DWORD(_MAX_ATR)
        state, protocol = _DWORD(), _DWORD()
        _call(
            "Status",
            self._handle,
            name,
            byref(name_length),
            byref(state),
            byref(protocol),
            atr,
            byref(atr_length),
        )
        return atr.raw[: atr_length.value]

    def transmit(self, command: bytes) -> bytes:
        """The card's answer with its status word; CardVanishedError when there is none."""
        request = _IoRequest(self._protocol.value, sizeof(_IoRequest))
        length = _DWORD(_MAX_ANSWER)
        _call("Transmit", self._handle, byref(request), command, len(command), None, self._answer, byref(length))
        if length.value < _STATUS_WORD:
            raise CardVanishedError(length.value)
        return string_at(self._answer, length.value)
