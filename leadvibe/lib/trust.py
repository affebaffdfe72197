"""Which certificates are believed: those that this machine trusts, read once a process.

Reading them takes some twenty milliseconds, more than sending most messages does.
"""

from __future__ import annotations

import ssl
from functools import cache


@cache
def trusted() -> ssl.SSLContext:
    """Return the context for connections to others; nobody may change it."""
    return ssl.create_default_context()
