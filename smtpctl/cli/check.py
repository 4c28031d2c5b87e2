"""`smtpctl check`: every stage of a session, judged; no mail is sent."""

from __future__ import annotations

from typing import Annotated

from smtpctl.cli.command import verb
from smtpctl.cli.options import FINDINGS, All, FailOn, Option, Overrides, Targets, TranscriptFile
from smtpctl.cli.terminal import Terminal
from smtpctl.model.report import ExitStatus


@verb(formats=FINDINGS)
def command(
    terminal: Terminal,
    overrides: Overrides,
    targets: Targets = None,
    to: Annotated[
        list[str] | None,
        Option(
            "--to",
            metavar="ADDRESS",
            help="Also ask whether a mail to it would be taken; nothing is sent.",
            heading="Message",
            default_shown=False,
        ),
    ] = None,
    all_: All = False,
    fail_on: FailOn = "error",
    transcript: TranscriptFile = None,
) -> ExitStatus:
    """Check servers stage by stage; sends no mail.

    $ smtpctl check
    $ smtpctl check mail.example.com:587 --username ann@example.com
    $ smtpctl check office --to you@example.com
    $ smtpctl check --all --json

    Name lookup, connection, greeting, EHLO, TLS, certificate and login, each with its time, then what is wrong and
    what to do about it. Several targets are checked at once.
    """
    from smtpctl.cli import live
    from smtpctl.ops.check import check

    chosen = live.profiles(terminal, targets or (), overrides, all_)
    return live.run(
        terminal,
        chosen,
        lambda profile, around: check(profile, around, to or ()),
        schema="check/1",
        fail_on=fail_on,
        transcript=transcript,
    )
