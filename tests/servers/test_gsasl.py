"""GNU SASL as the other side: a server that nobody here wrote, for each mechanism it has, SCRAM-PLUS included.

The program's own server mode has no TLS and so no channel binding; its library takes the binding as a property.
"""

from __future__ import annotations

import base64
import ctypes
from collections.abc import Callable, Mapping

import pytest

from bed.kerberos import Realm
from harness import Requires
from smtpctl.model.endpoint import Credentials
from smtpctl.model.errors import Obstacle
from smtpctl.model.secret import Secret
from smtpctl.protocol import sasl
from smtpctl.protocol.sasl import SaslContext, SaslFailure
from smtpctl.protocol.sasl.saslprep import saslprep

OK, NEEDS_MORE, NO_CALLBACK = 0, 1, 51
AUTHID, AUTHZID, PASSWORD, SERVICE, HOSTNAME, TLS_UNIQUE = 1, 2, 3, 5, 6, 18
VALIDATE_SIMPLE, VALIDATE_EXTERNAL, VALIDATE_GSSAPI = 500, 501, 503
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
BINDING = b"\x01twelve bytes"
CONTEXT = SaslContext("mail.example.com", 587, secured=True, bindings={"tls-unique": BINDING})


class Peer:
    """One server session of libgsasl; `step` takes what the client said and gives what the server says."""

    def __init__(self, library: ctypes.CDLL, mechanism: str, properties: Mapping[int, bytes]) -> None:
        self._library = library
        self._context, self._session = ctypes.c_void_p(), ctypes.c_void_p()
        self._answer = _CALLBACK(self._asked)
        self.done = False
        assert library.gsasl_init(ctypes.byref(self._context)) == OK
        library.gsasl_callback_set(self._context, self._answer)
        assert library.gsasl_server_start(self._context, mechanism.encode(), ctypes.byref(self._session)) == OK
        for prop, value in {SERVICE: b"smtp", **properties}.items():
            library.gsasl_property_set(self._session, prop, value)
        self._password = saslprep(properties[PASSWORD].decode()).encode()  # the server prepares (RFC 4616 2)

    def _asked(self, context: int, session: int, prop: int) -> int:
        """PLAIN and LOGIN leave it to the application to compare the password."""
        if prop in (VALIDATE_EXTERNAL, VALIDATE_GSSAPI):
            return OK
        if prop != VALIDATE_SIMPLE:
            return NO_CALLBACK
        given = self._library.gsasl_property_fast(session, PASSWORD)
        return OK if given == self._password else 31

    def step(self, said: bytes) -> bytes:
        out, length = ctypes.c_void_p(), ctypes.c_size_t()
        code = self._library.gsasl_step(
            self._session, said, ctypes.c_size_t(len(said)), ctypes.byref(out), ctypes.byref(length)
        )
        if code not in (OK, NEEDS_MORE):
            raise PermissionError(self._library.gsasl_strerror(code).decode())
        self.done = code == OK
        return ctypes.string_at(out, length.value) if out.value else b""


@pytest.fixture
def peer(requires: Requires) -> Callable[..., Peer]:
    requires("gsasl")
    library = ctypes.CDLL("libgsasl.so.18")
    library.gsasl_strerror.restype = ctypes.c_char_p
    library.gsasl_property_fast.restype = ctypes.c_char_p
    library.gsasl_property_fast.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.gsasl_property_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]

    def start(
        mechanism: str, password: str = "pencil", binding: bytes | None = None, hostname: str = "mail.example.com"
    ) -> Peer:
        bound = binding or (BINDING if mechanism.endswith("-PLUS") else None)
        properties = {PASSWORD: password.encode(), HOSTNAME: hostname.encode()} | (
            {TLS_UNIQUE: base64.b64encode(bound)} if bound else {}
        )
        return Peer(library, mechanism, properties)

    return start


def log_in(peer: Peer, mechanism: str, credentials: Credentials, context: SaslContext = CONTEXT) -> None:
    """The exchange as over SMTP: the server's last word comes as a challenge and is answered with an empty line."""
    exchange = sasl.start(mechanism, credentials, context._replace(offered=(mechanism,)))
    said = next(exchange)
    challenge = peer.step(said) if said is not None else peer.step(b"")
    while not peer.done or challenge:
        answer = exchange.send(challenge)
        if peer.done:
            assert answer == b""
            break
        challenge = peer.step(answer or b"")
    sasl.accepted(exchange)


ALL = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "EXTERNAL",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256-PLUS",
]


@pytest.mark.parametrize("mechanism", ALL)
def test_log_in(peer: Callable[..., Peer], mechanism: str) -> None:
    server = peer(mechanism)
    log_in(server, mechanism, Credentials("ann", Secret("pencil")))
    assert server.done


@pytest.mark.parametrize("mechanism", [name for name in ALL if name not in ("EXTERNAL", "LOGIN")])
def test_a_name_and_password_that_are_not_ascii(peer: Callable[..., Peer], mechanism: str) -> None:
    log_in(peer(mechanism, "pässwört ½=,"), mechanism, Credentials("jürgen=,", Secret("pässwört ½=,")))


@pytest.mark.parametrize("mechanism", [name for name in ALL if name != "EXTERNAL"])
def test_a_wrong_password_is_refused(peer: Callable[..., Peer], mechanism: str) -> None:
    with pytest.raises(PermissionError):
        log_in(peer(mechanism), mechanism, Credentials("ann", Secret("crayon")))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_another_channel_is_refused(peer: Callable[..., Peer], mechanism: str) -> None:
    """What a man in the middle looks like to the server: the password is right, the TLS channel is another one."""
    with pytest.raises(PermissionError):
        log_in(peer(mechanism, binding=b"another chan"), mechanism, Credentials("ann", Secret("pencil")))


def test_a_removed_plus_is_noticed(peer: Callable[..., Peer]) -> None:
    """Someone took -PLUS off the list: we say that we could bind, and the server, which could as well, refuses."""
    with pytest.raises(PermissionError):
        log_in(peer("SCRAM-SHA-256", binding=BINDING), "SCRAM-SHA-256", Credentials("ann", Secret("pencil")))


def test_a_server_without_the_password_is_found_out(peer: Callable[..., Peer]) -> None:
    server = peer("SCRAM-SHA-256", "guessed")
    exchange = sasl.start("SCRAM-SHA-256", Credentials("ann", Secret("pencil")), CONTEXT)
    challenge = server.step(next(exchange) or b"")
    exchange.send(challenge)
    with pytest.raises(SaslFailure):
        exchange.send(b"v=" + b"A" * 43 + b"=")


@pytest.fixture
def ticket(realm: Realm, requires: Requires, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Kerberos ticket for alice, and the service's key for the server."""
    requires.module("gssapi", "gssapi")
    for name, value in realm.client_environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("username", ["", "alice"])
@pytest.mark.usefixtures("ticket")
def test_a_kerberos_ticket(peer: Callable[..., Peer], username: str) -> None:
    server = peer("GSSAPI", hostname="localhost")
    log_in(server, "GSSAPI", Credentials(username), SaslContext("localhost", 587))
    assert server.done


@pytest.mark.usefixtures("ticket")
def test_a_server_that_the_realm_does_not_know() -> None:
    exchange = sasl.start("GSSAPI", Credentials(), SaslContext("mail.example.com", 587))
    with pytest.raises(Obstacle) as caught:
        next(exchange)
    assert "no ticket for smtp/mail.example.com" in caught.value.facts["reason"]
