"""Leads as clients of lead APIs keep them: values as unequal, missing and alike as theirs.

Written by SQL into a unit of data.make_place. The same number of leads is the same leads.
"""

from __future__ import annotations

from bench.data import settle
from leadvibe.identity import service as identity
from leadvibe.identity.security import Security
from leadvibe.identity.types import OrgRole, Scope
from leadvibe.leads import service as leads
from leadvibe.leads.fields import BY_NAME, CLICK_IDS
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.scoring import queries as scoring_queries

MEMBERS = 12
FIRST_NAMES = (
    "Maria", "Anna", "Thomas", "John", "Julia", "Peter", "Laura", "Michael", "Sofia", "Daniel",
    "Emma", "David", "Lena", "Martin", "Olga", "Paul", "Ivan", "Clara", "Ahmed", "Yuki",
    "Wei", "Fatima", "Noah", "Zoe", "Björn", "Xenia",
)  # fmt: skip
LAST_NAMES = (
    "Smith", "Müller", "Garcia", "Jones", "Rossi", "Silva", "Novak", "Kim", "Nguyen", "Brown",
    "Ivanova", "Schmidt", "Martin", "Dubois", "Hansen", "Kowalski", "Tanaka", "Chen", "Ali",
    "Johansson", "Papadopoulos", "Okafor", "Quiroga", "Zimmermann", "Fitzgerald", "Vandenberg",
)  # fmt: skip
DOMAINS = ("gmail.com", "outlook.com", "yahoo.com", "web.de", "icloud.com", "proton.me")
COMPANIES = (
    "Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark", "Wayne", "Wonka", "Cyberdyne",
    "Soylent", "Vandelay", "Massive", "Tyrell", "Aperture", "Oscorp", "Gringotts",
)  # fmt: skip
BRANCHES = (
    "Ltd", "GmbH", "Logistics", "Energy", "Health", "Foods", "Media", "Robotics", "Textiles",
    "Insurance", "Travel", "Steel", "Optics", "Farming", "Shipping", "Games",
)  # fmt: skip
UTM_SOURCES = (
    "google", "facebook", "newsletter", "linkedin", "bing", "instagram", "partner", "youtube",
    "tiktok", "reddit", "podcast", "fair",
)  # fmt: skip
UTM_MEDIUMS = ("cpc", "social", "email", "organic", "referral", "display")
SOURCES = ("website", "referral", "LinkedIn", "Cold Call", "Email", "Event", "Other", "webinar")
INTAKES = ("api", "inbound", "wordpress", "import", "gtm", "manual")
CLICKED = (0.3, 0.01, 0.02, 0.03, 0.6, 0.55, 0.2, 0.4, 0.05, 0.02, 0.002, 0.004, 0.003, 0.001, 0.05)
"""What share of leads has each of CLICK_IDS."""


def _pick(dice: str, values: tuple[str, ...], evenness: int = 2) -> str:
    """Say one of some values in SQL, the first most often; 1 is evenly."""
    listed = ", ".join(f"'{it}'" for it in values)
    return f"(ARRAY[{listed}])[1 + floor({len(values)} * power({dice}, {evenness}))::int]"


_DICE = ", ".join(f"random() AS d{number}" for number in range(1, 30))
_CLICK_DICE = ", ".join(f"random() AS c{number}" for number in range(len(CLICK_IDS)))
_CLICKS = ", ".join(
    f"CASE WHEN c{number} < {share} THEN '{name}.' || md5('{name}' || n) END AS {name}"
    for number, (name, share) in enumerate(zip(CLICK_IDS, CLICKED, strict=True))
)
MAKE_PEOPLE = f"""
    CREATE TEMP TABLE bench_people AS
    SELECT *,
        lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0')
            || '-7' || left(md5(n::text), 23) AS lead_id,
        CASE WHEN d7 < 0.9 THEN translate(lower(first_name || '.' || last_name), 'öü', 'ou')
            || n %% 9973 || '@' || CASE WHEN d8 < 0.6 THEN {_pick("d9", DOMAINS)}
                ELSE lower(split_part(company, ' ', 1)) || n %% 211 || '.com' END END AS email,
        CASE WHEN d10 < 0.1 THEN 'p' || n || '@' || {_pick("d11", DOMAINS)} END AS other_email,
        CASE WHEN d12 < 0.7 THEN '+1' || (2000000000 + (d13 * 7999999999)::bigint) END AS phone,
        CASE WHEN d14 < 0.05 THEN '+49' || (30000000 + n) END AS other_phone,
        CASE WHEN status IN ('qualified', 'converted')
            THEN created_at + (now() - created_at) * d15 END AS qualified_at,
        greatest(created_at, now() - (now() - created_at) * power(d16, 2)) AS updated_at
    FROM (
        SELECT n,
            now() - interval '3 years' * (1 - power(n::float8 / %(count)s, 0.7)) AS created_at,
            {_pick("d1", FIRST_NAMES)} AS first_name, {_pick("d2", LAST_NAMES)} AS last_name,
            CASE WHEN d3 < 0.7 THEN {_pick("d4", COMPANIES)} || ' ' || {_pick("d5", BRANCHES)}
                || CASE WHEN d6 < 0.5 THEN ' ' || floor(40 * d6 * d6)::int ELSE '' END
                END AS company,
            CASE WHEN d17 < 0.5 THEN 'not_contacted' WHEN d17 < 0.7 THEN 'contacted'
                WHEN d17 < 0.82 THEN 'qualified' WHEN d17 < 0.9 THEN 'converted' ELSE 'lost'
                END AS status,
            CASE WHEN d18 < 0.4 THEN round((100 * exp(5 * d19))::numeric, -2)::float8 END AS value,
            CASE WHEN d20 < 0.1 THEN date_trunc('minute', now() + interval '60 days' * (d21 - 0.4))
                END AS next_call_at,
            CASE WHEN d22 < 0.35 THEN 1 + floor(12 * d22 / 0.35)::int END AS owner,
            CASE WHEN d22 < 0.01 THEN now() + interval '1 day' * (d23 - 0.5) END AS claimed_until,
            {_pick("d24", INTAKES)} AS intake, {_pick("d25", SOURCES)} AS source,
            CASE WHEN d26 < 0.6 THEN {_pick("d27", UTM_SOURCES, 3)} END AS utm_source,
            CASE WHEN d26 < 0.55 THEN {_pick("d27", UTM_MEDIUMS)} END AS utm_medium,
            CASE WHEN d26 < 0.4 THEN 'campaign-' || floor(400 * power(d28, 4))::int
                END AS utm_campaign,
            CASE WHEN d29 < 0.8 THEN 'https://site-' || floor(30 * power(d29, 4))::int || '.example'
                END AS website,
            CASE WHEN d23 < 0.3 THEN 'label_' || floor(12 * power(d21, 2))::int END AS label_id,
            d7, d8, d9, d10, d11, d12, d13, d14, d15, d16, {_CLICKS}
        FROM (SELECT n, {_DICE}, {_CLICK_DICE} FROM generate_series(1, %(count)s) n OFFSET 0) dice
    ) person
"""
_PLAIN = (
    "company", "value", "next_call_at", "source", "utm_source", "utm_medium", "utm_campaign",
    "website", "label_id", *CLICK_IDS,
)  # fmt: skip
assert set(_PLAIN) <= BY_NAME.keys()
_PROPERTIES = ", ".join(f"'{name}', {name}" for name in _PLAIN if name not in CLICK_IDS)
_CLICK_PROPERTIES = ", ".join(f"'{name}', {name}" for name in CLICK_IDS)
FILL_LEADS = f"""
    INSERT INTO leads (unit_id, lead_id, name, detail, metadata, source, created_at, updated_at,
                       score, ruleset_id, last_event_at, event_count, owner_id, owner_name)
    SELECT %(unit)s, lead_id, first_name || ' ' || last_name, coalesce(company, email),
        jsonb_strip_nulls(
            jsonb_build_object('first_name', first_name, 'last_name', last_name, {_PROPERTIES})
            || jsonb_build_object({_CLICK_PROPERTIES})),
        'bench', created_at, updated_at, floor(d16 * d15 * 300), %(ruleset)s, updated_at, n %% 40,
        (%(members)s::uuid[])[owner], 'Member ' || owner
    FROM bench_people ORDER BY n
"""
FILL_RECORDS = f"""
    INSERT INTO lead_records (unit_id, lead_id, intake, created_at, updated_at, status, outcome,
        qualified_at, owner_id, claimed_until, name, email, phone, emails, phones,
        {", ".join(_PLAIN)})
    SELECT %(unit)s, lead_id, intake, created_at, updated_at, status,
        CASE status WHEN 'qualified' THEN 'qualified' WHEN 'converted' THEN 'won'
            WHEN 'lost' THEN 'lost' ELSE 'open' END,
        qualified_at, (%(members)s::uuid[])[owner], claimed_until,
        first_name || ' ' || last_name, coalesce(email, other_email), coalesce(phone, other_phone),
        array_remove(ARRAY[email, other_email], NULL),
        array_remove(ARRAY[phone, other_phone], NULL), {", ".join(_PLAIN)}
    FROM bench_people ORDER BY n
"""
FILL_ALIASES = """
    INSERT INTO lead_aliases (unit_id, alias_id, lead_id, kind, value, raw_value, created_at)
    SELECT %(unit)s, gen_random_uuid(), lead_id, kind, address, address, created_at
    FROM bench_people, LATERAL (VALUES
        ('email', email), ('email', other_email), ('phone', phone), ('phone', other_phone)
    ) known (kind, address)
    WHERE address IS NOT NULL
    ON CONFLICT DO NOTHING
"""
FILL_SEARCH = """
    INSERT INTO lead_search (unit_id, lead_id, text, grams)
    SELECT %(unit)s, lead_id, lower(content), search_terms(%(unit)s, content)
    FROM bench_people, concat_ws(
        E'\\n', lead_id, first_name || ' ' || last_name, company, email, other_email, phone,
        other_phone
    ) AS content ORDER BY n
"""
FILL_SCORES = """
    INSERT INTO lead_scores (unit_id, lead_id, ruleset_id, score, seq, updated_at)
    SELECT unit_id, lead_id, ruleset_id, score, 1, updated_at FROM leads WHERE unit_id = %(unit)s
"""
FILLED = ("leads", "lead_records", "lead_aliases", "lead_search", "lead_scores")
FILL = (FILL_LEADS, FILL_RECORDS, FILL_ALIASES, FILL_SEARCH, FILL_SCORES)


def fill(scope: Scope, count: int, *, members: list[str]) -> None:
    """Write leads, some of them looked after by each of twelve members."""
    ruleset = scoring_queries.find_primary(scope)
    bound = {
        "unit": scope.unit_id, "ruleset": ruleset.ruleset_id, "count": count, "members": members,
    }  # fmt: skip
    indexes = _drop_indexes()
    driver().execute("SELECT setseed(0.25)")
    driver().execute(MAKE_PEOPLE, bound)
    for statement in FILL:
        driver().execute(statement, bound)
    driver().execute("DROP TABLE bench_people")
    driver().execute("SET LOCAL maintenance_work_mem = '512MB'")
    for statement in indexes:
        driver().execute(statement)
    commit()
    leads.recount_listed(scope)
    commit()
    settle()


def _drop_indexes() -> list[str]:
    """Drop the indexes that no constraint needs, and return how they are made: that is quicker."""
    rows = (
        driver()
        .execute(
            """
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
        WHERE i.indrelid::regclass::text = ANY(%s)
          AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
        """,
            (list(FILLED),),
        )
        .fetchall()
    )
    for name, _ in rows:
        driver().execute(f"DROP INDEX {name}")
    return [definition for _, definition in rows]


def make_members(scope: Scope, security: Security) -> list[str]:
    """Make the members that leads belong to, and return their ids."""
    made = [
        identity.create_member(
            scope.org_id, email=f"rep{number}@leadvibe.example", role=OrgRole.MEMBER,
            password=None, security=security, now=utc_now(),
        )
        for number in range(MEMBERS)
    ]  # fmt: skip
    commit()
    return [str(it.org_member_id) for it in made]
