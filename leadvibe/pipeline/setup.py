"""Opening organisations and units ready to score: identity and scoring defaults in one step."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from leadvibe.identity import queries as identity_queries
from leadvibe.identity import service as identity
from leadvibe.identity.types import Organization, Scope, Unit
from leadvibe.scoring import queries as scoring_queries
from leadvibe.scoring import service as scoring


def create_unit(org_id: UUID, *, name: str, by: str, now: datetime) -> Unit:
    """Make a unit with its default levels and ruleset."""
    unit = identity.create_unit(org_id, name=name, now=now)
    scoring.install_defaults(unit.scope, by=by, now=now)
    return unit


def ensure_organization(name: str, *, by: str, now: datetime) -> Organization:
    """Return the organisation of that name, made with its default unit if it is not there."""
    organization = identity.ensure_organization(name, now=now)
    prepare_default_unit(organization.org_id, by=by, now=now)
    return organization


def prepare_default_unit(org_id: UUID, *, by: str, now: datetime) -> None:
    """Install the scoring defaults of a new organisation's unit, unless they are there."""
    unit = identity_queries.get_default_unit(org_id)
    if scoring_queries.current_version(unit.scope) == 0:
        scoring.install_defaults(unit.scope, by=by, now=now)


def default_scope(org_id: UUID) -> Scope:
    """Return where an organisation's first unit keeps its things."""
    return identity_queries.get_default_unit(org_id).scope
