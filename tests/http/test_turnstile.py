"""Few reads at once, in order, and nothing else held up."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from leadvibe.http.turnstile import FILES_AT_ONCE, READS_AT_ONCE, Line, Turnstile

SECONDS = 5


class Slow:
    """An application that answers when it is let go, and counts who is inside."""

    def __init__(self):
        self.go = threading.Event()
        self.inside = 0
        self.most = 0
        self.lock = threading.Lock()

    def __call__(self, _environ, _start):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.go.wait(SECONDS)
        with self.lock:
            self.inside -= 1
        return [b"done"]


def ask(app, method, path="/app/leads"):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    thread = threading.Thread(target=app, args=(environ, None))
    thread.start()
    return thread


@contextmanager
def hold_up(line, places):
    """Take all the places of a line."""
    with ExitStack() as held:
        for _ in range(places):
            held.enter_context(line.place())
        yield


def wait_until(holds):
    deadline = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert holds()


def test_reads_beyond_the_limit_wait_and_then_have_their_turn():
    slow = Slow()
    gate = Turnstile(slow, reads_at_once=2, patience=SECONDS)

    threads = [ask(gate, "GET") for _ in range(6)]
    wait_until(lambda: slow.inside == 2)
    slow.go.set()
    for thread in threads:
        thread.join(SECONDS)

    assert slow.most == 2
    assert slow.inside == 0
    assert not any(thread.is_alive() for thread in threads)


def test_a_write_passes_reads_that_wait():
    slow = Slow()
    gate = Turnstile(slow, reads_at_once=1, patience=SECONDS)

    threads = [ask(gate, "GET"), ask(gate, "GET"), ask(gate, "POST")]
    wait_until(lambda: slow.inside == 2)
    slow.go.set()
    for thread in threads:
        thread.join(SECONDS)

    assert slow.inside == 0


def test_files_wait_for_files_but_not_for_pages():
    slow = Slow()
    gate = Turnstile(slow, reads_at_once=1, patience=SECONDS)

    threads = [ask(gate, "GET") for _ in range(3)]
    wait_until(lambda: slow.inside == 1)
    threads += [ask(gate, "GET", "/static/css/base.css") for _ in range(3)]
    wait_until(lambda: slow.inside == 2)
    wait_until(lambda: len(gate._files._waiting) == 2)
    slow.go.set()
    for thread in threads:
        thread.join(SECONDS)

    assert slow.most == 2
    assert slow.inside == 0


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_while_pages_and_files_have_everybody_waiting(app, path):
    gate = app.wsgi_app

    with hold_up(gate._reads, READS_AT_ONCE), hold_up(gate._files, FILES_AT_ONCE):
        assert app.test_client().get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "line"),
    [("/", "_reads"), ("/app/login", "_reads"), ("/static/css/base.css", "_files")],
)
def test_reads_and_files_of_the_application_wait_in_their_lines(app, path, line, monkeypatch):
    line = getattr(app.wsgi_app, line)
    monkeypatch.setattr(line, "_patience", SECONDS)
    answers = []
    reader = threading.Thread(target=lambda: answers.append(app.test_client().get(path)))

    with hold_up(line, line._free):
        reader.start()
        wait_until(lambda: len(line._waiting) == 1)
        assert answers == []
    reader.join(SECONDS)

    assert answers[0].status_code < 400


def test_a_read_that_fails_gives_its_place_back():
    def broken(_environ, _start):
        raise ValueError

    gate = Turnstile(broken, reads_at_once=1)

    for _ in range(3):
        thread_error = None
        try:
            gate({"REQUEST_METHOD": "GET", "PATH_INFO": "/app/leads"}, None)
        except ValueError as error:
            thread_error = error
        assert thread_error is not None


def test_who_waits_longest_is_next():
    line, order = Line(1, patience=SECONDS), []

    def wait(number):
        with line.place():
            order.append(number)

    with line.place():
        threads = []
        for number in range(5):
            thread = threading.Thread(target=wait, args=(number,))
            thread.start()
            threads.append(thread)
            wait_until(lambda number=number: len(line._waiting) == number + 1)
    for thread in threads:
        thread.join(SECONDS)

    assert order == [0, 1, 2, 3, 4]


def test_nobody_waits_long_behind_a_slow_read_and_the_places_come_back():
    line = Line(1, patience=0.01)
    inside, go = [], threading.Event()

    def hurry():
        with line.place():
            inside.append(True)
            go.wait(SECONDS)

    with line.place():
        threads = [threading.Thread(target=hurry) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(inside) == 3)
        assert line._free == -3
    assert line._free == -2
    go.set()
    for thread in threads:
        thread.join(SECONDS)

    assert line._free == 1
    assert not line._waiting
