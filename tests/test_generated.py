"""What is made from the program is current, and is good of its kind."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smtpctl.cli import app, completions
from smtpctl.config.fields import FIELDS, OAUTH_FIELDS, SCOPE_FIELDS
from smtpctl.model.report import ExitStatus

ROOT = Path(__file__).resolve().parent.parent
MAN = ROOT / "man"
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted(MAN.glob("*.[15]"))


def test_generated_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_there_is_a_page_for_every_command() -> None:
    names = {f"smtpctl-{name}.1" for name in app.COMMANDS} | {"smtpctl.1", "smtpctl.toml.5"}
    assert {page.name for page in PAGES} == names
    assert {f"{name}.md" for name in app.COMMANDS} <= {page.name for page in REFERENCE.glob("*.md")}


@pytest.mark.requires("mandoc")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_linter_has_nothing_to_say_about_a_page(page: Path, requires: Callable[[str], Path]) -> None:
    done = subprocess.run(
        [requires("mandoc"), "-T", "lint", page.name], cwd=MAN, capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""


def test_the_manual_says_what_every_exit_status_means() -> None:
    _, _, section = (MAN / "smtpctl.1").read_text(encoding="utf-8").partition(".Sh EXIT STATUS\n")
    listed = {line.removeprefix(".It ") for line in section.splitlines() if line.startswith(".It ")}
    assert {str(int(status)) for status in ExitStatus} <= listed


def test_the_manual_has_the_sections_people_look_for() -> None:
    text = (MAN / "smtpctl.1").read_text(encoding="utf-8")
    for section in ("ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
        assert f"\n.Sh {section}\n" in text
    assert "OpenSMTPD" in text
    for name in app.COMMANDS:
        assert "\n.Sh EXAMPLES\n" in (MAN / f"smtpctl-{name}.1").read_text(encoding="utf-8")


def test_the_manual_of_the_file_has_every_setting() -> None:
    text = (MAN / "smtpctl.toml.5").read_text(encoding="utf-8")
    for field in (*FIELDS, *SCOPE_FIELDS, *OAUTH_FIELDS):
        assert f"\n.It Cm {field.name}\n" in text


@pytest.mark.parametrize("shell", completions.SCRIPTS)
def test_the_script_in_the_folder_is_the_one_that_is_printed(shell: str, smtpctl_call: Callable[..., object]) -> None:
    printed = smtpctl_call("completions", shell)
    kept = (ROOT / "completions" / completions.SCRIPTS[shell]).read_text(encoding="utf-8")
    assert printed.stdout == kept  # type: ignore[attr-defined]


def test_a_stale_a_missing_and_a_left_over_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    generate = importlib.import_module("generate")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "man").mkdir()
    for name in ("current", "stale", "left-over"):
        (tmp_path / "man" / name).write_text("text")
    expected = {"man/current": "text", "man/stale": "other text", "man/missing": "text"}
    assert list(generate.stale(expected)) == ["man/stale", "man/missing", "man/left-over"]
