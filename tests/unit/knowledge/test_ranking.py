from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge.match import Context, finding
from smtpctl.knowledge.ranking import ranked
from smtpctl.model.finding import Cause

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
def test_what_is_known_moves_causes_and_loses_none(before: list[Cause], known: frozenset[str]) -> None:
    after = ranked(before, known, frozenset(FACTS) - known)
    assert sorted(cause.text for cause in after) == sorted(cause.text for cause in before)
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


def test_what_is_denied_falls_behind() -> None:
    first, *_ = finding(APP_TOKEN).causes
    known = APP_TOKEN._replace(facts=frozenset({"enterprise_object_id"}))
    assert finding(known).causes[0] != first
