"""Causes in the order that what is known gives them."""

from __future__ import annotations

from collections.abc import Iterable

from smtpctl.model.finding import Cause

NOT = "not "
# What a fact does to the likelihood of a cause that names it. It outweighs the order of a dozen causes; nothing is ruled
# out, because people err.
_HOLDS, _FAILS = 1000.0, 0.05


def ranked(causes: Iterable[Cause], facts: frozenset[str], denied: frozenset[str]) -> tuple[Cause, ...]:
    """The causes, most likely first, where `facts` hold and `denied` do not; likelihoods keep their sum."""
    before = tuple(causes)
    weighed = [cause.likelihood * _weight(cause, facts, denied) for cause in before]
    scale = sum(cause.likelihood for cause in before) / (sum(weighed) or 1.0)
    after = (cause._replace(likelihood=weight * scale) for cause, weight in zip(before, weighed, strict=True))
    return tuple(sorted(after, key=lambda cause: -cause.likelihood))


def condition(written: str) -> tuple[str, bool]:
    """A fact as a cause names it: its name, and whether it speaks for the cause."""
    return written.removeprefix(NOT), not written.startswith(NOT)


def _weight(cause: Cause, facts: frozenset[str], denied: frozenset[str]) -> float:
    weight = 1.0
    for written in cause.facts:
        name, speaks_for = condition(written)
        if name in facts or name in denied:
            weight *= _HOLDS if (name in facts) is speaks_for else _FAILS
    return weight
