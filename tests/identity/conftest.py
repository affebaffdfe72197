"""What passwords cost: noted where argon2 does the work, since no clock can tell reliably."""

from __future__ import annotations

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters

Work = list[tuple[str, Parameters]]


@pytest.fixture
def work(monkeypatch) -> Work:
    """Return what argon2 is asked to do from now on, each with all that decides its cost."""
    work: Work = []
    make, verify = PasswordHasher.hash, PasswordHasher.verify

    def noted_make(hasher: PasswordHasher, password: str) -> str:
        made = make(hasher, password)
        work.append(("hash", extract_parameters(made)))
        return made

    def noted_verify(hasher: PasswordHasher, stored: str, password: str) -> bool:
        work.append(("verify", extract_parameters(stored)))
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "hash", noted_make)
    monkeypatch.setattr(PasswordHasher, "verify", noted_verify)
    return work
