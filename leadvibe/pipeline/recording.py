"""What clients of lead products and members record of a lead, and what follows from it.

One way for all of them: fields are properties of the lead, addresses its aliases, and the status
has its machine. Waits for the pipeline's batch of the unit and flushes without committing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads import statuses
from leadvibe.leads.statuses import Outcome, Status
from leadvibe.leads.types import Alias, AliasKind
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline import editing
from leadvibe.pipeline.editing import GivenLead
from leadvibe.pipeline.intake import check_metadata

STATUS_PROPERTY = "lead_status"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Which lead it is; `is_new` unless somebody was known by one of the addresses."""

    lead_id: str
    is_new: bool


def record_lead(
    scope: Scope,
    *,
    aliases: Sequence[Alias],
    properties: Mapping[str, Any],
    source: str,
    status: Outcome | Status | None = None,
    by: str,
    now: datetime,
) -> Recorded:
    """Make a lead, or find the one that has an address of it and set its properties.

    Raises InvalidError when it would have more metadata than can be kept.
    """
    given = GivenLead(tuple(aliases), AliasKind.EMAIL, properties)
    done = editing.describe_many(scope, [given], source=source, now=now)
    if done.refused:
        raise InvalidError(done.refused[0], fields={"custom": done.refused[0]})
    (lead_id,) = done.lead_ids
    if parts := _parts_of_name(properties, done.before[lead_id].properties):
        editing.patch_lead(scope, lead_id, parts, now=now)
    if status is not None:
        _change_status(scope, lead_id, status, by=by, via=source, now=now)
    return Recorded(lead_id, lead_id in done.created)


def update_lead(
    scope: Scope,
    lead_id: str,
    *,
    properties: Mapping[str, Any],
    status: Outcome | Status | None = None,
    by: str,
    via: str,
    now: datetime,
) -> Status | None:
    """Set properties of a lead, None taking one away, and its status.

    Returns the status if it is another one now. Raises LeadNotFoundError, and what check_metadata
    does when there would be too much.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    if properties:
        changes = {**properties, **_parts_of_name(properties, lead.metadata)}
        check_metadata(to_json(editing.patch_lead(scope, lead.lead_id, changes, now=now).metadata))
    if status is None:
        return None
    return _change_status(scope, lead.lead_id, status, by=by, via=via, now=now)


def _change_status(
    scope: Scope, lead_id: str, wanted: Outcome | Status, *, by: str, via: str, now: datetime
) -> Status | None:
    """Change a status, and say so in a property, for segments and profile rules to compare."""
    changed = statuses.change_status(scope, lead_id, wanted, by=by, via=via, now=now)
    if changed is not None:
        editing.patch_lead(scope, lead_id, {STATUS_PROPERTY: changed.value}, now=now)
    return changed


def _parts_of_name(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the parts of a name that is given whole, for a lead that is called by its parts."""
    parts = {"first_name", "last_name"}
    if "name" not in given or parts & given.keys() or not parts & before.keys():
        return {}
    first, _, last = str(given["name"] or "").strip().rpartition(" ")
    return {"first_name": first or last or None, "last_name": (last or None) if first else None}
