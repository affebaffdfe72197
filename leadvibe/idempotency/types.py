"""A request that carries a key, and how it was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """Who sent which key with what; the fingerprint tells one request from another."""

    org_id: UUID
    caller_id: UUID
    """The member or the API credential: each has keys of its own."""
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    """None when it may not be kept, because it held a secret."""
    created_at: datetime
