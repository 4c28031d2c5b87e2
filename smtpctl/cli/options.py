"""Every option that more than one command has, declared once.

A command is a plain function. Its own options are typer annotations; what it shares it asks for by the type of a
parameter, and the options behind that are added to its signature here:

    terminal: Terminal      the options every command has (--config --site --format/--json ...)
    overrides: Overrides    everything that connects (--host --port --tls ...): {setting: value}, given ones only

The options of `Overrides` come from the table of profile settings, `config.fields.FIELDS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from smtpctl.cli import complete_names, terminal
from smtpctl.cli.terminal import COLORS, Terminal

TEXT = ("text",)
TEXT_JSON = ("text", "json")
FINDINGS = ("text", "json", "junit", "sarif", "github")
EVERYWHERE = "Everywhere"

Overrides = dict[str, Any]

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="Profile name, host[:port], or URL (smtp://, smtps://, submission://, lmtp://, unix:/path). "
        "Without it: the default profile.",
        autocompletion=complete_names.profiles,
        show_default=False,
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET",
        help="Profile names, host[:port], or URLs. Without one: the default profile.",
        autocompletion=complete_names.profiles,
        show_default=False,
    ),
]
ProfileName = Annotated[
    str, typer.Argument(metavar="PROFILE", help="Name of a profile.", autocompletion=complete_names.profiles)
]
PresetName = Annotated[
    str, typer.Argument(metavar="PRESET", help="Name of a preset.", autocompletion=complete_names.presets)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
All = Annotated[bool, typer.Option("--all", help="Every enabled profile.")]
FailOn = Annotated[
    Literal["note", "warning", "error", "never"],
    typer.Option("--fail-on", help="Exit 1 from this severity on.", rich_help_panel="Output"),
]
TranscriptFile = Annotated[
    Path | None,
    typer.Option(
        "--transcript",
        metavar="FILE",
        help="Write every line of the dialogue, redacted, as JSON Lines.",
        rich_help_panel="Output",
        show_default=False,
    ),
]


class SharedOption(NamedTuple):
    """How one option of every command is spelled; its environment variable is in `terminal.SHARED`."""

    kind: Any
    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    count: bool = False


SHARED_OPTIONS = {
    "config": SharedOption(str, ("--config",), "Configuration file.", "FILE"),
    "site": SharedOption(str, ("--site",), "Scope of the settings (without it: global).", "NAME"),
    "format": SharedOption(None, ("--format",), "How results are written."),
    "json": SharedOption(bool, ("--json",), "Same as --format json."),
    "no_input": SharedOption(bool, ("--no-input",), "Never ask; stop instead."),
    "color": SharedOption(Literal[COLORS], ("--color",), "When to use colour."),
    "quiet": SharedOption(bool, ("--quiet", "-q"), "Only results and errors."),
    "verbose": SharedOption(int, ("--verbose", "-v"), "More detail; repeat for more.", count=True),
}


def shared_parameters(formats: tuple[str, ...]) -> list[inspect.Parameter]:
    """The options every command has, as parameters named `shared_...`, for a command that writes `formats`."""
    parameters = []
    for name, option in SHARED_OPTIONS.items():
        kind = Literal[formats] if name == "format" else option.kind
        info = typer.Option(
            *option.flags,
            metavar=option.metavar,
            help=option.help,
            count=option.count,
            rich_help_panel=EVERYWHERE,
            show_default=False,
            autocompletion=complete_names.sites if name == "site" else None,
        )
        parameters.append(_parameter(f"shared_{name}", kind, info))
    return parameters


def signature(function: Callable[..., Any], formats: tuple[str, ...]) -> inspect.Signature:
    """The signature typer is shown: the function's own options, then those it asks for by type."""
    own = inspect.signature(function, eval_str=True)
    parameters = [p for p in own.parameters.values() if p.annotation not in (Terminal, Overrides)]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
    if any(p.annotation == Overrides for p in own.parameters.values()):
        parameters += connection_parameters()
    context = inspect.Parameter("shared_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    return inspect.Signature([context, *parameters, *shared_parameters(formats)])


def connection_parameters() -> list[inspect.Parameter]:
    """The settings of a profile as options, as parameters named `field_...`."""
    return []


def wire(function: Callable[..., Any], formats: tuple[str, ...]) -> Callable[..., Any]:
    """What typer calls: takes the values of `signature`, builds the Terminal and the overrides, calls `function`."""
    wanted = inspect.signature(function, eval_str=True).parameters.values()

    def call(**values: Any) -> Any:
        context = values.pop("shared_context")
        given = merge_shared(context.obj, values)
        overrides = _take(values, "field_")
        for parameter in wanted:
            if parameter.annotation is Terminal:
                values[parameter.name] = terminal.build(given, formats)
            elif parameter.annotation == Overrides:
                values[parameter.name] = {k: v for k, v in overrides.items() if v is not None}
        return function(**values)

    shown = signature(function, formats)
    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    call.__signature__ = shown  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in shown.parameters.values()}
    return call


def merge_shared(before: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The shared options given so far (before the command) and here; the later one wins. Empties `values` of them."""
    here = _take(values, "shared_")
    if here.pop("json", None):
        here["format"] = "json"
    here["verbose"] = here.get("verbose") or None  # a count is 0 where the option is not given
    return {**(before if isinstance(before, dict) else {}), **{k: v for k, v in here.items() if v is not None}}


def _take(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): values.pop(name) for name in list(values) if name.startswith(prefix)}


def _parameter(name: str, kind: Any, info: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, info]
    )
