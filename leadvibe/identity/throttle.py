"""How long to wait after failed sign-ins: nothing at first, then twice as long each time.

Pure numbers; the counts are kept by the service, per e-mail address and per network peer.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

FORGET_AFTER = timedelta(hours=1)
FIRST_WAIT_SECONDS = 2
# Short enough that locking somebody out by guessing on purpose stays a nuisance.
LONGEST_WAIT_SECONDS = 15 * 60
IPV6_NETWORK_BITS = 64  # one customer's network: single addresses in it are free to change


@dataclass(frozen=True, slots=True)
class Limit:
    free_failures: int


EMAIL_LIMIT = Limit(free_failures=5)
PEER_LIMIT = Limit(free_failures=20)  # an office shares one address


def email_subject(email: str) -> str:
    return f"email:{email}"


def peer_subject(ip: str) -> str:
    """Name the network peer; addresses of one IPv6 network are one peer."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return f"ip:{ip}"
    if address.version == 6 and address.ipv4_mapped is None:  # noqa: PLR2004 - IPv6
        return f"ip:{ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False)}"
    return f"ip:{address}"


def limit_of(subject: str) -> Limit:
    return EMAIL_LIMIT if subject.startswith("email:") else PEER_LIMIT


def wait_seconds(failures: int, limit: Limit) -> int:
    """Return how long after the latest of so many failures the next attempt may come."""
    beyond = failures - limit.free_failures
    if beyond < 0:
        return 0
    # The exponent is capped before the power, or a long siege would compute huge numbers.
    return int(min(FIRST_WAIT_SECONDS * 2 ** min(beyond, 30), LONGEST_WAIT_SECONDS))


def is_forgotten(last_at: datetime, now: datetime) -> bool:
    return now - last_at >= FORGET_AFTER
