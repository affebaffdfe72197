"""The radio over a real Valkey: who listens, what is caught up on, and what its loss does."""

from __future__ import annotations

import logging
import time

import pytest
from redis import Redis

from leadvibe.lib import radio, reception
from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.ids import new_id
from leadvibe.lib.radio import BEGINNING, Message, Position, Transmitter, key_of
from leadvibe.lib.reception import Place, Reception

PATIENCE_SECONDS = 20
MOMENT_SECONDS = 0.05


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(radio, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(radio, "PAUSE_WHILE_BROKEN_SECONDS", 0.02)
    monkeypatch.setattr(reception, "PAUSE_WHILE_BROKEN_SECONDS", 0.02)
    monkeypatch.setattr(reception, "WAIT_MILLISECONDS", 20)
    monkeypatch.setattr(reception, "LOOK_UP_SECONDS", 0.02)


@pytest.fixture
def broker(redis_url):
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def nowhere() -> Redis:
    return Redis.from_url("redis://127.0.0.1:1")


@pytest.fixture
def hall(broker):
    """Return a reception of three, closed afterwards."""
    hall = Reception(broker, most=3)
    yield hall
    hall.close()


@pytest.fixture
def sender(broker) -> Transmitter:
    return Transmitter(broker)


@pytest.fixture
def topic() -> str:
    return str(new_id())


def news(text: str) -> Message:
    return Message("news", f'"{text}"')


def wait_until(is_so, seconds=PATIENCE_SECONDS):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def send(sender, topic, *messages):
    wait_until(lambda: sender.is_listening(topic))
    sender.tell(topic, messages)


def hear(receiver, count=1):
    """Return the next messages with the positions of their broadcasts."""
    heard = []
    wait_until(lambda: heard.extend(receiver.wait(timeout_seconds=1)) or len(heard) >= count)
    return heard


def test_whoever_listens_hears_what_is_sent(hall, sender, topic):
    receivers = [hall.tune_in(topic) for _ in range(2)]

    send(sender, topic, news("one"), news("two"))

    for receiver in receivers:
        [broadcast] = hear(receiver)
        assert broadcast.messages == (news("one"), news("two"))
        assert not receiver.take_gap()


def test_topics_are_apart(hall, sender, topic):
    mine, other = hall.tune_in(topic), hall.tune_in("another")

    send(sender, topic, news("mine"))
    hear(mine)

    assert other.wait(timeout_seconds=MOMENT_SECONDS) == []


def test_a_wait_without_news_ends_in_time(hall, topic):
    assert hall.tune_in(topic).wait(timeout_seconds=MOMENT_SECONDS) == []


def test_a_sender_knows_whether_anybody_listens(hall, sender, broker, topic):
    assert not sender.is_listening(topic)

    receiver = hall.tune_in(topic)
    wait_until(lambda: sender.is_listening(topic))

    receiver.leave()
    assert broker.zscore(radio.LISTENED, topic) > time.time()
    broker.zadd(radio.LISTENED, {topic: time.time() - 1})  # as a minute later
    wait_until(lambda: not sender.is_listening(topic))


def test_who_comes_back_hears_what_it_missed_and_nothing_twice(hall, sender, topic):
    first = hall.tune_in(topic)
    send(sender, topic, news("one"), news("two"), news("three"))
    [broadcast] = hear(first)
    first.leave()
    send(sender, topic, news("four"))
    wait_until(lambda: hall._broker.xlen(key_of(topic)) == 2)

    again = hall.tune_in(topic, since=Place(broadcast.position, heard=1))
    send(sender, topic, news("five"))

    missed = [message for _, messages in again.missed for message in messages]
    assert missed == [news("two"), news("three"), news("four")]
    assert [it.messages for it in hear(again)] == [(news("five"),)]
    assert not again.take_gap()


def test_who_missed_nothing_comes_back_to_nothing(hall, sender, topic):
    first = hall.tune_in(topic)
    send(sender, topic, news("one"))
    [broadcast] = hear(first)

    again = hall.tune_in(topic, since=Place(broadcast.position, heard=1))

    assert (again.missed, again.take_gap()) == ([], False)


@pytest.mark.parametrize("position", [BEGINNING, Position(1, 1)])
def test_who_was_away_for_too_long_is_told_so(hall, sender, topic, position):
    hall.tune_in(topic)
    send(sender, topic, news("kept"))
    wait_until(lambda: hall._broker.xlen(key_of(topic)) == 1)

    again = hall.tune_in(topic, since=Place(position, heard=1))

    assert again.take_gap()
    assert not again.take_gap()
    assert [it.messages for it in again.missed] == [(news("kept"),)]


def test_what_is_kept_is_bounded_and_forgotten(hall, sender, topic, broker, monkeypatch):
    monkeypatch.setattr(radio, "KEPT_BROADCASTS", 10)
    hall.tune_in(topic)
    for number in range(300):
        send(sender, topic, news(str(number)))
    wait_until(lambda: not sender._waiting)

    assert broker.xlen(key_of(topic)) < 200  # the broker trims by whole nodes
    assert 0 < broker.ttl(key_of(topic)) <= radio.KEPT_SECONDS


def test_only_so_many_may_listen_in_one_process(hall, topic):
    receivers = [hall.tune_in(topic) for _ in range(3)]

    with pytest.raises(UnavailableError, match="WEB_THREADS"):
        hall.tune_in(topic)

    receivers[0].leave()
    receivers[0].leave()
    hall.tune_in(topic)
    with pytest.raises(UnavailableError):
        hall.tune_in(topic)


def test_who_does_not_keep_up_is_cut_off_and_holds_up_nobody(hall, sender, topic, monkeypatch):
    monkeypatch.setattr(reception, "MOST_WAITING", 5)
    slow, quick = hall.tune_in(topic), hall.tune_in(topic)
    hung_up = []
    slow.on_cut_off = lambda: hung_up.append(True)

    for number in range(10):
        send(sender, topic, news(str(number)))
        hear(quick)

    assert (slow.is_over, hung_up) == (True, [True])
    assert slow.wait(timeout_seconds=PATIENCE_SECONDS) == []
    assert not quick.is_over


def test_all_receivers_end_when_the_process_does(hall, topic):
    receiver = hall.tune_in(topic)

    hall.close()

    assert receiver.wait(timeout_seconds=PATIENCE_SECONDS) == []
    assert receiver.is_over
    with pytest.raises(UnavailableError):
        hall.tune_in(topic)


def test_a_receiver_outlives_a_lost_connection(hall, sender, topic, broker, caplog):
    caplog.set_level(logging.INFO)
    receiver = hall.tune_in(topic)
    send(sender, topic, news("before"))
    hear(receiver)

    for client in broker.client_list():
        if client["cmd"].startswith("xread"):
            broker.client_kill_filter(_id=client["id"])  # all sockets have one address
    send(sender, topic, news("after"))

    assert hear(receiver)[-1].messages == (news("after"),)


def test_without_a_broker_receivers_wait_and_it_is_logged_once(nowhere, topic, caplog):
    hall = Reception(nowhere, most=3)

    receiver = hall.tune_in(topic, since=Place(BEGINNING, heard=1))

    assert receiver.take_gap()
    refused = "Connection refused"  # not what the thread of a hall that has closed may say
    deadline = time.monotonic() + 20
    while refused not in caplog.text:
        assert time.monotonic() < deadline
        assert receiver.wait(timeout_seconds=0.2) == []
    assert receiver.wait(timeout_seconds=0.2) == []
    assert not receiver.is_over
    assert caplog.text.count(refused) == 1
    hall.close()


def test_receivers_hear_again_once_the_broker_is_back(hall, sender, topic, nowhere, caplog):
    caplog.set_level(logging.INFO)
    there, hall._broker = hall._broker, nowhere
    receiver = hall.tune_in(topic)
    assert receiver.wait(timeout_seconds=MOMENT_SECONDS) == []

    hall._broker = there
    wait_until(receiver.take_gap)
    send(sender, topic, news("back"))

    assert hear(receiver)[0].messages == (news("back"),)
    assert caplog.text.count("live streams hear the broker again") == 1


def test_telling_without_a_broker_returns_at_once_and_is_logged_once(nowhere, topic, caplog):
    sender = Transmitter(nowhere)
    began = time.monotonic()

    for _ in range(1_000):
        assert not sender.is_listening(topic)
        sender.tell(topic, [news("unheard")])

    assert time.monotonic() - began < 10
    time.sleep(0.1)
    # Transmitters of earlier tests may still be about; theirs is another broker.
    assert caplog.text.count("told of news: Error 111 connecting to 127.0.0.1:1.") == 1
