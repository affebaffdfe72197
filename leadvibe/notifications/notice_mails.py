"""The wording of mail about leads."""

from __future__ import annotations

from collections.abc import Iterator

from leadvibe.notifications import mail_layout, wording
from leadvibe.notifications.mail_layout import (
    Block,
    Button,
    Heading,
    Lines,
    Link,
    Note,
    Paragraph,
    Rows,
)
from leadvibe.notifications.transports.email import Mail
from leadvibe.notifications.types import Parcel

LONGEST_MESSAGE = 10_000
LONGEST_PREHEADER = 200


def word_notice_mail(
    parcel: Parcel, *, to: str, public_url: str, unsubscribe_url: str | None
) -> Mail:
    """Word the mail that tells somebody about a lead.

    All attempts of a delivery have one Message-ID, so that mail programs show them once.
    """
    blocks = list(_blocks(parcel, public_url=public_url, unsubscribe_url=unsubscribe_url))
    return Mail(
        to=to,
        subject=wording.subject(parcel),
        text=mail_layout.as_text(blocks),
        html=mail_layout.as_html(blocks, preheader=_preheader(parcel)),
        message_id=str(parcel.delivery_id),
        headers={
            "X-Leadvibe-Delivery": str(parcel.delivery_id),
            **_unsubscribe_headers(unsubscribe_url),
        },
    )


def _blocks(parcel: Parcel, *, public_url: str, unsubscribe_url: str | None) -> Iterator[Block]:
    notice = parcel.notice
    yield Heading(wording.headline(notice))
    if message := wording.lines_of(parcel.wording.message, most=LONGEST_MESSAGE):
        yield Paragraph("\n".join(message))
    yield Rows(wording.facts(notice.lead) + wording.metadata_rows(notice.lead))
    yield Lines("Why", [wording.reason_line(each) for each in notice.reasons])
    yield Lines("Recent actions", [wording.action_line(each) for each in notice.recent])
    yield Button("Open lead", parcel.lead_url)
    yield Lines("Also", [wording.notice_line(each) for each in parcel.folded])
    trigger = wording.one_line(notice.trigger.name, most=wording.LONGEST_NAME)
    yield Note(
        f"“{trigger}” fired on {wording.moment(notice.fired_at)}. Sent by Leadvibe at {public_url}."
    )
    if unsubscribe_url:
        yield Link("Stop these mails", unsubscribe_url)


def _preheader(parcel: Parcel) -> str:
    usual = ", ".join(wording.reason_line(each) for each in parcel.notice.reasons)
    return wording.one_line(parcel.wording.preheader or usual, most=LONGEST_PREHEADER)


def _unsubscribe_headers(url: str | None) -> dict[str, str]:
    """Return what lets mail programs unsubscribe by themselves (RFC 8058)."""
    if url is None:
        return {}
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
