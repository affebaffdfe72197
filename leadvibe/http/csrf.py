"""A write that a browser's cookie vouches for must also carry a token that only our pages know.

Holds on pages and the JSON API alike. Tokens and credentials in a header need none: no other site
can make a browser send them.
"""

from __future__ import annotations

from flask import Flask, request

from leadvibe.http import principal as asking
from leadvibe.http import surfaces
from leadvibe.identity.types import Via

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def register(app: Flask) -> None:
    app.before_request(_check)


def _check() -> None:
    if request.method in SAFE_METHODS or request.routing_exception is not None:
        return
    if "Authorization" in request.headers:
        return  # the cookie is not what vouches, and who does may never be asked
    if surfaces.find(request.path) is not None:
        return  # no cookie counts there
    principal = asking.find()
    browser = asking.browser_session()
    if browser is not None and principal is not None and principal.via is Via.SESSION:
        browser.check_csrf()
