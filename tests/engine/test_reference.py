"""The engine agrees with the reference scorer, to the point, on thousands of streams."""

from __future__ import annotations

from random import Random
from uuid import UUID

import pytest

from leadvibe.engine.decay import Fading
from leadvibe.engine.engagement import compile_config
from leadvibe.engine.facts import Event
from leadvibe.engine.organic import fingerprint
from leadvibe.engine.replay import History, reign_of, replay
from leadvibe.engine.rules import Config
from tests import streams
from tests.reference_scorer import ReferenceScorer

STREAMS_EACH = 250


def history_of(versions):
    configs = {version: Config.from_json(it) for version, (_, it) in versions.items()}
    reigns = [reign_of(configs[version], at) for version, (at, _) in versions.items()]
    awarders = {version: compile_config(config) for version, config in configs.items()}
    return History(awarders, Fading.of(reigns))


def fact_of(told, history):
    test = history.awarders[told["version"]].metadata_test
    return Event(
        UUID(told["event_id"]),
        told["event_type"],
        told["at"],
        told["receipt"],
        told["version"],
        fingerprint(told["metadata"]),
        test.suppresses(told["event_type"], told["metadata"]),
    )


def as_reference_says(outcome, facts):
    """Say an outcome in the reference's words."""
    ids = {fact.receipt: str(fact.event_id) for fact in facts}
    decays = {decay.event_id for decay in outcome.decays}
    ledger = [
        {
            **entry._asdict(),
            "ruleset_id": str(entry.ruleset_id),
            "rule_id": str(entry.rule_id),
            "event_id": None if entry.event_id in decays else str(entry.event_id),
        }
        for entry in outcome.entries
    ]
    return {
        "ledger": ledger,
        "scores": {str(key): it.score for key, it in outcome.state.standings.items()},
        "sessions": [tuple(session) for session in outcome.sessions],
        "reasons": {ids[receipt]: reason for receipt, reason in outcome.judgement.reasons.items()},
        "counted": [str(event.event_id) for event in outcome.counted],
    }


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_scores_as_the_reference_does(seed):
    dice = Random(seed)
    for _ in range(STREAMS_EACH):
        versions = streams.make_versions(dice)
        told = streams.make_events(dice, versions)
        until = dice.choice(
            (
                None,
                streams.START,
                streams.START + sum(dice.choices(streams.GAPS, k=9), streams.GAPS[0]),
            )
        )
        history = history_of(versions)
        facts = [fact_of(one, history) for one in dice.sample(told, len(told))]

        outcome = replay("ana", facts, history, until=until)

        expected = ReferenceScorer(versions).score(told, until=until)
        assert as_reference_says(outcome, facts) == expected
