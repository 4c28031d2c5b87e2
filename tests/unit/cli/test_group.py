"""Lazy groups: nothing is built before it is called, and what is misspelt is recognised."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from smtpctl.cli.command import Call, NoCommandError, Noun, first_line
from smtpctl.cli.group import Entry, built, lazy_group
from smtpctl.cli.options import Option
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
def count_things(terminal: Terminal, twice: Annotated[bool, Option("--twice", "Again.")] = False) -> ExitStatus:
    """Count the things."""
    return ExitStatus.FINDINGS if twice else ExitStatus.OK


def never(name: str) -> Any:
    raise AssertionError(f"{name} was built")


def read(group: Any, *args: str) -> Call:
    with group.make_context("things", list(args), obj={}) as context:
        call: Call = group.invoke(context)
        return call


def test_a_command_is_built_when_it_is_called() -> None:
    group = lazy_group("g", "G.", {"a": Entry("A", lambda name: things.verbs["count"]), "b": Entry("B", never)})
    call = read(group, "a", "--twice")
    assert (call.command, call.values) == ("a", {"twice": True})


def test_help_builds_nothing() -> None:
    group = lazy_group("g", "G.", {"a": Entry("Do a", never, "Letters")})
    context = group.make_context("g", [], obj={}, resilient_parsing=True)
    assert "Letters:\n  a  Do a\n" in group.get_help(context)


def test_a_misspelt_command_is_recognised_and_builds_nothing() -> None:
    group = lazy_group("g", "G.", {"check": Entry("C", never)})
    with pytest.raises(Exception, match="Did you mean 'check'"):
        read(group, "chek")


def test_a_group_without_a_command_gives_its_page() -> None:
    with pytest.raises(NoCommandError) as caught:
        read(built("things", things))
    assert caught.value.page.startswith("Things.\n")


def test_the_page_of_a_noun_has_examples_of_its_commands() -> None:
    with pytest.raises(NoCommandError, match="no command") as caught:
        read(built("things", things))
    assert "\n\n  $ smtpctl things list\n\nUsage: things" in caught.value.page


def test_the_one_line_help_is_the_first_sentence() -> None:
    assert first_line(list_things) == "List the things"
    assert built("things", things).entries["count"].help == "Count the things"


def test_the_function_of_a_command_is_called_by_nobody_while_reading() -> None:
    call = read(built("things", things), "count")
    assert call.verb.function is count_things
