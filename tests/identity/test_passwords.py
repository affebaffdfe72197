from __future__ import annotations

import pytest

from leadvibe.identity import passwords
from leadvibe.identity.errors import WeakPasswordError
from leadvibe.identity.security import Hashing

CHEAP = Hashing(memory_kib=8, passes=1, lanes=1)


def test_only_the_password_itself_is_accepted():
    stored = passwords.hash_password("correct horse battery", CHEAP)

    assert passwords.is_password("correct horse battery", stored, CHEAP)
    assert not passwords.is_password("correct horse batterY", stored, CHEAP)
    assert not passwords.is_password("", stored, CHEAP)


def test_the_hash_is_argon2id_at_the_cost_that_was_asked_for():
    stored = passwords.hash_password("correct horse battery", Hashing())

    assert stored.startswith("$argon2id$")
    assert "m=19456,t=2,p=1" in stored


def test_a_hash_of_another_cost_is_outdated_but_still_good():
    stored = passwords.hash_password("correct horse battery", CHEAP)

    assert passwords.is_outdated(stored, Hashing(memory_kib=16, passes=1, lanes=1))
    assert not passwords.is_outdated(stored, CHEAP)
    assert passwords.is_password("correct horse battery", stored, Hashing())


def test_nobody_is_refused_by_the_same_work_as_somebody(work):
    cost = Hashing(memory_kib=16, passes=3, lanes=2)
    stored = passwords.hash_password("correct horse battery", cost)
    passwords.is_password("a guess", None, cost)  # makes the decoy, once a process
    done = {}

    for who, hashed in {"somebody": stored, "nobody": None}.items():
        work.clear()
        assert not passwords.is_password("a guess", hashed, cost)
        done[who] = work.copy()

    assert done["nobody"] == done["somebody"]
    [(task, paid)] = done["nobody"]
    assert (task, paid.memory_cost, paid.time_cost, paid.parallelism) == ("verify", 16, 3, 2)


def test_a_damaged_hash_accepts_nothing():
    assert not passwords.is_password("correct horse battery", "not a hash", CHEAP)


def test_two_spellings_of_one_letter_are_one_password():
    composed, decomposed = "caf\u00e9 au lait, please", "cafe\u0301 au lait, please"

    assert passwords.is_password(decomposed, passwords.hash_password(composed, CHEAP), CHEAP)


@pytest.mark.parametrize(
    ("password", "remedy"),
    [
        ("ninechars", "at least 10"),
        ("x" * 257, "at most 256"),
        (" Anna@Acme.test ", "e-mail address"),
        ("aaaaaaaaaaaa", "single character"),
    ],
)
def test_a_weak_password_is_refused_with_the_remedy(password, remedy):
    with pytest.raises(WeakPasswordError) as refused:
        passwords.require_strong(password, email="anna@acme.test")

    assert remedy in refused.value.fields["password"]


def test_ten_ordinary_characters_will_do():
    passwords.require_strong("ten chars!", email="anna@acme.test")
