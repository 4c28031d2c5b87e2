from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import load
from smtpctl.knowledge.match import Context, finding, page
from smtpctl.knowledge.ranking import condition, ranked
from smtpctl.model.finding import Cause, Finding

NOTHING: frozenset[str] = frozenset()
FACTS = ("rain", "sun")
causes = st.lists(
    st.builds(
        Cause,
        st.text("abc", min_size=1),
        st.floats(0.05, 1.0),
        st.just(()),
        st.lists(st.sampled_from([*FACTS, *(f"not {fact}" for fact in FACTS)]), max_size=2).map(tuple),
    ),
    max_size=6,
)
facts = st.frozensets(st.sampled_from(FACTS))


@given(causes, facts)
def test_what_is_known_moves_causes_and_rules_out_what_needs_it_otherwise(
    before: list[Cause], known: frozenset[str]
) -> None:
    after = ranked(before, known, frozenset(FACTS) - known)
    fits = [cause for cause in before if all((c.fact in known) is c.wanted for c in map(condition, cause.facts))]
    assert sorted(cause.text for cause in after) == sorted(cause.text for cause in fits)
    if after:
        assert sum(cause.likelihood for cause in after) == pytest.approx(sum(cause.likelihood for cause in before))
    assert [cause.likelihood for cause in after] == sorted((cause.likelihood for cause in after), reverse=True)


@given(causes)
def test_without_knowledge_the_order_is_by_likelihood(before: list[Cause]) -> None:
    assert list(ranked(before, NOTHING, NOTHING)) == sorted(before, key=lambda cause: -cause.likelihood)


APP_TOKEN = Context(
    "535 5.7.3 Authentication unsuccessful",
    host="smtp.office365.com",
    mechanism="XOAUTH2",
    grant="client_credentials",
)


@pytest.mark.parametrize(
    ("fact", "first"),
    [
        ("scope_of_graph", "The token is for another audience"),
        ("token_expired", "The token has expired"),
        ("just_granted", "The permissions are right but new"),
        ("other_tenant", "The token comes from another tenant"),
        ("smtp_auth_off", "SMTP AUTH is disabled"),
    ],
)
def test_the_causes_of_one_reply_are_told_apart_by_what_is_known(fact: str, first: str) -> None:
    found = finding(APP_TOKEN._replace(facts=frozenset({fact})))
    assert found.id == "m365.535-5-7-3-app-token"
    assert found.causes[0].text.startswith(first)
    assert not finding(APP_TOKEN).causes[0].text.startswith(first)


def texts(found: Finding) -> list[str]:
    return [cause.text for cause in found.causes]


@pytest.mark.parametrize(
    ("context", "known", "cause"),
    [
        (APP_TOKEN, {"facts": {"app_role"}}, "The app registration lacks the permission SMTP.SendAsApp"),
        (APP_TOKEN, {"facts": {"enterprise_object_id"}}, "The service principal is wrong"),
        (
            Context("535 5.7.139 Authentication unsuccessful, basic authentication is disabled."),
            {"denied": {"personal_mailbox"}},
            "The account is a personal Outlook.com",
        ),
        (Context("554 5.7.1 <bob@y.test>: Relay access denied"), {"denied": {"logged_in"}}, "AUTH succeeded but"),
        (
            Context("554 5.7.1 <bob@y.test>: Relay access denied"),
            {"denied": {"relays_by_address"}},
            "The relay takes mail by IP",
        ),
        (
            Context("x509: certificate signed by unknown authority"),
            {"denied": {"private_authority"}},
            "The organisation runs its own authority",
        ),
    ],
)
def test_a_cause_that_what_is_known_rules_out_is_not_named(
    context: Context, known: dict[str, set[str]], cause: str
) -> None:
    assert [text for text in texts(finding(context)) if text.startswith(cause)]
    after = finding(context._replace(**{name: frozenset(facts) for name, facts in known.items()}))
    assert texts(after)
    assert not [text for text in texts(after) if text.startswith(cause)]


def test_what_was_seen_rules_nothing_out() -> None:
    """A firewall may be in the way from two networks, and a password may be right in the webmail and wrong here."""
    refused = families.entry("conn.timeout").finding(target="mx.test:25")
    after = ranked(refused.causes, NOTHING, frozenset({"works_elsewhere", "worked_before"}))
    assert len(after) == len(refused.causes)


def every_finding() -> Iterator[Finding]:
    yield from (entry.finding() for entry in families.all_entries())
    yield from map(page, load().entries.values())


def test_no_single_fact_rules_out_every_cause() -> None:
    for found in every_finding():
        for fact in {condition(written).fact for cause in found.causes for written in cause.facts}:
            known = frozenset({fact})
            assert ranked(found.causes, known, NOTHING), f"{found.id}: {fact}"
            assert ranked(found.causes, NOTHING, known), f"{found.id}: not {fact}"
