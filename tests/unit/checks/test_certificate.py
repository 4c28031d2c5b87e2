"""Certificates judged one by one: every fault is told, each with what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from smtpctl.checks import certificate
from smtpctl.checks import chain as chain_checks
from smtpctl.checks.facts import Facts
from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.finding import Finding
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from transcripts import SECURED

DAY = 86400.0
NOW = 1000 * DAY
LEAF = Certificate(
    subject="CN=mx.example.com", issuer="CN=Inter", common_name="mx.example.com", names=("mx.example.com",),
    not_before=NOW - 30 * DAY, not_after=NOW + 60 * DAY, serial="1", key="EC secp256r1", bits=256, hash="SHA256", is_ca=False,
    usages=("1.3.6.1.5.5.7.3.1",), issuer_urls=("http://ca.example/inter.crt",), revocation_urls=(), must_staple=False,
    timestamps=2, fingerprint="f1", pin="p1", signed_by=1,
)  # fmt: skip
INTER = LEAF._replace(
    subject="CN=Inter", issuer="CN=Root", common_name="Inter", names=(), is_ca=True, usages=None, fingerprint="f2",
    signed_by=-1, trusted_issuer=True, key="RSA 2048", bits=2048, not_after=NOW + 900 * DAY,
)  # fmt: skip
ROOT = INTER._replace(subject="CN=Root", issuer="CN=Root", common_name="Root", fingerprint="f3", signed_by=2)


def judge(
    *chain: Certificate | None,
    name: str = "mx.example.com",
    port: int = 587,
    verify_code: int = -1,
    said: Transcript | None = None,
) -> list[Finding]:
    tls = SECURED._replace(server_name=name, verified=verify_code == 0, verify_code=verify_code)
    endpoint = Endpoint(name, port)
    facts = Facts(str(endpoint), endpoint, TlsPolicy(), "me.example.com", said or Transcript(), None, tls, chain, NOW)
    return [*certificate.leaf(facts), *chain_checks.chain(facts)]


def ids(*chain: Certificate | None, **more: Any) -> list[str]:
    return [finding.id for finding in judge(*chain, **more)]


def test_nothing_to_find() -> None:
    assert ids(LEAF, INTER) == []
    assert ids() == []


LEAVES: list[tuple[dict[str, Any], list[str]]] = [
    ({"not_after": NOW - DAY}, ["tls.cert.expired"]),
    ({"not_before": NOW + DAY}, ["tls.cert.not_yet_valid"]),
    ({"not_after": NOW + 13 * DAY}, ["tls.cert.expires_soon"]),
    ({"not_after": NOW + 15 * DAY}, []),
    ({"not_before": NOW - 4 * DAY, "not_after": NOW + 3 * DAY}, []),  # a week's life: three days are not soon
    ({"not_before": NOW - 5 * DAY, "not_after": NOW + 2 * DAY}, ["tls.cert.expires_soon"]),
    ({"not_after": NOW + 29 * DAY, "notice": 30 * DAY}, ["tls.cert.expires_soon"]),  # somebody wants to know earlier
    ({"not_after": NOW + 13 * DAY, "notice": 10 * DAY}, []),
    ({"names": ("other.example",)}, ["tls.cert.hostname_mismatch"]),
    ({"names": ("*.example.com",)}, []),
    ({"names": ("*.com",)}, ["tls.cert.wildcard_depth"]),
    ({"names": ("*.mx.example.com",)}, ["tls.cert.wildcard_depth"]),
    ({"names": ()}, ["tls.cert.cn_only"]),
    ({"names": (), "common_name": "other"}, ["tls.cert.cn_only", "tls.cert.hostname_mismatch"]),
    ({"key": "RSA 1024", "bits": 1024}, ["tls.cert.weak_key"]),
    ({"key": "EC secp192r1", "bits": 192}, ["tls.cert.weak_key"]),
    ({"key": "Ed25519", "bits": 256, "hash": ""}, []),
    ({"hash": "SHA1"}, ["tls.cert.weak_signature"]),
    ({"usages": ("1.3.6.1.5.5.7.3.2",)}, ["tls.cert.eku"]),
    ({"usages": None}, []),
    ({"usages": ("2.5.29.37.0",)}, []),
    ({"is_ca": True}, ["tls.cert.is_ca"]),
    ({"must_staple": True}, ["tls.cert.must_staple"]),
    ({"not_before": NOW - 300 * DAY, "not_after": NOW + 300 * DAY, "trusted_issuer": True}, ["tls.cert.long_validity"]),
    ({"not_before": NOW - 300 * DAY, "not_after": NOW + 300 * DAY, "timestamps": 0}, []),  # a private one may live long
    ({"not_after": NOW - DAY, "names": ("x.test",), "hash": "MD5"},
     ["tls.cert.expired", "tls.cert.hostname_mismatch", "tls.cert.weak_signature"]),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "found"), LEAVES)
def test_leaf(faults: dict[str, Any], found: list[str]) -> None:
    assert ids(LEAF._replace(**faults), INTER) == found


def test_by_address() -> None:
    assert ids(LEAF, INTER, name="192.0.2.1") == ["tls.cert.ip_used"]
    assert ids(LEAF, INTER, name="2001:db8::1") == ["tls.cert.ip_used"]
    assert ids(LEAF._replace(names=("192.0.2.1",)), INTER, name="192.0.2.1") == []


def test_the_nearest_name_is_shown() -> None:
    [finding] = judge(LEAF._replace(names=("mail.example.com", "www.test")), INTER)
    assert [(e.label, e.text) for e in finding.evidence] == [
        ("asked for:", "mx.example.com"), ("it is for:", "mail.example.com, www.test"), ("nearest:", "mail.example.com"),
    ]  # fmt: skip


UNTRUSTED = INTER._replace(trusted_issuer=False)
OWN = ROOT._replace(trusted_issuer=False)
SELF = LEAF._replace(issuer=LEAF.subject, signed_by=0)
CHAINS: list[tuple[list[Certificate], list[str]]] = [
    ([LEAF], ["tls.chain.missing_intermediate"]),
    ([LEAF, UNTRUSTED], ["tls.chain.missing_intermediate"]),
    ([LEAF, UNTRUSTED._replace(signed_by=2), OWN], ["tls.chain.unknown_ca"]),
    ([LEAF, UNTRUSTED._replace(issuer_urls=(), timestamps=0)], ["tls.chain.unknown_ca"]),  # a private root, not sent
    ([LEAF, UNTRUSTED._replace(namesake_root=True)], ["tls.chain.unknown_ca"]),
    ([LEAF, INTER._replace(signed_by=2), OWN._replace(not_after=NOW - DAY)], []),  # the bridge to an old root
    ([LEAF, INTER._replace(key="RSA 1024", bits=1024, hash="SHA1")], ["tls.cert.weak_key", "tls.cert.weak_signature"]),
    ([LEAF, INTER._replace(signed_by=2), ROOT], ["tls.chain.root_sent"]),
    ([SELF], ["tls.cert.self_signed"]),
    ([LEAF._replace(signed_by=-1), INTER], ["tls.chain.bad_signature"]),
    ([LEAF, INTER._replace(not_after=NOW - DAY)], ["tls.chain.expired_ca"]),
    ([LEAF._replace(signed_by=2), ROOT._replace(signed_by=1), INTER._replace(signed_by=1)], ["tls.chain.order", "tls.chain.root_sent"]),
    ([LEAF, INTER, LEAF], ["tls.chain.extra_certs"]),
    ([LEAF, INTER, INTER._replace(not_after=NOW - DAY, fingerprint="f9")], ["tls.chain.extra_certs"]),
    ([LEAF, INTER, ROOT._replace(subject="CN=stranger", issuer="CN=stranger")], ["tls.chain.extra_certs"]),
]  # fmt: skip


@pytest.mark.parametrize(("chain", "found"), CHAINS)
def test_chain(chain: list[Certificate], found: list[str]) -> None:
    assert ids(*chain) == found


def test_a_missing_intermediate_has_its_name_and_where_to_get_it() -> None:
    [finding] = judge(LEAF._replace(signed_by=-1))
    assert [(e.label, e.text) for e in finding.evidence[-2:]] == [
        ("missing:", "CN=Inter"), ("get it from:", "http://ca.example/inter.crt"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("http://ca.example/inter.crt", "curl -fsS http://ca.example/inter.crt | openssl"),
        ("http://ca.example:8080/a%20b/r3.der", "curl -fsS http://ca.example:8080/a%20b/r3.der | openssl"),
        ("http://ca.example/$(reboot)", "curl -fsS <url> | openssl"),  # the server's words stay out of a shell
        ("http://ca.example/a;b", "curl -fsS <url> | openssl"),
        ("-o/etc/passwd", "curl -fsS <url> | openssl"),
        ("ldap://ca.example/cn=x", "curl -fsS <url> | openssl"),
    ],
)
def test_the_command_that_gets_a_missing_intermediate(url: str, command: str) -> None:
    [finding] = judge(LEAF._replace(signed_by=-1, issuer_urls=(url,)))
    lines = [line for cause in finding.causes for remedy in cause.remedies for line in remedy.commands]
    assert [line for line in lines if line.startswith(command)]


BEYOND = INTER._replace(
    subject="CN=Beyond", issuer="CN=Inter", common_name="Beyond", trusted_issuer=False, fingerprint="f7"
)


def test_an_authority_that_was_not_allowed() -> None:
    """RFC 5280 4.2.1.9: how many authorities may follow, the server's certificate not counted."""
    above = INTER._replace(path_length=0)
    for anew, found in ((False, ["tls.chain.path_length"]), (True, [])):  # one that signed itself anew does not count
        between = BEYOND._replace(signed_by=2, issuer="CN=Beyond" if anew else "CN=Inter")
        findings = judge(LEAF._replace(issuer="CN=Beyond"), between, above, verify_code=0 if anew else 25)
        assert [finding.id for finding in findings] == found
        for finding in findings:
            assert finding.title.endswith(": CN=Inter")
            assert [piece.label for piece in finding.evidence] == [
                "sent 2 of 3:",
                "sent 3 of 3:",
                "authorities allowed:",
            ]
    assert ids(LEAF, INTER._replace(path_length=0), verify_code=0) == []


def test_a_root_that_did_not_allow_it_is_told_although_nobody_sent_it() -> None:
    [finding] = judge(LEAF, INTER, verify_code=25)
    assert (finding.id, finding.title.rpartition(": ")[2]) == ("tls.chain.path_length", "CN=Root")


def test_what_only_openssl_knows_is_a_finding_about_the_chain() -> None:
    """X509_V_ERR_INVALID_POLICY_EXTENSION; without it the check would have passed what stopped the run."""
    [finding] = judge(LEAF, INTER, verify_code=42)
    assert finding.id == "tls.cert.untrusted"
    assert [piece.label for piece in finding.evidence] == ["OpenSSL:", "sent 1 of 2:", "sent 2 of 2:"]
    assert ids(LEAF._replace(not_after=NOW - DAY), INTER, verify_code=10) == ["tls.cert.expired"]


def test_a_root_that_expired_here_is_told_although_nobody_sent_it() -> None:
    [finding] = judge(LEAF, INTER, verify_code=10)
    assert finding.id == "tls.chain.expired_ca"
    assert finding.title.endswith(": CN=Root")


def test_an_authority_of_the_same_name_with_another_key() -> None:
    wrong = INTER._replace(key_id="bb")
    [finding] = judge(LEAF._replace(signed_by=-1, issuer_key_id="aa"), wrong)
    assert finding.id == "tls.chain.bad_signature"
    assert [(e.label, e.text) for e in finding.evidence[-2:]] == [("signed by key:", "aa"), ("key sent:", "bb")]


@pytest.mark.parametrize(("seconds", "told"), [(DAY / 2, "less than a day"), (DAY, "1 day"), (8 * DAY, "8 days")])
def test_how_long_ago_and_how_long_still(seconds: float, told: str) -> None:
    [gone] = judge(LEAF._replace(not_after=NOW - seconds), INTER)
    [soon] = judge(LEAF._replace(not_after=NOW + seconds), INTER)
    assert gone.title.endswith(f"({told} ago)")
    assert f"expires soon, in {told} (" in soon.title


def commands(finding: Finding) -> list[str]:
    return [line for cause in finding.causes for remedy in cause.remedies for line in remedy.commands]


@pytest.mark.parametrize(
    ("names", "own", "tried"),
    [
        (("mail.example.com", "www.test"), "", "mail.example.com"),
        (("*.example.org", "mail.example.org"), "", "mail.example.org"),
        (("*.example.org",), "", "<name>"),
        (("x;rm -rf ~", "$(id)", "-oops"), "", "<name>"),  # whoever answered wrote them
        (("*.example.org",), "mail.example.org", "mail.example.org"),  # the server calls itself that
        (("mail.example.com", "b.test"), "b.test", "b.test"),
        (("mail.example.com",), "mail.other.test", "mail.example.com"),
        (("*.example.org",), "$(id).example.org", "<name>"),
    ],
)
def test_the_name_to_try_instead(names: tuple[str, ...], own: str, tried: str) -> None:
    said = Transcript()
    said.add(Event(0.0, Stage.EHLO, Kind.SENT, "EHLO me.example.com"))
    said.add(Event(0.0, Stage.EHLO, Kind.RECEIVED, f"250 {own}"))
    [finding] = judge(LEAF._replace(names=names), INTER, said=said)
    assert commands(finding)[0] == f"smtpctl check {tried}:587 --auth none"


def test_the_pin_of_a_certificate_that_signed_itself_is_ready_to_paste() -> None:
    [finding] = judge(SELF)
    assert "smtpctl profile set <profile> pin=sha256:f1" in commands(finding)


@pytest.mark.parametrize(
    ("usages", "found"),
    [
        (None, []),
        (("1.3.6.1.5.5.7.3.2",), []),
        (("2.5.29.37.0",), []),
        (("1.3.6.1.5.5.7.3.1",), ["tls.client_cert_no_clientauth_eku"]),
    ],
)
def test_our_own_certificate(usages: tuple[str, ...] | None, found: list[str]) -> None:
    endpoint = Endpoint("mx.example.com", 587)
    facts = Facts(
        str(endpoint), endpoint, TlsPolicy(client_cert="me.pem"), "me.test", Transcript(), None, None, (), NOW,
        client=LEAF._replace(usages=usages),
    )  # fmt: skip
    assert [finding.id for finding in certificate.own(facts)] == found


def test_what_openssl_trusts_is_complete() -> None:
    assert ids(LEAF, UNTRUSTED, verify_code=0) == []


def test_an_mx_is_judged_more_mildly() -> None:
    expired = LEAF._replace(not_after=NOW - DAY)
    assert judge(expired, INTER, port=25)[0].severity < judge(expired, INTER, port=587)[0].severity


def test_certificates_that_cannot_be_read() -> None:
    assert ids(None, INTER) == ["tls.cert.unparseable"]
    assert ids(LEAF, None) == ["tls.chain.missing_intermediate"]


def test_a_chain_in_a_circle_ends() -> None:
    ids(LEAF, INTER._replace(signed_by=0, trusted_issuer=False))
    ids(LEAF._replace(signed_by=1), INTER._replace(signed_by=1, trusted_issuer=False))
