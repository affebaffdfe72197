"""Cards, posted to a server in the place of a Teams workflow."""

from __future__ import annotations

import json

import pytest

from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.transports import teams
from leadvibe.notifications.types import Reason, RecentAction, Wording
from tests.notifications.parcels import NOW, make_lead, make_notice, make_parcel
from tests.standins.web_server import Told


def card_of(message: bytes) -> dict:
    content = json.loads(message)
    [attachment] = content["attachments"]
    assert content["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    return card


def lines_of(card: dict) -> list[str]:
    """Return what the card says, and see to it that nothing is read as Markdown."""
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    return ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]


def test_a_card_says_who_how_much_and_why(web_server, outbound):
    parcel = make_parcel(
        wording=Wording(message="Call them.\nToday."), folded=[make_notice(summary="came back")]
    )

    receipt = teams.send(outbound, web_server.url, parcel, now=NOW)

    assert receipt.status == 200
    card = card_of(web_server.asked[0].body)
    assert lines_of(card) == [
        "Ada Example reached 85 points (Hot) and 1 more",
        "Call them.",
        "Today.",
        "Score: 1,085",
        "Engagement: Hot",
        "Profile: A",
        "Owner: Olga Owner",
        "Why",
        "• demo_request +100 (2\xd7)",
        "• unsubscribe -15",
        "Recent actions",
        "• pricing_page, 28 Nov 2026, 09:12 UTC (web)",
        "Also",
        "• Ada Example came back, 28 Nov 2026, 09:12 UTC",
    ]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open lead", "url": parcel.lead_url}
    ]


def test_a_card_gives_three_reasons():
    reasons = tuple(Reason(event_type=f"e{n}", points=n, count=1) for n in range(9))

    lines = lines_of(card_of(teams.message_of(make_parcel(reasons=reasons))))

    assert [line for line in lines if line.startswith("• e")] == ["• e0 +0", "• e1 +1", "• e2 +2"]


def test_names_are_shown_as_they_are():
    hostile = "[Click](https://evil.test) **Ada** {{DATE(2017-02-14T06:00:00Z)}}"

    lines = lines_of(card_of(teams.message_of(make_parcel(lead=make_lead(best_alias=hostile)))))

    assert lines[0].startswith(hostile)


@pytest.mark.parametrize(
    "message", ["\N{PILE OF POO}" * 9_999, "\n\N{PILE OF POO}" * 9_999, '"' * 9_999]
)
def test_a_card_is_never_too_large_and_keeps_what_matters(message):
    long = "\N{PILE OF POO}" * 500
    lead = make_lead(
        best_alias=long, engagement_level=long, profile_level=long, owner_name=long, metadata={}
    )
    parcel = make_parcel(
        lead=lead,
        wording=Wording(message=message),
        recent=tuple(RecentAction(event_type=long, timestamp=NOW, channel=long) for _ in range(9)),
        folded=[make_notice(lead=lead, summary=long)] * 20,
    )

    content = teams.message_of(parcel)

    assert len(content) <= 28 * 1024
    lines = lines_of(card_of(content))
    assert {"Score", "Engagement", "Profile", "Owner"} <= {line.partition(":")[0] for line in lines}


def test_the_secret_of_the_url_is_sent_but_not_kept(web_server, outbound):
    url = f"{web_server.url}/workflows/1/invoke?api-version=1&sig=hunter2"

    receipt = teams.send(outbound, url, make_parcel(), now=NOW)
    web_server.always(Told(404))
    with pytest.raises(TransportError) as failed:
        teams.send(outbound, url, make_parcel(), now=NOW)

    assert web_server.asked[0].path == "/workflows/1/invoke?api-version=1&sig=hunter2"
    assert f"POST {web_server.url}/workflows/1/invoke?api-version=••••&sig=••••" in receipt.request
    error = failed.value
    assert not [
        each
        for each in (receipt.request, error.request, error.reason, str(error))
        if "hunter2" in each
    ]


@pytest.mark.parametrize(
    ("status", "is_temporary"), [(400, False), (401, False), (404, False), (429, True), (502, True)]
)
def test_a_refusal_says_whether_trying_again_helps(web_server, outbound, status, is_temporary):
    web_server.always(Told(status, headers={"Retry-After": "7"}))

    with pytest.raises(TransportError) as failed:
        teams.send(outbound, web_server.url, make_parcel(), now=NOW)

    assert failed.value.is_temporary is is_temporary
    assert failed.value.retry_after_seconds == (7 if is_temporary else None)
    assert failed.value.reason.startswith(f"Teams answered {status}")


def test_a_workflow_may_answer_that_it_will_post_later(web_server, outbound):
    web_server.always(Told(202, b""))

    assert teams.send(outbound, web_server.url, make_parcel(), now=NOW).status == 202
