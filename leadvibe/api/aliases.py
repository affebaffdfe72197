"""Ways to recognise a lead: listed, added by hand and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadvibe.api.fields import AliasId
from leadvibe.identity.types import Principal
from leadvibe.leads import queries
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import StoredAlias
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import editing
from leadvibe.pipeline.intake import IncomingAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasItem:
    """A way to recognise the lead: as it was spelled, and as it is compared."""

    id: UUID
    alias_kind: str
    raw_value: str
    kind: str
    value: str
    created_at: datetime


def list_aliases(principal: Principal, lead_id: str) -> Sequence[AliasItem]:
    """Every way to recognise the lead, the oldest first."""
    lead = queries.get_lead(principal.scope, lead_id)
    return [_item(alias) for alias in queries.list_aliases(principal.scope, lead.lead_id)]


def add_alias(principal: Principal, lead_id: str, body: IncomingAlias) -> AliasItem:
    """Let the lead be recognised by one more identifier, which is nobody's yet."""
    alias = make_alias(body.alias_kind, body.raw_value)
    lead = editing.add_alias(principal.scope, lead_id, alias, now=utc_now())
    known = queries.list_aliases(principal.scope, lead.lead_id)
    return next(_item(it) for it in known if (it.kind, it.value) == (alias.kind, alias.value))


def remove_alias(principal: Principal, lead_id: str, alias_id: AliasId) -> None:
    """Let the lead be recognised by an identifier no more. What it has done stays."""
    editing.remove_alias(principal.scope, lead_id, alias_id, now=utc_now())


def _item(alias: StoredAlias) -> AliasItem:
    return AliasItem(
        id=alias.alias_id,
        alias_kind=alias.kind,
        raw_value=alias.raw_value,
        kind=alias.kind,
        value=alias.value,
        created_at=alias.created_at,
    )
