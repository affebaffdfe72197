"""What people call a lead."""

from __future__ import annotations

from leadvibe.leads.naming import name_lead, search_text


def test_a_person_is_called_by_name_with_alias_and_company_below():
    metadata = {"first_name": "Ana", "last_name": "Silva", "company": "Acme"}

    assert name_lead("ld_1", metadata, [("email", "ana@acme.test")]) == (
        "Ana Silva",
        "ana@acme.test · Acme",
    )


def test_without_a_name_the_best_alias_stands():
    aliases = [("cookie", "abc"), ("external_id", "crm-7"), ("email", "ana@acme.test")]

    assert name_lead("ld_1", {}, aliases) == ("ana@acme.test", "crm-7")


def test_a_stranger_is_a_visitor():
    assert name_lead("ld_1", {}, [("cookie", "c0ffee1234567890")]).name == "Visitor c0ffee123456"


def test_a_lead_nobody_knows_anything_about_is_its_id():
    assert name_lead("ld_1", {"company": 7}, []) == ("ld_1", None)


def test_a_lead_is_found_by_id_name_company_and_aliases_once_each():
    text = search_text(
        "ld_1",
        {"name": "Ana", "company": "Acme", "email": "ana@acme.test"},
        [("email", "ana@acme.test")],
    )

    assert text.splitlines() == ["ld_1", "Ana", "Acme", "ana@acme.test"]
