"""What a request may say: query string and JSON body, each checked by its model."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self, TypeVar, get_args

from flask import request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from leadvibe.dialects.nexus.serialize import StatusName
from leadvibe.http.bodies import BODY, problems_of, read_bytes, read_json
from leadvibe.leads.aliases import is_email_address, is_phone_number, make_alias
from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.fields import LONGEST_NOTES, LONGEST_TEXT
from leadvibe.leads.types import AliasKind
from leadvibe.lib.errors import InvalidError

MAX_BODY_BYTES = 256 * 1024
LARGEST_PAGE_SIZE = 100
LAST_PAGE = 1_000_000
"""Far beyond any list, and small enough to be counted with."""

MOST_ADDRESSES = 20
"""Phone numbers, or e-mail addresses, of one lead."""

NO_PHONE = "must be a phone number with its country such as +14155550101"
LONGEST_NAME = 200
UNASSIGNED = "unassigned"
_STATUS: dict[str, Any] = {"type": "string", "enum": get_args(StatusName)}
_DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII)

Model = TypeVar("Model", bound=BaseModel)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul", "must not contain a NUL character")
    return text


def _phone(text: str) -> str:
    return _address(AliasKind.PHONE, text)


def _possible(number: str) -> str:
    if not is_phone_number(number):
        raise PydanticCustomError("phone", NO_PHONE)
    return number


def _email(text: str) -> str:
    address = _address(AliasKind.EMAIL, text)
    if not is_email_address(address):
        raise PydanticCustomError("email", "must be an e-mail address such as jane@acme.com")
    return address


def _address(kind: AliasKind, text: str) -> str:
    try:
        return make_alias(kind, text).value
    except BadAliasError:
        problem = NO_PHONE
        if kind is AliasKind.EMAIL:
            problem = "must be an e-mail address such as jane@acme.com"
        raise PydanticCustomError("address", problem) from None


def _time(value: object) -> object:
    """Refuse what is no ISO-8601: a number would be taken for seconds since 1970."""
    if value is None or (isinstance(value, str) and _DAY_AND_TIME.match(value.strip())):
        return value
    raise PydanticCustomError("time", "must be a time such as 2026-05-02T10:30:00.000Z, or null")


def _distinct(addresses: list[str]) -> list[str]:
    return list(dict.fromkeys(addresses))


def _without_defaults(schema: dict[str, Any]) -> None:
    """Publish no defaults: what is left out of a change stays as it is."""
    for field in schema["properties"].values():
        field.pop("default", None)


Line = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_storable)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_storable)]
Phone = Annotated[str, AfterValidator(_storable), AfterValidator(_phone)]
Email = Annotated[str, AfterValidator(_storable), AfterValidator(_email)]
Phones = Annotated[list[Phone], Field(max_length=MOST_ADDRESSES), AfterValidator(_distinct)]
NewPhone = Annotated[Phone, AfterValidator(_possible)]
NewPhones = Annotated[list[NewPhone], Field(max_length=MOST_ADDRESSES), AfterValidator(_distinct)]
Emails = Annotated[list[Email], Field(max_length=MOST_ADDRESSES), AfterValidator(_distinct)]


class LeadQuery(BaseModel):
    """Which leads. Parameters of other names are passed over."""

    status: StatusName | None = Field(None, description="Filter by exact status")
    search: Line = Field(
        "", description="Case-insensitive match against contact name, email, phone, or company"
    )
    assignedToId: Line = Field(
        "",
        description='OrgMember id, or the literal string "unassigned" for leads with no owner',
    )
    page: int = Field(1, ge=1, le=LAST_PAGE, description="1-indexed page number.")
    pageSize: int = Field(50, ge=1, le=LARGEST_PAGE_SIZE, description="Items per page (1 to 100).")


class LeadFields(BaseModel):
    """What can be written of a lead, spelled as it is read."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, json_schema_extra=_without_defaults
    )

    company: Line | None = None
    source: Line | None = Field(
        None, description='Free-text source label e.g. "website", "referral"'
    )
    status: StatusName | None = None
    notes: Annotated[str, Field(max_length=LONGEST_NOTES), AfterValidator(_storable)] | None = None
    nextCallAt: Annotated[AwareDatetime | None, BeforeValidator(_time)] = Field(
        None, description="When to call next, with its zone; null takes it off the list of calls."
    )
    contactId: Line | None = None
    clientId: Line | None = None
    assignedToId: Line | None = Field(None, description="OrgMember id; null: nobody.")

    def given(self) -> dict[str, Any]:
        """Return what was named, nulls included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewLead(LeadFields):
    """A lead needs a name, and a phone number or an e-mail address."""

    name: Name
    phones: NewPhones = Field([], description="In international form: +14155550101.")
    emails: Emails = []
    phone: NewPhone | None = Field(None, description="Short for `phones` with one.")
    email: Email | None = Field(None, description="Short for `emails` with one.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not (self.phone or self.phones or self.email or self.emails):
            raise PydanticCustomError("unreachable", "A phone or an email is required.")
        return self

    def all_phones(self) -> list[str]:
        return _distinct([*([self.phone] if self.phone else []), *self.phones])

    def all_emails(self) -> list[str]:
        return _distinct([*([self.email] if self.email else []), *self.emails])


class LeadChange(LeadFields):
    """What is left out stays as it is, and null empties a field."""

    name: Name = Field("", description="Never null.")
    status: Annotated[StatusName | None, WithJsonSchema(_STATUS)] = Field(
        None, description="Never null."
    )
    phones: Phones = Field(
        [],
        description="All of them, the primary one first. New ones in international form.",
    )
    emails: Emails = Field([], description="All of them, the primary one first.")


class Claim(BaseModel):
    """Who claims the lead."""

    model_config = ConfigDict(extra="forbid")

    memberId: Line = Field(min_length=1, description="OrgMember id")


def read_query(model: type[Model]) -> Model:
    """Return the query string as the model says. Raises InvalidError."""
    return _validated(model, {name: request.args[name] for name in request.args})


def read_body(model: type[Model]) -> Model:
    """Return the JSON body as the model says. Raises InvalidError and others of the body."""
    raw = read_bytes(max_bytes=MAX_BODY_BYTES)
    return _validated(model, read_json(raw) if raw else {})


def _validated(model: type[Model], given: Any) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = problems_of(error)
        (field, problem), *_ = problems.items()
        sentence = problem if field == BODY else f"{field} {problem}"
        raise InvalidError(f"{sentence.removesuffix('.')}.", fields=problems) from None
