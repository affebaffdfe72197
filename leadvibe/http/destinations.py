"""Addresses that members and clients enter for us to post to."""

from __future__ import annotations

from typing import cast

from flask import current_app
from pydantic_core import PydanticCustomError

from leadvibe.lib.outbound import AddressRefusedError, check_url


def may_be_private() -> bool:
    """Say whether this installation posts to private addresses."""
    return cast("bool", current_app.config["ALLOW_PRIVATE_WEBHOOKS"])


def postable_url(url: str) -> str:
    """Return a URL that may be posted to, or empty. Its name is looked up when it is used."""
    if url and (reason := find_refusal(url)):
        raise PydanticCustomError("bad_url", "cannot be used: {reason}", {"reason": reason})
    return url


def find_refusal(url: str) -> str | None:
    """Return why a URL may not be posted to, as the end of a sentence, or None when it may."""
    try:
        check_url(url, allow_private=may_be_private())
    except AddressRefusedError as error:
        return error.reason
    return None
