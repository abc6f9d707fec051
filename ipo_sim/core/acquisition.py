"""Who takes instances while he uses them: what was acquired and released by name, and calls with their channels."""

from __future__ import annotations

from ipo_sim.catalogue.types import Consumption
from ipo_sim.core.dect import DECT_CALL, require_voice
from ipo_sim.core.draft import Claim, Draft
from ipo_sim.core.events import CallEnded, CallStarted, InstancesReleased, InstancesRequested
from ipo_sim.core.model import Extension, ExtensionKind, Holding, PhoneState
from ipo_sim.core.people import MAX_HOLDER, known_extension, require_running
from ipo_sim.core.pools import PRI, SIP, VCM, VOICEMAIL
from ipo_sim.errors import CommandRejected

# The kind of port whose calls take a PRI channel.
PRI_PORT = "PRI"
# More than any capacity of the catalogue; keeps sums small.
MAX_INSTANCES = 10_000
MAX_HOLDINGS = 20_000
# Holders that are named to somebody who holds nothing.
MAX_NAMED = 5


def request_instances(draft: Draft, fact: InstancesRequested) -> None:
    """A claim of a use; the same claim again is no second one."""
    require_running(draft)
    _require_feature(draft, fact.feature)
    _require_holder(fact.holder)
    if not 1 <= fact.instances <= MAX_INSTANCES:
        raise CommandRejected("bad-instances", f"1 to {MAX_INSTANCES} instances can be taken, not {fact.instances}")
    if any(_is(held, fact.feature, fact.holder, fact.request) for held in draft.holdings):
        raise CommandRejected("held-already", f"{fact.holder} holds {fact.feature} already")
    _claim(draft, Holding(fact.feature, fact.holder, fact.request, fact.instances, Consumption.IN_USE, draft.seq))


def release_instances(draft: Draft, fact: InstancesReleased) -> None:
    """What was acquired goes back; what users and phones hold goes with their own facts."""
    kept = tuple(
        held
        for held in draft.holdings
        if held.consumption is not Consumption.IN_USE or not _is(held, fact.feature, fact.holder, fact.request)
    )
    if len(kept) == len(draft.holdings):
        _require_feature(draft, fact.feature)
        raise CommandRejected("not-held", _not_held(draft, fact))
    draft.holdings = kept


def _not_held(draft: Draft, fact: InstancesReleased) -> str:
    of_request = f" by request {fact.request!r}" if fact.request else ""
    holders = [
        held.holder
        for held in draft.holdings
        if held.feature == fact.feature and held.consumption is Consumption.IN_USE and held.active
    ]
    others = ", ".join(dict.fromkeys(holders[:MAX_NAMED])) or "nobody"
    return f"holder {fact.holder!r} has acquired no {fact.feature}{of_request}; acquired by: {others}"


def start_call(draft: Draft, fact: CallStarted) -> None:
    """A call takes all its channels or is refused."""
    require_running(draft)
    _require_holder(fact.call)
    holder = f"call:{fact.call}"
    if any(held.holder == holder for held in draft.holdings) or (draft.ports and _is_on_a_line(draft, fact.call)):
        raise CommandRejected("held-already", f"call {fact.call} is up already")
    is_dect = bool(fact.extension) and _caller(draft, fact.extension).kind is ExtensionKind.DECT
    # What a handset says comes over IP: it needs a voice compression channel at least.
    vcm = max(1, fact.vcm) if is_dect else fact.vcm
    if (fact.trunk == "") != (fact.port == 0):
        raise CommandRejected("bad-arguments", "trunk and port go together")
    pri = max(1, fact.pri) if fact.trunk and _seize(draft, fact) == PRI_PORT else fact.pri
    wanted = {VCM: vcm, PRI: pri, SIP: fact.sip, VOICEMAIL: fact.voicemail}
    if fact.vcm < 0 or any(number < 0 or number > MAX_INSTANCES for number in wanted.values()):
        raise CommandRejected("bad-instances", f"a call takes 0 to {MAX_INSTANCES} channels of a kind")
    claims = [
        Holding(feature, holder, DECT_CALL if is_dect else "", number, Consumption.IN_USE, draft.seq)
        for feature, number in wanted.items()
        if number
    ]
    if not claims and not fact.trunk:
        raise CommandRejected("bad-instances", "a call without channels takes nothing")
    if claims:
        _claim(draft, *claims)


def _seize(draft: Draft, fact: CallStarted) -> str:
    from ipo_sim.core.lines import seize  # noqa: PLC0415 - most calls name no line

    return seize(draft, fact)


def _is_on_a_line(draft: Draft, call: str) -> bool:
    return any(call in port.calls for port in draft.ports)


def _caller(draft: Draft, number: str) -> Extension:
    """The IP extension that makes a call; an unlicensed phone makes emergency calls only."""
    extension = known_extension(draft, number)
    if extension.state is not PhoneState.LICENSED:
        raise CommandRejected("no-phone", f"the phone of extension {number} is {extension.state}")
    if extension.kind is ExtensionKind.DECT:
        require_voice(draft)
    return extension


def end_call(draft: Draft, fact: CallEnded) -> None:
    """The call's channels are free."""
    holder = f"call:{fact.call}"
    kept = tuple(held for held in draft.holdings if held.holder != holder)
    on_line = bool(draft.ports) and _is_on_a_line(draft, fact.call)
    if len(kept) == len(draft.holdings) and not on_line:
        raise CommandRejected("not-held", f"call {fact.call} is not up")
    draft.holdings = kept
    if on_line:
        from ipo_sim.core.lines import leave  # noqa: PLC0415 - as above

        leave(draft, frozenset({fact.call}))


def _require_feature(draft: Draft, feature: str) -> None:
    if feature not in draft.catalogue.licences_by_feature:
        from difflib import get_close_matches  # noqa: PLC0415 - only who made a mistake pays for it

        name = feature[:MAX_HOLDER]
        near = get_close_matches(name, draft.catalogue.licences_by_feature, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(draft.catalogue.licences_by_feature)}"
        raise CommandRejected("unknown-feature", f"no licence of the catalogue feeds {name!r}: {hint}")


def _require_holder(holder: str) -> None:
    if not 1 <= len(holder) <= MAX_HOLDER or not holder.isprintable():
        raise CommandRejected("bad-holder", f"a holder is named by 1 to {MAX_HOLDER} printable characters")


def _is(held: Holding, feature: str, holder: str, request: str | None) -> bool:
    return held.feature == feature and held.holder == holder and (request is None or held.request == request)


def _claim(draft: Draft, *takes: Holding) -> None:
    if len(draft.holdings) + len(takes) > MAX_HOLDINGS:
        raise CommandRejected("capacity", f"a unit keeps account of at most {MAX_HOLDINGS} claims")
    draft.claims.append(Claim(takes))
