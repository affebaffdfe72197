"""A unit's connection to HubSpot: a private app's token, sealed, and the properties it writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import driver
from leadvibe.lib.sealing import SealBrokenError, Sealer
from leadvibe.notifications.errors import HubSpotRefusedError, TransportError
from leadvibe.notifications.locking import lock_unit
from leadvibe.notifications.types import HubSpotConnection

SCORE_PROPERTY = "leadvibe_score"
LEVEL_PROPERTY = "leadvibe_level"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotAccess:
    """What to write with, and where to."""

    token: str = field(repr=False)
    score_property: str = SCORE_PROPERTY
    level_property: str = LEVEL_PROPERTY


Check = Callable[[HubSpotAccess], str]
"""Makes HubSpot ready and returns the account that the token opens. Raises TransportError."""


def find_connection(scope: Scope) -> HubSpotConnection | None:
    """Return the unit's connection, if it has one."""
    row = (
        driver()
        .execute(
            """
            SELECT token, portal, score_property, level_property, problem, updated_at, updated_by
            FROM hubspot_connections WHERE unit_id = %s
            """,
            (scope.unit_id,),
        )
        .fetchone()
    )
    if row is None:
        return None
    token, portal, score_property, level_property, problem, updated_at, updated_by = row
    return HubSpotConnection(
        sealed_token=token,
        portal=portal,
        score_property=score_property,
        level_property=level_property,
        problem=problem,
        updated_at=updated_at,
        updated_by=updated_by,
    )


def connect(
    principal: Principal,
    scope: Scope,
    access: HubSpotAccess,
    *,
    check: Check,
    sealer: Sealer,
    now: datetime,
) -> None:
    """Connect the unit, or connect it anew. Raises HubSpotRefusedError when `check` fails.

    An empty token stands for the one that is known.
    """
    token = access.token or _known_token(scope, sealer)
    wanted = HubSpotAccess(
        token=token, score_property=access.score_property, level_property=access.level_property
    )
    portal = _checked(wanted, check)
    lock_unit(scope)
    driver().execute(
        """
        INSERT INTO hubspot_connections
            (unit_id, token, portal, score_property, level_property, updated_at, updated_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (unit_id) DO UPDATE SET
            token = excluded.token, portal = excluded.portal,
            score_property = excluded.score_property, level_property = excluded.level_property,
            problem = NULL, updated_at = excluded.updated_at, updated_by = excluded.updated_by
        """,
        (
            scope.unit_id, sealer.seal(token), portal, access.score_property,
            access.level_property, now, principal.label,
        ),
    )  # fmt: skip


def disconnect(scope: Scope) -> None:
    """Forget the connection, if there is one; what HubSpot has been told stays there."""
    lock_unit(scope)
    driver().execute("DELETE FROM hubspot_connections WHERE unit_id = %s", (scope.unit_id,))


def mark_problem(scope: Scope, connection: HubSpotConnection, *, problem: str | None) -> None:
    """Note why nothing gets through, or that it does again, unless it was connected anew since."""
    driver().execute(
        """
        UPDATE hubspot_connections SET problem = %(problem)s
        WHERE unit_id = %(unit)s AND token = %(token)s AND problem IS DISTINCT FROM %(problem)s
        """,
        {"problem": problem, "unit": scope.unit_id, "token": connection.sealed_token},
    )


def open_access(connection: HubSpotConnection, sealer: Sealer) -> HubSpotAccess:
    """Return what to write with. Raises SealBrokenError when no key opens the token any more."""
    return HubSpotAccess(
        token=sealer.open(connection.sealed_token),
        score_property=connection.score_property,
        level_property=connection.level_property,
    )


def _known_token(scope: Scope, sealer: Sealer) -> str:
    connection = find_connection(scope)
    try:
        if connection is not None:
            return sealer.open(connection.sealed_token)
    except SealBrokenError:
        pass  # nobody can read it any more, so it is as good as none
    problem = "is missing: give the access token of a private app in HubSpot"
    raise HubSpotRefusedError(f"token {problem}.", fields={"token": problem})


def _checked(access: HubSpotAccess, check: Check) -> str:
    try:
        return check(access)
    except TransportError as error:
        field_name = "token" if not error.is_temporary else "body"
        raise HubSpotRefusedError(
            f"HubSpot is not connected: {error.reason}.", fields={field_name: error.reason}
        ) from error
