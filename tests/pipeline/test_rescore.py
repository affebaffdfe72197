from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import process, rescore
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring
from leadvibe.scoring import settings
from tests.factories import make_event, make_principal, make_rule, make_ruleset, make_scope, send

TAMPERING = {
    "a score": "UPDATE lead_scores SET score = score + 1",
    "a ledger row": "UPDATE score_entries SET delta = delta + 1 WHERE seq = 2",
    "a missing ledger row": "DELETE FROM score_entries WHERE seq = 2",
    "an invented ledger row": """
        INSERT INTO score_entries
        SELECT unit_id, lead_id, ruleset_id, seq + 100, event_id, rule_id, version, kind, weight,
               multiplier_percent, before, delta, after, occurred_at
        FROM score_entries WHERE seq = 1
    """,
    "a headline": "UPDATE leads SET score = 999",
    "a count": "UPDATE leads SET event_count = 0",
    "a session": "UPDATE lead_sessions SET event_count = event_count + 1",
    "a missing session": "DELETE FROM lead_sessions",
}


@pytest.fixture
def scope(app) -> Scope:
    """Return a unit with one lead that has events, and one that has none."""
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    send(scope, *(make_event(lead_id="ana") for _ in range(3)), make_event("other", lead_id="bo"))
    commit()
    process.drain(scope)
    return scope


def found(scope: Scope) -> list[tuple[str, str]]:
    return [(one.lead_id, one.what) for step in rescore.verify(scope) for one in step.found]


def headline(scope: Scope, lead_id: str) -> int:
    [score] = driver().execute("SELECT score FROM leads WHERE lead_id = %s", (lead_id,)).fetchone()
    return score


def test_what_the_pipeline_stores_is_right(scope):
    assert found(scope) == []


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found_and_repaired(scope, what):
    driver().execute(TAMPERING[what])
    commit()
    assert {lead_id for lead_id, _ in found(scope)} >= {"ana"}

    for _ in rescore.rebuild(scope):
        pass

    assert found(scope) == []
    assert headline(scope, "ana") == 15


def test_a_total_that_is_wrong_is_found_and_repaired(scope):
    driver().execute("UPDATE lead_histograms SET leads = 7 WHERE facet = 'event_type'")
    commit()
    assert ("", "leads by event_type page_view") in found(scope)

    list(rescore.rebuild(scope))

    assert found(scope) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE lead_record_counts SET leads = leads + 1, value = 3 WHERE outcome = 'open'",
        "DELETE FROM lead_record_counts",
        "UPDATE lead_record_texts SET contact = 'Eve' WHERE lead_id = 'ana'",
        "DELETE FROM lead_record_texts WHERE lead_id = 'bo'",
        "UPDATE lead_record_texts SET lead_id = 'bob' WHERE lead_id = 'bo'",
    ],
)
def test_what_is_kept_of_records_is_found_wrong_and_repaired(scope, tampering):
    driver().execute(tampering)
    commit()
    assert found(scope)

    list(rescore.rebuild(scope))

    assert found(scope) == []


def test_verifying_changes_nothing(scope):
    driver().execute(TAMPERING["a score"])
    commit()

    assert found(scope) == found(scope) != []


def test_a_new_primary_ruleset_shows_its_score_once_the_headlines_are_fresh(scope):
    second = make_ruleset(scope)
    make_rule(scope, "page_view", 2, ruleset=second)
    send(scope, make_event(lead_id="ana"))
    commit()
    process.drain(scope)
    assert headline(scope, "ana") == 20

    scoring.update_ruleset(
        make_principal(scope), scope, second.ruleset_id, {"is_primary": True}, now=utc_now()
    )
    commit()
    assert score_queries.units_with_stale_headlines() == [scope.unit_id]
    rescore.refresh_headlines(scope)

    assert headline(scope, "ana") == 2
    assert score_queries.units_with_stale_headlines() == []
    assert found(scope) == []


def test_headlines_are_not_fresh_when_the_primary_changes_while_they_are_made(scope):
    now = utc_now()
    scoring.mark_headlines_stale(scope, now=now)
    begun = score_queries.headlines_stale_since(scope)

    scoring.mark_headlines_stale(scope, now=now - timedelta(seconds=1))  # by another clock
    scoring.settle_headlines(scope, since=begun)

    assert score_queries.units_with_stale_headlines() == [scope.unit_id]


def test_without_a_primary_a_silent_ruleset_says_nothing_rather_than_less(scope):
    second = make_ruleset(scope)
    make_rule(scope, "complaint", -20)
    principal = make_principal(scope)
    settings.update_settings(principal, scope, {"allow_negative_scores": True}, now=utc_now())
    primary = score_queries.find_primary(scope)
    scoring.update_ruleset(
        principal, scope, primary.ruleset_id, {"is_primary": False}, now=utc_now()
    )
    commit()
    send(scope, make_event("complaint", lead_id="cross"))
    commit()
    process.drain(scope)
    assert headline(scope, "cross") == 0

    scoring.update_ruleset(principal, scope, second.ruleset_id, {"active": False}, now=utc_now())
    commit()
    rescore.refresh_headlines(scope)
    assert headline(scope, "cross") == -20

    scoring.update_ruleset(principal, scope, second.ruleset_id, {"active": True}, now=utc_now())
    commit()
    rescore.refresh_headlines(scope)
    assert headline(scope, "cross") == 0
    assert found(scope) == []


def test_the_walk_over_all_leads_counts_them(scope, monkeypatch):
    monkeypatch.setattr(rescore, "LEADS_AT_ONCE", 1)

    assert [step.leads_done for step in rescore.verify(scope)] == [1, 2, 2]
