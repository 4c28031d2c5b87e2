"""The table of commands.

`COMMANDS` is what `--help`, the completions, the man pages and the reference are made of. A command's module is
imported when the command runs; it exposes `command` (a `Verb`) or `app` (a `Noun`), see `cli/command.py`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from smtpctl.model.record import NamedTuple

if TYPE_CHECKING:
    from smtpctl.cli.command import Noun, Verb


class CommandInfo(NamedTuple):
    """Where a command lives, what it does in a few words, and the heading it stands under."""

    module: str
    help: str
    section: str


NAME = "smtpctl"
SERVERS, TESTING, TOOLS = "Set up", "Test and debug", "Tools"

COMMANDS: dict[str, CommandInfo] = {
    "check": CommandInfo("smtpctl.cli.check", "Check servers stage by stage; sends no mail", TESTING),
    "test-send": CommandInfo("smtpctl.cli.test_send", "Send a test mail and show every stage", TESTING),
    "diagnose": CommandInfo("smtpctl.cli.diagnose", "Find the cause together, and mend it", TESTING),
    "explain": CommandInfo("smtpctl.cli.explain", "Say what a reply, an error or a log means, and what to do", TESTING),
    "validate": CommandInfo("smtpctl.cli.validate", "Check the configuration without a network", TESTING),
    "report": CommandInfo("smtpctl.cli.report", "Write all about one failure into a file for a ticket", TESTING),
    "profile": CommandInfo("smtpctl.cli.profile", "SMTP servers: add, show, change, import, export", SERVERS),
    "secret": CommandInfo("smtpctl.cli.secret", "Passwords and where each one is kept", SERVERS),
    "oauth": CommandInfo("smtpctl.cli.oauth", "OAuth 2.0 credentials: log in, print and read tokens", SERVERS),
    "preset": CommandInfo("smtpctl.cli.preset", "Settings of well-known providers", SERVERS),
    "guide": CommandInfo("smtpctl.cli.guide", "The steps that a provider needs, with your values", SERVERS),
    "site": CommandInfo("smtpctl.cli.site", "Sites, each with settings of its own", SERVERS),
    "config": CommandInfo("smtpctl.cli.config", "The settings of a scope, and the file they are in", SERVERS),
    "sink": CommandInfo("smtpctl.cli.sink", "Run a local server that catches mail or misbehaves", TOOLS),
    "demo": CommandInfo("smtpctl.cli.demo", "See it work: a mail and a failure, on this machine only", TOOLS),
    "completions": CommandInfo("smtpctl.cli.completions", "Print the completion script of a shell", TOOLS),
}

HELP = """Configure, test and debug SMTP: every stage shown, every failure explained.

$ smtpctl check mail.example.com:587
$ smtpctl profile add office --preset microsoft365 --username noreply@example.com
$ smtpctl test-send office --to you@example.com
$ smtpctl explain "535 5.7.8 Authentication failed"
"""


def load(name: str) -> Verb | Noun:
    """Import the module of one command; what it declares."""
    module = importlib.import_module(COMMANDS[name].module)
    declared: Verb | Noun = module.command if hasattr(module, "command") else module.app
    return declared
