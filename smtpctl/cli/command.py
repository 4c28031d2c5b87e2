"""What a command is: a function, the formats it can write, and, when a command line was read, what to call it with.

    @verb(formats=FINDINGS)                       app = Noun("SMTP servers.")
    def command(terminal: Terminal, ...) -> int:  @app.command("list")
                                                  def list_(terminal: Terminal) -> None: ...

A command line is read by `cli/quick.py`, or by typer in `cli/group.py`; both give a `Call`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smtpctl.cli.options import TEXT_JSON
from smtpctl.model.errors import SmtpctlError
from smtpctl.model.record import NamedTuple

Function = Callable[..., Any]


class Verb(NamedTuple):
    """A command as its module declares it. The function's first parameter is the terminal, its docstring the help."""

    function: Function
    formats: tuple[str, ...] = TEXT_JSON


def verb(formats: tuple[str, ...] = TEXT_JSON) -> Callable[[Function], Verb]:
    """Declare a command: `@verb()` or `@verb(formats=FINDINGS)`."""
    return lambda function: Verb(function, formats)


class Noun:
    """A group of commands about one kind of thing, as its module declares it. `help` is one sentence."""

    def __init__(self, help: str) -> None:
        self.help = help
        self.verbs: dict[str, Verb] = {}

    def command(self, name: str, formats: tuple[str, ...] = TEXT_JSON) -> Callable[[Function], Function]:
        """Declare one command of the group."""

        def add(function: Function) -> Function:
            self.verbs[name] = Verb(function, formats)
            return function

        return add


class Call(NamedTuple):
    """A command line that was understood: the command (`profile.list`) and the values it is called with.

    `shared` holds the options every command has, as far as they were given.
    """

    command: str
    verb: Verb
    shared: Mapping[str, Any]
    values: Mapping[str, Any]


class NoCommandError(SmtpctlError):
    """A group was called without a command; `page` is its help."""

    def __init__(self, page: str) -> None:
        super().__init__("no command")
        self.page = page


def first_line(function: Function) -> str:
    """The first sentence of a command's docstring, without its full stop."""
    return (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def shared_given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the options every command has, those that were given in one place of the line."""
    given = {name: value for name, value in values.items() if value is not None}
    if given.pop("json", False):
        given["format"] = "json"
    if not given.get("verbose", True):  # a count is 0 where the option is not given
        del given["verbose"]
    return given
