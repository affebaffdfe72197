"""Who is in the year: staff of companies, people on their own, and visitors without a name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import NamedTuple

from leadvibe.imports.sample.chance import chance
from leadvibe.imports.sample.companies import Company, CompanyRegister
from leadvibe.imports.sample.names import CULTURES
from leadvibe.imports.sample.places import AREA_CODES, NORTH_AMERICA
from leadvibe.imports.sample.types import Aliases, Metadata


class Source(StrEnum):
    """How a lead found us, which shapes how the journey begins."""

    ORGANIC = "organic"
    PAID = "paid"
    WEBINAR = "webinar"
    OUTBOUND = "outbound"
    REFERRAL = "referral"


class Department(NamedTuple):
    """Titles from the most junior to the most senior; `fit` says how close the need is."""

    name: str
    fit: float
    weight: int
    titles: tuple[str, str, str, str, str]


DEPARTMENTS: tuple[Department, ...] = (
    Department(
        "Operations",
        1.0,
        26,
        (
            "Operations Coordinator",
            "Operations Analyst",
            "Operations Manager",
            "Director of Operations",
            "Chief Operating Officer",
        ),
    ),
    Department(
        "IT",
        0.85,
        18,
        (
            "IT Support Specialist",
            "Systems Administrator",
            "IT Manager",
            "Director of IT",
            "Chief Information Officer",
        ),
    ),
    Department(
        "Engineering",
        0.65,
        14,
        (
            "Junior Developer",
            "Software Engineer",
            "Engineering Manager",
            "VP Engineering",
            "Chief Technology Officer",
        ),
    ),
    Department(
        "Finance",
        0.6,
        12,
        (
            "Accounts Assistant",
            "Financial Analyst",
            "Finance Manager",
            "VP Finance",
            "Chief Financial Officer",
        ),
    ),
    Department(
        "Marketing",
        0.4,
        13,
        (
            "Marketing Assistant",
            "Content Strategist",
            "Marketing Manager",
            "VP Marketing",
            "Chief Marketing Officer",
        ),
    ),
    Department(
        "People",
        0.3,
        9,
        (
            "HR Assistant",
            "HR Business Partner",
            "People Manager",
            "Head of People",
            "Chief People Officer",
        ),
    ),
    Department(
        "Research",
        0.1,
        8,
        (
            "Intern",
            "Research Assistant",
            "Research Lead",
            "Head of Research",
            "Chief Scientific Officer",
        ),
    ),
)
SENIORITIES = ("entry", "specialist", "manager", "director", "executive")
_SENIORITY_WEIGHTS = (20, 34, 26, 14, 6)
_SENIORITY_FIT = (0.15, 0.5, 0.9, 1.0, 0.8)
_SOURCE_WEIGHTS = {
    Source.ORGANIC: 34,
    Source.PAID: 22,
    Source.WEBINAR: 16,
    Source.OUTBOUND: 20,
    Source.REFERRAL: 10,
}
# Letters that Unicode does not take apart into a plain letter and a mark.
_PLAIN_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "đ": "d", "å": "a"})


def plain_ascii(name: str) -> str:
    """Spell a name as it stands in an address: `Łukasz` becomes `lukasz`."""
    decomposed = unicodedata.normalize("NFKD", name.lower().translate(_PLAIN_LETTERS))
    return decomposed.encode("ascii", "ignore").decode()


@dataclass(slots=True)
class Person:
    """Someone with a cookie and, if we get to know them, an e-mail address and a profile.

    `fit` is how well the product suits them, from 0 to 1; nothing in the events tells it outright.
    """

    zone: str
    cookie: str
    source: Source
    fit: float = 0.0
    country: str = ""
    email: str = ""
    phone: str = ""
    handle: str = ""
    external_id: str = ""
    second_cookie: str = ""
    company: Company | None = None
    seniority: int = 0
    profile: Metadata = field(default_factory=dict)
    by_cookie: Aliases = ()
    by_email: Aliases = ()
    on_web: Aliases = ()
    in_product: Aliases = ()
    in_crm: Aliases = ()

    def __post_init__(self) -> None:
        email = ("email", self.email)
        self.by_cookie = (("cookie", self.cookie),)
        self.by_email = (email,)
        self.on_web = (email, ("cookie", self.cookie))
        self.in_product = (("external_id", self.external_id), email)
        self.in_crm = (email, ("phone", self.phone)) if self.phone else (email,)


class Cast:
    """Hires people, each with identifiers of their own."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._register = CompanyRegister(rng)
        self._emails: set[str] = set()
        self._phones = self._phone_numbers()
        self._next_user = 10_000
        self._department_weights = [department.weight for department in DEPARTMENTS]
        self._sources = list(_SOURCE_WEIGHTS)
        self._source_weights = list(_SOURCE_WEIGHTS.values())

    def new_cookie(self) -> str:
        return f"{self._rng.getrandbits(64):016x}"

    def new_source(self) -> Source:
        return self._rng.choices(self._sources, self._source_weights)[0]

    def anonymous_visitor(self) -> Person:
        """Return somebody who will never say who they are."""
        place = self._register.found().place
        return Person(
            zone=place.zone,
            country=place.country,
            cookie=self.new_cookie(),
            source=self.new_source(),
        )

    def teams(self, people: int) -> Iterator[list[Person]]:
        """Hire exactly that many, as teams of one to a dozen who share a company."""
        while people > 0:
            company = self._register.found()
            wanted = 1 + int(self._rng.lognormvariate(0.45, 0.9))
            size = min(wanted, company.employee_count, 12, people)
            source = self.new_source()
            yield [self._colleague(company, source) for _ in range(size)]
            people -= size

    def _colleague(self, company: Company, source: Source) -> Person:
        rng = self._rng
        department = rng.choices(DEPARTMENTS, self._department_weights)[0]
        seniority = rng.choices(range(len(SENIORITIES)), _SENIORITY_WEIGHTS)[0]
        culture = CULTURES[rng.choice(company.place.cultures)]
        first_name, last_name = rng.choice(culture.first_names), rng.choice(culture.last_names)
        local_part = f"{plain_ascii(first_name)}.{plain_ascii(last_name)}"
        self._next_user += rng.randint(1, 9)
        return Person(
            zone=company.place.zone,
            country=company.place.country,
            cookie=self.new_cookie(),
            # Colleagues mostly hear of us the same way.
            source=source if chance(rng, 0.6) else self.new_source(),
            fit=0.6 * company.fit + 0.25 * department.fit + 0.15 * _SENIORITY_FIT[seniority],
            email=self._new_email(local_part, company.domain),
            phone=self._new_phone(company.place.country),
            handle=f"@{local_part.replace('.', '_')}_{self._next_user}",
            external_id=f"usr_{self._next_user}",
            second_cookie=self.new_cookie(),
            company=company,
            seniority=seniority,
            profile={
                "first_name": first_name,
                "last_name": last_name,
                "company": company.name,
                "domain": company.domain,
                "title": department.titles[seniority],
                "department": department.name,
                "seniority": SENIORITIES[seniority],
                "industry": company.industry,
                "employee_count": company.employee_count,
                "country": company.place.country,
                "time_zone": company.place.zone,
            },
        )

    def _new_email(self, local_part: str, domain: str) -> str:
        email, namesakes = f"{local_part}@{domain}", 1
        while email in self._emails:
            namesakes += 1
            email = f"{local_part}{namesakes}@{domain}"
        self._emails.add(email)
        return email

    def _new_phone(self, country: str) -> str:
        """Hand out a fictional number, or none: there are few of them, so none is shared."""
        has_phone = country in NORTH_AMERICA and chance(self._rng, 0.6)
        return next(self._phones, "") if has_phone else ""

    def _phone_numbers(self) -> Iterator[str]:
        numbers = [f"+1{code}55501{line:02d}" for code in AREA_CODES for line in range(100)]
        self._rng.shuffle(numbers)
        return iter(numbers)
