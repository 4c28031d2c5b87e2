"""`demo`: a server of our own on loopback, a mail that arrives and a login that fails. Needs no network, leaves nothing.

No setting of the user is read: neither the configuration file nor the environment.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.message.compose import Draft
from smtpctl.model.address import Mailbox, parse
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Report
from smtpctl.model.secret import Secret
from smtpctl.ops.session import Surroundings
from smtpctl.ops.test_send import Wish, test_send
from smtpctl.protocol.server.values import Mail, Setup
from smtpctl.sink.server import Sink

USER, RECIPIENT = "demo@example.com", "you@example.com"  # the login is also the sender
_MAIL = Wish(
    Draft(
        sender=Mailbox("", "", ""),
        to=(parse(RECIPIENT),),
        subject="It works",
        text="This mail went from smtpctl to a server that it started itself, and no further.\n",
    )
)


class Stage(NamedTuple):
    """A server that runs, and two profiles for it: one that is right, one with a wrong password."""

    sink: Sink
    right: Profile
    wrong: Profile

    @property
    def caught(self) -> Mail | None:
        """The last mail that arrived."""
        return self.sink.messages[-1].mail if self.sink.messages else None


@contextmanager
def stage() -> Iterator[Stage]:
    """The server with STARTTLS and a login, as long as the context lasts. UsageProblem without a loopback interface."""
    password = secrets.token_hex(8)
    setup = Setup(tls=TlsMode.STARTTLS, users={USER: Secret(password)}, mechanisms=("SCRAM-SHA-256", "PLAIN"))
    sink = Sink(setup)
    try:
        sink.start()
    except OSError as error:
        why = f"No server can be started on {sink.host}: {error.strerror or error}"
        raise UsageProblem(why, "The demo needs the loopback interface and a folder for temporary files.") from error
    try:
        yield Stage(sink, _profile(sink, password), _profile(sink, password[::-1] + "x"))
    finally:
        sink.stop()


def send(profile: Profile, around: Surroundings) -> Report:
    """The demonstration's mail, sent with this profile; no command is left to go on with a server that is gone then."""
    return test_send(profile, around, _MAIL)._replace(next_command="")


def _profile(sink: Sink, password: str) -> Profile:
    overrides = {
        "host": sink.host,
        "port": str(sink.port),
        "tls": "starttls",
        "ca_file": sink.ca_file,
        "username": USER,
        "from": USER,
    }
    environ = {"SMTPCTL_PASSWORD": password}
    return resolve("", overrides, environ, document=Document(Path("demo"), exists=False))
