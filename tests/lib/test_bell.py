from __future__ import annotations

import threading
import time

import pytest
from redis import Redis

from leadvibe.lib.bell import Bell


@pytest.fixture
def broker(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def bell(broker, request) -> Bell:
    return Bell(broker, request.node.name)


@pytest.fixture
def nowhere() -> Redis:
    """Return a client of a broker that is not there."""
    return Redis.from_url("redis://127.0.0.1:1")


def test_a_ring_wakes_who_waits(bell):
    listener = bell.listen()
    listener.wait(timeout_seconds=0.05)

    threading.Timer(0.1, bell.ring).start()
    began = time.monotonic()

    assert listener.wait(timeout_seconds=20)
    assert time.monotonic() - began < 10


def test_without_a_ring_the_wait_ends_in_time(bell):
    listener = bell.listen()
    began = time.monotonic()

    assert not listener.wait(timeout_seconds=0.1)
    assert time.monotonic() - began >= 0.09


def test_everybody_who_listens_hears_it(bell):
    listeners = [bell.listen() for _ in range(2)]
    for listener in listeners:
        listener.wait(timeout_seconds=0.05)

    bell.ring()

    assert [listener.wait(timeout_seconds=20) for listener in listeners] == [True, True]


def test_a_ring_before_the_next_wait_is_not_missed_and_is_heard_once(bell):
    listener = bell.listen()
    listener.wait(timeout_seconds=0.05)
    bell.ring()
    time.sleep(0.2)

    assert listener.wait(timeout_seconds=5)
    assert not listener.wait(timeout_seconds=0.1)


def test_many_rings_are_few_messages_and_the_last_one_is_heard(bell, broker, request):
    subscription = broker.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe(f"leadvibe:bell:{request.node.name}")
    subscription.get_message(timeout=1)

    for _ in range(1_000):
        bell.ring()
    time.sleep(0.3)
    bell.ring()
    rung = 0
    while subscription.get_message(timeout=0.5):
        rung += 1

    assert 2 <= rung <= 20


def test_one_bell_is_not_another(bell, broker):
    listener = Bell(broker, "another").listen()
    listener.wait(timeout_seconds=0.05)

    bell.ring()

    assert not listener.wait(timeout_seconds=0.2)


def test_ringing_without_a_broker_returns_at_once_and_is_logged_once(nowhere, caplog):
    bell = Bell(nowhere)
    began = time.monotonic()

    for _ in range(1_000):
        bell.ring()

    assert time.monotonic() - began < 10
    time.sleep(0.2)
    # Bells of earlier tests may still be about; theirs is another broker.
    assert caplog.text.count("connecting to 127.0.0.1:1.") == 1


def test_waiting_without_a_broker_is_only_waiting(nowhere):
    listener = Bell(nowhere).listen()
    began = time.monotonic()

    assert not listener.wait(timeout_seconds=0.2)
    assert time.monotonic() - began >= 0.19


def test_a_listener_that_lost_its_connection_hears_again(bell, broker):
    listener = bell.listen()
    listener.wait(timeout_seconds=0.05)

    broker.client_kill_filter(_type="pubsub")
    listener.wait(timeout_seconds=0.05)
    listener.wait(timeout_seconds=0.05)
    bell.ring()

    assert listener.wait(timeout_seconds=20)
