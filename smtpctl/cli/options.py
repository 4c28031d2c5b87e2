"""Every option that more than one command has, declared once.

A command is a plain function. Its own options are typer annotations; what it shares it asks for by the type of a
parameter, and the options behind that are added to its signature here:

    terminal: Terminal      the options every command has (--config --site --format/--json ...)
    overrides: Overrides    everything that connects (--host --port --tls ...)
    settings: Settings      everything a profile can hold
    oauth: OAuthSettings    everything a set of OAuth 2.0 credentials can hold

The last three are dicts {name of the setting: value} of what was given, made from the tables in `config.fields`:
a text (a list of texts where an option may be repeated, True or False for a flag), not yet parsed.
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from smtpctl.cli.terminal import COLORS, FORMATS, Terminal, build
from smtpctl.config.fields import CONNECTING, FIELDS, OAUTH_FIELDS, Field, Group, Type

TEXT = ("text",)
TEXT_JSON = ("text", "json")
FINDINGS = FORMATS
EVERYWHERE = "Everywhere"


class From(NamedTuple):
    """Which settings a dict is made of: a table of `config.fields`, and its groups."""

    table: tuple[Field, ...]
    groups: tuple[Group, ...]


Overrides = Annotated[dict[str, Any], From(FIELDS, CONNECTING)]
Settings = Annotated[dict[str, Any], From(FIELDS, (*CONNECTING, Group.SENDING))]
OAuthSettings = Annotated[dict[str, Any], From(OAUTH_FIELDS, (Group.OAUTH,))]

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="Profile name, host[:port], or URL (smtp://, smtps://, submission://, lmtp://, unix:/path). "
        "Without it: the default profile.",
        show_default=False,
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET",
        help="Profile names, host[:port], or URLs. Without one: the default profile.",
        show_default=False,
    ),
]
ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="Name of a profile.")]
PresetName = Annotated[str, typer.Argument(metavar="PRESET", help="Name of a preset.")]
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


class Invocation:
    """What one command line has said so far. The contexts of typer hand it from group to command.

    `command` is the command's name with a dot before its second part (`profile.list`), empty until it is known.
    """

    def __init__(self) -> None:
        self.command = ""
        self.given: dict[str, Any] = {}
        self.terminal: Terminal | None = None

    def take(self, values: dict[str, Any]) -> None:
        """Note the shared options in `values` and take them out; what stands later on the line wins."""
        here = _take(values, "shared_")
        if here.pop("json", None):
            here["format"] = "json"
        here["verbose"] = here.get("verbose") or None  # a count is 0 where the option is not given
        self.given |= {name: value for name, value in here.items() if value is not None}


class SharedOption(NamedTuple):
    """How one option of every command is spelled; its environment variable is in `terminal.SHARED`."""

    kind: Any
    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    repeat: bool = False


SHARED_OPTIONS = {
    "config": SharedOption(Path, ("--config",), "Configuration file.", "FILE"),
    "site": SharedOption(str, ("--site",), "Scope of the settings (without it: global).", "SITE"),
    "format": SharedOption(None, ("--format",), "How results are written."),
    "json": SharedOption(bool, ("--json",), "Same as --format json."),
    "no_input": SharedOption(bool, ("--no-input",), "Never ask; stop instead."),
    "color": SharedOption(Literal[COLORS], ("--color",), "When to use colour."),
    "quiet": SharedOption(bool, ("--quiet", "-q"), "Only results and errors."),
    "verbose": SharedOption(int, ("--verbose", "-v"), "More detail; repeat for more.", repeat=True),
}


def shared_parameters(formats: tuple[str, ...]) -> list[inspect.Parameter]:
    """The options every command has, as parameters named `shared_...`, for a command that writes `formats`."""
    parameters = [inspect.Parameter("shared_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for name, option in SHARED_OPTIONS.items():
        if name == "json" and "json" not in formats:
            continue
        info = typer.Option(
            *option.flags,
            metavar=option.metavar,
            help=option.help,
            count=option.repeat,
            hidden=name == "format" and len(formats) == 1,
            rich_help_panel=EVERYWHERE,
            show_default=False,
        )
        parameters.append(_parameter(f"shared_{name}", Literal[formats] if name == "format" else option.kind, info))
    return parameters


def field_parameters(source: From) -> list[inspect.Parameter]:
    """Settings as options, as parameters named `field_...`; secrets have none."""
    return [_field_parameter(f) for f in source.table if f.option and not f.secret and f.group in source.groups]


def _field_parameter(field: Field) -> inspect.Parameter:
    flag = field.type is Type.FLAG
    info = typer.Option(
        # Whatever a file sets can be unset for one run, so a stored flag has both forms.
        f"{field.option}/--no-{field.option[2:]}" if flag and field.stored else field.option,
        metavar=field.metavar or None,
        help=sentence(field),
        rich_help_panel=field.group.value,
        show_default=False,
    )
    return _parameter(f"field_{field.name}", _kind(field), info)


def _kind(field: Field) -> Any:
    if field.choices:
        return Literal[field.choices]
    if field.type is Type.FLAG:
        return bool
    if field.type is Type.PATH:
        return Path
    return list[str] if field.type.several else str


def sentence(field: Field) -> str:
    """The help of a setting as a sentence, with the default where there is one."""
    text = field.help[:1].upper() + field.help[1:]
    if isinstance(field.default, bool) or field.default in (None, "", (), {}):
        return f"{text}."
    default = f"{field.default:g}" if isinstance(field.default, float) else field.default
    return f"{text} (default: {default})."


def signature(function: Callable[..., Any], formats: tuple[str, ...]) -> inspect.Signature:
    """The signature typer is shown: the function's own options, then those it asks for by type."""
    own, added = [], []
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        source = _source(parameter.annotation)
        if source:
            added += field_parameters(source)
        elif parameter.annotation is not Terminal:
            own.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    return inspect.Signature([*own, *added, *shared_parameters(formats)])


def wire(function: Callable[..., Any], formats: tuple[str, ...]) -> Callable[..., Any]:
    """What typer calls: takes the values of `signature`, builds what the function asks for by type, calls it."""
    wanted = inspect.signature(function, eval_str=True).parameters.values()

    def call(**values: Any) -> Any:
        context = values.pop("shared_context")
        invocation: Invocation = context.obj
        invocation.command = ".".join(context.command_path.split()[1:])
        invocation.take(values)
        fields = {name: value for name, value in _take(values, "field_").items() if value is not None}
        invocation.terminal = build(invocation.given, formats)
        gc.freeze()  # what the start made stays to the end; no collection needs to look at it
        gc.enable()
        for parameter in wanted:
            if parameter.annotation is Terminal:
                values[parameter.name] = invocation.terminal
            elif _source(parameter.annotation):
                values[parameter.name] = {k: str(v) if isinstance(v, Path) else v for k, v in fields.items()}
        return function(**values)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return with_signature(call, signature(function, formats))


def with_signature(call: Callable[..., Any], shown: inspect.Signature) -> Callable[..., Any]:
    """`call` as typer shall see it: with this signature."""
    call.__signature__ = shown  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in shown.parameters.values()}
    return call


def _source(annotation: Any) -> From | None:
    return next((m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, From)), None)


def _take(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): values.pop(name) for name in list(values) if name.startswith(prefix)}


def _parameter(name: str, kind: Any, info: Any) -> inspect.Parameter:
    annotation = Annotated[kind | None, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
