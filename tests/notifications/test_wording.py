"""The plain words that all messages share."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from leadvibe.notifications import wording
from leadvibe.notifications.types import Reason, RecentAction, Wording
from tests.notifications.parcels import NOW, make_lead, make_notice, make_parcel


def test_a_notice_is_told_in_a_sentence():
    assert wording.headline(make_notice()) == "Ada Example reached 85 points (Hot)"
    assert wording.notice_line(make_notice()) == (
        "Ada Example reached 85 points (Hot), 28 Nov 2026, 09:12 UTC"
    )


def test_times_are_told_in_utc():
    at = datetime(2026, 1, 2, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert wording.moment(at) == "1 Jan 2026, 23:30 UTC"


def test_reasons_say_their_points_and_how_often():
    reasons = [Reason(event_type="demo", points=p, count=c) for p, c in [(1200, 2), (-15, 1)]]

    assert [wording.reason_line(each) for each in reasons] == ["demo +1,200 (2\xd7)", "demo -15"]


def test_actions_say_when_and_where():
    actions = [
        RecentAction(event_type="demo", timestamp=NOW, channel=channel) for channel in ("web", "")
    ]

    assert [wording.action_line(each) for each in actions] == [
        "demo, 28 Nov 2026, 09:12 UTC (web)",
        "demo, 28 Nov 2026, 09:12 UTC",
    ]


def test_only_known_facts_are_told():
    lead = make_lead(profile_level="", owner_name=None)

    assert wording.facts(lead) == [("Score", "1,085"), ("Engagement", "Hot")]


def test_metadata_is_told_in_words_and_not_at_length():
    values = {
        "on": True,
        "tags": ["a", "ü"],
        "gone": None,
        "empty": "",
        "zero": 0,
        "long": "x" * 999,
    }
    lead = make_lead(metadata=values | {f"k{number}": number for number in range(20)})

    rows = wording.metadata_rows(lead)

    assert rows[:4] == [("on", "yes"), ("tags", '["a", "ü"]'), ("zero", "0"), ("long", rows[3][1])]
    assert len(rows[3][1]) == wording.LONGEST_VALUE
    assert len(rows) == wording.MOST_METADATA


def test_a_subject_is_one_line():
    lead = make_lead(best_alias="Ada\r\nBcc: all@example.test\u2028\u202e\x00 Example")

    assert wording.subject(make_parcel(lead=lead)) == (
        "Ada Bcc: all@example.test Example reached 85 points (Hot)"
    )


def test_a_subject_is_the_members_own_with_a_prefix_and_not_long():
    own = Wording(subject="Call them!\nNow", subject_prefix="[ACME]")

    assert wording.subject(make_parcel(wording=own)) == "[ACME] Call them! Now"
    long = wording.subject(make_parcel(wording=Wording(subject="word " * 99)))
    assert len(long) <= wording.LONGEST_SUBJECT
    assert long.endswith("word…")


def test_a_subject_counts_what_was_folded():
    parcel = make_parcel(folded=[make_notice(), make_notice()])

    assert wording.subject(parcel) == "Ada Example reached 85 points (Hot) and 2 more"


def test_what_a_member_wrote_keeps_its_lines():
    assert wording.lines_of("  One \r\n\nTwo\x00 ", most=99) == ["One", "", "Two"]
    assert wording.lines_of("", most=99) == []
    assert wording.lines_of("abc def", most=5) == ["abc…"]
