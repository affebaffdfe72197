"""Addresses that pages lead to, and where a browser may be sent: never to another site."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

HOME = "/app/home"
LOGIN = "/app/login"
SETUP = "/app/setup"
ACCOUNT = "/app/account/password"
IMPORTS = "/app/imports"
CREDENTIALS = "/app/credentials"
MEMBERS = "/app/members"
INTEGRATIONS = "/app/settings/integrations"
NOTIFICATIONS = "/app/settings/notifications"
SETTINGS = "/app/settings"
TOKENS = "/app/account/tokens"
SAMPLE = "/app/sample"


def local_path(target: str | None, *, otherwise: str = HOME) -> str:
    r"""Return the path to go on to, or `otherwise` when it could lead to another site.

    Browsers read "//host", "/\host" and paths with tabs or line breaks as other sites.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    if "\\" in target or not target.isprintable():
        return otherwise
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else otherwise


def login_path(after: str) -> str:
    """Return the sign-in page that leads back to where somebody wanted to go."""
    return f"{LOGIN}?{urlencode({'next': after})}"
