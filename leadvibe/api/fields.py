"""Kinds of field that several operations share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from leadvibe.lib.errors import NotFoundError
from leadvibe.lib.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest


@dataclass(frozen=True, slots=True)
class Named:
    """What an id in a path is the id of, in words."""

    noun: str

    def refuse(self, text: str) -> NoReturn:
        """Raise the same error as for an id that is well formed and unknown."""
        error = NotFoundError(f"There is no {self.noun} '{text}' in this unit.")
        error.code = f"{self.noun.replace(' ', '_')}_not_found"
        raise error


EventId = Annotated[UUID, Named("event")]
RulesetId = Annotated[UUID, Named("ruleset")]
RuleId = Annotated[UUID, Named("rule")]
LevelId = Annotated[UUID, Named("level")]
DecayId = Annotated[UUID, Named("decay")]
VelocityFilterId = Annotated[UUID, Named("velocity filter")]
MetadataFilterId = Annotated[UUID, Named("metadata filter")]
VersionNumber = Annotated[int, Named("version")]
BulkActionId = Annotated[UUID, Named("bulk action")]
LeadViewId = Annotated[UUID, Named("lead view")]
SegmentId = Annotated[UUID, Named("segment")]
SegmentRuleId = Annotated[UUID, Named("segment rule")]
DraftId = Annotated[UUID, Named("draft")]
ProfileRulesetId = Annotated[UUID, Named("profile ruleset")]
ProfileRuleId = Annotated[UUID, Named("profile rule")]
ProfileMappingId = Annotated[UUID, Named("profile mapping")]
AccountRulesetId = Annotated[UUID, Named("account ruleset")]
AccountRuleId = Annotated[UUID, Named("account rule")]
AccountMappingId = Annotated[UUID, Named("account mapping")]
BackfillId = Annotated[UUID, Named("backfill")]
UnitId = Annotated[UUID, Named("unit")]
CredentialId = Annotated[UUID, Named("credential")]
MemberId = Annotated[UUID, Named("member")]
TokenId = Annotated[UUID, Named("token")]
KeyId = Annotated[UUID, Named("api key")]
PreviewId = Annotated[UUID, Named("preview")]
RescoreId = Annotated[UUID, Named("rescore")]
ImportId = Annotated[UUID, Named("import")]
NotificationChannelId = Annotated[UUID, Named("notification channel")]
DeliveryId = Annotated[UUID, Named("delivery")]
NoteId = Annotated[UUID, Named("note")]
AliasId = Annotated[UUID, Named("alias")]
DestinationId = Annotated[UUID, Named("destination")]
DeadLetterReceipt = Annotated[int, Named("dead letter")]


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:
        raise PydanticCustomError("out_of_range", "lies outside the years 1 to 9999") from None


def storable(text: str) -> str:
    """Refuse text that the database cannot hold."""
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "contains a NUL character: remove it")
    return text


Instant = Annotated[datetime, AfterValidator(_in_utc)]
"""A date and time, taken for UTC when it names no zone."""

Text = Annotated[str, Field(max_length=1000), AfterValidator(storable)]
"""Text that is only looked for or compared."""

LARGEST_INTEGER = 2_147_483_647
"""Of the columns that hold scores."""

Score = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]

MOST_POINTS = 10_000
"""Of one event, either way: enough for any weighting, and sums stay far from the column's end."""

Weight = Annotated[StrictInt, Field(ge=-MOST_POINTS, le=MOST_POINTS)]


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("control_character", "contains a control character: remove it")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(_one_line),
]


EventTypeOrAny = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200),
    AfterValidator(_one_line),
]
"""An event type; empty for any."""


# When a rule or a ruleset scores. What is left out of a change is told from null by `Changes`.
Active = Annotated[StrictBool, Field(description="Whether it scores events now.")]
StartAt = Annotated[
    Instant | None, Field(description="Events from then on score by it; null for always.")
]
EndAt = Annotated[
    Instant | None, Field(description="Events from then on score by it no more; null for never.")
]


LAST_PAGE = LARGEST_INTEGER // MAX_PAGE_SIZE
"""Further than any list goes; beyond, offsets no longer fit an integer."""


class PageQuery(BaseModel):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=LAST_PAGE, description="Which page, counted from 1.")
    limit: int = Field(DEFAULT_PAGE_SIZE, ge=1, le=MAX_PAGE_SIZE, description="How many a page.")

    @property
    def request(self) -> PageRequest:
        return PageRequest(self.page, self.limit)


def _hide_defaults(schema: dict[str, Any]) -> None:
    # What is left out stays as it is: a published default would say the opposite.
    for field in schema["properties"].values():
        field.pop("default", None)


LEFT_OUT: Any = None
"""What a field holds that nobody sent, although null is no value of it."""


class Changes(BaseModel):
    """Fields of a change; those left out stay as they are, and null is a value only where said."""

    model_config = ConfigDict(json_schema_extra=_hide_defaults)

    def given(self) -> dict[str, Any]:
        """Return what the client sent, by field."""
        return self.model_dump(exclude_unset=True)
