"""What there is to say about every command, setting, exit status and finding, read from the program itself.

`man_pages` and `markdown` write it down; nothing is decided there.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from smtpctl.cli import app, group, help_page, options, terminal
from smtpctl.cli.group import LazyGroup
from smtpctl.cli.parameters import sentence
from smtpctl.config.fields import FIELDS, OAUTH_FIELDS, SCOPE_FIELDS, Field, Type
from smtpctl.model.report import ExitStatus

Row = tuple[str, str]


class Page(NamedTuple):
    """One command: `path` is `smtpctl profile add`, `sections` its options under their headings."""

    path: str
    help: str
    sentence: str
    examples: tuple[str, ...]
    usage: str
    paragraphs: tuple[str, ...]
    sections: dict[str, list[Row]]
    children: tuple[Page, ...] = ()

    @property
    def name(self) -> str:
        """The command's own name."""
        return self.path.rpartition(" ")[2]


class Table(NamedTuple):
    """The settings one kind of table of the configuration file can hold; `header` is how it is written there."""

    name: str
    header: str
    meaning: str
    fields: tuple[Field, ...]


TABLES = (
    Table("Scopes", "[global] or [sites.NAME]", "What a site leaves out it takes from [global].", SCOPE_FIELDS),
    Table("Profiles", "[profiles.NAME]", "Each is an SMTP server.", FIELDS),
    Table("OAuth 2.0 credentials", "[oauth.NAME]", "Profiles share them.", OAUTH_FIELDS),
)

MONITORING = "With --format nagios a command ends as a monitoring plugin does: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."
SWAKS = "With --exit-style swaks check and test-send end with the exit codes of swaks(1), which tell the stage."

FILES = {
    "~/.config/smtpctl/config.toml": "The configuration, unless $SMTPCTL_CONFIG or --config names another file. "
    "On macOS: ~/Library/Application Support/smtpctl. On Windows: %LOCALAPPDATA%\\smtpctl.",
    "~/.local/state/smtpctl/": "State, and reports of defects in smtpctl itself.",
}

ENVIRONMENT_OF_THE_PROGRAM = {
    "NO_COLOR": "Any value: no colour, unless --color says otherwise.",
    "COLUMNS": "The width to write for; else that of the terminal.",
    "SMTPCTL_DEBUG": "Any value: a defect in smtpctl ends in a traceback.",
}

OPENSMTPD = (
    "OpenSMTPD, a mail server, comes with a control program of the same name, smtpctl(8). "
    "For machines that have both, this program is also installed as smtp-ctl."
)


def program() -> Page:
    """The page of the program itself, with a page for each command."""
    root = group.program()
    context = root.make_context(app.NAME, [], obj={}, resilient_parsing=True)
    return _page(root, context, "")


def environment() -> Iterator[Row]:
    """The environment variables of the options every command has, then the program's own."""
    for name, shared in terminal.SHARED.items():
        flag = options.SHARED_OPTIONS[name].says.flags.split()[0]
        yield shared.variable, f"The value of {flag} where it is not given."
    yield from ENVIRONMENT_OF_THE_PROGRAM.items()


def exit_status() -> Iterator[Row]:
    """Every exit code and what it means."""
    for status in ExitStatus:
        yield str(int(status)), status.meaning


def settings_environment() -> Iterator[Row]:
    """The environment variables that set a setting for one run."""
    for field in (*FIELDS, *SCOPE_FIELDS):
        if field.env:
            yield field.env, sentence(field)


def value_of(field: Field) -> str:
    """What a setting in the file may be, in words."""
    if field.choices:
        return " | ".join(f'"{choice}"' for choice in field.choices)
    return _VALUES.get(field.type, "text")


_VALUES = {
    Type.HOST: "host name or address",
    Type.SERVER_NAME: "host name or address",
    Type.HELO: "host name or [address]",
    Type.NAME: "name",
    Type.ADDRESS: "mail address",
    Type.IP: "IP address",
    Type.PROXY: "URL",
    Type.URL: "URL",
    Type.PATH: "path",
    Type.PORT: "1 to 65535",
    Type.FLAG: "true | false",
    Type.COUNT: "whole number from 1",
    Type.DAYS: "whole number from 0",
    Type.SECONDS: "number greater than 0",
    Type.RATIO: "number from 0 to 1",
    Type.STAGES: "table: stage = seconds",
    Type.LIST: "list of texts",
    Type.IGNORES: 'table: "id" = "reason", or "id" = { reason = "...", until = 2027-01-31 }',
    Type.PINS: "list of texts",
    Type.COMMAND: "list of texts: program and arguments",
}


def _page(command: Any, context: Any, help: str) -> Page:
    sentence, examples, paragraphs = help_page.split_help(command.help or "")
    children = _children(command, context) if isinstance(command, LazyGroup) else ()
    return Page(
        context.command_path,
        help or sentence,
        sentence,
        tuple(examples),
        help_page.usage(command),
        tuple(paragraphs),
        help_page.option_sections(command, context),
        children,
    )


def _children(parent: LazyGroup, context: Any) -> tuple[Page, ...]:
    pages = []
    for name, entry in parent.entries.items():
        command = parent.real_command(name)
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        pages.append(_page(command, inner, entry.help))
    return tuple(pages)


def wrapped(text: str, width: int = 78) -> Sequence[str]:
    """`text` in lines for a source file; words are never cut."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
