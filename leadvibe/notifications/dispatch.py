"""Sends what is due: one thread claims and settles, others wait for the world to answer.

Only the first talks to the database. A destination that is slow holds up a few threads and nobody
else, since no more than a few deliveries are on their way to it at once.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, is_outage, rollback
from leadvibe.notifications import deliveries, outcomes
from leadvibe.notifications.deliveries import Claim
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.outcomes import MOST_TRIES, Attempt
from leadvibe.notifications.types import AttemptOutcome, Receipt, Transport

THREADS = 16
LOOK_SECONDS = 0.2
"""How long answers are waited for before a look at what has become due meanwhile."""

GATHER_SECONDS = 0.01
"""After the first answer: those that come with it are settled in one transaction."""

Outcome = Receipt | TransportError
Documents = Mapping[UUID, Sequence[Mapping[str, Any]]]
Sending = Callable[[], Sequence[Outcome]]

_log = logging.getLogger(__name__)


class Sender(Protocol):
    """One way to send, in two steps: only the first may use the database."""

    def prepare(self, claims: Sequence[Claim], folded: Documents) -> Sending:
        """Return what sends claims of one destination. Raises TransportError for all of them."""

    def note_outcome(self, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
        """Draw conclusions beyond the delivery itself, such as that a token was revoked."""


class _Sent(NamedTuple):
    started_at: datetime
    seconds: float
    outcomes: Sequence[Outcome]


class Dispatcher:
    """Sends deliveries of all units until nothing is due."""

    def __init__(
        self,
        senders: Mapping[Transport, Sender],
        *,
        on_delivered: Callable[[Sequence[Claim], datetime], None] = lambda _claims, _now: None,
    ) -> None:
        self._senders = senders
        self._on_delivered = on_delivered
        self._under_way: dict[Future[_Sent], list[Claim]] = {}

    def run(self, *, is_stopping: Callable[[], bool]) -> int:
        """Send what is due and what becomes due meanwhile; returns how many attempts there were."""
        attempts = 0
        with ThreadPoolExecutor(THREADS, thread_name_prefix="delivery") as pool:
            while True:
                begun = 0 if is_stopping() else self._begin(pool)
                if not self._under_way:
                    if not begun:
                        return attempts
                    continue
                if wait(self._under_way, LOOK_SECONDS, return_when=FIRST_COMPLETED).done:
                    time.sleep(GATHER_SECONDS)
                done = [future for future in self._under_way if future.done()]
                attempts += self._settle(it for future in done for it in self._ended(future))
                commit()

    def _begin(self, pool: ThreadPoolExecutor) -> int:
        """Claim what is due, as far as threads are free, and send it; returns how many.

        A thread carries a whole batch, so what is under way is counted in groups.
        """
        free = THREADS - len(self._under_way)
        if free <= 0:
            return 0
        busy = Counter(it.destination_id for some in self._under_way.values() for it in some)
        now = utc_now()
        claims = deliveries.claim_due(now=now, at_most=free, under_way=busy)
        commit()  # before anything is sent: who dies now is found by the lease
        folded = deliveries.list_folded(claims)
        self._give_up([it for it in claims if it.tries > MOST_TRIES], now)
        for some in _groups([it for it in claims if it.tries <= MOST_TRIES]):
            self._send(pool, some, folded)
        commit()
        return len(claims)

    def _give_up(self, claims: Sequence[Claim], now: datetime) -> None:
        """End what was claimed time and again by workers that did not live to say how it went."""
        error = TransportError(
            "no worker outlived it",
            reason="the worker that sent it died each time",
            is_temporary=False,
        )
        outcomes.settle([Attempt(claim, now, 0.0, error) for claim in claims], now=now)
        commit()

    def _send(self, pool: ThreadPoolExecutor, claims: list[Claim], folded: Documents) -> None:
        sender = self._senders[claims[0].transport]
        try:
            sending = sender.prepare(claims, folded)
        except TransportError as error:
            sending = _failing(error)
        except Exception as error:
            if is_outage(error):
                raise
            rollback()  # what failed may have been a statement, and the others need the session
            sending = _failing(_unforeseen(error))
        self._under_way[pool.submit(_carry_out, sending, len(claims))] = claims

    def _ended(self, future: Future[_Sent]) -> Iterator[Attempt]:
        sent = future.result()
        for claim, outcome in zip(self._under_way.pop(future), sent.outcomes, strict=True):
            yield Attempt(claim, sent.started_at, sent.seconds, outcome)

    def _settle(self, ended: Iterable[Attempt]) -> int:
        attempts, now = list(ended), utc_now()
        outcomes.settle(attempts, now=now)
        for attempt in attempts:
            self._senders[attempt.claim.transport].note_outcome(
                attempt.claim, attempt.outcome, now=now
            )
        delivered = [it.claim for it in attempts if it.result is AttemptOutcome.DELIVERED]
        if delivered:
            self._on_delivered(delivered, now)
        return len(attempts)


def _failing(error: TransportError) -> Sending:
    def fail() -> Sequence[Outcome]:
        raise error

    return fail


def _groups(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Put together what a transport sends at once: all for one destination, or one by one."""
    groups = []
    ordered = sorted(claims, key=lambda it: (it.transport, it.unit_id, it.destination_id))
    for (transport, *_), some in groupby(
        ordered, key=lambda it: (it.transport, it.unit_id, it.destination_id)
    ):
        together = list(some)
        size = deliveries.BATCHES.get(transport, 1)
        groups += [together[at : at + size] for at in range(0, len(together), size)]
    return groups


def _carry_out(sending: Sending, count: int) -> _Sent:
    started_at, started = utc_now(), time.monotonic()
    try:
        outcomes = sending()
    except TransportError as error:
        outcomes = [error] * count
    except Exception as error:  # noqa: BLE001 - the edge of a delivery, which is tried again
        outcomes = [_unforeseen(error)] * count
    return _Sent(started_at, time.monotonic() - started, outcomes)


def _unforeseen(error: Exception) -> TransportError:
    _log.error("a delivery failed in a way that nobody foresaw", exc_info=error)
    return TransportError(str(error), reason="something went wrong in Leadvibe", is_temporary=True)
