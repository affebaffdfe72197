"""Which IP addresses belong to the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# What ipaddress calls global in some version of Python and should not be reached all the same.
_REFUSED_V4 = (
    IPv4Network("192.0.0.0/24"),  # special purposes of the IETF
    IPv4Network("192.88.99.0/24"),  # the relays of 6to4
    IPv4Network("168.63.129.16/32"),  # a public address that is Azure's own inside its machines
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that has been handed out so far
_REFUSED_V6 = (
    IPv6Network("2001::/23"),  # special purposes, among them Teredo, which wraps any address
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4 wraps any IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)
_NAT64 = IPv6Network("64:ff9b::/96")
_LAST_32_BITS = 0xFFFF_FFFF


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether the address is one of a server on the public internet.

    IPv6 addresses that wrap an IPv4 address are not, however public that one is, but for NAT64:
    that is how machines without IPv4 reach the rest of the internet.
    """
    if isinstance(address, IPv4Address):
        return _is_public_v4(address)
    if address.scope_id is None and address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & _LAST_32_BITS))
    return (
        address.scope_id is None
        and address.is_global
        and address in _GLOBAL_UNICAST
        and not any(address in network for network in _REFUSED_V6)
    )


def _is_public_v4(address: IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED_V4)
    )
