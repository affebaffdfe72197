"""How attempts went: noted, and what follows for deliveries and for their destinations.

What failed for a while is tried again after ever longer pauses. A destination where nothing gets
through is left alone meanwhile, and then asked with one delivery at a time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from leadvibe.lib.db import driver
from leadvibe.notifications.deliveries import FAILURES_TO_PAUSE, Claim
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.types import AttemptOutcome, DeliveryState, Receipt, Transport

RETRY_AFTER = (
    timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30),
)  # fmt: skip
"""Between tries, while another may help."""

MOST_TRIES = len(RETRY_AFTER) + 1

JITTER = 0.2
"""Of each pause, either way: what failed together must not come back together."""

LONGEST_WAIT = timedelta(days=3)
"""After which news is none any more."""

LONGEST_RETRY_AFTER = timedelta(hours=1)
"""Of what a receiver may ask for."""

FIRST_PAUSE = timedelta(minutes=1)

LONGEST_PAUSE = timedelta(minutes=30)

KEPT_CHARACTERS = 20_000
"""Of a request or a response."""


class Attempt(NamedTuple):
    """How an attempt went; `outcome` is a receipt or what went wrong."""

    claim: Claim
    started_at: datetime
    seconds: float
    outcome: Receipt | TransportError

    @property
    def result(self) -> AttemptOutcome:
        if not isinstance(self.outcome, TransportError):
            return AttemptOutcome.DELIVERED
        is_temporary = self.outcome.is_temporary
        return AttemptOutcome.TEMPORARY if is_temporary else AttemptOutcome.PERMANENT

    @property
    def problem(self) -> str | None:
        return self.outcome.reason if isinstance(self.outcome, TransportError) else None


def settle(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Note how attempts went, what follows for the deliveries, and for their destinations.

    In as many statements for many as for one.
    """
    if not attempts:
        return
    _note_attempts(attempts)
    _end(attempts, now=now)
    _count(Counter((it.claim.transport, it.result) for it in attempts))
    by_destination: dict[tuple[UUID, UUID], list[Attempt]] = {}
    for attempt in attempts:
        key = (attempt.claim.unit_id, attempt.claim.destination_id)
        by_destination.setdefault(key, []).append(attempt)
    for key in sorted(by_destination):
        _judge(by_destination[key], now=now)


def _note_attempts(attempts: Sequence[Attempt]) -> None:
    statement = """
        INSERT INTO delivery_attempts
            (unit_id, delivery_id, attempt, started_at, milliseconds, outcome, status, problem,
             request, response)
        SELECT * FROM unnest(
            %s::uuid[], %s::uuid[], %s::int[], %s::timestamptz[], %s::int[], %s::text[],
            %s::int[], %s::text[], %s::text[], %s::text[]
        )
        ON CONFLICT (unit_id, delivery_id, attempt) DO NOTHING
    """
    rows = [
        (
            it.claim.unit_id, it.claim.delivery_id, it.claim.attempt, it.started_at,
            round(it.seconds * 1000), it.result.value, it.outcome.status, it.problem,
            _storable(it.outcome.request), _storable(it.outcome.response),
        )
        for it in attempts
    ]  # fmt: skip
    driver().execute(statement, [list(column) for column in zip(*rows, strict=True)])


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")[:KEPT_CHARACTERS]


def _end(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """End deliveries or put them off, but for those that another worker has by now."""
    statement = """
        UPDATE deliveries d SET
            state = it.state, problem = it.problem, due_at = it.due_at,
            finished_at = CASE WHEN it.state <> 'waiting' THEN %s END
        FROM unnest(
            %s::uuid[], %s::uuid[], %s::int[], %s::text[], %s::text[], %s::timestamptz[]
        ) AS it (unit_id, delivery_id, attempt, state, problem, due_at)
        WHERE d.unit_id = it.unit_id AND d.delivery_id = it.delivery_id
          AND d.attempts = it.attempt AND d.state = 'waiting'
    """
    rows = [
        (it.claim.unit_id, it.claim.delivery_id, it.claim.attempt, *_follows(it, now=now))
        for it in attempts
    ]
    driver().execute(statement, [now, *(list(column) for column in zip(*rows, strict=True))])


def _follows(attempt: Attempt, *, now: datetime) -> tuple[str, str | None, datetime]:
    """Return the state of a delivery after an attempt, its problem, and when it is due."""
    claim, outcome = attempt.claim, attempt.outcome
    if not isinstance(outcome, TransportError):
        return DeliveryState.DELIVERED.value, None, now
    may_help = outcome.is_temporary and claim.tries < MOST_TRIES
    if may_help and now < claim.created_at + LONGEST_WAIT:
        due_at = now + max(_pause(claim.tries), _asked_pause(outcome))
        return DeliveryState.WAITING.value, outcome.reason, due_at
    return DeliveryState.FAILED.value, outcome.reason, now


def _pause(tries: int) -> timedelta:
    spread = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311 - nobody gains by guessing it
    return RETRY_AFTER[tries - 1] * spread


def _asked_pause(error: TransportError) -> timedelta:
    asked = timedelta(seconds=max(error.retry_after_seconds or 0.0, 0.0))
    return min(asked, LONGEST_RETRY_AFTER)


def _judge(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Draw conclusions about a destination; one that got through has no problem any more."""
    claim = attempts[0].claim
    if any(it.result is AttemptOutcome.DELIVERED for it in attempts):
        driver().execute(
            """
            UPDATE destinations SET failures = 0, paused_until = NULL, problem = NULL,
                last_delivered_at = %s
            WHERE unit_id = %s AND destination_id = %s
            """,
            (now, claim.unit_id, claim.destination_id),
        )
        return
    for attempt in attempts:
        if isinstance(attempt.outcome, TransportError) and attempt.outcome.is_temporary:
            _note_failure(claim, attempt.outcome, now=now)


def _note_failure(claim: Claim, error: TransportError, *, now: datetime) -> None:
    """Leave a destination alone that asks for it, or that fails time and again.

    What was under way when it was paused says nothing new.
    """
    driver().execute(
        """
        UPDATE destinations SET
            failures = failures + 1, problem = %(problem)s,
            paused_until = CASE
                WHEN %(asked)s > interval '0' THEN %(now)s + %(asked)s
                WHEN failures + 1 >= %(broken)s THEN %(now)s + least(
                    %(longest)s, %(first)s * power(2, least(failures + 1 - %(broken)s, 10))
                )
            END
        WHERE unit_id = %(unit)s AND destination_id = %(destination)s
          AND (paused_until IS NULL OR paused_until <= %(now)s)
        """,
        {
            "problem": error.reason,
            "asked": _asked_pause(error),
            "now": now,
            "broken": FAILURES_TO_PAUSE,
            "longest": LONGEST_PAUSE,
            "first": FIRST_PAUSE,
            "unit": claim.unit_id,
            "destination": claim.destination_id,
        },
    )


def _count(counts: Mapping[tuple[Transport, AttemptOutcome], int]) -> None:
    statement = """
        INSERT INTO delivery_counts (transport, outcome, deliveries)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
        ON CONFLICT (transport, outcome) DO UPDATE SET
            deliveries = delivery_counts.deliveries + excluded.deliveries
    """
    rows = sorted((transport.value, outcome.value, n) for (transport, outcome), n in counts.items())
    driver().execute(statement, [list(column) for column in zip(*rows, strict=True)])
