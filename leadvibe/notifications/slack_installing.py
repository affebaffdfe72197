"""Connecting a unit to a Slack workspace: out to Slack with a state, back with a code.

A state names its unit and the member who began, works once and within ten minutes, and is stored
as a fingerprint alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urljoin
from uuid import UUID

from sqlalchemy import delete, insert

from leadvibe.identity import queries as identity_queries
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.security import fingerprint
from leadvibe.identity.types import Principal, Via
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_secret, parse_id
from leadvibe.lib.sealing import SealBrokenError
from leadvibe.notifications.errors import SlackAppMissingError
from leadvibe.notifications.models import SlackStateRow
from leadvibe.notifications.slack import SlackGrant, SlackSite, find_app, store_connection
from leadvibe.notifications.slack_api import SlackApi, SlackError

log = logging.getLogger(__name__)

SCOPES = (
    "chat:write",
    "chat:write.public",
    "im:write",
    "channels:read",
    "groups:read",
    "users:read",
    "users:read.email",
)
STATE_LIFETIME = timedelta(minutes=10)
DENIED = "access_denied"
_WRONG_APP = frozenset({"invalid_client_id", "bad_client_secret", "bad_redirect_uri"})


class Outcome(StrEnum):
    """How an installation ended, as the address of the page says it."""

    CONNECTED = "connected"
    DENIED = "denied"
    EXPIRED = "expired"
    """The state is unknown, was used already, or is too old."""
    OTHER_MEMBER = "other-member"
    """Somebody else is signed in where it ended than where it began."""
    FORBIDDEN = "forbidden"
    """Who began may not connect the unit any more."""
    WRONG_APP = "wrong-app"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What somebody comes back with from Slack, each part empty when it is not there."""

    state: str
    code: str
    error: str


def begin_installation(principal: Principal, site: SlackSite, *, now: datetime) -> str:
    """Return the address at Slack where the unit's workspace is chosen.

    Raises SlackAppMissingError.
    """
    scope, (client_id, _) = principal.scope, _app_of(principal.org_id, site)
    assert principal.member_id is not None
    _forget_expired(scope.unit_id, now=now)
    state = f"{scope.unit_id.hex}.{new_secret()}"
    session().execute(
        insert(SlackStateRow).values(
            unit_id=scope.unit_id,
            state_sha256=fingerprint(state),
            org_member_id=principal.member_id,
            expires_at=now + STATE_LIFETIME,
        )
    )
    query = {
        "client_id": client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": site.redirect_url,
        "state": state,
    }
    return f"{urljoin(site.api_url, '/oauth/v2/authorize')}?{urlencode(query)}"


def finish_installation(
    site: SlackSite, returned: Return, *, visitor_id: UUID | None, now: datetime
) -> Outcome:
    """Connect the unit that the state names, if all is as it should be; never raises.

    `visitor_id` is the member who is signed in where this ends, if anybody is: a state is no use
    to another. However it ends, the state has been used.
    """
    begun = _claim(returned.state, now=now)
    if begun is None:
        return Outcome.EXPIRED
    member_id, unit_id = begun
    if visitor_id not in {None, member_id}:
        return Outcome.OTHER_MEMBER
    principal = _find_owner(member_id, unit_id)
    if principal is None:
        return Outcome.FORBIDDEN
    if returned.error or not returned.code:
        return Outcome.DENIED if returned.error == DENIED else Outcome.REFUSED
    return _exchange(principal, site, returned.code, now=now)


def _exchange(principal: Principal, site: SlackSite, code: str, *, now: datetime) -> Outcome:
    try:
        answer = SlackApi(site.api_url).call(
            "oauth.v2.access",
            {"code": code, "redirect_uri": site.redirect_url},
            app=_app_of(principal.org_id, site),
        )
    except SlackAppMissingError:
        return Outcome.WRONG_APP
    except SlackError as error:
        log.warning("Slack did not let a unit connect: %s", error)
        if error.is_temporary:
            return Outcome.UNAVAILABLE
        return Outcome.WRONG_APP if error.code in _WRONG_APP else Outcome.REFUSED
    grant = _grant_of(answer)
    if grant is None:
        return Outcome.REFUSED
    store_connection(principal.scope, grant, by=principal.label, sealer=site.sealer, now=now)
    return Outcome.CONNECTED


def _grant_of(answer: dict[str, Any]) -> SlackGrant | None:
    """Return what was granted; None for what is no bot's, such as a person's own token."""
    team, token = answer.get("team") or {}, answer.get("access_token")
    if not token or not team.get("id") or answer.get("token_type", "bot") != "bot":
        return None
    return SlackGrant(
        token=token,
        team_id=team["id"],
        team_name=team.get("name") or team["id"],
        bot_user_id=answer.get("bot_user_id") or "",
    )


def _claim(state: str, *, now: datetime) -> tuple[UUID, UUID] | None:
    """Use a state up; returns the member and the unit, or None when it is not good any more."""
    unit_id = parse_id(state.partition(".")[0])
    if unit_id is None:
        return None
    row = (
        session()
        .execute(
            delete(SlackStateRow)
            .where(
                SlackStateRow.unit_id == unit_id,
                SlackStateRow.state_sha256 == fingerprint(state),
            )
            .returning(SlackStateRow.org_member_id, SlackStateRow.expires_at)
        )
        .one_or_none()
    )
    if row is None or row.expires_at <= now:
        return None
    return row.org_member_id, unit_id


def _find_owner(member_id: UUID, unit_id: UUID) -> Principal | None:
    """Return the member as they are now, if they may still connect the unit."""
    member = identity_queries.get_member(member_id)
    principal = identity_queries.find_member_principal(
        member_id,
        session_epoch=member.session_epoch,
        via=Via.SESSION,
        wanted_unit_id=unit_id,
    )
    is_there = principal is not None and principal.unit_id == unit_id
    return principal if principal and is_there and can(principal, Permission.OWN) else None


def _app_of(org_id: UUID, site: SlackSite) -> tuple[str, str]:
    """Return client id and secret. Raises SlackAppMissingError."""
    app = find_app(org_id)
    if app is None:
        raise SlackAppMissingError(
            "No Slack app is set up: an admin enters its client ID and secret on the"
            " Integrations page."
        )
    try:
        return app.client_id, site.sealer.open(app.sealed_secret)
    except SealBrokenError:
        raise SlackAppMissingError(
            "The secret of the Slack app cannot be read with the keys of today: an admin enters"
            " it again on the Integrations page."
        ) from None


def _forget_expired(unit_id: UUID, *, now: datetime) -> None:
    session().execute(
        delete(SlackStateRow).where(
            SlackStateRow.unit_id == unit_id, SlackStateRow.expires_at <= now
        )
    )
