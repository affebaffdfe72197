"""Addresses that members and clients enter for us to post to."""

from __future__ import annotations

from flask import current_app
from pydantic_core import PydanticCustomError

from leadvibe.lib.outbound import AddressRefusedError, check_url


def postable_url(url: str) -> str:
    """Return a URL that may be posted to, or empty. Its name is looked up when it is used."""
    if url:
        try:
            check_url(url, allow_private=current_app.config["ALLOW_PRIVATE_WEBHOOKS"])
        except AddressRefusedError as error:
            raise PydanticCustomError(
                "bad_url", "cannot be used: {reason}", {"reason": error.reason}
            ) from None
    return url
