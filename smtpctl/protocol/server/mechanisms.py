"""The server's half of SASL: one generator a mechanism, bytes in, bytes out.

A mechanism yields challenges, is resumed with responses and returns the name that logged in. It raises `Denied`
where the proof is wrong and `Malformed` where the response has not the form its RFC gives.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TypeAlias

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.model.tls import TlsSession
from smtpctl.protocol.server.values import Setup

Exchange: TypeAlias = Generator[bytes, bytes, str]


class Denied(Exception):
    """The proof is wrong: 535."""


class Malformed(Exception):
    """The response has the wrong form: 501."""


class Door(NamedTuple):
    """Who may come in, what channel bindings compare with, and what is said to a wrong token (`Setup.denial`)."""

    users: Mapping[str, Secret]
    session: TlsSession
    certificate_hash: bytes
    name: str
    denial: str | None = None

    def admit(self, name: bytes, password: bytes, authzid: bytes = b"") -> str:
        """The name, if the password is right and nobody else is meant; Denied otherwise."""
        user = _text(name)
        expected = self.users.get(user, Secret(secrets.token_hex()))
        right = hmac.compare_digest(expected.reveal().encode("utf-8"), password)
        if not right or authzid not in (b"", name):
            raise Denied
        return user


class Mechanism(NamedTuple):
    """`reveals`: shows the password or token to the server. `tls`: works only under TLS; `bound`: only with a
    channel binding. `client_first` False: an initial response is refused (RFC 4954 4)."""

    run: Callable[[Door, bytes | None], Exchange]
    reveals: bool = False
    tls: bool = False
    bound: bool = False
    client_first: bool = True


def plain(door: Door, initial: bytes | None) -> Exchange:
    """RFC 4616."""
    parts = (initial if initial is not None else (yield b"")).split(b"\0")
    if len(parts) != 3:
        raise Malformed
    return door.admit(parts[1], parts[2], authzid=parts[0])


def login(door: Door, initial: bytes | None) -> Exchange:
    """draft-murchison-sasl-login."""
    name = initial if initial is not None else (yield b"Username:")
    return door.admit(name, (yield b"Password:"))


def cram_md5(door: Door, initial: bytes | None) -> Exchange:
    """RFC 2195."""
    challenge = f"<{secrets.token_hex(8)}@{door.name}>".encode("ascii")
    name, _, digest = (yield challenge).rpartition(b" ")
    user = _text(name)
    password = door.users.get(user, Secret(secrets.token_hex())).reveal().encode("utf-8")
    expected = hmac.new(password, challenge, "md5").hexdigest().encode("ascii")
    if not hmac.compare_digest(expected, digest):
        raise Denied
    return user


def scram(mechanism: str, door: Door, initial: bytes | None) -> Exchange:
    """RFC 5802, RFC 7677; channel bindings tls-server-end-point and tls-unique (RFC 5929)."""
    from scramp import ScramException, ScramMechanism  # type: ignore[import-untyped]

    first = _text(initial if initial is not None else (yield b""))
    kind = ScramMechanism(mechanism)
    user = ""

    def stored(name: str) -> tuple[bytes, bytes, bytes, int]:
        nonlocal user
        user = name
        password = door.users.get(name, Secret(secrets.token_hex()))
        info: tuple[bytes, bytes, bytes, int] = kind.make_auth_info(password.reveal())
        return info

    try:
        server = kind.make_server(stored, _binding(mechanism, door, first))
        server.set_client_first(first)
        server.set_client_final(_text((yield server.get_server_first().encode("utf-8"))))
        yield server.get_server_final().encode("utf-8")
    except (ScramException, ValueError) as error:
        raise Denied from error
    return user


def _binding(mechanism: str, door: Door, first: str) -> tuple[str, bytes] | None:
    """What the client binds to, as this side sees it. A client that could bind but thinks we cannot was lied to."""
    if not mechanism.endswith("-PLUS"):
        if first.startswith("y") and door.certificate_hash and door.session.protocol:
            raise Denied
        return None
    kind = first.partition(",")[0].removeprefix("p=")
    data = {"tls-server-end-point": door.certificate_hash, "tls-unique": door.session.tls_unique}.get(kind, b"")
    if not data:
        raise Denied
    return kind, data


def external(door: Door, initial: bytes | None) -> Exchange:
    """RFC 4422 appendix A: the client certificate says who."""
    authzid = _text(initial if initial is not None else (yield b""))
    user = door.session.subject
    if not door.session.verified or user not in door.users or authzid not in ("", user):
        raise Denied
    return user


def xoauth2(door: Door, initial: bytes | None) -> Exchange:
    """`user=NAME ^A auth=Bearer TOKEN ^A ^A`; a refusal is a JSON challenge first."""
    fields = _fields(initial if initial is not None else (yield b""))
    return (yield from _bearer(door, fields.get(b"user", b""), fields, "401"))


def oauthbearer(door: Door, initial: bytes | None) -> Exchange:
    """RFC 7628: the same with a GS2 header; without `a=` the token alone says who."""
    header, _, rest = (initial if initial is not None else (yield b"")).partition(b"\x01")
    parts = header.split(b",")
    if len(parts) != 3 or parts[0] not in (b"n", b"y"):
        raise Malformed
    name = parts[1].removeprefix(b"a=").replace(b"=2C", b",").replace(b"=3D", b"=")
    return (yield from _bearer(door, name, _fields(rest), "invalid_token"))


def _fields(data: bytes) -> dict[bytes, bytes]:
    pairs = (field.partition(b"=") for field in data.split(b"\x01") if field)
    return {key: value for key, _, value in pairs}


def _bearer(door: Door, name: bytes, fields: Mapping[bytes, bytes], status: str) -> Exchange:
    kind, _, token = fields.get(b"auth", b"").partition(b" ")
    holders = (user.encode("utf-8") for user, secret in door.users.items() if secret.reveal().encode("utf-8") == token)
    try:
        if kind.lower() != b"bearer":
            raise Denied
        return door.admit(name or next(holders, b""), token)
    except Denied:
        # RFC 7628 3.2.2: the reason goes to the client as a challenge, which it answers before the 535.
        own = json.dumps({"status": status, "schemes": "bearer", "scope": "mail"})
        challenge = own if door.denial is None else door.denial
        if challenge:
            yield challenge.encode("utf-8")
        raise


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed from error


_SCRAM = ("SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1")
MECHANISMS: Mapping[str, Mechanism] = {
    **{f"{name}-PLUS": Mechanism(partial(scram, f"{name}-PLUS"), tls=True, bound=True) for name in _SCRAM},
    **{name: Mechanism(partial(scram, name)) for name in _SCRAM},
    "CRAM-MD5": Mechanism(cram_md5, client_first=False),
    "EXTERNAL": Mechanism(external, tls=True),
    "OAUTHBEARER": Mechanism(oauthbearer, reveals=True),
    "XOAUTH2": Mechanism(xoauth2, reveals=True),
    "PLAIN": Mechanism(plain, reveals=True),
    "LOGIN": Mechanism(login, reveals=True),
}


def offered(setup: Setup, session: TlsSession) -> tuple[str, ...]:
    """The mechanisms that can be used now. A server with TLS takes no password before it is on."""
    secured = bool(session.protocol)

    def usable(mechanism: Mechanism) -> bool:
        if mechanism.bound and not setup.certificate_hash:
            return False
        return secured or not (mechanism.tls or (mechanism.reveals and setup.tls is not TlsMode.NONE))

    if not setup.users or "AUTH" not in setup.extensions:
        return ()
    return tuple(name for name in setup.mechanisms if usable(MECHANISMS[name]))
