"""What checks judge: one session as far as it got. Checks take these and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.ehlo import Capabilities, parse

if TYPE_CHECKING:
    from smtpctl.model.tlsscan import TlsScan

SUBMISSION, MX = "submission", "mx"


class Facts(NamedTuple):
    """One session with one server.

    `session` is None where it did not get as far as a login; `tls` the handshake, also one that was refused; `chain` the
    presented certificates, leaf first, None for one that cannot be read; `helo` the name we gave; `now` epoch seconds;
    `trusted` that the network to the server is; `client` the certificate that we present, where there is one.
    """

    target: str
    endpoint: Endpoint
    policy: TlsPolicy
    helo: str
    transcript: Transcript
    session: Session | None
    tls: TlsSession | None
    chain: tuple[Certificate | None, ...]
    now: float
    trusted: bool = False
    client: Certificate | None = None

    def offered(self, *, secured: bool) -> Capabilities | None:
        """What the last EHLO was answered in clear or inside TLS, also where the session went no further."""
        texts: list[str] = []
        for _, event in self.transcript.at_stage(Stage.EHLO):
            if event.kind is Kind.SENT:
                texts = [] if event.secured is secured else texts
            elif event.kind is Kind.RECEIVED and event.secured is secured and event.text.startswith("250"):
                texts.append(event.text[4:])
        return parse(Reply(250, tuple(texts))) if texts else None

    @property
    def role(self) -> str:
        """What the server is for, as `role` has it."""
        return role(self.endpoint, logged_in=bool(self.session and self.session.authenticated))


class Scanned(NamedTuple):
    """A server whose TLS was scanned.

    `certificates` are the leaves shown with and without SNI, None where there was nothing to compare; `server_name` is the
    name asked for; `ours` the cipher suites that this side can use.
    """

    endpoint: Endpoint
    role: str
    server_name: str
    scan: TlsScan
    certificates: tuple[Certificate | None, Certificate | None] | None = None
    ours: frozenset[int] = frozenset()


def role(endpoint: Endpoint, *, logged_in: bool) -> str:
    """`submission` where somebody logs in or the port is one for that, else `mx`."""
    return MX if endpoint.port == 25 and not logged_in else SUBMISSION
