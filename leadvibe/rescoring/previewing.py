"""Going over all leads to see what a configuration would make of them, and changing none.

Exact, not estimated: every event is replayed under the configuration. Events that filters put aside
before anybody knew whose they were are looked at first, in a transaction that is rolled back, for
they may make leads or belong to some by now.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, rollback
from leadvibe.pipeline import returning
from leadvibe.pipeline.rescore import LEADS_AT_ONCE
from leadvibe.rescoring import queries, service
from leadvibe.rescoring.comparing import AttributeComparer, EngagementComparer, Look
from leadvibe.rescoring.findings import Comparison
from leadvibe.rescoring.types import Preview, PreviewKind
from leadvibe.rescoring.walking import work_on

log = logging.getLogger(__name__)

FEW_EVENTS = 20_000
"""A second's replay: so few that whoever asks need not wait for a worker."""

LOOK_SECONDS = 0.1


def advance_preview(
    scope: Scope, preview_id: UUID, *, is_stopping: Callable[[], bool] = lambda: False
) -> None:
    """Go on with a preview where it stands, to its end or until `is_stopping`.

    Commits some leads at a time, each with the findings so far, so that a killed worker repeats
    little and counts nothing twice.
    """

    def go_on(preview: Preview) -> None:
        _Walk(scope, preview, is_stopping).go()

    work_on(scope, preview_id, find=queries.find_preview, go_on=go_on)


def await_preview(scope: Scope, preview_id: UUID, *, seconds: float) -> Preview:
    """Return a preview that was just asked for: finished if it can be within some seconds.

    Commits, so that a worker sees it. Where there is little history it is gone over right here.
    """
    commit()
    if sum(it.event_count for it in event_queries.list_event_types(scope)) <= FEW_EVENTS:
        advance_preview(scope, preview_id)
    give_up_at = time.monotonic() + seconds
    while not (preview := queries.get_preview(scope, preview_id)).is_complete:
        rollback()
        if time.monotonic() >= give_up_at:
            break
        time.sleep(LOOK_SECONDS)
    return preview


class _Stretch(NamedTuple):
    """The next leads or accounts, compared."""

    last: str
    size: int
    compared: list[Comparison]


class _Walk:
    """A preview that is worked on."""

    def __init__(self, scope: Scope, preview: Preview, is_stopping: Callable[[], bool]) -> None:
        self._scope = scope
        self._preview = preview
        self._is_stopping = is_stopping
        self._findings = preview.findings
        self._after = preview.after_lead
        self._done = preview.leads_done
        is_engagement = preview.kind is PreviewKind.ENGAGEMENT
        self._comparer = (EngagementComparer if is_engagement else AttributeComparer)(
            scope, preview
        )

    def go(self) -> None:
        """Look at all leads that are left."""
        comparer, is_wanted = self._comparer, True
        if isinstance(comparer, EngagementComparer) and self._findings.events_returning is None:
            is_wanted = self._look_at_returning(comparer)
        while is_wanted:
            if self._is_stopping():
                service.leave(self._preview)
                commit()
                return
            started = time.monotonic()
            stretch = self._look_at_some()
            if stretch is None:
                service.finish(self._preview, leads=self._done, now=utc_now())
                commit()
                return
            self._after = stretch.last
            self._done += stretch.size
            affected = [it for it in stretch.compared if it.is_affected]
            is_wanted = self._record(affected, started)

    def _look_at_some(self) -> _Stretch | None:
        """Compare the next ones; None when none are left."""
        if self._preview.kind is PreviewKind.ACCOUNT:
            ids = accounts.list_ids(self._scope, after=self._after, limit=LEADS_AT_ONCE)
            heads = []
        else:
            heads = queries.list_heads(
                self._scope,
                after=self._after,
                limit=LEADS_AT_ONCE,
                preview_id=self._preview.walk_id,
            )
            ids = [head.lead_id for head in heads]
        if not ids:
            return None
        if isinstance(self._comparer, EngagementComparer):
            compared = self._comparer.compare(heads, self._findings)
        else:
            compared = self._comparer.compare(ids, self._findings)
        return _Stretch(ids[-1], len(ids), compared)

    def _look_at_returning(self, comparer: EngagementComparer) -> bool:
        """Look at the leads of events that would come back; False when nobody wants to know.

        All of them are kept, for the walk to pass over, also those that stay as they are.
        """
        started = time.monotonic()
        leads.lock_identities(self._scope)
        came = returning.let_in(self._scope, self._preview.config, now=utc_now())
        looks = list(self._look_by_and_by(comparer, sorted(came.lead_ids)))
        rollback()
        known = lead_queries.find_existing(self._scope, came.lead_ids)
        compared = comparer.count(looks, self._findings, new=came.lead_ids - known)
        folded = queries.load_heads(self._scope, sorted(came.folded))
        compared += (comparer.leave_as_is(head) for head in folded.values())
        self._findings.events_returning = came.events
        self._findings.folded_leads = len(folded)
        self._done = len(known)
        return self._record(compared, started)

    def _look_by_and_by(
        self, comparer: EngagementComparer, lead_ids: Sequence[str]
    ) -> Iterator[Look]:
        for start in range(0, len(lead_ids), LEADS_AT_ONCE):
            heads = queries.load_heads(self._scope, lead_ids[start : start + LEADS_AT_ONCE])
            yield from comparer.look_at(list(heads.values()))

    def _record(self, compared: list[Comparison], started: float) -> bool:
        """Keep what was found and commit; False when the preview was cancelled meanwhile."""
        self._findings.seconds += time.monotonic() - started
        is_wanted = service.record_looked_at(
            self._preview,
            compared,
            findings=self._findings,
            after_lead=self._after,
            leads_done=self._done,
            now=utc_now(),
        )
        if is_wanted:
            commit()
        else:
            rollback()
            log.info("preview %s was cancelled", self._preview.walk_id)
        return is_wanted
