"""`smtpctl check`: every stage of a session, judged; no mail is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from smtpctl.cli.command import verb
from smtpctl.cli.options import SESSIONS, All, FailOn, Option, Overrides, Targets, TranscriptFile
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem

if TYPE_CHECKING:
    from smtpctl.cli import live

DEEP = "TLS scan"


@verb(formats=SESSIONS)
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
    deep: Annotated[
        bool,
        Option("--deep", "Also find out which TLS versions and ciphers the server takes.", heading=DEEP),
    ] = False,
    max_connections: Annotated[
        int,
        Option("--max-connections", "With --deep: connections at the same time.", "N", DEEP),
    ] = 5,
    all_: All = False,
    fail_on: FailOn = "error",
    transcript: TranscriptFile = None,
) -> int:
    """Check servers stage by stage; sends no mail.

    $ smtpctl check
    $ smtpctl check mail.example.com:587 --username ann@example.com
    $ smtpctl check office --to you@example.com
    $ smtpctl check office --deep
    $ smtpctl check --all --json

    Name lookup, connection, greeting, EHLO, TLS, certificate and login, each with its time, then what is wrong and
    what to do about it. Several targets are checked at once. --deep asks the server over many short connections, and
    leaves each before a login.
    """
    from smtpctl.cli import live

    if max_connections < 1:
        raise UsageProblem("--max-connections: at least 1")
    chosen = live.profiles(terminal, targets or (), overrides, all_)
    return live.run(
        terminal,
        chosen,
        _work(to or (), max_connections if deep else 0),
        schema="check/1",
        fail_on=fail_on,
        transcript=transcript,
    )


def _work(recipients: Sequence[str], connections: int) -> live.Work:
    """What to do with each target; with `connections` for a scan of its TLS, that too."""
    if connections:
        from smtpctl.ops.deep import check_deep

        return lambda profile, around: check_deep(profile, around, recipients, connections)
    from smtpctl.ops.check import check

    return lambda profile, around: check(profile, around, recipients)
