"""Who a unit's members are in its Slack workspace: matched by e-mail address, or set by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity import queries as identity_queries
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.types import Member, Scope
from leadvibe.lib.db import session
from leadvibe.lib.errors import InvalidError
from leadvibe.notifications import slack
from leadvibe.notifications.models import SlackIdentityRow
from leadvibe.notifications.slack import SlackSite
from leadvibe.notifications.slack_workspace import USERS, explained, next_cursor
from leadvibe.notifications.types import SlackConnection, SlackPeople

BY_EMAIL, BY_HAND = "email", "manual"
PAGE_SIZE = 500  # Slack recommends far fewer than its limit of 1,000
MOST_PAGES = 100

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,30}")


def find_slack_user(scope: Scope, member_id: UUID) -> str | None:
    """Return a member's id in the unit's workspace."""
    return session().scalar(
        select(SlackIdentityRow.slack_user_id).where(
            SlackIdentityRow.unit_id == scope.unit_id,
            SlackIdentityRow.org_member_id == member_id,
        )
    )


def count_people(scope: Scope) -> SlackPeople:
    """Count the unit's members, and those of them whom Slack messages would reach."""
    known = session().scalars(
        select(SlackIdentityRow.org_member_id).where(SlackIdentityRow.unit_id == scope.unit_id)
    )
    members = {member.org_member_id for member in _members(scope)}
    return SlackPeople(total=len(members), mapped=len(members & set(known)))


def sync_people(scope: Scope, site: SlackSite, *, now: datetime) -> SlackPeople:
    """Match members to Slack users by e-mail address anew; what was set by hand stays.

    Raises SlackNotConnectedError, SlackRefusedError, ThrottledError, and UnavailableError.
    """
    connection = slack.get_connection(scope)
    with explained(scope, connection, now=now):
        users = dict(_users_by_email(site, connection))
    session().execute(
        delete(SlackIdentityRow).where(
            SlackIdentityRow.unit_id == scope.unit_id, SlackIdentityRow.source == BY_EMAIL
        )
    )
    matched = [
        _values(scope, member.org_member_id, users[member.email], source=BY_EMAIL, now=now)
        for member in _members(scope)
        if member.email in users
    ]
    if matched:
        session().execute(insert(SlackIdentityRow).values(matched).on_conflict_do_nothing())
    return count_people(scope)


def set_slack_user(
    scope: Scope, member_id: UUID, slack_user_id: str | None, *, now: datetime
) -> None:
    """Say who a member is in Slack, or with None that nobody knows.

    Does not ask Slack whether there is such a person. Raises MemberNotFoundError and InvalidError.
    """
    if member_id not in {member.org_member_id for member in _members(scope)}:
        raise MemberNotFoundError(f"There is no member {member_id} in this unit.")
    if slack_user_id is None:
        session().execute(
            delete(SlackIdentityRow).where(
                SlackIdentityRow.unit_id == scope.unit_id,
                SlackIdentityRow.org_member_id == member_id,
            )
        )
        return
    if not _USER_ID.fullmatch(slack_user_id):
        problem = "must be a Slack member ID such as U024BE7LH, from the person's Slack profile"
        raise InvalidError(f"slack_user_id {problem}.", fields={"slack_user_id": problem})
    values = _values(scope, member_id, slack_user_id, source=BY_HAND, now=now)
    session().execute(
        insert(SlackIdentityRow)
        .values(values)
        .on_conflict_do_update(
            index_elements=[SlackIdentityRow.unit_id, SlackIdentityRow.org_member_id],
            set_=values,
        )
    )


def _members(scope: Scope) -> list[Member]:
    listed = identity_queries.list_members(scope)
    return [it.member for it in listed if it.unit_role is not None]


def _users_by_email(site: SlackSite, connection: SlackConnection) -> Iterator[tuple[str, str]]:
    """Yield address and id of everybody in the workspace who can be written to."""
    api, cursor = site.api(connection), ""
    for _ in range(MOST_PAGES):
        answer = api.call(USERS, {"limit": PAGE_SIZE, "cursor": cursor or None})
        for user in answer["members"]:
            email = (user.get("profile") or {}).get("email")
            if email and not user.get("deleted") and not user.get("is_bot"):
                yield email.lower(), user["id"]
        cursor = next_cursor(answer)
        if not cursor:
            return


def _values(
    scope: Scope, member_id: UUID, slack_user_id: str, *, source: str, now: datetime
) -> dict[str, object]:
    return {
        "unit_id": scope.unit_id,
        "org_member_id": member_id,
        "slack_user_id": slack_user_id,
        "source": source,
        "updated_at": now,
    }
