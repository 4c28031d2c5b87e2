"""`smtpctl report`: one file for a ticket."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from smtpctl.cli.command import verb
from smtpctl.cli.options import OUTPUT, Option, Overrides, Target, Yes
from smtpctl.cli.terminal import Terminal

_ADVICE = "It holds no passwords. Read it before you give it away."
_ENDINGS = {"text": "md", "json": "json"}


@verb()
def command(
    terminal: Terminal,
    overrides: Overrides,
    target: Target = None,
    to: Annotated[
        list[str] | None,
        Option("--to", "Also ask whether a mail to it would be taken; nothing is sent.", "ADDRESS", "Message", False),
    ] = None,
    output: Annotated[
        str | None,
        Option("--output", "The file; - for stdout (default: smtpctl-report-TIME.md).", "FILE", OUTPUT, False),
    ] = None,
    anonymise: Annotated[
        bool,
        Option("--anonymise --anonymize", "Put made-up names in place of people, hosts and files.", heading=OUTPUT),
    ] = False,
    transcript: Annotated[
        Path | None,
        Option("--transcript", "Report a session that was saved before, instead of a new check.", "FILE", OUTPUT),
    ] = None,
    yes: Yes = False,
) -> None:
    """Write all about one failure into one file for a ticket.

    $ smtpctl report office
    $ smtpctl report office --anonymise --output ticket-4711.md
    $ smtpctl report office --to bob@example.net
    $ smtpctl report office --transcript session.jsonl
    $ smtpctl report mail.example.com:587 --output - --json

    The server is checked once more; no mail is sent. The file holds versions, the effective settings and where each
    comes from, what was found, and the whole dialogue, as text for people and as JSON for programs. No secret is in
    it. Its head says what it holds: read it before you give it away. Without TARGET a saved session is reported with the
    server that it was made with, and no other settings.
    """
    from smtpctl.cli import live
    from smtpctl.ops import report as ops
    from smtpctl.ops.files import new_file, replaces
    from smtpctl.render import ticket as render

    if transcript and not target and not overrides:
        profile = ops.server_of(transcript)  # it may be somebody else's: settings of this machine would mislead
    else:
        (profile,) = live.profiles(terminal, [target] if target else (), overrides, False)
    path = Path(output or f"smtpctl-report-{time.strftime('%Y%m%d-%H%M%S')}.{_ENDINGS[terminal.format]}")
    drawn = render.document if terminal.format == "json" else render.markdown

    def made() -> str:
        around = live.surroundings(terminal)
        found = ops.recalled(profile, transcript) if transcript else ops.fresh(profile, around, to or ())
        whole = ops.ticket(profile, found, _versions(), terminal.environ)
        return drawn(ops.anonymised(whole, profile, terminal.environ) if anonymise else whole)

    if output == "-":
        terminal.out(made())
        return
    if replaces(path, "--output"):
        terminal.confirm(f"{path} is there already. Write over it?", yes=yes)
    with new_file(path) as file:
        file.write(made().encode())
    if terminal.format == "json":
        terminal.document("change/1", {"done": f"Wrote {path}.", "notes": [_ADVICE]})
        return
    terminal.out(str(path))
    terminal.say(_ADVICE)


def _versions() -> dict[str, str]:
    """Of the program, the system and libraries; where they are installed is nobody's business."""
    from smtpctl import __version__
    from smtpctl.cli import versions

    return {"smtpctl": __version__, **{name: version.partition("  ")[0] for name, version in versions.rows()}}
