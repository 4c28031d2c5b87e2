"""Between causes that look alike: which is likeliest by what is known, and what to ask to tell them apart.

    case = Case(context)                           # words and what is known of them, or a finding that needs no look-up
    question = ask(case)                           # None where no answer would change what stands first
    case = told(case, question.name, "yes")

A question is worth asking when an answer puts another cause first; of several, the one that is easiest to answer. Nothing
here knows a person: who asks, and how often, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from smtpctl.knowledge.catalogue import GENERIC, load
from smtpctl.knowledge.match import (
    APP_GRANT,
    LOGINS,
    USER_GRANT,
    Context,
    alternatives,
    by_id,
    finding,
    in_order,
    match,
    page,
    recognised,
)
from smtpctl.knowledge.ranking import condition
from smtpctl.model.finding import Cause, Finding
from smtpctl.model.record import NamedTuple

YES, NO = "yes", "no"
SURE = 0.9  # from this share on nothing is asked any more
_FAINT = 0.02  # a cause below this share is not worth a question
_HALVES = 5  # points of a match's score that halve how likely it is


class Case(NamedTuple):
    """What is to be explained: `context` with the words that were said, or the `finding` of something that was seen, of
    which only the facts of `context` are used."""

    context: Context
    finding: Finding | None = None


class Candidate(NamedTuple):
    """A cause that may be the one; `share` is its part of all that is likely, 0 to 1. `finding` is what it belongs to."""

    finding: Finding
    cause: Cause
    share: float


class Question(NamedTuple):
    """What to ask. `name` is a fact of `replies/facts.toml`, `login`, `token` or `provider`; `answers` maps the name of
    each answer to its words; yes and no where it has none."""

    name: str
    ask: str
    answers: Mapping[str, str] = {YES: "", NO: ""}


class _Choice(NamedTuple):
    """A question that is no fact: what each answer says, and which fields of a context it sets."""

    ask: str
    answers: Mapping[str, tuple[str, Mapping[str, Any]]]


_CHOICES: Mapping[str, _Choice] = {
    "login": _Choice(
        "How does the program log in?",
        {name: (login.words, {"credential": login.credential, "grant": login.grant}) for name, login in LOGINS.items()},
    ),
    "token": _Choice(
        "Whose OAuth token is it?",
        {
            "app": ("the application's own (client credentials)", {"grant": APP_GRANT}),
            "user": ("that of a person who signed in", {"grant": USER_GRANT}),
        },
    ),
}


def about(case: Case) -> Finding:
    """The finding that the case is about, its causes as what is known has them."""
    return in_order(case.finding, case.context) if case.finding else finding(case.context)


def candidates(case: Case) -> tuple[Candidate, ...]:
    """The causes that may be meant, likeliest first; none where what is known rules out all."""
    found = [
        Candidate(one, cause, weight * cause.likelihood / (sum(c.likelihood for c in one.causes) or 1.0))
        for one, weight in _findings(case)
        for cause in one.causes
    ]
    whole = sum(candidate.share for candidate in found) or 1.0
    shares = (candidate._replace(share=candidate.share / whole) for candidate in found)
    return tuple(sorted(shares, key=lambda candidate: -candidate.share))


def ask(case: Case, asked: Collection[str] = ()) -> Question | None:
    """The easiest question that helps, None where none does; those in `asked` were asked before."""
    now = candidates(case)
    if not now or now[0].share >= SURE:
        return None
    for question in _questions(case, now):
        after = (candidates(told(case, question.name, answer)) for answer in question.answers)
        if question.name not in asked and not all(_first(outcome) == _first(now) for outcome in after):
            return question
    return None


def told(case: Case, name: str, answer: str) -> Case:
    """The case with one question answered. ValueError, with the answers there are, for one that does not exist."""
    context = case.context
    choice = _CHOICES.get(name)
    if choice:
        known = {key: fields for key, (_, fields) in choice.answers.items()}
    elif name == "provider":
        known = {key: {"provider": key} for key in load().providers}
    elif name in load().questions:
        known = {YES: {"facts": context.facts | {name}}, NO: {"denied": context.denied | {name}}}
    else:
        raise ValueError(f"there is no question {name}")
    if answer not in known:
        raise ValueError(f"{name}: answer {', '.join(known)}")
    return case._replace(context=context._replace(**known[answer]))


def names() -> tuple[str, ...]:
    """The name of every question there is."""
    return (*_CHOICES, "provider", *load().questions)


def _findings(case: Case) -> Iterator[tuple[Finding, float]]:
    """What may be meant, and how well it fits against the others."""
    context = case.context
    first = about(case)
    yield first, 1.0
    if case.finding:
        return
    matches = match(context)
    worded = recognised(context, matches)
    if worded:
        for name in worded.worded.also:
            yield in_order(by_id(name, target=worded.target), context), 0.5
    elif matches and first.id == matches[0].said.id:
        for other in alternatives(matches):
            behind = matches[0].score - other.score
            yield page(other.said, context, stage=first.stage, target=first.target), 0.5 ** (behind / _HALVES)


def _questions(case: Case, now: tuple[Candidate, ...]) -> Iterator[Question]:
    """What could be asked about these candidates and is not known, the easiest first."""
    near = [candidate for candidate in now if candidate.share >= _FAINT]
    catalogue, context = load(), case.context
    entries = [catalogue.entries[c.finding.id] for c in near if c.finding.id in catalogue.entries]
    if not (context.mechanism or context.credential) and any(said.mechanisms for said in entries):
        yield _choice("login")
    elif not context.grant and any(said.grants for said in entries):
        yield _choice("token")
    owners = {said.prefix: catalogue.providers[said.prefix].name for said in entries if said.prefix != GENERIC}
    if len(owners) > 1 and not (context.provider or context.host):
        yield Question("provider", "Whose server is it?", owners)
    open_facts = {condition(written).fact for candidate in near for written in candidate.cause.facts}
    open_facts |= {fact for said in entries for fact in said.facts}
    for fact, words in catalogue.questions.items():
        if fact in open_facts - context.facts - context.denied:
            yield Question(fact, words)


def _choice(name: str) -> Question:
    choice = _CHOICES[name]
    return Question(name, choice.ask, {key: words for key, (words, _) in choice.answers.items()})


def _first(found: Sequence[Candidate]) -> tuple[str, str]:
    """What stands first; empty where everything is ruled out."""
    return (found[0].finding.id, found[0].cause.text) if found else ("", "")
