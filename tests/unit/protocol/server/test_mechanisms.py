"""The server's half of SASL. RFC examples where the server has no part of its own in them; else a client of scramp's."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from scramp import ScramClient

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.secret import Secret
from smtpctl.model.tls import TlsSession
from smtpctl.protocol.server.mechanisms import MECHANISMS, Denied, Door, Malformed, offered
from smtpctl.protocol.server.values import CLEAR, Setup

Start = Callable[..., Any]
HASH = b"\x01" * 32
TLS12 = TlsSession("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", 256, "", tls_unique=b"\x02" * 12)
CERTIFIED = TLS12._replace(subject="ann", verified=True)
DOOR = Door({"ann": Secret("pencil"), "änn": Secret("bleistift ä")}, TLS12, HASH, "sink.localhost")


def login(mechanism: str, initial: bytes | None, *responses: bytes, door: Door = DOOR) -> str:
    """Who logged in with these responses."""
    exchange = MECHANISMS[mechanism].run(door, initial)
    try:
        next(exchange)
        for response in responses:
            exchange.send(response)
    except StopIteration as done:
        return str(done.value)
    raise AssertionError("the mechanism asks for more")


@pytest.mark.parametrize(
    ("mechanism", "initial", "responses"),
    [
        ("PLAIN", b"\0ann\0pencil", ()),
        ("PLAIN", b"ann\0ann\0pencil", ()),
        ("PLAIN", None, (b"\0ann\0pencil",)),
        ("LOGIN", None, (b"ann", b"pencil")),
        ("LOGIN", b"ann", (b"pencil",)),
        ("XOAUTH2", b"user=ann\x01auth=Bearer pencil\x01\x01", ()),
        ("OAUTHBEARER", b"n,a=ann,\x01host=h\x01port=25\x01auth=Bearer pencil\x01\x01", ()),
        ("OAUTHBEARER", b"n,,\x01auth=Bearer pencil\x01\x01", ()),
    ],
)
def test_logins(mechanism: str, initial: bytes | None, responses: tuple[bytes, ...]) -> None:
    assert login(mechanism, initial, *responses) == "ann"


def test_utf8_names_and_passwords() -> None:
    assert login("PLAIN", "\0änn\0bleistift ä".encode()) == "änn"


@pytest.mark.parametrize(
    ("mechanism", "initial", "responses"),
    [
        ("PLAIN", b"\0ann\0wrong", ()),
        ("PLAIN", b"\0bob\0pencil", ()),
        ("PLAIN", b"bob\0ann\0pencil", ()),
        ("LOGIN", None, (b"ann", b"")),
        ("CRAM-MD5", None, (b"ann 00112233445566778899aabbccddeeff",)),
        ("CRAM-MD5", None, (b"",)),
        ("SCRAM-SHA-256", b"n,,n=ann,r=abc", (b"c=biws,r=abc,p=AAAA",)),
        ("SCRAM-SHA-256", b"what", ()),
        ("SCRAM-SHA-256", b"y,,n=ann,r=abc", ()),  # we do support channel bindings: somebody hid them
        ("SCRAM-SHA-256-PLUS", b"p=tls-exporter,,n=ann,r=abc", ()),
        ("SCRAM-SHA-256-PLUS", b"n,,n=ann,r=abc", ()),
        ("EXTERNAL", b"", ()),
        ("XOAUTH2", b"user=ann\x01auth=Bearer wrong\x01\x01", (b"",)),
        ("XOAUTH2", b"user=bob\x01auth=Bearer pencil\x01\x01", (b"",)),
        ("XOAUTH2", b"user=ann\x01auth=Basic pencil\x01\x01", (b"",)),
        ("OAUTHBEARER", b"n,a=ann,\x01auth=Bearer wrong\x01\x01", (b"\x01",)),
    ],
)
def test_denied(mechanism: str, initial: bytes | None, responses: tuple[bytes, ...]) -> None:
    with pytest.raises(Denied):
        login(mechanism, initial, *responses)


@pytest.mark.parametrize(
    ("mechanism", "initial"),
    [("PLAIN", b""), ("PLAIN", b"a\0b"), ("PLAIN", b"\0\xff\0x"), ("OAUTHBEARER", b"x"), ("SCRAM-SHA-1", b"\xff")],
)
def test_malformed(mechanism: str, initial: bytes) -> None:
    with pytest.raises(Malformed):
        login(mechanism, initial)


def test_cram_md5() -> None:
    exchange = MECHANISMS["CRAM-MD5"].run(DOOR, None)
    challenge = next(exchange)
    assert challenge.startswith(b"<")
    assert challenge.endswith(b"@sink.localhost>")
    digest = hmac.new(b"pencil", challenge, "md5").hexdigest()
    with pytest.raises(StopIteration) as done:
        exchange.send(f"ann {digest}".encode())
    assert done.value.value == "ann"


BINDINGS = {"tls-server-end-point": HASH, "tls-unique": TLS12.tls_unique}


@pytest.mark.parametrize("binding", [None, *BINDINGS])
@pytest.mark.parametrize("hashed", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram(hashed: str, binding: str | None) -> None:
    name = f"{hashed}-PLUS" if binding else hashed
    client = ScramClient([name], "ann", "pencil", channel_binding=binding and (binding, BINDINGS[binding]))
    exchange = MECHANISMS[name].run(DOOR, client.get_client_first().encode())
    client.set_server_first(next(exchange).decode())
    client.set_server_final(exchange.send(client.get_client_final().encode()).decode())
    with pytest.raises(StopIteration) as done:
        exchange.send(b"")
    assert done.value.value == "ann"


def test_another_channel_is_denied() -> None:
    client = ScramClient(["SCRAM-SHA-256-PLUS"], "ann", "pencil", channel_binding=("tls-unique", b"\x03" * 12))
    exchange = MECHANISMS["SCRAM-SHA-256-PLUS"].run(DOOR, client.get_client_first().encode())
    client.set_server_first(next(exchange).decode())
    with pytest.raises(Denied):
        exchange.send(client.get_client_final().encode())


def test_external_takes_the_name_of_the_certificate() -> None:
    door = DOOR._replace(session=CERTIFIED)
    assert login("EXTERNAL", b"", door=door) == "ann"
    assert login("EXTERNAL", None, b"ann", door=door) == "ann"
    with pytest.raises(Denied):
        login("EXTERNAL", b"bob", door=door)
    with pytest.raises(Denied):
        login("EXTERNAL", b"", door=DOOR._replace(session=CERTIFIED._replace(subject="bob")))


def test_an_oauth_refusal_says_why_first() -> None:
    exchange = MECHANISMS["XOAUTH2"].run(DOOR, b"user=ann\x01auth=Bearer old\x01\x01")
    assert next(exchange) == b'{"status": "401", "schemes": "bearer", "scope": "mail"}'
    with pytest.raises(Denied):
        exchange.send(b"")


def test_what_is_offered() -> None:
    setup = Setup(users=DOOR.users, mechanisms=tuple(MECHANISMS), tls=TlsMode.STARTTLS)
    bound = setup._replace(certificate_hash=HASH)
    reveal = {"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}
    plus = {name for name in MECHANISMS if name.endswith("-PLUS")}
    assert not {*reveal, *plus, "EXTERNAL"} & {*offered(bound, CLEAR)}
    assert offered(bound, TLS12) == tuple(MECHANISMS)
    assert not plus & {*offered(setup, TLS12)}
    assert reveal < {*offered(setup._replace(tls=TlsMode.NONE), CLEAR)}
    assert offered(setup._replace(users={}), TLS12) == ()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


SETUP = Setup(users=DOOR.users, mechanisms=("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "EXTERNAL"))


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["AUTH PLAIN " + b64(b"\0ann\0pencil")], [235]),
        (["auth plain", b64(b"\0ann\0pencil")], [334, 235]),
        (["AUTH LOGIN", b64(b"ann"), b64(b"pencil"), "AUTH LOGIN"], [334, 334, 235, 503]),
        (["AUTH LOGIN", "*"], [334, 501]),
        (["AUTH LOGIN", "no base64!"], [334, 501]),
        (["AUTH LOGIN", "AAAA" * 4000, "NOOP"], [334, 500, 250]),
        (["AUTH PLAIN ="], [501]),
        (["AUTH PLAIN " + b64(b"\0ann\0wrong")], [535]),
        (["AUTH CRAM-MD5 " + b64(b"ann x")], [501]),
        (["AUTH XOAUTH2 " + b64(b"user=ann\x01auth=Bearer x\x01\x01"), ""], [334, 535]),
        (["AUTH NTLM"], [504]),
        (["AUTH EXTERNAL ="], [538]),
        (["AUTH"], [504]),
        (["MAIL FROM:<a@b>"], [530]),
        (["AUTH PLAIN " + b64(b"\0ann\0pencil"), "MAIL FROM:<a@b> AUTH=<>", "AUTH LOGIN"], [235, 250, 503]),
    ],
)
def test_auth_commands(talk: Start, lines: list[str], codes: list[int]) -> None:
    assert talk(SETUP, "EHLO me", *lines).codes == [220, 250, *codes]
