"""What every mechanism shares: the shape of an exchange, its surroundings, and how it fails.

An exchange is a generator. `next()` gives the initial response, or None when the server speaks first;
`send(challenge)` gives the next response (`b""` is an empty one). When it ends, the client has nothing to
say to that challenge, and the dialogue cancels with `*` (RFC 4954 4). When the server answers 235, tell the
exchange with `accepted()`: mechanisms that authenticate the server too then check that it proved itself.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TypeAlias

from smtpctl.model.endpoint import Credentials
from smtpctl.model.errors import Obstacle, SmtpctlError
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage

Exchange: TypeAlias = Generator[bytes | None, bytes, None]


class SaslContext(NamedTuple):
    """The connection an exchange runs on.

    `host` is the name that was asked for (GSSAPI's principal, OAUTHBEARER's `host=`), `offered` the mechanisms
    the server advertises, `bindings` the channel bindings by IANA name (`tls-unique`, `tls-server-end-point`;
    RFC 5929) as far as the TLS session has them. `eager_login` sends LOGIN's user name with the command, which
    saves a round trip and is understood by most servers, but not by all. `nonce` fixes SCRAM's client nonce, for
    test vectors.
    """

    host: str
    port: int
    service: str = "smtp"
    secured: bool = False
    bindings: Mapping[str, bytes] = {}
    offered: tuple[str, ...] = ()
    eager_login: bool = False
    nonce: str = ""


class SaslFailure(SmtpctlError):
    """The exchange cannot go on: the server cannot be trusted or cannot be understood.

    `id` is a finding's id: `auth.server_not_authenticated` or `auth.challenge_not_understood`. The message
    holds what was wrong, never a secret.
    """

    def __init__(self, id: str, mechanism: str, message: str) -> None:
        super().__init__(message)
        self.id = id
        self.mechanism = mechanism
        self.message = message


class Accepted(Exception):
    """Thrown into an exchange at 235, by `accepted()`."""


def accepted(exchange: Exchange) -> None:
    """Call this when the server answers 235. SaslFailure when it did so without proving that it knows the
    password, in a mechanism where it must (SCRAM, RFC 5802 3)."""
    try:
        exchange.throw(Accepted())
    except (Accepted, StopIteration):
        pass


def utf8(mechanism: str, text: str) -> bytes:
    """`text` as it goes to the server. Obstacle when it came from octets that were no UTF-8 (an argument or a variable
    in another encoding)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise unusable(mechanism, "The user name, password or host name holds octets that are not UTF-8.") from None


def prepared(mechanism: str, credentials: Credentials) -> tuple[str, str]:
    """User name and password after SASLprep (RFC 4013), for mechanisms that hash them. Obstacle when it forbids them."""
    from smtpctl.protocol.sasl.saslprep import Unpreparable, saslprep

    result = []
    for what, text in (("user name", credentials.username), ("password", credentials.password.reveal())):
        try:
            result.append(saslprep(text))
        except Unpreparable as error:
            raise unusable(mechanism, f"In the {what}, {error}; SASLprep (RFC 4013) forbids it.") from None
    return result[0], result[1]


def bearer(mechanism: str, credentials: Credentials) -> tuple[str, str]:
    """User name and access token, safe to stand between Ctrl-A's. Problem for characters that would break the message."""
    token = credentials.token.reveal()
    if not token or not all("\x21" <= char <= "\x7e" for char in token):
        raise unusable(mechanism, "The access token holds a blank, line end or other character that no token has.")
    if any(char < " " for char in credentials.username):
        raise unusable(mechanism, "The user name holds a control character.")
    return credentials.username, token


def unusable(mechanism: str, message: str) -> Obstacle:
    """The credentials cannot be used with this mechanism, whatever the server says."""
    return Obstacle(Stage.AUTH, "auth.credentials_unusable", {"mechanism": mechanism, "reason": message})


def library_missing(mechanism: str, extra: str, library: str) -> Obstacle:
    """The mechanism needs a library that is not installed with smtpctl."""
    return Obstacle(Stage.AUTH, "auth.library_missing", {"mechanism": mechanism, "extra": extra, "library": library})
