"""The one way in: what an event must look like, and where it is put before anyone answers.

An event is checked, put into the inbox and committed; only then may its sender hear that it was
accepted. Nothing is resolved or scored here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError, from_json, to_json

from leadvibe.events import service as events
from leadvibe.events.types import Arrival
from leadvibe.identity.types import Scope
from leadvibe.leads.aliases import MAX_LENGTH, make_alias
from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.types import AliasKind
from leadvibe.lib.errors import InvalidError, TooLargeError
from leadvibe.lib.ids import new_id
from leadvibe.scoring import queries as score_queries

MAX_METADATA_BYTES = 100 * 1024
MAX_ALIASES = 20
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(hours=24)
"""How far ahead a sender's clock may run before its timestamps count as now."""

# PostgreSQL cannot store NUL; the other control characters have no place in a name.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _plain(value: object) -> object:
    # isprintable answers for nearly every value, ten times as fast as the search.
    if isinstance(value, str) and not value.isprintable() and _CONTROL.search(value):
        raise PydanticCustomError("control_character", "contains a control character: remove it")
    return value


def _in_utc(at: datetime) -> datetime:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    if aware < EARLIEST:
        raise PydanticCustomError("too_early", "lies before 1970: give a later one")
    try:
        return aware.astimezone(UTC)
    except OverflowError:  # the last hours of the calendar, west of Greenwich
        raise PydanticCustomError("too_late", "lies beyond 9999: give an earlier one") from None


ShortText = Annotated[
    str,
    # Constraints first: behind the validator the length would be looked at before the stripping.
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    BeforeValidator(_plain),
]
"""An event type, a lead id or a message id."""

Moment = Annotated[datetime, AfterValidator(_in_utc)]

Identifier = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LENGTH),
    BeforeValidator(_plain),
]


class IncomingAlias(BaseModel):
    """One way to recognise the lead."""

    alias_kind: AliasKind = Field(description="What kind of identifier this is.")
    raw_value: Identifier = Field(description="The identifier as you know it.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_alias(self.alias_kind, self.raw_value, field="raw_value")
        return self


class IncomingEvent(BaseModel):
    """One thing a lead did, as a sender tells it.

    The lead is named by `lead_id`, by `aliases`, or both; unknown ones make a new lead.
    """

    model_config = ConfigDict(extra="ignore")

    event_type: ShortText = Field(description="What happened, for example demo_request.")
    lead_id: ShortText | None = Field(None, description="The lead's id, when you know it.")
    aliases: list[IncomingAlias] = Field(default_factory=list, max_length=MAX_ALIASES)
    alias_kind: AliasKind | None = Field(None, deprecated=True)
    alias: Identifier | None = Field(None, deprecated=True)
    timestamp: Moment | None = Field(None, description="When it happened; now when left out.")
    metadata: dict[str, Any] = Field(
        default_factory=dict, description="Anything else about it, up to 100 KB of JSON."
    )
    message_id: ShortText | None = Field(
        None,
        validation_alias=AliasChoices("message_id", "event_id"),
        description="Your own id of this message: the same one never counts twice.",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_nulls_as_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict) or None not in data.values():
            return data
        return {key: value for key, value in data.items() if value is not None}

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._adopt_deprecated_pair()
        if self.lead_id is None and not self.aliases:
            raise PydanticCustomError(
                "no_identity",
                "is missing: name the lead by lead_id or by at least one of aliases",
                {"field": "aliases"},
            )
        return self

    def _adopt_deprecated_pair(self) -> None:
        kind, value = self.__dict__.get("alias_kind"), self.__dict__.get("alias")
        if (kind is None) != (value is None):
            raise PydanticCustomError(
                "half_alias",
                "belongs together with alias_kind: give both, or aliases instead",
                {"field": "alias"},
            )
        if kind is not None and value is not None:
            _check_alias(kind, value, field="alias")
            self.aliases = [*self.aliases, IncomingAlias(alias_kind=kind, raw_value=value)]


def _check_alias(kind: AliasKind, raw_value: str, *, field: str) -> None:
    try:
        make_alias(kind, raw_value)
    except BadAliasError as error:
        problem = error.fields["raw_value"]
        raise PydanticCustomError(
            "bad_alias", "{problem}", {"problem": problem, "field": field}
        ) from error


def accept(
    scope: Scope, incoming: Sequence[IncomingEvent], *, source: str, now: datetime
) -> list[Arrival]:
    """Put events into the inbox, in order. They are accepted once the caller has committed.

    Raises TooLargeError or InvalidError for metadata that cannot be kept, and accepts none then.
    """
    arrivals = [arrive(event, source=source, now=now) for event in incoming]
    post(scope, arrivals)
    return arrivals


def post(scope: Scope, arrivals: Sequence[Arrival]) -> None:
    """Put what `arrive` returned into the inbox; it is accepted once the caller has committed."""
    if len(arrivals) == 1:
        events.post_arrival(scope, arrivals[0])
    else:
        events.post_arrivals(scope, arrivals, version=score_queries.current_version(scope))


def arrive(event: IncomingEvent, *, source: str, now: datetime, is_quiet: bool = False) -> Arrival:
    """Return what the inbox keeps of an event. Raises TooLargeError or InvalidError.

    A quiet one makes no trigger fire.
    """
    metadata = to_json(event.metadata)
    check_metadata(metadata)
    told: dict[str, Any] = {
        "event_type": event.event_type,
        "timestamp": _settle_timestamp(event.timestamp, now),
        "lead_id": event.lead_id,
        "aliases": [(alias.alias_kind, alias.raw_value) for alias in event.aliases],
    }
    if is_quiet:
        told["is_quiet"] = True
    head = to_json(told)
    payload = b'%s,"metadata":%s}' % (head[:-1], metadata)
    return Arrival(new_id(), now, source, event.message_id, payload.decode())


def check_metadata(document: bytes) -> None:
    """Check that metadata, as JSON, can be kept. Raises TooLargeError or InvalidError."""
    if len(document) > MAX_METADATA_BYTES:
        raise TooLargeError(
            f"metadata is {len(document):,} bytes; at most {MAX_METADATA_BYTES:,} are accepted.",
            fields={"metadata": "is too large"},
        )
    if b"\\u0000" in document and _NUL.search(document):
        raise InvalidError(
            "metadata contains a NUL character, which cannot be stored. Remove it.",
            fields={"metadata": "contains a NUL character"},
        )
    # Written without quotes it is no JSON: a number such as 1e999 that no computer holds.
    if b"Infinity" in document and not _is_json(document):
        raise InvalidError(
            "metadata contains a number that is too large to be kept. Send it as text.",
            fields={"metadata": "contains a number that is too large"},
        )


def _is_json(document: bytes) -> bool:
    try:
        from_json(document, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _settle_timestamp(timestamp: datetime | None, now: datetime) -> datetime:
    if timestamp is None or timestamp > now + CLOCK_SKEW:
        return now
    return timestamp
