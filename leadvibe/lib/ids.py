"""Identifiers: UUIDv7, so that rows made together lie together in an index."""

from __future__ import annotations

import secrets
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Return a fresh UUIDv7; ids of one process ascend."""
    return uuid_utils.compat.uuid7()


def new_lead_id() -> str:
    """Return an id for a lead that nobody named: lead ids are text that clients may also choose."""
    return f"ld_{new_id().hex}"


def parse_id(text: str) -> UUID | None:
    """Return the UUID that a client wrote, or None when it is not one (so: not found)."""
    try:
        return UUID(text)
    except ValueError:
        return None


def new_secret(byte_count: int = 32) -> str:
    """Return a URL-safe random secret."""
    return secrets.token_urlsafe(byte_count)
