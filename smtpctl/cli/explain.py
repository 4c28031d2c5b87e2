"""`smtpctl explain`: what a reply, an error, a code, a finding or a log means. No network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

from smtpctl.cli.command import verb
from smtpctl.cli.options import FINDINGS, Argument, Option
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem
from smtpctl.model.explanation import Explained, Meaning
from smtpctl.model.report import ExitStatus

if TYPE_CHECKING:
    from smtpctl.ops.hints import Hints

STDIN = "-"
READ_LIMIT = 1 << 20  # characters of a line that are read at all

Words = Annotated[
    list[str] | None,
    Argument(metavar="TEXT", help="A reply, an error text, a code, a finding's id, a file, or - for stdin."),
]
Provider = Annotated[
    str,
    Option("--provider", metavar="NAME", help="Whose server said it: a preset's name.", default_shown=False),
]
StageName = Annotated[
    Literal["dns", "connect", "greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data"] | None,
    Option("--stage", help="At which stage it was said.", default_shown=False),
]
Login = Annotated[
    Literal["password", "user-token", "app-token"] | None,
    Option("--login", help="How the login was made, where the words do not tell.", default_shown=False),
]


@verb(formats=FINDINGS)
def command(
    terminal: Terminal,
    words: Words = None,
    provider: Provider = "",
    stage: StageName = None,
    login: Login = None,
) -> ExitStatus:
    """Say what a reply, an error or a log means, and what to do.

    $ smtpctl explain "535 5.7.3 Authentication unsuccessful"
    $ smtpctl explain conn.greeting_timeout
    $ journalctl -u postfix --since today | smtpctl explain -

    Understands replies, texts of exceptions, bounces as whole mails, logs of Postfix, Exim, msmtp and Exchange, and JSON.
    A bounce is explained recipient by recipient; a log with several causes, or a mailbox of bounces (mbox), is summed up
    by cause, by who answered and by recipient domain; what the server of the log refused to its own clients stands apart.
    Works without a network.
    """
    from smtpctl.ops.hints import hints

    explained = _explain(terminal, words or [], hints(provider, stage or "", login or ""))
    if terminal.format == "json":
        terminal.document("explain/1", explained.to_json())
    elif terminal.format != "text":
        if isinstance(explained, Meaning):
            raise UsageProblem(
                f"What a code means cannot be written as {terminal.format}", "It is no finding: leave --format out."
            )
        terminal.out(terminal.renderer("explain/1").findings(explained.findings, subject="text"))
    else:
        from smtpctl.render.explain_text import explain_text

        terminal.out(explain_text(terminal.canvas, explained))
    return ExitStatus.OK


def _explain(terminal: Terminal, words: list[str], known: Hints) -> Explained:
    from smtpctl.ops.explain import explain, explain_lines

    if words == [STDIN] or (not words and terminal.no_input):
        terminal.stdin.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper always
        return explain_lines(_watched(terminal, terminal.stdin), known)
    text = " ".join(words)
    if _is_file(words):
        with Path(text).open(encoding="utf-8", errors="backslashreplace") as file:
            return explain_lines(_watched(terminal, file), known)
    return explain(text, known)


def _watched(terminal: Terminal, file: TextIO) -> Iterator[str]:
    """The lines of a file; somebody at a terminal sees how far they are read."""
    lines = lines_of(file)
    if not terminal.err_live:
        return lines
    from smtpctl.render.progress import reading

    return reading(lines, terminal.stderr, terminal.err_canvas, _part(file))


def _part(file: TextIO) -> Callable[[], float] | None:
    """What tells which part of a file is read; None for what has no size, like a pipe."""
    import os

    try:
        size = os.fstat(file.fileno()).st_size
    except OSError:
        return None
    return (lambda: file.buffer.tell() / size) if size else None


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a file; of one without an end its beginning, so that it fills no memory."""
    while line := file.readline(READ_LIMIT):
        yield line
        while line and not line.endswith("\n"):
            line = file.readline(READ_LIMIT)


def _is_file(words: list[str]) -> bool:
    """Whether a file is meant. UsageProblem for a single word that can only be a path and is none."""
    if len(words) != 1 or not words[0]:
        return False
    try:
        path = Path(words[0])
        if path.is_file():
            return True
        folder = path.is_dir()
    except (OSError, ValueError):  # longer than a path can be, or with a NUL
        return False
    if folder or ("/" in words[0] and not words[0].count(" ")):
        from smtpctl.model.foreign import FOREIGN

        name = FOREIGN.text(words[0])  # a URL may have been meant
        raise UsageProblem(f"{name} is a folder." if folder else f"There is no file {name}.", "Put a text in quotes.")
    return False
