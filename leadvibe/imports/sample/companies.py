"""Companies: what they do, how large they are, and how well the product would suit them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from leadvibe.imports.sample.places import PLACES, Place


class Industry(NamedTuple):
    """A line of business; `fit` runs from 0 (never buys) to 1 (made for them)."""

    name: str
    fit: float
    second_words: tuple[str, ...]


class SizeBand(NamedTuple):
    smallest: int
    largest: int
    fit: float
    weight: int


def _industry(name: str, fit: float, second_words: str) -> Industry:
    return Industry(name, fit, tuple(second_words.split()))


INDUSTRIES: tuple[Industry, ...] = (
    _industry("Software", 0.95, "Software Systems Cloud Labs Stack Digital Apps Platforms"),
    _industry("Financial Services", 0.85, "Capital Finance Pay Ledger Insurance Credit Treasury"),
    _industry("Logistics", 0.80, "Logistics Freight Shipping Haulage Depot Fleet Cargo"),
    _industry("Manufacturing", 0.65, "Robotics Works Machines Tooling Metals Plastics Assembly"),
    _industry("Healthcare", 0.55, "Health Clinics Diagnostics Biotech Therapeutics Care"),
    _industry("Retail", 0.50, "Stores Outfitters Goods Home Market Apparel Kitchens"),
    _industry("Professional Services", 0.60, "Advisory Partners Consulting Legal Audit Studio"),
    _industry("Energy", 0.45, "Energy Solar Grid Power Turbines Utilities"),
    _industry("Media", 0.40, "Media Press Broadcast Pictures Publishing Sound"),
    _industry("Hospitality", 0.25, "Hotels Travel Resorts Catering Bistro"),
    _industry("Education", 0.20, "Academy College Learning Institute Tutors"),
    _industry("Public Sector", 0.15, "Council Agency Municipal Transit Registry"),
    _industry("Agriculture", 0.15, "Farms Orchards Grain Dairy Seeds"),
)

SIZE_BANDS: tuple[SizeBand, ...] = (
    SizeBand(2, 10, 0.15, 18),
    SizeBand(11, 50, 0.50, 28),
    SizeBand(51, 200, 0.95, 25),
    SizeBand(201, 1_000, 1.00, 16),
    SizeBand(1_001, 5_000, 0.70, 9),
    SizeBand(5_001, 60_000, 0.40, 4),
)

_WORDS = """
Acme Alder Amber Anchor Apex Arbor Argo Aspen Atlas Aurora Basalt Beacon Birch Bluebird Bramble
Bright Brook Cadence Canyon Cedar Cinder Citrine Clover Cobalt Compass Copper Coral Crescent Cypress
Delta Drift Dune Echo Elder Ember Evergreen Falcon Fern Fjord Flint Foundry Garnet Glacier Granite
Harbor Hawthorn Hazel Heron Horizon Indigo Iris Ivory Jade Juniper Kestrel Kite Lantern Larch Laurel
Lighthouse Linden Lumen Lynx Magnolia Maple Marble Meadow Meridian Mistral Monsoon Moss Nimbus North
Oak Obsidian Ochre Onyx Opal Orchid Osprey Otter Pebble Pine Polar Poplar Prairie Quarry Quartz
Quill Raven Redwood Ridge River Rowan Saffron Sage Sequoia Sierra Silver Slate Sparrow Spruce
Summit Tamarack Teal Tern Thistle Tidal Timber Topaz Tundra Umber Upland Valley Velvet Vesper Violet
Walnut Willow Wren Yarrow Zephyr
"""
FIRST_WORDS = tuple(_WORDS.split())
_ENDINGS = ("Group", "Partners", "Collective", "International", "Holdings", "Works", "Union")
_MAIL_GATEWAY_SHARE = {"Public Sector": 0.35, "Financial Services": 0.25, "Healthcare": 0.2}


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    domain: str
    industry: str
    employee_count: int
    place: Place
    fit: float
    scans_mail: bool


class CompanyRegister:
    """Founds companies, none with the name of another."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._place_weights = [place.weight for place in PLACES]
        self._size_weights = [band.weight for band in SIZE_BANDS]

    def found(self) -> Company:
        rng = self._rng
        industry = rng.choice(INDUSTRIES)
        band = rng.choices(SIZE_BANDS, self._size_weights)[0]
        name = self._new_name(industry)
        return Company(
            name=name,
            domain=f"{name.lower().replace(' ', '-')}.example",
            industry=industry.name,
            # Sizes spread evenly over orders of magnitude, as companies do.
            employee_count=round(band.smallest * (band.largest / band.smallest) ** rng.random()),
            place=rng.choices(PLACES, self._place_weights)[0],
            fit=0.5 * industry.fit + 0.5 * band.fit,
            scans_mail=rng.random() < _MAIL_GATEWAY_SHARE.get(industry.name, 0.06),
        )

    def _new_name(self, industry: Industry) -> str:
        rng = self._rng
        name = f"{rng.choice(FIRST_WORDS)} {rng.choice(industry.second_words)}"
        if name in self._taken:
            name = f"{name} {rng.choice(_ENDINGS)}"
        if name in self._taken:
            name = f"{name} {len(self._taken)}"
        self._taken.add(name)
        return name
