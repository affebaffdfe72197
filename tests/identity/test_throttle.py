from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.identity import throttle

NOON = datetime(2025, 6, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 2), (6, 4), (7, 8), (13, 512), (14, 900)]
)
def test_the_wait_doubles_after_five_failures_up_to_a_quarter_of_an_hour(failures, seconds):
    assert throttle.wait_seconds(failures, throttle.EMAIL_LIMIT) == seconds


@given(st.integers(min_value=0, max_value=10**9))
def test_more_failures_never_shorten_the_wait(failures):
    first, second = (
        throttle.wait_seconds(count, throttle.PEER_LIMIT) for count in (failures, failures + 1)
    )

    assert first <= second <= throttle.LONGEST_WAIT_SECONDS


def test_an_hour_without_attempts_forgets():
    assert not throttle.is_forgotten(NOON, NOON + timedelta(minutes=59))
    assert throttle.is_forgotten(NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("ip", "subject"),
    [
        ("203.0.113.7", "ip:203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002::ffff", "ip:2001:db8:1:2::/64"),
        ("unknown", "ip:unknown"),
    ],
)
def test_a_peer_is_an_address_or_a_customers_ipv6_network(ip, subject):
    assert throttle.peer_subject(ip) == subject
