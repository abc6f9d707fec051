"""The words of a configuration: what each may look like, and what is derived when none is given."""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from ipo_sim.core.words import ANY_SERVER, NO_SERVER
from ipo_sim.licensing import address

MAX_UNIT_NAME = 64
SERIAL_DIGITS = 10
# 16 characters of hexadecimal digits are 64 bits, which nobody tries out over HTTP.
MIN_TOKEN, MAX_TOKEN = 16, 512
mac_address, NO_STATION = address.mac_address, address.NO_STATION
MQTT_VERSIONS = {"3.1.1": 4, "5": 5}
# The furthest offsets that places on earth have.
_MIN_OFFSET, _MAX_OFFSET = -12 * 60, 14 * 60

OFFSETS = 'is not an offset from UTC, "-12:00" to "+14:00"'
_NUMBER = re.compile(r"\{n(?::0(\d))?\}", re.ASCII)
_UNIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")
# A topic level without wildcards, blanks (the embedded broker has no room for them) and `$`, which brokers keep.
_TOPIC_LEVEL = re.compile(r"[^\s+#/\x00$][^\s+#/\x00]*")
# RFC 6750, 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_.-]+")


def numbered(text: str, number: int) -> str:
    """`{n}` and `{n:04}` replaced by the number, the latter with at least that many digits."""
    if "{" not in text:
        return text
    return _NUMBER.sub(lambda found: str(number).zfill(int(found[1] or 0)), text)


def is_numbered(text: str) -> bool:
    """Whether the text contains the number of the unit."""
    return _NUMBER.search(text) is not None


def unit_name_problem(name: str) -> str | None:
    """A name is a level of topics, part of file names and of client identifiers."""
    if len(name) > MAX_UNIT_NAME:
        return f"too long: at most {MAX_UNIT_NAME} characters"
    if _UNIT_NAME.fullmatch(name) is None:
        return f"{name!r} is no name: letters, digits, - and _, a letter or digit first"
    return None


def path_problem(path: str) -> str | None:
    """The name of a file; of homes only the user's own."""
    is_name = path.strip() and path.isprintable() and (path[0] != "~" or path.startswith("~/"))
    return None if is_name else f"{path!r} is no name of a file"


def printable_problem(text: str) -> str | None:
    """Free text that ends up in topics, traps and on screens."""
    return None if text.isprintable() else f"{text!r} holds characters that cannot be printed"


def serial_problem(serial: str) -> str | None:
    """A card's serial is bound into licence keys as its digits."""
    if len(serial) == SERIAL_DIGITS and serial.isascii() and serial.isdecimal():
        return None
    return f"{serial!r} is not a serial: {SERIAL_DIGITS} decimal digits"


def port_problem(port: str) -> str | None:
    """A device of this machine or a socket."""
    try:
        url = urlsplit(port)
        if url.scheme == "socket" and url.hostname and url.port and not url.path.strip("/"):
            return None
        if url.scheme in {"", "serial"} and not url.netloc and url.path.startswith("/"):
            return None
    except ValueError:
        pass
    return f"{port!r} is not a port: /dev/... or socket://HOST:PORT"


def licence_server_problem(address: str) -> str | None:
    """The field takes an IPv4 address, two of which mean something else."""
    from ipaddress import AddressValueError, IPv4Address  # noqa: PLC0415 - who has no key server does not pay for it

    try:
        IPv4Address(address)
    except AddressValueError:
        return (
            f"{address!r} is not the IPv4 address of a PC; {ANY_SERVER} looks for it by broadcast, "
            f"{NO_SERVER} is for a dongle on the unit"
        )
    return None


def broker_url_problem(url: str) -> str | None:
    """The address of a broker, and nothing behind it."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"mqtt", "mqtts"} and parts.hostname and parts.port != 0:
            return (
                "nothing may follow host and port" if parts.path.strip("/") or parts.query or parts.fragment else None
            )
    except ValueError:
        pass
    return "not the address of a broker: mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"


def topic_prefix_problem(prefix: str) -> str | None:
    """One or more levels of MQTT topics."""
    if all(_TOPIC_LEVEL.fullmatch(level) for level in prefix.split("/")):
        return None
    return f"{prefix!r} starts no topic: levels separated by /, without blanks, + or #, and no $ in front"


def client_id_problem(client_id: str) -> str | None:
    """What every broker takes, and topics can carry."""
    if _CLIENT_ID.fullmatch(client_id) and len(client_id) <= MAX_UNIT_NAME:
        return None
    return f"{client_id!r} is no client identifier: at most {MAX_UNIT_NAME} letters, digits, - _ and ."


def utc_offset_minutes(timezone: str) -> int | None:
    """`+01:00` as 60; None: it is no offset."""
    found = _OFFSET.fullmatch(timezone)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    offset = -minutes if found[1] == "-" else minutes
    return offset if _MIN_OFFSET <= offset <= _MAX_OFFSET else None


def derived_mac(name: str) -> str:
    """An address that follows from the unit's name: locally administered, of a single station."""
    digest = hashlib.sha256(b"ipo-sim mac " + name.encode()).digest()
    first = digest[0] & 0xFC | 0x02
    return f"{first:02x}:" + digest[1:6].hex(":")


def derived_serial(name: str) -> str:
    """The serial of the card that comes with a unit of that name."""
    digest = hashlib.sha256(b"ipo-sim feature key " + name.encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**SERIAL_DIGITS:0{SERIAL_DIGITS}}"


def system_name_of(mac: str) -> str:
    """The name of a unit that nobody named: its MAC address."""
    return mac.replace(":", "").upper()


def listening_problem(host: str, *, has_token: bool) -> str | None:
    """An IP address of this machine; others may only come to it with a token."""
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return f"{host!r} is no IP address of this machine, such as 127.0.0.1"
    if loopback or has_token:
        return None
    return f"others reach {host}: a token_file is needed, with a token that they have to know"


def token_problem(token: str) -> str | None:
    """What nobody guesses, and a header can carry."""
    if len(token) < MIN_TOKEN:
        return (
            f"the token has {len(token)} characters, at least {MIN_TOKEN} are needed: `openssl rand -hex 16` makes one"
        )
    if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
        return f"a token has at most {MAX_TOKEN} letters, digits and -._~+/= characters"
    return None
