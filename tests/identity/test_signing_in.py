"""Signing in, its throttle, and refresh tokens.

What must survive a refused request is tested over real commits.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.identity import member_links, passwords, queries, signing_in
from leadvibe.identity.errors import (
    SignInRefusedError,
    TokenRefusedError,
    WeakPasswordError,
    WrongPasswordError,
)
from leadvibe.identity.security import Hashing
from leadvibe.identity.throttle import EMAIL_LIMIT, PEER_LIMIT
from leadvibe.identity.types import Via
from leadvibe.lib.db import commit, rollback
from leadvibe.lib.errors import ThrottledError
from tests.factories import make_member, make_organization
from tests.people import PASSWORD

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
NEW_PASSWORD = "a wholly different one"
OFFICE = "203.0.113.7"


@pytest.fixture
def anna(fresh_database, app, security):
    member = make_member(
        make_organization(), "anna@acme.test", security=security, password=PASSWORD
    )
    commit()
    return member


@pytest.fixture
def attempt(app, security):
    """Return an attempt to sign in that ends its transaction as the edge of a request would."""

    def make(email="anna@acme.test", password="a wrong guess", ip=OFFICE, now=NOW):
        try:
            member = signing_in.sign_in(email, password, ip=ip, security=security, now=now)
        except (SignInRefusedError, ThrottledError) as error:
            rollback()
            return error
        commit()
        return member

    return make


def principal_of(member):
    return queries.find_member_principal(
        member.org_member_id, session_epoch=member.session_epoch, via=Via.BEARER
    )


def _guess(attempt, times, **fields):
    return [type(attempt(**fields)) for _ in range(times)]


def test_the_right_password_signs_in_whatever_the_case_of_the_address(anna, attempt):
    assert attempt("  ANNA@Acme.test ", PASSWORD) == anna


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(anna, attempt):
    refused = [attempt(), attempt("nobody@acme.test"), attempt("nul\0@acme.test"), attempt("")]

    assert {type(error) for error in refused} == {SignInRefusedError}
    assert len({str(error) for error in refused}) == 1


def test_an_unknown_address_is_refused_by_the_same_work_as_a_wrong_password(anna, attempt, work):
    attempt("nobody@acme.test")  # makes the decoy, once a process
    work.clear()

    for address in ("anna@acme.test", "nobody@acme.test"):
        assert isinstance(attempt(address), SignInRefusedError)

    somebody, nobody = work
    assert nobody == somebody


def test_after_five_failures_an_address_has_to_wait_although_each_was_rolled_back(anna, attempt):
    assert _guess(attempt, EMAIL_LIMIT.free_failures) == [SignInRefusedError] * 5

    throttled = attempt(password=PASSWORD)

    assert isinstance(throttled, ThrottledError)
    assert throttled.retry_after_seconds == 2


def test_the_wait_doubles_with_each_failure_and_passes(anna, attempt):
    _guess(attempt, EMAIL_LIMIT.free_failures)
    later = NOW + timedelta(seconds=2)

    assert isinstance(attempt(now=later), SignInRefusedError)
    assert attempt(now=later).retry_after_seconds == 4
    assert attempt(password=PASSWORD, now=later + timedelta(seconds=4)) == anna


def test_trying_while_throttled_does_not_prolong_the_wait(anna, attempt):
    _guess(attempt, EMAIL_LIMIT.free_failures)

    waits = [attempt().retry_after_seconds for _ in range(20)]

    assert set(waits) == {2}


def test_a_right_password_forgets_the_failures_of_the_address(anna, attempt):
    _guess(attempt, EMAIL_LIMIT.free_failures - 1)
    attempt(password=PASSWORD)

    assert _guess(attempt, EMAIL_LIMIT.free_failures - 1) == [SignInRefusedError] * 4


def test_an_hour_later_everything_is_forgotten(anna, attempt):
    _guess(attempt, EMAIL_LIMIT.free_failures)

    assert attempt(password=PASSWORD, now=NOW + timedelta(hours=1)) == anna


def test_a_peer_that_tries_many_addresses_has_to_wait(anna, attempt):
    for number in range(PEER_LIMIT.free_failures):
        assert isinstance(attempt(f"nobody{number}@acme.test"), SignInRefusedError)

    assert isinstance(attempt(password=PASSWORD), ThrottledError)
    assert attempt(password=PASSWORD, ip="198.51.100.9") == anna


def test_an_account_of_ones_own_does_not_hide_guesses_at_others(anna, attempt):
    for number in range(PEER_LIMIT.free_failures):
        attempt(f"nobody{number}@acme.test")
        attempt(password=PASSWORD)

    assert isinstance(attempt("nobody@acme.test"), ThrottledError)


def test_many_guesses_at_once_do_not_outrun_the_count(anna, attempt, app):
    def guess(_number: int) -> type:
        with app.app_context():
            return type(attempt(ip=None))

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(guess, range(24)))

    assert outcomes.count(SignInRefusedError) == EMAIL_LIMIT.free_failures
    assert outcomes.count(ThrottledError) == 24 - EMAIL_LIMIT.free_failures


def test_a_reset_password_may_be_used_at_once(anna, attempt, security):
    _guess(attempt, EMAIL_LIMIT.free_failures)
    link = member_links.create_reset_link(anna, now=NOW)
    member_links.reset_password(link.token, password="another password", security=security, now=NOW)
    commit()

    signed_in = attempt(password="another password")

    assert signed_in.org_member_id == anna.org_member_id


def test_signing_in_renews_a_hash_of_another_cost(anna, attempt, security, app):
    dearer = Hashing(memory_kib=16, passes=1, lanes=1)
    changed = signing_in.change_password(
        anna.org_member_id,
        current_password=PASSWORD,
        password=PASSWORD,
        ip=None,
        security=type(security)(secret_key="x", hashing=dearer),
        now=NOW,
    )
    commit()

    assert attempt(password=PASSWORD) == changed
    assert attempt(password=PASSWORD) == changed  # the renewed hash is good, too
    assert not passwords.is_outdated(
        passwords.hash_password(PASSWORD, security.hashing), security.hashing
    )


class TestChangingAPassword:
    def test_a_changed_password_ends_every_older_session(self, people, security):
        member = people.viewer.member
        tokens = signing_in.issue_tokens(member, security=security, now=NOW)

        changed = signing_in.change_password(
            member.org_member_id,
            current_password=PASSWORD,
            password=NEW_PASSWORD,
            ip=None,
            security=security,
            now=NOW,
        )

        assert principal_of(member) is None
        assert principal_of(changed) is not None
        with pytest.raises(TokenRefusedError):
            signing_in.rotate_refresh(tokens.refresh_token, security=security, now=NOW)
        with pytest.raises(SignInRefusedError):
            signing_in.sign_in(member.email, PASSWORD, ip=None, security=security, now=NOW)
        signing_in.sign_in(member.email, NEW_PASSWORD, ip=None, security=security, now=NOW)

    @pytest.mark.parametrize(
        ("passwords", "error"),
        [
            ({"current_password": "a wrong guess", "password": NEW_PASSWORD}, WrongPasswordError),
            ({"current_password": PASSWORD, "password": "short"}, WeakPasswordError),
        ],
    )
    def test_a_wrong_or_weak_password_changes_nothing(self, people, security, passwords, error):
        member = people.viewer.member

        with pytest.raises(error) as refused:
            signing_in.change_password(
                member.org_member_id, **passwords, ip=None, security=security, now=NOW
            )

        assert set(refused.value.fields) <= set(passwords)
        signing_in.sign_in(member.email, PASSWORD, ip=None, security=security, now=NOW)


class TestRefreshTokens:
    def test_a_refresh_token_is_spent_for_new_tokens(self, anna, security):
        first = signing_in.issue_tokens(anna, security=security, now=NOW)
        commit()

        second = signing_in.rotate_refresh(first.refresh_token, security=security, now=NOW)

        assert second.member == anna
        assert second.refresh_token != first.refresh_token
        assert second.expires_in_seconds == 15 * 60
        signing_in.rotate_refresh(second.refresh_token, security=security, now=NOW)

    def test_a_token_used_twice_ends_its_family_although_the_request_fails(self, anna, security):
        first, other = (signing_in.issue_tokens(anna, security=security, now=NOW) for _ in range(2))
        commit()
        second = signing_in.rotate_refresh(first.refresh_token, security=security, now=NOW)

        with pytest.raises(TokenRefusedError):
            signing_in.rotate_refresh(first.refresh_token, security=security, now=NOW)
        rollback()

        with pytest.raises(TokenRefusedError):
            signing_in.rotate_refresh(second.refresh_token, security=security, now=NOW)
        rollback()
        signing_in.rotate_refresh(other.refresh_token, security=security, now=NOW)

    def test_of_two_uses_at_once_one_wins_and_the_family_ends(self, anna, security, app):
        tokens = signing_in.issue_tokens(anna, security=security, now=NOW)
        commit()

        def rotate(_number: int) -> str | None:
            with app.app_context():
                try:
                    new = signing_in.rotate_refresh(
                        tokens.refresh_token, security=security, now=NOW
                    )
                except TokenRefusedError:
                    rollback()
                    return None
                commit()
                return new.refresh_token

        with ThreadPoolExecutor(2) as threads:
            won = [token for token in threads.map(rotate, range(2)) if token]

        assert len(won) == 1
        with pytest.raises(TokenRefusedError):
            signing_in.rotate_refresh(won[0], security=security, now=NOW)

    def test_a_refresh_token_expires(self, anna, security):
        tokens = signing_in.issue_tokens(anna, security=security, now=NOW)
        commit()

        with pytest.raises(TokenRefusedError):
            signing_in.rotate_refresh(
                tokens.refresh_token, security=security, now=NOW + timedelta(days=30)
            )

    def test_signing_out_ends_the_family_and_no_other(self, anna, security):
        here, there = (signing_in.issue_tokens(anna, security=security, now=NOW) for _ in range(2))
        commit()
        rotated = signing_in.rotate_refresh(here.refresh_token, security=security, now=NOW)

        signing_in.sign_out(rotated.refresh_token)
        signing_in.sign_out("never heard of")
        commit()

        with pytest.raises(TokenRefusedError):
            signing_in.rotate_refresh(rotated.refresh_token, security=security, now=NOW)
        signing_in.rotate_refresh(there.refresh_token, security=security, now=NOW)


def test_a_principal_of_an_older_epoch_is_nobody(anna):
    known = queries.find_member_principal(anna.org_member_id, session_epoch=0, via=Via.SESSION)
    older = queries.find_member_principal(anna.org_member_id, session_epoch=1, via=Via.SESSION)

    assert known.member_id == anna.org_member_id
    assert older is None
