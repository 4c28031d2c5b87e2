"""The command line as typer sees it: help pages, and the words for wrong usage.

The only module that imports typer. A noun (`profile`) or the program itself is a `LazyGroup`: it knows its commands'
names and one-line helps, and builds the real command in `resolve_command`. So `--help` neither imports a command's
module nor reads its options.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from smtpctl.cli import app, help_page, terminal
from smtpctl.cli.command import Call, NoCommandError, Noun, Verb, first_line, shared_given
from smtpctl.cli.options import SESSIONS, Argument
from smtpctl.cli.parameters import Parameter, called, parameters, shared
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple

EXAMPLES = 4  # on the page of a noun
# The parser's own usage errors; typer exports only this subclass of them.
_UsageError: Any = typer.BadParameter.__mro__[1]
# Options that people look for and that do not exist, with what there is instead.
_SECRET_OPTION = re.compile(r"-p$|--.*(pass|secret|token)")
_SECRET_HINT = (
    "Secrets are never given on the command line, where everybody can read them. Use --password-stdin, "
    "--password-file FILE, --password-env NAME, --password-command COMMAND, $SMTPCTL_PASSWORD or: smtpctl secret set"
)


class Entry(NamedTuple):
    """A command that is not built yet. `section` is the heading it stands under in the list."""

    help: str
    load: Callable[[str], Verb | Noun]
    section: str = "Commands"


class Command(TyperCommand):
    """A command whose help is our page."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_page.command_page(self, ctx, terminal.page_canvas()))


class LazyGroup(TyperGroup):
    """A group that builds a command when it is called. A context's `obj` holds the shared options given so far."""

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
        return built(name, self.entries[name].load(name))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        ctx.obj.update(shared_given({parameter.name: ctx.params.get(parameter.key) for parameter in shared(SESSIONS)}))
        name, *rest = args
        if name in self.entries:
            return name, self.real_command(name), rest
        close = difflib.get_close_matches(name, self.entries, n=2)
        guess = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise UsageProblem(f"No such command {name!r}.{guess}", f"See: {ctx.command_path} --help")

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_page.group_page(self, ctx, terminal.page_canvas()))


def read(arguments: Sequence[str]) -> Call | None:
    """The call a command line asks for; None where it asked for a help page, which is printed.

    UsageProblem says what is wrong with it; NoCommandError has the page of a group without a command.
    """
    root = program()
    try:
        with root.make_context(app.NAME, list(arguments), obj={}) as context:
            call: Call = root.invoke(context)
            return call
    except typer.Exit:
        return None
    except _UsageError as error:
        raise UsageProblem(*_usage_words(error)) from error


def program() -> LazyGroup:
    """The whole program as a group of commands, none of them built yet."""
    entries = {name: Entry(info.help, app.load, info.section) for name, info in app.COMMANDS.items()}
    return lazy_group(app.NAME, app.HELP, entries)


def built(name: str, command: Verb | Noun) -> Any:
    """The command of this name for typer. The examples of a group are the first ones of its commands."""
    if isinstance(command, Verb):
        return _command(name, command.function.__doc__ or "", parameters(command), _caller(command))
    verbs = command.verbs
    entries = {key: Entry(first_line(verb.function), verbs.__getitem__) for key, verb in verbs.items()}
    examples = [help_page.split_help(verb.function.__doc__ or "")[1][:1] for verb in verbs.values()]
    shown = [example for some in examples for example in some][:EXAMPLES]
    return lazy_group(name, "\n".join([command.help, "", *shown]), entries)


def lazy_group(name: str, help: str, entries: Mapping[str, Entry]) -> LazyGroup:
    """A group of `entries` that takes the options every command has."""
    group = LazyGroup(name=name, help=help, params=list(_shared_options()), rich_markup_mode=None)
    group.entries = entries
    return group


@cache
def _shared_options() -> tuple[Any, ...]:
    """The options of a group: made once, for the program and for the noun."""
    return tuple(_command(SHARED_ONLY, "", tuple(shared(SESSIONS)), lambda **_: None).params)


SHARED_ONLY = "shared"  # the name of a command that is made for its options


def _caller(verb: Verb) -> Callable[..., Call]:
    """What typer calls: it gives back the call instead of doing it."""

    def call(context: Any, **values: Any) -> Call:
        return called(".".join(context.command_path.split()[1:]), verb, parameters(verb), values, context.obj)

    return call


def _command(name: str, help: str, taken: Sequence[Parameter], call: Callable[..., Any]) -> Any:
    """A typer command that takes these parameters and hands them to `call` by their keys, with its context."""
    shown = [_typed("context", typer.Context), *map(_typer_parameter, taken)]
    call.__doc__ = help
    call.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]  # what typer goes by
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    application = typer.Typer(rich_markup_mode=None, add_completion=False)
    application.command(name, cls=Command)(call)
    return typer.main.get_command(application)


def _typer_parameter(parameter: Parameter) -> inspect.Parameter:
    says, default = parameter.says, ... if parameter.required else parameter.default
    kind: Any = parameter.type
    if parameter.choices:  # typer has no list of a Literal
        names = {choice: choice for choice in parameter.choices}
        kind = StrEnum(parameter.name, names) if parameter.several else Literal[parameter.choices]
    annotation = list[kind] if parameter.several else kind
    info: Any
    if isinstance(says, Argument):
        info = typer.Argument(default, metavar=says.metavar, help=says.help, readable=False)
    else:
        info = typer.Option(
            default,
            *says.flags.split(),
            metavar=says.metavar,
            help=says.help,
            count=says.counted,
            hidden=says.hidden,
            rich_help_panel=says.heading,
            show_default=says.default_shown,
            readable=False,  # whoever opens a file says best what is wrong with it
        )
    return _typed(parameter.key, annotation | None if default is None else annotation, info)


def _typed(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _usage_words(error: Any) -> tuple[str, str]:
    """What was wrong, and what to do about it."""
    message = " ".join(error.format_message().split())
    option = getattr(error, "option_name", None)
    if option and "possibilities" in vars(error):
        message = f"No such option: {option}."
        if _SECRET_OPTION.match(option):
            return message, _SECRET_HINT
        if error.possibilities:
            message += f" Did you mean {error.possibilities[0]}?"  # the nearest one comes first
    return message, f"See: {error.ctx.command_path} --help" if error.ctx else ""
