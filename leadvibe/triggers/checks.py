"""What is wrong with a trigger by itself, field by field as the API calls them. Pure.

That each value is of its kind and within its bounds has been seen to by whoever read it; whether
the rulesets, levels and channels exist that it names is the service's to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

from leadvibe.engine.conditions import Condition, ConditionError, parse_operator
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import Milestone, Pattern, Sequence, Shape, Surge
from leadvibe.identity.checks import checked_email
from leadvibe.lib.errors import InvalidError
from leadvibe.triggers.errors import BadTriggerError
from leadvibe.triggers.types import Recipients, Setup

LONGEST_WINDOW_SECONDS = 90 * 24 * 60 * 60
LONGEST_COOLDOWN_SECONDS = 365 * 24 * 60 * 60
MOST_STEPS = 20
MOST_TESTS = 20
MOST_EMAILS = 20
MOST_CHANNELS = 20
MOST_EVENTS = 10_000
"""That a count may ask for."""

LONGEST_URL = 2_000

Problem = tuple[str, str]
"""The field and what is wrong with it."""


def refuse(problems: Iterable[Problem]) -> None:
    """Raise BadTriggerError when there are any problems."""
    found: dict[str, str] = {}
    for field, problem in problems:
        found.setdefault(field, problem)
    if found:
        field, problem = next(iter(found.items()))
        raise BadTriggerError(f"{field} {problem}.", fields=found)


def problems_of_aim(setup: Setup, *, prefix: str = "") -> Iterator[Problem]:
    """Yield what is wrong with what a trigger looks for, and for whom."""
    shape, filters = setup.shape, setup.filters
    yield from _problems_of_shape(shape, prefix)
    yield from _problems_of_tests(f"{prefix}profile_filters", filters.profile_tests)
    yield from _problems_of_tests(f"{prefix}lead_attribute_filters", filters.attribute_tests)


def problems_of_recipients(setup: Setup) -> Iterator[Problem]:
    """Yield what is wrong with whom a trigger tells."""
    told, shape = setup.recipients, setup.shape
    if told.webhook_url and (problem := find_url_problem(told.webhook_url)):
        yield "webhook_url", problem
    yield from _problems_of_emails(told.emails)
    if isinstance(shape, Surge) and bool(told.webhook_url) == bool(told.emails):
        needed = "leave out one of them" if told.emails else "give one of them"
        yield (
            "webhook_url",
            f"or emails, exactly one of the two, is where surges are sent: {needed}",
        )
    if isinstance(shape, Sequence) and told.are_none:
        yield "webhook_url", "is missing: give one, or another destination such as emails"
    yield from _problems_of_target("slack", told.slack_target_kind, told.slack_target_id)
    yield from _problems_of_target("teams", told.teams_target_kind, told.teams_target_id)
    teams = told.teams_target_id
    if teams and find_channel_id(teams) is None and (problem := find_url_problem(teams)):
        yield "teams_target_id", f"must be the id of a channel or a workflow's URL: it {problem}"


def find_url_problem(url: str) -> str | None:
    """Return what is wrong with the form of an address to post to, or None."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address: give one such as https://example.com/hook"
    if parts.scheme not in {"http", "https"} or not host:
        return "must be an http or https address such as https://example.com/hook"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if any(char.isspace() or not char.isprintable() for char in url):
        return "must not hold blanks or control characters"
    return None


def find_channel_id(target: str) -> UUID | None:
    """Return the notification channel that a Teams target names, or None when it is a URL."""
    try:
        return UUID(target)
    except ValueError:
        return None


def tidied(told: Recipients) -> Recipients:
    """Return recipients in the one form that is stored; what is wrong with them stays wrong."""
    return replace(
        told,
        webhook_url=told.webhook_url.strip(),
        emails=tuple(dict.fromkeys(it.strip().lower() for it in told.emails)),
        channel_ids=tuple(dict.fromkeys(told.channel_ids)),
        slack_target_kind=_kind_of(told.slack_target_kind, told.slack_target_id),
        teams_target_id=_teams_target(told.teams_target_id),
        teams_target_kind=_kind_of(told.teams_target_kind, told.teams_target_id),
    )


def _teams_target(target: str) -> str:
    """Return a target as it is looked for later: ids have several spellings."""
    channel_id = find_channel_id(target)
    return target.strip() if channel_id is None else str(channel_id)


def _kind_of(kind: str, target_id: str) -> str:
    return kind or ("channel" if target_id else "")


def _problems_of_target(name: str, kind: str, target_id: str) -> Iterator[Problem]:
    if kind and not target_id:
        yield f"{name}_target_id", f"is missing: say which {kind}, or leave the kind empty"


def _problems_of_emails(emails: Iterable[str]) -> Iterator[Problem]:
    for place, email in enumerate(emails):
        try:
            checked_email(email)
        except InvalidError:
            yield f"emails.{place}", "is not an e-mail address: check how it is spelled"


def _problems_of_shape(shape: Shape, prefix: str) -> Iterator[Problem]:
    if isinstance(shape, Milestone):
        return
    if isinstance(shape, Sequence):
        for place, step in enumerate(shape.steps):
            yield from _problems_of_tests(f"{prefix}event_steps.{place}.filters", step.tests)
    if isinstance(shape, Pattern):
        for place, count in enumerate(shape.counts):
            field = f"{prefix}conditions.{place}.filters"
            yield from _problems_of_tests(field, count.step.tests)


def _problems_of_tests(field: str, tests: Iterable[FieldTest]) -> Iterator[Problem]:
    for place, test in enumerate(tests):
        try:
            Condition(test.key, parse_operator(test.operator), test.value)
        except ConditionError as error:
            yield f"{field}.{place}.{_blamed(test)}", f"does not fit: {error}"


def _blamed(test: FieldTest) -> str:
    try:
        parse_operator(test.operator)
    except ConditionError:
        return "operator"
    try:
        Condition(test.key, parse_operator("exists"))
    except ConditionError:
        return "field"
    return "value"
