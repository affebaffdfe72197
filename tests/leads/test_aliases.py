"""Phone numbers in one form, however they are spelled."""

from __future__ import annotations

import pytest

from leadvibe.leads.aliases import make_alias
from leadvibe.leads.errors import BadAliasError


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("+1 (415) 555-0101", "+14155550101"),
        ("+1 415 555 0101 ext. 7", "+14155550101"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("0044 20 7946 0018", "+442079460018"),
        ("+39 06 1234 5678", "+390612345678"),
        ("tel:+14155550101", "+14155550101"),
        ("(415) 555-0101", "+4155550101"),
        ("4155550101", "+4155550101"),
        ("+1", "+1"),
        ("\uff14\uff11\uff15 5550101", "+4155550101"),  # digits as wide as Chinese letters
    ],
)
def test_a_phone_number_has_one_form(spelled, value):
    alias = make_alias("phone", spelled)

    assert (alias.value, alias.raw_value) == (value, spelled)
    assert make_alias("phone", value).value == value


@pytest.mark.parametrize("spelled", ["", "none", "+", "00"])
def test_what_has_no_number_is_none(spelled):
    with pytest.raises(BadAliasError):
        make_alias("phone", spelled)
