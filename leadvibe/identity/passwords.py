"""Passwords: what is accepted as one, how it is hashed and how it is checked."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from leadvibe.identity.errors import WeakPasswordError
from leadvibe.identity.security import Hashing

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256  # far above any passphrase; keeps a request from buying hashing time


def require_strong(password: str, *, email: str, field: str = "password") -> None:
    """Raise WeakPasswordError, naming the field and the remedy, unless the password will do."""
    problem = _weakness(password, email)
    if problem:
        raise WeakPasswordError(problem, fields={field: problem})


def hash_password(password: str, hashing: Hashing) -> str:
    """Return the argon2id hash to store."""
    return _hasher(hashing).hash(_normalized(password))


def is_password(password: str, stored: str | None, hashing: Hashing) -> bool:
    """Say whether the password is the stored one.

    Without a stored hash a decoy is checked, so that an unknown address takes as long to refuse.
    """
    try:
        _hasher(hashing).verify(stored or _decoy(hashing), _normalized(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str, hashing: Hashing) -> bool:
    """Say whether a hash was made at another cost than today's."""
    return _hasher(hashing).check_needs_rehash(stored)


def _weakness(password: str, email: str) -> str | None:
    if len(password) < SHORTEST_PASSWORD:
        return f"Use at least {SHORTEST_PASSWORD} characters: a few words are easy to remember."
    if len(password) > LONGEST_PASSWORD:
        return f"Use at most {LONGEST_PASSWORD} characters."
    if password.strip().casefold() == email.casefold():
        return "The password must not be the e-mail address: choose another."
    if len(set(password)) == 1:
        return "The password must not repeat a single character: choose another."
    return None


def _normalized(password: str) -> str:
    # The same accented letter arrives in two forms from different keyboards.
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher(hashing: Hashing) -> PasswordHasher:
    return PasswordHasher(
        time_cost=hashing.passes, memory_cost=hashing.memory_kib, parallelism=hashing.lanes
    )


@cache
def _decoy(hashing: Hashing) -> str:
    return _hasher(hashing).hash(secrets.token_hex())
