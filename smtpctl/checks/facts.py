"""What checks judge: one session as far as it got. Checks take these and nothing else."""

from __future__ import annotations

from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.record import NamedTuple
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.protocol.dialogue import Session
from smtpctl.protocol.ehlo import Capabilities, parse


class Facts(NamedTuple):
    """One session with one server.

    `session` is None where it did not get as far as a login; `tls` the handshake, also one that was refused; `chain` the
    presented certificates, leaf first, None for one that cannot be read; `helo` the name we gave; `now` epoch seconds;
    `trusted` that the network to the server is.
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
        """`submission` where somebody logs in or the port is one for that, else `mx`."""
        if self.endpoint.port in (465, 587, 2525, 2587) or (self.session and self.session.authenticated):
            return "submission"
        return "mx" if self.endpoint.port == 25 else "submission"
