"""What checks judge: one session as far as it got. Checks take these and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from smtpctl.knowledge.families import MX, SUBMISSION, entry
from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.finding import Evidence, Finding
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.ehlo import Capabilities, parse

if TYPE_CHECKING:
    from smtpctl.model.tlsscan import AddressScan, TlsScan

AUTO = "auto"  # the role of a profile that names none


class Facts(NamedTuple):
    """One session with one server.

    `session` is None where it did not get as far as a login; `tls` the handshake, also one that was refused; `chain`
    the presented certificates, leaf first, None for one that cannot be read; `helo` the name we gave; `now` epoch
    seconds; `trusted` that the network to the server is; `client` the certificate that we present, where there is one;
    `given_role` what the profile says that the server is for.
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
    given_role: str = AUTO

    def offered(self, *, secured: bool) -> Capabilities | None:
        """As the function `offered`."""
        return offered(self.transcript, secured=secured)

    @property
    def final(self) -> Capabilities | None:
        """What mail would be sent by: the last offer, which inside TLS replaces the one in clear (RFC 3207 4.2). None where
        TLS was to come and did not."""
        before = self.offered(secured=False)
        return self.offered(secured=True) or (
            None if before and before.has("STARTTLS") and not self.session else before
        )

    def finding(self, id: str, evidence: Iterable[Evidence | str] = (), **values: Any) -> Finding:
        """A finding about this server."""
        return entry(id).finding(target=self.target, role=self.role, evidence=evidence, **values)

    @property
    def role(self) -> str:
        """What the server is for, as `role` has it."""
        return role(self.endpoint, self.given_role, logged_in=bool(self.session and self.session.authenticated))


class Scanned(NamedTuple):
    """A server whose TLS was scanned.

    `certificates` are the leaves shown with and without SNI, None where there was nothing to compare; `server_name` is the
    name asked for; `ours` the cipher suites that this side can use; `leaf` the certificate of a whole handshake; `addresses`
    what each address of the name showed, with its certificate; `presents` whether the profile has a client certificate.
    """

    endpoint: Endpoint
    role: str
    server_name: str
    scan: TlsScan
    certificates: tuple[Certificate | None, Certificate | None] | None = None
    ours: frozenset[int] = frozenset()
    leaf: Certificate | None = None
    addresses: tuple[tuple[AddressScan, Certificate | None], ...] = ()
    presents: bool = False


def offered(transcript: Transcript, *, secured: bool) -> Capabilities | None:
    """What the last EHLO (or HELO) was answered in clear or inside TLS, also where the session went no further."""
    texts: list[str] = []
    extended = True
    for _, event in transcript.at_stage(Stage.EHLO):
        if event.kind is Kind.SENT:
            texts = [] if event.secured is secured else texts
            extended = not event.text.startswith("HELO")
        elif event.kind is Kind.RECEIVED and event.secured is secured and event.text.startswith("250"):
            texts.append(event.text[4:])
    return parse(Reply(250, tuple(texts)), extended=extended) if texts else None


def role(endpoint: Endpoint, given: str, *, logged_in: bool) -> str:
    """The role that is given; else `submission` where somebody logs in or the port is one for that, else `mx`."""
    if given != AUTO:
        return given
    return MX if endpoint.port == 25 and not logged_in else SUBMISSION
