"""The one guarded way out, to addresses that members choose and nobody has vouched for.

A request goes to public addresses alone, to exactly the address that was checked, ends within
its time, follows no redirect, and reads only so much of the answer. It is made once: whether to
try again is for the caller to say.
"""

from __future__ import annotations

from leadvibe.lib.outbound.client import MOST_BYTES, TIMEOUT_SECONDS, Answer, Outbound
from leadvibe.lib.outbound.errors import AddressRefusedError, UnreachableError
from leadvibe.lib.outbound.places import check_url

__all__ = [
    "MOST_BYTES",
    "TIMEOUT_SECONDS",
    "AddressRefusedError",
    "Answer",
    "Outbound",
    "UnreachableError",
    "check_url",
]
