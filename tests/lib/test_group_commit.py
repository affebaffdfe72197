"""What many threads bring at once is committed together, and nothing of it lost or left waiting."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from leadvibe.lib.group_commit import GroupCommit

SECONDS = 10


class BadItemError(Exception):
    """What a writer raises for an item that nobody could store."""


class Book:
    """Writes groups down; the first one only once it is let go."""

    def __init__(self, *, bad=()):
        self.groups = []
        self.bad = set(bad)
        self.go = threading.Event()
        self.has_begun = threading.Event()

    def __call__(self, items):
        self.has_begun.set()
        assert self.go.wait(SECONDS)
        if self.bad.intersection(items):
            raise BadItemError(sorted(self.bad.intersection(items)))
        self.groups.append(list(items))

    @property
    def written(self):
        return sorted(item for group in self.groups for item in group)


def outcome_of(group, item):
    try:
        group.put(item)
    except BadItemError as error:
        return error.args[0]
    return None


def put_at_once(group, book, items):
    """Put the first item, all others while it is being written, and return what became of each."""
    with ThreadPoolExecutor(len(items)) as pool:
        outcomes = [pool.submit(outcome_of, group, items[0])]
        assert book.has_begun.wait(SECONDS)
        outcomes += [pool.submit(outcome_of, group, item) for item in items[1:]]
        while len(group._waiting) < len(items) - 1:
            time.sleep(0.001)
        book.go.set()
        return [outcome.result(SECONDS) for outcome in outcomes]


def test_those_who_come_while_one_is_written_are_written_together():
    book = Book()
    group = GroupCommit(book)

    put_at_once(group, book, list(range(8)))

    assert [len(it) for it in book.groups] == [1, 7]
    assert book.written == list(range(8))


def test_one_alone_is_written_at_once():
    book = Book()
    book.go.set()
    group = GroupCommit(book)

    group.put(1)
    group.put(2)

    assert book.groups == [[1], [2]]


def test_a_fault_of_one_item_is_its_own():
    book = Book(bad={3})
    group = GroupCommit(book, faults_of_items=(BadItemError,))

    outcomes = put_at_once(group, book, list(range(6)))

    assert outcomes == [None, None, None, [3], None, None]
    assert book.written == [0, 1, 2, 4, 5]


def test_any_other_fault_is_everybodys_and_the_next_group_is_written():
    book = Book(bad={3})
    group = GroupCommit(book)

    outcomes = put_at_once(group, book, list(range(6)))
    book.bad.clear()
    group.put(6)

    assert outcomes == [None, [3], [3], [3], [3], [3]]
    assert book.written == [0, 6]


def test_a_crowd_of_threads_is_written_once_each():
    book = Book()
    book.go.set()
    group = GroupCommit(book)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(group.put, range(5_000)))

    assert book.written == list(range(5_000))
