"""Views of the lead list: its filters, order and columns under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints

from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes, LeadViewId, Text, storable
from leadvibe.identity.types import Principal
from leadvibe.leadviews import queries, service
from leadvibe.leadviews.types import VIEW_PARAMETERS, Column, LeadView
from leadvibe.lib.clock import utc_now

_ViewName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=service.LONGEST_NAME),
    AfterValidator(storable),
]
_Query = Annotated[dict[str, Text], Field(max_length=len(VIEW_PARAMETERS))]
_Columns = Annotated[list[Column], Field(max_length=len(Column))]

_NAME = "Its name, unique among yours or among those that the unit shares."
_QUERY = f"Parameters of the list in the dashboard, of {', '.join(VIEW_PARAMETERS)}."
_COLUMNS = "What it shows beside the lead; empty for what each member has chosen."
_SHARED = "Whether the whole unit sees it, which needs who may configure; else you alone."


class NewLeadView(BaseModel):
    """Filters, order and columns of the lead list under a name."""

    name: _ViewName = Field(description=_NAME)
    query: _Query = Field(default_factory=dict, description=_QUERY)
    columns: _Columns = Field(default_factory=list, description=_COLUMNS)
    shared: StrictBool = Field(False, description=_SHARED)


class LeadViewChanges(Changes):
    """Fields of a view to change; those left out stay as they are."""

    name: _ViewName = Field(LEFT_OUT, description=_NAME)
    query: _Query = Field(LEFT_OUT, description=_QUERY)
    columns: _Columns = Field(LEFT_OUT, description=_COLUMNS)
    shared: StrictBool = Field(LEFT_OUT, description=_SHARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadViewItem(Editable):
    view_id: UUID
    unit_id: UUID
    name: str
    query: Mapping[str, str]
    columns: Sequence[Column]
    shared: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


def list_views(principal: Principal) -> list[LeadViewItem]:
    """The views that you may choose from: what the unit shares, then your own, by name."""
    return [_item(principal, view) for view in queries.list_views(principal)]


def get_view(principal: Principal, view_id: LeadViewId) -> LeadViewItem:
    """A view of yours, or one that the unit shares."""
    return _item(principal, queries.get_view(principal, view_id))


def create_view(principal: Principal, body: NewLeadView) -> LeadViewItem:
    """Keep a view of the lead list, for yourself or for the unit."""
    made = service.create_view(
        principal,
        name=body.name,
        query=body.query,
        columns=body.columns,
        shared=body.shared,
        now=utc_now(),
    )
    return _item(principal, made)


def update_view(principal: Principal, view_id: LeadViewId, body: LeadViewChanges) -> LeadViewItem:
    """Change a view. One that is shared no more becomes yours."""
    return _item(principal, service.update_view(principal, view_id, body.given(), now=utc_now()))


def delete_view(principal: Principal, view_id: LeadViewId) -> None:
    """Delete a view; its leads stay."""
    service.delete_view(principal, view_id)


def _item(principal: Principal, view: LeadView) -> LeadViewItem:
    return LeadViewItem(
        view_id=view.view_id,
        unit_id=principal.scope.unit_id,
        name=view.name,
        query=view.query,
        columns=view.columns,
        shared=view.is_shared,
        created_at=view.created_at,
        updated_at=view.updated_at,
        created_by=view.created_by,
        updated_by=view.updated_by,
    )
