"""What the pipeline stores is what the reference scorer says, whatever happened on the way.

Units live through a random life: events come in late, in odd batches and dated ahead, the
configuration changes, decay is settled and leads are rescored at odd moments. In the end the
reference goes over each lead's events alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from leadvibe.engine.rules import Config
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import intake, process, rescore
from leadvibe.scoring import applying, settings
from leadvibe.scoring import queries as score_queries
from tests import streams
from tests.effort import examples
from tests.factories import make_event, make_principal, make_scope
from tests.reference_scorer import ReferenceScorer

from .stored import discrepancies, settle

UNITS = examples(16)
PEOPLE = 40
BEGINNING = datetime.min.replace(tzinfo=UTC)


class Life:
    """What happens to a unit, by the dice."""

    def __init__(self, dice: Random, clock: Any) -> None:
        self.dice, self.clock = dice, clock
        clock.now = streams.START - timedelta(days=dice.choice((1, 40)))
        self.scope = make_scope()
        self.snapshot: dict[str, Any] = {}
        self.bases: dict[str, int] = {}
        self.waiting = [one for number in range(PEOPLE) for one in self._stream(number)]
        dice.shuffle(self.waiting)
        self.sent = len(self.waiting)

    def _stream(self, number: int) -> list[intake.IncomingEvent]:
        """Return what somebody does: known from the start, or a stranger at first."""
        names = ({"lead_id": f"lead{number}"},)
        if self.dice.random() < 0.3:
            cookie, email = {"cookie": f"c{number}"}, {"email": f"{number}@example.com"}
            names = (cookie, cookie, email, {**cookie, **email})
        return [
            make_event(
                one["event_type"],
                timestamp=one["at"],
                metadata=one["metadata"],
                **self.dice.choice(names),
            )
            for one in streams.make_events(self.dice, {1: None})
        ]

    def go_on(self) -> None:
        self.reconfigure()
        self.clock.now = streams.START + timedelta(hours=self.dice.choice((-10, 0, 1, 30)))
        while self.waiting:
            self.dice.choice(
                (self.receive, self.receive, self.reconfigure, self.settle, self.rescore)
            )()
            self.clock.forward(seconds=1, hours=self.dice.choice((0, 0, 1, 11, 48)))
        self.clock.forward(days=2)
        self.settle()

    def receive(self) -> None:
        several = self.dice.choice((1, 20, 60, 150))
        batch, self.waiting = self.waiting[:several], self.waiting[several:]
        intake.accept(self.scope, batch, source="test", now=self.clock.now)
        commit()
        process.drain(self.scope, limit=self.dice.choice((7, 50, process.BATCH_SIZE)))

    def reconfigure(self) -> None:
        now, kept = self.clock.now, 0.6 if self.snapshot else 0
        policies = {
            **self.snapshot.get("policies", {}),
            **streams.make_policies(self.dice, now, kept=kept),
        }
        self.snapshot = {**self.snapshot, **streams.make_parts(self.dice, now, kept=kept)}
        self.snapshot |= {"version": 0, "policies": policies}
        who, is_negative = make_principal(self.scope), self.snapshot["allow_negative_scores"]
        settings.update_settings(who, self.scope, {"allow_negative_scores": is_negative}, now=now)
        config = Config.from_json(self.snapshot)
        applying.apply_config(who, self.scope, config, summary="Rolled the dice", now=now)
        commit()

    def settle(self) -> None:
        settle(self.scope, self.clock.now)

    def rescore(self) -> None:
        lead_ids = sorted(self.dice.sample(sorted(self.known()), min(5, len(self.known()))))
        rescore.rescore_leads(self.scope, lead_ids, now=self.clock.now)
        commit()
        self.bases |= dict.fromkeys(lead_ids, score_queries.current_version(self.scope))

    def known(self) -> set[str]:
        return {lead_id for (lead_id,) in self.read("SELECT lead_id FROM leads")}

    def read(self, statement: str, order: str = "") -> list[tuple[Any, ...]]:
        text = f"{statement} WHERE unit_id = %s {order}"
        return driver().execute(text, (self.scope.unit_id,)).fetchall()

    # --- What came of it, in the reference's words ---

    def versions(self) -> dict[int, tuple[datetime, Any]]:
        rows = self.read("SELECT version, created_at, config FROM config_versions")
        return {version: (created_at, config) for version, created_at, config in rows}

    def events(self) -> dict[str | None, list[dict[str, Any]]]:
        statement = """
            SELECT lead_id, event_id, event_type, occurred_at, receipt, version, metadata,
                   suppression_reason
            FROM events
        """
        names = ("event_id", "event_type", "at", "receipt", "version", "metadata", "reason")
        events: dict[str | None, list[dict[str, Any]]] = {}
        for lead_id, *values in self.read(statement, "AND receipt > 0"):
            events.setdefault(lead_id, []).append(dict(zip(names, values, strict=True)))
        return events

    def ledgers(self) -> dict[str, list[dict[str, Any]]]:
        names = (
            "ruleset_id", "seq", "event_id", "rule_id", "kind", "version", "weight",
            "multiplier_percent", "before", "delta", "after", "occurred_at",
        )  # fmt: skip
        statement = f"SELECT lead_id, {', '.join(names)} FROM score_entries"
        ledgers: dict[str, list[dict[str, Any]]] = {}
        for lead_id, *values in self.read(statement, "ORDER BY lead_id, ruleset_id, seq"):
            entry = dict(zip(names, values, strict=True))
            entry["ruleset_id"], entry["rule_id"] = str(entry["ruleset_id"]), str(entry["rule_id"])
            if entry["kind"] == "decay":
                entry["event_id"] = None
            ledgers.setdefault(lead_id, []).append(entry)
        return ledgers

    def sessions(self) -> dict[str, list[tuple[Any, ...]]]:
        statement = "SELECT lead_id, started_at, ended_at, event_count FROM lead_sessions"
        sessions: dict[str, list[tuple[Any, ...]]] = {}
        for lead_id, *values in self.read(statement, "ORDER BY lead_id, started_at"):
            sessions.setdefault(lead_id, []).append(tuple(values))
        return sessions


def reference_for(versions: dict[int, Any], base: int) -> ReferenceScorer:
    """Return the reference for a lead that was rescored under a version, or never (0)."""
    known = {version: it for version, it in versions.items() if version > base}
    if base:
        known[base] = (BEGINNING, versions[base][1])
    return ReferenceScorer(known)


@pytest.mark.parametrize("seed", range(UNITS))
def test_what_is_stored_is_what_the_reference_says(app, clock, seed):
    life = Life(Random(seed), clock)

    life.go_on()

    versions, events = life.versions(), life.events()
    ledgers, sessions = life.ledgers(), life.sessions()
    unclaimed = events.pop(None, [])
    assert sum(map(len, events.values())) + len(unclaimed) == life.sent
    for lead_id, stored in events.items():
        base = life.bases.get(lead_id, 0)
        reference = reference_for(versions, base)
        told = [{**event, "version": max(event["version"], base)} for event in stored]
        expected = reference.score(told, until=clock.now)
        ledger = sorted(expected["ledger"], key=lambda entry: (entry["ruleset_id"], entry["seq"]))
        reasons = {it["event_id"]: it["reason"] for it in told if it["reason"]}
        assert ledgers.get(lead_id, []) == [said_first(reference, it) for it in ledger], lead_id
        assert sessions.get(lead_id, []) == expected["sessions"], lead_id
        assert reasons == expected["reasons"], lead_id
    assert discrepancies(life.scope) == []
    assert_mute(unclaimed, reference_for(versions, 0))


def said_first(reference: ReferenceScorer, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of decay with the version that was the first to say what is said of decay."""
    version, versions = entry["version"], reference.versions
    while entry["kind"] == "decay" and version - 1 in versions:
        before, after = (versions[it][1] for it in (version - 1, version))
        if words_on_decay(before) != words_on_decay(after):
            break
        version -= 1
    return {**entry, "version": version}


def words_on_decay(snapshot: Any) -> tuple[Any, Any]:
    return snapshot["policies"]["decays"], snapshot["allow_negative_scores"]


def assert_mute(unclaimed: list[dict[str, Any]], reference: ReferenceScorer) -> None:
    """Check that events of nobody are such that no filter lets a single one count."""
    for event in unclaimed:
        assert event["reason"] == reference.find_reasons([event])[event["event_id"]]
