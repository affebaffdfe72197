"""Where people live, which clock they keep and which holidays they take.

Offsets and daylight saving are written down here rather than read from the system's time zone
database, so that a seed gives the same year on every machine, with or without tzdata.
"""

from __future__ import annotations

from typing import NamedTuple


class Zone(NamedTuple):
    """A clock: hours east of UTC in winter, which daylight saving it keeps, whose holidays."""

    utc_offset_hours: float
    daylight_saving: str
    holidays: str


class Place(NamedTuple):
    country: str
    zone: str
    cultures: tuple[str, ...]
    weight: int


ZONES: dict[str, Zone] = {
    "America/New_York": Zone(-5, "north_america", "us"),
    "America/Chicago": Zone(-6, "north_america", "us"),
    "America/Denver": Zone(-7, "north_america", "us"),
    "America/Los_Angeles": Zone(-8, "north_america", "us"),
    "America/Toronto": Zone(-5, "north_america", "world"),
    "America/Mexico_City": Zone(-6, "none", "world"),
    "America/Sao_Paulo": Zone(-3, "none", "world"),
    "Europe/London": Zone(0, "europe", "europe"),
    "Europe/Berlin": Zone(1, "europe", "europe"),
    "Africa/Lagos": Zone(1, "none", "world"),
    "Africa/Johannesburg": Zone(2, "none", "world"),
    "Africa/Nairobi": Zone(3, "none", "world"),
    "Asia/Dubai": Zone(4, "none", "world"),
    "Asia/Kolkata": Zone(5.5, "none", "world"),
    "Asia/Singapore": Zone(8, "none", "world"),
    "Asia/Tokyo": Zone(9, "none", "world"),
    "Australia/Sydney": Zone(10, "australia", "world"),
}

_US = ("english", "english", "american", "iberian", "indian", "chinese", "german", "korean")
_COMMONWEALTH = ("english", "english", "english", "indian", "chinese", "slavic", "west_african")

PLACES: tuple[Place, ...] = (
    Place("United States", "America/New_York", _US, 16),
    Place("United States", "America/Chicago", _US, 9),
    Place("United States", "America/Denver", _US, 3),
    Place("United States", "America/Los_Angeles", _US, 11),
    Place("Canada", "America/Toronto", (*_COMMONWEALTH, "french"), 6),
    Place("United Kingdom", "Europe/London", _COMMONWEALTH, 10),
    Place("Ireland", "Europe/London", ("english", "english", "slavic"), 2),
    Place("Germany", "Europe/Berlin", ("german", "german", "german", "slavic", "arabic"), 8),
    Place("France", "Europe/Berlin", ("french", "french", "arabic", "west_african"), 5),
    Place("Netherlands", "Europe/Berlin", ("dutch", "dutch", "dutch", "arabic", "indian"), 4),
    Place("Sweden", "Europe/Berlin", ("nordic", "nordic", "arabic"), 2),
    Place("Denmark", "Europe/Berlin", ("nordic",), 2),
    Place("Spain", "Europe/Berlin", ("iberian",), 3),
    Place("Poland", "Europe/Berlin", ("slavic",), 3),
    Place("Portugal", "Europe/London", ("iberian",), 1),
    Place("India", "Asia/Kolkata", ("indian",), 6),
    Place("Singapore", "Asia/Singapore", ("chinese", "chinese", "indian", "english"), 2),
    Place("Japan", "Asia/Tokyo", ("japanese",), 2),
    Place("South Korea", "Asia/Tokyo", ("korean",), 1),
    Place("Australia", "Australia/Sydney", (*_COMMONWEALTH, "korean"), 4),
    Place("Brazil", "America/Sao_Paulo", ("iberian", "iberian", "iberian", "japanese"), 3),
    Place("Mexico", "America/Mexico_City", ("iberian",), 2),
    Place("Nigeria", "Africa/Lagos", ("west_african",), 1),
    Place("South Africa", "Africa/Johannesburg", ("southern_african", "english"), 1),
    Place("Kenya", "Africa/Nairobi", ("east_african",), 1),
    Place("United Arab Emirates", "Asia/Dubai", ("arabic", "indian", "english"), 1),
)

# The numbers 555-0100 to 555-0199 are set aside for fiction in every one of these area codes.
_NORTH_AMERICAN_AREA_CODES = """
201 202 203 206 207 208 210 212 213 214 215 216 217 218 225 239 240 253 254 260 267 301 302 303
304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 334 336 352 360 385 401 402 404
405 406 407 408 409 410 412 413 414 415 416 417 418 419 425 432 434 438 440 443 450 469 478 479
"""
AREA_CODES = tuple(_NORTH_AMERICAN_AREA_CODES.split())
NORTH_AMERICA = frozenset({"United States", "Canada"})
