"""The table of mechanisms, and the one place that decides which of them may be tried, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from smtpctl.model.endpoint import AuthPolicy, Credentials
from smtpctl.model.record import NamedTuple


class Credential(StrEnum):
    """What a mechanism proves possession of."""

    PASSWORD = "password"
    TOKEN = "token"
    CERTIFICATE = "certificate"
    TICKET = "ticket"


class Mechanism(NamedTuple):
    """One mechanism. `module` is its file here; `strength` orders the candidates, higher first; `reveals` is
    whether an eavesdropper, or a wrong server, learns the password or token; `plus` whether it is bound to the
    TLS channel; `prepared` whether password and user name go through SASLprep before they are used; `authzid` whether
    it can carry an authorization identity; `library` what must be installed besides (its import name)."""

    module: str
    strength: int
    credential: Credential = Credential.PASSWORD
    client_first: bool = True
    reveals: bool = False
    plus: bool = False
    prepared: bool = False
    authzid: bool = False
    library: str = ""


# OAUTHBEARER is the standard (RFC 7628) and names host and port, so it goes before XOAUTH2. NTLM comes last: its
# session keys are as weak as its hashes, and it needs a user name in a form of its own. LOGIN costs two round trips more
# than PLAIN for the same.
MECHANISMS: Mapping[str, Mechanism] = {
    "EXTERNAL": Mechanism("external", 100, Credential.CERTIFICATE, authzid=True),
    "GSSAPI": Mechanism("gssapi", 95, Credential.TICKET, authzid=True, library="spnego"),
    "SCRAM-SHA-512-PLUS": Mechanism("scram", 86, plus=True, prepared=True),
    "SCRAM-SHA-256-PLUS": Mechanism("scram", 85, plus=True, prepared=True),
    "SCRAM-SHA-1-PLUS": Mechanism("scram", 84, plus=True, prepared=True),
    "OAUTHBEARER": Mechanism("oauthbearer", 81, Credential.TOKEN, reveals=True, authzid=True),
    "XOAUTH2": Mechanism("xoauth2", 80, Credential.TOKEN, reveals=True),
    "SCRAM-SHA-512": Mechanism("scram", 76, prepared=True),
    "SCRAM-SHA-256": Mechanism("scram", 75, prepared=True),
    "SCRAM-SHA-1": Mechanism("scram", 74, prepared=True),
    "CRAM-MD5": Mechanism("cram_md5", 50, client_first=False, prepared=True),
    "PLAIN": Mechanism("plain", 31, reveals=True, authzid=True),
    "LOGIN": Mechanism("login", 30, client_first=False, reveals=True),
    "NTLM": Mechanism("ntlm", 10, library="spnego"),
}


class Reason(StrEnum):
    """Why a mechanism was not taken; the value is what users read."""

    UNKNOWN = "smtpctl does not speak it"
    NOT_OFFERED = "the server does not offer it"
    NOT_CHOSEN = "another mechanism was asked for"
    NO_PASSWORD = "there is no password"
    NO_TOKEN = "there is no access token"
    NO_USERNAME = "there is no user name"
    NO_CERTIFICATE = "there is no client certificate on a TLS connection"
    METHOD = "the authentication method rules it out"
    ON_REQUEST = "it is used only when it is asked for by name"
    PLAINTEXT = "the connection is not encrypted: who listens would learn the password or token, or could guess it"
    NO_BINDING = "the connection has no TLS channel binding that it could use"
    NO_AUTHZID = "it cannot carry an authorization identity, and one is set"
    UNPREPARABLE = "the user name or password has characters that SASLprep (RFC 4013) forbids"
    NO_LIBRARY = "its library is not installed"


class Choice(NamedTuple):
    """The mechanisms to try, best first, and why the others are not among them.

    Further candidates are for a server that refuses a *mechanism* (504, 534 ...). After a 535 the credentials
    are wrong for all of them, and trying on only feeds a lock-out.
    """

    candidates: tuple[str, ...]
    rejected: tuple[tuple[str, Reason], ...] = ()


# Whoever overhears the proof of a password can guess it at leisure, as often as they like (RFC 5802 9). So SCRAM, CRAM-MD5
# and NTLM need TLS as PLAIN does.
_NEEDS_TLS = (Credential.PASSWORD, Credential.TOKEN)

# Credentials each method of `AuthPolicy` allows. A certificate or ticket is no password, so `basic` has none.
_METHODS: Mapping[str, frozenset[Credential]] = {
    "auto": frozenset(Credential),
    "oauth2": frozenset({Credential.TOKEN}),
    "basic": frozenset({Credential.PASSWORD}),
    "none": frozenset(),
}


def choose(
    advertised: Iterable[str],
    policy: AuthPolicy,
    credentials: Credentials,
    *,
    secured: bool,
    bindings: Mapping[str, bytes] | None = None,
    client_cert: bool = False,
) -> Choice:
    """Which of the `advertised` mechanisms to try, strongest first, each once.

    `secured`: TLS is on, or the connection cannot be overheard (a UNIX socket). `client_cert`: a client
    certificate was presented in the handshake. A forced mechanism (`policy.mechanism`) is the only candidate, but
    the rules on encryption and credentials hold for it as well.
    """
    forced = policy.mechanism.upper()
    offered = tuple(dict.fromkeys(name.upper() for name in advertised))
    situation = _Situation(policy, credentials, secured, bindings or {}, client_cert, forced)
    verdicts = {name: situation.objection(name) for name in offered}
    if forced and forced not in verdicts:
        verdicts[forced] = Reason.NOT_OFFERED if forced in MECHANISMS else Reason.UNKNOWN
    candidates = sorted((name for name, verdict in verdicts.items() if verdict is None), key=situation.rank)
    return Choice(tuple(candidates), tuple((name, why) for name, why in verdicts.items() if why is not None))


class _Situation(NamedTuple):
    policy: AuthPolicy
    credentials: Credentials
    secured: bool
    bindings: Mapping[str, bytes]
    client_cert: bool
    forced: str

    def objection(self, name: str) -> Reason | None:
        """Why `name` cannot be tried, or None."""
        if self.forced and name != self.forced:
            return Reason.NOT_CHOSEN
        mechanism = MECHANISMS.get(name)
        if mechanism is None:
            return Reason.UNKNOWN
        if not self.forced and mechanism.credential not in _METHODS[self.policy.method]:
            return Reason.METHOD
        return self._lacking(mechanism) or self._unsafe(mechanism)

    def _lacking(self, mechanism: Mechanism) -> Reason | None:
        has = self.credentials
        match mechanism.credential:
            case Credential.TOKEN if not has.token:
                return Reason.NO_TOKEN
            case Credential.PASSWORD if not has.password:
                return Reason.NO_PASSWORD
            case Credential.CERTIFICATE if not (self.client_cert and self.secured):
                return Reason.NO_CERTIFICATE
            # Who gives a password as well means the password: servers ask for a certificate without mapping it to a user.
            case Credential.CERTIFICATE if (has.password or has.token) and not self.forced:
                return Reason.ON_REQUEST
            case Credential.TICKET if not self.forced:
                return Reason.ON_REQUEST
        if mechanism.credential in (Credential.PASSWORD, Credential.TOKEN) and not has.username:
            return Reason.NO_USERNAME
        if has.authzid and not mechanism.authzid:
            return Reason.NO_AUTHZID
        if mechanism.plus and not self.bindings:
            return Reason.NO_BINDING
        return None

    def _unsafe(self, mechanism: Mechanism) -> Reason | None:
        may_show = self.policy.allow_plaintext and mechanism.credential is not Credential.TOKEN
        if mechanism.credential in _NEEDS_TLS and not (self.secured or may_show):
            return Reason.PLAINTEXT
        if self.forced:
            return None  # the mechanism itself says what is wrong, and how to mend it
        if mechanism.prepared and not _preparable(self.credentials):
            return Reason.UNPREPARABLE
        if mechanism.library and not _installed(mechanism.library):
            return Reason.NO_LIBRARY
        return None

    def rank(self, name: str) -> tuple[bool, bool, bool, int]:
        """Sort key, best first."""
        mechanism = MECHANISMS[name]
        # SMTP does not say which channel binding a server knows. tls-unique is the one to expect (RFC 5802 6.1); where
        # TLS 1.3 has none, tls-server-end-point is a guess, and a wrong guess counts as a failed login.
        guessed = mechanism.plus and "tls-unique" not in self.bindings
        in_clear = mechanism.reveals and not self.secured
        return mechanism.credential is not Credential.TOKEN, in_clear, guessed, -mechanism.strength


def _preparable(credentials: Credentials) -> bool:
    from smtpctl.protocol.sasl.saslprep import Unpreparable, saslprep

    try:
        saslprep(credentials.username)
        saslprep(credentials.password.reveal())
    except Unpreparable:
        return False
    return True


def _installed(library: str) -> bool:
    from importlib.util import find_spec

    return find_spec(library) is not None
