"""How a lead's id, which is any text that clients chose, is spelled as the segment of a path.

Most ids stand in the path as they are, percent-encoded. Browsers and proxies change some paths,
though: they resolve dots, join slashes and turn backslashes round. Such ids are spelled in base64
behind a tilde instead, so that every lead can be opened.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

SPELLED = "~"
_CHANGED_ON_THE_WAY = frozenset("/\\")
_DOTS = frozenset({".", ".."})


def path_segment(lead_id: str) -> str:
    """Return the segment that names the lead, percent-encoded."""
    return quote(_spell(lead_id), safe=SPELLED)


def read_lead_id(segment: str) -> str | None:
    """Return the id that a path's last segment, decoded, names; None when it can be no lead's."""
    lead_id = _unspell(segment[1:]) if segment.startswith(SPELLED) else segment
    # PostgreSQL stores no NUL, so it could not even be asked.
    return None if not lead_id or "\0" in lead_id else lead_id


def _spell(lead_id: str) -> str:
    if (
        lead_id.startswith(SPELLED)
        or lead_id in _DOTS
        or not _CHANGED_ON_THE_WAY.isdisjoint(lead_id)
    ):
        return SPELLED + urlsafe_b64encode(lead_id.encode()).decode().rstrip("=")
    return lead_id


def _unspell(encoded: str) -> str | None:
    try:
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
