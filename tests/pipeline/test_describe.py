"""Describing leads: mappings, accounts and scores by attributes, as events come in."""

from __future__ import annotations

import random
from typing import Any

import pytest

from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import describe, editing, merging, rescore
from leadvibe.pipeline.describe import NOTHING, describe_leads, redescribe_leads
from leadvibe.pipeline.scorebook import current_config
from leadvibe.scoring.profiles import Side
from tests.factories import make_organization, make_principal, make_rule, make_scope
from tests.pipeline.describing import Describing


@pytest.fixture
def unit(app) -> Describing:
    return Describing(make_scope())


def make_lead(unit: Describing, lead_id: str, **fields: Any) -> None:
    editing.create_lead(
        unit.scope,
        lead_id=lead_id,
        metadata=fields.pop("metadata", {}),
        account_id=fields.pop("account_id", None),
        source="api",
        now=utc_now(),
    )
    commit()


def everything(unit: Describing) -> dict[str, list[Any]]:
    """Return all that describing came to, without ids and times that differ each time."""
    queries = {
        "leads": "SELECT lead_id, metadata, account_id FROM leads",
        "traces": "SELECT lead_id, properties, link FROM lead_traces",
        "accounts": "SELECT account_id, domain, name, metadata, leads_count FROM accounts",
        "profile": "SELECT lead_id, score, matched FROM lead_profile_scores",
        "account": "SELECT account_id, score, matched FROM account_scores",
    }
    return {
        name: sorted(
            map(repr, driver().execute(f"{query} WHERE unit_id = %s", (unit.scope.unit_id,)))
        )
        for name, query in queries.items()
    }


class TestMappings:
    def test_events_fill_in_properties_by_their_time_not_their_arrival(self, unit):
        unit.map("plan", "tier")
        unit.map("utm", "source", "set_once")
        unit.map("page.path", "page", "append")

        unit.happen("ada", hours=2, plan="pro", utm="later", page={"path": "/b"})
        unit.happen("ada", hours=1, plan="free", utm="first", page={"path": "/a"})

        assert unit.metadata("ada") == {
            "tier": "pro",
            "source": "first",
            "page": "/b",
            "page_list": ["/a", "/b"],
        }

    def test_a_lead_is_called_by_what_events_say_its_name_is(self, unit):
        unit.map("name", "name")

        unit.happen("ada", name="Ada Lovelace")

        [name] = (
            driver()
            .execute("SELECT name FROM leads WHERE unit_id = %s", (unit.scope.unit_id,))
            .fetchone()
        )
        assert name == "Ada Lovelace"

    def test_what_somebody_sets_by_hand_outlives_events_from_before(self, unit):
        unit.map("plan", "tier")
        unit.happen("ada", plan="pro")

        editing.patch_lead(unit.scope, "ada", {"tier": "gold"}, now=utc_now())
        unit.happen("ada", hours=1, plan="free")  # before the change: NOON lies in the past

        assert unit.metadata("ada") == {"tier": "gold"}

    def test_a_unit_without_mappings_rulesets_and_accounts_asks_nothing_of_the_database(
        self, unit, statements
    ):
        config = current_config(unit.scope)
        statements.clear()

        done = describe_leads(unit.scope, {"ada": []}, config, now=utc_now())

        assert (done, statements) == (NOTHING, [])
        assert not describe.is_needed(config)

    def test_the_number_of_statements_does_not_grow_with_the_leads(self, unit, statements):
        unit.enable_accounts()
        unit.map("plan", "tier")
        unit.map("size", "size", side=Side.ACCOUNT)
        unit.add_rule(unit.add_set(), "tier", "equals", "pro")

        def cost(count: int, first: int) -> int:
            events = [
                unit.event(email=f"p{n}@c{n}.test", plan="pro", size=n)
                for n in range(first, first + count)
            ]
            statements.clear()
            unit.take_in(events)
            return len(statements)

        cost(1, 0)
        assert cost(40, 100) == cost(2, 200)


class TestProfileScores:
    def test_a_lead_is_scored_when_its_properties_change(self, unit):
        unit.map("plan", "tier")
        fit = unit.add_set()
        unit.add_rule(fit, "tier", "equals", "pro", weight=30)

        unit.happen("ada", plan="pro")
        assert unit.scores("ada") == {fit: 30}

        unit.happen("ada", hours=1, plan="free")
        assert unit.scores("ada") == {}

    def test_a_new_lead_is_worth_what_is_not_known_about_it(self, unit):
        fit = unit.add_set()
        unit.add_rule(fit, "phone", "not_exists", weight=5)

        unit.happen("ada")

        assert unit.scores("ada") == {fit: 5}

    def test_leads_made_and_changed_by_hand_are_scored_at_once(self, unit):
        fit = unit.add_set()
        unit.add_rule(fit, "industry", "equals", "tech", weight=20)

        make_lead(unit, "ada", metadata={"industry": "Tech"})
        make_lead(unit, "bob")
        editing.replace_lead(unit.scope, "bob", {"industry": "tech"}, now=utc_now())
        editing.patch_lead(unit.scope, "ada", {"industry": None}, now=utc_now())

        assert (unit.scores("ada"), unit.scores("bob")) == ({}, {fit: 20})


class TestAccounts:
    @pytest.fixture(autouse=True)
    def _enabled(self, unit):
        unit.enable_accounts()

    def test_leads_of_one_company_share_an_account(self, unit):
        unit.take_in(
            [
                unit.event("ada", email="ada@mail.acme.co.uk"),
                unit.event("bob", email="bob@acme.co.uk"),
                unit.event("eve", email="eve@gmail.com"),
            ]
        )

        assert unit.account_of("ada") == unit.account_of("bob") == "acme.co.uk"
        assert unit.account_of("eve") is None
        assert unit.account("acme.co.uk").leads_count == 2
        assert unit.account("ACME.co.uk").domain == "acme.co.uk"

    def test_an_id_that_an_event_names_wins_over_the_domain(self, unit):
        unit.happen("ada", email="ada@acme.test")
        unit.happen("ada", hours=1, accountId="A-17")

        assert unit.account_of("ada") == "A-17"
        assert unit.account("A-17").domain is None
        assert (unit.account("A-17").leads_count, unit.account("acme.test").leads_count) == (1, 0)

    def test_an_account_named_by_hand_or_by_metadata(self, unit):
        make_lead(unit, "ada", account_id="H-1", metadata={"accountId": "M-1"})
        make_lead(unit, "bob", metadata={"account_id": "M-1"})
        unit.happen("ada", accountId="E-1")

        assert (unit.account_of("ada"), unit.account_of("bob")) == ("H-1", "M-1")

    def test_a_lead_moved_by_hand_and_let_go_again(self, unit):
        unit.happen("ada", email="ada@acme.test")

        editing.move_lead(unit.scope, "ada", "H-1", now=utc_now())
        assert unit.account_of("ada") == "H-1"

        editing.move_lead(unit.scope, "ada", None, now=utc_now())
        assert unit.account_of("ada") == "acme.test"
        assert unit.wrong_roll_ups() == []

    def test_roll_ups_follow_scores_merges_and_deletions(self, unit):
        make_rule(unit.scope, "page_view", 7)
        commit()
        unit.happen("ada", email="ada@acme.test")
        unit.happen("ada", hours=1)
        unit.happen("bob", email="bob@acme.test")
        assert unit.account("acme.test").top_score == 14
        assert unit.account("acme.test").top_lead_id == "ada"

        leads.lock_identities(unit.scope)
        editing.forget_leads(unit.scope, ["ada"])
        leads.forget(unit.scope, ["ada"])

        assert unit.account("acme.test").top_lead_id == "bob"
        assert unit.account("acme.test").leads_count == 1
        assert unit.wrong_roll_ups() == []

    def test_a_visitor_who_turns_out_to_be_somebody_is_counted_once(self, unit):
        unit.map("plan", "tier")
        unit.happen(cookie="c1", accountId="A-1", plan="pro")

        unit.happen("ada", email="ada@acme.test", cookie="c1")

        assert unit.account_of("ada") == "A-1"
        assert unit.account("A-1").leads_count == 1
        assert unit.metadata("ada") == {"tier": "pro"}

    def test_account_mappings_hear_all_that_a_newcomer_ever_told(self, unit):
        unit.map("employees", "size", side=Side.ACCOUNT)
        unit.map("company", "name", side=Side.ACCOUNT)
        unit.happen("ada", employees=50, company="Acme Inc.")
        unit.happen("bob", hours=1, email="bob@acme.test", employees=70)

        unit.happen("ada", hours=2, email="ada@acme.test")

        account = unit.account("acme.test")
        assert account.metadata == {"size": 70, "name": "Acme Inc."}
        assert account.name == "Acme Inc."

    def test_an_account_is_scored_by_its_own_attributes(self, unit):
        unit.map("employees", "size", side=Side.ACCOUNT)
        fit = unit.add_set(side=Side.ACCOUNT)
        unit.add_rule(fit, "size", "gte", 100, weight=50, side=Side.ACCOUNT)
        unit.add_rule(fit, "country", "not_exists", weight=1, side=Side.ACCOUNT)

        unit.happen("ada", email="ada@acme.test", employees=120)
        unit.happen("bob", email="bob@small.test", employees=3)

        assert unit.scores("acme.test", Side.ACCOUNT) == {fit: 51}
        assert (unit.account("acme.test").score, unit.account("small.test").score) == (51, 1)

    def test_deleting_an_account_leaves_its_leads_out_of_it(self, unit):
        fit = unit.add_set(side=Side.ACCOUNT)
        unit.add_rule(fit, "country", "not_exists", side=Side.ACCOUNT)
        unit.happen("ada", email="ada@acme.test")
        unit.happen("bob", email="bob@other.test")

        done = editing.delete_accounts(unit.scope, ["acme.test", "nobody"], now=utc_now())
        unit.happen("ada", hours=1)

        assert done == (1, 1)
        assert unit.account_of("ada") is None
        assert unit.account_of("bob") == "other.test"
        assert unit.scores("acme.test", Side.ACCOUNT) == {}

    def test_an_account_of_the_same_name_elsewhere_is_another(self, unit):
        other = Describing(make_scope(make_organization("Elsewhere")))
        other.enable_accounts()
        other.happen("ada", email="ada@acme.test")
        unit.happen("bob", email="bob@acme.test")

        assert unit.account("acme.test").leads_count == 1
        editing.delete_accounts(unit.scope, ["acme.test"], now=utc_now())
        assert other.account_of("ada") == "acme.test"

    def test_accounts_that_are_switched_on_find_the_leads_there_are(self, app):
        late = Describing(make_scope(make_organization("Late")))
        late.happen("ada", email="ada@acme.test")
        late.happen("bob", accountId="B-1")
        assert late.account_of("ada") is None

        late.enable_accounts()

        assert (late.account_of("ada"), late.account_of("bob")) == ("acme.test", "B-1")


def furnish(unit: Describing) -> None:
    unit.enable_accounts()
    unit.map("plan", "tier")
    unit.map("plan", "first_plan", "set_once")
    unit.map("page", "page", "append")
    unit.map("size", "size", side=Side.ACCOUNT)
    unit.map("page", "pages", "append", side=Side.ACCOUNT)
    unit.add_rule(unit.add_set(), "tier", "in", "pro, max", weight=20)
    fit = unit.add_set(side=Side.ACCOUNT)
    unit.add_rule(fit, "size", "gt", 4, weight=30, side=Side.ACCOUNT)


def history(unit: Describing, seed: int) -> list[Any]:
    """Return events of a few leads in three companies, in order of time."""
    dice = random.Random(seed)
    told = []
    for hour in range(60):
        lead = dice.choice(("ada", "bob", "eve", "dan"))
        fields: dict[str, Any] = {"page": f"/{hour}"}
        if dice.random() < 0.6:
            fields["plan"] = dice.choice(("free", "pro", "max", ""))
        if dice.random() < 0.4:
            fields["size"] = dice.randrange(9)
        if lead == "dan" and dice.random() < 0.3:
            fields["accountId"] = dice.choice(("D-1", "D-2"))
        email = {"ada": "ada@acme.test", "bob": "bob@acme.test", "eve": "eve@solo.test"}.get(lead)
        aliases = {"email": email} if email else {}
        told.append(unit.event(lead, hours=hour, **aliases, **fields))
    return told


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_and_any_batches_describe_the_same(app, seed):
    organization = make_organization("Orderly")
    in_order, shuffled = (Describing(make_scope(organization)) for _ in range(2))
    furnish(in_order)
    furnish(shuffled)
    dice = random.Random(seed)

    in_order.take_in(history(in_order, seed))
    events = history(shuffled, seed)
    dice.shuffle(events)
    while events:
        size = dice.randrange(1, 12)
        batch, events = events[:size], events[size:]
        shuffled.take_in(batch)

    one, other = everything(in_order), everything(shuffled)
    assert one["leads"] == other["leads"]
    # An account that a lead has left keeps what that lead told while it was there.
    assert [it for it in one["accounts"] if "D-" not in it] == [
        it for it in other["accounts"] if "D-" not in it
    ]
    assert [it.split(", ")[:2] for it in one["profile"]] == [
        it.split(", ")[:2] for it in other["profile"]
    ]
    assert in_order.wrong_roll_ups() == shuffled.wrong_roll_ups() == []


@pytest.mark.parametrize("is_thorough", [False, True])
def test_describing_all_leads_anew_changes_nothing(app, is_thorough):
    unit = Describing(make_scope())
    furnish(unit)
    unit.take_in(history(unit, 7))
    before = everything(unit)

    done = redescribe_leads(
        unit.scope,
        ["ada", "bob", "eve", "dan"],
        current_config(unit.scope),
        is_thorough=is_thorough,
        now=utc_now(),
    )
    describe.redescribe_accounts(
        unit.scope, ["acme.test", "solo.test"], current_config(unit.scope), now=utc_now()
    )

    assert done._replace(scored=0) == NOTHING
    assert everything(unit) == before


def test_leads_whose_past_has_changed_are_described_from_what_is_left(app):
    unit = Describing(make_scope())
    furnish(unit)
    unit.happen("ada", plan="pro", page="/a")
    unit.happen("ada", hours=1, plan="max", accountId="A-1", email="ada@acme.test")
    driver().execute(
        "DELETE FROM events WHERE unit_id = %s AND metadata->>'plan' = 'max'",
        (unit.scope.unit_id,),
    )

    describe_leads(unit.scope, {}, current_config(unit.scope), now=utc_now(), rebuilt=["ada"])

    assert unit.metadata("ada")["tier"] == "pro"
    assert unit.account_of("ada") == "acme.test"
    assert unit.wrong_roll_ups() == []


def test_roll_ups_that_went_wrong_are_found_and_mended(app):
    unit = Describing(make_scope())
    unit.enable_accounts()
    unit.happen("ada", email="ada@acme.test")
    driver().execute("UPDATE accounts SET top_score = 99, leads_count = 7")
    commit()

    [wrong] = [it for step in rescore.verify(unit.scope) for it in step.found]
    assert (wrong.lead_id, wrong.what) == ("acme.test", "account")
    list(rescore.rebuild(unit.scope))

    assert unit.wrong_roll_ups() == []
    assert [it for step in rescore.verify(unit.scope) for it in step.found] == []


def test_what_a_merge_brought_together_an_unmerge_takes_apart(app):
    unit = Describing(make_scope())
    furnish(unit)
    unit.take_in(history(unit, 11))
    principal = make_principal(unit.scope)
    before, pages = everything(unit), unit.metadata("eve")["page_list"]

    merging.merge(principal, unit.scope, "eve", ["dan"], now=utc_now())
    commit()
    assert unit.metadata("eve")["page_list"] != pages
    assert unit.wrong_roll_ups() == []
    merging.unmerge(principal, unit.scope, "eve", now=utc_now())
    commit()

    after = everything(unit)
    assert after["leads"] == before["leads"]
    assert after["traces"] == before["traces"]
    assert after["profile"] == before["profile"]
    assert unit.wrong_roll_ups() == []
