"""`smtpctl test-send`: a test mail past any queue, every stage shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from smtpctl.cli.command import verb
from smtpctl.cli.options import SESSIONS, All, ExitStyle, FailOn, Ignores, Option, Overrides, Targets, TranscriptFile
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem
from smtpctl.model.report import ExitStatus

SampleKind = Literal[
    "password-reset", "newsletter", "notification", "confirmation", "subscription", "workflow", "form-submission", "system"
]  # fmt: skip
_MESSAGE = "Message"


def _option(flags: str, help: str, metavar: str | None = None) -> Any:
    return Option(flags, help=help, metavar=metavar, heading=_MESSAGE, default_shown=False)


@verb(formats=SESSIONS)
def command(
    terminal: Terminal,
    overrides: Overrides,
    targets: Targets = None,
    to: Annotated[list[str] | None, _option("--to", help="Recipient; may be repeated.", metavar="ADDRESS")] = None,
    cc: Annotated[list[str] | None, _option("--cc", help="Recipient of a copy.", metavar="ADDRESS")] = None,
    bcc: Annotated[list[str] | None, _option("--bcc", help="Recipient nobody sees.", metavar="ADDRESS")] = None,
    subject: Annotated[str | None, _option("--subject", help="Subject.", metavar="TEXT")] = None,
    body: Annotated[str | None, _option("--body", help="Text, or @FILE (@- for stdin).", metavar="TEXT")] = None,
    html: Annotated[str | None, _option("--html", help="HTML, or @FILE (@- for stdin).", metavar="TEXT")] = None,
    attach: Annotated[list[Path] | None, _option("--attach", help="File to attach.", metavar="FILE")] = None,
    header: Annotated[
        list[str] | None, _option("--header", help="Further header field.", metavar="'NAME: VALUE'")
    ] = None,
    sample: Annotated[SampleKind | None, _option("--sample", help="Send a sample mail of this kind.")] = None,
    notify: Annotated[
        str | None, _option("--notify", help="Delivery reports: never, or success, failure, delay.", metavar="LIST")
    ] = None,
    require_tls: Annotated[bool, _option("--require-tls", help="Ask for TLS all the way (REQUIRETLS).")] = False,
    all_: All = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Print the mail; connect to nothing.")] = False,
    fail_on: FailOn = "error",
    ignore: Ignores = None,
    exit_style: ExitStyle = "smtpctl",
    transcript: TranscriptFile = None,
) -> int:
    """Send a test mail and show every stage.

    $ smtpctl test-send --to you@example.com
    $ smtpctl test-send office --to you@example.com --sample password-reset
    $ smtpctl test-send --all --to you@example.com --json
    $ smtpctl test-send office --to you@example.com --dry-run

    The mail goes straight to the server, past any queue. What fails is explained.
    """
    from smtpctl.cli import live, outputs
    from smtpctl.ops.test_send import DEFAULT_TEXT, Wish, composed, draft, test_send

    if sample and (body is not None or html is not None):
        raise UsageProblem("--sample brings its own text.", "Leave out --body and --html.")
    text, page = _read(terminal, "--body", body), _read(terminal, "--html", html)
    if text is None and page is None and not sample:
        text = DEFAULT_TEXT
    mail = draft(
        to=to, cc=cc, bcc=bcc, subject=subject, text=text, html=page, attach=attach, headers=header, sample=sample
    )  # fmt: skip
    wish = Wish(mail, _notify(notify), require_tls=require_tls)
    chosen = live.profiles(terminal, targets or (), overrides, all_)
    mails = [composed(profile, wish) for profile in chosen]  # nothing is sent to anybody before all of it is right
    if dry_run:
        for message, _ in mails:
            for chunk in message.chunks():
                terminal.stdout.write(chunk.decode("utf-8", "surrogateescape").replace("\r\n", "\n"))
        return ExitStatus.OK
    return live.run(
        terminal,
        chosen,
        lambda profile, around: test_send(profile, around, wish),
        schema="test-send/1",
        fail_on=fail_on,
        ignore=ignore or (),
        exit_style=exit_style,
        transcript=transcript,
        put=outputs.prepared(terminal, {"--transcript": transcript}, chosen),
    )


TEXT_LIMIT = 16 << 20  # characters of a body; it is held in memory, attachments are not


def _read(terminal: Terminal, option: str, value: str | None) -> str | None:
    """The text itself, or what is in @FILE."""
    if value is None or not value.startswith("@"):
        return value
    try:
        if value == "@-":
            text = terminal.stdin.read(TEXT_LIMIT + 1)
        else:
            with Path(value[1:]).open(encoding="utf-8") as file:
                text = file.read(TEXT_LIMIT + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageProblem(
            f"{option} {value}: {reason}", "Give the text itself, or @ and a file that can be read."
        ) from error
    if len(text) > TEXT_LIMIT:
        raise UsageProblem(
            f"{option} {value}: the text is longer than {TEXT_LIMIT >> 20} MiB", "Attach it with --attach."
        )
    return text


def _notify(written: str | None) -> str:
    """RFC 3461 4.1: NEVER, or a list of the others."""
    words = [word.strip().upper() for word in (written or "").split(",") if word.strip()]
    if set(words) - {"NEVER", "SUCCESS", "FAILURE", "DELAY"} or ("NEVER" in words and len(words) > 1):
        raise UsageProblem(
            f"--notify {written}: that is no kind of report", "Give never, or some of success,failure,delay."
        )
    return ",".join(words)
