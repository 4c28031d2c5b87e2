from __future__ import annotations

import io
import itertools
import runpy
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from smtpctl.model.transcript import Stage
from smtpctl.render.canvas import Canvas
from smtpctl.render.progress import LineProgress, progress, reading

cases = runpy.run_path(str(Path(__file__).parents[2] / "golden" / "cases.py"))
TARGETS = [report.target for report in cases["TARGETS"]]


def test_without_a_terminal_a_line_a_target() -> None:
    stream = io.StringIO()
    with progress(stream, TARGETS, Canvas(80), live=False) as shown:
        for report in cases["TARGETS"]:
            shown.stage(report.target, Stage.TLS)
            shown.done(report)
    assert stream.getvalue() == (
        "[1/3] ✓ office  265 ms  smtp.office365.com:587  STARTTLS  OAuth 2.0 as noreply@…\n"
        "[2/3] ✗ mail.example.com:587  63 ms  The server does not send the certificate t…\n"
        "[3/3] ✗ shop  1229 ms  The server does not offer STARTTLS here\n"
    )


def test_lines_of_threads_do_not_mix() -> None:
    stream = io.StringIO()
    shown = LineProgress(stream, [str(n) for n in range(20)], Canvas(80))
    threads = [threading.Thread(target=shown.done, args=(cases["PASSED"],)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert [line[:7] for line in lines] == [f"[{n:>2}/20]" for n in range(1, 21)]


@pytest.mark.parametrize("options", [{"targets": TARGETS[:1]}, {"targets": TARGETS, "quiet": True}])
def test_silent_for_one_target_or_when_quiet(options: dict[str, Any]) -> None:
    stream = io.StringIO()
    with progress(stream, canvas=Canvas(), live=True, **options) as shown:
        shown.stage("office", Stage.TLS)
        shown.done(cases["PASSED"])
    assert stream.getvalue() == ""


@pytest.mark.parametrize("unicode", [True, False])
def test_live_rows_say_where_each_target_is_and_go_away(unicode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    hostile = "evil\x1b[2J"
    names = [*(f"target{n}" for n in range(10)), hostile]
    with progress(stream, names, Canvas(80, unicode=unicode), live=True) as shown:
        for name in reversed(names):
            shown.stage(name, Stage.TLS)
        shown.done(cases["STARTTLS_MISSING"])
        view = str(shown._view())  # type: ignore[attr-defined]
    lines = view.splitlines()
    assert lines[0].startswith("1 of 11 done, 1 failed   ")
    assert "evil\\x1b[2J  tls " in lines[1]
    assert lines[-1] == "    and 3 more"
    assert "\x1b" not in view
    assert view.isascii() is not unicode
    assert stream.getvalue().rstrip().endswith("\x1b[2K")  # the rows were wiped


def test_a_log_never_imports_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.live", None)
    with progress(io.StringIO(), TARGETS, Canvas(), live=False) as shown:
        shown.done(cases["PASSED"])


def test_a_row_tells_how_far_a_long_text_is_read_and_goes_in_the_end() -> None:
    stream, lines = io.StringIO(), [str(number) for number in range(600)]
    ticks = itertools.count(0.0, 2.0)
    read = reading(lines, stream, Canvas(80), done=lambda: 0.25, clock=lambda: next(ticks))
    assert list(read) == lines
    assert stream.getvalue() == (
        "\r256 lines read, 128 a second, 25 %, 6 s left\x1b[K\r512 lines read, 128 a second, 25 %, 12 s left\x1b[K\r\x1b[K"
    )


def test_a_text_without_a_size_has_no_time_that_is_left() -> None:
    stream, ticks = io.StringIO(), itertools.count(0.0, 2.0)
    list(reading(["x"] * 256, stream, Canvas(20), clock=lambda: next(ticks)))
    assert stream.getvalue() == "\r256 lines read, 12…\x1b[K\r\x1b[K"


def test_a_short_text_has_no_row() -> None:
    stream = io.StringIO()
    list(reading(["x"] * 1000, stream, Canvas(80), clock=lambda: 0.0))
    assert not stream.getvalue()
