"""Causes in the order that what is known gives them."""

from __future__ import annotations

from collections.abc import Iterable

from smtpctl.model.finding import Cause
from smtpctl.model.record import NamedTuple

NOT, HINT = "not ", "?"
# What a fact that holds, or does not, does to the likelihood of a cause that names it: one that decides outweighs the
# order of a dozen causes, a hint that of two or three. Nothing is ruled out, because people err.
_DECIDES, _HINTS = (10_000.0, 0.05), (6.0, 0.3)


class Condition(NamedTuple):
    """A fact as a cause names it: `not name?` speaks against it, and is only a hint."""

    fact: str
    wanted: bool
    hint: bool


def ranked(causes: Iterable[Cause], facts: frozenset[str], denied: frozenset[str]) -> tuple[Cause, ...]:
    """The causes, most likely first, where `facts` hold and `denied` do not; likelihoods keep their sum."""
    before = tuple(causes)
    weighed = [cause.likelihood * _weight(cause, facts, denied) for cause in before]
    scale = sum(cause.likelihood for cause in before) / (sum(weighed) or 1.0)
    after = (cause._replace(likelihood=weight * scale) for cause, weight in zip(before, weighed, strict=True))
    return tuple(sorted(after, key=lambda cause: -cause.likelihood))


def condition(written: str) -> Condition:
    """The condition that a cause was given in `because` or under `facts` in `replies/*.toml`."""
    return Condition(written.removeprefix(NOT).removesuffix(HINT), not written.startswith(NOT), written.endswith(HINT))


def _weight(cause: Cause, facts: frozenset[str], denied: frozenset[str]) -> float:
    weight = 1.0
    for fact, wanted, hint in map(condition, cause.facts):
        if fact in facts or fact in denied:
            fits, does_not = _HINTS if hint else _DECIDES
            weight *= fits if (fact in facts) is wanted else does_not
    return weight
