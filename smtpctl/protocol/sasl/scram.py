"""SCRAM and SCRAM-PLUS (RFC 5802, 7677): both sides prove that they know the password, neither shows it.

scramp does the mathematics. What makes a server untrustworthy is judged here, in words a user can act on: a nonce
that does not extend ours, an iteration count that is absurd, a signature that is wrong or was never sent.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Accepted, Exchange, SaslContext, SaslFailure, prepared, unusable

if TYPE_CHECKING:
    from scramp import ScramClient  # type: ignore[import-untyped]

# Fewer rounds make a stolen conversation cheap to crack (RFC 7677 4). More keep this machine busy, and no time limit can
# interrupt that: a million are half a second.
LEAST_ROUNDS = 4096
MOST_ROUNDS = 1_000_000
# The binding to expect first (RFC 5802 6.1); TLS 1.3 has no tls-unique.
_BINDINGS = ("tls-unique", "tls-server-end-point")


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """Two responses, then an empty one to the server's signature. SaslFailure `auth.server_not_authenticated` when
    the server cannot be trusted, `auth.challenge_not_understood` for what is not SCRAM."""
    try:
        proven = yield from _prove(name, _client(name, credentials, context))
    except Accepted:
        raise _untrusted(name, "it accepted the login without proving that it knows the password") from None
    if proven:
        yield b""


def _prove(name: str, client: ScramClient) -> Generator[bytes, bytes, bool]:
    """The two messages of each side; True when the server's signature is right, False when it sent an error."""
    from scramp import ScramException

    first = _text(name, (yield client.get_client_first().encode()))
    if first.startswith("e="):
        yield b""
        return False
    _check_first(name, first, str(client.c_nonce))
    try:
        client.set_server_first(first)
        response = client.get_client_final().encode()
    except ScramException as error:
        raise _not_understood(name, str(error)) from error
    final = _text(name, (yield response))
    if final.startswith("e="):
        yield b""
        return False
    try:
        client.set_server_final(final)
    except ScramException as error:
        raise _untrusted(name, "its signature is not the one the password gives") from error
    return True


def _check_first(name: str, message: str, nonce: str) -> None:
    """Refuse a first message that a server which means well would not send."""
    attributes = dict(part.partition("=")[::2] for part in message.split(","))
    if not {"r", "s", "i"} <= attributes.keys():
        raise _not_understood(name, "a SCRAM message has the attributes r, s and i")
    if not attributes["r"].startswith(nonce) or attributes["r"] == nonce:
        raise _untrusted(name, "its nonce does not extend the one that was sent, so the answer may be an old one")
    rounds = attributes["i"]
    if not (rounds.isascii() and rounds.isdigit()) or len(rounds) > 20:
        raise _not_understood(name, "the iteration count is not a number")
    if not LEAST_ROUNDS <= int(rounds) <= MOST_ROUNDS:
        raise _untrusted(
            name, f"it asks for {int(rounds):,} rounds of hashing; {LEAST_ROUNDS:,} to {MOST_ROUNDS:,} are sensible"
        )


def _text(name: str, challenge: bytes) -> str:
    try:
        return challenge.decode()
    except UnicodeDecodeError:
        raise _not_understood(name, "a SCRAM message is UTF-8 text") from None


def _untrusted(name: str, why: str) -> SaslFailure:
    return SaslFailure("auth.server_not_authenticated", name, f"the server cannot be trusted: {why}")


def _not_understood(name: str, why: str) -> SaslFailure:
    return SaslFailure("auth.challenge_not_understood", name, why)


def _client(name: str, credentials: Credentials, context: SaslContext) -> ScramClient:
    from scramp import ScramClient, ScramException

    username, password = prepared(name, credentials)
    try:
        return ScramClient(
            [name], username, password, channel_binding=_binding(name, context), c_nonce=context.nonce or None
        )
    except ScramException as error:
        raise unusable(name, f"{error}.") from error


def _binding(name: str, context: SaslContext) -> tuple[str, bytes] | None:
    """With a binding and no -PLUS, scramp tells the server `y`: "I could bind, you do not offer it", by which the
    server notices that someone removed -PLUS from its list. That is true only of the usual binding, and only if
    the list has no -PLUS; otherwise the flag is `n`."""
    kind = next((kind for kind in _BINDINGS if context.bindings.get(kind)), None)
    if name.endswith("-PLUS"):
        if kind is None:
            raise unusable(name, "The connection has no TLS channel binding that it could use.")
        return kind, context.bindings[kind]
    if kind != _BINDINGS[0] or any(other.upper() == f"{name}-PLUS" for other in context.offered):
        return None
    return kind, context.bindings[kind]
