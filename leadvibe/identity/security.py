"""Keys and costs that identity is handed at the start of a process, and what follows from them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

SETUP_TOKEN_CHARACTERS = 32  # 128 bits, as hexadecimal digits


@dataclass(frozen=True, slots=True)
class Hashing:
    """Cost of one password hash; the default is what OWASP asks of argon2id."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """The installation's secret, how long its tokens live, and what a password hash costs."""

    secret_key: str = field(repr=False)
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    hashing: Hashing = Hashing()

    def key(self, purpose: str) -> bytes:
        """Derive a key for one purpose, so that no two uses ever share one."""
        return hmac.digest(self.secret_key.encode(), f"leadvibe:{purpose}".encode(), "sha256")

    @property
    def setup_token(self) -> str:
        """The token that guards the first run.

        Derived, not drawn: every web process agrees on it without storing anything, and it opens
        nothing once there is a member.
        """
        return self.key("first-run setup").hex()[:SETUP_TOKEN_CHARACTERS]


def fingerprint(token: str) -> bytes:
    """Return what is stored in place of a random token, which needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()
