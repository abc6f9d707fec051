"""Users, and IP extensions with their phones."""

from __future__ import annotations

import re
from ipaddress import ip_address

from ipo_sim.catalogue.types import Catalogue, Consumption, LicenceKind
from ipo_sim.core.dect import require_registration, require_room
from ipo_sim.core.draft import Claim, Draft
from ipo_sim.core.events import (
    ExtensionConfigured,
    ExtensionRemoved,
    PhoneRegistered,
    PhoneUnregistered,
    UserConfigured,
    UserRemoved,
)
from ipo_sim.core.model import (
    Extension,
    ExtensionDefinition,
    ExtensionKind,
    Holding,
    Lifecycle,
    PhoneState,
    Reserve,
    User,
    UserDefinition,
)
from ipo_sim.core.pools import (
    AVAYA_ENDPOINTS,
    THIRD_PARTY_ENDPOINTS,
    needs_licence,
)
from ipo_sim.errors import CommandRejected

BASIC = "basic"
MAX_HOLDER = 64
MAX_USER_NAME, MAX_FULL_NAME = 15, 31
RESERVED = "reserved"
REGISTERED = "registered"

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
# Names stand in topics and in comma-separated rows.
_FORBIDDEN = re.compile(r"[/+#,\"\x00-\x1f\x7f]")


def configure_user(draft: Draft, fact: UserConfigured) -> None:
    """A user as asked for; without instances for profile and features he stays as he was, or is not made."""
    _require_user(draft, fact)
    holder = f"user:{fact.name}"
    _require_own_extension(draft, fact)
    user = User(fact.name, fact.full_name, fact.extension, fact.profile, fact.features, draft.seq, active=True)
    known = next((other for other in draft.users if other.name == fact.name), None)
    if known is not None and known._replace(seq=user.seq, active=True, cause=()) == user:
        raise CommandRejected("unchanged", f"user {fact.name} is configured so already")
    mine = {held.feature: held for held in draft.holdings if held.holder == holder}
    wanted = licensed_features(draft.catalogue, draft.definition.release_profile, fact.profile, fact.features)
    takes = tuple(
        Holding(feature, holder, "", 1, Consumption.CONFIGURED, draft.seq, active=draft.up)
        for feature in wanted
        if feature not in mine
    )
    gives = tuple(held for feature, held in mine.items() if feature not in wanted)
    draft.claims.append(Claim(takes, gives, user=user))


def remove_user(draft: Draft, fact: UserRemoved) -> None:
    """The user's licences are free."""
    kept = tuple(user for user in draft.users if user.name != fact.name)
    if len(kept) == len(draft.users):
        raise CommandRejected("unknown-user", f"no user {fact.name}")
    draft.users = kept
    draft.holdings = tuple(held for held in draft.holdings if held.holder != f"user:{fact.name}")


def configure_extension(draft: Draft, fact: ExtensionConfigured) -> None:
    """An IP extension; of another kind than before its phone has to register again."""
    problem = extension_problem(fact.number)
    if problem is not None:
        raise CommandRejected("bad-extension", problem)
    known = _extension(draft, fact.number)
    if fact.kind is ExtensionKind.DECT and (known is None or known.kind is not fact.kind):
        require_room(draft)
    if known is not None and (known.kind, known.reserve) == (fact.kind, fact.reserve):
        raise CommandRejected("unchanged", f"extension {fact.number} is configured so already")
    if known is None:
        _require_room(draft)
        new = Extension(fact.number, fact.kind, fact.reserve, Reserve.NONE, draft.seq, None, PhoneState.UNREGISTERED)
        draft.extensions = (*draft.extensions, new)
        return
    changed = known._replace(kind=fact.kind, reserve=fact.reserve, seq=draft.seq)
    if known.kind is not fact.kind:
        changed = changed._replace(registered=None, mac="", address="")
        _drop(draft, f"extension:{fact.number}", REGISTERED)
    _put(draft, changed)


def remove_extension(draft: Draft, fact: ExtensionRemoved) -> None:
    """The extension goes with its phone and what is reserved for it."""
    kept = tuple(extension for extension in draft.extensions if extension.number != fact.number)
    if len(kept) == len(draft.extensions):
        raise CommandRejected("unknown-extension", f"no IP extension {fact.number}")
    draft.extensions = kept
    draft.holdings = tuple(held for held in draft.holdings if held.holder != f"extension:{fact.number}")


def register_phone(draft: Draft, fact: PhoneRegistered) -> None:
    """A phone registers: with a licence, as unlicensed until one is free, or, of another maker, not at all."""
    require_running(draft)
    extension = known_extension(draft, fact.extension)
    if extension.registered is not None:
        raise CommandRejected("unchanged", f"the phone of extension {fact.extension} is registered already")
    if fact.mac and not _MAC.fullmatch(fact.mac):
        raise CommandRejected("bad-phone", f"{fact.mac[:MAX_HOLDER]!r} is not a MAC address such as 00:1b:4f:00:00:01")
    if fact.address and not _is_address(fact.address):
        raise CommandRejected("bad-phone", f"{fact.address[:MAX_HOLDER]!r} is not an IP address")
    if extension.kind is ExtensionKind.DECT:
        require_registration(draft)
    registered = extension._replace(registered=draft.seq, mac=fact.mac, address=fact.address)
    draft.claims.append(Claim(_phone_claim(draft, extension), extension=registered))


def unregister_phone(draft: Draft, fact: PhoneUnregistered) -> None:
    """The phone is gone; what it held, unless reserved, is free."""
    extension = known_extension(draft, fact.extension)
    if extension.registered is None:
        raise CommandRejected("unchanged", f"no phone is registered at extension {fact.extension}")
    _put(draft, extension._replace(registered=None, mac="", address=""))
    _drop(draft, f"extension:{fact.extension}", REGISTERED)


def reserve_at_start(draft: Draft) -> None:
    """What is reserved for extensions changes with a start only."""
    for extension in draft.extensions:
        if extension.reserve is extension.reserved:
            continue
        holder = f"extension:{extension.number}"
        _drop(draft, holder, RESERVED)
        claims = tuple(
            Holding(feature, holder, RESERVED, 1, Consumption.REGISTRATION, draft.seq, active=False, first=True)
            for feature in RESERVES[extension.reserve]
            if needs_licence(draft.catalogue, draft.definition.release_profile, feature)
        )
        if any(claim.feature == endpoint_of(extension.kind) for claim in claims):
            _drop(draft, holder, REGISTERED)
        draft.holdings = (*draft.holdings, *claims)
        _put(draft, extension._replace(reserved=extension.reserve))


def first_users(
    catalogue: Catalogue, profile: str, users: tuple[UserDefinition, ...]
) -> tuple[tuple[User, ...], tuple[Holding, ...]]:
    """The users of a new unit, whose claims wait for the first start."""
    made = tuple(
        User(user.name, user.full_name, user.extension, user.profile, user.features, 0, active=False) for user in users
    )
    claims = tuple(
        Holding(feature, f"user:{user.name}", "", 1, Consumption.CONFIGURED, 0, active=False)
        for user in users
        for feature in licensed_features(catalogue, profile, user.profile, user.features)
    )
    return made, claims


def first_extensions(extensions: tuple[ExtensionDefinition, ...]) -> tuple[Extension, ...]:
    """The IP extensions of a new unit."""
    return tuple(
        Extension(known.number, known.kind, known.reserve, Reserve.NONE, 0, None, PhoneState.UNREGISTERED)
        for known in extensions
    )


def licensed_features(
    catalogue: Catalogue, release_profile: str, profile: str, features: tuple[str, ...]
) -> tuple[str, ...]:
    """Of a user's profile and features those that this release licenses."""
    names = features if profile == BASIC else (profile, *features)
    wanted = (name for name in dict.fromkeys(names) if name != BASIC)
    return tuple(name for name in wanted if needs_licence(catalogue, release_profile, name))


def user_features(catalogue: Catalogue) -> tuple[str, ...]:
    """Features that a user can be configured for; each can be his profile too."""
    return tuple(
        feature
        for feature, kinds in catalogue.licences_by_feature.items()
        if any(kind.kind is LicenceKind.USERS and kind.consumption is Consumption.CONFIGURED for kind in kinds)
    )


def endpoint_of(kind: ExtensionKind) -> str:
    """The feature that a registered phone of this kind takes."""
    return THIRD_PARTY_ENDPOINTS if kind is ExtensionKind.THIRD_PARTY_IP else AVAYA_ENDPOINTS


RESERVES = {
    Reserve.NONE: (),
    Reserve.AVAYA: (AVAYA_ENDPOINTS,),
    Reserve.THIRD_PARTY: (THIRD_PARTY_ENDPOINTS,),
    Reserve.BOTH: (AVAYA_ENDPOINTS, THIRD_PARTY_ENDPOINTS),
}


def _phone_claim(draft: Draft, extension: Extension) -> tuple[Holding, ...]:
    feature = endpoint_of(extension.kind)
    holder = f"extension:{extension.number}"
    if not needs_licence(draft.catalogue, draft.definition.release_profile, feature):
        return ()
    if any(held.holder == holder and held.feature == feature for held in draft.holdings):
        return ()
    # A phone of the maker registers in any case and waits; another one needs its licence to register.
    waits = extension.kind is not ExtensionKind.THIRD_PARTY_IP
    dect = extension.kind is ExtensionKind.DECT
    return (Holding(feature, holder, REGISTERED, 1, Consumption.REGISTRATION, draft.seq, active=not waits, first=dect),)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def require_running(draft: Draft) -> None:
    """Telephony is there; CommandRejected."""
    if draft.life.state is not Lifecycle.RUNNING:
        raise CommandRejected("wrong-state", f"there is no telephony while {draft.life.state.replace('_', ' ')}")


def user_problem(catalogue: Catalogue, user: UserDefinition) -> tuple[str, str] | None:
    """The first field of a user that no unit takes, and why; None: all are fine."""
    if not 1 <= len(user.name) <= MAX_USER_NAME or _FORBIDDEN.search(user.name):
        return "name", f'a user name has 1 to {MAX_USER_NAME} characters, none of / + # , "'
    if len(user.full_name) > MAX_FULL_NAME or _FORBIDDEN.search(user.full_name):
        return "full_name", f'a full name has at most {MAX_FULL_NAME} characters, none of / + # , "'
    if user.extension and not _NUMBER.fullmatch(user.extension):
        return "extension", f"{user.extension[:MAX_HOLDER]!r} is not an extension number of 1 to 9 digits"
    known = (BASIC, *user_features(catalogue))
    for field, names in (("profile", (user.profile,)), ("features", user.features)):
        for name in names:
            if name not in known:
                return field, f"{name[:MAX_HOLDER]!r} is not for users; allowed: {', '.join(known)}"
    return None


def extension_problem(number: str) -> str | None:
    """Why this is no number of an extension; None: it is."""
    return None if _NUMBER.fullmatch(number) else f"{number[:MAX_HOLDER]!r} is not an extension number of 1 to 9 digits"


def _require_user(draft: Draft, fact: UserConfigured) -> None:
    user = UserDefinition(fact.name, fact.full_name, fact.extension, fact.profile, fact.features)
    problem = user_problem(draft.catalogue, user)
    if problem is not None:
        field, message = problem
        raise CommandRejected("unknown-feature" if field in ("profile", "features") else "bad-user", message)
    most = _max_users(draft)
    if len(draft.users) >= most and all(known.name != fact.name for known in draft.users):
        raise CommandRejected("capacity", f"this unit serves at most {most} users")


def _require_own_extension(draft: Draft, fact: UserConfigured) -> None:
    """One number, one user; a number without a port or phone is that of a user who logs in anywhere."""
    other = next(
        (user.name for user in draft.users if user.extension == fact.extension != "" and user.name != fact.name), None
    )
    if other is not None:
        raise CommandRejected("extension-taken", f"extension {fact.extension} is that of user {other}")


def _max_users(draft: Draft) -> int:
    model = draft.catalogue.models[draft.definition.model]
    unit = model.capacities.users or model.max_extensions[draft.definition.release_profile]
    most = draft.old.edition.max_users
    return unit if most is None else min(most, unit)


def _require_room(draft: Draft) -> None:
    most = draft.catalogue.models[draft.definition.model].max_extensions[draft.definition.release_profile]
    ports = sum(part.fitted.extensions for part in draft.parts if part.fitted)
    if ports + len(draft.extensions) >= most:
        raise CommandRejected("capacity", f"this unit has at most {most} extensions")


def _extension(draft: Draft, number: str) -> Extension | None:
    return next((extension for extension in draft.extensions if extension.number == number), None)


def known_extension(draft: Draft, number: str) -> Extension:
    """The IP extension of that number; CommandRejected."""
    extension = _extension(draft, number)
    if extension is None:
        raise CommandRejected("unknown-extension", f"no IP extension {number[:MAX_HOLDER]}")
    return extension


def _put(draft: Draft, extension: Extension) -> None:
    draft.extensions = tuple(extension if known.number == extension.number else known for known in draft.extensions)


def _drop(draft: Draft, holder: str, request: str) -> None:
    draft.holdings = tuple(held for held in draft.holdings if (held.holder, held.request) != (holder, request))
