"""What a URL says about where to go, in one spelling alone.

Resolvers understand many more spellings (`127.1`, `0x7f.0.0.1`, `2130706433`), and what two of
them understand differently is a way around every check. So odd ones are refused, not translated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from leadvibe.lib.outbound.addresses import is_public
from leadvibe.lib.outbound.errors import AddressRefusedError

LONGEST_URL = 2_048
LONGEST_HOST = 253  # RFC 1035
LONGEST_PORT = 5
LAST_PORT = 65_535
PORTS = {"https": 443, "http": 80}

_PLAIN = re.compile(r"[!-\[\]-~]+")  # printable ASCII without spaces and backslashes
_AUTHORITY = re.compile(r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]*))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

PRIVATE = "it leads to a private address; use one that can be reached on the internet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The parts of a URL that a request needs; `host` is a name or an IP address, in lower case."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""

    @property
    def authority(self) -> str:
        """Say host and port as the Host header does."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, *, allow_private: bool = False) -> None:
    """Check a URL that a member enters, without asking DNS. Raises AddressRefusedError.

    What its host name leads to may change, so that is checked anew with each request.
    """
    place = place_of(url)
    if not allow_private and _is_private_by_name(place.host):
        raise AddressRefusedError(PRIVATE)


def place_of(url: str) -> Place:
    """Take a URL apart. Raises AddressRefusedError; does not say whether the host is public."""
    if len(url) > LONGEST_URL:
        raise AddressRefusedError(f"it is longer than {LONGEST_URL} characters")
    if not _PLAIN.fullmatch(url):
        raise AddressRefusedError(
            "write it percent-encoded, without spaces and letters beyond a to z"
        )
    parts = _split(url)
    if parts.scheme not in PORTS:
        raise AddressRefusedError("it must begin with https:// or http://")
    if "@" in parts.netloc:
        raise AddressRefusedError("leave out the user name and password before the @")
    authority = _AUTHORITY.fullmatch(parts.netloc.lower())
    if not authority:
        raise AddressRefusedError("its host and port must read like example.com:443")
    host, ipv6, port = authority["name"], authority["ipv6"], authority["port"]
    return Place(
        scheme=parts.scheme,
        host=_name(host) if ipv6 is None else _ipv6(ipv6),
        port=_port(port) if port else PORTS[parts.scheme],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise AddressRefusedError("its host is not a valid IPv6 address") from None


def _port(digits: str) -> int:
    if len(digits) > LONGEST_PORT or not 0 < int(digits) <= LAST_PORT:
        raise AddressRefusedError(f"its port must be a number from 1 to {LAST_PORT}")
    return int(digits)


def _name(host: str) -> str:
    if not host:
        raise AddressRefusedError("it names no host")
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
        raise AddressRefusedError(f"{host[:LONGEST_HOST]} is not a valid host name")
    return _ipv4(host) if _NUMBER.fullmatch(host.rpartition(".")[2]) else host


def _ipv4(host: str) -> str:
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        raise AddressRefusedError(
            f"write the IP address {host} as four decimal numbers, like 203.0.113.7"
        ) from None


def _ipv6(host: str) -> str:
    if "%" in host:
        raise AddressRefusedError("its IPv6 address must not name a zone")
    try:
        return str(IPv6Address(host))
    except AddressValueError:
        raise AddressRefusedError(f"{host} is not a valid IPv6 address") from None


def _is_private_by_name(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return False
