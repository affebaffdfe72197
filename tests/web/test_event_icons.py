"""Which icon stands for an event, or for what moved a score."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadvibe.engine.facts import EntryKind
from leadvibe.web.event_icons import _OF_KIND, _OF_WORD, event_icon, mover_icon


@pytest.mark.parametrize(
    ("event_type", "channel", "icon"),
    [
        ("email_opened", "email", "mail"),
        ("page_view", "web", "globe"),
        ("pricing_page_view", "web", "shopping-cart"),
        ("Content Download", "paid", "download"),
        ("demo_request", "slack", "message-square"),
    ],
)
def test_the_channel_tells_the_icon_and_the_words_where_it_is_the_web(event_type, channel, icon):
    assert event_icon(event_type, channel) == icon


def test_what_leadvibe_did_by_itself_has_icons_of_its_own():
    assert mover_icon(EntryKind.DECAY, "") == "clock"
    assert mover_icon(EntryKind.EVENT, "webinar_attended") == "presentation"


def test_every_icon_is_there():
    drawn = set(re.findall(r'id="([a-z0-9-]+)"', Path("static/icons.svg").read_text()))

    assert {*_OF_KIND.values(), *_OF_WORD.values()} <= drawn
