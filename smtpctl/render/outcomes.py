"""What became of each check, for `-v`: one that did not run is a result too, and says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.model.report import Outcome
from smtpctl.render.canvas import Canvas

ALWAYS = ("crashed",)  # a defect is told unasked
_STATUS = {"passed": "passed", "found": "warning", "skipped": "skipped", "crashed": "failed"}
_RESULT = 9  # columns of a result, with the gap after it


def outcome_lines(canvas: Canvas, outcomes: Sequence[Outcome], *, verbose: bool) -> Iterator[str]:
    """A line for each result and reason, with the checks that had it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        if verbose or outcome.result in ALWAYS:
            reason = "" if outcome.result == "found" else outcome.reason
            groups.setdefault((outcome.result, reason), []).append(outcome.check)
    if groups:
        yield canvas.paint("title", "Checks")
    for result, reason in sorted(groups, key=lambda key: list(_STATUS).index(key[0])):
        lead = f"  {canvas.status(_STATUS[result])} {result:<{_RESULT}}"
        words = ", ".join(groups[result, reason]) + (f": {reason}" if reason else "")
        yield from canvas.prose(words, " " * (4 + _RESULT), first=lead)
