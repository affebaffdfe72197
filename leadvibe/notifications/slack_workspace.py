"""What is in a unit's workspace: its channels, its people, and a test message to either.

Answers of Slack are passed on as they are and remembered for a minute, since pickers ask for the
same pages again and again and Slack counts every call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from leadvibe.identity.types import Scope
from leadvibe.lib.errors import LeadvibeError, ThrottledError, UnavailableError
from leadvibe.notifications import slack
from leadvibe.notifications.errors import SlackEndedError, SlackRefusedError
from leadvibe.notifications.slack import SlackSite
from leadvibe.notifications.slack_api import SlackError
from leadvibe.notifications.transports.slack import Target, send_text
from leadvibe.notifications.types import SlackConnection, SlackTargetKind

REMEMBERED_SECONDS = 60
WAIT_SECONDS = 30  # when Slack asks for patience without saying how much
CHANNELS = "conversations.list"
USERS = "users.list"
LARGEST_PAGE = 1000  # Slack's own limit
MOST_PAGES = 5
"""Of channels that a picker offers: more than anybody looks through."""

TEST_TEXT = "Leadvibe is connected: messages about leads will look for you here."

Answer = dict[str, Any]


def list_channels(
    scope: Scope, site: SlackSite, query: Mapping[str, Any], *, broker: Redis, now: datetime
) -> Answer:
    """Return what conversations.list answers.

    Raises SlackNotConnectedError, SlackRefusedError, ThrottledError, and UnavailableError.
    """
    return _ask(scope, site, CHANNELS, query, broker=broker, now=now)


def list_users(
    scope: Scope, site: SlackSite, query: Mapping[str, Any], *, broker: Redis, now: datetime
) -> Answer:
    """Return what users.list answers. Raises as `list_channels` does."""
    return _ask(scope, site, USERS, query, broker=broker, now=now)


def offer_channels(
    scope: Scope, site: SlackSite, *, broker: Redis, now: datetime
) -> dict[str, str]:
    """Return names of the channels that messages can go to, by id. Raises as `list_channels`."""
    query: dict[str, Any] = {
        "types": "public_channel,private_channel",
        "exclude_archived": "true",
        "limit": LARGEST_PAGE,
    }
    found: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = list_channels(scope, site, query, broker=broker, now=now)
        found |= {it["id"]: it.get("name") or it["id"] for it in answer["channels"]}
        query["cursor"] = next_cursor(answer)
        if not query["cursor"]:
            break
    return dict(sorted(found.items(), key=lambda it: it[1]))


def send_test(
    scope: Scope,
    site: SlackSite,
    *,
    kind: SlackTargetKind,
    target_id: str,
    text: str = "",
    now: datetime,
) -> None:
    """Write a simple message there. Raises as `list_channels` does."""
    connection = slack.get_connection(scope)
    token = slack.open_token(connection, site.sealer)
    target = Target(token=token, kind=kind, id=target_id, base_url=site.api_url)
    with explained(scope, connection, field="id", now=now):
        send_text(target, text or TEST_TEXT)


def next_cursor(answer: Mapping[str, Any]) -> str:
    """Return what asks for the next page of an answer; empty after the last."""
    return (answer.get("response_metadata") or {}).get("next_cursor") or ""


@contextmanager
def explained(
    scope: Scope, connection: SlackConnection, *, field: str = "", now: datetime
) -> Iterator[None]:
    """Turn what Slack refuses inside into what our clients are told.

    `field` is the field of the request that Slack's reason is about. A token that Slack no longer
    accepts ends the connection, for everybody to see.
    """
    try:
        yield
    except SlackError as error:
        if error.is_revoked:
            problem = f"{error.reason} to {connection.team_name} ({error.code})."
            slack.mark_revoked(scope, connection, problem=problem, now=now)
            raise SlackEndedError(f"{problem} {slack.CONNECT_AGAIN}") from error
        raise _told(error, field) from error


def _told(error: SlackError, field: str) -> LeadvibeError:
    if error.code in {"ratelimited", "rate_limited"}:
        seconds = ceil(error.retry_after_seconds or WAIT_SECONDS)
        return ThrottledError(
            f"Slack asks for patience: try again in {seconds} seconds.",
            retry_after_seconds=seconds,
        )
    reason = f"{error.reason[0].upper()}{error.reason[1:]}"
    if error.is_temporary:
        return UnavailableError(f"{reason}: try again in a moment.")
    return SlackRefusedError(f"{reason}.", fields={field: error.reason} if field else None)


def _ask(
    scope: Scope,
    site: SlackSite,
    method: str,
    query: Mapping[str, Any],
    *,
    broker: Redis,
    now: datetime,
) -> Answer:
    connection = slack.get_connection(scope)
    key = _key(connection, method, query)
    remembered = _recall(broker, key)
    if remembered is not None:
        return remembered
    with explained(scope, connection, now=now):
        answer = site.api(connection).call(method, query)
    with suppress(RedisError):
        broker.set(key, json.dumps(answer), ex=REMEMBERED_SECONDS)
    return answer


def _recall(broker: Redis, key: str) -> Answer | None:
    try:
        stored = cast("bytes | None", broker.get(key))
    except RedisError:
        return None
    return cast("Answer", json.loads(stored)) if stored else None


def _key(connection: SlackConnection, method: str, query: Mapping[str, Any]) -> str:
    # A new connection may see other channels, so it begins with nothing remembered.
    asked = [connection.connected_at.isoformat(), method, sorted(query.items())]
    digest = sha256(json.dumps(asked).encode()).hexdigest()
    return f"leadvibe:slack:{connection.unit_id}:{digest}"
