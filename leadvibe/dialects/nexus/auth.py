"""Who is asking: a key as `Authorization: Bearer sk_...`, and what its scopes allow."""

from __future__ import annotations

from typing import cast

from flask import g, request

from leadvibe.http import principal as asking
from leadvibe.identity.api_keys import KeyKind, authenticate_key
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ForbiddenError, UnauthenticatedError

_SCHEME = "bearer "


def find_principal() -> Principal | None:
    """Return whose key the request brings, or None without one.

    Raises ApiKeyRefusedError for one that is wrong, and UnitArchivedError.
    """
    header = request.headers.get("Authorization", "")
    if not header.strip():
        return None
    key = header[len(_SCHEME) :].strip() if header.lower().startswith(_SCHEME) else ""
    holder = authenticate_key(key, KeyKind.NEXUS, now=utc_now())
    g.nexus_scopes = holder.scopes
    return holder.principal


def require(scope: str) -> Principal:
    """Return who is asking if their key has the scope.

    Raises UnauthenticatedError, ApiKeyRefusedError, UnitArchivedError and ForbiddenError.
    """
    principal = asking.find()
    if principal is None:
        raise UnauthenticatedError("An API key is missing: send Authorization: Bearer sk_...")
    if scope not in cast("frozenset[str]", g.nexus_scopes):
        raise ForbiddenError(f"This key has no scope {scope}: create one that has.")
    return principal
