"""Whom a request is from: a key in X-API-KEY, or in the address that a website's forms post to."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from leadvibe.identity.api_keys import KeyKind, authenticate_key
from leadvibe.identity.types import KeyBy, LimitMode, Principal, Rate, RequestLimit
from leadvibe.lib.clock import utc_now

HEADER = "X-API-KEY"
TOKEN = "token"  # noqa: S105 - the name of the part of a path that the audit leaves out

FORM_LIMIT = RequestLimit(LimitMode.ENFORCE, KeyBy.IP, Rate(2, 20))
"""Everybody can read a website's key, so each address may send this much and no more: whoever
floods us keeps none of the other visitors out."""


def find_principal() -> Principal | None:
    """Return whom the key speaks for. Raises UnauthenticatedError for a wrong one."""
    token = (request.view_args or {}).get(TOKEN)
    if token is not None:
        holder = authenticate_key(token, KeyKind.WORDPRESS, now=utc_now())
        return replace(holder.principal, own_limit=FORM_LIMIT)
    key = request.headers.get(HEADER)
    if key is None:
        return None
    return authenticate_key(key.strip(), KeyKind.OCTANIST, now=utc_now()).principal
