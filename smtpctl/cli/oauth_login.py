"""`smtpctl oauth login`: somebody signs in, with a code at another device or with a browser here."""

from __future__ import annotations

import threading
import time
import webbrowser
from typing import TYPE_CHECKING, Annotated, Literal

from smtpctl.cli import stored
from smtpctl.cli.command import Noun
from smtpctl.cli.options import Argument, Option
from smtpctl.cli.terminal import Terminal

if TYPE_CHECKING:
    from smtpctl.ops.login import DeviceCode, Pending


def add_to(app: Noun) -> None:
    """Add the command to its group."""
    app.command("login")(login)


def login(
    terminal: Terminal,
    name: Annotated[str, Argument("NAME", "Name of the credentials.")],
    user: Annotated[
        str, Option("--user", "Mailbox to sign in for (default: that of the profile).", "ADDRESS", None, False)
    ] = "",
    way: Annotated[
        Literal["code", "browser"] | None,
        Option(
            "--with",
            "A code for another device, or a browser on this machine (default: by the grant).",
            None,
            None,
            False,
        ),
    ] = None,
    no_browser: Annotated[bool, Option("--no-browser", "Print the address instead of opening a browser.")] = False,
) -> None:
    """Sign in once; what is needed for later goes into the keyring.

    $ smtpctl oauth login gmail
    $ smtpctl oauth login m365-user --with code

    With a code any device will do, also a phone, and nothing has to reach this machine: the way over SSH.
    """
    from smtpctl.cli.live import surroundings
    from smtpctl.ops import login as use
    from smtpctl.ops import token_output

    document = stored.document(terminal)
    oauth = use.found(terminal.config, name, terminal.environ)
    place = use.place(oauth, terminal.environ)
    user = user or token_output.mailbox(document, name)
    around = surroundings(terminal)
    if (way or ("browser" if oauth.grant == "authorization_code" else "code")) == "code":
        with Countdown(terminal) as left:
            token = use.by_code(oauth, user, around, lambda code: _code(terminal, code, left))
    else:
        token = use.by_browser(oauth, user, around, lambda pending: _browser(terminal, pending, no_browser))
    kept = use.keep(stored.path(terminal), oauth, user, token, place, terminal.environ)
    terminal.say("")
    terminal.say(f"Signed in. {f'The refresh token is in {kept}.' if kept else _ONCE}")
    terminal.say(f"Look at the token: smtpctl oauth inspect {name}")


_ONCE = "There is no refresh token: next time somebody must sign in again (is offline_access among the scopes?)."


class Countdown:
    """The time that is left for typing a code, on one line of a terminal; nothing elsewhere."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Countdown:
        return self

    def start(self, expires: float) -> None:
        """Count down to `expires`, epoch seconds."""
        if self._terminal.err_is_tty and not self._terminal.quiet:
            self._thread = threading.Thread(target=self._count, args=(expires,), daemon=True)
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()
            self._show("")

    def _count(self, expires: float) -> None:
        while not self._over.is_set() and (left := expires - time.time()) > 0:
            self._show(f"{int(left // 60)}:{int(left % 60):02} left")
            self._over.wait(1.0)

    def _show(self, words: str) -> None:
        self._terminal.stderr.write(f"\r{words:<12}" if words else f"\r{'':12}\r")
        self._terminal.stderr.flush()


def _code(terminal: Terminal, code: DeviceCode, countdown: Countdown) -> None:
    """Show the code, and what it is typed into, as a picture for phones too."""
    left = max(1, round((code.expires - time.time()) / 60))
    canvas = terminal.canvas
    terminal.say(f"Open   {canvas.text(code.uri)}")
    terminal.say(f"Enter  {canvas.paint('title', canvas.text(code.code))}")
    terminal.say("")
    if terminal.err_is_tty and canvas.unicode:
        terminal.say(picture(code.complete or code.uri))
    terminal.say(f"Waiting up to {left} minutes. Ctrl-C ends it; nothing is stored before.")
    countdown.start(code.expires)


def _browser(terminal: Terminal, pending: Pending, silent: bool) -> str:
    """Open the address, or show it to be opened elsewhere; what the browser came back with, where somebody pasted it."""
    if not silent and webbrowser.open(pending.url):
        terminal.say("A browser was opened. Waiting for it to come back; Ctrl-C ends it.")
        return ""
    terminal.say(f"Open this address in a browser:\n\n{terminal.canvas.text(pending.url)}\n")
    if terminal.no_input:
        terminal.say("Waiting for the browser to come back to this machine.")
        return ""
    terminal.say(f"On this machine it comes back by itself. On another one it ends at {pending.redirect}...,")
    return terminal.ask(
        "which cannot be reached there: paste that whole address here (Enter: wait)", option="--with code"
    )


def picture(text: str) -> str:
    """A QR code of `text`, two rows a line, dark on light whatever the terminal's colours are."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(text, error="l").terminal(drawn, compact=True, border=2)
    return drawn.getvalue()
