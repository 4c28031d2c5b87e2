"""`smtpctl check`: every stage of a session, judged; no mail is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from smtpctl.cli.command import verb
from smtpctl.cli.options import SESSIONS, TEXT_JSON, All, FailOn, Ignores, Option, Overrides, Targets, TranscriptFile
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem
from smtpctl.model.report import ExitStatus

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
    matrix: Annotated[
        bool,
        Option("--matrix", "Also try each login mechanism that the server offers.", heading=MODES),
    ] = False,
    probe: Annotated[
        list[Literal["open-relay", "bare-lf", "postmaster"]] | None,
        Option(
            "--probe",
            "Of a server of your own: also try this. open-relay names a foreign recipient without a login, postmaster names "
            "postmaster, and neither sends a mail; bare-lf sends one to --to, with bare line feeds where it might end.",
            heading=MODES,
            default_shown=False,
        ),
    ] = None,
    list_: Annotated[
        bool, Option("--list", "List all checks and what each can find; nothing is connected to.", heading=MODES)
    ] = False,
    yes: Annotated[bool, Option("--yes -y", "With --matrix: try on after a refusal.", heading=MODES)] = False,
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
    $ smtpctl check office --matrix
    $ smtpctl check office --probe open-relay
    $ smtpctl check --all --json
    $ smtpctl check --list

    Name lookup, connection, greeting, EHLO, TLS, certificate and login, each with its time, then what is wrong and
    what to do about it. Several targets are checked at once. --deep asks the server over many short connections, and
    leaves each before a login. --suggest tries the usual ports and those that the provider is known to have, and logs in
    once at most. --matrix logs in once with each mechanism, and stops at the first refusal that may count against the
    account. --probe does more than look, so it is refused for the servers of known providers.
    """
    mode = _only({"--deep": deep, "--suggest": suggest, "--matrix": matrix, "--probe": bool(probe), "--list": list_})
    if list_:
        return _list(terminal, targets or (), all_)
    from smtpctl.cli import live

    if probe and all_:
        raise UsageProblem("--probe and --all do not go together", "Name the servers of your own.")
    if matrix and to:
        raise UsageProblem("--to and --matrix do not go together", "The matrix leaves each session after its login.")
    if max_connections < 1:
        raise UsageProblem("--max-connections: at least 1")
    chosen = live.profiles(terminal, targets or (), overrides, all_)
    if probe:
        from smtpctl.ops.probes import refuse

        for profile in chosen:
            refuse(profile, probe, to or ())
    return live.run(
        terminal,
        chosen,
        _work(mode, to or (), max_connections, yes, probe or ()),
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


def _list(terminal: Terminal, targets: Sequence[str], everything: bool) -> int:
    """Every check and what it can find."""
    if targets or everything:
        raise UsageProblem("--list is about no server", "Leave out the target.")
    if terminal.format not in TEXT_JSON:
        raise UsageProblem(f"--list cannot be written as {terminal.format}", f"It writes {', '.join(TEXT_JSON)}.")
    from smtpctl.ops.checklist import listing

    found = listing()
    if terminal.format == "json":
        terminal.document("check.list/1", {"checks": [check.to_json() for check in found]})
        return ExitStatus.OK
    from smtpctl.render.checklist import checklist

    terminal.out(checklist(terminal.canvas, found, terminal.width if terminal.is_tty else None))
    terminal.say("What each means: smtpctl explain ID")
    return ExitStatus.OK


def _work(mode: str, recipients: Sequence[str], connections: int, go_on: bool, probes: Sequence[str]) -> live.Work:
    """What to do with each target."""
    if mode == "--deep":
        from smtpctl.ops.deep import check_deep

        return lambda profile, around: check_deep(profile, around, recipients, connections)
    if mode == "--suggest":
        from smtpctl.ops.suggest import check_and_suggest

        return lambda profile, around: check_and_suggest(profile, around, recipients)
    if mode == "--matrix":
        from smtpctl.ops.matrix import check_matrix

        return lambda profile, around: check_matrix(profile, around, go_on)
    if mode == "--probe":
        from smtpctl.ops.probes import check_and_probe

        return lambda profile, around: check_and_probe(profile, around, recipients, probes)
    from smtpctl.ops.check import check

    return lambda profile, around: check(profile, around, recipients)
