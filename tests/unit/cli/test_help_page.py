"""Help pages: what comes first, what stands under which heading, and that no line is too long."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
import typer

from smtpctl.cli import app
from smtpctl.cli.group import verb
from smtpctl.cli.help_page import command_page, group_page, split_help
from smtpctl.cli.options import FINDINGS, FailOn, Invocation, Overrides, Target
from smtpctl.cli.terminal import Terminal


@verb(formats=FINDINGS)
def sample(
    terminal: Terminal,
    overrides: Overrides,
    target: Target = None,
    depth: Annotated[int, typer.Option("--depth", "-d", metavar="N", help="How deep.")] = 3,
    mode: Annotated[Literal["a", "b"] | None, typer.Option("--mode", help="Which way.", rich_help_panel="Own")] = None,
    fail_on: FailOn = "error",
) -> None:
    """Do the thing that samples do.

    $ smtpctl sample office
    $ smtpctl sample --depth 4

    It is done once, and then once more, so that this paragraph is longer than eighty columns and has to be wrapped.
    """


def page(width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    command = sample.build("sample")
    return command_page(command, context_of(command, "smtpctl sample"))


def context_of(command: Any, name: str) -> Any:
    return command.make_context(name, [], obj=Invocation(), resilient_parsing=True)


def test_the_sentence_and_the_examples_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = page(80, monkeypatch).splitlines()
    assert lines[:6] == [
        "Do the thing that samples do.",
        "",
        "  $ smtpctl sample office",
        "  $ smtpctl sample --depth 4",
        "",
        "Usage: smtpctl sample [OPTIONS] [TARGET]",
    ]


def test_headings_stand_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    headings = [line[:-1] for line in page(80, monkeypatch).splitlines() if line.endswith(":") and line[0] != " "]
    assert headings == [
        "Arguments", "Options", "Own", "Connection", "TLS", "Authentication", "Message", "Output", "Everywhere",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(map(len, page(width, monkeypatch).splitlines())) <= width


def test_a_wide_terminal_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(page(120, monkeypatch).splitlines()) < len(page(80, monkeypatch).splitlines())


def test_an_option_shows_its_forms_choices_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(120, monkeypatch)
    assert "  -d, --depth N  " in text
    assert "How deep (default: 3)." in text
    assert "      --mode a|b  " in text
    assert "      --[no-]insecure  " in text
    assert "      --format text|json|junit|sarif|github\n" in text


def test_a_group_lists_its_commands_under_their_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    program = app.program()
    text = group_page(program, context_of(program, "smtpctl"))
    assert "\nUsage: smtpctl [OPTIONS] COMMAND ...\n" in text
    for name, info in app.COMMANDS.items():
        assert f"  {name} " in text
        assert f" {info.help}\n" in text
        assert f"\n{info.section}:\n" in text


def test_help_without_examples_or_paragraphs() -> None:
    assert split_help("One sentence.") == ("One sentence.", [], [])
    assert split_help("") == ("", [], [])
