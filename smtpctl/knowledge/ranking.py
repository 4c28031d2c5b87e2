"""Causes in the order that what is known gives them, without those that it rules out."""

from __future__ import annotations

from collections.abc import Iterable

from smtpctl.model.finding import Cause
from smtpctl.model.record import NamedTuple

NOT, HINT = "not ", "?"
# What a fact that holds, or does not, does to the likelihood of a cause that names it: one that decides outweighs the
# order of a dozen causes, a hint that of two or three.
_DECIDES, _HINTS = (10_000.0, 0.05), (6.0, 0.3)
# Facts that are no part of a cause, only what is seen of it: a firewall may be in the way here and elsewhere. They make a
# cause unlikely and rule none out; any other fact that a cause needs does.
_SIGNS = frozenset({"worked_before", "works_elsewhere", "works_in_webmail"})


class Condition(NamedTuple):
    """A fact as a cause names it: `not name?` speaks against it, and is only a hint."""

    fact: str
    wanted: bool
    hint: bool


def ranked(causes: Iterable[Cause], facts: frozenset[str], denied: frozenset[str]) -> tuple[Cause, ...]:
    """The causes, most likely first, where `facts` hold and `denied` do not; none that needs it otherwise. Likelihoods keep
    their sum."""
    before = tuple(causes)
    left = [(cause, weight) for cause in before if (weight := cause.likelihood * _weight(cause, facts, denied))]
    scale = sum(cause.likelihood for cause in before) / (sum(weight for _, weight in left) or 1.0)
    after = (cause._replace(likelihood=weight * scale) for cause, weight in left)
    return tuple(sorted(after, key=lambda cause: -cause.likelihood))


def condition(written: str) -> Condition:
    """The condition that a cause was given in `because` or under `facts` in `replies/*.toml`."""
    return Condition(written.removeprefix(NOT).removesuffix(HINT), not written.startswith(NOT), written.endswith(HINT))


def _weight(cause: Cause, facts: frozenset[str], denied: frozenset[str]) -> float:
    """What to multiply a likelihood by; nothing is left of a cause that is ruled out."""
    weight = 1.0
    for fact, wanted, hint in map(condition, cause.facts):
        if fact in facts or fact in denied:
            fits, does_not = _HINTS if hint else _DECIDES
            ruled_out = 0.0 if not hint and fact not in _SIGNS else does_not
            weight *= fits if (fact in facts) is wanted else ruled_out
    return weight
