from __future__ import annotations

import pytest

from smtpctl.model.finding import Finding, Location, Severity
from smtpctl.model.transcript import Stage
from smtpctl.render.canvas import Canvas
from smtpctl.render.listing import counts, findings


def finding(line: int, severity: Severity = Severity.ERROR, path: str = "a.toml") -> Finding:
    return Finding(f"config.f{line}", severity, Stage.CONFIG, f"Line {line}", location=Location(path, line))


def test_rows_stand_in_the_order_of_the_file() -> None:
    made = findings(Canvas(120), [finding(20), finding(3), finding(1, path="b.toml")], "2 files")
    assert made == (
        "a.toml\n"
        "  3:1   error  config.f3   Line 3\n"
        "  20:1  error  config.f20  Line 20\n"
        "b.toml\n"
        "  1:1   error  config.f1   Line 1\n"
        "2 files, 3 errors\n"
        "Why, and what else it may be:  smtpctl explain config.f20\n"
    )


def test_without_a_place_findings_stand_under_their_target() -> None:
    one = finding(1)._replace(location=None, target="office")
    assert findings(Canvas(120), [one], "").startswith("office\n  error  config.f1  Line 1\n1 error\n")


def test_nothing_found_is_said() -> None:
    assert findings(Canvas(), [], "2 profiles") == "✓ 2 profiles, nothing to mend\n"


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ([], ""),
        ([Severity.ERROR], "1 error"),
        ([Severity.NOTE, Severity.ERROR, Severity.NOTE, Severity.WARNING], "1 error, 1 warning, 2 notes"),
    ],
)
def test_counts(severities: list[Severity], text: str) -> None:
    assert counts([finding(1, severity) for severity in severities]) == text
