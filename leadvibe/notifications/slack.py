"""The organisation's Slack app, and the workspace that each unit is connected to.

Does not connect (slack_installing), ask Slack anything but to revoke a token (slack_workspace), or
send notices (transports.slack).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity.checks import checked_name
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import own_transaction, session
from leadvibe.lib.sealing import SealBrokenError, Sealer
from leadvibe.notifications.errors import SlackEndedError, SlackNotConnectedError, TransportError
from leadvibe.notifications.models import SlackAppRow, SlackConnectionRow, SlackIdentityRow
from leadvibe.notifications.slack_api import SlackApi
from leadvibe.notifications.types import (
    SlackApp,
    SlackConnection,
    SlackDefault,
    SlackTargetKind,
)

log = logging.getLogger(__name__)

LONGEST_CREDENTIAL = 200
CALLBACK = "/slack/oauth/callback"
CONNECT_AGAIN = "Connect Slack again on the Integrations page."
_CONNECT = "Connect Slack on the Integrations page first."


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSite:
    """Where Slack is, where this installation is, and what seals secrets here."""

    api_url: str
    public_url: str
    sealer: Sealer = field(repr=False)

    @property
    def redirect_url(self) -> str:
        """Return where Slack sends people back to, as it has to be entered there."""
        return f"{self.public_url}{CALLBACK}"

    def api(self, connection: SlackConnection) -> SlackApi:
        """Return Slack as the unit sees it. Raises SlackNotConnectedError."""
        return SlackApi(self.api_url, open_token(connection, self.sealer))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackGrant:
    """What Slack hands over at the end of an installation."""

    token: str = field(repr=False)
    team_id: str
    team_name: str
    bot_user_id: str


def find_app(org_id: UUID) -> SlackApp | None:
    row = session().scalar(select(SlackAppRow).where(SlackAppRow.org_id == org_id))
    if row is None:
        return None
    return SlackApp(client_id=row.client_id, sealed_secret=row.sealed_secret)


def set_app(
    principal: Principal, *, client_id: str, client_secret: str, sealer: Sealer, now: datetime
) -> None:
    """Let the organisation's units connect with this app; connections there are stay as they are.

    Raises InvalidError by field.
    """
    client_id = checked_name(client_id, longest=LONGEST_CREDENTIAL, field="client_id")
    secret = checked_name(client_secret, longest=LONGEST_CREDENTIAL, field="client_secret")
    values = {
        "client_id": client_id,
        "sealed_secret": sealer.seal(secret),
        "updated_at": now,
        "updated_by": principal.label,
    }
    session().execute(
        insert(SlackAppRow)
        .values(org_id=principal.org_id, **values)
        .on_conflict_do_update(index_elements=[SlackAppRow.org_id], set_=values)
    )


def find_connection(scope: Scope) -> SlackConnection | None:
    """Return the unit's connection, also one that has ended; None if there never was any."""
    row = session().scalar(
        select(SlackConnectionRow)
        .where(SlackConnectionRow.unit_id == scope.unit_id)
        .execution_options(populate_existing=True)
    )
    return _connection_of(row) if row else None


def get_connection(scope: Scope) -> SlackConnection:
    """Return the unit's connection, which stands. Raises SlackNotConnectedError."""
    connection = find_connection(scope)
    if connection is None or not connection.is_connected:
        if connection is not None and connection.problem:
            raise SlackEndedError(f"{connection.problem} {CONNECT_AGAIN}")
        raise SlackNotConnectedError(f"Slack is not connected. {_CONNECT}")
    return connection


def open_token(connection: SlackConnection, sealer: Sealer) -> str:
    """Return the token of a connection. Raises SlackNotConnectedError."""
    if connection.sealed_token is None:
        raise SlackNotConnectedError(f"Slack is not connected. {_CONNECT}")
    try:
        return sealer.open(connection.sealed_token)
    except SealBrokenError:
        raise SlackNotConnectedError(
            f"The stored token for Slack cannot be read with the keys of today. {_CONNECT}"
        ) from None


def store_connection(
    scope: Scope, grant: SlackGrant, *, by: str, sealer: Sealer, now: datetime
) -> None:
    """Connect the unit to a workspace.

    The same one again keeps its default target and who is who; another has other channels and
    people.
    """
    earlier = find_connection(scope)
    values: dict[str, object] = {
        "team_id": grant.team_id,
        "team_name": grant.team_name,
        "bot_user_id": grant.bot_user_id,
        "sealed_token": sealer.seal(grant.token),
        "problem": None,
        "connected_at": now,
        "connected_by": by,
        "updated_at": now,
    }
    if earlier is not None and earlier.team_id != grant.team_id:
        values |= {"default_target_kind": None, "default_target_id": None}
        values |= {"default_target_name": None}
        session().execute(delete(SlackIdentityRow).where(SlackIdentityRow.unit_id == scope.unit_id))
    session().execute(
        insert(SlackConnectionRow)
        .values(unit_id=scope.unit_id, **values)
        .on_conflict_do_update(index_elements=[SlackConnectionRow.unit_id], set_=values)
    )


def disconnect(scope: Scope, site: SlackSite, *, now: datetime) -> None:
    """End the unit's connection and ask Slack to forget its token; does nothing without one.

    What cannot be revoked is forgotten here all the same.
    """
    connection = find_connection(scope)
    if connection is None:
        return
    session().execute(
        update(SlackConnectionRow)
        .where(SlackConnectionRow.unit_id == scope.unit_id)
        .values(sealed_token=None, problem=None, updated_at=now)
    )
    if not connection.is_connected:
        return
    try:
        site.api(connection).call("auth.revoke", {})
    except (TransportError, SlackNotConnectedError) as error:
        log.info("the token of %s was not revoked: %s", connection.team_name, error)


def mark_revoked(scope: Scope, connection: SlackConnection, *, problem: str, now: datetime) -> None:
    """Note that Slack has ended this connection, unless the unit has connected anew since.

    `problem` is a sentence for whoever looks. In a transaction of its own, because who meets a
    revoked token is about to fail.
    """
    with own_transaction() as apart:
        apart.execute(
            update(SlackConnectionRow)
            .where(
                SlackConnectionRow.unit_id == scope.unit_id,
                SlackConnectionRow.connected_at == connection.connected_at,
            )
            .values(sealed_token=None, problem=problem, updated_at=now)
        )


def set_default_target(
    scope: Scope,
    *,
    kind: SlackTargetKind,
    target_id: str,
    name: str | None = None,
    now: datetime,
) -> None:
    """Send the unit's messages there when nothing else is said. Raises SlackNotConnectedError.

    Does not ask Slack whether there is such a target.
    """
    get_connection(scope)
    session().execute(
        update(SlackConnectionRow)
        .where(SlackConnectionRow.unit_id == scope.unit_id)
        .values(
            default_target_kind=kind,
            default_target_id=target_id,
            default_target_name=name,
            updated_at=now,
        )
    )


def _connection_of(row: SlackConnectionRow) -> SlackConnection:
    return SlackConnection(
        unit_id=row.unit_id,
        team_id=row.team_id,
        team_name=row.team_name,
        bot_user_id=row.bot_user_id,
        sealed_token=row.sealed_token,
        problem=row.problem,
        default=_default_of(row),
        connected_at=row.connected_at,
        updated_at=row.updated_at,
    )


def _default_of(row: SlackConnectionRow) -> SlackDefault | None:
    if row.default_target_kind is None or row.default_target_id is None:
        return None
    return SlackDefault(
        kind=SlackTargetKind(row.default_target_kind),
        id=row.default_target_id,
        name=row.default_target_name,
    )
