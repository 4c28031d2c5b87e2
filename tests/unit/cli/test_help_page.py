"""Help pages: what comes first, what stands under which heading, and that no line is too long."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from smtpctl.cli import app, group
from smtpctl.cli.command import verb
from smtpctl.cli.group import built
from smtpctl.cli.help_page import command_page, group_page, split_help
from smtpctl.cli.options import FINDINGS, FailOn, Option, Overrides, Target
from smtpctl.cli.terminal import Terminal
from smtpctl.render.canvas import Canvas

MANY = Option("--kind", help="Which kind.", heading="Own")


@verb(formats=FINDINGS)
def sample(
    terminal: Terminal,
    overrides: Overrides,
    target: Target = None,
    depth: Annotated[int, Option("--depth -d", metavar="N", help="How deep.")] = 3,
    mode: Annotated[Literal["a", "b"] | None, Option("--mode", help="Which way.", heading="Own")] = None,
    kind: Annotated[
        Literal["a-long-one", "b-longer-one", "c-longer-one", "d-long-one", "e-long-one"] | None, MANY
    ] = None,
    fail_on: FailOn = "error",
) -> None:
    """Do the thing that samples do.

    $ smtpctl sample office
    $ smtpctl sample --depth 4
    $ pass show mail/example | smtpctl sample mail.example.com --username ann@example.com --password-stdin

    It is done once, and then once more, so that this paragraph is longer than eighty columns and has to be wrapped.
    """


def page(width: int) -> str:
    command = built("sample", sample)
    return command_page(command, context_of(command, "smtpctl sample"), Canvas(width))


def context_of(command: Any, name: str) -> Any:
    return command.make_context(name, [], obj={}, resilient_parsing=True)


def test_the_sentence_and_the_examples_come_first() -> None:
    lines = page(80).splitlines()
    assert lines[:8] == [
        "Do the thing that samples do.",
        "",
        "  $ smtpctl sample office",
        "  $ smtpctl sample --depth 4",
        "  $ pass show mail/example | smtpctl sample mail.example.com --username \\",
        "      ann@example.com --password-stdin",
        "",
        "Usage: smtpctl sample [OPTIONS] [TARGET]",
    ]


def test_headings_stand_in_one_order() -> None:
    headings = [line[:-1] for line in page(80).splitlines() if line.endswith(":") and line[0] != " "]
    assert headings == [
        "Arguments", "Options", "Own", "Connection", "TLS", "Authentication", "Message", "Output", "Everywhere",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, page(width).splitlines())) <= width


def test_a_wide_terminal_is_used() -> None:
    assert len(page(120).splitlines()) < len(page(80).splitlines())


def test_an_option_shows_its_forms_choices_and_default() -> None:
    text = page(120)
    assert "  -d, --depth N  " in text
    assert "How deep (default: 3)." in text
    assert "      --mode a|b  " in text
    assert "      --kind KIND  " in text
    assert "Which kind: a-long-one, b-longer-one, " in text
    assert "      --[no-]insecure  " in text
    assert "      --format text|json|junit|sarif|github|html\n" in text


def test_a_group_lists_its_commands_under_their_headings() -> None:
    program = group.program()
    text = group_page(program, context_of(program, "smtpctl"), Canvas(80))
    assert "\nUsage: smtpctl [OPTIONS] COMMAND ...\n" in text
    for name, info in app.COMMANDS.items():
        assert f"  {name} " in text
        assert f" {info.help}\n" in text
        assert f"\n{info.section}:\n" in text


def test_help_without_examples_or_paragraphs() -> None:
    assert split_help("One sentence.") == ("One sentence.", [], [])
    assert split_help("") == ("", [], [])


def test_on_a_terminal_with_colour_headings_stand_out_and_nothing_else_changes() -> None:
    command = built("sample", sample)
    text = command_page(command, context_of(command, "smtpctl sample"), Canvas(80, colour=True))
    assert "\x1b[1mTLS:\x1b[0m\n" in text
    assert text.replace("\x1b[1m", "").replace("\x1b[0m", "") == page(80)
