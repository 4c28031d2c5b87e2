"""`smtpctl config`: the settings of a scope, and the file they are in."""

from __future__ import annotations

from typing import Annotated

from smtpctl.cli import stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, Option
from smtpctl.cli.profile_io import FormatName
from smtpctl.cli.terminal import Terminal

app = Noun("The settings of a scope, and the file they are in.")

Everywhere = Annotated[bool, Option("--global", help="The scope (global), whatever $SMTPCTL_SITE says.")]
Names = Annotated[list[str], Argument(metavar="KEY", help="Names of settings.")]
Words = Annotated[list[str], Argument(metavar="KEY=VALUE", help="Settings, for example batch_size=100.")]
Output = Annotated[
    str | None,
    Option("--output", metavar="NAME", help="The schema of what a command prints under --json, for example check."),
]
Dialect = Annotated[FormatName | None, Option("--dialect", help="The settings of another program instead.")]


@app.command("list")
def list_(terminal: Terminal, everywhere: Everywhere = False) -> None:
    """List the settings of a scope and where each one comes from.

    $ smtpctl config list
    $ smtpctl config list --site shop --json
    """
    from smtpctl.ops import scopes, show
    from smtpctl.render.tables import Column, table

    site = stored.site(terminal, everywhere)
    found = scopes.listing(stored.document(terminal), site, terminal.environ)
    if terminal.format == "json":
        settings = {
            s.name: {"value": s.value, "origin": show.origin(s.origin), "source": source(s.origin)} for s in found
        }
        terminal.document("config.list/1", {"scope": site or "(global)", "settings": settings})
        return
    rows = [[s.name, stored.shown(s.value), stored.origin(terminal, s.origin)] for s in found]
    heads: list[Column | str] = [Column("setting", shrink=False), "value", "from"]
    terminal.out(table(rows, heads, stored.columns(terminal), canvas=terminal.canvas))


@app.command("get")
def get(terminal: Terminal, names: Names, everywhere: Everywhere = False) -> None:
    """Print settings of a scope.

    $ smtpctl config get batch_size
    $ smtpctl config get SMTPServer --site shop

    One setting prints its value alone, several print NAME = VALUE lines.
    """
    from smtpctl.ops import scopes, show

    site = stored.site(terminal, everywhere)
    found = scopes.get(stored.document(terminal), site, terminal.environ, names)
    if terminal.format == "json":
        settings = {
            s.name: {"value": s.value, "origin": show.origin(s.origin), "source": source(s.origin)} for s in found
        }
        terminal.document("config.get/1", {"scope": site or "(global)", "settings": settings})
    elif len(found) == 1:
        terminal.out(stored.text(found[0].value))
    else:
        terminal.out("\n".join(f"{s.name} = {stored.text(s.value)}" for s in found))


@app.command("set")
def set_(terminal: Terminal, words: Words, everywhere: Everywhere = False) -> None:
    """Change settings of a scope.

    $ smtpctl config set batch_size=100 interval=30
    $ smtpctl config set emails_enabled=false --site shop
    $ smtpctl config set SMTPServer=127.0.0.1:2525 --global

    Kentico's and Contensis' names are understood too. Those of the server itself change the default profile.
    """
    from smtpctl.ops import scopes

    change = scopes.assign(stored.path(terminal), stored.site(terminal, everywhere), words)
    stored.done(terminal, change._replace(notes=()) if terminal.format == "text" else change)
    if terminal.format == "text":
        for note in change.notes:
            terminal.warn(note)


@app.command("unset")
def unset(terminal: Terminal, names: Names, everywhere: Everywhere = False) -> None:
    """Take settings of a scope away: a site inherits again, (global) has the default.

    $ smtpctl config unset emails_enabled --site shop
    """
    from smtpctl.ops import scopes

    stored.done(terminal, scopes.unset(stored.path(terminal), stored.site(terminal, everywhere), names))


@app.command("schema")
def schema(terminal: Terminal, output: Output = None, dialect: Dialect = None) -> None:
    """Print the JSON Schema of the configuration file, or of what a command prints.

    $ smtpctl config schema
    $ smtpctl config schema --output check
    $ smtpctl config schema --dialect contensis

    With --dialect it is the settings of another program, with their defaults.
    """
    from smtpctl.ops import schemas

    if dialect:
        terminal.out(schemas.of_dialect(dialect))
    else:
        terminal.out(schemas.of_output(output) if output else schemas.of_file())


@app.command("path")
def path(terminal: Terminal) -> None:
    """Print which configuration file is used.

    $ smtpctl config path
    """
    where = stored.path(terminal)
    if terminal.format == "json":
        terminal.document("config.path/1", {"path": str(where), "exists": where.exists()})
    else:
        terminal.out(str(where))


def source(origin: object) -> str:
    """An origin in one word: `site`, `global`, `environment`, `profile`, `default` ..."""
    scope, kind = getattr(origin, "scope", ""), getattr(origin, "kind", "")
    return str(scope or kind)
