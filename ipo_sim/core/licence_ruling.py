"""What a licence string's text, the card, the day and the release decide of it, up to Obsolete (licensing.md 2)."""

from __future__ import annotations

from datetime import date

from ipo_sim.core.draft import Draft
from ipo_sim.core.model import Cause, Licence
from ipo_sim.licensing.key import LicenceKey, verifier
from ipo_sim.licensing.status import LicenceStatus

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

# The serial that a string was checked against, and what came out.
Match = tuple[str, bool]
# A status before Dormant is decided (None: a candidate for Valid), its cause, and the check to remember.
Ruling = tuple[LicenceStatus | None, Cause, Match | None]


class Judge:
    """Rules on one string after another, in the stated order: Unknown, Invalid, Expired, Obsolete.

    A check against a serial is remembered by its string, so that each is made once a card.
    """

    __slots__ = (
        "_day",
        "_draft",
        "_held",
        "_in_use",
        "_keyless",
        "_loads",
        "_no",
        "_serial",
        "_unknown",
        "_verified",
        "_yes",
    )

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._loads = draft.loads
        self._day = draft.local_day + EPOCH_ORDINAL
        self._unknown: Cause | None = None if draft.up else (f"unit:{draft.life.state}", f"event:{draft.life.seq}")
        self._serial = draft.key.validated_serial
        self._keyless: Cause = () if self._serial is not None else ("feature-key", *draft.key.cause)
        self._yes: Match = (self._serial or "", True)
        self._no: Match = (self._serial or "", False)
        self._verified = verifier(self._serial or "", draft.definition.secret)
        self._held: Ruling = (None, (), self._yes)
        # By licence code: whether this release and model use it.
        self._in_use: dict[int, bool] = {}

    def rule(self, licence: Licence) -> Ruling:
        """What is decided of the string before prerequisites are looked at."""
        _, _, decoded, _, loaded, seq, _, matches, _ = licence
        if self._unknown is not None:
            return LicenceStatus.UNKNOWN, self._unknown, matches
        if not (loaded or self._loads):
            return LicenceStatus.UNKNOWN, ("configuration", f"event:{seq}"), matches
        if decoded is None:
            return LicenceStatus.INVALID, ("licence-string", f"event:{seq}"), matches
        serial = self._serial
        if serial is None:
            return LicenceStatus.INVALID, self._keyless, matches
        if matches is None or matches[0] != serial:
            matches = self._yes if self._verified(decoded) else self._no
        elif matches[1]:
            matches = self._yes  # one object for all of a card
        if matches is self._yes and decoded[3] is None and self._in_use.get(decoded[1]):
            return self._held  # nearly all of many: nothing of the rest needs to be asked
        if not matches[1]:
            return LicenceStatus.INVALID, self._since(licence, LicenceStatus.INVALID, "feature-key"), matches
        return self._dated(licence, decoded, matches)

    def _dated(self, licence: Licence, decoded: LicenceKey, matches: Match) -> Ruling:
        """What day and release decide of a string that matches the card."""
        expiry = decoded.expiry
        if expiry is not None and expiry.toordinal() < self._day:
            cause = self._since(licence, LicenceStatus.EXPIRED, f"expiry:{expiry.isoformat()}")
            return LicenceStatus.EXPIRED, cause, matches
        code = decoded.licence_code
        in_use = self._in_use.get(code)
        if in_use is None:
            in_use = self._in_use[code] = self._is_in_use(code)
        if not in_use:
            return LicenceStatus.OBSOLETE, (self._unused_by(code), f"event:{licence.seq}"), matches
        return self._held if matches is self._yes else (None, (), matches)

    def _unused_by(self, code: int) -> str:
        definition = self._draft.definition
        if definition.model in self._draft.catalogue.licences[code].models:
            return f"release-profile:{definition.release_profile}"
        return f"model:{definition.model}"

    def _is_in_use(self, code: int) -> bool:
        kind, definition = self._draft.catalogue.licences[code], self._draft.definition
        return definition.release_profile in kind.profiles and definition.model in kind.models

    def _since(self, licence: Licence, status: LicenceStatus, head: str) -> Cause:
        """The cause that stands since an earlier event, or this event."""
        cause = licence.cause
        if licence.status is status and cause[:1] == (head,):
            return cause
        draft = self._draft
        return (head, f"event:{draft.key.seq}" if head == "feature-key" else draft.event_ref)
