"""`smtpctl oauth`: named OAuth 2.0 credentials that profiles share."""

from __future__ import annotations

import time
from typing import Annotated

from smtpctl.cli import oauth_login, stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, OAuthSettings, Option, Yes
from smtpctl.cli.terminal import Terminal
from smtpctl.model.report import ExitStatus

app = Noun("OAuth 2.0 credentials: add, log in, print and read tokens.")

Name = Annotated[str, Argument("NAME", "Name of the credentials.")]
Words = Annotated[list[str] | None, Argument("KEY=VALUE", "Settings, for example client_id=ID.")]
User = Annotated[
    str,
    Option("--user", "Mailbox the token is for (default: that of the profile that uses it).", "ADDRESS", None, False),
]
TOKEN_FORMATS = ("text", "json", "xoauth2", "oauthbearer", "header")


@app.command("list")
def list_(terminal: Terminal) -> None:
    """List the credentials, and who uses them.

    $ smtpctl oauth list
    """
    from smtpctl.ops import credentials
    from smtpctl.render.tables import Column, table

    rows = credentials.rows(stored.document(terminal))
    if terminal.format == "json":
        terminal.document("oauth.list/1", {"oauth": rows})
    elif rows:
        keys = ("name", "grant", "provider", "secret_expires", "used_by")
        heads: list[Column | str] = [Column("name", shrink=False), "grant", "provider", "ends", "used by"]
        cells = [[stored.text(row[key]) for key in keys] for row in rows]
        terminal.out(table(cells, heads, stored.columns(terminal), canvas=terminal.canvas))
    else:
        terminal.say(
            "There are no OAuth 2.0 credentials. Add some: smtpctl oauth add NAME --tenant-id ID --client-id ID"
        )


@app.command("show")
def show(terminal: Terminal, name: Name) -> None:
    """Show credentials, where each value comes from, and who uses them.

    $ smtpctl oauth show m365
    $ smtpctl oauth show m365 --json
    """
    from smtpctl.config.oauth import resolve_oauth
    from smtpctl.ops import credentials
    from smtpctl.render.tables import Column, table

    document = stored.document(terminal)
    found = resolve_oauth(credentials.known(document, name), document)
    data = credentials.shown(found, document)
    if terminal.format == "json":
        terminal.document("oauth/1", data)
        return
    cells = [[key, stored.shown(value), ""] for key, value in data.items() if value not in ("", None, [])]
    for cell in cells:
        if cell[0] in found.origins:
            cell[2] = stored.origin(terminal, found.origins[cell[0]])
    heads: list[Column | str] = [Column("", shrink=False), "", ""]
    terminal.out(table(cells, heads, stored.columns(terminal), canvas=terminal.canvas))


@app.command("add")
def add(
    terminal: Terminal,
    settings: OAuthSettings,
    name: Name,
    preset: Annotated[str, Option("--preset", "Take endpoints and scopes from a provider's preset.", "PRESET")] = "",
) -> None:
    """Add credentials.

    $ smtpctl oauth add m365 --tenant-id contoso.com --client-id 6f1c0000-1111-4222-8333-444455556666
    $ smtpctl oauth add gmail --preset gmail --client-id ID
    $ smtpctl oauth add vault --grant token_command

    A client secret never stands on the command line: smtpctl secret set oauth/NAME/client_secret asks for it.
    """
    from smtpctl.ops import credentials

    stored.done(terminal, credentials.add(stored.path(terminal), name, settings, preset))


@app.command("set")
def set_(terminal: Terminal, settings: OAuthSettings, name: Name, words: Words = None) -> None:
    """Change settings of credentials.

    $ smtpctl oauth set m365 cache=keyring secret_expires=2027-05-31
    """
    from smtpctl.ops import credentials

    stored.done(terminal, credentials.assign(stored.path(terminal), name, words or (), settings))


@app.command("remove")
def remove(terminal: Terminal, name: Name, yes: Yes = False) -> None:
    """Remove credentials, and their secrets from the keyring; refused while a profile uses them.

    $ smtpctl oauth remove m365 --yes
    """
    from smtpctl.ops import credentials

    credentials.known(stored.document(terminal), name)
    terminal.confirm(f"Remove the OAuth 2.0 credentials {name} and their secrets?", yes=yes)
    stored.done(terminal, credentials.remove(stored.path(terminal), name, terminal.environ))


@app.command("token", formats=TOKEN_FORMATS)
def token(
    terminal: Terminal,
    name: Name,
    user: User = "",
    renew: Annotated[bool, Option("--renew", "A new one, whatever is kept.")] = False,
) -> None:
    """Print an access token that is good for some minutes more.

    $ smtpctl oauth token m365
    $ smtpctl oauth token m365 --format xoauth2 --user noreply@example.com
    $ smtpctl oauth token m365 --format header

    For programs that ask another one: msmtp's passwordeval, mutt's imap_oauth_refresh_command, git send-email,
    himalaya. The formats xoauth2 and oauthbearer are whole SASL responses in base64.
    """
    from smtpctl.cli.live import surroundings
    from smtpctl.ops import token_output

    document = stored.document(terminal)
    found = token_output.obtain(document, name, user, surroundings(terminal), renew=renew)
    if terminal.format == "json":
        terminal.document("oauth.token/1", found.to_json())
    else:
        terminal.out(found.written(terminal.format))


@app.command("inspect")
def inspect(
    terminal: Terminal,
    what: Annotated[str, Argument("NAME", "Name of credentials, a token, or - for one on stdin.")] = "-",
    user: User = "",
) -> ExitStatus:
    """Say what is in a token, and what SMTP does not like about it.

    $ smtpctl oauth inspect m365
    $ pass show mail-token | smtpctl oauth inspect -

    Reads it here and sends it nowhere. Also reads a SASL response and the challenge of a server that refused one.
    """
    from smtpctl.cli.live import surroundings
    from smtpctl.ops import token_output
    from smtpctl.render.inspection_text import inspection

    document = stored.document(terminal)
    if what == "-" and not terminal.no_input:
        terminal.say("Paste the token, then press Enter and Ctrl-D.")
    elif what != "-" and what not in document.oauth and token_output.looks_like_a_token(what):
        terminal.warn("the token stands on the command line, where others on this machine can read it: pipe it in")
    found = token_output.inspected(
        document, what, user, surroundings(terminal), lambda: terminal.stdin.read(1 << 18), time.time()
    )
    if terminal.format == "json":
        terminal.document("oauth.inspect/1", found.to_json())
    else:
        lines = [(line.name, line.value, line.verdict, line.says) for line in found.lines]
        terminal.out(inspection(terminal.canvas, lines, found.summary))
    return ExitStatus.FINDINGS if found.wrong else ExitStatus.OK


oauth_login.add_to(app)
