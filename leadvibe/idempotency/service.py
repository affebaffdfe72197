"""Doing once what is asked for twice, by the key that both requests carry.

The answer is stored by the transaction that does what was asked: both are there or neither, also
when the process dies in between. What failed did nothing, and is not remembered.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, tuple_

from leadvibe.idempotency.errors import KeyInUseError, KeyReusedError
from leadvibe.idempotency.models import IdempotencyKeyRow
from leadvibe.idempotency.types import Answer, KeyedRequest
from leadvibe.lib.db import session

KEEP = timedelta(hours=24)
ROWS_AT_ONCE = 1_000
"""Forgotten in one transaction."""


def begin(asked: KeyedRequest, *, now: datetime) -> Answer | None:
    """Return how the request was answered the first time, or None: then this is the first time.

    The key is taken until the transaction ends. Raises KeyInUseError while another request has
    taken it, and KeyReusedError when it came with a request that was another.
    """
    if not session().scalar(select(func.pg_try_advisory_xact_lock(_lock_key(asked)))):
        raise KeyInUseError(
            "The first request with this Idempotency-Key is still being worked on:"
            " send it again in a moment."
        )
    row = session().execute(_answers(asked)).one_or_none()
    if row is None:
        return None
    fingerprint, *answer, created_at = row
    if created_at <= now - KEEP:
        session().execute(delete(IdempotencyKeyRow).where(*_is(asked)))
        return None
    if fingerprint != asked.fingerprint:
        raise KeyReusedError(
            "This Idempotency-Key came with another request before: make a new key for this one."
        )
    status, headers, body = answer
    return Answer(status=status, headers=headers, body=body, created_at=created_at)


def remember(asked: KeyedRequest, answer: Answer) -> None:
    """Keep the answer to a request whose key was taken in this transaction."""
    session().execute(
        insert(IdempotencyKeyRow).values(
            caller_id=asked.caller_id,
            key=asked.key,
            org_id=asked.org_id,
            fingerprint=asked.fingerprint,
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            created_at=answer.created_at,
        )
    )


def forget_expired(*, now: datetime) -> bool:
    """Delete some of the answers that are kept no longer; return whether there may be more."""
    names = (IdempotencyKeyRow.caller_id, IdempotencyKeyRow.key)
    expired = (
        select(*names)
        .where(IdempotencyKeyRow.created_at <= now - KEEP)
        .order_by(IdempotencyKeyRow.created_at)
        .limit(ROWS_AT_ONCE)
    )
    gone = session().scalars(
        delete(IdempotencyKeyRow).where(tuple_(*names).in_(expired)).returning(names[1])
    )
    return len(gone.all()) == ROWS_AT_ONCE


def _answers(asked: KeyedRequest) -> Select[Any]:
    row = IdempotencyKeyRow
    return select(row.fingerprint, row.status, row.headers, row.body, row.created_at).where(
        *_is(asked)
    )


def _is(asked: KeyedRequest) -> tuple[ColumnElement[bool], ...]:
    return (IdempotencyKeyRow.caller_id == asked.caller_id, IdempotencyKeyRow.key == asked.key)


def _lock_key(asked: KeyedRequest) -> int:
    named = asked.caller_id.bytes + asked.key.encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), signed=True)
