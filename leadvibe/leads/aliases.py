"""Identifiers of leads, normalised so that two spellings of one are the same alias."""

from __future__ import annotations

import re

import phonenumbers

from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.types import Alias, AliasKind

MAX_LENGTH = 512
"""Longer than any real identifier, and short enough for an index entry."""

_KINDS = frozenset(AliasKind)
_NOT_DIGIT = re.compile(r"\D")
_SPACED_NUMBER = re.compile(r"\+?[\d\s()./-]*[\s()./-][\d\s()./-]*", re.ASCII)
_FEWEST_DIGITS = 6
"""Of what is taken for a phone number though it names no country: less may be a date's part."""

_LEADING_ZEROS = re.compile(r"^00")


def make_alias(kind: str, raw_value: str) -> Alias:
    """Return the alias in its normal form: e-mail lower-cased, phone + and digits, all trimmed.

    A phone number that names its country becomes E.164, without its extension. Raises
    BadAliasError when the kind is unknown or nothing is left of the value.
    """
    if kind not in _KINDS:
        raise BadAliasError(
            f"'{kind}' is not a kind of alias. Use one of: {', '.join(AliasKind)}.",
            fields={"alias_kind": "unknown"},
        )
    value = _normalise(kind, raw_value)
    if not value or len(value) > MAX_LENGTH:
        problem = f"is longer than {MAX_LENGTH} characters" if value else "is empty"
        raise BadAliasError(f"The {kind} of an alias {problem}.", fields={"raw_value": problem})
    return Alias(kind, value, raw_value.strip())


def is_email_address(text: str) -> bool:
    """Say whether a text could be one: somebody at some host."""
    user, _, host = text.rpartition("@")
    return bool(user and host) and not any(map(str.isspace, text))


def as_searched(text: str) -> str:
    """Return what to look for: of a phone number as people write it, what is stored of it."""
    text = text.strip()
    if not _SPACED_NUMBER.fullmatch(text) or len(_NOT_DIGIT.sub("", text)) < _FEWEST_DIGITS:
        return text
    if text.startswith(("+", "00")):
        return _international(text) or _with_plus(text)
    return _NOT_DIGIT.sub("", text)


def _normalise(kind: str, raw_value: str) -> str:
    value = raw_value.strip()
    if kind == AliasKind.EMAIL:
        return value.lower()
    if kind == AliasKind.PHONE:
        return _international(value) or _with_plus(value)
    return value


def is_phone_number(value: str) -> bool:
    """Say whether a phone number, in its normal form, can be one of the country that it names."""
    return _international(value) is not None


def _international(value: str) -> str | None:
    """Return a number that names its country in E.164, without extension; None for others."""
    try:
        number = phonenumbers.parse(_LEADING_ZEROS.sub("+", value))
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _with_plus(value: str) -> str:
    digits = phonenumbers.normalize_digits_only(value).removeprefix("00")
    return f"+{digits}" if digits else ""
