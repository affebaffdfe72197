"""Scoring all leads of a unit anew under the current configuration.

Some leads at a time, each stretch a transaction of its own that moves the checkpoint, so a worker
that dies loses nothing and the next one goes on. The configuration may change meanwhile: then it
begins again, for a rescore means that all of history counts as under the rules of today. The
pipeline's lock is held for each stretch; between two the inbox has its turn right here, because a
pipeline that looks only now and then would hardly find the lock free.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from leadvibe.events import unclaimed
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, rollback
from leadvibe.pipeline import process, rescore, returning
from leadvibe.pipeline.rescore import LEADS_AT_ONCE
from leadvibe.rescoring import queries, service
from leadvibe.rescoring.types import Rescore
from leadvibe.rescoring.walking import work_on
from leadvibe.scoring import profiles
from leadvibe.scoring import queries as score_queries

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1


def advance_rescore(
    scope: Scope,
    rescore_id: UUID,
    *,
    ring: Callable[[], None],
    is_stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[Rescore], None] = lambda _: None,
) -> None:
    """Go on with a rescore where it stands, to its end or until `is_stopping`.

    `ring` tells the pipeline of events that come in again; `progress` is told how far it is.
    """

    def go_on(begun: Rescore) -> None:
        walk = _Walk(scope, begun, ring)
        while not is_stopping():
            if not walk.go_a_step():
                return
            progress(walk.rescore)
        service.leave(walk.rescore)
        commit()

    work_on(scope, rescore_id, find=queries.find_rescore, go_on=go_on)


class _Walk:
    """A rescore that is worked on.

    First all leads; then the events that filters had put aside without a lead come in again, and
    when they are processed the leads that they have made follow.
    """

    def __init__(self, scope: Scope, begun: Rescore, ring: Callable[[], None]) -> None:
        self.rescore = begun
        self._scope = scope
        self._ring = ring
        self._after_receipt = 0

    def go_a_step(self) -> bool:
        """Do what is next and commit; False when the rescore is finished."""
        claimed = process.process_batch(self._scope).claimed
        leads.lock_identities(self._scope)
        # Compared before each step, the last one too: what changes in the middle of a stretch is
        # found by the next.
        version = score_queries.current_version(self._scope)
        if version != self.rescore.version:
            self._begin_again(version)
        elif not (self._rewrite_some() or self._return_some()):
            if not self._is_any_waiting():
                return self._rewrite_missed()
            rollback()
            if not claimed:
                time.sleep(LOOK_SECONDS)  # another worker has the batch
        return True

    def _begin_again(self, version: int) -> None:
        service.restart(self.rescore, version=version, now=utc_now())
        commit()
        log.info("rescore %s begins again: version %d rules", self.rescore.walk_id, version)
        self.rescore = queries.get_rescore(self._scope, self.rescore.walk_id)
        self._after_receipt = 0

    def _rewrite_some(self) -> bool:
        """Score the next leads anew; False when there are none left."""
        after = self.rescore.after_lead
        heads = queries.list_heads(self._scope, after=after, limit=LEADS_AT_ONCE)
        if not heads:
            return False
        now = utc_now()
        lead_ids = [head.lead_id for head in heads]
        rescore.rescore_leads(self._scope, lead_ids, now=now)
        last, done = lead_ids[-1], self.rescore.leads_done + len(lead_ids)
        service.record_rewritten(self.rescore, after_lead=last, leads_done=done, now=now)
        commit()
        self.rescore = replace(self.rescore, after_lead=last, leads_done=done)
        return True

    def _return_some(self) -> bool:
        """Let the next events without a lead come in again; False when all were looked at."""
        config = score_queries.get_config(self._scope, self.rescore.version)
        stretch = returning.send_back(self._scope, config, after=self._after_receipt)
        if stretch is None:
            return False
        service.record_returned(self.rescore, stretch.events, now=utc_now())
        commit()
        self._after_receipt = stretch.last_receipt
        if stretch.events:
            self._ring()
        return True

    def _is_any_waiting(self) -> bool:
        """Say whether events wait that came in before the rescore was asked for.

        Those that came in again are first in line, because they kept their places.
        """
        received_at = unclaimed.find_next_arrival(self._scope)
        return received_at is not None and received_at < self.rescore.created_at

    def _rewrite_missed(self) -> bool:
        """Score anew the leads that have come to be since they were passed; False at the end.

        Only those of events from before the rescore: younger ones know nothing but these rules.
        Scores by attributes follow at the end, made anew by whoever keeps them.
        """
        lead_ids = queries.list_older_leads(
            self._scope,
            version=self.rescore.version,
            born_before=self.rescore.created_at,
            limit=LEADS_AT_ONCE,
        )
        if lead_ids:
            rescore.rescore_leads(self._scope, lead_ids, now=utc_now())
        else:
            now = utc_now()
            config = score_queries.get_config(self._scope, self.rescore.version)
            profiles.mark_all_stale(self._scope, config.policies, now=now)
            service.finish(self.rescore, leads=self.rescore.leads_done, now=now)
        commit()
        return bool(lead_ids)
