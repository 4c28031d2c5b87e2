"""Lazy groups: nothing is built before it is called, and what is misspelt is recognised."""

from __future__ import annotations

from typing import Any

import pytest

from smtpctl.cli.group import Entry, NoCommandError, Noun, first_line, lazy_group
from smtpctl.cli.options import Invocation
from smtpctl.cli.terminal import Terminal
from smtpctl.model.report import ExitStatus

things = Noun("Things.")


@things.command("list")
def list_things(terminal: Terminal) -> None:
    """List the things.

    $ smtpctl things list
    """
    terminal.document("things.list/1", {"things": []})


@things.command("count")
def count_things(terminal: Terminal, twice: bool = False) -> ExitStatus:
    """Count the things."""
    return ExitStatus.FINDINGS if twice else ExitStatus.OK


def never(name: str) -> Any:
    raise AssertionError(f"{name} was built")


def run(group: Any, *args: str) -> Any:
    with group.make_context("things", list(args), obj=Invocation()) as context:
        return group.invoke(context)


def test_a_command_is_built_when_it_is_called() -> None:
    group = lazy_group("g", "G.", {"a": Entry("A", things.verbs["count"].build), "b": Entry("B", never)})
    assert run(group, "a", "--twice") == ExitStatus.FINDINGS


def test_help_builds_nothing() -> None:
    group = lazy_group("g", "G.", {"a": Entry("Do a", never, "Letters")})
    context = group.make_context("g", [], obj=Invocation(), resilient_parsing=True)
    assert "Letters:\n  a  Do a\n" in group.get_help(context)


def test_a_misspelt_command_is_recognised_and_builds_nothing() -> None:
    group = lazy_group("g", "G.", {"check": Entry("C", never)})
    with pytest.raises(Exception, match="Did you mean 'check'"):
        run(group, "chek")


def test_a_group_without_a_command_gives_its_page() -> None:
    with pytest.raises(NoCommandError) as caught:
        run(things.build("things"))
    assert caught.value.page.startswith("Things.\n")


def test_the_page_of_a_noun_has_examples_of_its_commands() -> None:
    with pytest.raises(NoCommandError, match="no command") as caught:
        run(things.build("things"))
    assert "\n\n  $ smtpctl things list\n\nUsage: things" in caught.value.page


def test_the_one_line_help_is_the_first_sentence() -> None:
    assert first_line(list_things) == "List the things"
    assert things.build("things").entries["count"].help == "Count the things"


def test_what_a_command_returns_is_its_status() -> None:
    assert run(things.build("things"), "count", "--twice") is ExitStatus.FINDINGS
