"""`smtpctl sink`: catch mail on this machine, show each one as it comes, until Ctrl-C."""

from __future__ import annotations

import queue
import signal
from pathlib import Path
from typing import Annotated, Any, Literal

from smtpctl.cli.command import verb
from smtpctl.cli.options import Option
from smtpctl.cli.terminal import Terminal
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import ExitStatus

BEHAVIOUR, CATCH = "Misbehaviour", "What is caught"
DEFAULT_PORT = 2525
_STAGE = (
    "greeting, ehlo, starttls, tls, auth, mail, rcpt, data, content, eod or quit; STAGE/TEXT: only for lines with it"
)

Several = list[str] | None
Mode = Literal["none", "starttls", "implicit"]


def _option(flag: str, help: str, metavar: str | None = None, panel: str | None = None) -> Any:
    return Option(flag, help=help, metavar=metavar, heading=panel, default_shown=metavar is not None)


@verb()
def command(
    terminal: Terminal,
    host: Annotated[str, _option("--host", "Address to listen on, or unix:PATH.", "ADDRESS", "Server")] = "127.0.0.1",
    port: Annotated[int, _option("--port", "Port; 0 is any free one.", "PORT", "Server")] = DEFAULT_PORT,
    tls: Annotated[
        Mode | None, _option("--tls", "Encryption it offers (without it: none, or what --as has).", panel="Server")
    ] = None,
    tls_dir: Annotated[Path | None, _option("--tls-dir", "Keep authority and keys here.", "DIR", "Server")] = None,
    lmtp: Annotated[bool, _option("--lmtp", "Speak LMTP.", panel="Server")] = False,
    user: Annotated[
        Several,
        _option(
            "--user",
            "Who may log in. PLACE of the password: env:NAME, file:PATH, stdin, prompt ... "
            "Without it one is made up and shown.",
            "NAME[=PLACE]",
            "Server",
        ),
    ] = None,
    auth: Annotated[
        Several, _option("--auth", "Login mechanisms (without it: all but EXTERNAL).", "MECH,...", "Server")
    ] = None,
    auth_optional: Annotated[
        bool, _option("--auth-optional", "Take mail without a login too.", panel="Server")
    ] = False,
    without: Annotated[Several, _option("--without", "Extensions not to offer.", "NAME,...", "Server")] = None,
    max_connections: Annotated[int, _option("--max-connections", "At the same time.", "N", "Server")] = 100,
    output: Annotated[str, _option("--output", "Maildir folder, or a file that ends in .jsonl.", "PATH", CATCH)] = "",
    max_size: Annotated[
        int | None, _option("--max-size", "Octets of a mail (without it: 100 MB, or what --as takes).", "N", CATCH)
    ] = None,
    count: Annotated[int, _option("--count", "End after so many mails; 0 is never.", "N", CATCH)] = 0,
    play: Annotated[
        str,
        _option("--as", "Answer as this entry (smtpctl explain) shows it, or as this provider does.", "ID", BEHAVIOUR),
    ] = "",
    fail: Annotated[
        Several, _option("--fail", f"Give this reply instead. STAGE: {_STAGE}.", "STAGE:REPLY", BEHAVIOUR)
    ] = None,
    delay: Annotated[Several, _option("--delay", "Wait before the answer.", "STAGE:SECONDS", BEHAVIOUR)] = None,
    drop: Annotated[
        Several, _option("--drop", "Hang up instead of the answer.", "STAGE[:rst|:half]", BEHAVIOUR)
    ] = None,
) -> ExitStatus:
    """Run a local server that catches mail or misbehaves.

    $ smtpctl sink
    $ smtpctl sink --tls starttls --user ann --output caught/
    $ smtpctl sink --fail 'rcpt/bob@:550 5.1.1 No such user' --delay eod:5
    $ smtpctl sink --drop data:rst
    $ smtpctl sink --as generic.rcpt-greylisted
    $ smtpctl sink --as m365.535-5-7-139-mailbox-disabled

    Nothing leaves it. Ctrl-C ends it.
    """  # fmt: skip
    from smtpctl.ops.sink import Wishes

    wishes = Wishes(
        host, port, TlsMode(tls) if tls else None, lmtp, user or (), auth or (), auth_optional, without or (), output, tls_dir,
        fail or (), delay or (), drop or (), max_size, max_connections, play,
    )  # fmt: skip
    _catch(terminal, wishes, count)
    return ExitStatus.OK


def _catch(terminal: Terminal, wishes: Any, count: int) -> None:
    """Listen and show what comes until it is enough. Threads only put into `news`; this one writes."""
    from smtpctl.cli.sink_screen import JsonScreen, TextScreen
    from smtpctl.ops.sink import Hooks, running

    news: queue.Queue[tuple[str, Any]] = queue.Queue()
    hooks = Hooks(_put(news, "mail"), _put(news, "begin"), _put(news, "end"))
    prompt = None if terminal.no_input else lambda label: terminal.ask_secret(label.rstrip(": ")).reveal()
    screen = (JsonScreen if terminal.format == "json" else TextScreen)(terminal)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with running(wishes, terminal.environ, prompt, hooks) as run:
            screen.listening(run)
            while not count or screen.mails < count:
                try:
                    name, value = news.get(timeout=1)  # without an end, Ctrl-C would wait for a mail on Windows
                except queue.Empty:
                    continue
                getattr(screen, name)(value)
    except KeyboardInterrupt:
        pass  # the way it is meant to end
    finally:
        signal.signal(signal.SIGTERM, before)
    screen.ended()


def _put(news: queue.Queue[tuple[str, Any]], name: str) -> Any:
    return lambda value: news.put((name, value))


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
