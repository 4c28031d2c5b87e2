"""Every option that more than one command has, declared once, and how a command declares its own.

A command is a plain function. Its own options and arguments are annotations, `Annotated[type, Option(...)]`; the first
parameter is the terminal. A parameter of one of these types is a dict {name of the setting: value} of what was given,
made from the tables in `config.fields`: a text (a list of texts where an option may be repeated, True or False for a
flag), not yet parsed.

    overrides: Overrides    everything that connects (--host --port --tls ...)
    settings: Settings      everything a profile can hold
    oauth: OAuthSettings    everything a set of OAuth 2.0 credentials can hold

Nothing here is bound to the library that parses: `cli/parameters.py` reads the declarations for everybody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from smtpctl.cli.terminal import COLORS
from smtpctl.config.fields import CONNECTING, FIELDS, OAUTH_FIELDS, Field, Group
from smtpctl.model.record import NamedTuple
from smtpctl.render import FORMATS, MONITORING

TEXT = ("text",)
TEXT_JSON = ("text", "json")
SESSIONS = FORMATS  # of what connects
FINDINGS = tuple(name for name in FORMATS if name not in MONITORING)
EVERYWHERE, OUTPUT = "Everywhere", "Output"


class Option(NamedTuple):
    """An option. `flags` are its spellings, `--name -n`, or `--name/--no-name` for a flag that can be denied.

    `metavar` is its value in help, `heading` what it stands under there. `default_shown` is whether help tells the
    default, `counted` whether it counts how often it is given.
    """

    flags: str
    help: str
    metavar: str | None = None
    heading: str | None = None
    default_shown: bool = True
    counted: bool = False
    hidden: bool = False


class Argument(NamedTuple):
    """What stands on a command line without an option: its name in help, and its help."""

    metavar: str
    help: str


class From(NamedTuple):
    """Which settings a dict is made of: a table of `config.fields`, and its groups."""

    table: tuple[Field, ...]
    groups: tuple[Group, ...]


Overrides = Annotated[dict[str, Any], From(FIELDS, CONNECTING)]
Settings = Annotated[dict[str, Any], From(FIELDS, (*CONNECTING, Group.SENDING))]
OAuthSettings = Annotated[dict[str, Any], From(OAUTH_FIELDS, (Group.OAUTH,))]

Target = Annotated[
    str | None,
    Argument(
        "TARGET",
        "Profile name, host[:port], or URL (smtp://, smtps://, submission://, lmtp://, unix:/path). "
        "Without it: the default profile.",
    ),
]
Targets = Annotated[
    list[str] | None,
    Argument("TARGET", "Profile names, host[:port], or URLs. Without one: the default profile."),
]
ProfileName = Annotated[str, Argument("PROFILE", "Name of a profile.")]
PresetName = Annotated[str, Argument("PRESET", "Name of a preset.")]
Yes = Annotated[bool, Option("--yes -y", "Do it without asking.")]
All = Annotated[bool, Option("--all", "Every enabled profile.")]
FailOn = Annotated[
    Literal["note", "warning", "error", "never"],
    Option("--fail-on", "Exit 1 from this severity on.", heading=OUTPUT),
]
TranscriptFile = Annotated[
    Path | None,
    Option("--transcript", "Write every line of the dialogue, redacted, as JSON Lines; - for stdout.", "FILE", OUTPUT),
]


Ignores = Annotated[
    list[str] | None,
    Option("--ignore", "Show this finding, but do not count it; also tls.cert.* and the like.", "ID", OUTPUT),
]


ExitStyle = Annotated[
    Literal["smtpctl", "swaks"],
    Option("--exit-style", "Whose exit codes to end with; those of swaks tell the stage.", heading=OUTPUT),
]


class SharedOption(NamedTuple):
    """One option of every command; its environment variable is in `terminal.SHARED`. `type` is that of its value."""

    says: Option
    type: type = str
    choices: tuple[str, ...] = ()


def _shared(flags: str, help: str, metavar: str | None = None, *, counted: bool = False) -> Option:
    return Option(flags, help, metavar, EVERYWHERE, False, counted)


# By the name of the value. The choices of the format are those of the command.
SHARED_OPTIONS = {
    "config": SharedOption(_shared("--config", "Configuration file.", "FILE")),
    "site": SharedOption(_shared("--site", "Scope of the settings (without it: global).", "SITE")),
    "format": SharedOption(_shared("--format", "How results are written.")),
    "json": SharedOption(_shared("--json", "Same as --format json; as a variable: SMTPCTL_FORMAT=json."), bool),
    "no_input": SharedOption(_shared("--no-input", "Never ask; stop instead."), bool),
    "color": SharedOption(_shared("--color", "When to use colour."), choices=COLORS),
    "quiet": SharedOption(_shared("--quiet -q", "No progress, no remarks; results, warnings and errors stay."), bool),
    "verbose": SharedOption(_shared("--verbose -v", "More detail; repeat for more.", counted=True), int),
}
