"""The live stream of a unit as server-sent events, and tokens for who cannot send headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, current_app
from pydantic import BaseModel, Field

from leadvibe.api.fields import Text
from leadvibe.http import principal as asking
from leadvibe.http import streams
from leadvibe.http.permissions import require
from leadvibe.identity import queries, warrants
from leadvibe.identity.errors import NoActiveUnitError, NotInUnitError, UnitNotFoundError
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import parse_id

OPEN = "STREAM_WITHOUT_SIGN_IN"
"""In the application's configuration: whether anybody may listen, as the contract once had it."""

_LAST_EVENT_ID = (
    "The id of the last frame that was received: what came since is sent first, as far as it is"
    " kept (a minute or two). Browsers send it by themselves. A frame `gap` says that more was"
    " missed."
)
HEADERS = (("Last-Event-ID", _LAST_EVENT_ID),)


class StreamQuery(BaseModel):
    """Whose stream, and the token of who cannot send headers."""

    ou_id: Text = Field(
        "", alias="ouId", description="The unit's id; without it the active unit's stream."
    )
    token: Text = Field(
        "",
        description="From POST /stream/token, in place of the Authorization header or cookie.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamToken:
    """A token that opens the unit's stream, and nothing else, until it expires."""

    token: str
    ou_id: UUID
    expires_at: datetime


def open_stream(query: StreamQuery) -> Response:
    """What happens in a unit, as it happens: server-sent events.

    They are `new_event`, `score_update`, `surge` and `gap`.

    Asks for a signed-in member, an access token, an API credential or a stream token, unless the
    installation leaves the stream open. `gap` says that something was left out, because more
    happened at once than is sent: read what you show anew. A comment every 15 seconds keeps the
    connection open.
    """
    if query.token:
        response = _follow(_token_warrant(query))
        # Pages of any origin may read it: the token is what vouches, and never a cookie.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response
    if current_app.config[OPEN] and asking.find() is None:
        scope = _open_scope(query)
        return streams.stream(scope, may_listen=lambda: True)
    asking.current()  # somebody unknown need not learn which units there are
    if query.ou_id:
        asking.enter(_unit_id(query))
    return _follow(warrants.issue_warrant(require(Permission.READ)))


def create_token(principal: Principal) -> StreamToken:
    """A token for `GET /stream?token=…` of the active unit, good for five minutes to connect.

    For what cannot send headers, such as EventSource on another origin. A stream that is open goes
    on beyond the token's end; to connect again takes a new one.
    """
    warrant = warrants.issue_warrant(principal)
    made = warrants.sign_warrant(warrant, security=asking.security(), now=utc_now())
    return StreamToken(token=made.token, ou_id=made.unit_id, expires_at=made.expires_at)


def _follow(warrant: warrants.Warrant) -> Response:
    return streams.stream(warrant.scope, may_listen=lambda: warrants.is_good(warrant))


def _token_warrant(query: StreamQuery) -> warrants.Warrant:
    warrant = warrants.read_warrant(query.token, security=asking.security(), now=utc_now())
    if query.ou_id and _unit_id(query) != warrant.scope.unit_id:
        raise NotInUnitError("The stream token is for another unit: leave ouId out.")
    return warrant


def _open_scope(query: StreamQuery) -> Scope:
    unit_id = _unit_id(query) if query.ou_id else asking.wanted_unit_id()
    if unit_id is None:
        raise NoActiveUnitError
    scope = queries.find_scope(unit_id)
    if scope is None:
        raise _unknown(str(unit_id))
    return scope


def _unit_id(query: StreamQuery) -> UUID:
    unit_id = parse_id(query.ou_id)
    if unit_id is None:
        raise _unknown(query.ou_id)
    return unit_id


def _unknown(unit_id: str) -> UnitNotFoundError:
    return UnitNotFoundError(f"There is no organisation unit {unit_id}.")
