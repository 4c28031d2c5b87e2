"""`smtpctl profile`: SMTP servers and how to use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from smtpctl.cli import profile_io, stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, Option, Overrides, ProfileName, Settings, Target, Yes
from smtpctl.cli.terminal import Terminal

if TYPE_CHECKING:
    from smtpctl.config.profile import Profile

app = Noun("SMTP servers: add, show, change, import, export.")

Names = Annotated[list[str], Argument(metavar="PROFILE", help="Names of profiles.")]
NewName = Annotated[str, Argument(metavar="NAME", help="Name of the new profile.")]
Words = Annotated[list[str] | None, Argument(metavar="KEY=VALUE", help="Settings, for example port=587 tls=starttls.")]
Keys = Annotated[list[str], Argument(metavar="KEY", help="Names of settings.")]
Resolved = Annotated[bool, Option("--resolved", help="Every effective value, and where it comes from.")]

# What `show` tells also where it is the default.
_ALWAYS = ("host", "port", "tls", "auth", "priority", "enabled", "sites", "delivery")


@app.command("list")
def list_(terminal: Terminal) -> None:
    """List the profiles.

    $ smtpctl profile list
    $ smtpctl profile list --json

    The default profile of the scope is marked with a star.
    """
    from smtpctl.ops import show

    rows = show.profiles(stored.document(terminal), stored.site(terminal), terminal.environ)
    if terminal.format == "json":
        terminal.document("profile.list/1", {"profiles": rows})
    elif rows:
        terminal.out(_list(terminal, rows))
    else:
        terminal.say("There are no profiles. Add one: smtpctl profile add NAME --host HOST")


@app.command("show")
def show(terminal: Terminal, overrides: Overrides, target: Target = None, resolved: Resolved = False) -> None:
    """Show what a profile or a server is used with.

    $ smtpctl profile show office
    $ smtpctl profile show office --resolved
    $ smtpctl profile show smtps://mail.example.com --username ann --resolved --json

    With --resolved every effective value and where it comes from: an option, the environment, a line of the file, a
    preset or the default. Secrets show as eight stars where they are set.
    """
    from smtpctl.config.resolve import resolve
    from smtpctl.ops import show as view

    document, site = stored.document(terminal), stored.site(terminal)
    found = resolve(target, overrides, terminal.environ, document=document, site=site, need_host=False)
    data = view.profile(found, origins=resolved)
    if terminal.format == "json":
        terminal.document("profile/1", data)
        return
    terminal.out(_headline(terminal, found))
    terminal.out(_settings(terminal, found, everything=resolved))
    missing = data["authentication"]["missing"]
    if missing:
        terminal.warn(f"the {missing} is not set: mail is tried without a login")


@app.command("add")
def add(terminal: Terminal, settings: Settings, name: NewName) -> None:
    """Add a profile.

    $ smtpctl profile add relay --host mail.example.com --tls starttls --username ann
    $ smtpctl profile add office --preset microsoft365 --username noreply@example.com
    $ pass show mail | smtpctl profile add relay --host mail.example.com --username ann --password-stdin

    A password never stands on the command line: it is fetched from a file, a variable, a program or the keyring
    when it is needed. With --password-stdin it goes into the keyring.
    """
    from smtpctl.ops import profiles

    change = profiles.add(stored.path(terminal), name, settings)
    if settings.get("password_stdin"):
        _keep_password(terminal, name)
    stored.done(terminal, change)


def _keep_password(terminal: Terminal, name: str) -> None:
    """The password from standard input, into the keyring."""
    from smtpctl.config import secrets
    from smtpctl.ops import profile_secrets

    terminal.say("The profile is stored; now its password goes into the keyring.")
    secret = secrets.fetch(secrets.SecretRef(secrets.Kind.STDIN), terminal.environ)
    profile_secrets.keep_password(stored.path(terminal), name, secret, terminal.environ)


@app.command("set")
def set_(terminal: Terminal, settings: Settings, name: ProfileName, words: Words = None) -> None:
    """Change settings of a profile.

    $ smtpctl profile set office port=587 tls=starttls
    $ smtpctl profile set backup --priority low
    $ smtpctl profile set office sites=shop,blog password_command='pass show mail'
    $ smtpctl profile set office sites=
    """
    from smtpctl.config.resolve import profile_name
    from smtpctl.ops import profiles

    profile_name(name, stored.document(terminal))
    change = None
    typed = settings.pop("password_stdin", False)
    if words or settings or not typed:
        change = profiles.assign(stored.path(terminal), name, words or (), settings)
    if typed:
        _keep_password(terminal, name)
    if change:
        stored.done(terminal, change)


@app.command("unset")
def unset(terminal: Terminal, name: ProfileName, keys: Keys) -> None:
    """Take settings out of a profile, so that what it extends, its preset or the default counts.

    $ smtpctl profile unset office port tls
    """
    from smtpctl.ops import profiles

    stored.done(terminal, profiles.unset(stored.path(terminal), name, keys))


@app.command("remove")
def remove(terminal: Terminal, names: Names, yes: Yes = False) -> None:
    """Remove profiles, and their secrets from the keyring.

    $ smtpctl profile remove backup
    $ smtpctl profile remove backup old --yes
    """
    from smtpctl.config.resolve import profile_name
    from smtpctl.ops import profile_secrets

    document = stored.document(terminal)
    for name in names:
        profile_name(name, document)
    terminal.confirm(f"Remove {', '.join(names)}?", yes=yes)
    stored.done(terminal, profile_secrets.remove(stored.path(terminal), names, terminal.environ))


@app.command("rename")
def rename(terminal: Terminal, name: ProfileName, new: NewName) -> None:
    """Give a profile another name.

    $ smtpctl profile rename office m365

    Profiles that extend it, defaults and its secrets in the keyring follow.
    """
    from smtpctl.ops import profile_secrets

    stored.done(terminal, profile_secrets.rename(stored.path(terminal), name, new, terminal.environ))


@app.command("copy")
def copy(terminal: Terminal, name: ProfileName, new: NewName) -> None:
    """Store the settings of a profile again under another name.

    $ smtpctl profile copy office office-test
    """
    from smtpctl.ops import profiles

    stored.done(terminal, profiles.copy(stored.path(terminal), name, new))


@app.command("enable")
def enable(terminal: Terminal, names: Names) -> None:
    """Let mails take profiles again.

    $ smtpctl profile enable backup
    """
    from smtpctl.ops import profiles

    stored.done(terminal, profiles.enable(stored.path(terminal), names, True))


@app.command("disable")
def disable(terminal: Terminal, names: Names) -> None:
    """Let no mail take profiles; the servers themselves are not touched.

    $ smtpctl profile disable backup
    """
    from smtpctl.ops import profiles

    stored.done(terminal, profiles.enable(stored.path(terminal), names, False))


@app.command("default")
def default(terminal: Terminal, name: ProfileName) -> None:
    """Choose the profile that mails take first.

    $ smtpctl profile default office
    $ smtpctl profile default shop-relay --site shop
    """
    from smtpctl.ops import profiles

    stored.done(terminal, profiles.choose_default(stored.path(terminal), name, stored.site(terminal)))


profile_io.add_to(app)


def _list(terminal: Terminal, rows: list[dict[str, Any]]) -> str:
    from smtpctl.render.tables import Column, table

    heads: list[Column | str] = [
        Column("", shrink=False),
        Column("name", shrink=False),
        "server",
        "tls",
        "login",
        "priority",
        "sites",
        "state",
    ]
    cells = [
        [
            "*" if row["default"] else "",
            row["name"],
            _server(row),
            row["tls"] or "",
            _login(row),
            row["priority"] or "",
            ",".join(row["sites"] or []),
            row["error"] or ("" if row["enabled"] else "disabled"),
        ]
        for row in rows
    ]
    return table(cells, heads, stored.columns(terminal), canvas=terminal.canvas)


def _server(row: dict[str, Any]) -> str:
    if row["error"]:
        return ""
    if row["delivery"] != "network":
        return str(row["delivery"])
    host = f"[{row['host']}]" if ":" in (row["host"] or "") else row["host"]
    return f"unix:{row['socket']}" if row["socket"] else f"{host or '?'}:{row['port']}"


def _login(row: dict[str, Any]) -> str:
    if row["error"]:
        return ""
    half = row["missing"] and f"(no {row['missing']})"
    if row["auth"] == "anonymous" and not half:
        return "none"
    return " ".join(filter(None, ("basic" if half else row["auth"], row["username"], half)))


def _headline(terminal: Terminal, found: Profile) -> str:
    canvas = terminal.canvas
    if not found.endpoint.host and not found.endpoint.path:
        return f"{canvas.text(found.name)}  {canvas.text(found.pickup_dir or 'no server')}"
    return f"{canvas.text(found.label)}  {canvas.text(found.headline)}"


def _settings(terminal: Terminal, found: Any, *, everything: bool) -> str:
    """The settings by group, with their origins when all of them are shown."""
    from smtpctl.config.fields import CONNECTING, FIELDS, Group
    from smtpctl.ops.show import plain
    from smtpctl.render.tables import Column, table

    canvas, blocks = terminal.canvas, []
    for group in (*CONNECTING, Group.SENDING):
        fields = [field for field in FIELDS if field.group is group and field.stored]
        rows = [
            [
                field.name,
                stored.shown(plain(found.values[field.name])),
                stored.origin(terminal, found.origins[field.name]) if everything else "",
            ]
            for field in fields
            if everything or field.name in _ALWAYS or found.origins[field.name].kind != "default"
        ]
        if rows:
            heads: list[Column | str] = [Column("", shrink=False), "", ""]
            body = table(rows, heads, stored.columns(terminal), canvas=canvas, indent="  ").rstrip("\n")
            blocks.append(f"\n{canvas.paint('title', group.value)}\n{body}")
    return "\n".join(blocks)
