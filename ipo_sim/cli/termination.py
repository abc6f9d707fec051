"""SIGTERM and Ctrl-C while a program starts, before anything runs that could take leave."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end a start as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Let them wait for `signals_let_in`: an exception that meets an import or the making of an event loop may be lost.

    Both call what nobody can raise through, such as the end of a weak reference: Python tells of it and goes on.
    """
    with _mask(signal.SIG_BLOCK):
        yield


@contextmanager
def signals_let_in() -> Iterator[None]:
    """What takes its time, and ends by an exception as it should; at once, if a signal has waited."""
    with _mask(signal.SIG_UNBLOCK):
        yield


@contextmanager
def _mask(how: int) -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(how, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
