"""Mails about leads, as they arrive at a real SMTP server."""

from __future__ import annotations

import pytest

from leadvibe.notifications.notice_mails import word_notice_mail
from leadvibe.notifications.transports.email import MailServer, send
from leadvibe.notifications.types import Reason, RecentAction, TriggerName, Wording
from tests.notifications.parcels import NOW, make_lead, make_notice, make_parcel

TO = "olga@example.test"
PUBLIC_URL = "https://leads.example.com"
UNSUBSCRIBE_URL = f"{PUBLIC_URL}/app/unsubscribe/{'a-long_token' * 12}?x=1&y=2"
HOSTILE = '<script>alert("x")</script><img src=x onerror=y>'


@pytest.fixture
def deliver(serve, mailbox):
    """Return a way to mail a parcel; returns the message as it arrived, and the receipt."""
    server = MailServer.at(f"smtp://127.0.0.1:{serve()}", sender="leadvibe@example.test")

    def mail(parcel, *, unsubscribe_url=None):
        receipt = send(
            server,
            word_notice_mail(parcel, to=TO, public_url=PUBLIC_URL, unsubscribe_url=unsubscribe_url),
        )
        return mailbox.arrived[-1][2], receipt

    return mail


def parts_of(message) -> tuple[str, str]:
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return text.get_content().replace("\r\n", "\n"), html.get_content()


def test_a_mail_says_who_how_much_and_why(deliver):
    wording = Wording(message="Call them.\n\nToday & soon.")
    message, _ = deliver(make_parcel(wording=wording, folded=[make_notice(summary="came back")]))

    text, html = parts_of(message)
    assert message["Subject"] == "Ada Example reached 85 points (Hot) and 1 more"
    assert text == (
        "Ada Example reached 85 points (Hot)\n\n"
        "Call them.\n\nToday & soon.\n\n"
        "Score: 1,085\nEngagement: Hot\nProfile: A\nOwner: Olga Owner\n"
        "company: Example GmbH\nemployees: 250\n\n"
        "Why:\n- demo_request +100 (2\xd7)\n- unsubscribe -15\n\n"
        "Recent actions:\n- pricing_page, 28 Nov 2026, 09:12 UTC (web)\n\n"
        "Open lead:\nhttps://leads.example.com/app/leads/lead-1\n\n"
        "Also:\n- Ada Example came back, 28 Nov 2026, 09:12 UTC\n\n"
        "“Sales ready” fired on 28 Nov 2026, 09:12 UTC. Sent by Leadvibe at "
        "https://leads.example.com.\n"
    )
    for said in (
        "Call them.<br><br>Today &amp; soon.",
        "Example GmbH",
        "demo_request +100",
        "came back",
    ):
        assert said in html
    assert html.index("Call them.") < html.index("1,085") < html.index("Example GmbH")
    assert 'href="https://leads.example.com/app/leads/lead-1"' in html


def test_a_mail_about_little_has_no_empty_parts(deliver):
    message, _ = deliver(make_parcel(reasons=(), recent=(), lead=make_lead(metadata={})))

    text, html = parts_of(message)
    assert "Why" not in text + html
    assert "Recent" not in text + html
    assert "Also" not in text + html
    assert "\n\n\n" not in text


def test_what_visitors_are_called_is_never_markup(deliver):
    message, _ = deliver(
        make_parcel(
            lead=make_lead(
                best_alias=HOSTILE,
                owner_name=HOSTILE,
                engagement_level=HOSTILE,
                metadata={HOSTILE: HOSTILE, "nested": {"a": HOSTILE}},
            ),
            trigger=TriggerName(trigger_id="t", name=HOSTILE, type="milestone"),
            summary=HOSTILE,
            reasons=(Reason(event_type=HOSTILE, points=1, count=1),),
            recent=(RecentAction(event_type=HOSTILE, timestamp=NOW, channel=HOSTILE),),
            wording=Wording(message=HOSTILE, preheader=HOSTILE),
            folded=[make_notice(summary=HOSTILE)],
        )
    )

    _, html = parts_of(message)
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x00", "\x0b"])
def test_no_name_becomes_a_header(deliver, ending):
    hostile = f"Ada{ending}Bcc: all@example.test{ending}{ending}Body"

    message, _ = deliver(
        make_parcel(
            lead=make_lead(best_alias=hostile),
            wording=Wording(subject_prefix=f"[A]{ending}X-Injected: 1"),
        )
    )

    subject = message["Subject"].strip()  # it may be folded before its first word
    assert subject.startswith("[A] X-Injected: 1 Ada Bcc: all@example.test Body reached")
    assert message["Bcc"] is None
    assert message["X-Injected"] is None
    assert message.get_all("To") == [TO]


def test_a_long_subject_is_cut_and_survives_the_way(deliver):
    message, _ = deliver(make_parcel(wording=Wording(subject="Größe " * 60)))

    assert len(message["Subject"]) <= 150
    assert message["Subject"].startswith("Größe Größe")
    assert message["Subject"].endswith("…")


def test_the_preheader_is_the_first_of_the_html_and_hidden(deliver):
    own, _ = deliver(make_parcel(wording=Wording(preheader="Worth a call")))
    usual, _ = deliver(make_parcel())

    hidden = '<div style="display:none;max-height:0;overflow:hidden">'
    assert (
        parts_of(own)[1]
        .partition("padding:32px 16px")[2]
        .partition(">")[2]
        .startswith(f"{hidden}Worth a call</div>")
    )
    assert f"{hidden}demo_request +100 (2\xd7), unsubscribe -15</div>" in parts_of(usual)[1]
    assert "Worth a call" not in parts_of(own)[0]


def test_a_delivery_keeps_its_message_id_over_all_attempts(deliver):
    first, _ = deliver(make_parcel())
    second, _ = deliver(make_parcel())

    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"] == "<00000000-0000-0000-0000-000000000009@example.test>"
    assert first["X-Leadvibe-Delivery"] == "00000000-0000-0000-0000-000000000009"


def test_a_mail_that_can_be_stopped_says_how(deliver):
    message, _ = deliver(make_parcel(), unsubscribe_url=UNSUBSCRIBE_URL)

    raw = message.as_string(policy=message.policy.clone(max_line_length=0))
    assert f"\nList-Unsubscribe: <{UNSUBSCRIBE_URL}>" in raw
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = parts_of(message)
    assert f"Stop these mails: {UNSUBSCRIBE_URL}" in text
    assert f'href="{UNSUBSCRIBE_URL.replace("&", "&amp;")}"' in html


def test_a_mail_that_cannot_be_stopped_does_not_pretend_to(deliver):
    message, _ = deliver(make_parcel())

    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None
    assert "Stop these mails" not in parts_of(message)[1]


def test_the_receipt_is_what_the_server_said_without_the_content(deliver):
    _, receipt = deliver(make_parcel(), unsubscribe_url=UNSUBSCRIBE_URL)

    assert (receipt.status, receipt.response) == (250, "250 OK")
    assert f"To: {TO}" in receipt.request
    assert "Subject: Ada Example reached" in receipt.request
    assert "unsubscribe" not in receipt.request
