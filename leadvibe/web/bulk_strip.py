"""What was last done to many leads, in words above the list."""

from __future__ import annotations

from uuid import UUID

from leadvibe.bulk.queries import find_action
from leadvibe.bulk.types import BulkAction, BulkKind, BulkState
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.ids import parse_id
from leadvibe.segments.queries import list_segments
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.lead_query import LeadQuery
from leadvibe.web.pages.bulk import BulkStrip
from leadvibe.web.pages.display import Tone, counted, share

_DOING = {
    BulkKind.ASSIGN_OWNER: "Assigning",
    BulkKind.WATCH: "Adding to your watch list",
    BulkKind.UNWATCH: "Taking off your watch list",
    BulkKind.RESCORE: "Rescoring",
    BulkKind.DELETE: "Deleting",
    BulkKind.ADD_TO_SEGMENT: "Adding to the segment",
    BulkKind.REMOVE_FROM_SEGMENT: "Taking out of the segment",
}
_DONE = {
    BulkKind.WATCH: ("is on your watch list now", "are on your watch list now"),
    BulkKind.UNWATCH: ("is off your watch list", "are off your watch list"),
    BulkKind.RESCORE: ("is scored anew", "are scored anew"),
    BulkKind.DELETE: ("is being deleted for good", "are being deleted for good"),
}


def build_strip(principal: Principal, wanted: LeadQuery, action_id: str) -> BulkStrip | None:
    """Return how far an action is, or None when there is no such action any more."""
    wanted_id: UUID | None = parse_id(action_id)
    action = find_action(principal.scope, wanted_id) if wanted_id else None
    if action is None:
        return None
    has_failed = action.state is BulkState.FAILED
    tone = Tone.BAD if has_failed else Tone.OK if action.is_finished else Tone.INFO
    return BulkStrip(
        text=_say(principal.scope, action),
        tone=tone,
        is_running=not action.is_finished,
        percent=share(action.leads_done, action.leads_total),
        url=wanted.here(action=str(action.action_id)),
        undo_url=f"{LEADS}/bulk/{action.action_id}/undo" if _is_to_undo(principal, action) else "",
        query=wanted.query,
        close_url=wanted.here(),
    )


def _is_to_undo(principal: Principal, action: BulkAction) -> bool:
    is_own = action.created_by == principal.label
    return action.can_be_undone and is_own


def _say(scope: Scope, action: BulkAction) -> str:
    if action.state is BulkState.FAILED:
        return f"This could not be finished. {action.error or ''} {_so_far(action)}"
    if not action.is_finished:
        doing = "Undoing" if action.undoes else _DOING[action.kind]
        return f"{doing}: {action.leads_done:,} of {counted(action.leads_total, 'lead')}."
    if action.undoes:
        return f"Undone for {counted(action.leads_changed, 'lead')}."
    same = action.leads_done - action.leads_changed
    if same and not action.leads_changed and action.kind.can_be_undone:
        return f"Nothing to change.{_already(action, same)}"
    return f"{_done(scope, action)}{_already(action, same)}"


def _done(scope: Scope, action: BulkAction) -> str:
    number = action.leads_changed
    one, many = _DONE.get(action.kind) or _decided(scope, action)
    return f"{counted(number, 'lead')} {one if number == 1 else many}."


def _decided(scope: Scope, action: BulkAction) -> tuple[str, str]:
    if not action.kind.is_of_segment:
        return _owned(action)
    names = {it.segment_id: it.name for it in list_segments(scope)}
    name = names.get(action.segment_id) if action.segment_id else None
    where = f"“{name}”" if name else "a segment that is gone since"
    if action.kind is BulkKind.ADD_TO_SEGMENT:
        return f"is in {where} now", f"are in {where} now"
    return f"is kept out of {where} now", f"are kept out of {where} now"


def _owned(action: BulkAction) -> tuple[str, str]:
    if action.owner_name is None:
        return "belongs to nobody now", "belong to nobody now"
    return f"belongs to {action.owner_name} now", f"belong to {action.owner_name} now"


def _already(action: BulkAction, same: int) -> str:
    if same <= 0:
        return ""
    if action.kind.can_be_undone:
        return f" {same:,} {'was' if same == 1 else 'were'} so already."
    return f" {same:,} {'was' if same == 1 else 'were'} gone."


def _so_far(action: BulkAction) -> str:
    return f"It was done for {counted(action.leads_changed, 'lead')}."
