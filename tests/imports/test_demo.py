from __future__ import annotations

import stat
from datetime import timedelta

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity import queries as identity_queries
from leadvibe.identity.signing_in import sign_in
from leadvibe.identity.types import OrgRole
from leadvibe.imports import demo
from leadvibe.imports.demo import DemoLogin, ensure_demo
from leadvibe.imports.sample_load import load_sample
from leadvibe.leadlist.calls import count_due
from leadvibe.leadlist.record_types import HeldBy
from leadvibe.leadlist.sources import tally_sources
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.clock import utc_now
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import setup


@pytest.fixture
def start(app, security, tmp_path):
    """Return what a start of the demo does."""

    def start(*, sample_data: bool = False) -> DemoLogin:
        return ensure_demo(
            home=tmp_path / "home",
            security=security,
            queue=JobQueue(app.extensions["leadvibe.redis"]),
            now=utc_now(),
            progress=lambda _line: None,
            sample_data=sample_data,
        )

    return start


def can_sign_in(login: DemoLogin, security) -> bool:
    member = sign_in(login.email, login.password, ip=None, security=security, now=utc_now())
    return member.email == login.email


def test_the_login_works_and_is_the_same_at_every_start(start, security):
    first, second = start(), start()

    assert first == second
    assert can_sign_in(second, security)


def test_the_member_is_an_admin_of_the_demo_organisation(start):
    login = start()

    member = identity_queries.find_member_by_email(login.email)
    assert member.role is OrgRole.ADMIN
    assert identity_queries.get_organization(member.org_id).name == demo.ORGANIZATION


def test_nobody_else_can_read_the_password(start, tmp_path):
    start()

    mode = (tmp_path / "home" / demo.PASSWORD_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_lost_password_is_replaced(start, security, tmp_path):
    first = start()
    (tmp_path / "home" / demo.PASSWORD_FILE).unlink()

    second = start()

    assert first.password != second.password
    assert can_sign_in(second, security)


def test_the_sample_is_loaded_once(start, small_sample):
    login = start(sample_data=True)
    start(sample_data=True)

    member = identity_queries.find_member_by_email(login.email)
    scope = setup.default_scope(member.org_id)
    assert event_queries.get_tally(scope, SAMPLE_SOURCE).processed == 200
    assert event_queries.inbox_status(scope).waiting == 0


def test_the_member_has_calls_to_make_of_leads_that_come_from_somewhere(start, monkeypatch):
    for name, count in (("leads", 150), ("events", 1_500)):
        monkeypatch.setitem(load_sample.__kwdefaults__, name, count)
    member = identity_queries.find_member_by_email(start(sample_data=True).email)
    scope, now = setup.default_scope(member.org_id), utc_now()
    mine = HeldBy(member.org_member_id, now)

    assert count_due(scope, before=now, held_by=None)
    assert count_due(scope, before=now + timedelta(days=8), held_by=mine)
    tallies = tally_sources(scope, since=now - timedelta(days=365), before=now)
    # So few leads have not always somebody of every kind: tests of the sample's records see to it.
    assert {it.outcome for it in tallies} >= {Outcome.OPEN, Outcome.LOST}
    assert len({it.source for it in tallies}) > 3
