"""The steps of the quick start."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Choice, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class WizardStep:
    label: str
    url: str
    is_current: bool
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of several answers."""

    value: str
    label: str
    text: str = ""
    is_chosen: bool = False
    badge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionGroup:
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    key: str
    title: str
    sentence: str
    weight: str
    """Empty where it has none."""
    is_on: bool
    is_fixed: bool
    """Whether it is somebody's own, so that nothing chosen here would change it."""
    state: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGroup:
    label: str
    rows: tuple[ReviewRow, ...]
    stays: str
    """How many of them are fixed, in words; empty when none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStartPage:
    steps: tuple[WizardStep, ...]
    step: int
    title: str
    text: str
    carried: tuple[Choice, ...] = ()
    """Answers of other steps, as names and values."""
    options: tuple[Option, ...] = ()
    groups: tuple[OptionGroup, ...] = ()
    reviewed: tuple[ReviewGroup, ...] = ()
    sentences: tuple[str, ...] = ()
    back_url: str = ""
    can_apply: bool = False
    dismiss_url: str = ""
    last: Moment | None = None
    last_by: str = ""
    links: tuple[Choice, ...] = ()
