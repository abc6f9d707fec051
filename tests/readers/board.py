"""A reader board as docs/reference/line-protocol.md describes it, written without the codec under test."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tests.card.wire import line, slow_crc

POWER_UP = 0x01
WATCHDOG = 0x08
NO_ANSWER = 0x02

_LINE = re.compile(rb"\$(HST,([0-9A-F]{2}),([A-Z]+))\*([0-9A-F]{4})")


class Chip(NamedTuple):
    """A card for the board; one with an `error` does not read."""

    serial: str = "1234567890"
    kind: str = "I2C"
    law: str = ""
    error: int = 0


class Board:
    """Firmware, switch and card contact. `transmit` takes the bytes that it says.

    Ways to misbehave: `mute` says nothing, `deaf` hears nothing, `beats` False stops the heartbeat, `nameless` answers
    STAT without CARD or BAD, `swallow` loses that many of the next lines of a type, `protocol` is what HELLO claims,
    `known` are the commands that it obeys. `verbs` are all that it heard.
    """

    beat_s = 1.0

    def __init__(self, transmit: Callable[[bytes], object]) -> None:
        self.transmit = transmit
        self.chip: Chip | None = None
        self.present = False
        self.insertions = 0
        self.running = False
        self.mute = self.deaf = self.nameless = False
        self.beats = True
        self.protocol = 1
        self.swallow: Counter[str] = Counter()
        self.known = {"HELLO", "STAT", "PING", "RESET"}
        self.verbs: list[str] = []
        self.resets = 0
        self._seq = 0
        self._started = 0.0
        self._input = bytearray()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def power_on(self, cause: int = POWER_UP) -> None:
        """Start anew, whatever was."""
        self.power_off()
        self.resets += 1
        self.running = True
        self.present = False
        self.insertions = self._seq = 0
        self._started = asyncio.get_running_loop().time()
        self._hello(cause)
        self._after("beat", self.beat_s, self._beat)
        self._bounce()

    def power_off(self) -> None:
        """Stand still."""
        self.running = False
        self._input.clear()
        for timer in self._timers.values():
            timer.cancel()

    def insert(self, chip: Chip) -> None:
        """Put a card into the contact."""
        self.chip = chip
        self._bounce()

    def remove(self) -> None:
        """Take the card out."""
        self.chip = None
        self._bounce()

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        if not self.running or self.deaf:
            return
        self._input += data
        *lines, rest = re.split(rb"[\r\n]", self._input)
        self._input = bytearray(rest[-120:])
        for text in lines:
            if text:
                self._obey(text[max(text.rfind(b"$"), 0) :])

    def say(self, kind: str, *fields: object) -> None:
        """One line, unless it is swallowed; it counts all the same."""
        if not self.running:
            return
        text = line("FKC", self._seq, kind, *fields)
        self._seq += 1
        if self.swallow[kind]:
            self.swallow[kind] -= 1
        elif not self.mute:
            self.transmit(text)

    @property
    def uptime_ms(self) -> int:
        return round((asyncio.get_running_loop().time() - self._started) * 1000)

    def _obey(self, text: bytes) -> None:
        match = _LINE.fullmatch(text)
        if match is None:
            self.say("NAK", "--", "FRAME")
        elif slow_crc(match[1]) != int(match[4], 16):
            self.say("NAK", "--", "CRC")
        else:
            self._command(match[2].decode(), match[3].decode())

    def _command(self, host_seq: str, verb: str) -> None:
        self.verbs.append(verb)
        if verb not in self.known:
            self.say("NAK", host_seq, "VERB")
            return
        self.say("ACK", host_seq)
        if verb == "HELLO":
            self._hello(POWER_UP)
        elif verb == "STAT":
            if self.present and not self.nameless:
                self._read()
            self._status()
        elif verb == "RESET":
            self.power_on(WATCHDOG)

    def _hello(self, cause: int) -> None:
        self.say("HELLO", self.protocol, "0.1.0", "TEST", f"{cause:02X}")

    def _status(self) -> None:
        self.say("BEAT", self.uptime_ms, int(self.present), self.insertions)

    def _beat(self) -> None:
        self._after("beat", self.beat_s, self._beat)
        if self.beats:
            self._status()

    def _read(self) -> None:
        chip = self.chip or Chip(error=NO_ANSWER)  # just gone: the switch has not told yet
        if chip.error:
            self.say("BAD", self.insertions, f"{chip.error:02X}")
        else:
            law = [chip.law] if chip.law else []
            self.say("CARD", self.insertions, chip.kind, chip.serial, *law)

    def _bounce(self) -> None:
        if self.running:
            self._after("switch", 0.003 if self.chip is None else 0.020, self._debounced)

    def _debounced(self) -> None:
        if (self.chip is not None) == self.present:
            return
        self.present = self.chip is not None
        if self.present:
            self.insertions = (self.insertions + 1) & 0xFFFF
            self._read()
        else:
            self.say("GONE", self.insertions)

    def _after(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, action)
