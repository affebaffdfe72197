from __future__ import annotations

import stat

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity import queries as identity_queries
from leadvibe.identity.signing_in import sign_in
from leadvibe.identity.types import OrgRole
from leadvibe.imports import demo
from leadvibe.imports.demo import DemoLogin, ensure_demo
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
