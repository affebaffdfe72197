"""Which lead an event belongs to, decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest

from leadvibe.leads.aliases import make_alias
from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.resolving import Resolver
from leadvibe.leads.types import AliasKey, AliasKind, Conflict, Identity

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_resolver(owners=None, *, targets=None, strangers=()):
    owners = {AliasKey(*key): lead for key, lead in (owners or {}).items()}
    known = {lead: lead for lead in owners.values()} | (targets or {})
    numbers = count(1)
    return Resolver(
        owners=owners,
        targets=known,
        strangers=set(strangers),
        new_lead_id=lambda: f"new{next(numbers)}",
    )


def who(*aliases, lead_id=None):
    made = tuple(make_alias(kind, value) for kind, value in aliases)
    return Identity(lead_id, made, "api", NOW)


def test_an_unknown_alias_makes_a_lead_once():
    resolver = make_resolver()

    lead_ids = resolver.resolve_all([who(("email", "a@x.test")), who(("email", " A@X.test "))])

    assert lead_ids == ["new1", "new1"]
    assert list(resolver.created) == ["new1"]


def test_an_explicit_id_wins_over_aliases_and_is_made_when_unknown():
    resolver = make_resolver({("email", "a@x.test"): "ld_a"})

    lead_ids = resolver.resolve_all([who(("email", "a@x.test"), lead_id="mine")])

    assert lead_ids == ["mine"]
    assert resolver.created["mine"].has_own_id
    assert resolver.conflicts == {Conflict("mine", "ld_a", "email", "a@x.test")}


def test_a_decisive_kind_is_believed_before_all_others():
    owners = {("phone", "+1555"): "ld_p", ("external_id", "7"): "ld_x"}
    identity = who(("phone", "1555"), ("external_id", "7"))._replace(decisive=AliasKind.PHONE)

    assert make_resolver(owners).resolve_all([identity]) == ["ld_p"]


def test_a_decisive_alias_that_nobody_has_leaves_it_to_the_others():
    resolver = make_resolver({("external_id", "7"): "ld_x"})
    identity = who(("phone", "1555"), ("external_id", "7"))._replace(decisive=AliasKind.PHONE)

    assert resolver.resolve_all([identity]) == ["ld_x"]
    assert resolver.attached.keys() == {("phone", "+1555")}


def test_aliases_are_believed_in_order_of_precedence():
    resolver = make_resolver({("phone", "+1555"): "ld_p", ("external_id", "7"): "ld_x"})

    [lead_id] = resolver.resolve_all([who(("phone", "1555"), ("external_id", "7"))])

    assert lead_id == "ld_x"
    assert resolver.conflicts == {Conflict("ld_x", "ld_p", "phone", "+1555")}


def test_a_new_alias_attaches_to_the_lead_that_is_known():
    resolver = make_resolver({("email", "a@x.test"): "ld_a"})

    first, second = resolver.resolve_all(
        [who(("email", "a@x.test"), ("phone", "555")), who(("phone", "555"))]
    )

    assert first == second == "ld_a"
    assert not resolver.created


def test_a_merged_lead_stands_for_its_target():
    resolver = make_resolver({("email", "a@x.test"): "old"}, targets={"old": "kept"})

    lead_ids = resolver.resolve_all([who(("email", "a@x.test")), who(lead_id="old")])

    assert lead_ids == ["kept", "kept"]


def test_a_stranger_is_folded_into_who_it_turns_out_to_be():
    resolver = make_resolver(
        {("cookie", "c1"): "visitor", ("email", "a@x.test"): "ld_a"}, strangers={"visitor"}
    )

    lead_ids = resolver.resolve_all(
        [who(("cookie", "c1")), who(("email", "a@x.test"), ("cookie", "c1")), who(("cookie", "c1"))]
    )
    resolver.settle()

    assert lead_ids == ["ld_a", "ld_a", "ld_a"]
    assert resolver.folded == {"visitor": "ld_a"}
    assert not resolver.conflicts


def test_a_stranger_born_and_recognised_in_one_batch_never_existed():
    resolver = make_resolver({("email", "a@x.test"): "ld_a"})

    lead_ids = resolver.resolve_all(
        [who(("cookie", "c1")), who(("email", "a@x.test"), ("cookie", "c1"))]
    )
    resolver.settle()

    assert lead_ids == ["ld_a", "ld_a"]
    assert not resolver.created
    assert not resolver.folded
    assert resolver.attached[AliasKey("cookie", "c1")][1] == "ld_a"


def test_strangers_fold_through_one_another():
    resolver = make_resolver(
        {("cookie", "c1"): "v1", ("cookie", "c2"): "v2", ("email", "a@x.test"): "ld_a"},
        strangers={"v1", "v2"},
    )

    lead_ids = resolver.resolve_all(
        [
            who(("cookie", "c2"), ("phone", "555")),
            who(("cookie", "c1"), ("phone", "555")),
            who(("email", "a@x.test"), ("cookie", "c1")),
        ]
    )
    resolver.settle()

    assert lead_ids == ["v2", "v2", "ld_a"]
    assert resolver.folded == {"v1": "v2"}
    assert resolver.conflicts == {Conflict("ld_a", "v2", "cookie", "c1")}


def test_two_strangers_who_share_an_event_stay_apart():
    resolver = make_resolver(
        {("cookie", "c1"): "v1", ("cookie", "c2"): "v2"}, strangers={"v1", "v2"}
    )

    [lead_id] = resolver.resolve_all([who(("cookie", "c1"), ("cookie", "c2"))])

    assert lead_id == "v1"
    assert resolver.conflicts == {Conflict("v1", "v2", "cookie", "c2")}


def test_a_lead_with_an_id_of_its_own_is_no_stranger():
    resolver = make_resolver({("email", "a@x.test"): "ld_a"})

    resolver.resolve_all(
        [who(("cookie", "c1"), lead_id="mine"), who(("email", "a@x.test"), ("cookie", "c1"))]
    )

    assert not resolver.folded
    assert resolver.conflicts == {Conflict("ld_a", "mine", "cookie", "c1")}


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("email", "  Ana@Example.TEST ", "ana@example.test"),
        ("phone", "+1 (555) 010-0199", "+15550100199"),
        ("phone", "001 555 0100199", "+15550100199"),
        ("external_id", " A-7 ", "A-7"),
        ("cookie", "AbC", "AbC"),
    ],
)
def test_two_spellings_of_an_alias_are_one(kind, raw, value):
    assert make_alias(kind, raw).value == value


@pytest.mark.parametrize(
    ("kind", "raw"), [("fax", "1"), ("email", "  "), ("phone", "n/a"), ("cookie", "x" * 600)]
)
def test_an_alias_that_identifies_nobody_is_refused(kind, raw):
    with pytest.raises(BadAliasError):
        make_alias(kind, raw)
