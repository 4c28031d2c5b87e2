"""`smtpctl diagnose`: find the cause together: check, ask what decides, offer what mends it, check again."""

from __future__ import annotations

from typing import Annotated

from smtpctl.cli.command import verb
from smtpctl.cli.options import Argument, Option, Overrides
from smtpctl.cli.terminal import Terminal
from smtpctl.config import store
from smtpctl.config.targets import is_server

DIAGNOSIS = "Diagnosis"
STDIN = "-"


@verb()
def command(
    terminal: Terminal,
    overrides: Overrides,
    words: Annotated[
        list[str] | None,
        Argument("TARGET", "A profile, host[:port] or URL; or the text of an error, or - for one on stdin."),
    ] = None,
    to: Annotated[
        list[str] | None,
        Option("--to", "A recipient whose mail is refused; nothing is sent.", "ADDRESS", DIAGNOSIS, False),
    ] = None,
    said: Annotated[
        str, Option("--said", "What your application shows, where a check shows nothing.", "TEXT", DIAGNOSIS, False)
    ] = "",
    answer: Annotated[
        list[str] | None, Option("--answer", "Answer a question before it is asked.", "NAME=ANSWER", DIAGNOSIS, False)
    ] = None,
    yes: Annotated[
        bool, Option("--yes -y", "Carry out what is safe and local without asking.", None, DIAGNOSIS)
    ] = False,
) -> int:
    """Find out together what is wrong, and mend it.

    $ smtpctl diagnose office
    $ smtpctl diagnose mail.example.com:587 --to you@example.com
    $ smtpctl diagnose "535 5.7.3 Authentication unsuccessful"
    $ smtpctl diagnose office --no-input --answer two_step=yes

    Checks the server, asks only what decides between the causes that are left, offers each fix, and checks again. What
    changes your settings is done after a yes; what is to be done elsewhere is shown to be copied. With --no-input it says
    what is likeliest and stops.
    """
    from smtpctl.cli.diagnose_talk import Talk, Wishes, of_words
    from smtpctl.ops.diagnose import parse_answers

    wishes = Wishes(tuple(to or ()), said, parse_answers(answer or ()), yes)
    text = _text(terminal, words or [])
    if text is not None:
        return of_words(terminal, text, wishes)
    return Talk(terminal, words or [], overrides, wishes).run()


def _text(terminal: Terminal, words: list[str]) -> str | None:
    """The error text that was given; None where a target is meant, as every single word is that is a profile's name or
    can be a server's."""
    if words == [STDIN]:
        return terminal.stdin.read(1 << 20)
    if len(words) > 1 or (words and " " in words[0].strip()):
        return " ".join(words)
    if not words or words[0] in store.read(terminal.config, terminal.environ).profiles:
        return None
    from smtpctl.ops.explain import by_id

    known = by_id(words[0]) is not None or (words[0].replace(".", "").isdigit() and not _address(words[0]))
    return words[0] if known or (not is_server(words[0]) and words[0].isdigit()) else None


def _address(word: str) -> bool:
    return word.count(".") == 3
