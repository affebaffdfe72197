"""Credentials that a process need not ask the database for again.

Remembers only while somebody reports every change (`resume`, `forget`, `suspend`), and each for
seconds. Does not listen for changes, nor decide whether a secret is right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from leadvibe.identity.types import Principal

CHANGED = "credentials_changed"
"""The channel on which the database tells of changes. See migration 0002."""

MOST_CREDENTIALS = 10_000
GOOD_FOR_SECONDS = 5.0
"""The longest that a change can go unnoticed, when the connection that tells of it is dead but
does not know yet, or ends at a pooler that keeps notices to itself."""


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """What the database knows: whom a credential speaks for, and the trace of its secret."""

    secret_sha256: bytes = field(repr=False)
    principal: Principal
    archived_unit: str = ""
    """The name of its unit, when that is archived."""


@dataclass(frozen=True, slots=True)
class _Entry:
    credential: StoredCredential
    good_until: float


class RememberedCredentials:
    """What was read of credentials since the last change of any; safe to use from many threads.

    Begins suspended: every look-up then reads.
    """

    def __init__(
        self,
        *,
        most: int = MOST_CREDENTIALS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._clock = clock
        # One page for each change, None while changes go unheard. A look-up writes to the page
        # that was open before it read; if there was a change since, nobody reads that page.
        self._page: dict[str, _Entry] | None = None
        self._writing = Lock()

    def recall(
        self, client_id: str, read: Callable[[str], StoredCredential | None]
    ) -> StoredCredential | None:
        """Return what is remembered of the id, else what `read` finds, and remember that.

        That there is none is never remembered: a new credential works at once.
        """
        page = self._page
        if page is None:
            return read(client_id)
        now = self._clock()
        entry = page.get(client_id)
        if entry is not None and now < entry.good_until:
            return entry.credential
        found = read(client_id)
        if found is not None:
            self._write(page, client_id, _Entry(found, now + GOOD_FOR_SECONDS))
        return found

    def resume(self) -> None:
        """Remember what is read from now on: every change will be reported."""
        self._page = {}

    def forget(self) -> None:
        """Take note that some credential has changed."""
        if self._page is not None:
            self._page = {}

    def suspend(self) -> None:
        """Remember nothing: changes may go unheard."""
        self._page = None

    def _write(self, page: dict[str, _Entry], client_id: str, entry: _Entry) -> None:
        with self._writing:
            page.pop(client_id, None)  # so that the page stays in the order of reading
            if len(page) >= self._most:
                del page[next(iter(page))]
            page[client_id] = entry
