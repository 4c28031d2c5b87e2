"""`smtpctl demo`: the tool's main job on nothing but itself."""

from __future__ import annotations

from smtpctl.cli.command import verb
from smtpctl.cli.options import TEXT
from smtpctl.cli.terminal import Terminal
from smtpctl.model.report import ExitStatus
from smtpctl.model.tls import version_name

NEXT = (
    ("smtpctl profile add NAME --host HOST --username USER", "set up a server"),
    ("smtpctl preset list", "providers it knows"),
    ("smtpctl check NAME", "look, send nothing"),
    ("smtpctl test-send NAME --to ADDRESS", "send a mail"),
    ('smtpctl explain "550 5.7.1 ..."', "what a reply means"),
    ("smtpctl sink --tls starttls --user ann", "catch your app's mail"),
)


@verb(formats=TEXT)
def command(terminal: Terminal) -> int:
    """See it work: a mail and a failure, on this machine only.

    $ smtpctl demo

    Starts a server with TLS and a login on this machine, sends it a mail, then logs in with a wrong password to show
    how a failure is explained. Reads no configuration, needs no network and leaves nothing behind.
    """
    from smtpctl.cli import live
    from smtpctl.ops import demo

    canvas = terminal.canvas

    def act(number: int, title: str) -> None:
        gap = "" if number == 1 else "\n"
        terminal.out(f"{gap}{canvas.paint('title', f'{number}. {title}')}\n\n")

    with demo.stage() as stage:
        act(1, "A server with TLS and a login, and a mail through it")
        sent = live.run(terminal, [stage.right], demo.send, schema="demo/1", fail_on="error", transcript=None)
        mail = stage.caught
        if mail:
            terminal.out(
                f"The server has it: {len(mail.content)} octets, {mail.mechanism} under {version_name(mail.tls)}."
            )
        act(2, "The same with a wrong password")
        failed = live.run(terminal, [stage.wrong], demo.send, schema="demo/1", fail_on="error", transcript=None)
    act(3, "What to do next")
    wide = max(len(line) for line, _ in NEXT)
    for line, why in NEXT:
        terminal.out(f"  {canvas.paint('command', f'{line:<{wide}}')}  {why}")
    if sent != ExitStatus.OK:
        return sent
    return ExitStatus.OK if failed == ExitStatus.AUTH else ExitStatus.BUG  # the wrong password has to be refused
