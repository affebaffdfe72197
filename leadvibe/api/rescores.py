"""All leads scored anew under the current configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadvibe.api.answers import Counted, set_header
from leadvibe.api.fields import PageQuery, RescoreId
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.rescoring import queries, service
from leadvibe.rescoring.types import Rescore, WalkState


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoreItem:
    """How far a rescore is.

    When the configuration changes meanwhile it begins again, under the new `version`. Events that
    filters had put aside without a lead, and that count now, come in again: `events_returned`.
    """

    rescore_id: UUID
    status: WalkState
    percent: int
    version: int
    leads_total: int
    leads_done: int
    restarts: int
    events_returned: int
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None


def start_rescore(principal: Principal) -> RescoreItem:
    """Score all leads anew, as if the current configuration had always been in force.

    A worker does, some leads at a time; events that come in meanwhile are scored as ever. A unit
    is rescored once at a time.
    """
    made = service.request_rescore(principal, principal.scope, queue=job_queue(), now=utc_now())
    set_header("Location", f"/scoring/rescores/{made.walk_id}")
    return _item(made)


def list_rescores(principal: Principal, query: PageQuery) -> Counted[RescoreItem]:
    """The unit's rescores, the latest first."""
    page = queries.search_rescores(principal.scope, query.request)
    return Counted([_item(rescore) for rescore in page.items], page.total.count)


def get_rescore(principal: Principal, rescore_id: RescoreId) -> RescoreItem:
    """How far a rescore is."""
    return _item(queries.get_rescore(principal.scope, rescore_id))


def _item(rescore: Rescore) -> RescoreItem:
    return RescoreItem(
        rescore_id=rescore.walk_id,
        status=rescore.state,
        percent=rescore.percent,
        version=rescore.version,
        leads_total=rescore.leads_total,
        leads_done=rescore.leads_done,
        restarts=rescore.restarts,
        events_returned=rescore.events_returned,
        error=rescore.error,
        created_at=rescore.created_at,
        created_by=rescore.created_by,
        started_at=rescore.started_at,
        finished_at=rescore.finished_at,
    )
