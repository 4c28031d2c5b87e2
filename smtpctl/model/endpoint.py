"""Where and how to connect: plain values that a profile is resolved into and the engine runs on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage


class TlsMode(StrEnum):
    """How a connection is encrypted."""

    IMPLICIT = "implicit"  # from the first octet (RFC 8314 3.3)
    STARTTLS = "starttls"  # upgraded before anything else; never falls back (RFC 3207)
    AUTO = "auto"  # STARTTLS where offered; credentials are never sent in clear
    NONE = "none"


USUAL_PORT: Mapping[TlsMode, int] = {
    TlsMode.IMPLICIT: 465,
    TlsMode.STARTTLS: 587,
    TlsMode.AUTO: 25,
    TlsMode.NONE: 25,
}


class Endpoint(NamedTuple):
    """A server. `host` is an A-label name, an IPv4 address or an IPv6 address without brackets;
    a UNIX socket has `path` instead. `lmtp` selects LHLO (RFC 2033)."""

    host: str
    port: int
    path: str = ""
    lmtp: bool = False

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether the host can only be this machine, whatever DNS says: `localhost` or an address, never a name that looks
    like one (`127.0.0.1.example.com`). Names below `localhost` are asked of DNS by some systems, so they are none."""
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdecimal())


class Route(NamedTuple):
    """How to reach it: `family` 4, 6 or 0 for both; local `source` address; `proxy` URL (socks5:// or http://)."""

    family: int = 0
    source: str = ""
    proxy: str = ""


class TlsPolicy(NamedTuple):
    """What TLS must be like.

    `verify` False accepts any certificate (`--insecure`). Paths are files; `sni` and `verify_name` default to
    the host; `pins` are lower-case hex SHA-256 values of a certificate or of an SPKI; `minimum` is `1.2` or `1.3`.
    `renew_before` are the days before its end from which on a certificate is late to be renewed, 0 for what is usual.
    """

    mode: TlsMode = TlsMode.AUTO
    verify: bool = True
    ca_file: str = ""
    ca_dir: str = ""
    client_cert: str = ""
    client_key: str = ""
    sni: str = ""
    verify_name: str = ""
    pins: tuple[str, ...] = ()
    minimum: str = "1.2"
    renew_before: int = 0


class Credentials(NamedTuple):
    """Who logs in, and with what. An empty `username` with EXTERNAL lets the certificate say who."""

    username: str = ""
    password: Secret = Secret("")
    token: Secret = Secret("")  # OAuth 2.0 access token
    authzid: str = ""

    def __bool__(self) -> bool:
        return bool(self.username or self.password or self.token)


# RFC 5321 4.5.3.2 gives the longest a client should wait; people wait less, so the defaults are shorter.
RFC_TIMEOUTS: Mapping[Stage, float] = {
    Stage.GREETING: 300,
    Stage.EHLO: 300,
    Stage.STARTTLS: 300,
    Stage.AUTH: 300,
    Stage.MAIL: 300,
    Stage.RCPT: 300,
    Stage.DATA: 600,
}
DEFAULT_TIMEOUTS: Mapping[Stage, float] = {
    Stage.DNS: 10,
    Stage.CONNECT: 10,
    Stage.GREETING: 30,
    Stage.EHLO: 15,
    Stage.STARTTLS: 15,
    Stage.TLS: 15,
    Stage.AUTH: 30,
    Stage.MAIL: 30,
    Stage.RCPT: 30,
    Stage.DATA: 120,
    Stage.QUIT: 3,
}


class Timeouts(NamedTuple):
    """Seconds: `total` for the whole run (no peer can stretch it), `stages` what differs from the defaults."""

    total: float = 300
    stages: Mapping[Stage, float] = {}

    def of(self, stage: Stage) -> float:
        """Seconds that one step of this stage may take."""
        return self.stages.get(stage, DEFAULT_TIMEOUTS.get(stage, 30))


class AuthPolicy(NamedTuple):
    """How to log in.

    `method`: `auto` (OAuth 2.0 if there is a token, else the password, else nothing), `oauth2`, `basic` or `none`.
    `mechanism` forces one SASL mechanism. `requirement` as swaks has it: `required` (no login, no mail),
    `optional` (log in if the server offers a mechanism we can do, fail if it refuses), `optional-strict`
    (as `optional`, but an offered login that cannot be tried is a failure too).
    `initial_response`: whether the first response goes along with AUTH (RFC 4954 4): `auto` (where the mechanism begins and
    the line is short enough), `never`, or `always` (for LOGIN too, which only some servers understand).
    `allow_plaintext`: credentials may go over a connection without TLS; `trusted` hosts (loopback) may always.
    """

    method: str = "auto"
    mechanism: str = ""
    requirement: str = "required"
    allow_plaintext: bool = False
    initial_response: str = "auto"
