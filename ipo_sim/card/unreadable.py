"""A card that is no feature key, and the reason that the unit gives for it."""

from __future__ import annotations

from typing import ClassVar

from ipo_sim.core.words import KeyReason
from ipo_sim.errors import IpoSimError


class CardUnreadable(IpoSimError):  # noqa: N818 - the field's word: an unreadable card is a fact, nothing is broken
    """A card that does not answer, holds no identity that is taken, or proves less than is asked.

    `reason` is NO_REGISTER_ACCESS (the card does not answer as cards do), INVALID_REGISTERS (what it holds is not in
    order or not accepted) or NON_SPECIFIC_ERROR (it cannot be judged here).
    """

    code: ClassVar[str] = "card"

    def __init__(self, reason: KeyReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def no_access(message: str) -> CardUnreadable:
    """The card does not answer as cards do."""
    return CardUnreadable(KeyReason.NO_REGISTER_ACCESS, message)


def invalid(message: str) -> CardUnreadable:
    """What the card holds is not in order, or not accepted."""
    return CardUnreadable(KeyReason.INVALID_REGISTERS, message)
