"""`smtpctl check`: every stage of a session, judged; no mail is sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from smtpctl.cli import check_modes as modes
from smtpctl.cli.command import verb
from smtpctl.cli.options import (
    OUTPUT,
    SESSIONS,
    TEXT_JSON,
    All,
    ExitStyle,
    FailOn,
    Ignores,
    Option,
    Overrides,
    Targets,
    TranscriptFile,
)
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem
from smtpctl.model.report import ExitStatus

OTHERS = "What to ask of others than the server"
MODES = "What else to find out (one of these; a baseline with --deep, too)"


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
        Option("--deep", "Also find out which TLS versions and ciphers the server takes.", heading=MODES),
    ] = False,
    max_connections: Annotated[
        int,
        Option("--max-connections", "With --deep: connections at the same time.", "N", MODES),
    ] = 5,
    suggest: Annotated[
        bool,
        Option("--suggest", "Also try other ports and TLS modes, and name the best.", heading=MODES),
    ] = False,
    matrix: Annotated[
        bool,
        Option("--matrix", "Also try each login mechanism that the server offers.", heading=MODES),
    ] = False,
    save_baseline: Annotated[
        Path | None,
        Option("--save-baseline", "Keep what the server is like, where all is well; - for stdout.", "FILE", MODES),
    ] = None,
    compare: Annotated[
        Path | None,
        Option("--compare", "Also say what is different since a baseline was saved.", "FILE", MODES),
    ] = None,
    probe: Annotated[
        list[Literal["open-relay", "bare-lf", "postmaster"]] | None,
        Option(
            "--probe",
            "Also test what shows only when it is done, on a server of your own.",
            heading=MODES,
            default_shown=False,
        ),
    ] = None,
    fetch_aia: Annotated[
        bool,
        Option("--fetch-aia", "Fetch a certificate that the server leaves out, as a proof.", heading=OTHERS),
    ] = False,
    revocation: Annotated[
        bool,
        Option("--revocation", "Ask the authority whether it has revoked the certificate.", heading=OTHERS),
    ] = False,
    list_: Annotated[
        bool, Option("--list", "List all checks and what each can find; nothing is connected to.", heading=MODES)
    ] = False,
    yes: Annotated[bool, Option("--yes -y", "With --matrix: try on after a refusal.", heading=MODES)] = False,
    save_chain: Annotated[
        Path | None,
        Option("--save-chain", "Write the certificates that the server shows, as PEM; - for stdout.", "FILE", OUTPUT),
    ] = None,
    all_: All = False,
    fail_on: FailOn = "error",
    ignore: Ignores = None,
    exit_style: ExitStyle = "smtpctl",
    transcript: TranscriptFile = None,
) -> int:
    """Check servers stage by stage; sends no mail.

    $ smtpctl check
    $ smtpctl check mail.example.com:587 --username ann@example.com
    $ smtpctl check office --to you@example.com
    $ smtpctl check office --deep
    $ smtpctl check office --suggest
    $ smtpctl check office --matrix
    $ smtpctl check office --save-baseline office.json
    $ smtpctl check office --compare office.json
    $ smtpctl check office --save-chain chain.pem
    $ smtpctl check office --probe open-relay
    $ smtpctl check office --fetch-aia --revocation
    $ smtpctl check --all --json
    $ smtpctl check --list

    Name lookup, connection, greeting, EHLO, TLS, certificate and login, each with its time, then what is wrong and
    what to do about it. Several targets are checked at once. --deep asks the server over many short connections, and
    leaves each before a login; for faults of TLS libraries (Heartbleed, ROBOT) there is testssl. --suggest tries the
    usual ports and those that the provider is known to have, and logs in once at most. --matrix logs in once with each
    mechanism, and stops at the first refusal that may count against the account.

    --probe does something to the server, so it is for your own: --probe open-relay names a foreign recipient without a
    login and postmaster names postmaster, and both reset without a mail; bare-lf sends one mail to the first --to, with
    bare line feeds in it where a mail might end. Servers of known providers are not probed.

    --fetch-aia and --revocation ask the authority that the server's certificate names, in plain HTTP: for a certificate that
    the server does not send, to tell whether the chain is complete with it; and whether the certificate was revoked, by OCSP
    or else its list. The session trusts nothing of what comes.
    """
    mode = modes.only(
        {
            "--deep": deep,
            "--suggest": suggest,
            "--matrix": matrix,
            "--save-baseline": save_baseline,
            "--compare": compare,
            "--probe": probe,
            "--list": list_,
        }
    )
    if list_:
        return _list(terminal, targets or (), all_)
    from smtpctl.cli import live, outputs

    others = tuple(name for name, wanted in {"--fetch-aia": fetch_aia, "--revocation": revocation}.items() if wanted)
    file = save_baseline or compare
    saves = {"--save-chain": save_chain, "--save-baseline": save_baseline, "--transcript": transcript}
    wish = modes.Wish(to or (), all_, max_connections, yes, probe or (), file, deep, others)
    modes.judge(mode, wish)
    chosen = live.profiles(terminal, targets or (), overrides, all_)
    put = outputs.prepared(terminal, saves, chosen, {"--compare": compare})
    work = modes.work(mode, chosen, wish._replace(put=put))
    if save_chain and put:
        work = modes.keeping_chain(work, chosen, save_chain, put)
    return live.run(
        terminal,
        chosen,
        work,
        schema="check/1",
        fail_on=fail_on,
        ignore=ignore or (),
        exit_style=exit_style,
        transcript=transcript,
        put=put,
    )


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
