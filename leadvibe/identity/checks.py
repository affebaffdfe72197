"""Names and addresses as people type them: cleaned up, or refused with the field and the remedy."""

from __future__ import annotations

import re
import unicodedata

import email_validator
from email_validator import EmailNotValidError, validate_email

from leadvibe.identity.types import Rate
from leadvibe.lib.errors import InvalidError

LONGEST_NAME = 100
LONGEST_EMAIL = 254  # RFC 5321
LONGEST_SLUG = 60
MOST_REQUESTS = 100_000
"""A second, or at once: more than any process answers."""

# Installations behind a firewall have addresses that the internet does not know, such as .local.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def checked_email(email: str) -> str:
    """Return the address in lower case. Raises InvalidError."""
    try:
        checked = validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        problem = f"This is not an e-mail address: {error}"
        raise InvalidError(problem, fields={"email": problem}) from None
    return checked.normalized.lower()


def typed_email(email: str) -> str:
    """Return what was typed as an address to look up: never an error, at worst unknown."""
    return "".join(filter(str.isprintable, email)).strip().lower()[:LONGEST_EMAIL]


def checked_name(name: str, *, longest: int = LONGEST_NAME, field: str = "name") -> str:
    """Return the name without space around it. Raises InvalidError, also when it is empty."""
    text = checked_text(name, longest=longest, field=field)
    if not text:
        problem = f"Give a name of 1 to {longest} characters."
        raise InvalidError(problem, fields={field: problem})
    return text


def checked_text(text: str, *, longest: int = LONGEST_NAME, field: str) -> str:
    """Return one line of text without space around it; it may be empty. Raises InvalidError."""
    stripped = text.strip()
    if len(stripped) > longest or not stripped.isprintable():
        problem = f"Use at most {longest} characters, without line breaks or control characters."
        raise InvalidError(problem, fields={field: problem})
    return stripped


def checked_rate(per_second: int, burst: int) -> Rate:
    """Return a rate that can be kept to. Raises InvalidError by field."""
    given = {"rps": per_second, "burst": burst}
    problem = f"Choose from 1 to {MOST_REQUESTS:,}."
    wrong = {name: problem for name, it in given.items() if not 1 <= it <= MOST_REQUESTS}
    if not wrong and burst < per_second:
        wrong = {"burst": f"Choose at least {per_second:,}, which is what a second allows."}
    if wrong:
        name, why = next(iter(wrong.items()))
        raise InvalidError(f"{name}: {why}", fields=wrong)
    return Rate(per_second, burst)


def slug_of(name: str) -> str:
    """Spell a name for addresses: lower-case letters and digits between single hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:LONGEST_SLUG] or "unit"
