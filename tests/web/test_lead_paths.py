"""Addresses of leads survive everything between a link and the view, for any id."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.leads.addresses import read_lead_id
from leadvibe.web.lead_paths import LEADS, lead_path

ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(ids)
def test_an_address_names_the_lead_it_was_made_for(lead_id):
    segment = unquote(lead_path(lead_id).removeprefix(f"{LEADS}/"))

    assert read_lead_id(segment) == lead_id


@given(ids)
def test_no_browser_resolves_an_address_to_another(lead_id):
    path = lead_path(lead_id)

    assert urlsplit(urljoin("http://host/app/leads", path)).path == path
    assert path.count("/") == 3
    assert "%2F" not in path
    assert "%5C" not in path


def test_an_ordinary_id_stands_in_the_address_as_it_is():
    assert lead_path("ld_123") == "/app/leads/ld_123"


@pytest.mark.parametrize("segment", ["", "a\0b", "~", "~!!!", "~gA", "~AA"])
def test_what_can_be_no_id_is_none(segment):
    assert read_lead_id(segment) is None
