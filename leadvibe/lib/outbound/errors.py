"""Why a request brought no answer; `reason` ends a sentence for the person who chose the URL."""

from __future__ import annotations

from leadvibe.lib.errors import InvalidError, UnavailableError


class AddressRefusedError(InvalidError):
    """We do not go there; trying again changes nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The URL cannot be used: {reason}.")
        self.reason = reason


class UnreachableError(UnavailableError):
    """Nobody answered; they may later."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The URL cannot be reached: {reason}.")
        self.reason = reason
