"""`smtpctl site`: sites, each with settings of its own."""

from __future__ import annotations

from typing import Annotated

from smtpctl.cli import stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, Yes
from smtpctl.cli.terminal import Terminal

app = Noun("Sites, each with settings of its own.")

SiteName = Annotated[str, Argument(metavar="SITE", help="Name of a site.")]


@app.command("list")
def list_(terminal: Terminal) -> None:
    """List the sites, what is set for them, and the profiles that only they use.

    $ smtpctl site list
    """
    from smtpctl.ops import scopes
    from smtpctl.render.tables import Column, table

    rows = scopes.sites(stored.document(terminal))
    if terminal.format == "json":
        terminal.document("site.list/1", {"sites": rows})
        return
    cells = [[row["name"], stored.shown(row["settings"]), stored.shown(row["profiles"])] for row in rows]
    heads: list[Column | str] = [Column("site", shrink=False), "settings", "profiles"]
    if cells:
        terminal.out(table(cells, heads, stored.columns(terminal), canvas=terminal.canvas))
    else:
        terminal.say("There are no sites: everything is (global).")


@app.command("add")
def add(terminal: Terminal, name: SiteName) -> None:
    """Add a site; it inherits everything until something is set for it.

    $ smtpctl site add shop
    $ smtpctl config set emails_enabled=false --site shop
    """
    from smtpctl.ops import scopes

    stored.done(terminal, scopes.add_site(stored.path(terminal), name))


@app.command("remove")
def remove(terminal: Terminal, name: SiteName, yes: Yes = False) -> None:
    """Remove a site and its settings.

    $ smtpctl site remove shop --yes
    """
    from smtpctl.ops import scopes

    scopes.removable(stored.document(terminal), name)
    terminal.confirm(f"Remove the site {name} and its settings?", yes=yes)
    stored.done(terminal, scopes.remove_site(stored.path(terminal), name))
