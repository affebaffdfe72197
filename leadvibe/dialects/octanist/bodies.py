"""Bodies of requests, each checked by its model. What a client sends beyond them is passed over."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    create_model,
)
from pydantic_core import PydanticCustomError, to_json

from leadvibe.dialects.octanist.params import LARGEST_PAGE
from leadvibe.http.bodies import BODY, problems_of, read_bytes, read_json
from leadvibe.leads.aliases import MAX_LENGTH as LONGEST_ADDRESS
from leadvibe.leads.fields import (
    CLICK_IDS,
    CONSENTS,
    LARGEST_NUMBER,
    LONGEST_NOTES,
    LONGEST_TEXT,
    FieldKind,
    read_value,
)
from leadvibe.lib.errors import InvalidError

MAX_BODY_BYTES = 1024 * 1024
LARGEST_SPEND_PAGE, MOST_SPEND_ROWS = 500, 5_000
LONGEST_CUSTOM = 100_000
_LARGEST_COUNT = 10**15

Model = TypeVar("Model", bound=BaseModel)


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "contains a NUL character: remove it")
    return text


def _trimmed(value: object) -> object:
    """Take what a form left empty for not given."""
    return (value.strip() or None) if isinstance(value, str) else value


def _flag(value: object) -> object:
    read = read_value(FieldKind.FLAG, value)
    if value is not None and read is None:
        raise PydanticCustomError("consent", "must be true, false, granted or denied")
    return read


def _number(value: object) -> object:
    read = read_value(FieldKind.NUMBER, value)
    if value is not None and read is None:
        problem = f"must be a number within {LARGEST_NUMBER:,}, or text that is one"
        raise PydanticCustomError("number", problem)
    return read


def _json_text(value: object) -> object:
    return value if value is None or isinstance(value, str) else to_json(value).decode()


_WITHOUT_NUL = AfterValidator(_without_nul)
_TRIMMED = BeforeValidator(_trimmed)
# Lengths stand first: of what a validator has looked at, pydantic would count "items".
Text = Annotated[Annotated[str, Field(max_length=LONGEST_TEXT), _WITHOUT_NUL] | None, _TRIMMED]
Address = Annotated[
    Annotated[str, Field(max_length=LONGEST_ADDRESS), _WITHOUT_NUL] | None, _TRIMMED
]
Note = Annotated[Annotated[str, Field(max_length=LONGEST_NOTES), _WITHOUT_NUL] | None, _TRIMMED]
Consent = Annotated[bool | None, BeforeValidator(_flag, json_schema_input_type=bool | str | None)]
Number = Annotated[
    float | None, BeforeValidator(_number, json_schema_input_type=float | str | None)
]
Custom = Annotated[
    Annotated[str, Field(max_length=LONGEST_CUSTOM), _WITHOUT_NUL] | None,
    BeforeValidator(_json_text, json_schema_input_type=str | dict[str, Any] | list[Any] | None),
]
Count = Annotated[int, Field(ge=0, le=_LARGEST_COUNT)]
Name = Annotated[
    str, Field(min_length=1, max_length=200), AfterValidator(_without_nul)
]  # of a platform or campaign: part of an index


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, allow_inf_nan=False)


class Contact(Body):
    """Whom a lead is about, and what they wrote."""

    name: Text = None
    email: Address = None
    phone: Address = None
    custom: Custom = Field(None, description="Text, or JSON that is kept as text.")
    note: Note = None
    sessionId: Address = Field(  # noqa: N815 - their name
        None,
        description="The visitor's session. Where the visitor is known, what is known of where"
        " they came from wins over what is sent along.",
    )


_ORIGIN = ("website", "path", *CLICK_IDS, "utm_source", "utm_medium", "utm_campaign")
_ATTRIBUTION: dict[str, Any] = dict.fromkeys(_ORIGIN, (Text, None))
_CONSENT: dict[str, Any] = {
    name: (Consent, Field(None, description='Or "granted" and "denied"; false unless given.'))
    for name in CONSENTS
}
ATTRIBUTION = frozenset(_ATTRIBUTION)
NewLead: type[Contact] = create_model("NewLead", __base__=Contact, **_ATTRIBUTION, **_CONSENT)

_STATUS_NAMES = {"win": "won"}


def _new_status(value: object) -> object:
    return _STATUS_NAMES.get(value, value) if isinstance(value, str) else value


NewStatus = Annotated[Literal["qualified", "won", "lost"] | None, BeforeValidator(_new_status)]


class Form(RootModel[dict[str, Any]]):
    """What somebody filled in: name, email, phone and whatever else, by the names of its fields."""


class LeadChange(Body):
    """Which lead, by `id`, else `email`, else `phone`; and what becomes of it."""

    id: Text = None
    email: Address = None
    phone: Address = None
    status: NewStatus = None
    changedTo: NewStatus = Field(None, description="The old name of status.")  # noqa: N815
    value: Number = None
    note: Note = None
    lossReason: Text = Field(None, description="Kept when the status is lost.")  # noqa: N815


class StatsQuery(Body):
    period: Literal["current", "previous", "custom"] = Field(
        "current",
        description="This calendar month in UTC, the one before, or the days given. Where days are"
        " given and no period, these count.",
    )
    startDate: str | None = Field(None, description="YYYY-MM-DD, for custom.")  # noqa: N815
    endDate: str | None = Field(None, description="YYYY-MM-DD, included.")  # noqa: N815


class SpendQueryBody(Body):
    startDate: str = Field(description="YYYY-MM-DD")  # noqa: N815
    endDate: str = Field(description="YYYY-MM-DD, included.")  # noqa: N815
    platform: Text = None
    groupBy: Literal["day", "platform", "campaign"] | None = Field(  # noqa: N815
        None, description="Left out, each row is as it was reported."
    )
    limit: int = Field(50, ge=1, le=LARGEST_SPEND_PAGE)
    page: int = Field(1, ge=1, le=LARGEST_PAGE)


class SpendReport(Body):
    """What a campaign has cost on a day."""

    date: str = Field(description="YYYY-MM-DD")
    platform: Name
    campaignId: Name | None = Field(None, description="None for a platform as a whole.")  # noqa: N815
    campaignName: Text = None  # noqa: N815
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    spend: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)]
    clicks: Count = 0
    impressions: Count = 0


class SpendReports(Body):
    rows: Annotated[list[SpendReport], Field(min_length=1, max_length=MOST_SPEND_ROWS)]


def read_body(model: type[Model]) -> Model:
    """Return the JSON body as the model says; there must be one.

    Raises InvalidError, UnsupportedTypeError and TooLargeError.
    """
    raw = read_bytes(max_bytes=MAX_BODY_BYTES)
    if not raw:
        raise refusal({BODY: "The request needs a JSON body, such as {}."})
    return checked(model, read_json(raw))


def checked(model: type[Model], given: object) -> Model:
    """Return what a client gave, as the model says. Raises InvalidError."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refusal(problems_of(error)) from None


def refusal(problems: dict[str, str]) -> InvalidError:
    """Return the error that names the first problem in words and all of them by field."""
    field, problem = next(iter(problems.items()))
    message = problem if field == BODY else f"{field} {problem}."
    return InvalidError(message, fields=problems)
