"""`smtpctl check`: every stage of a session, judged; no mail is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from smtpctl.cli.command import verb
from smtpctl.cli.options import SESSIONS, All, FailOn, Ignores, Option, Overrides, Targets, TranscriptFile
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem

if TYPE_CHECKING:
    from smtpctl.cli import live

DEEP = "TLS scan"
MODES = "What else to find out (one of these)"


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
    suggest: Annotated[
        bool,
        Option("--suggest", "Also try other ports and TLS modes, and name the best.", heading=MODES),
    ] = False,
    all_: All = False,
    fail_on: FailOn = "error",
    ignore: Ignores = None,
    transcript: TranscriptFile = None,
) -> int:
    """Check servers stage by stage; sends no mail.

    $ smtpctl check
    $ smtpctl check mail.example.com:587 --username ann@example.com
    $ smtpctl check office --to you@example.com
    $ smtpctl check office --deep
    $ smtpctl check office --suggest
    $ smtpctl check --all --json

    Name lookup, connection, greeting, EHLO, TLS, certificate and login, each with its time, then what is wrong and
    what to do about it. Several targets are checked at once. --deep asks the server over many short connections, and
    leaves each before a login. --suggest tries the usual ports and those that
    the provider is known to have, all at once, and logs in once at most: only where TLS is verified, only at the server
    that you named, and never again after a refusal.
    """
    from smtpctl.cli import live

    mode = _only({"--deep": deep, "--suggest": suggest})
    if max_connections < 1:
        raise UsageProblem("--max-connections: at least 1")
    chosen = live.profiles(terminal, targets or (), overrides, all_)
    return live.run(
        terminal,
        chosen,
        _work(mode, to or (), max_connections),
        schema="check/1",
        fail_on=fail_on,
        ignore=ignore or (),
        transcript=transcript,
    )


def _only(modes: Mapping[str, bool]) -> str:
    """The one mode that was asked for, empty without; UsageProblem for two."""
    asked = [name for name, wanted in modes.items() if wanted]
    if len(asked) > 1:
        raise UsageProblem(f"{' and '.join(asked)} do not go together", "Give one of them; run the other after it.")
    return asked[0] if asked else ""


def _work(mode: str, recipients: Sequence[str], connections: int) -> live.Work:
    """What to do with each target."""
    if mode == "--deep":
        from smtpctl.ops.deep import check_deep

        return lambda profile, around: check_deep(profile, around, recipients, connections)
    if mode == "--suggest":
        from smtpctl.ops.suggest import check_and_suggest

        return lambda profile, around: check_and_suggest(profile, around, recipients)
    from smtpctl.ops.check import check

    return lambda profile, around: check(profile, around, recipients)
