"""The layout of mail: one plain column, as text and as HTML that says the same.

Styles stand at each element, because that is all that mail programs agree on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

_PARAGRAPH = '<p style="margin:0 0 16px">{}</p>'
_HEADING = '<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{}</h1>'
_TITLE = '<h2 style="margin:24px 0 8px;font-size:15px">{}</h2>'
_BUTTON = (
    '<p style="margin:0 0 16px"><a href="{url}" style="display:inline-block;padding:10px 18px;'
    'border-radius:6px;background:#4a50c8;color:#ffffff;text-decoration:none">{label}</a></p>'
)
_LINK = (
    '<p style="margin:0 0 8px;font-size:13px"><a href="{url}" style="color:#4a50c8">{label}</a></p>'
)
_NOTE = '<p style="margin:0 0 8px;font-size:13px;color:#5d5f73">{}</p>'
_TABLE = (
    '<table cellpadding="0" cellspacing="0" width="100%"'
    ' style="margin:0 0 16px;border-collapse:collapse;font-size:14px">{}</table>'
)
_ROW = (
    '<tr><th scope="row" align="left" valign="top" width="36%" style="padding:6px 12px 6px 0;'
    'border-bottom:1px solid #e6e6ee;color:#5d5f73;font-weight:normal;word-break:break-word">{}'
    '</th><td valign="top" style="padding:6px 0;border-bottom:1px solid #e6e6ee;'
    'word-break:break-word">{}</td></tr>'
)
_LIST = '<ul style="margin:0 0 16px;padding:0 0 0 18px">{}</ul>'
_ITEM = '<li style="margin:0 0 4px;word-break:break-word">{}</li>'
_PREHEADER = '<div style="display:none;max-height:0;overflow:hidden">{}</div>'
_PAGE = (
    '<!doctype html><html lang="en"><body style="margin:0;padding:32px 16px;background:#f6f6f9">'
    '{preheader}<div style="max-width:480px;margin:0 auto;padding:32px;border-radius:8px;'
    'background:#ffffff;color:#1c1d2b;font:15px/1.5 system-ui,sans-serif">{content}</div>'
    "</body></html>"
)


class Block(Protocol):
    """A part of a mail; its text is empty where the HTML alone needs it."""

    @property
    def text(self) -> str: ...

    @property
    def html(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Heading:
    text: str

    @property
    def html(self) -> str:
        return _HEADING.format(escape(self.text))


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    """May have several lines."""

    @property
    def html(self) -> str:
        return _PARAGRAPH.format(escape(self.text).replace("\n", "<br>"))


@dataclass(frozen=True, slots=True)
class Note:
    text: str

    @property
    def html(self) -> str:
        return _NOTE.format(escape(self.text))


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    url: str

    @property
    def text(self) -> str:
        return f"{self.label}:\n{self.url}"

    @property
    def html(self) -> str:
        return _BUTTON.format(url=escape(self.url), label=escape(self.label))


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str

    @property
    def text(self) -> str:
        return f"{self.label}: {self.url}"

    @property
    def html(self) -> str:
        return _LINK.format(url=escape(self.url), label=escape(self.label))


@dataclass(frozen=True, slots=True)
class Spelled:
    """An address to copy, for programs that show no links; the text has it already."""

    url: str

    @property
    def text(self) -> str:
        return ""

    @property
    def html(self) -> str:
        return _PARAGRAPH.format(f"<small>{escape(self.url)}</small>")


@dataclass(frozen=True, slots=True)
class Rows:
    rows: Sequence[tuple[str, str]]

    @property
    def text(self) -> str:
        return "\n".join(f"{label}: {value}" for label, value in self.rows)

    @property
    def html(self) -> str:
        rows = (_ROW.format(escape(label), escape(value)) for label, value in self.rows)
        return _TABLE.format("".join(rows)) if self.rows else ""


@dataclass(frozen=True, slots=True)
class Lines:
    """A titled list, or nothing when it is empty."""

    title: str
    lines: Sequence[str]

    @property
    def text(self) -> str:
        return "\n".join(
            [f"{self.title}:", *(f"- {line}" for line in self.lines)] * bool(self.lines)
        )

    @property
    def html(self) -> str:
        items = "".join(_ITEM.format(escape(line)) for line in self.lines)
        return _TITLE.format(escape(self.title)) + _LIST.format(items) if items else ""


def as_text(blocks: Sequence[Block]) -> str:
    return "\n\n".join(filter(None, (block.text for block in blocks))) + "\n"


def as_html(blocks: Sequence[Block], *, preheader: str = "") -> str:
    """Return the mail as HTML; the preheader is what lists of mails show behind the subject."""
    return _PAGE.format(
        preheader=_PREHEADER.format(escape(preheader)) if preheader else "",
        content="".join(block.html for block in blocks),
    )
