"""`smtpctl secret`: passwords, tokens and client secrets, and the store each one lives in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from smtpctl.cli import stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, Option, Yes
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem
from smtpctl.model.secret import Secret

if TYPE_CHECKING:
    from smtpctl.config.secrets.os_keyring import Candidate
    from smtpctl.ops.secrets import Held
    from smtpctl.render.canvas import Canvas

_SIGNS = {"there": "passed", "missing": "failed"}  # the state of a secret: the mark it gets; any other is skipped

app = Noun("Passwords and where each one is kept.")

SecretName = Annotated[
    str,
    Argument(metavar="NAME", help="A profile (its password), or a full name as `secret status` lists it."),
]
_STORES = "keyring or file:PATH."
Store = Annotated[str, Option("--store", metavar="STORE", help=f"Where to keep it: {_STORES}")]
To = Annotated[str, Option("--to", metavar="STORE", help=f"Where to move it: {_STORES}")]
Stdin = Annotated[bool, Option("--stdin", help="Read it from the first line of standard input.")]
FromFile = Annotated[str, Option("--file", metavar="FILE", help="Read it from the first line of a file.")]


@app.command("status")
def status(terminal: Terminal) -> None:
    """Show where secrets are kept, which keyring answers, and why another does not.

    $ smtpctl secret status
    $ smtpctl secret status --json

    No secret is shown, and no program that prints one is run.
    """
    from smtpctl.config.secrets import os_keyring
    from smtpctl.ops import secrets

    keyrings = os_keyring.candidates(terminal.environ)
    held = secrets.status(stored.document(terminal), terminal.environ)
    if terminal.format == "json":
        data = {"keyrings": [one._asdict() for one in keyrings], "secrets": [one._asdict() for one in held]}
        terminal.document("secret.status/1", data)
        return
    terminal.out(_tables(terminal, keyrings, held))


@app.command("set")
def set_(
    terminal: Terminal, name: SecretName, store: Store = "keyring", stdin: Stdin = False, file: FromFile = ""
) -> None:
    """Store a secret, and make the configuration refer to it.

    $ smtpctl secret set office
    $ pass show smtp | smtpctl secret set office --stdin
    $ smtpctl secret set oauth/m365/client_secret --file client-secret.txt
    $ smtpctl secret set office --store file:/run/secrets/office

    A secret is the first line of what is typed or read.
    """
    from smtpctl.ops import secrets

    wanted = secrets.parse_name(name)
    where = secrets.parse_store(store, wanted)
    document = stored.document(terminal)
    secrets.owner_of(document, wanted)  # a typing error is told before anyone is asked for a secret
    secret = _secret(terminal, wanted.entry, stdin, file)
    stored.done(terminal, secrets.put(document, wanted, where, secret, terminal.environ))


@app.command("remove")
def remove(terminal: Terminal, name: SecretName, yes: Yes = False) -> None:
    """Remove a secret, and what refers to it.

    $ smtpctl secret remove office
    """
    from smtpctl.ops import secrets

    wanted = secrets.parse_name(name)
    terminal.confirm(f"Remove {wanted.entry}?", yes=yes)
    stored.done(terminal, secrets.remove(stored.document(terminal), wanted, terminal.environ))


@app.command("move")
def move(terminal: Terminal, name: SecretName, to: To) -> None:
    """Move a secret to another store.

    $ smtpctl secret move office --to keyring
    $ smtpctl secret move office --to file:/run/secrets/office

    A password that stands in the configuration file in plain text goes away from there.
    """
    from smtpctl.ops import secrets

    wanted = secrets.parse_name(name)
    where = secrets.parse_store(to, wanted)
    stored.done(terminal, secrets.move(stored.document(terminal), wanted, where, terminal.environ))


def _secret(terminal: Terminal, name: str, stdin: bool, file: str) -> Secret:
    from smtpctl.config import secrets

    if stdin and file:
        raise UsageProblem("--stdin and --file: only one can say where the secret is")
    if file:
        return secrets.fetch(secrets.SecretRef(secrets.Kind.FILE, file), terminal.environ)
    if stdin:
        source = getattr(terminal.stdin, "buffer", None)
        return secrets.fetch(secrets.SecretRef(secrets.Kind.STDIN), terminal.environ, stdin=source)
    secret = terminal.ask_secret(name, option="--stdin")
    if not secret:
        raise UsageProblem("The secret is empty", "Nothing was changed.")
    return secret


def _tables(terminal: Terminal, keyrings: tuple[Candidate, ...], held: list[Held]) -> str:
    from smtpctl.render.tables import Column, table

    canvas, width = terminal.canvas, stored.columns(terminal)
    blocks = [canvas.joined(["   " + canvas.paint("dim", "keyring"), *_keyrings(canvas, keyrings, width)])]
    if held:
        cells = [[one.name, one.place, one.state, one.detail] for one in held]
        heads: list[Column | str] = [Column("secret", shrink=False), "kept in", Column("", shrink=False), ""]
        head, *rows = table(cells, heads, width and width - 3, canvas=canvas).splitlines()
        signs = [canvas.status(_SIGNS.get(one.state, "skipped")) for one in held]
        marked = [f"{sign}  {row}" for sign, row in zip(signs, rows, strict=True)]
        blocks.append(canvas.joined([f"   {head}", *marked]))
    return "\n".join(blocks)


def _keyrings(canvas: Canvas, keyrings: tuple[Candidate, ...], width: int | None) -> Iterator[str]:
    """A keyring and why it is not used; the reason is what one looks for, so it is wrapped and never cut."""
    from smtpctl.render.canvas import columns, fold

    names = [canvas.text(one.name) for one in keyrings]
    room = max(map(columns, names), default=0)
    for name, one in zip(names, keyrings, strict=True):
        reason = canvas.text("used" if one.chosen else one.reason or "not needed")
        lines = fold(reason, max(20, width - room - 5)) if width else [reason]
        yield f"{canvas.status('passed' if one.chosen else 'skipped')}  {canvas.pad(name, room)}  {lines[0]}"
        yield from (" " * (room + 5) + line for line in lines[1:])
