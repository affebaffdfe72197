from __future__ import annotations

import pytest

from leadvibe.identity import checks
from leadvibe.lib.errors import InvalidError


@pytest.mark.parametrize(
    ("typed", "email"),
    [
        (" Anna@Example.COM ", "anna@example.com"),
        ("anna@intranet.local", "anna@intranet.local"),
        ("anna@mailhost", "anna@mailhost"),
        ("jürgen@müller.de", "jürgen@müller.de"),
    ],
)
def test_an_address_is_kept_in_lower_case_wherever_it_is(typed, email):
    assert checks.checked_email(typed) == email


@pytest.mark.parametrize(
    "typed", ["", "anna", "anna@", "@example.com", "a b@example.com", "a@b\0.c"]
)
def test_what_is_no_address_is_refused_by_field(typed):
    with pytest.raises(InvalidError) as refused:
        checks.checked_email(typed)

    assert "email" in refused.value.fields


def test_an_address_to_look_up_is_never_an_error():
    assert checks.typed_email(" Anna@Example.com\0\n") == "anna@example.com"
    assert len(checks.typed_email("a" * 10_000)) == checks.LONGEST_EMAIL


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "nul\0"])
def test_a_bad_name_is_refused_by_field(name):
    with pytest.raises(InvalidError) as refused:
        checks.checked_name(name, field="organization")

    assert "organization" in refused.value.fields


@pytest.mark.parametrize(
    ("name", "slug"),
    [("EMEA & Sales", "emea-sales"), ("Zürich", "zurich"), ("  ", "unit"), ("日本", "unit")],
)
def test_a_slug_spells_the_name_plainly(name, slug):
    assert checks.slug_of(name) == slug
