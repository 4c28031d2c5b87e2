"""`smtpctl preset`: the settings of well-known providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smtpctl.cli import stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import TEXT_JSON, Argument, Option, PresetName
from smtpctl.cli.terminal import Terminal
from smtpctl.ops.presets import FORMATS

if TYPE_CHECKING:
    from smtpctl.config.presets import Preset

app = Noun("Settings of well-known providers.")

Words = Annotated[list[str] | None, Argument(metavar="WORD", help="Only presets with these words in them.")]
Address = Annotated[str, Argument(metavar="EMAIL", help="A mail address or a domain.")]
Host = Annotated[str, Option("--host", metavar="HOST", help="Name of a server.")]
Mx = Annotated[
    list[str] | None, Option("--mx", metavar="HOST", help="An MX host of the domain; may be given repeatedly.")
]


@app.command("list")
def list_(terminal: Terminal, words: Words = None) -> None:
    """List the presets.

    $ smtpctl preset list
    $ smtpctl preset list google
    $ smtpctl preset list --json
    """
    from smtpctl.ops import presets
    from smtpctl.render.tables import Column, table

    found = presets.listing(words or ())
    if terminal.format == "json":
        terminal.document("preset.list/1", {"presets": [preset.to_json() for preset in found]})
        return
    if not found:
        terminal.say("No preset has these words. See: smtpctl preset list")
        return
    rows = [[one.id, one.name, *_server(one)] for one in found]
    preset, server, tls = (Column(title, shrink=False) for title in ("preset", "server", "tls"))
    heads = [preset, Column("provider", minimum=16, spare=True), server, tls]
    terminal.out(table(rows, heads, stored.columns(terminal), canvas=terminal.canvas))


@app.command("show", formats=(*TEXT_JSON, *FORMATS))
def show(terminal: Terminal, name: PresetName) -> None:
    """Show what is known about a provider.

    $ smtpctl preset show gmail
    $ smtpctl preset show m365-oauth2 --format contensis

    With --format contensis or kentico it is written as that program's settings.
    """
    from smtpctl.ops import presets

    preset = presets.get(name)
    if terminal.format == "json":
        terminal.document("preset/1", preset.to_json())
    elif terminal.format == "text":
        terminal.out(_page(terminal, preset))
    else:
        terminal.out(presets.written(preset, terminal.format))


@app.command("suggest")
def suggest(terminal: Terminal, address: Address = "", host: Host = "", mx: Mx = None) -> None:
    """Find the preset for a mail address, a domain or a server.

    $ smtpctl preset suggest ann@gmail.com
    $ smtpctl preset suggest example.com --mx example-com.mail.protection.outlook.com
    $ smtpctl preset suggest --host email-smtp.eu-west-1.amazonaws.com

    Nothing is looked up in the network; the MX hosts of a domain of one's own are given with --mx.
    """
    from smtpctl.ops import presets
    from smtpctl.render.tables import Column, table

    found = presets.suggest(address, host, mx or ())
    if terminal.format == "json":
        data = [{**one.preset.to_json(), "reason": one.reason} for one in found]
        terminal.document("preset.suggest/1", {"presets": data})
        return
    rows = [[one.preset.id, *_server(one.preset), one.reason] for one in found]
    heads: list[Column | str] = [*(Column(title, shrink=False) for title in ("preset", "server", "tls")), ""]
    terminal.out(table(rows, heads, stored.columns(terminal), canvas=terminal.canvas))
    terminal.say(f"Next: smtpctl profile add NAME --preset {found[0].preset.id}")


def _server(preset: Preset) -> list[str]:
    first = preset.endpoints[0]
    return [f"{first.host}:{first.port}", first.tls.value]


def _page(terminal: Terminal, preset: Preset) -> str:
    from smtpctl.render.tables import Column, table

    canvas, width = terminal.canvas, stored.columns(terminal)
    rows = [
        ["server", f"{e.host}:{e.port}  {e.tls.value}{f'  ({e.note})' if e.note else ''}"] for e in preset.endpoints
    ]
    rows += [["user name", preset.username.removeprefix("fixed:")], ["password", preset.credential]]
    rows += [["mechanisms", " ".join(preset.mechanisms)], ["domains", " ".join(preset.domains)]]
    if preset.oauth:
        oauth = preset.oauth
        rows += [["OAuth 2.0", " ".join(oauth.flows)], ["token", oauth.token], ["authorize", oauth.authorize]]
        rows += [
            ["device", oauth.device],
            ["scopes", " ".join(oauth.scopes)],
            ["app scopes", " ".join(oauth.app_scopes)],
            ["says", f"{oauth.source}, {oauth.as_of}" + ("" if oauth.verified else "; not the provider itself")],
        ]
    body = table([row for row in rows if row[1]], [Column("", shrink=False), ""], width, canvas=canvas, indent="  ")
    notes = [*preset.notes, *([] if preset.verified else ["Not confirmed by a source: check before relying on it."])]
    lines = [line for note in notes for line in canvas.prose(note, "    ", first="  - ")]
    blocks = [canvas.joined([f"{canvas.paint('title', preset.id)}  {canvas.text(preset.name)}"]), body]
    if lines:
        blocks.append("\n" + canvas.joined(lines))
    return "".join(blocks)
