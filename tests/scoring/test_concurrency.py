"""Several people change configurations at once, while events come in: real commits, in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from flask import Flask

from leadvibe.engine.policies import EventTypePolicy
from leadvibe.events import service as events
from leadvibe.identity.types import Scope
from leadvibe.lib.db import commit, rollback
from leadvibe.scoring import policies, queries, settings, versions
from leadvibe.scoring.changes import changes_between
from tests.factories import make_organization, make_principal, make_scope

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = ("DECAY", "demo", "page_view", "signup")
ROUNDS = 12


def test_changes_at_once_queue_and_every_version_is_whole(app, fresh_database):
    organization = make_organization()
    units = [make_scope(organization) for _ in range(2)]
    commit()
    before = {unit: queries.current_version(unit) for unit in units}
    rollback()

    failures = at_once(
        app,
        lambda turn: add_decay(units[0], turn),
        lambda turn: change_settings(units[turn % 2], turn),
        lambda turn: change_settings(units[(turn + 1) % 2], turn + 1),
        lambda turn: choose_types(units[1], turn),
        lambda turn: count_events(units[1]),
    )

    assert failures == []
    for unit in units:
        current = queries.current_version(unit)
        made = [queries.get_config_version(unit, number) for number in range(1, current + 1)]
        assert None not in made
        assert current > before[unit]
        snapshot = queries.get_config(unit, current)
        assert changes_between(snapshot, queries.read_config(unit)) == []
    assert len(queries.read_config(units[0]).policies.decays) == ROUNDS


def at_once(app: Flask, *changes: Callable[[int], None]) -> list[BaseException]:
    """Let each change happen again and again in a thread of its own; returns what went wrong."""
    failures: list[BaseException] = []

    def work(change: Callable[[int], None]) -> None:
        with app.app_context():
            try:
                for turn in range(ROUNDS):
                    change(turn)
                    commit()
            except BaseException as error:
                failures.append(error)
                raise

    workers = [threading.Thread(target=work, args=(change,)) for change in changes]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    return failures


def add_decay(scope: Scope, turn: int) -> None:
    fields = {"inactive_for": turn + 1, "unit": "days", "decrease": 1}
    policies.create_decay(make_principal(scope), scope, fields, now=NOW)


def change_settings(scope: Scope, turn: int) -> None:
    wanted = {"allow_negative_scores": bool(turn % 2), "session_timeout_minutes": turn + 1}
    settings.update_settings(make_principal(scope), scope, wanted, now=NOW)


def choose_types(scope: Scope, turn: int) -> None:
    config = queries.read_config(scope)
    hidden = EventTypePolicy(hidden=True)
    chosen = {name: hidden for place, name in enumerate(TYPES[1:]) if turn >> place & 1}
    config = replace(config, policies=replace(config.policies, event_types=chosen))
    versions.import_config(make_principal(scope), scope, config, now=NOW)


def count_events(scope: Scope) -> None:
    """Count as the pipeline does: a batch by type, then what decay wrote."""
    events.register_types(scope, dict.fromkeys(reversed(TYPES), 1), now=NOW)
    events.register_types(scope, {"DECAY": 1}, now=NOW)


def test_a_version_that_was_rolled_back_is_not_remembered(app, fresh_database):
    scope = make_scope()
    commit()
    number = queries.current_version(scope) + 1
    add_decay(scope, 0)
    add_decay(scope, 1)
    rollback()

    add_decay(scope, 6)
    commit()

    [decay] = queries.get_config(scope, number).policies.decays
    assert decay.inactive_for == 7
