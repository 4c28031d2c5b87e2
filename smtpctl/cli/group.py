"""Commands that cost nothing until they are used.

A noun (`profile`) or the program itself is a `LazyGroup`: it knows its commands' names and one-line helps, and builds
the real command in `resolve_command`. So neither `--help` nor TAB imports a command's module or reads its options.

    command = verb(function)                      app = Noun("SMTP servers.")
                                                  @app.command("list")
                                                  def list_(terminal: Terminal) -> None: ...
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from smtpctl.cli import help_page, options, terminal
from smtpctl.cli.options import TEXT_JSON
from smtpctl.model.errors import SmtpctlError, UsageProblem

Function = Callable[..., Any]
EXAMPLES = 4  # on the page of a noun


class Entry(NamedTuple):
    """A command that is not built yet. `section` is the heading it stands under in the list."""

    help: str
    build: Callable[[str], Any]
    section: str = "Commands"


class NoCommandError(SmtpctlError):
    """A group was called without a command; `page` is its help."""

    def __init__(self, page: str) -> None:
        super().__init__("no command")
        self.page = page


class Command(TyperCommand):
    """A command whose help is our page."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_page.command_page(self, ctx, terminal.page_canvas()))


class LazyGroup(TyperGroup):
    """A group that builds a command when it is called."""

    entries: Mapping[str, Entry] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise NoCommandError(help_page.group_page(self, ctx, terminal.page_canvas(asked=False)))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stub that has the name and the one-line help; None for an unknown name."""
        entry = self.entries.get(cmd_name)
        if cmd_name not in self.commands and entry:
            self.commands[cmd_name] = Command(cmd_name, short_help=entry.help, rich_markup_mode=None)
        return self.commands.get(cmd_name)

    def real_command(self, name: str) -> Any:
        """The command itself, its module imported."""
        return self.entries[name].build(name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        ctx.obj.take(dict(ctx.params))
        name, *rest = args
        if name in self.entries:
            return name, self.real_command(name), rest
        close = difflib.get_close_matches(name, self.entries, n=2)
        guess = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise UsageProblem(f"No such command {name!r}.{guess}", f"See: {ctx.command_path} --help")

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_page.group_page(self, ctx, terminal.page_canvas()))


class Verb(NamedTuple):
    """A command as its module declares it: the function and the formats it can write."""

    function: Function
    formats: tuple[str, ...] = TEXT_JSON

    def build(self, name: str) -> Any:
        """The command of this name for typer."""
        return _command(name, options.wire(self.function, self.formats))


def verb(formats: tuple[str, ...] = TEXT_JSON) -> Callable[[Function], Verb]:
    """Declare a command: `@verb()` or `@verb(formats=FINDINGS)`. The docstring is its help."""
    return lambda function: Verb(function, formats)


class Noun:
    """A group of commands about one kind of thing, as its module declares it. `help` is one sentence."""

    def __init__(self, help: str) -> None:
        self.help = help
        self.verbs: dict[str, Verb] = {}

    def command(self, name: str, formats: tuple[str, ...] = TEXT_JSON) -> Callable[[Function], Function]:
        """Declare one command of the group; the docstring is its help."""

        def add(function: Function) -> Function:
            self.verbs[name] = Verb(function, formats)
            return function

        return add

    def build(self, name: str) -> Any:
        """The group of this name for typer; its examples are the first ones of its commands."""
        entries = {key: Entry(first_line(verb.function), verb.build) for key, verb in self.verbs.items()}
        examples = [help_page.split_help(verb.function.__doc__ or "")[1][:1] for verb in self.verbs.values()]
        shown = [example for some in examples for example in some][:EXAMPLES]
        return lazy_group(name, "\n".join([self.help, "", *shown]), entries)


def lazy_group(name: str, help: str, entries: Mapping[str, Entry]) -> LazyGroup:
    """A group of `entries` that takes the options every command has."""
    group = LazyGroup(name=name, help=help, params=list(_shared_options()), rich_markup_mode=None)
    group.entries = entries
    return group


@cache
def _shared_options() -> tuple[Any, ...]:
    """The options of a group: made once, for the program and for the noun."""
    shown = inspect.Signature(options.shared_parameters(options.FINDINGS))
    return tuple(_command("shared", options.with_signature(lambda **_: None, shown)).params)


def _command(name: str, function: Function) -> Any:
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command(name, cls=Command)(function)
    return typer.main.get_command(app)


def first_line(function: Function) -> str:
    """The first sentence of a command's docstring, without its full stop."""
    return (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
