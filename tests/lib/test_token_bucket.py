from __future__ import annotations

import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from leadvibe.lib.ids import new_id
from leadvibe.lib.token_bucket import PREFIX, TokenBuckets, impatient_client

BURST = 5


@pytest.fixture
def broker(redis_url):
    with impatient_client(redis_url) as client:
        yield client


@pytest.fixture
def buckets(broker) -> TokenBuckets:
    return TokenBuckets(broker)


@pytest.fixture
def key() -> str:
    return new_id().hex


def full_in(broker: Redis, key: str, seconds: float) -> None:
    broker.set(PREFIX + key, int((time.time() + seconds) * 1_000_000))


def test_a_new_bucket_is_full(buckets, key):
    taking = buckets.take(key, 1, BURST)

    assert taking == (True, BURST - 1, 1, 0)


def test_an_empty_bucket_says_how_long_to_wait(buckets, broker, key):
    full_in(broker, key, 3600)

    taking = buckets.take(key, 1, BURST)

    assert not taking.is_granted
    assert taking.left == 0
    assert 3500 < taking.wait_seconds <= 3600 - BURST + 1
    assert taking.wait_seconds < taking.full_in_seconds <= 3600


def test_what_is_refused_takes_nothing(buckets, broker, key):
    full_in(broker, key, 3600)
    before = broker.get(PREFIX + key)

    buckets.take(key, 1, BURST)

    assert broker.get(PREFIX + key) == before


def test_a_bucket_never_holds_more_than_its_burst(buckets, broker, key):
    full_in(broker, key, -3600)

    assert buckets.take(key, 1, BURST).left == BURST - 1


def test_a_bucket_is_forgotten_once_it_is_full(buckets, broker, key):
    buckets.take(key, 1, BURST)

    assert 0 < broker.pttl(PREFIX + key) <= 1000


def test_each_key_has_a_bucket_of_its_own(buckets, broker, key):
    full_in(broker, key, 3600)

    assert buckets.take(f"{key}-other", 1, BURST).is_granted


def test_many_at_once_get_no_more_than_there_is(buckets, key):
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        takings = list(pool.map(lambda _: buckets.take(key, 1, BURST), range(40)))
    refilled = math.ceil(time.monotonic() - began)

    assert BURST <= sum(it.is_granted for it in takings) <= BURST + refilled


def test_a_broker_that_forgot_everything_is_told_again(buckets, broker, key):
    buckets.take(key, 1, BURST)
    broker.script_flush()
    broker.delete(PREFIX + key)

    assert buckets.take(key, 1, BURST).is_granted


class TestWithoutABroker:
    @pytest.fixture
    def buckets(self) -> TokenBuckets:
        broker = impatient_client("redis://127.0.0.1:1")
        return TokenBuckets(broker)

    def test_nobody_is_limited(self, buckets, key):
        assert [buckets.take(key, 1, BURST) for _ in range(BURST + 1)] == [None] * (BURST + 1)

    def test_that_is_written_once_a_minute(self, buckets, key, caplog, monkeypatch):
        monkeypatch.setattr("leadvibe.lib.token_bucket.PAUSE_SECONDS", 0.0)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                buckets.take(key, 1, BURST)

        assert [record.name for record in caplog.records].count("leadvibe.lib.token_bucket") == 1

    def test_it_is_left_alone_for_a_while(self, buckets, key, monkeypatch):
        buckets.take(key, 1, BURST)
        monkeypatch.setattr(buckets, "_take", None)  # whoever calls it now fails

        assert buckets.take(key, 1, BURST) is None

    def test_it_is_asked_again_after_that(self, buckets, broker, key, monkeypatch):
        monkeypatch.setattr("leadvibe.lib.token_bucket.PAUSE_SECONDS", 0.0)
        buckets.take(key, 1, BURST)
        back = TokenBuckets(broker)
        monkeypatch.setattr(buckets, "_take", back._take)

        assert buckets.take(key, 1, BURST).is_granted
        monkeypatch.setattr("leadvibe.lib.token_bucket.PAUSE_SECONDS", 60.0)
        assert buckets.take(key, 1, BURST).is_granted
