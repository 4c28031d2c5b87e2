"""Which mechanism is tried, and why another is not."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.endpoint import AuthPolicy, Credentials
from smtpctl.model.secret import Secret
from smtpctl.protocol import sasl
from smtpctl.protocol.sasl import MECHANISMS, Reason, choose

PASSWORD = Credentials("ann", Secret("pencil"))
TOKEN = Credentials("ann@example.com", token=Secret("ya29.x"))
AUTO = AuthPolicy()
BOTH = Credentials("ann", Secret("pencil"), Secret("ya29.x"))
ALL = tuple(MECHANISMS)
UNIQUE = {"tls-unique": b"x" * 12, "tls-server-end-point": b"y" * 32}


def candidates(
    advertised: object, credentials: Credentials = PASSWORD, policy: AuthPolicy = AUTO, **more: object
) -> tuple[str, ...]:
    names = advertised.split() if isinstance(advertised, str) else advertised
    return choose(names, policy, credentials, **{"secured": True, **more}).candidates  # type: ignore[arg-type]


def test_strongest_first() -> None:
    offered = "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-512"
    assert candidates(offered, bindings=UNIQUE) == (
        "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN",
    )  # fmt: skip


def test_a_guessed_channel_binding_comes_after_what_is_sure() -> None:
    only_end_point = {"tls-server-end-point": b"y" * 32}
    assert candidates("SCRAM-SHA-1-PLUS SCRAM-SHA-1", bindings=only_end_point) == ("SCRAM-SHA-1", "SCRAM-SHA-1-PLUS")
    assert candidates("SCRAM-SHA-1-PLUS", bindings=only_end_point) == ("SCRAM-SHA-1-PLUS",)


def test_duplicates_and_case_are_one_mechanism() -> None:
    assert candidates("plain PLAIN Login login") == ("PLAIN", "LOGIN")


def test_without_tls_nothing_that_reveals_a_password_or_lets_it_be_guessed() -> None:
    offered = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "NTLM"]
    choice = choose(offered, AuthPolicy(), PASSWORD, secured=False)
    assert choice.candidates == ()
    assert dict(choice.rejected) == dict.fromkeys(offered, Reason.PLAINTEXT)
    assert candidates("XOAUTH2 OAUTHBEARER PLAIN", BOTH, secured=False) == ()
    assert candidates("PLAIN", policy=AuthPolicy(mechanism="PLAIN"), secured=False) == ()


def test_plaintext_when_allowed_comes_last() -> None:
    allowed = AuthPolicy(allow_plaintext=True)
    assert candidates("PLAIN NTLM LOGIN", policy=allowed, secured=False) == ("NTLM", "PLAIN", "LOGIN")
    assert candidates("PLAIN NTLM LOGIN") == ("PLAIN", "LOGIN", "NTLM")


@pytest.mark.parametrize(
    ("method", "credentials", "expected"),
    [
        ("auto", BOTH, ("OAUTHBEARER", "XOAUTH2", "SCRAM-SHA-1", "PLAIN")),
        ("auto", TOKEN, ("OAUTHBEARER", "XOAUTH2")),
        ("auto", PASSWORD, ("SCRAM-SHA-1", "PLAIN")),
        ("oauth2", BOTH, ("OAUTHBEARER", "XOAUTH2")),
        ("oauth2", PASSWORD, ()),
        ("basic", BOTH, ("SCRAM-SHA-1", "PLAIN")),
        ("none", BOTH, ()),
    ],
)
def test_the_method(method: str, credentials: Credentials, expected: tuple[str, ...]) -> None:
    assert candidates("PLAIN XOAUTH2 SCRAM-SHA-1 OAUTHBEARER", credentials, AuthPolicy(method)) == expected


def test_a_certificate_is_used_alone_or_by_name() -> None:
    assert candidates("EXTERNAL PLAIN", Credentials(), client_cert=True) == ("EXTERNAL",)
    assert candidates("EXTERNAL PLAIN", PASSWORD, client_cert=True) == ("PLAIN",)
    assert candidates("EXTERNAL PLAIN", PASSWORD, AuthPolicy(mechanism="external"), client_cert=True) == ("EXTERNAL",)
    assert candidates("EXTERNAL", Credentials(), client_cert=True, secured=False) == ()


@pytest.mark.parametrize(
    ("advertised", "credentials", "policy", "name", "reason"),
    [
        ("DIGEST-MD5", PASSWORD, AuthPolicy(), "DIGEST-MD5", Reason.UNKNOWN),
        ("PLAIN", PASSWORD, AuthPolicy(mechanism="LOGIN"), "LOGIN", Reason.NOT_OFFERED),
        ("PLAIN", PASSWORD, AuthPolicy(mechanism="LOGIN"), "PLAIN", Reason.NOT_CHOSEN),
        ("PLAIN", PASSWORD, AuthPolicy(mechanism="KERBEROS_V4"), "KERBEROS_V4", Reason.UNKNOWN),
        ("PLAIN", Credentials("ann"), AuthPolicy(), "PLAIN", Reason.NO_PASSWORD),
        ("PLAIN", Credentials("", Secret("x")), AuthPolicy(), "PLAIN", Reason.NO_USERNAME),
        ("XOAUTH2", PASSWORD, AuthPolicy(), "XOAUTH2", Reason.NO_TOKEN),
        ("XOAUTH2", TOKEN, AuthPolicy("basic"), "XOAUTH2", Reason.METHOD),
        ("SCRAM-SHA-1-PLUS", PASSWORD, AuthPolicy(), "SCRAM-SHA-1-PLUS", Reason.NO_BINDING),
        ("GSSAPI", PASSWORD, AuthPolicy(), "GSSAPI", Reason.ON_REQUEST),
        ("EXTERNAL", PASSWORD, AuthPolicy(), "EXTERNAL", Reason.NO_CERTIFICATE),
        ("SCRAM-SHA-1", Credentials("ann", Secret("\N{GRINNING FACE}")), AuthPolicy(), "SCRAM-SHA-1",
         Reason.UNPREPARABLE),
        ("LOGIN", PASSWORD._replace(authzid="bob"), AuthPolicy(), "LOGIN", Reason.NO_AUTHZID),
    ],
)  # fmt: skip
def test_why_not(advertised: str, credentials: Credentials, policy: AuthPolicy, name: str, reason: Reason) -> None:
    choice = choose(advertised.split(), policy, credentials, secured=True)
    assert (name, reason) in choice.rejected
    assert name not in choice.candidates


@given(
    st.lists(st.sampled_from((*ALL, "DIGEST-MD5", "X-ODD"))),
    st.builds(
        AuthPolicy,
        st.sampled_from(["auto", "oauth2", "basic", "none"]),
        st.sampled_from(("", *ALL)),
        allow_plaintext=st.booleans(),
    ),
    st.sampled_from([Credentials(), PASSWORD, TOKEN, BOTH]),
    st.booleans(),
    st.booleans(),
)
def test_every_mechanism_gets_one_verdict(
    advertised: list[str], policy: AuthPolicy, credentials: Credentials, secured: bool, certificate: bool
) -> None:
    choice = choose(advertised, policy, credentials, secured=secured, client_cert=certificate)
    named = list(chain(choice.candidates, (name for name, _ in choice.rejected)))
    assert len(named) == len(set(named))
    assert set(named) - {policy.mechanism} <= set(advertised) <= set(named)
    if not secured and not policy.allow_plaintext:
        proofs = {MECHANISMS[name].credential for name in choice.candidates}
        assert not proofs & {sasl.Credential.PASSWORD, sasl.Credential.TOKEN}


def test_every_mechanism_has_its_module() -> None:
    folder = Path(sasl.__file__).parent
    assert all((folder / f"{mechanism.module}.py").exists() for mechanism in MECHANISMS.values())
