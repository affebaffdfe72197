"""Links in personal mails that end them without signing in.

A link names who wants no more of what, in which unit, and is signed instead of stored. It never
expires, for mails are kept for years; it opens nothing, and can only make things quieter.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.queries import find_scope, get_member_of
from leadvibe.identity.types import Scope
from leadvibe.notifications.preferences import CHOICES, get_preferences, save_preferences
from leadvibe.notifications.types import Happening

PATH = "/app/unsubscribe/"
KEY_PURPOSE = "unsubscribe"
"""Of the key, as identity.security.Security derives it."""

_ID_BYTES = 16
_SIGNATURE_BYTES = 16
"""Of SHA-256: nobody guesses 128 bits, and shorter links survive more mail programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscription:
    """A member of a unit who wants to hear no more of something; None for of anything."""

    unit_id: UUID
    member_id: UUID
    happening: Happening | None = None


def unsubscribe_url(
    key: bytes,
    public_url: str,
    *,
    unit_id: UUID,
    member_id: UUID,
    happening: Happening | None = None,
) -> str:
    """Return the address that a personal mail gives, for people and for one-click POSTs alike."""
    named = unit_id.bytes + member_id.bytes + (happening.value if happening else "").encode()
    token = urlsafe_b64encode(_signature(key, named) + named).decode().rstrip("=")
    return f"{public_url}{PATH}{token}"


def read_token(key: bytes, token: str) -> Unsubscription | None:
    """Return what the end of a link says, or None when it was not signed with the key."""
    try:
        content = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    signature, named = content[:_SIGNATURE_BYTES], content[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(key, named)):
        return None
    return Unsubscription(
        unit_id=UUID(bytes=named[:_ID_BYTES]),
        member_id=UUID(bytes=named[_ID_BYTES : 2 * _ID_BYTES]),
        happening=_happening(named[2 * _ID_BYTES :].decode()),
    )


def find_unit_scope(asked: Unsubscription) -> Scope | None:
    """Return the unit that is meant; None when it or the member is not there any more."""
    scope = find_scope(asked.unit_id)
    if scope is None:
        return None
    try:
        get_member_of(scope.org_id, asked.member_id)
    except MemberNotFoundError:
        return None
    return scope


def unsubscribe(scope: Scope, asked: Unsubscription, *, now: datetime) -> None:
    """Mute what is named for the member in the unit, or everything; again changes nothing."""
    chosen = get_preferences(scope, asked.member_id)
    if asked.happening is None:
        chosen = replace(chosen, enabled=False)
    else:
        chosen = replace(chosen, muted=chosen.muted | {asked.happening})
    save_preferences(scope, asked.member_id, chosen, now=now)


def _signature(key: bytes, named: bytes) -> bytes:
    return hmac.digest(key, named, "sha256")[:_SIGNATURE_BYTES]


def _happening(text: str) -> Happening | None:
    """Return what is named, or None for everything: also for what there is no more."""
    known = {each.value: each for each in CHOICES}
    return known.get(text)
