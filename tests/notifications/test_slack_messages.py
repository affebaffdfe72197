"""Messages to Slack: what is in them, and what every way to fail means."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from leadvibe.notifications.slack_api import SlackError
from leadvibe.notifications.transports.slack import (
    MOST_BLOCKS,
    Target,
    blocks,
    fallback,
    fitted,
    send,
)
from leadvibe.notifications.types import (
    Cause,
    Happening,
    Notice,
    NoticeLead,
    Parcel,
    Reason,
    RecentAction,
    SlackTargetKind,
    TriggerName,
    Wording,
)
from tests.standins.slack import ARCHIVED, BOT, TOKEN

AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
LEAD = NoticeLead(
    lead_id="ld_1",
    best_alias="Ada <Lovelace> & Co",
    email="ada@acme.test",
    score=1085,
    engagement_level="Hot",
    profile_level="A",
    owner_name="Grace",
    metadata={},
)
NOTICE = Notice(
    event=Happening.MILESTONE_REACHED,
    id=UUID(int=1),
    fired_at=AT,
    org_id=UUID(int=2),
    unit_id=UUID(int=3),
    trigger=TriggerName(trigger_id="t", name="Hot leads", type="milestone"),
    lead=LEAD,
    cause=Cause(event_id=UUID(int=4), event_type="demo_request", timestamp=AT, metadata={}),
    summary="reached 1,085 points (Hot)",
    reasons=(
        Reason(event_type="page_view", points=5, count=1),
        Reason(event_type="demo_request", points=1000, count=2),
        Reason(event_type="unsubscribe", points=-80, count=1),
        Reason(event_type="email_open", points=1, count=1),
    ),
    recent=(RecentAction(event_type="demo_request", timestamp=AT, channel="web"),),
)
PARCEL = Parcel(delivery_id=uuid4(), notice=NOTICE, lead_url="https://leads.test/app/leads/ld_1")


def to(slack, target_id="C024BE91L", kind=SlackTargetKind.CHANNEL, token=TOKEN):
    return Target(token=token, kind=kind, id=target_id, base_url=slack.url)


def texts(message_blocks):
    return json.dumps(message_blocks, ensure_ascii=False)


def test_a_message_holds_what_happened_why_and_the_way_to_the_lead(slack):
    parcel = replace(PARCEL, wording=Wording(message="Call <today>"), folded=(NOTICE,))

    receipt = send(to(slack), parcel)

    [message] = slack.messages
    said = texts(message["blocks"])
    assert message["channel"] == "C024BE91L"
    assert message["text"] == "Ada &lt;Lovelace&gt; &amp; Co reached 1,085 points (Hot)"
    for expected in ("1,085", "Hot", "Grace", "Call &lt;today&gt;", "Hot leads", "Also"):
        assert expected in said
    assert '"url": "https://leads.test/app/leads/ld_1"' in said
    assert receipt.status == 200
    assert json.loads(receipt.response)["ok"] is True
    assert TOKEN not in receipt.request + receipt.response + repr(to(slack))


def test_only_the_three_strongest_reasons_are_told_strongest_first():
    said = texts(blocks(PARCEL))

    order = [
        said.index(it)
        for it in (
            "demo_request +1,000 (2\N{MULTIPLICATION SIGN})",
            "unsubscribe -80",
            "page_view +5",
        )
    ]
    assert order == sorted(order)
    assert "email_open" not in said


def test_a_repetition_can_be_told_and_nothing_unfolds(slack):
    send(to(slack), PARCEL)

    [message] = slack.messages
    assert message["metadata"] == {
        "event_type": "leadvibe_notice",
        "event_payload": {"delivery_id": str(PARCEL.delivery_id)},
    }
    assert message["unfurl_links"] is message["unfurl_media"] is False


def test_a_person_is_written_to_in_a_direct_message(slack):
    send(to(slack, "U0OWNER001", SlackTargetKind.USER), PARCEL)

    assert slack.called("conversations.open") == [{"users": "U0OWNER001"}]
    assert slack.messages[0]["channel"] == "D0OWNER001"


def test_what_people_wrote_mentions_nobody_and_makes_no_links():
    name = "<!channel> <https://bad.test|win> & <@U1>"
    hostile = replace(
        NOTICE,
        lead=replace(LEAD, best_alias=name, owner_name=name, engagement_level=name),
        trigger=replace(NOTICE.trigger, name=name),
        summary=name,
        reasons=(Reason(event_type=name, points=1, count=1),),
        recent=(RecentAction(event_type=name, timestamp=AT, channel=name),),
    )
    parcel = replace(PARCEL, notice=hostile, wording=Wording(message=name), folded=(hostile,))

    said = texts(blocks(parcel)) + fallback(parcel)

    for dangerous in ("<!channel", "<http", "<@"):
        assert dangerous not in said
    assert "&lt;!channel&gt;" in said


def test_a_message_that_is_too_long_arrives_shortened(slack):
    endless = "<&>" * 5_000
    long_notice = replace(
        NOTICE,
        summary=endless,
        lead=replace(LEAD, best_alias=endless, owner_name=endless),
        reasons=(Reason(event_type=endless, points=1, count=1),) * 5,
        recent=(RecentAction(event_type=endless, timestamp=AT, channel="web"),) * 20,
    )
    parcel = replace(
        PARCEL, notice=long_notice, wording=Wording(message=endless), folded=(long_notice,) * 90
    )

    send(to(slack), parcel)

    [message] = slack.messages
    assert len(message["blocks"]) <= MOST_BLOCKS
    assert "and 80 more" in texts(message["blocks"])
    for block in message["blocks"]:
        assert len(block.get("text", {}).get("text", "")) <= 3_000
        assert all(len(field["text"]) <= 2_000 for field in block.get("fields", ()))


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("plain", 5, "plain"),
        ("plain", 4, "pla…"),
        ("a&b", 7, "a&amp;b"),
        ("a&b", 6, "a…"),
        ("&&&", 8, "&amp;…"),
        (" <  ", 4, "&lt;"),
    ],
)
def test_no_escape_is_cut_through(text, longest, expected):
    assert fitted(text, longest) == expected


def test_an_address_that_no_button_takes_is_left_out():
    assert "actions" not in {it["type"] for it in blocks(replace(PARCEL, lead_url="h" * 3_001))}
    assert "actions" not in {it["type"] for it in blocks(replace(PARCEL, lead_url=""))}


def refused(slack, *args, **kwargs):
    with pytest.raises(SlackError) as error:
        send(to(slack, *args, **kwargs), PARCEL)
    assert TOKEN not in f"{error.value} {error.value.request} {error.value.response}"
    return error.value


@pytest.mark.parametrize(
    ("target_id", "kind", "code"),
    [
        ("C0NOWHERE", SlackTargetKind.CHANNEL, "channel_not_found"),
        (ARCHIVED, SlackTargetKind.CHANNEL, "is_archived"),
        ("U0NOBODY", SlackTargetKind.USER, "user_not_found"),
        (BOT, SlackTargetKind.USER, "cannot_dm_bot"),
    ],
)
def test_a_target_that_is_not_there_stays_away(slack, target_id, kind, code):
    error = refused(slack, target_id, kind)

    assert (error.code, error.is_temporary, error.is_revoked) == (code, False, False)
    assert error.status == 200
    assert json.loads(error.response) == {"ok": False, "error": code}


@pytest.mark.parametrize("code", ["msg_too_long", "invalid_blocks", "no_such_word"])
def test_what_slack_does_not_take_is_not_sent_again(slack, code):
    slack.fail_next(code)

    error = refused(slack)

    assert not error.is_temporary
    assert error.reason == f"Slack says {code}"


@pytest.mark.parametrize(
    "code", ["invalid_auth", "token_revoked", "account_inactive", "token_expired", "not_authed"]
)
def test_a_token_that_is_no_good_any_more_is_told_apart(slack, code):
    slack.fail_next(code)

    error = refused(slack)

    assert error.is_revoked
    assert not error.is_temporary


@pytest.mark.parametrize(
    "code", ["internal_error", "fatal_error", "request_timeout", "service_unavailable"]
)
def test_a_fault_of_slacks_may_pass(slack, code):
    slack.fail_next(code)

    assert refused(slack).is_temporary


def test_too_many_messages_wait_as_long_as_slack_says(slack):
    slack.fail_next("", status=429, retry_after=17)

    error = refused(slack)

    assert error.is_temporary
    assert (error.status, error.retry_after_seconds) == (429, 17)
    assert len(slack.calls) == 1


def test_a_page_instead_of_an_answer_may_pass(slack):
    slack.fail_next("", status=502)

    error = refused(slack)

    assert (error.is_temporary, error.status) == (True, 502)
    assert "html" not in error.response
    assert len(slack.calls) == 1


def test_no_slack_at_all_may_pass(slack):
    away = replace(to(slack), base_url="http://127.0.0.1:1/api/")

    with pytest.raises(SlackError) as error:
        send(away, PARCEL)

    assert error.value.is_temporary
    assert error.value.reason == "Slack cannot be reached"


def test_no_token_is_ever_logged(slack, caplog):
    caplog.set_level(logging.DEBUG)

    send(to(slack), PARCEL)
    refused(slack, ARCHIVED)

    assert TOKEN not in caplog.text
