"""The configuration that the sample year is scored by: the SaaS starting template.

Won and lost deals earn nothing on purpose: a score that counts the outcome cannot foretell it.
"""

from __future__ import annotations

from leadvibe.imports.sample.types import SampleRule, SampleRuleset

SAMPLE_RULESETS: tuple[SampleRuleset, ...] = (
    SampleRuleset(
        name="Engagement",
        is_primary=True,
        rules=(
            SampleRule("page_view", 1),
            SampleRule("docs_view", 2),
            SampleRule("pricing_page_view", 8),
            SampleRule("form_submit", 10),
            SampleRule("content_download", 15),
            SampleRule("chat_started", 20),
            SampleRule("email_opened", 1),
            SampleRule("email_clicked", 3),
            SampleRule("email_unsubscribed", -50),
            SampleRule("email_bounced", -30),
            SampleRule("webinar_registered", 10),
            SampleRule("webinar_attended", 20),
            SampleRule("demo_request", 100),
            SampleRule("trial_signup", 150),
            SampleRule("meeting_booked", 60),
            SampleRule("proposal_viewed", 40),
            SampleRule("marked_as_spam", -200),
        ),
    ),
    SampleRuleset(
        name="Product usage",
        is_primary=False,
        rules=(
            SampleRule("trial_signup", 20),
            SampleRule("product_login", 2),
            SampleRule("feature_used", 1),
            SampleRule("report_exported", 5),
            SampleRule("teammate_invited", 20),
            SampleRule("integration_connected", 25),
            SampleRule("plan_upgraded", 50),
            SampleRule("trial_expired", -40),
        ),
    ),
)
