"""Certificates judged one by one: every fault is told, each with what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from smtpctl.checks import certificate
from smtpctl.checks.facts import Facts
from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.finding import Finding
from smtpctl.model.transcript import Transcript
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
    *chain: Certificate | None, name: str = "mx.example.com", port: int = 587, verify_code: int = 20
) -> list[Finding]:
    tls = SECURED._replace(server_name=name, verified=verify_code == 0, verify_code=verify_code)
    endpoint = Endpoint(name, port)
    facts = Facts(str(endpoint), endpoint, TlsPolicy(), "me.example.com", Transcript(), None, tls, chain, NOW)
    return [*certificate.leaf(facts), *certificate.chain(facts)]


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
        ("lists:", "mail.example.com, www.test"), ("asked for:", "mx.example.com"), ("nearest:", "mail.example.com"),
    ]  # fmt: skip


UNTRUSTED = INTER._replace(trusted_issuer=False)
OWN = ROOT._replace(trusted_issuer=False)
SELF = LEAF._replace(issuer=LEAF.subject, signed_by=0)
CHAINS: list[tuple[list[Certificate], list[str]]] = [
    ([LEAF], ["tls.chain.missing_intermediate"]),
    ([LEAF, UNTRUSTED], ["tls.chain.missing_intermediate"]),
    ([LEAF, INTER._replace(signed_by=2), OWN], ["tls.chain.unknown_ca"]),
    ([LEAF, INTER._replace(signed_by=2), ROOT], ["tls.chain.root_sent"]),
    ([SELF], ["tls.cert.self_signed"]),
    ([LEAF._replace(signed_by=-1), INTER], ["tls.chain.bad_signature"]),
    ([LEAF, INTER._replace(not_after=NOW - DAY)], ["tls.chain.expired_ca"]),
    ([LEAF._replace(signed_by=2), ROOT._replace(signed_by=1), INTER._replace(signed_by=1)], ["tls.chain.order", "tls.chain.root_sent"]),
    ([LEAF, INTER, LEAF], ["tls.chain.extra_certs"]),
    ([LEAF, INTER, ROOT._replace(subject="CN=stranger", issuer="CN=stranger")], ["tls.chain.extra_certs"]),
]  # fmt: skip


@pytest.mark.parametrize(("chain", "found"), CHAINS)
def test_chain(chain: list[Certificate], found: list[str]) -> None:
    assert ids(*chain) == found


def test_a_missing_intermediate_has_its_name_and_where_to_get_it() -> None:
    [finding] = judge(LEAF._replace(signed_by=-1))
    missing = finding.evidence[-1]
    assert (missing.label, missing.text) == ("missing:", "CN=Inter  http://ca.example/inter.crt")


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
