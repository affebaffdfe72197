"""Headers that protect every answer; a view may set its own value first."""

from __future__ import annotations

from flask import Flask, Response

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{kind} {source}" for kind, source in _SOURCES.items())
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would also keep the CSRF check from seeing our own origin under https.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    # Answers depend on who asks; what is the same for all (static files) says so itself.
    "Cache-Control": "private, no-cache",
}
STRICT_TRANSPORT_SECURITY = "max-age=31536000"


def register(app: Flask, *, is_https: bool) -> None:
    headers = dict(HEADERS)
    if is_https:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY

    @app.after_request
    def protect(response: Response) -> Response:
        # One pass, because looking for a missing header costs an exception, and this is on the
        # path of every event.
        present = {name.lower() for name, _ in response.headers}
        for name, value in headers.items():
            if name.lower() not in present:
                response.headers.add(name, value)
        return response
