"""Writes of triggers; each change takes the lock of the unit's configuration.

Fields come by the names of the values that hold them (Setup, its shape, filters and recipients),
all in one mapping, so that a change of one of them leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update

from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.rules import LevelKind
from leadvibe.engine.triggers import (
    Filters,
    FireMode,
    Milestone,
    Pattern,
    Sequence,
    Shape,
    Surge,
    TriggerKind,
    to_json,
)
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id
from leadvibe.notifications.outbox import register_destinations
from leadvibe.notifications.types import Transport
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.service import lock_configuration
from leadvibe.triggers import queries
from leadvibe.triggers.checks import (
    Problem,
    find_channel_id,
    problems_of_aim,
    problems_of_recipients,
    refuse,
    tidied,
)
from leadvibe.triggers.errors import TooManyTriggersError, TriggerChangedError
from leadvibe.triggers.models import TriggerMemoryRow, TriggerRow
from leadvibe.triggers.queries import RECIPIENTS
from leadvibe.triggers.types import Recipients, Setup, Trigger
from leadvibe.triggers.wording import LONGEST_NAME, name_of

MOST_TRIGGERS = 200
"""Of a unit: each event is held against all of them."""

Fields = Mapping[str, Any]

_SHAPES: Mapping[TriggerKind, type[Shape]] = {
    TriggerKind.MILESTONE: Milestone,
    TriggerKind.SEQUENCE: Sequence,
    TriggerKind.PATTERN: Pattern,
    TriggerKind.SURGE: Surge,
}
_LEVELS = {
    "engagement_levels": LevelKind.ENGAGEMENT,
    "profile_levels": LevelKind.PROFILE,
    "account_levels": LevelKind.ACCOUNT,
}


def create_trigger(
    principal: Principal, scope: Scope, kind: TriggerKind, given: Fields, *, now: datetime
) -> Trigger:
    """Make a trigger; it hears of events that come from now on.

    Raises BadTriggerError, TooManyTriggersError and, for levels of accounts, AbmDisabledError.
    """
    lock_configuration(scope)
    _check_room(scope)
    setup = _named(_begun(kind, given))
    _check(scope, setup, given)
    return _insert(principal, scope, kind, setup, now=now)


def copy_trigger(
    principal: Principal, scope: Scope, kind: TriggerKind, trigger_id: UUID, *, now: datetime
) -> Trigger:
    """Make a trigger as another is, with a name of its own.

    It is inactive, or everything would be told twice before anybody has changed it. Raises
    TriggerNotFoundError and TooManyTriggersError.
    """
    lock_configuration(scope)
    _check_room(scope)
    trigger = queries.get_trigger(scope, kind, trigger_id)
    name = _name_of_copy(scope, trigger.name)
    # What it names and is gone since is copied as it is: it was judged when it was chosen.
    setup = Setup(**_own(trigger) | {"name": name, "active": False})
    return _insert(principal, scope, kind, setup, now=now)


def _check_room(scope: Scope) -> None:
    if queries.count_triggers(scope) >= MOST_TRIGGERS:
        raise TooManyTriggersError(
            f"The unit has {MOST_TRIGGERS} triggers, and more cannot be. Delete one that nobody"
            " needs any more."
        )


def _name_of_copy(scope: Scope, name: str) -> str:
    """Return the first of "Ready copy", "Ready copy 2" and so on that no trigger has."""
    taken = {trigger.name for trigger in queries.list_triggers(scope)}
    for number in count(1):
        ending = " copy" if number == 1 else f" copy {number}"
        wanted = name[: LONGEST_NAME - len(ending)].rstrip() + ending
        if wanted not in taken:
            return wanted
    raise AssertionError


def _insert(
    principal: Principal, scope: Scope, kind: TriggerKind, setup: Setup, *, now: datetime
) -> Trigger:
    trigger_id, by = new_id(), principal.label
    session().execute(
        insert(TriggerRow).values(
            unit_id=scope.unit_id, trigger_id=trigger_id, kind=kind, **_columns(setup),
            created_at=now, updated_at=now, created_by=by, updated_by=by,
        )
    )  # fmt: skip
    _register_webhook(scope, setup, now=now)
    return queries.get_trigger(scope, kind, trigger_id)


def update_trigger(
    principal: Principal,
    scope: Scope,
    kind: TriggerKind,
    trigger_id: UUID,
    changes: Fields,
    *,
    seen_at: datetime | None = None,
    now: datetime,
) -> Trigger:
    """Change what is given. A trigger that looks for something else, or for others, starts anew.

    Raises TriggerNotFoundError, what create_trigger does and, when it is not as it was last
    changed at `seen_at`, TriggerChangedError.
    """
    lock_configuration(scope)
    current = queries.get_trigger(scope, kind, trigger_id)
    if seen_at is not None and current.updated_at != seen_at:
        raise TriggerChangedError(
            f"The trigger was changed by {current.updated_by} meanwhile. Read it again, and decide"
            " what to change of it now."
        )
    setup = _renamed(current, _changed(current, changes))
    _check(scope, setup, changes)
    session().execute(
        update(TriggerRow)
        .where(TriggerRow.unit_id == scope.unit_id, TriggerRow.trigger_id == trigger_id)
        .values(**_columns(setup), updated_at=now, updated_by=principal.label)
    )
    if (setup.shape, setup.filters) != (current.shape, current.filters):
        _forget(scope, trigger_id)
    _register_webhook(scope, setup, now=now)
    return queries.get_trigger(scope, kind, trigger_id)


def delete_trigger(scope: Scope, kind: TriggerKind, trigger_id: UUID) -> None:
    """Delete a trigger; what it emitted stays. Raises TriggerNotFoundError."""
    lock_configuration(scope)
    queries.get_trigger(scope, kind, trigger_id)
    session().execute(
        delete(TriggerRow).where(
            TriggerRow.unit_id == scope.unit_id, TriggerRow.trigger_id == trigger_id
        )
    )


def draft_trigger(scope: Scope, kind: TriggerKind, given: Fields, *, prefix: str = "") -> Setup:
    """Return a trigger to try before it is made, wherever its notices are to go.

    Raises what create_trigger does; `prefix` stands before the fields that errors name.
    """
    setup = _begun(kind, given)
    refuse(problems_of_aim(setup, prefix=prefix))
    refuse(_problems_of_names(scope, setup, given, prefix=prefix))
    return setup


def _begun(kind: TriggerKind, given: Fields) -> Setup:
    shape = _SHAPES[kind](**_those_of(_SHAPES[kind], given))
    usual = FireMode.ALWAYS if kind is TriggerKind.SURGE else FireMode.ONCE
    return _changed(Setup(shape=shape, fire_mode=usual), given)


def _changed(current: Setup, changes: Fields) -> Setup:
    """Return a setup with some fields of it, or of what it holds, changed."""
    recipients = replace(current.recipients, **_those_of(Recipients, changes))
    return Setup(
        **_own(current)
        | _those_of(Setup, changes)
        | {
            "shape": replace(current.shape, **_those_of(type(current.shape), changes)),
            "filters": replace(current.filters, **_those_of(Filters, changes)),
            "recipients": tidied(recipients),
        }
    )


def _own(setup: Setup) -> dict[str, Any]:
    return {each.name: getattr(setup, each.name) for each in fields(Setup)}


def fields_of(setup: Setup) -> dict[str, Any]:
    """Return all fields of a trigger as they are given to create_trigger."""
    own = _own(setup)
    parts = [own.pop(name) for name in ("shape", "filters", "recipients")]
    return own | {each.name: getattr(part, each.name) for part in parts for each in fields(part)}


def _those_of(kind: type[Any], given: Fields) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in given.items() if name in names}


def _named(setup: Setup) -> Setup:
    return setup if setup.name else replace(setup, name=name_of(setup.shape))


def _renamed(before: Setup, after: Setup) -> Setup:
    """Let a name that nobody gave keep saying what the trigger looks for."""
    is_ours = after.name == before.name == name_of(before.shape)
    return _named(replace(after, name="") if is_ours else after)


def _columns(setup: Setup) -> dict[str, Any]:
    return _own(setup) | {
        "shape": to_json(setup.shape),
        "filters": to_json(setup.filters),
        "recipients": RECIPIENTS.dump_python(setup.recipients, mode="json"),
    }


def _check(scope: Scope, setup: Setup, given: Fields) -> None:
    refuse(problems_of_aim(setup))
    refuse(problems_of_recipients(setup))
    refuse(_problems_of_names(scope, setup, given))


def _problems_of_names(
    scope: Scope, setup: Setup, given: Fields, *, prefix: str = ""
) -> Iterator[Problem]:
    """Yield which of the names that are given name nothing.

    What was there when it was chosen, and is gone since, must not keep others from being changed.
    """
    if given.get("account_levels"):
        scoring.require_abm(scope)
    for field, kind in _LEVELS.items():
        yield from _problems_of_levels(scope, prefix + field, kind, given.get(field, ()))
    ruleset_id = given.get("ruleset_id")
    if ruleset_id and ruleset_id not in {it.ruleset_id for it in scoring.list_rulesets(scope)}:
        yield (
            f"{prefix}ruleset_id",
            "names no ruleset of this unit: leave it out for the primary one",
        )
    if "channel_ids" in given:
        channel_ids = setup.recipients.channel_ids
        known = queries.find_channels(scope, channel_ids)
        for place, channel_id in enumerate(channel_ids):
            if channel_id not in known:
                yield f"{prefix}channel_ids.{place}", "names no notification channel of this unit"
    teams = find_channel_id(given.get("teams_target_id", ""))
    if teams is not None and not queries.find_channels(scope, [teams]):
        yield f"{prefix}teams_target_id", "names no notification channel of this unit"


def _problems_of_levels(
    scope: Scope, field: str, kind: LevelKind, names: tuple[str, ...]
) -> Iterator[Problem]:
    if not names:
        return
    known = [*(level.name for level in scoring.list_levels(scope, kind)), UNCLASSIFIED]
    for place, name in enumerate(names):
        if name not in known:
            yield f"{field}.{place}", f"names no level of that kind: use one of {', '.join(known)}"


def _register_webhook(scope: Scope, setup: Setup, *, now: datetime) -> None:
    """Let the webhook's secret be seen before the first notice goes there."""
    if url := setup.recipients.webhook_url:
        register_destinations(scope, [(Transport.WEBHOOK, url)], now=now)


def _forget(scope: Scope, trigger_id: UUID) -> None:
    session().execute(
        delete(TriggerMemoryRow).where(
            TriggerMemoryRow.unit_id == scope.unit_id, TriggerMemoryRow.trigger_id == trigger_id
        )
    )
