"""Questions are asked where an answer changes what stands first, and lead to the cause that the answers describe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import load
from smtpctl.knowledge.decide import SURE, Case, ask, candidates, names, told
from smtpctl.knowledge.match import Context

EXCHANGE = "535 5.7.3 Authentication unsuccessful [AM0PR04CA0012.eurprd04.prod.outlook.com]"
SAMPLES = sorted(sample for said in load().entries.values() for sample in said.samples)


def case(text: str, **known: str) -> Case:
    return Case(Context(text, **known))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "entry", "cause"),
    [
        ({"login": "password", "works_in_webmail": "no"}, "password", "User name or password is wrong"),
        ({"login": "password", "works_in_webmail": "yes"}, "password", "SMTP AUTH is disabled"),
        ({"login": "app-token", "enterprise_object_id": "no"}, "app-token", "The service principal is wrong"),
        ({"login": "app-token", "just_granted": "yes"}, "app-token", "The permissions are right but new"),
        ({"login": "user-token", "shared_mailbox": "yes"}, "delegated-token", "A shared mailbox"),
    ],
)
def test_one_text_with_many_causes(answers: dict[str, str], entry: str, cause: str) -> None:
    asked: list[str] = []
    now = case(EXCHANGE)
    while question := ask(now, asked):
        asked.append(question.name)
        if question.name in answers:
            now = told(now, question.name, answers[question.name])
    assert set(answers) <= set(asked)
    first = candidates(now)[0]
    assert first.finding.id == f"m365.535-5-7-3-{entry}"
    assert first.cause.text.startswith(cause)


def test_what_is_known_is_not_asked() -> None:
    question = ask(case(EXCHANGE, host="smtp.office365.com", mechanism="LOGIN"))
    assert question
    assert question.name not in ("login", "token", "provider")


@given(st.sampled_from(SAMPLES))
def test_every_question_that_is_asked_can_change_what_stands_first(text: str) -> None:
    now = case(text)
    first = candidates(now)[0]
    question = ask(now)
    if question is None:
        return
    assert first.share < SURE
    after = [candidates(told(now, question.name, answer))[0] for answer in question.answers]
    assert any((one.finding.id, one.cause) != (first.finding.id, first.cause) for one in after)


@given(st.text(), st.sampled_from(sorted(load().questions)), st.sampled_from(["yes", "no"]))
def test_shares_are_shares_whatever_was_said(text: str, name: str, answer: str) -> None:
    found = candidates(told(case(text), name, answer))
    assert sum(one.share for one in found) == pytest.approx(1.0)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)


def test_what_was_seen_is_ranked_like_what_was_said() -> None:
    refused = families.entry("conn.refused").finding(target="mx.test:25")
    now = Case(Context(), refused)
    question = ask(now)
    assert question
    assert question.name == "worked_before"
    assert candidates(told(now, "worked_before", "yes"))[0].cause.text.startswith("The mail service is not running")


@pytest.mark.parametrize(("name", "answer"), [("no_question", "yes"), ("login", "maybe"), ("two_step", "perhaps")])
def test_an_answer_that_does_not_exist(name: str, answer: str) -> None:
    with pytest.raises(ValueError, match=r"answer|question"):
        told(case(EXCHANGE), name, answer)


def test_every_question_has_a_name_of_its_own() -> None:
    assert len(names()) == len(set(names()))
