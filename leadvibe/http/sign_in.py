"""Signing in over HTTP: the same for the page and for the JSON API."""

from __future__ import annotations

from flask import request

from leadvibe.http.auditing import name_actor
from leadvibe.http.principal import security
from leadvibe.identity import signing_in
from leadvibe.identity.types import Member
from leadvibe.lib.clock import utc_now


def sign_in(email: str, password: str) -> Member:
    """Return the member whose password this is; the audit names the address that was tried.

    Raises SignInRefusedError and ThrottledError.
    """
    name_actor(email)
    return signing_in.sign_in(
        email, password, ip=request.remote_addr, security=security(), now=utc_now()
    )
