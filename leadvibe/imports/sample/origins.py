"""Where a lead came in: source, landing page, campaign, click ids, and what it consented to."""

from __future__ import annotations

from operator import attrgetter
from random import Random
from urllib.parse import urlsplit
from zlib import crc32

from leadvibe.imports.sample.chance import chance
from leadvibe.imports.sample.journey import Draft, Journey
from leadvibe.imports.sample.people import Source
from leadvibe.imports.sample.types import Metadata

_SOURCES = {
    Source.ORGANIC: "Organic search",
    Source.PAID: "Google Ads",
    Source.WEBINAR: "Webinar",
    Source.OUTBOUND: "Outreach",
    Source.REFERRAL: "Referral",
}
_SOCIAL = "paid_social"
_CONVERSIONS = {
    "form_submit": "Form sent",
    "content_download": "Download",
    "webinar_registered": "Webinar registration",
    "trial_signup": "Trial sign-up",
    "demo_request": "Demo request",
}
_CAMPAIGN_KEYS = ("utm_source", "utm_medium", "utm_campaign")
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ANALYTICS_SHARE, _ADS_SHARE, _PERSONAL_SHARE = 0.88, 0.7, 0.8


def tell_origin(rng: Random, journey: Journey, *, is_traced: bool) -> Metadata:
    """Return what the form that made them known, and the visit before it, say of where from.

    Unless they are traced that is the source alone, and so it is of who came off a list: they have
    sent no form.
    """
    drafts = sorted(journey.drafts, key=attrgetter("at"))
    source = journey.person.source
    form = next((draft for draft in drafts if draft.event_type in _CONVERSIONS), None)
    tagged = _campaign(drafts) if source is not Source.ORGANIC else {}
    is_social = tagged.get("utm_medium") == _SOCIAL
    name = "Meta Ads" if is_social else _SOURCES[source]
    if form is None or not is_traced:
        return {"source": name}
    landing = next(draft for draft in drafts if "url" in draft.metadata or draft is form)
    return {
        "source": name,
        "conversion_name": _CONVERSIONS[form.event_type],
        **_place(landing),
        **tagged,
        **_consented(rng, landing.at, is_paid=source is Source.PAID, campaign=tagged),
    }


def _campaign(drafts: list[Draft]) -> Metadata:
    """Return the first campaign that led to the site; those of our own mails do not count."""
    tagged = (draft.metadata for draft in drafts if "utm_source" in draft.metadata)
    first = next((it for it in tagged if it["utm_source"] != "mail"), {})
    return {key: first[key] for key in _CAMPAIGN_KEYS if key in first}


def _place(landing: Draft) -> Metadata:
    url = urlsplit(str(landing.metadata.get("url", "")))
    session = {key: landing.metadata[key] for key in ("session_id",) if key in landing.metadata}
    place = {"website": f"{url.scheme}://{url.netloc}", "path": url.path} if url.netloc else {}
    return {**place, **session}


def _consented(rng: Random, at: float, *, is_paid: bool, campaign: Metadata) -> Metadata:
    """Return the answers to the cookie banner, and the ids that they let the site keep."""
    analytics, ads = chance(rng, _ANALYTICS_SHARE), chance(rng, _ADS_SHARE)
    personal = ads and chance(rng, _PERSONAL_SHARE)
    told: Metadata = {
        "analytics_storage": analytics,
        "ad_storage": ads,
        "ad_user_data": ads,
        "ad_personalization": personal,
    }
    seconds = int(at)
    if analytics:
        told["ga4cid"] = f"{rng.randrange(10**9, 2 * 10**9)}.{seconds}"
        told["ga4sid"] = str(seconds)
    if ads and is_paid:
        told |= _click(rng, seconds, campaign)
    return told


def _click(rng: Random, seconds: int, campaign: Metadata) -> Metadata:
    """Return what an advert that was clicked leaves behind."""
    if campaign.get("utm_medium") == _SOCIAL:
        return {
            "fbc": f"fb.1.{seconds}000.IwAR{_new_id(rng, 28)}",
            "fbp": f"fb.1.{seconds}000.{rng.randrange(10**9, 2 * 10**9)}",
        }
    told: Metadata = {"gclid": f"Cj0KCQjw{_new_id(rng, 40)}"}
    name = campaign.get("utm_campaign")
    if name is not None:
        number = crc32(str(name).encode())
        told |= {"google_ads_campaign_id": str(10**10 + number), "google_ads_campaign_name": name}
    return told


def _new_id(rng: Random, length: int) -> str:
    return "".join(rng.choices(_ID_ALPHABET, k=length))
