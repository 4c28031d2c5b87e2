"""The mechanisms on the vectors of their RFCs, and against servers that err or lie."""

from __future__ import annotations

import base64
import contextlib
import sys
from collections.abc import Iterable
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.endpoint import Credentials
from smtpctl.model.errors import Obstacle
from smtpctl.model.secret import Secret
from smtpctl.protocol import sasl
from smtpctl.protocol.sasl import SaslContext, SaslFailure

CONTEXT = SaslContext("mail.example.com", 587, secured=True)


def talk(
    name: str, credentials: Credentials, challenges: Iterable[bytes] = (), context: SaslContext = CONTEXT
) -> list[bytes | None]:
    """What the client says: the initial response, then a response to each challenge ("stop" is noted as `...`)."""
    exchange = sasl.start(name, credentials, context)
    said = [next(exchange)]
    for challenge in challenges:
        try:
            said.append(exchange.send(challenge))
        except StopIteration:
            said.append(b"<nothing>")
            break
    return said


def password(user: str, secret: str, authzid: str = "") -> Credentials:
    return Credentials(user, Secret(secret), authzid=authzid)


def token(user: str, value: str) -> Credentials:
    return Credentials(user, token=Secret(value))


class TestPlain:
    def test_rfc_4616(self) -> None:
        assert talk("PLAIN", password("tim", "tanstaaftanstaaf")) == [b"\0tim\0tanstaaftanstaaf"]
        assert talk("PLAIN", password("Kurt", "xipj3plmq", "Ursel")) == [b"Ursel\0Kurt\0xipj3plmq"]

    def test_utf_8_goes_as_typed(self) -> None:
        assert talk("PLAIN", password("jürgen", "I\u00adX½")) == ["\0jürgen\0I\u00adX½".encode()]

    def test_nul_is_refused(self) -> None:
        with pytest.raises(Obstacle, match=r"auth\.credentials_unusable"):
            talk("PLAIN", password("ann", "a\0b"))

    def test_no_challenge_is_understood(self) -> None:
        assert talk("PLAIN", password("ann", "x"), [b"Password:"])[-1] == b"<nothing>"


class TestLogin:
    @pytest.mark.parametrize(
        "prompts",
        [
            (b"Username:", b"Password:"),
            (b"User Name\0", b"Password\0"),
            (b"", b""),
            ("Имя:".encode(), "Слово:".encode()),
            (b"Benutzer", b"Kennwort"),
            (b"Login:", b"PASSWORD"),
        ],
    )
    def test_prompts(self, prompts: tuple[bytes, bytes]) -> None:
        assert talk("LOGIN", password("ann", "pencil"), prompts) == [None, b"ann", b"pencil"]

    def test_prompts_in_the_other_order(self) -> None:
        assert talk("LOGIN", password("ann", "pencil"), [b"Password:", b"Username:"]) == [None, b"pencil", b"ann"]

    def test_with_initial_response(self) -> None:
        eager = CONTEXT._replace(eager_login=True)
        assert talk("LOGIN", password("ann", "pencil"), [b"Password:"], eager) == [b"ann", b"pencil"]
        assert talk("LOGIN", password("ann", "pencil"), [b"Username:"], eager) == [b"ann", b"<nothing>"]

    def test_nothing_is_said_twice(self) -> None:
        said = talk("LOGIN", password("ann", "pencil"), [b"Username:", b"Password:", b"Password:"])
        assert said == [None, b"ann", b"pencil", b"<nothing>"]


class TestCramMd5:
    def test_rfc_2195(self) -> None:
        said = talk("CRAM-MD5", password("tim", "tanstaaftanstaaf"), [b"<1896.697170952@postoffice.reston.mci.net>"])
        assert said == [None, b"tim b913a602c7eda7a495b4e6e7334d3890"]

    def test_an_empty_challenge(self) -> None:
        with pytest.raises(SaslFailure) as caught:
            talk("CRAM-MD5", password("tim", "x"), [b""])
        assert caught.value.id == "auth.challenge_not_understood"


class TestExternal:
    def test_who(self) -> None:
        assert talk("EXTERNAL", Credentials()) == [b""]
        assert talk("EXTERNAL", Credentials("ann")) == [b"ann"]
        assert talk("EXTERNAL", Credentials("ann", authzid="bob")) == [b"bob"]


class TestXoauth2:
    VECTOR = (
        "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0Vv"
        "QUEBAQ=="
    )

    def test_the_vector_of_microsoft(self) -> None:
        said = talk("XOAUTH2", token("test@contoso.onmicrosoft.com", "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"))
        assert said == [base64.b64decode(self.VECTOR)]

    def test_an_error_is_answered_with_an_empty_line(self) -> None:
        error = b'{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}'
        assert talk("XOAUTH2", token("ann@example.com", "t"), [error, b""])[1:] == [b"", b"<nothing>"]

    @pytest.mark.parametrize("challenge", [b"Username:", b"", b"\xff\xfe", b"{not json", b"[]"])
    def test_what_is_no_error_is_not_answered(self, challenge: bytes) -> None:
        assert talk("XOAUTH2", token("ann@example.com", "t"), [challenge])[1:] == [b"<nothing>"]

    @pytest.mark.parametrize("bad", ["", "a b", "a\n", "a\x01", "ä"])
    @pytest.mark.parametrize("name", ["XOAUTH2", "OAUTHBEARER"])
    def test_a_token_that_is_none(self, name: str, bad: str) -> None:
        with pytest.raises(Obstacle, match=r"auth\.credentials_unusable"):
            talk(name, token("ann", bad))

    def test_a_user_name_cannot_add_fields(self) -> None:
        with pytest.raises(Obstacle, match=r"auth\.credentials_unusable"):
            talk("XOAUTH2", token("ann\x01auth=Bearer other", "t"))


class TestOauthbearer:
    def test_rfc_7628(self) -> None:
        context = SaslContext("server.example.com", 587)
        value = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
        assert talk("OAUTHBEARER", token("user@example.com", value), (), context) == [
            b"n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer "
            + value.encode()
            + b"\x01\x01"
        ]

    def test_the_name_is_escaped(self) -> None:
        said = talk("OAUTHBEARER", token("a=b,c", "t"))[0]
        assert said is not None
        assert said.startswith(b"n,a=a=3Db=2Cc,\x01")

    def test_an_error_is_answered_with_ctrl_a(self) -> None:
        error = b'{"status":"invalid_token","openid-configuration":"https://example.com/.well-known/x"}'
        assert talk("OAUTHBEARER", token("ann", "t"), [error, b""])[1:] == [b"\x01", b"<nothing>"]


class TestScram:
    """RFC 5802 5 and RFC 7677 3: user `user`, password `pencil`."""

    VECTORS: ClassVar[dict[str, tuple[str, bytes, bytes, bytes]]] = {
        "SCRAM-SHA-1": (
            "fyko+d2lbbFgONRv9qkxdawL",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        "SCRAM-SHA-256": (
            "rOprNGfwEbeRWgbNEkqO",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    }

    def exchange(self, name: str = "SCRAM-SHA-1", **more: object) -> sasl.Exchange:
        context = CONTEXT._replace(nonce=self.VECTORS[name][0], **more)  # type: ignore[arg-type]
        return sasl.start(name, password("user", "pencil"), context)

    @pytest.mark.parametrize("name", VECTORS)
    def test_the_vectors(self, name: str) -> None:
        nonce, first, response, final = self.VECTORS[name]
        exchange = self.exchange(name)
        assert next(exchange) == f"n,,n=user,r={nonce}".encode()
        assert exchange.send(first) == response
        assert exchange.send(final) == b""
        sasl.accepted(exchange)

    def fails(self, *challenges: bytes) -> SaslFailure:
        exchange = self.exchange()
        next(exchange)
        for challenge in challenges[:-1]:
            exchange.send(challenge)
        with pytest.raises(SaslFailure) as caught:
            exchange.send(challenges[-1])
        assert "pencil" not in str(caught.value)
        return caught.value

    @pytest.mark.parametrize(
        ("first", "words"),
        [
            (b"r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096", "nonce"),
            (b"r=other,s=QSXCR+Q6sek8bf92,i=4096", "nonce"),
            (b"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4095", "4,095 rounds"),
            (b"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=1000001", "1,000,001 rounds"),
        ],
    )
    def test_a_server_that_cannot_be_trusted(self, first: bytes, words: str) -> None:
        failure = self.fails(first)
        assert failure.id == "auth.server_not_authenticated"
        assert words in failure.message

    @pytest.mark.parametrize(
        "first",
        [
            b"",
            b"Username:",
            b"\xff\xff",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=-4096",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=" + b"9" * 5000,
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=%%%%,i=4096",
            b"m=must,r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4096",
        ],
    )
    def test_what_is_not_scram(self, first: bytes) -> None:
        assert self.fails(first).id == "auth.challenge_not_understood"

    @pytest.mark.parametrize("final", [b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", b"v=", b"", b"ok"])
    def test_a_wrong_signature(self, final: bytes) -> None:
        assert self.fails(self.VECTORS["SCRAM-SHA-1"][1], final).id == "auth.server_not_authenticated"

    @pytest.mark.parametrize("challenges", [0, 1])
    def test_accepted_before_the_server_proved_itself(self, challenges: int) -> None:
        exchange = self.exchange()
        next(exchange)
        for challenge in self.VECTORS["SCRAM-SHA-1"][1:2][:challenges]:
            exchange.send(challenge)
        with pytest.raises(SaslFailure) as caught:
            sasl.accepted(exchange)
        assert caught.value.id == "auth.server_not_authenticated"

    def test_an_error_of_the_server_is_let_through(self) -> None:
        exchange = self.exchange()
        next(exchange)
        exchange.send(self.VECTORS["SCRAM-SHA-1"][1])
        assert exchange.send(b"e=invalid-proof") == b""
        with pytest.raises(SaslFailure):
            sasl.accepted(exchange)

    def test_the_binding_flag(self) -> None:
        unique, point = {"tls-unique": b"u" * 12}, {"tls-server-end-point": b"p" * 32}
        plus = ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-1")
        assert next(self.exchange(bindings=unique)).startswith(b"y,,")  # type: ignore[union-attr]
        assert next(self.exchange(bindings=unique, offered=plus)).startswith(b"n,,")  # type: ignore[union-attr]
        assert next(self.exchange(bindings=point)).startswith(b"n,,")  # type: ignore[union-attr]
        for bindings, flag in ((unique, b"p=tls-unique,,"), (point, b"p=tls-server-end-point,,")):
            context = CONTEXT._replace(bindings=bindings, offered=plus)
            said = talk("SCRAM-SHA-1-PLUS", password("user", "pencil"), (), context)[0]
            assert said is not None
            assert said.startswith(flag)

    def test_plus_without_a_binding(self) -> None:
        with pytest.raises(Obstacle, match=r"auth\.credentials_unusable"):
            talk("SCRAM-SHA-1-PLUS", password("user", "pencil"))

    def test_a_password_that_cannot_be_prepared(self) -> None:
        with pytest.raises(Obstacle) as caught:
            talk("SCRAM-SHA-1", password("user", "a\N{GRINNING FACE}"))
        assert "In the password, character 2 (U+1F600)" in caught.value.facts["reason"]

    @pytest.mark.parametrize("name", [name for name in sasl.MECHANISMS if "SCRAM" in name])
    def test_with_the_server_half_of_scramp(self, name: str) -> None:
        from scramp import ScramMechanism  # type: ignore[import-untyped]

        mechanism = ScramMechanism(name)
        info = mechanism.make_auth_info("päncil,=", iteration_count=4096)
        binding = ("tls-server-end-point", b"h" * 32) if name.endswith("-PLUS") else None
        server = mechanism.make_server(lambda _: info, channel_binding=binding)
        context = CONTEXT._replace(bindings={"tls-server-end-point": b"h" * 32}, offered=(name,))
        exchange = sasl.start(name, password("us=er,ß", "päncil,="), context)
        server.set_client_first((next(exchange) or b"").decode())
        server.set_client_final((exchange.send(server.get_server_first().encode()) or b"").decode())
        assert exchange.send(server.get_server_final().encode()) == b""
        sasl.accepted(exchange)


class TestNtlm:
    def test_with_the_server_half_of_pyspnego(self, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
        import spnego

        users = tmp_path / "users"  # type: ignore[operator]
        users.write_text("DOMAIN:ann:pencil\n")
        monkeypatch.setenv("NTLM_USER_FILE", str(users))
        exchange = sasl.start("NTLM", password("DOMAIN\\ann", "pencil"), CONTEXT)
        server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        challenge = server.step(next(exchange))
        server.step(exchange.send(challenge or b""))
        assert server.complete
        assert server.client_principal == "DOMAIN\\ann"
        sasl.accepted(exchange)

    def test_a_challenge_that_is_not_ntlm(self) -> None:
        with pytest.raises(SaslFailure) as caught:
            talk("NTLM", password("ann", "pencil"), [b"NTLM supported"])
        assert caught.value.id == "auth.challenge_not_understood"


@pytest.mark.parametrize("name", ["NTLM", "GSSAPI"])
def test_a_missing_library_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spnego", None)
    with pytest.raises(Obstacle) as caught:
        talk(name, password("ann", "pencil"))
    assert caught.value.id == "auth.library_missing"
    assert caught.value.facts["extra"] == name.lower()


def test_initial_response_fits() -> None:
    # "AUTH XOAUTH2 " is 13 octets, CRLF 2: 497 remain, of which base64 can use 496, which hold 372.
    assert sasl.initial_response_fits("XOAUTH2", b"x" * 372)
    assert not sasl.initial_response_fits("XOAUTH2", b"x" * 373)
    assert sasl.initial_response_fits("EXTERNAL", b"")


@pytest.mark.parametrize("name", ["PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-256"])
@given(st.lists(st.binary(max_size=80), max_size=5), st.text(max_size=20), st.text(max_size=20))
def test_any_challenge_ends_or_fails_as_foreseen(name: str, challenges: list[bytes], user: str, secret: str) -> None:
    with contextlib.suppress(SaslFailure, Obstacle):
        talk(name, Credentials(user, Secret(secret), Secret(secret)), challenges)


@given(st.binary(max_size=80))
def test_any_ntlm_challenge_ends_or_fails_as_foreseen(challenge: bytes) -> None:
    with contextlib.suppress(SaslFailure):
        talk("NTLM", password("ann", "pencil"), [b"NTLMSSP\0\2\0\0\0" + challenge])


@pytest.mark.parametrize("name", ["PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-256"])
def test_octets_that_are_not_utf_8_are_refused(name: str) -> None:
    with pytest.raises(Obstacle, match=r"auth\.credentials_unusable"):
        talk(name, Credentials("ann\udcff", Secret("x"), Secret("t")), [b"<1@example.com>"])
