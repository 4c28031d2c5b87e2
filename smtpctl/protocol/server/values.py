"""What a server is (`Setup`), what it took (`Mail`), and the steps that only a server yields.

step       the generator is resumed with
Deliver    the id the mail was stored under, or None where it could not be stored
Pause      None, after `seconds`
Hangup     None for HALF (the peer may go on talking); the others end the session
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, TypeAlias

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.model.tls import TlsSession
from smtpctl.protocol.server.faults import End, Faults
from smtpctl.protocol.steps import Step

EXTENSIONS = (
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "SMTPUTF8",
    "CHUNKING",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "STARTTLS",
    "AUTH",
    "REQUIRETLS",
)


class Limits(NamedTuple):
    """Octets: `content` of a mail, `line` of a command (RFC 5321 asks for 512), `response` of an AUTH line
    (RFC 4954 4: 12288). Counts: `recipients` of a mail, `errors` (5xx replies) of a session."""

    content: int = 100 * 1024 * 1024
    line: int = 2048
    response: int = 12288
    recipients: int = 1000
    errors: int = 20


class Setup(NamedTuple):
    """One server.

    `users` maps a name to its password, which is also its OAuth token; with users, mail needs a login unless
    `open_relay`. `mechanisms` are offered in this order, those that show the password only where `tls` is NONE
    or on. `certificate_hash` is the tls-server-end-point value of the server's certificate (RFC 5929 4.1), empty
    without; with it the -PLUS forms work. `greeting` and `hello` are the texts of 220 and of the first line after EHLO,
    empty for our own. `denial` is what a refused token is answered with before the 535 (RFC 7628 3.2.2): None for our
    own words, empty for none.
    """

    name: str = "sink.localhost"
    lmtp: bool = False
    tls: TlsMode = TlsMode.NONE
    extensions: tuple[str, ...] = EXTENSIONS
    users: Mapping[str, Secret] = {}
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    open_relay: bool = False
    certificate_hash: bytes = b""
    limits: Limits = Limits()
    faults: Faults = Faults()
    greeting: str = ""
    hello: str = ""
    denial: str | None = None


class Path(NamedTuple):
    """One reverse-path or forward-path with its ESMTP parameters, keywords in upper case, "" for no value."""

    address: str
    parameters: Mapping[str, str] = {}


class Mail(NamedTuple):
    """One accepted mail and how it came. `content` is as sent, dot-stuffing taken off.

    `protocol` as in RFC 3848 (`ESMTPSA`); `tls` like `TLSv1.3`, "" without; `chunks` BDAT commands, 0 for DATA;
    `remarks` what the client did that servers may not bear (`session.REMARKS`).
    """

    sender: Path
    recipients: tuple[Path, ...]
    content: bytes
    helo: str
    protocol: str
    tls: str = ""
    login: str = ""
    mechanism: str = ""
    chunks: int = 0
    remarks: tuple[str, ...] = ()


class Deliver(NamedTuple):
    """Store this mail now."""

    mail: Mail


class Pause(NamedTuple):
    """Do nothing for so many seconds; what was sent before goes out first."""

    seconds: float


class Hangup(NamedTuple):
    """End the connection in this way."""

    how: End


ServerStep: TypeAlias = Step | Deliver | Pause | Hangup
ServerDialogue: TypeAlias = Generator[ServerStep, Any, None]

CLEAR = TlsSession("", "", 0, "")  # no TLS yet
