"""Secrets that must be read back, encrypted at rest: tokens of other services, signing keys.

The first key seals, all of them open, so keys are changed by putting a new one in front.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBrokenError(Exception):
    """None of the installation's keys opens a sealed secret: it has to be entered anew."""


class Sealer:
    """Seals text and opens it again."""

    def __init__(self, keys: Sequence[str], *, last_resort: bytes) -> None:
        """Take keys of 32 bytes in URL-safe base64, and 32 bytes for when there are none.

        The last resort opens what was sealed before keys were given.
        """
        all_keys = [*keys, base64.urlsafe_b64encode(last_resort).decode()]
        self._fernet = MultiFernet([Fernet(key) for key in all_keys])

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed. Raises SealBrokenError."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBrokenError("no key of ENCRYPTION_KEYS opens a stored secret") from None
